/* SPDX-License-Identifier: MIT */
/*
 * pressure.h: watchers of memory pressure, as the rest of the cache sees them: the place of a cache in one.
 *
 * One mutex for the process covers which caches are watched by whom and what the watchers have seen: a cache that is
 * destroyed looks for its watcher while that may be stopped. Under it only numbers are set; what is to be evicted is
 * evicted once it is released, by the watcher for one cache after the other, which is marked meanwhile.
 *
 *   pressure_policy   the share that is left after so many signs and so much rest: pure
 *   pressure_source   the files that tell of pressure
 *   cgroup            where the files of the program's own cgroup are
 *   pressure          the watchers
 */
#ifndef CACHE_PRESSURE_H
#define CACHE_PRESSURE_H

#include "lock.h"

#include <sluice/cache.h>
#include <sys/queue.h>

/* A cache's place among those that a watcher watches; of one that is not watched `by` and `shrinking` alone mean
 * anything. */
struct pressure_link {
    struct sluice_pressure *by; /* or NULL */
    TAILQ_ENTRY(sluice_cache) order;
    unsigned round;     /* the last one in which it has given; see pressure.c */
    unsigned shrinking; /* watchers that are at it, without the mutex: also one that has let it go meanwhile */
};

TAILQ_HEAD(pressure_list, sluice_cache);

static inline void pressure_link_init(struct pressure_link *link)
{
    link->by = NULL;
    link->shrinking = 0;
}

/* Sets the cache's share if it is not watched; false, and nothing is changed, if it is. *before_percent is the old one.
 */
bool pressure_set_unwatched(struct sluice_cache *cache, unsigned share_percent, unsigned *before_percent) FREE_OF_SHARD;

#endif
