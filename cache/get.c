/* SPDX-License-Identifier: MIT */
/* get.c: see get.h. */
#include "get.h"

#include "call.h"
#include "early.h"
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

enum sluice_error get_init(struct get *get, struct sluice_cache *cache, const struct sluice_request *request)
{
    if (request->key_size == 0 || request->key_size > cache->options.key_size_max)
        return SLUICE_KEY_SIZE;
    get->cache = cache;
    get->plan.key = request->key;
    get->plan.key_size = request->key_size;
    get->plan.hash = hash_key(cache->seed, request->key, request->key_size);
    get->plan.now_ms = clock_now_ms(&cache->options.clock);
    get->plan.loader = request->loader != NULL ? request->loader : &cache->options.loader;
    get->plan.background = false;
    get->shard = core_shard(cache, get->plan.hash);
    get->timeout_ms = request->timeout_ms;
    get->parent = request->parent;
    get->led = get->refresh = NULL;
    get->patient = get->overtakes = get->blocks = false;
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

/* Whether this hit draws that the value is to be loaded anew before it expires; see early.h. */
static bool get_reloads_early_locked(struct get *get, const struct entry *entry, enum worth worth) HOLDS_SHARD;
static bool get_reloads_early_locked(struct get *get, const struct entry *entry, enum worth worth)
{
    unsigned percent = get->cache->options.refresh_early_percent;

    if (percent == 0 || worth != WORTH_FRESH || entry->fresh_until_ms == CLOCK_FAR)
        return false;
    if (entry->flying || entry->held_off)
        return false;
    return early_is_due(entry->load_cost_ms, percent, entry->fresh_until_ms - get->plan.now_ms,
                        &get->shard->locked.chance);
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
    get->patient = worth == WORTH_HELD && get->cache->options.stale_after_wait_ms != SLUICE_NEVER;
    if (worth != WORTH_FRESH && worth != WORTH_STALE)
        return false;
    shard_answer_locked(shard, *entry, worth, now_ms, outcome);
    shard->locked.counters.hits++;
    if (worth == WORTH_STALE)
        shard->locked.counters.stale++;
    if (worth_reloading(*entry, worth, now_ms) || get_reloads_early_locked(get, *entry, worth))
        get_refresh_locked(get, *entry);
    return true;
}

void get_run_after_hit(struct get *get)
{
    if (get->refresh != NULL || after_hit_has_work(&get->after))
        after_run(&get->after, get->cache);
}

enum sluice_error get_hit(struct get *get, const struct sluice_outcome *outcome)
{
    enum sluice_error error = outcome->error;

    get_run_after_hit(get);
    if (get->refresh != NULL)
        get_load_later(get->refresh);
    return error;
}

/* ---- a miss ------------------------------------------------------------------------------------------------------ */

/*
 * Joins a flight. A get on behalf of a load calls the loader itself where that has not been done yet: the thread that
 * is to do it may be one that waits for this very load.
 */
static enum sluice_error get_follow_locked(struct get *get, struct sluice_load *flight,
                                           struct sluice_wait *waiter) HOLDS_SHARD;
static enum sluice_error get_follow_locked(struct get *get, struct sluice_load *flight, struct sluice_wait *waiter)
{
    struct sluice_stats *counters = &get->shard->locked.counters;

    if (get->timeout_ms == 0) {
        counters->waits_timed_out++;
        return SLUICE_TIMED_OUT;
    }
    if (flight->locked.waiters_count >= get->cache->options.waiters_per_key_max)
        return SLUICE_TOO_MANY_WAITERS;
    if (get->parent != NULL && !flight->locked.called) {
        get->led = flight_ref(flight);
        get->overtakes = true;
    }
    waiter->outcome.source = SLUICE_SOURCE_COALESCED;
    counters->coalesced++;
    flight_join_locked(flight, waiter);
    return SLUICE_PARKED;
}

/* Joins the entry's flight, or starts one. */
static enum sluice_error get_board_locked(struct get *get, struct entry *entry, struct sluice_wait *waiter) HOLDS_SHARD;
static enum sluice_error get_board_locked(struct get *get, struct entry *entry, struct sluice_wait *waiter)
{
    enum sluice_error error;

