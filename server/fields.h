/* SPDX-License-Identifier: MIT */
/*
 * fields.h: what the request headers that steer a get say. May be used by: routes.c, reply.c, tests.
 */
#ifndef SERVER_FIELDS_H
#define SERVER_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether an If-None-Match header matches an entity tag: `*`, or a list that holds it, by weak comparison (RFC 9110,
 * 13.1.2 and 8.8.3.2). What is not well-formed matches nothing. `etag` has its quotes.
 */
bool fields_etag_matches(const char *if_none_match, const char *etag);

/* Whether a Cache-Control header holds that directive, in any case and with or without an argument. */
bool fields_has_directive(const char *cache_control, const char *directive);

/*
 * The seconds of `wait=N` in a Prefer header (RFC 7240), or -1: none, or not a number of seconds, which that document
 * has ignored. The first one counts. At most INT32_MAX.
 */
int64_t fields_prefer_wait_s(const char *prefer);

#endif
