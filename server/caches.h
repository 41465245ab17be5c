/* SPDX-License-Identifier: MIT */
/*
 * caches.h: the caches that the configuration names, each with its backend.
 * May be used by: the server's files. Made and freed by main.c; in between nothing changes, so any thread may look.
 */
#ifndef SERVER_CACHES_H
#define SERVER_CACHES_H

#include <sluice/cache.h>

#include "config.h"
#include "loader/backend.h"
#include "pace.h"

struct caches_entry {
    const char *name;
    size_t name_size;
    struct sluice_cache *cache;
    struct backend backend;
    int64_t wait_timeout_ms; /* of a request that names none, and the longest that one may name */
    size_t key_size_max;     /* these two in bytes, to be told to those who exceed them */
    size_t value_size_max;
    struct pace failure_pace; /* of log lines about failed requests */
};

struct caches {
    struct caches_entry *entries;
    size_t count;
};

/* What went wrong: names the cache. */
struct caches_fault {
    char text[640];
};

/* Makes all backends and caches. On false none is left, and `fault` says which failed and why. */
bool caches_create(const struct config *config, struct caches *caches, struct caches_fault *fault);

/*
 * Makes each backend and cache and drops it again; tells `tell` of each that can't be made, with a text as in struct
 * caches_fault.
 */
void caches_check(const struct config *config, void (*tell)(void *arg, const char *fault), void *arg);

/* The cache of that name, or NULL. */
struct caches_entry *caches_find(const struct caches *caches, const void *name, size_t name_size);

/* Closes all caches: whoever is parked gets SLUICE_CLOSED, on this thread. */
void caches_close(struct caches *caches);

/* Closes all caches, ends all loads and frees everything. */
void caches_destroy(struct caches *caches);

#endif
