/* SPDX-License-Identifier: MIT */
/* cache.c: the life of a cache, its timers, and what is bounded over all shards. */
#include "core.h"
#include "flight.h"
#include "hash.h"
#include "sweep.h"

#include <stdlib.h>
#include <unistd.h>

#define WEIGHT_DEFAULT    ((uint64_t)64 << 20)
#define SHARDS_CHOSEN_MAX 64u
#define SHARD_ENTRIES_MIN 512 /* fewer in a shard, and the eviction order of one says little about the whole */
#define SHARD_WEIGHT_MIN  ((uint64_t)512 << 10)
#define TICK_BATCH        32 /* entries and timers looked at before the lock is released once: some 20 us */

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* Enough shards for the processors not to meet often, few enough for each to hold a fair sample of the entries. */
static unsigned choose_shards(const struct sluice_options *options, uint64_t used_max)
{
    uint64_t least = options->maximum_entries > 0 ? SHARD_ENTRIES_MIN : SHARD_WEIGHT_MIN;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned shards = 1;

    if (options->shards > 0)
        return options->shards;
    while (shards < SHARDS_CHOSEN_MAX && (long)shards < 8 * processors && used_max / (2 * shards) >= least)
        shards *= 2;
    return shards;
}

static void core_init(struct sluice_cache *cache, const struct sluice_options *options)
{
    uint64_t used_max = options->maximum_entries;

    if (used_max == 0)
        used_max = options->maximum_weight > 0 ? options->maximum_weight : WEIGHT_DEFAULT;
    cache->options = *options;
    cache->seed = hash_seed();
    cache->shards_count = choose_shards(options, used_max);
    cache->shard_shift = 64 - (unsigned)__builtin_ctz(cache->shards_count);
    atomic_init(&cache->used_max, used_max);
    atomic_init(&cache->share_percent, 100);
    pressure_link_init(&cache->pressure);
    atomic_init(&cache->used, 0);
    atomic_init(&cache->loads, 0);
    atomic_init(&cache->waiters, 0);
    atomic_init(&cache->waiters_most, 0);
    atomic_init(&cache->shrinks, 0);
    atomic_init(&cache->shrunk, 0);
    atomic_init(&cache->refs, 1);
}

static void core_free_shards(struct sluice_cache *cache)
{
    for (unsigned i = 0; i < cache->shards_count; i++)
        shard_fini(&cache->shards[i]);
    free(cache->shards);
}

enum sluice_error sluice_cache_create(const struct sluice_options *options, struct sluice_cache **cache)
{
    enum sluice_error error = SLUICE_NO_MEMORY;
    struct sluice_cache *created;

    if (sluice_options_fault(options) != NULL)
        return SLUICE_INVALID;
    created = aligned_alloc(_Alignof(struct sluice_cache), sizeof *created);
    if (created == NULL)
        return SLUICE_NO_MEMORY;
    core_init(created, options);
    created->shards = aligned_alloc(_Alignof(struct shard), created->shards_count * sizeof *created->shards);
    if (created->shards == NULL)
        goto no_shards;
    for (unsigned i = 0; i < created->shards_count; i++)
        shard_init(&created->shards[i], created, clock_now_ms(&created->options.clock));
    background_init(&created->background, &created->options);
    batch_init(&created->batch);
    error = ticker_start(&created->ticker, created, options->clock.now_ms == NULL);
    if (error != SLUICE_OK)
        goto no_ticker;
    *cache = created;
    return SLUICE_OK;

no_ticker:
    batch_fini(&created->batch);
    background_fini(&created->background);
    core_free_shards(created);
no_shards:
    free(created);
    return error;
}

void core_unref(struct sluice_cache *cache)
{
    uint32_t before = atomic_fetch_sub_explicit(&cache->refs, 1, memory_order_acq_rel);

    must(before > 0);
    if (before == 1) {
        ticker_fini(&cache->ticker);
        batch_fini(&cache->batch);
        background_fini(&cache->background);
        core_free_shards(cache);
        free(cache);
    }
}

static void close_shard(struct shard *shard) FREE_OF_SHARD;
static void close_shard(struct shard *shard)
{
    struct sluice_load *flight;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    shard->locked.closed = true;
    TAILQ_FOREACH(flight, &shard->locked.flights, locked.link)
    {
        if (flight->locked.state != SLUICE_FLIGHT_OVER)
            flight_abort_locked(flight, &after);
    }
    lock_release(&shard->lock);
    after_run(&after, shard->cache);
}

void sluice_cache_close(struct sluice_cache *cache)
{
    for (unsigned i = 0; i < cache->shards_count; i++)
        close_shard(&cache->shards[i]);
}

