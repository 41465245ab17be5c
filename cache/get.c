/* SPDX-License-Identifier: MIT */
/* get.c: see get.h. */
#include "get.h"

#include "hash.h"

enum sluice_error get_reject(struct sluice_cache *cache, enum sluice_error error, struct sluice_outcome *outcome)
{
    struct shard *shard = &cache->shards[0];

    lock_acquire(&shard->lock);
    shard->locked.counters.misses++;
    shard->locked.counters.refused++;
    lock_release(&shard->lock);
    return get_refuse(error, outcome);
}

enum sluice_error get_refuse(enum sluice_error error, struct sluice_outcome *outcome)
{
    static const struct sluice_outcome empty = SLUICE_OUTCOME_INIT;

    *outcome = empty;
    return outcome->error = error;
}

enum sluice_error get_init(struct get *get, struct sluice_cache *cache, const void *key, size_t key_size,
                           const struct sluice_loader *loader, int64_t timeout_ms)
{
    if (key_size == 0 || key_size > cache->options.key_size_max)
        return SLUICE_KEY_SIZE;
    get->cache = cache;
    get->plan.key = key;
    get->plan.key_size = key_size;
    get->plan.hash = hash_key(cache->seed, key, key_size);
    get->plan.now_ms = clock_now_ms(&cache->options.clock);
    get->plan.loader = loader != NULL ? loader : &cache->options.loader;
    get->plan.background = false;
    get->shard = core_shard(cache, get->plan.hash);
    get->timeout_ms = timeout_ms;
    get->led = get->refresh = NULL;
    after_init(&get->after);
    return SLUICE_OK;
}

/* ---- a hit ------------------------------------------------------------------------------------------------------- */

/* Has a stored answer loaded anew, by the cache's own loader, if it can be: else the next get will (rule 11). */
static void get_refresh_locked(struct get *get, struct entry *entry) HOLDS_SHARD;
static void get_refresh_locked(struct get *get, struct entry *entry)
{
    struct flight_plan plan = get->plan;

    plan.loader = &get->cache->options.loader;
    plan.background = true;
    if (flight_lead_locked(get->shard, entry, &plan, &get->refresh, &get->after) == SLUICE_OK)
        get->shard->locked.counters.refreshes++;
}

bool get_look_locked(struct get *get, struct entry **entry, struct sluice_outcome *outcome)
{
    struct shard *shard = get->shard;
    int64_t now_ms = get->plan.now_ms;
    enum worth worth;

    *entry = NULL;
    if (shard->locked.closed)
        return false;
    worth = shard_find_locked(shard, get->plan.key, get->plan.key_size, get->plan.hash, now_ms, entry, &get->after);
    if (worth != WORTH_FRESH && worth != WORTH_STALE)
        return false;
    shard_answer_locked(*entry, worth, now_ms, outcome);
    shard->locked.counters.hits++;
    if (worth == WORTH_STALE)
        shard->locked.counters.stale++;
    if (worth_reloading(*entry, now_ms))
        get_refresh_locked(get, *entry);
    return true;
}

enum sluice_error get_hit(struct get *get, const struct sluice_outcome *outcome)
{
    enum sluice_error error = outcome->error;

    if (get->refresh != NULL || !TAILQ_EMPTY(&get->after.records))
        after_run(&get->after, get->cache);
    if (get->refresh != NULL)
        background_call(&get->cache->background, get->refresh);
    return error;
}

/* ---- a miss ------------------------------------------------------------------------------------------------------ */

/* Joins the entry's flight, or starts one. */
static enum sluice_error get_board_locked(struct get *get, struct entry *entry, struct sluice_wait *waiter) HOLDS_SHARD;
static enum sluice_error get_board_locked(struct get *get, struct entry *entry, struct sluice_wait *waiter)
{
    struct sluice_load *flight = entry == NULL ? NULL : entry->flight;
    struct sluice_stats *counters = &get->shard->locked.counters;
    enum sluice_error error;

    if (flight != NULL) {
        if (get->timeout_ms == 0) {
            counters->waits_timed_out++;
            return SLUICE_TIMED_OUT;
        }
        if (flight->locked.waiters_count >= get->cache->options.waiters_per_key_max)
            return SLUICE_TOO_MANY_WAITERS;
        waiter->outcome.source = SLUICE_SOURCE_COALESCED;
        counters->coalesced++;
    } else {
        error = flight_lead_locked(get->shard, entry, &get->plan, &flight, &get->after);
        if (error != SLUICE_OK)
            return error;
        waiter->outcome.source = SLUICE_SOURCE_LOAD;
        get->led = flight;
    }
    flight_join_locked(flight, waiter);
    return SLUICE_PARKED;
}

enum sluice_error get_park_locked(struct get *get, struct entry *entry, struct sluice_wait *waiter)
{
    struct sluice_cache *cache = get->cache;
    struct sluice_stats *counters = &get->shard->locked.counters;
    enum sluice_error error = SLUICE_TOO_MANY_WAITERS;

    counters->misses++;
    if (get->shard->locked.closed)
        return SLUICE_CLOSED;
    if (core_take(&cache->waiters, cache->options.waiters_max)) {
        error = get_board_locked(get, entry, waiter);
        if (error != SLUICE_PARKED)
            core_give_back(&cache->waiters);
    }
    if (error == SLUICE_TOO_MANY_WAITERS || error == SLUICE_TOO_MANY_LOADS)
        counters->refused++;
    return error;
}

bool get_is_circular(struct get *get, struct sluice_wait *waiter)
{
    bool left = false;
    struct after after;

    if (!circle_enter(waiter))
        return false;
    after_init(&after);
    lock_acquire(&get->shard->lock);
    if (waiter->locked.state == WAITER_PARKED) { /* else it has an end already, and waits for nothing */
        flight_leave_locked(waiter->flight, waiter, SLUICE_CIRCULAR, &after);
        get->shard->locked.counters.circular++;
        left = true;
    }
    lock_release(&get->shard->lock);
    after_run(&after, get->cache);
    return left;
}
