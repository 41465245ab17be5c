/* SPDX-License-Identifier: MIT */
/* views.h: what the admin side shows as JSON. May be used by: admin.c. Each returns NULL without memory. */
#ifndef SERVER_VIEWS_H
#define SERVER_VIEWS_H

#include <jansson.h>

#include "caches.h"
#include "http.h"

/* At most this many loads are shown; whether there are more is told. */
#define VIEWS_INFLIGHT_MAX 10000

/*
 * Every load in flight: {"loads": [{"cache", "key", "encoding", "age_ms", "waiters", "backend", "state"}, ...],
 * "truncated": false}. The encoding is "utf-8" for a key that stands there as it is, or "percent" (json_text.h).
 */
json_t *views_inflight(const struct caches *caches);

/* Counters and levels: {"version", "uptime_ms", "caches": {name: {...}}, "http": {side: {...}}}. */
json_t *views_stats(const struct caches *caches, struct http_server *data, struct http_server *admin,
                    int64_t uptime_ms);

#endif
