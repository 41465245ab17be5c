/* SPDX-License-Identifier: MIT */
/*
 * after.h: what was found under a shard's lock and must be done once it is released: tell waiters, loaders and the
 * listener of removals, free memory, wake the timer thread, make room in other shards. One lives on the stack of each
 * call that takes a lock.
 */
#ifndef CACHE_AFTER_H
#define CACHE_AFTER_H

#include "clock.h"
#include "entry.h"
#include "leaving.h"
#include "lock.h"
#include "waiter.h"

struct shard;

TAILQ_HEAD(unwanted_list, sluice_load);

struct after {
    struct waiter_queue released;  /* in the order in which they are to be told (rule 21) */
    struct unwanted_list unwanted; /* loads whose loader is to be told; a reference each */
    struct entry_list records;     /* of what has left: in no table any more */
    struct sluice_load *led;       /* a flight that waits for this thread to have it loaded, or NULL; its caller's */
    struct leaving leaving;        /* what `evicting` is to be told of before it leaves */
    struct sluice_value *value;    /* one that has left and needs no record, or NULL */
    int64_t due_ms;                /* the earliest deadline that was set; CLOCK_FAR: none */
    const struct shard *over_full; /* a shard that could not make room for all that it stored; or NULL */
    uint64_t over_full_by;         /* how much is still to be freed for that */
};

void after_init(struct after *after);

/* Whether anything is to be done that a hit can come by: it stores nothing, releases nobody, and evicts nothing. */
static inline bool after_hit_has_work(const struct after *after) LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
    return !TAILQ_EMPTY(&after->records) || !TAILQ_EMPTY(&after->unwanted) || after->due_ms != CLOCK_FAR;
}

/* Does it all, for a call that had to do with this shard of this cache. */
void after_run(struct after *after, struct sluice_cache *cache) FREE_OF_SHARD;

#endif
