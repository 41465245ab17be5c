/* SPDX-License-Identifier: MIT */
/* room.c: what the cache keeps to, its maximum or a share of it, and evicting over all shards until it does. */
#include "core.h"

uint64_t core_share(const struct sluice_cache *cache, unsigned percent)
{
    uint64_t maximum = atomic_load_explicit(&cache->used_max, memory_order_relaxed);
    uint64_t share;

    if (percent == 100)
        return maximum;
    share = maximum / 100 * percent + maximum % 100 * percent / 100; /* the plain product may run over */
    return share > 0 || percent == 0 ? share : 1;
}

/* One batch of evictions in a shard. */
static struct eviction_batch evict_in_shard(struct shard *shard, uint64_t limit, uint64_t goal) FREE_OF_SHARD;
static struct eviction_batch evict_in_shard(struct shard *shard, uint64_t limit, uint64_t goal)
{
    struct eviction_batch batch;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    batch = shard_evict_locked(shard, limit, goal, &after);
    lock_release(&shard->lock);
    after_run(&after, shard->cache);
    return batch;
}

/*
 * As core_make_room(), to this share of the maximum or, if that is lower, to the one that is set. Both are read anew
 * for each batch: they may change meanwhile. Adds to `chosen` what is to go.
 */
static void evict_to_share(struct sluice_cache *cache, unsigned share_percent, const struct shard *behind,
                           uint64_t goal, struct sluice_shrunk *chosen) FREE_OF_SHARD;
static void evict_to_share(struct sluice_cache *cache, unsigned share_percent, const struct shard *behind,
                           uint64_t goal, struct sluice_shrunk *chosen)
{
    size_t number = (size_t)(behind - cache->shards);
    unsigned dry = 0; /* shards in a row that had nothing to give */
    uint64_t freed = 0;

    while (freed < goal && dry < cache->shards_count) {
        uint64_t limit = core_limit(cache), share = core_share(cache, share_percent);
        struct eviction_batch batch;

        if (share < limit)
            limit = share;
        if (!core_is_over(cache, limit))
            break;
        number = (number + 1) % cache->shards_count;
        batch = evict_in_shard(&cache->shards[number], limit, goal - freed);
        freed += batch.freed;
        chosen->entries += batch.chosen.entries;
        chosen->weight += batch.chosen.weight;
        dry = batch.dry ? dry + 1 : 0;
    }
}

void core_make_room(struct sluice_cache *cache, const struct shard *behind, uint64_t goal)
{
    struct sluice_shrunk chosen = {0, 0};

    evict_to_share(cache, 100, behind, goal, &chosen);
}

/* ---- the maximum ------------------------------------------------------------------------------------------------- */

uint64_t sluice_cache_maximum(const struct sluice_cache *cache)
{
    return atomic_load_explicit(&cache->used_max, memory_order_relaxed);
}

enum sluice_error sluice_cache_set_maximum(struct sluice_cache *cache, uint64_t maximum)
{
    if (maximum == 0 || (cache->options.maximum_entries == 0 && maximum > SLUICE_WEIGHT_MAX))
        return SLUICE_INVALID;
    atomic_store_explicit(&cache->used_max, maximum, memory_order_relaxed);
    core_make_room(cache, cache->shards, UINT64_MAX);
    return SLUICE_OK;
}

/* ---- a share of it ----------------------------------------------------------------------------------------------- */

/* As evict_to_share(), counted. */
static void shrink_to_share(struct sluice_cache *cache, unsigned share_percent, uint64_t goal,
                            struct sluice_shrunk *shrunk) FREE_OF_SHARD;
static void shrink_to_share(struct sluice_cache *cache, unsigned share_percent, uint64_t goal,
                            struct sluice_shrunk *shrunk)
{
    struct sluice_shrunk chosen = {0, 0};

    evict_to_share(cache, share_percent, cache->shards, goal, &chosen);
    atomic_fetch_add_explicit(&cache->shrinks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cache->shrunk, chosen.entries, memory_order_relaxed);
    shrunk->entries += chosen.entries;
    shrunk->weight += chosen.weight;
}

void core_shrink(struct sluice_cache *cache, struct sluice_shrunk *shrunk)
{
    shrink_to_share(cache, 100, UINT64_MAX, shrunk);
}

enum sluice_error sluice_cache_shrink(struct sluice_cache *cache, unsigned share_percent, struct sluice_shrunk *shrunk)
{
    struct sluice_shrunk chosen = {0, 0};
    uint64_t used, share;

    if (share_percent > 100)
        return SLUICE_INVALID;
    /* No more than is over by now: whatever is stored meanwhile would else be evicted for as long as it comes. */
    used = atomic_load_explicit(&cache->used, memory_order_relaxed);
    share = core_share(cache, share_percent);
    shrink_to_share(cache, share_percent, used > share ? used - share : 0, &chosen);
    if (shrunk != NULL)
        *shrunk = chosen;
    return SLUICE_OK;
}

unsigned sluice_cache_share(const struct sluice_cache *cache)
{
    return atomic_load_explicit(&cache->share_percent, memory_order_relaxed);
}

enum sluice_error sluice_cache_set_share(struct sluice_cache *cache, unsigned share_percent,
                                         struct sluice_shrunk *shrunk)
{
    struct sluice_shrunk chosen = {0, 0};
    unsigned before_percent;

    if (share_percent == 0 || share_percent > 100 || !pressure_set_unwatched(cache, share_percent, &before_percent))
        return SLUICE_INVALID;
    if (share_percent < 100 && share_percent <= before_percent)
        core_shrink(cache, &chosen);
    if (shrunk != NULL)
        *shrunk = chosen;
    return SLUICE_OK;
}
