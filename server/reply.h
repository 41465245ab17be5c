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

/* What was asked. The key may hold any bytes but NUL, and is borrowed until the answer. */
struct reply_asked {
    struct caches_entry *entry;
    const char *key;
    size_t key_size;
    bool preferred; /* a Prefer: wait is followed */
    bool tells_why; /* the answer to a failed load says what the backend said */
};

/* Answers with the outcome, and empties it. Worker's thread. */
void reply_outcome(struct http_request *request, const struct reply_asked *asked, struct sluice_outcome *outcome);

#endif
