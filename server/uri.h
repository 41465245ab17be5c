/* SPDX-License-Identifier: MIT */
/*
 * uri.h: request targets: percent-decoding, the path /{cache}/{key}, queries.
 *
 * May be used by: the server's files. Strict: a `%` must be followed by two hex digits, and bytes that can't stand in a
 * target (controls, space, `#`) are refused; both say where. Bytes over 127 are taken as they are. `+` is a plus. Keys
 * are decoded once. Everything is decoded in place: what is returned points into the text that was given.
 */
#ifndef SERVER_URI_H
#define SERVER_URI_H

#include <stdbool.h>
#include <stddef.h>

/* What is wrong with a target, in words: names the byte and where it stands (counted from 0 in `text` as it came). */
struct uri_fault {
    char text[160];
};

struct uri_bytes {
    char *data; /* may hold NUL bytes; not terminated */
    size_t size;
};

/*
 * Decodes `size` bytes in place; returns the new size through `decoded_size`. `offset` is where the text stands in the
 * target, for the fault.
 */
bool uri_decode(char *text, size_t size, size_t offset, size_t *decoded_size, struct uri_fault *fault);

enum uri_path_shape {
    URI_PATH_OTHER, /* does not begin with a slash, or holds nothing after it */
    URI_PATH_CACHE, /* /{cache} */
    URI_PATH_KEY    /* /{cache}/{key}; the key may be empty */
};

struct uri_path {
    enum uri_path_shape shape;
    struct uri_bytes cache;
    struct uri_bytes key; /* the rest after the second slash, decoded */
};

/* Takes a path apart and decodes its parts. On false `fault` says what is wrong. */
bool uri_path_parse(char *path, struct uri_path *parsed, struct uri_fault *fault);

/* One name=value of a query, decoded. A name without `=` has has_value false and an empty value. */
struct uri_parameter {
    struct uri_bytes name;
    struct uri_bytes value;
    bool has_value;
};

/*
 * Takes the next parameter off `*rest`, which moves on and is NULL after the last one. `offset` of faults counts from
 * `query`, the beginning. Call while *rest is not NULL.
 */
bool uri_query_next(const char *query, char **rest, struct uri_parameter *parameter, struct uri_fault *fault);

/* Whether the bytes are exactly that word. */
bool uri_bytes_equal(struct uri_bytes bytes, const char *word);

#endif
