/* SPDX-License-Identifier: MIT */
/*
 * answer.h: an HTTP/1.x answer, taken apart strictly, so that a test sees what really came: what is not well-formed
 * fails the test. May be used by: the tests of the server.
 */
#ifndef TESTS_SERVER_ANSWER_H
#define TESTS_SERVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_FIELDS_MAX 32

/* What was asked: an answer to HEAD has no body, whatever its headers say. */
enum answer_to { ANSWER_TO_GET, ANSWER_TO_HEAD };

struct answer_field {
    const char *name;
    const char *value;
};

/* A whole answer. Zero is an empty one. */
struct answer {
    int status;
    int version; /* 11: HTTP/1.1 */
    size_t fields_count;
    struct answer_field fields[ANSWER_FIELDS_MAX];
    char *head; /* what the fields point into */
    char *body; /* a NUL stands past its end */
    size_t body_size;
};

/*
 * Takes the answer at the beginning of `bytes` apart, if it is all there: `ended` says that no more will come. True:
 * `*answer` is set and the caller's, and `*used` is the size of the answer. False: more is needed.
 */
bool answer_parse(const char *bytes, size_t size, bool ended, enum answer_to to, struct answer *answer, size_t *used);

/* Frees what it holds and empties it. */
void answer_fini(struct answer *answer);

/* The value of the only header of that name; NULL: there is none. More than one fail the test. */
const char *answer_field(const struct answer *answer, const char *name);

#endif