    if (entry != NULL && entry->flying)
        return get_follow_locked(get, entry_flight(entry), waiter);
    error = flight_lead_locked(get->shard, entry, &get->plan, &get->led, &get->after);
    if (error != SLUICE_OK)
        return error;
    waiter->outcome.source = SLUICE_SOURCE_LOAD;
    flight_join_locked(get->led, waiter);
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
    if (get->patient)
        waiter->locked.stale_at_ms = clock_after_ms(get->plan.now_ms, cache->options.stale_after_wait_ms);
    if (core_take_waiter(cache)) {
        error = get_board_locked(get, entry, waiter);
        if (error != SLUICE_PARKED)
            core_give_back(&cache->waiters);
    }
    if (error == SLUICE_TOO_MANY_WAITERS || error == SLUICE_TOO_MANY_LOADS)
        counters->refused++;
    return error;
}

enum sluice_error get_park_async_locked(struct get *get, struct entry *entry, sluice_callback *callback, void *arg,
                                        unsigned refs, bool timed, struct sluice_wait **waiter)
{
    struct sluice_wait *created = waiter_create(callback, arg, get->parent, refs);
    enum sluice_error error;

    if (created == NULL) {
        get->shard->locked.counters.misses++;
        return SLUICE_NO_MEMORY;
    }
    error = get_park_locked(get, entry, created);
    if (error != SLUICE_PARKED) {
        waiter_discard(created);
        return error;
    }
    flight_ref(created->flight);
    if (get->timeout_ms != 0)
        flight_set_deadline_locked(created->flight, created,
                                   timed ? clock_after_ms(get->plan.now_ms, get->timeout_ms) : CLOCK_FAR, &get->after);
    *waiter = created;
    return SLUICE_PARKED;
}

/* ---- after it has parked ----------------------------------------------------------------------------------------- */

bool get_calls_later(const struct get *get)
{
    /* What a load waits for is not put off: the threads that call batches may all be waiting for it. */
    if (get->parent != NULL || get->plan.loader != &get->cache->options.loader)
        return false;
    return get->patient || call_is_batched(get->cache);
}

void get_load_later(struct sluice_load *flight)
{
    struct call_chain one;

    call_chain_init(&one);
    call_chain_add(&one, flight);
    call_load_later(&one);
}

bool get_leave(struct sluice_wait *waiter, enum sluice_error why)
{
    struct shard *shard = waiter->shard;
    bool left = false;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    if (waiter->locked.state == WAITER_PARKED) {
        flight_leave_locked(waiter->flight, waiter, why, &after);
        left = true;
    }
    lock_release(&shard->lock);
    after_run(&after, shard->cache);
    if (left)
        circle_leave(waiter);
    return left;
}

bool get_is_circular(struct get *get, struct sluice_wait *waiter)
{
    bool left = false;
    struct after after;

    if (!circle_enter(waiter, call_spot(get->parent), get->blocks ? call_here() : (struct circle_spot){0}))
        return false;
    after_init(&after);
    lock_acquire(&get->shard->lock);
    if (waiter->locked.state == WAITER_PARKED) { /* else it has an end already, and waits for nothing */
        flight_leave_locked(waiter->flight, waiter, SLUICE_CIRCULAR, &after);
        get->shard->locked.counters.circular++;
        left = true;
        if (get->led != NULL && !get->overtakes)
            get->led->locked.chained = false; /* somebody overtook, and this call won't come to it */
    }
    lock_release(&get->shard->lock);
    after_run(&after, get->cache);
    if (left && get->led != NULL) {
        flight_unref(get->led); /* of a flight that it follows: whoever was to call the loader still is */
        get->led = NULL;
    }
    return left;
}
