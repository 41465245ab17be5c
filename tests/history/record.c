/* SPDX-License-Identifier: MIT */
/* record.c: see record.h. */
#include "record.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The records of one thread; on cache lines of its own. */
struct book {
    _Alignas(64) struct record *records;
    size_t count;
};

struct record_log {
    _Alignas(64) _Atomic uint64_t last;
    _Alignas(64) atomic_uint books_count;
    atomic_bool full;
    size_t records_max;
    uint64_t serial; /* tells it from logs that were at the same place before */
    struct record_facts facts;
    struct book books[RECORD_THREADS_MAX];
};

static _Atomic uint64_t logs_made;

/* The book of this thread, and the log that it belongs to. */
static _Thread_local uint64_t book_serial;
static _Thread_local uint8_t book_number;

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "record: %s\n", why);
    abort();
}

struct record_log *record_log_create(const struct record_facts *facts, size_t records_max)
{
    struct record_log *log = aligned_alloc(64, sizeof *log);

    if (log == NULL)
        give_up("out of memory");
    memset(log, 0, sizeof *log);
    log->serial = atomic_fetch_add(&logs_made, 1) + 1;
    log->facts = *facts;
    log->records_max = records_max;
    return log;
}

void record_log_destroy(struct record_log *log)
{
    for (size_t i = 0; i < RECORD_THREADS_MAX; i++)
        free(log->books[i].records);
    free(log);
}

static struct book *book_of_thread(struct record_log *log)
{
    if (book_serial != log->serial) {
        unsigned number = atomic_fetch_add(&log->books_count, 1);
        if (number >= RECORD_THREADS_MAX)
            give_up("more threads than there are buffers for");
        log->books[number].records = malloc(log->records_max * sizeof(struct record));
        if (log->books[number].records == NULL)
            give_up("out of memory");
        book_serial = log->serial;
        book_number = (uint8_t)number;
    }
    return &log->books[book_number];
}

/* Room for one more. */
static struct record *book_next(struct record_log *log, struct book *book)
{
    if (book->count == log->records_max)
        give_up("the buffer of a thread is full");
    if (book->count >= log->records_max / 8 * 7)
        atomic_store_explicit(&log->full, true, memory_order_relaxed);
    return &book->records[book->count++];
}

uint64_t record_add(struct record_log *log, struct record event)
{
    struct record *place = book_next(log, book_of_thread(log));
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    event.time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    event.thread = book_number;
    event.order = atomic_fetch_add(&log->last, 1) + 1;
    *place = event;
    return event.order;
}

void record_add_exact(struct record_log *log, const struct record *event)
{
    *book_next(log, book_of_thread(log)) = *event;
}

uint64_t record_count(struct record_log *log)
{
    return atomic_load_explicit(&log->last, memory_order_relaxed);
}

bool record_full(struct record_log *log)
{
    return atomic_load_explicit(&log->full, memory_order_relaxed);
}

static unsigned books_used(const struct record_log *log)
{
    unsigned count = atomic_load(&log->books_count);
    return count < RECORD_THREADS_MAX ? count : RECORD_THREADS_MAX;
}

bool record_log_write(const struct record_log *log, const char *path)
{
    struct record_header header = {
        .version = RECORD_VERSION,
        .byte_order = RECORD_BYTE_ORDER,
        .record_size = sizeof(struct record),
        .facts = log->facts,
    };
    unsigned books = books_used(log);
    FILE *file = fopen(path, "we");
    bool written;

    if (file == NULL)
        return false;
    memcpy(header.magic, RECORD_MAGIC, sizeof header.magic);
    for (unsigned i = 0; i < books; i++)
        header.count += log->books[i].count;
    written = fwrite(&header, sizeof header, 1, file) == 1;
    for (unsigned i = 0; i < books && written; i++) {
        const struct book *book = &log->books[i];
        written = fwrite(book->records, sizeof(struct record), book->count, file) == book->count;
    }
    if (fclose(file) != 0)
        written = false;
    return written;
}
