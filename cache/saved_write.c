/* SPDX-License-Identifier: MIT */
/* saved_write.c: the words for what is wrong with a saved file, and its writer; see saved_file.h. */
#include "saved_file.h"

#include "must.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const unsigned char saved_magic[8] = {0x89, 'S', 'L', 'U', 'I', 'C', 'E', '\n'};

/* ---- faults ------------------------------------------------------------------------------------------------------ */

enum sluice_error saved_fault(struct sluice_saved *what, enum sluice_saved_fault fault, const char *format, ...)
{
    va_list arguments;

    what->fault = fault;
    va_start(arguments, format);
    vsnprintf(what->words, sizeof what->words, format, arguments);
    va_end(arguments);
    return SLUICE_FILE;
}

enum sluice_error saved_fault_system(struct sluice_saved *what, const char *words)
{
    int error = errno;
    char cause[128];

    return saved_fault(what, error == ENOENT ? SLUICE_SAVED_ABSENT : SLUICE_SAVED_SYSTEM, "%s: %s", words,
                       strerror_r(error, cause, sizeof cause));
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void put_le(unsigned char *to, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(number >> (8 * i));
}

/*
 * As write(), but a file that grows over the process's limit (RLIMIT_FSIZE) is an error like a full disk, and not also
 * a signal that ends the process (rule 20). That one comes to the thread that writes, so it can be taken back here.
 */
static ssize_t write_unsignalled(int fd, const void *bytes, size_t size)
{
    static const struct timespec no_time = {0, 0};
    sigset_t limit, before;
    ssize_t written;
    int error;

    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    must(pthread_sigmask(SIG_BLOCK, &limit, &before) == 0);
    written = write(fd, bytes, size);
    error = errno;
    if (written < 0 && error == EFBIG && sigismember(&before, SIGXFSZ) == 0)
        (void)sigtimedwait(&limit, NULL, &no_time);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    errno = error;
    return written;
}

static enum sluice_error writer_flush(struct saved_writer *writer)
{
    size_t written = 0;

    while (written < writer->filled) {
        ssize_t size = write_unsignalled(writer->fd, writer->buffer + written, writer->filled - written);

        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return saved_fault_system(writer->what, "the file can't be written");
        written += (size_t)size;
    }
    writer->filled = 0;
    return SLUICE_OK;
}

static enum sluice_error writer_write(struct saved_writer *writer, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;

    if (size == 0)
        return SLUICE_OK;
    hash_sum_add(&writer->sum, bytes, size);
    writer->what->bytes += size;
    while (size > 0) {
        size_t room = SAVED_BUFFER_SIZE - writer->filled;
        size_t some = size < room ? size : room;

        memcpy(writer->buffer + writer->filled, from, some);
        writer->filled += some;
        from += some;
        size -= some;
        if (writer->filled == SAVED_BUFFER_SIZE && writer_flush(writer) != SLUICE_OK)
            return SLUICE_FILE;
    }
    return SLUICE_OK;
}

enum sluice_error saved_writer_init(struct saved_writer *writer, int fd, int64_t saved_ms, struct sluice_saved *what)
{
    unsigned char header[SAVED_HEADER_SIZE] = {0};

    writer->fd = fd;
    writer->what = what;
    writer->filled = 0;
    writer->buffer = malloc(SAVED_BUFFER_SIZE);
    if (writer->buffer == NULL)
        return SLUICE_NO_MEMORY;
    hash_sum_init(&writer->sum);
    memcpy(header, saved_magic, sizeof saved_magic);
    put_le(header + 8, SAVED_VERSION, 4);
    put_le(header + 16, (uint64_t)saved_ms, 8);
    return writer_write(writer, header, sizeof header);
}

/* A span as it may stand in the file. */
static uint64_t bounded(int64_t span_ms)
{
    if (span_ms > SAVED_SPAN_MS_MAX)
        return SAVED_FOR_EVER;
    return (uint64_t)(span_ms < -SAVED_SPAN_MS_MAX ? -SAVED_SPAN_MS_MAX : span_ms);
}

static uint64_t past(int64_t span_ms)
{
    return (uint64_t)(span_ms < SAVED_SPAN_MS_MAX ? span_ms : SAVED_SPAN_MS_MAX);
}

enum sluice_error saved_writer_add(struct saved_writer *writer, const struct saved_record *record,
                                   const struct sluice_value *value)
{
    size_t texts_size = (size_t)value->content_type_size + value->etag_size + value->tags_size;
    unsigned char head[SAVED_HEAD_SIZE] = {0};
    enum sluice_error error;

    must(record->key_size > 0 && record->key_size <= UINT16_MAX && record->heat < SAVED_HEATS && record->age_ms >= 0 &&
         record->idle_ms >= 0);
    put_le(head, SAVED_RECORD, 2);
    put_le(head + 2, record->key_size, 2);
    put_le(head + 4, value->size, 4);
    put_le(head + 8, value->content_type_size, 2);
    put_le(head + 10, value->etag_size, 2);
    put_le(head + 12, value->tags_size, 2);
    put_le(head + 14, record->heat, 2);
    put_le(head + 16, past(record->age_ms), 8);
    put_le(head + 24, bounded(record->fresh_ms), 8);
    put_le(head + 32, bounded(record->reload_ms), 8);
    put_le(head + 40, past(record->idle_ms), 8);
    put_le(head + 48, record->load_cost_ms, 4);

    error = writer_write(writer, head, sizeof head);
    if (error == SLUICE_OK)
        error = writer_write(writer, record->key, record->key_size);
    if (error == SLUICE_OK)
        error = writer_write(writer, value->bytes, value->size);
    if (error == SLUICE_OK)
        error = writer_write(writer, value->bytes + value->size + 1, texts_size);
    writer->what->entries += error == SLUICE_OK;
    return error;
}

enum sluice_error saved_writer_end(struct saved_writer *writer)
{
    unsigned char end[SAVED_HEAD_SIZE] = {0};
    enum sluice_error error;

    put_le(end, SAVED_END, 2);
    put_le(end + 16, writer->what->entries, 8);
    error = writer_write(writer, end, sizeof end - 8);
    if (error != SLUICE_OK)
        return error;
    put_le(end + sizeof end - 8, hash_sum_get(&writer->sum), 8);
    error = writer_write(writer, end + sizeof end - 8, 8);
    return error == SLUICE_OK ? writer_flush(writer) : error;
}

void saved_writer_fini(struct saved_writer *writer)
{
    free(writer->buffer);
}
