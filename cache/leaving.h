/* SPDX-License-Identifier: MIT */
/*
 * leaving.h: values that leave for size, and of which the listener's `evicting` is told before they are out of reach.
 *
 *   1. Under the lock the victim is marked: it leaves the eviction order, counts against the maximum no longer, and is
 *      given to gets as before (leaving_mark_locked).
 *   2. With no lock held the listener is told.
 *   3. Under the lock again the entry is looked for by its key. If it is there, the same one, and still leaving under
 *      the number it was marked with, it is taken out; else it has left meanwhile for another cause (leaving_run).
 *
 * Between the steps others may do with the entry what they like, also move it aside with its table. Its memory is held
 * so that the key stays readable and no other entry can pass for it: nothing is allocated. How many are leaving is
 * bounded by the calls under way.
 */
#ifndef CACHE_LEAVING_H
#define CACHE_LEAVING_H

#include "entry.h"
#include "lock.h"

struct shard;

#define LEAVING_MAX 8 /* of one call at once */

struct leaving {
    struct shard *shard;
    unsigned count;
    struct {
        struct entry *entry; /* held */
        struct sluice_value *value;
        uint32_t number;
    } victims[LEAVING_MAX];
};

static inline void leaving_init(struct leaving *leaving)
{
    leaving->count = 0;
}

static inline bool leaving_is_full(const struct leaving *leaving)
{
    return leaving->count == LEAVING_MAX;
}

/* Whether this thread tells `evicting` of what it evicts: there is one, and it is not what made this call. */
bool leaving_is_told(const struct sluice_cache *cache);

/* Marks a victim that has a value; there must be room for it. */
void leaving_mark_locked(struct shard *shard, struct entry *victim, struct leaving *leaving) HOLDS_SHARD;

/* Tells the listener of the victims and takes them out. */
void leaving_run(struct leaving *leaving) FREE_OF_SHARD;

#endif
