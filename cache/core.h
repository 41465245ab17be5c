/* SPDX-License-Identifier: MIT */
/*
 * core.h: the cache as its own files see it: options, shards, what is counted over all shards, and its life.
 *
 * Life: the owner holds one reference from create to destroy, each load in flight holds one, so that a load may be
 * ended after the cache was destroyed (rule 18). The last one frees it.
 */
#ifndef CACHE_CORE_H
#define CACHE_CORE_H

#include "background.h"
#include "batch.h"
#include "clock.h"
#include "pressure.h"
#include "shard.h"
#include "ticker.h"

#include <sluice/cache.h>
#include <stdatomic.h>

/* How late expired entries may give their memory back, so that the timer thread wakes for many at once. */
#define CORE_EXPIRY_SLACK_MS 100

struct sluice_cache {
    /* Read by every call, written by none once it is made. */
    struct sluice_options options;
    uint64_t seed;
    _Atomic uint64_t used_max;      /* in entries or by weight, as the options bound it; written by set_maximum */
    _Atomic unsigned share_percent; /* of used_max, that is kept to; written by set_share and by a watcher */
    unsigned shards_count;
    unsigned shard_shift; /* hash >> shard_shift is the shard's number, where there are several */
    struct shard *shards;

    /* Written by misses and changes: on lines of their own. */
    _Alignas(64) _Atomic uint64_t used; /* what counts against used_max */
    _Atomic size_t loads;               /* against loads_max */
    _Atomic size_t waiters;             /* against waiters_max */
    _Atomic size_t waiters_most;        /* that ever were */
    _Atomic uint64_t shrinks, shrunk;   /* as counted by sluice_stats */
    _Atomic uint32_t refs;

    _Alignas(64) struct ticker ticker;
    struct background background;
    struct batch batch;
    struct pressure_link pressure;
};

static inline struct shard *core_shard(const struct sluice_cache *cache, uint64_t hash)
{
    return &cache->shards[cache->shards_count == 1 ? 0 : hash >> cache->shard_shift];
}

static inline struct sluice_cache *core_ref(struct sluice_cache *cache)
{
    atomic_fetch_add_explicit(&cache->refs, 1, memory_order_relaxed);
    return cache;
}

void core_unref(struct sluice_cache *cache) FREE_OF_SHARD;

/* One more of something that is bounded; false, and not taken, if that would be over the bound. */
bool core_take(_Atomic size_t *count, size_t max);

/* One more waiter. */
bool core_take_waiter(struct sluice_cache *cache);

static inline void core_give_back(_Atomic size_t *count)
{
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
}

/*
 * Runs what is due by now in every shard. Returns when to come again: CLOCK_FAR for never. Expired entries count as due
 * slack_ms after their time in that answer, but whatever is due now is done.
 */
int64_t core_tick(struct sluice_cache *cache, int64_t slack_ms) FREE_OF_SHARD;

/* What an entry of this weight counts against the maximum: one, or the weight. */
static inline uint64_t core_cost(const struct sluice_cache *cache, uint64_t weight)
{
    return cache->options.maximum_entries > 0 ? 1 : weight;
}

/* So many percent of the maximum; 1 at the least, but for 0 percent. */
uint64_t core_share(const struct sluice_cache *cache, unsigned percent);

/* What the cache keeps to: its maximum, or the share of it that is set. */
static inline uint64_t core_limit(const struct sluice_cache *cache)
{
    return core_share(cache, atomic_load_explicit(&cache->share_percent, memory_order_relaxed));
}

/* Whether something of this weight is more than all that is kept to by now. */
static inline bool core_outweighs(const struct sluice_cache *cache, uint64_t weight)
{
    return core_cost(cache, weight) > core_limit(cache);
}

static inline bool core_is_over(const struct sluice_cache *cache, uint64_t limit)
{
    return atomic_load_explicit(&cache->used, memory_order_relaxed) > limit;
}

/*
 * Evicts until the cache is within its limit, `goal` has been freed, or nothing is left to evict. In batches: one of
 * each shard in turn, so that no shard is held for long, and the loss is shared. Begins at the shard behind `behind`:
 * were it always the same one that gives, that one's keys would never stay.
 */
void core_make_room(struct sluice_cache *cache, const struct shard *behind, uint64_t goal) FREE_OF_SHARD;

/* A share was set: makes room for it, adds to `shrunk` what was chosen to go, and counts. */
void core_shrink(struct sluice_cache *cache, struct sluice_shrunk *shrunk) FREE_OF_SHARD;

#endif
