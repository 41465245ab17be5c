/* SPDX-License-Identifier: MIT */
/*
 * answer.h: reads one HTTP/1.1 answer as its bytes come in: Content-Length, chunked, or all until the peer closes.
 *
 * May be used by: tests/bench. An answer belongs to one connection; nothing is pipelined, so bytes after its end are an
 * error.
 */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum answer_progress { ANSWER_MORE, ANSWER_DONE, ANSWER_BROKEN };

enum answer_state {
    ANSWER_HEAD,
    ANSWER_BODY_SIZED,
    ANSWER_BODY_UNTIL_CLOSE,
    ANSWER_CHUNK_SIZE,
    ANSWER_CHUNK_EXTENSION,
    ANSWER_CHUNK_DATA,
    ANSWER_CHUNK_DATA_END,
    ANSWER_TRAILER,
    ANSWER_COMPLETE
};

/* All zero is an answer of which nothing has come yet. */
struct answer {
    enum answer_state state;
    int status;     /* from the head on */
    bool hash_body; /* the caller's wish */
    bool chunked;
    bool has_length;
    bool line_has_bytes; /* of a trailer line */
    uint64_t left;       /* bytes of the body, or of the chunk, still to come */
    uint64_t body_bytes; /* so far */
    uint64_t body_hash;  /* of them, where it was wished */
    char *held;          /* a head that came in pieces; owned */
    size_t held_size;
};

/* Takes the bytes that came in. After ANSWER_DONE or ANSWER_BROKEN only answer_reset() and answer_fini() are allowed.
 */
enum answer_progress answer_feed(struct answer *answer, const char *bytes, size_t size);

/* The peer has closed: the end of a body without a length, a fault anywhere else. */
enum answer_progress answer_end(struct answer *answer);

/* Makes it ready for the next answer on the same connection. */
void answer_reset(struct answer *answer);
void answer_fini(struct answer *answer);

#endif
