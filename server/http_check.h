/* SPDX-License-Identifier: MIT */
/*
 * http_check.h: what the headers of a request say of the request itself, and which requests are refused before any
 * handler sees them (RFC 9110, RFC 9112). May be used by: http.c. Knows nothing of sockets or libraries.
 *
 * The library that parses (libmicrohttpd 0.9.75) is lenient: of several Content-Lengths it takes the first,
 * Transfer-Encoding beats both, any bytes can be a name, a NUL byte hides what follows in its line, and of a folded
 * header the continuation is added to the name, so that nobody finds it any more. Each of these can make two servers
 * disagree about where a request ends, so each is refused here.
 */
#ifndef SERVER_HTTP_CHECK_H
#define SERVER_HTTP_CHECK_H

#include "http.h"

/* The headers that somebody looks at, the first of each kind; zero at first. Values are borrowed. */
struct http_check {
    const char *fields[HTTP_FIELDS_COUNT];
    enum http_refusal refusal;
};

/* Which of the headers this is; HTTP_FIELDS_COUNT: none that somebody looks at. */
enum http_field http_check_field(const char *name, size_t name_size);

enum http_method http_check_method(const char *name);

/*
 * Takes in the next header, in their order. False: the refusal is set, and the others need not be looked at. `value`
 * may be NULL for an empty one, and must otherwise live as long as the check.
 */
bool http_check_add(struct http_check *check, const char *name, size_t name_size, const char *value, size_t value_size);

/*
 * The parser cuts strings at a NUL byte, and what stands behind it is lost to it, but lies in the bytes that came.
 * Whether `next` lies right behind `end`, the end of a line's last string, with nothing but the line's own end in
 * between: one or two bytes for each of `lines` lines.
 */
bool http_check_adjoins(const char *end, const char *next, size_t lines);

/* Whether a request line is whole: method, target of that size and version one behind the other. */
bool http_check_line(const char *method, const char *target, size_t target_size, const char *version);

/* The bytes of body that Content-Length announces. */
uint64_t http_check_body_size(const struct http_check *check);

struct http_check_limits {
    size_t header_size;     /* bytes of request line and headers, as they came */
    size_t header_size_max; /* and their limit */
    size_t body_size_max;   /* of a body that has no place: up to here it is HTTP_REFUSAL_BODY */
};

/* All headers are there: sets the refusal, unless there is one already. */
void http_check_end(struct http_check *check, enum http_method method, const char *version,
                    const struct http_check_limits *limits);

#endif
