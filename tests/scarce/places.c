/* SPDX-License-Identifier: MIT */
/*
 * places.c: whether a cache in which nothing goes on has all its places back (see scarce.h).
 *
 * What bounds loads, waiters and size is counted apart from the statistics, so that a place that a refused call did not
 * give back shows in no public number; this file alone looks at the private ones.
 */
#include "scarce.h"

#include "core.h"

#include <stdio.h>

/* What the entries of a shard count against the maximum. */
static uint64_t shard_used(struct shard *shard)
{
    struct table_walk walk = TABLE_WALK_INIT;
    const struct entry *entry;
    uint64_t used = 0;
    lock_acquire(&shard->lock);
    while ((entry = table_walk_next(&shard->locked.table, &walk)) != NULL)
        if (entry->ready)
            used += core_cost(shard->cache, entry_weight(entry));
    lock_release(&shard->lock);
    return used;
}

bool scarce_places_are_back(struct sluice_cache *cache, bool say)
{
    size_t loads = atomic_load(&cache->loads);
    size_t waiters = atomic_load(&cache->waiters);
    uint64_t used = atomic_load(&cache->used);
    uint64_t entries = 0;

    for (unsigned i = 0; i < cache->shards_count; i++)
        entries += shard_used(&cache->shards[i]);
    bool back = loads == 0 && waiters == 0 && used == entries;
    if (!back && say)
        fprintf(stderr,
                "scarce: places are not given back: %zu of loads, %zu of waiters; %ju are used, the "
                "entries are %ju\n",
                loads, waiters, (uintmax_t)used, (uintmax_t)entries);
    return back;
}
