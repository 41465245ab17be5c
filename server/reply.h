/* SPDX-License-Identifier: MIT */
/*
 * reply.h: turns what a get came to into an HTTP answer. May be used by: routes.c.
 *
 * 200 and 304 carry Content-Type, ETag, Age, Cache-Control and Cache-Status; problems carry Cache-Status too.
 */
#ifndef SERVER_REPLY_H
#define SERVER_REPLY_H

#include <sluice/cache.h>

#include "caches.h"
#include "http.h"

/* Answers with the outcome, and empties it. `preferred` tells that a Prefer: wait was followed. Worker's thread. */
void reply_outcome(struct http_request *request, struct caches_entry *entry, struct sluice_outcome *outcome,
                   bool preferred);

#endif
