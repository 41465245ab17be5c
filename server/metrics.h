/* SPDX-License-Identifier: MIT */
/*
 * metrics.h: counters and levels in Prometheus' text format (0.0.4). May be used by: admin.c.
 *
 * Names: sluice_<counter of SLUICE_STATS>[_total]{cache}, sluice_backend_*{cache,backend},
 * sluice_http_<counter of HTTP_STATS>[_total]{side}, sluice_http_answers_total{side,class}, sluice_build_info{version}.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "caches.h"
#include "http.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The text, for free(), and its size; NULL without memory. */
char *metrics_text(const struct caches *caches, struct http_server *data, struct http_server *admin, size_t *size);

#endif