void sluice_cache_destroy(struct sluice_cache *cache)
{
    if (cache == NULL)
        return;
    sluice_pressure_unwatch(cache);
    sluice_cache_close(cache);
    ticker_stop(&cache->ticker);
    background_stop(&cache->background);
    batch_stop(cache); /* drops what waits there, since the cache is closed */
    /* The last load in flight may be long in coming: what is stored does not wait for it. */
    sluice_invalidate_all(cache, NULL);
    (void)core_tick(cache, 0);
    core_unref(cache);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void expire_entries_locked(struct shard *shard, unsigned *budget, struct after *after) HOLDS_SHARD;
static void expire_entries_locked(struct shard *shard, unsigned *budget, struct after *after)
{
    struct timer *timer;

    while ((timer = wheel_pop(&shard->locked.expiries, budget)) != NULL) {
        (void)shard_expire_locked(shard, shard_entry_of_timer(timer), after);
    }
}

static void expire_deadlines_locked(struct shard *shard, unsigned *budget, struct after *after) HOLDS_SHARD;
static void expire_deadlines_locked(struct shard *shard, unsigned *budget, struct after *after)
{
    int64_t now_ms = shard->locked.deadlines.now_ms; /* it may have been turned further than this call's clock */
    struct timer *timer;

    while ((timer = wheel_pop(&shard->locked.deadlines, budget)) != NULL) {
        struct deadline *deadline = (struct deadline *)((char *)timer - offsetof(struct deadline, timer));

        if (deadline->of_load) {
            flight_expire_locked(flight_of_deadline(deadline), now_ms, after);
        } else {
            struct sluice_wait *waiter = waiter_of_deadline(deadline);

            if (flight_ring_locked(waiter->flight, waiter, now_ms, after))
                TAILQ_INSERT_TAIL(&after->released, waiter, locked.link);
        }
    }
}

/* When the shard has work next. A batch that used up its budget left some: that is now. */
static int64_t shard_next_ms_locked(struct shard *shard, int64_t slack_ms) HOLDS_SHARD;
static int64_t shard_next_ms_locked(struct shard *shard, int64_t slack_ms)
{
    int64_t deadline_ms = wheel_next_ms(&shard->locked.deadlines);
    int64_t expiry_ms = wheel_next_ms(&shard->locked.expiries);

    if (expiry_ms != CLOCK_FAR)
        expiry_ms = clock_after_ms(expiry_ms, slack_ms);
    return deadline_ms < expiry_ms ? deadline_ms : expiry_ms;
}

/* One batch of what invalidations of all moved aside. True: there is more of it. */
static bool bury_cleared(struct shard *shard) FREE_OF_SHARD;
static bool bury_cleared(struct shard *shard)
{
    struct table_aside *aside;
    bool left, more;

    lock_acquire(&shard->lock);
    aside = shard_take_cleared_locked(shard);
    lock_release(&shard->lock);
    if (aside == NULL)
        return false;
    left = shard_bury_some(&aside->table, TICK_BATCH, &shard->cache->options.listener);
    lock_acquire(&shard->lock);
    if (left)
        shard_give_cleared_locked(shard, aside);
    more = !STAILQ_EMPTY(&shard->locked.cleared);
    lock_release(&shard->lock);
    return more;
}

/* One batch of what is due in a shard. True: there may be more of it. */
static bool tick_shard(struct shard *shard, int64_t now_ms, int64_t slack_ms, int64_t *next_ms) FREE_OF_SHARD;
static bool tick_shard(struct shard *shard, int64_t now_ms, int64_t slack_ms, int64_t *next_ms)
{
    unsigned budget = TICK_BATCH;
    struct after after;
    bool more;

    after_init(&after);
    lock_acquire(&shard->lock);
    wheel_turn(&shard->locked.deadlines, now_ms);
    wheel_turn(&shard->locked.expiries, now_ms);
    expire_deadlines_locked(shard, &budget, &after);
    more = sweep_some_locked(shard, &budget, &after); /* which may leave something to expire */
    expire_entries_locked(shard, &budget, &after);
    more = more || budget == 0;
    *next_ms = shard_next_ms_locked(shard, slack_ms);
    lock_release(&shard->lock);

    after_run(&after, shard->cache);
    return bury_cleared(shard) || more;
}

/* One batch of what is due in each shard, so that what is due in one does not wait for all of another. */
static bool tick_round(struct sluice_cache *cache, int64_t now_ms, int64_t slack_ms, int64_t *next_ms) FREE_OF_SHARD;
static bool tick_round(struct sluice_cache *cache, int64_t now_ms, int64_t slack_ms, int64_t *next_ms)
{
    bool more = false;

    *next_ms = CLOCK_FAR;
    for (unsigned i = 0; i < cache->shards_count; i++) {
        int64_t shard_ms;

        if (tick_shard(&cache->shards[i], now_ms, slack_ms, &shard_ms))
            more = true;
        if (shard_ms < *next_ms)
            *next_ms = shard_ms;
    }
    return more;
}

int64_t core_tick(struct sluice_cache *cache, int64_t slack_ms)
{
    int64_t next_ms, batch_ms;
    bool more;

    /* Much to do takes many rounds: what becomes due meanwhile must not wait for the last of them. */
    do {
        int64_t now_ms = clock_now_ms(&cache->options.clock);

        more = tick_round(cache, now_ms, slack_ms, &next_ms);
        batch_ms = batch_tick(cache, now_ms);
    } while (more);
    return batch_ms < next_ms ? batch_ms : next_ms;
}

int64_t sluice_cache_tick(struct sluice_cache *cache)
{
    int64_t next_ms = core_tick(cache, 0);

    return clock_left_ms(clock_now_ms(&cache->options.clock), next_ms);
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

bool core_take(_Atomic size_t *count, size_t max)
{
    if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < max)
        return true;
    core_give_back(count);
    return false;
}

bool core_take_waiter(struct sluice_cache *cache)
{
    size_t count, most;

    if (!core_take(&cache->waiters, cache->options.waiters_max))
        return false;
    count = atomic_load_explicit(&cache->waiters, memory_order_relaxed);
    most = atomic_load_explicit(&cache->waiters_most, memory_order_relaxed);
    while (count > most && !atomic_compare_exchange_weak_explicit(&cache->waiters_most, &most, count,
                                                                  memory_order_relaxed, memory_order_relaxed))
        ;
    return true;
}
