/* SPDX-License-Identifier: MIT */
/*
 * admin.h: the admin side: invalidation, views, metrics, probes. May be used by: main.c.
 *
 *   DELETE /{cache}/{key}, DELETE /{cache}?prefix=P, DELETE /{cache}   what went, as JSON
 *   GET /inflight, /stats, /metrics                                    JSON, JSON, Prometheus text
 *   GET /healthz, /readyz                                              probes; need no token
 *
 * A DELETE whose query is not exactly understood is refused: a slip of the pen must not clear a cache.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include <stdatomic.h>

#include "caches.h"
#include "guard.h"
#include "http.h"

struct admin {
    const struct caches *caches;
    struct guard guard;
    struct http_server *data_side; /* for their statistics; set before the admin side is started */
    struct http_server *admin_side;
    int64_t started_ms;   /* CLOCK_MONOTONIC */
    atomic_bool draining; /* not ready any more */
};

/* The handler of the admin side; `admin` must outlive the server. */
struct http_handler admin_handler(struct admin *admin);

#endif
