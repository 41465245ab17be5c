/* SPDX-License-Identifier: MIT */
/*
 * saved_file.h: the format of a saved cache, its writer and its reader. Knows values, and nothing of caches.
 *
 * All numbers are little-endian, on every machine; signed ones in two's complement. Version 1:
 *
 *   header, 24 bytes       0  8  89 "SLUICE" 0a
 *                          8  4  version
 *                         12  4  0
 *                         16  8  when it was saved: milliseconds since 1970
 *   record, 56 bytes       0  2  1
 *   and a body             2  2  key size, at least 1
 *                          4  4  value size, under 2^31
 *                          8  2  media type size with its NUL, at most 256; 0: none
 *                         10  2  entity tag size, likewise
 *                         12  2  size of all tags, each with its NUL
 *                         14  2  heat: 0 (the hottest) to 255
 *                         16  8  age: milliseconds since it was stored or renewed
 *                         24  8  until it is stale: milliseconds, under 0 if it is; 2^63 - 1: for ever
 *                         32  8  until it is to be loaded anew, likewise
 *                         40  8  milliseconds since it was last given to anybody, or stored
 *                         48  4  milliseconds that the load took which brought it; 0: none did
 *                         52  4  0
 *                         56     key, value, media type, entity tag, tags, in this order
 *   end, 56 bytes          0  2  2
 *                          2 14  0
 *                         16  8  number of records
 *                         24 24  0
 *                         48  8  XXH64 of all bytes before these 8
 *
 * Spans of time are at most 2^61 ms either way. Nothing follows the end.
 */
#ifndef CACHE_SAVED_FILE_H
#define CACHE_SAVED_FILE_H

#include "hash.h"
#include "value.h"

#include <sluice/cache.h>

#define SAVED_VERSION     1
#define SAVED_HEADER_SIZE 24
#define SAVED_HEAD_SIZE   56
#define SAVED_BUFFER_SIZE ((size_t)64 << 10)
#define SAVED_HEATS       256
#define SAVED_SPAN_MS_MAX (INT64_MAX / 4)
#define SAVED_FOR_EVER    INT64_MAX

enum saved_kind { SAVED_RECORD = 1, SAVED_END = 2 };

extern const unsigned char saved_magic[8];

/* One value with its key and times, which count from when the file was saved. */
struct saved_record {
    const void *key;
    size_t key_size;
    unsigned heat;
    int64_t age_ms;
    int64_t fresh_ms;  /* SAVED_FOR_EVER: does not expire */
    int64_t reload_ms; /* SAVED_FOR_EVER: not for that reason */
    int64_t idle_ms;
    uint32_t load_cost_ms;
};

/* ---- faults ------------------------------------------------------------------------------------------------------ */

/* Notes what is wrong, in words; returns SLUICE_FILE. */
enum sluice_error saved_fault(struct sluice_saved *what, enum sluice_saved_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Likewise, for a call that the system refused: "WORDS: why", by errno. */
enum sluice_error saved_fault_system(struct sluice_saved *what, const char *words);

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct saved_writer {
    int fd;
    struct sluice_saved *what; /* bytes and entries are counted there */
    struct hash_sum sum;
    size_t filled;
    unsigned char *buffer;
};

/* Begins a file with its header. Errors: SLUICE_NO_MEMORY, and then there is nothing to fini; SLUICE_FILE. */
enum sluice_error saved_writer_init(struct saved_writer *writer, int fd, int64_t saved_ms,
                                    struct sluice_saved *what) SLUICE_CHECK_RESULT;
enum sluice_error saved_writer_add(struct saved_writer *writer, const struct saved_record *record,
                                   const struct sluice_value *value) SLUICE_CHECK_RESULT;

/* Writes the end. Nothing is synced. */
enum sluice_error saved_writer_end(struct saved_writer *writer) SLUICE_CHECK_RESULT;
void saved_writer_fini(struct saved_writer *writer);

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct saved_reader {
    int fd;
    struct sluice_saved *what; /* bytes and faults are told there */
    uint64_t size;             /* of the file, as it was when the reading began */
    uint64_t offset;           /* up to which it has been handed out */
    uint64_t fetched;          /* up to which it has been read */
    uint64_t records;
    int64_t saved_ms;
    struct hash_sum sum;
    size_t taken, filled; /* of the buffer */
    unsigned char *buffer;
    unsigned char *body; /* of the record */
    size_t body_room;
    const char *tags[VALUE_TAGS_MAX];
};

/*
 * Reads the header of a regular file. Allocates no more than its buffer and, later on, a record's bytes, once the file
 * is known to be long enough to have them. Errors: SLUICE_FILE, SLUICE_NO_MEMORY; saved_reader_fini() is due either
 * way.
 */
enum sluice_error saved_reader_init(struct saved_reader *reader, int fd, struct sluice_saved *what) SLUICE_CHECK_RESULT;

/*
 * Reads the next record; what it says is borrowed until the next call. False in *more: there was none, and the whole
 * file is as it was written. Errors: likewise.
 */
enum sluice_error saved_reader_next(struct saved_reader *reader, struct saved_record *record,
                                    struct sluice_content *content, bool *more) SLUICE_CHECK_RESULT;
void saved_reader_fini(struct saved_reader *reader);

/* The record that was read last is not one: `words`. Returns SLUICE_FILE. */
enum sluice_error saved_reader_damaged(struct saved_reader *reader, const char *words);

#endif
