/* SPDX-License-Identifier: MIT */
/*
 * get.c: the gets. Each locks the key's shard, decides (hit, follow, lead, or refused), unlocks, and only then calls
 * what is not ours.
 */
#include "core.h"
#include "flight.h"
#include "hash.h"
#include "waiter.h"

#include <stdlib.h>

/* One get under way. */
struct get {
    struct sluice_cache *cache;
    struct shard *shard;
    const void *key;
    size_t key_size;
    uint64_t hash;
    int64_t now_ms;
    int64_t timeout_ms;
    struct sluice_load *led;     /* the flight that this get started; its loader is still to be called */
    struct sluice_load *refresh; /* likewise, in the background; this get was a hit */
    struct after after;
};

/* ---- decide ------------------------------------------------------------------------------------------------------ */

/* A get that is over before it looked: counted with the misses, so that rule 23's sums hold. */
static enum sluice_error get_reject(struct sluice_cache *cache, enum sluice_error error, struct sluice_outcome *outcome)
{
    static const struct sluice_outcome empty = SLUICE_OUTCOME_INIT;
    struct shard *shard = &cache->shards[0];

    lock_acquire(&shard->lock);
    shard->locked.counters.misses++;
    shard->locked.counters.refused++;
    lock_release(&shard->lock);
    *outcome = empty;
    return outcome->error = error;
}

/* SLUICE_OK, or why not: the key's size is the one fault of a get that is seen before the shard is. */
static enum sluice_error get_init(struct get *get, struct sluice_cache *cache, const void *key, size_t key_size,
                                  int64_t timeout_ms)
{
    if (key_size == 0 || key_size > cache->options.key_size_max)
        return SLUICE_KEY_SIZE;
    get->cache = cache;
    get->key = key;
    get->key_size = key_size;
    get->hash = hash_key(cache->seed, key, key_size);
    get->shard = core_shard(cache, get->hash);
    get->now_ms = clock_now_ms(&cache->options.clock);
    get->timeout_ms = timeout_ms;
    get->led = get->refresh = NULL;
    after_init(&get->after);
    return SLUICE_OK;
}

/* Has a stored answer loaded anew, if it can be: else the next get will (rule 11). */
static void get_refresh_locked(struct get *get, struct entry *entry) HOLDS_SHARD;
static void get_refresh_locked(struct get *get, struct entry *entry)
{
    if (flight_lead_locked(get->shard, entry, get->key, get->key_size, get->hash, get->now_ms, &get->refresh,
                           &get->after) == SLUICE_OK)
        get->shard->locked.counters.refreshes++;
}

/* True for a hit, with the outcome; else *entry is the key's entry, if any. Counts hits only. */
static bool get_look_locked(struct get *get, struct entry **entry, struct sluice_outcome *outcome) HOLDS_SHARD;
static bool get_look_locked(struct get *get, struct entry **entry, struct sluice_outcome *outcome)
{
    struct shard *shard = get->shard;
    enum worth worth;

    *entry = NULL;
    if (shard->locked.closed)
        return false;
    worth = shard_find_locked(shard, get->key, get->key_size, get->hash, get->now_ms, entry, &get->after);
    if (worth != WORTH_FRESH && worth != WORTH_STALE)
        return false;
    shard_answer_locked(*entry, worth, get->now_ms, outcome);
    shard->locked.counters.hits++;
    if (worth == WORTH_STALE)
        shard->locked.counters.stale++;
    if (worth_reloading(*entry, get->now_ms))
        get_refresh_locked(get, *entry);
    return true;
}

/* After the unlock of a hit: nothing, most of the time. */
static enum sluice_error get_hit(struct get *get, const struct sluice_outcome *outcome) FREE_OF_SHARD;
static enum sluice_error get_hit(struct get *get, const struct sluice_outcome *outcome)
{
    enum sluice_error error = outcome->error;

    if (get->refresh != NULL || !TAILQ_EMPTY(&get->after.records))
        after_run(&get->after, get->cache);
    if (get->refresh != NULL)
        background_call(&get->cache->background, get->refresh);
    return error;
}

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
        error = flight_lead_locked(get->shard, entry, get->key, get->key_size, get->hash, get->now_ms, &flight,
                                   &get->after);
        if (error != SLUICE_OK)
            return error;
        waiter->outcome.source = SLUICE_SOURCE_LOAD;
        get->led = flight;
    }
    flight_join_locked(flight, waiter);
    return SLUICE_PARKED;
}

/* A miss: parks the waiter, or says why not. */
static enum sluice_error get_park_locked(struct get *get, struct entry *entry, struct sluice_wait *waiter) HOLDS_SHARD;
static enum sluice_error get_park_locked(struct get *get, struct entry *entry, struct sluice_wait *waiter)
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

static enum sluice_error get_refuse(enum sluice_error error, struct sluice_outcome *outcome)
{
    static const struct sluice_outcome empty = SLUICE_OUTCOME_INIT;

    *outcome = empty;
    return outcome->error = error;
}

/* ---- blocking ---------------------------------------------------------------------------------------------------- */

/*
 * The leader's part: calls the loader, and only then lets the deadline of its own wait begin. The flight is held
 * meanwhile, since the load may end and the cache be destroyed at any time.
 */
static void get_lead_blocking(struct get *get, struct sluice_wait *waiter) FREE_OF_SHARD;
static void get_lead_blocking(struct get *get, struct sluice_wait *waiter)
{
    struct sluice_load *flight = flight_ref(get->led);
    struct after after;

    flight_call(flight);

    after_init(&after);
    lock_acquire(&get->shard->lock);
    if (waiter->locked.state == WAITER_PARKED) {
        if (get->timeout_ms == 0) {
            flight_leave_locked(flight, waiter, WAITER_RELEASED);
            TAILQ_INSERT_TAIL(&after.released, waiter, locked.link);
        } else {
            int64_t now_ms = clock_now_ms(&get->cache->options.clock);

            flight_set_deadline_locked(flight, waiter, clock_after_ms(now_ms, get->timeout_ms), &after);
        }
    }
    lock_release(&get->shard->lock);
    after_run(&after, get->cache);
    flight_unref(flight);
}

enum sluice_error sluice_get_outcome(struct sluice_cache *cache, const void *key, size_t key_size, int64_t timeout_ms,
                                     struct sluice_outcome *outcome)
{
    struct sluice_wait waiter;
    struct entry *entry;
    struct get get;
    enum sluice_error error = get_init(&get, cache, key, key_size, timeout_ms);

    if (error != SLUICE_OK)
        return get_reject(cache, error, outcome);

    lock_acquire(&get.shard->lock);
    if (get_look_locked(&get, &entry, outcome)) {
        lock_release(&get.shard->lock);
        return get_hit(&get, outcome);
    }
    waiter_init_blocking(&waiter);
    error = get_park_locked(&get, entry, &waiter);
    if (error == SLUICE_PARKED && get.led == NULL) {
        /* To others this get is parked already, and they may destroy the cache: the flight holds it till after_run().
         */
        flight_ref(waiter.flight);
        flight_set_deadline_locked(waiter.flight, &waiter, clock_after_ms(get.now_ms, timeout_ms), &get.after);
    }
    lock_release(&get.shard->lock);
    after_run(&get.after, cache);

    if (error != SLUICE_PARKED)
        return get_refuse(error, outcome);
    if (get.led != NULL)
        get_lead_blocking(&get, &waiter);
    else
        flight_unref(waiter.flight);
    park_wait(&waiter.park); /* from here on the cache may be gone: only the waiter is this thread's */
    *outcome = waiter.outcome;
    return outcome->error;
}

enum sluice_error sluice_get(struct sluice_cache *cache, const void *key, size_t key_size, int64_t timeout_ms,
                             struct sluice_value **value)
{
    struct sluice_outcome outcome;
    enum sluice_error error = sluice_get_outcome(cache, key, key_size, timeout_ms, &outcome);

    if (error == SLUICE_OK) {
        *value = outcome.value; /* its reference goes to the caller */
        outcome.value = NULL;
    }
    sluice_outcome_fini(&outcome);
    return error;
}

enum sluice_error sluice_get_if_present(struct sluice_cache *cache, const void *key, size_t key_size,
                                        struct sluice_outcome *outcome)
{
    struct entry *entry;
    struct get get;
    enum sluice_error error = get_init(&get, cache, key, key_size, 0);

    if (error != SLUICE_OK)
        return get_reject(cache, error, outcome);

    lock_acquire(&get.shard->lock);
    if (get_look_locked(&get, &entry, outcome)) {
        lock_release(&get.shard->lock);
        return get_hit(&get, outcome);
    }
    get.shard->locked.counters.misses++;
    error = get.shard->locked.closed ? SLUICE_CLOSED : SLUICE_NOT_CACHED;
    lock_release(&get.shard->lock);
    after_run(&get.after, cache);
    return get_refuse(error, outcome);
}

/* ---- asynchronous ------------------------------------------------------------------------------------------------ */

/*
 * Parks a new waiter. *waiter is set if it was parked; it then has a reference for the cache, and one for the caller
 * of this function if `held`.
 */
static enum sluice_error get_park_async_locked(struct get *get, const struct sluice_async_get *request,
                                               struct entry *entry, bool held, struct sluice_wait **waiter) HOLDS_SHARD;
static enum sluice_error get_park_async_locked(struct get *get, const struct sluice_async_get *request,
                                               struct entry *entry, bool held, struct sluice_wait **waiter)
{
    struct sluice_wait *created = waiter_create(request->callback, request->arg, held ? 2 : 1);
    enum sluice_error error;

    if (created == NULL) {
        get->shard->locked.counters.misses++;
        return SLUICE_NO_MEMORY;
    }
    error = get_park_locked(get, entry, created);
    if (error != SLUICE_PARKED) {
        free(created);
        return error;
    }
    flight_ref(created->flight);
    if (get->timeout_ms != 0)
        flight_set_deadline_locked(created->flight, created, clock_after_ms(get->now_ms, get->timeout_ms), &get->after);
    *waiter = created;
    return SLUICE_PARKED;
}

/* A leader that does not wait: leaves if its loader has not ended the load already. True: it left. */
static bool get_leave_at_once(struct get *get, struct sluice_wait *waiter) FREE_OF_SHARD;
static bool get_leave_at_once(struct get *get, struct sluice_wait *waiter)
{
    bool left = false;

    lock_acquire(&get->shard->lock);
    if (waiter->locked.state == WAITER_PARKED) {
        flight_leave_locked(waiter->flight, waiter, WAITER_RELEASED);
        left = true;
    }
    lock_release(&get->shard->lock);
    if (left)
        sluice_wait_unref(waiter); /* the cache's: nobody else will tell it */
    return left;
}

/* After the unlock: calls the loader if this get leads, and hands the waiter out or gives it back. */
static enum sluice_error get_async_parked(struct get *get, struct sluice_wait *waiter, bool held,
                                          struct sluice_wait **handle) FREE_OF_SHARD;
static enum sluice_error get_async_parked(struct get *get, struct sluice_wait *waiter, bool held,
                                          struct sluice_wait **handle)
{
    enum sluice_error error = SLUICE_PARKED;

    if (get->led != NULL) {
        flight_call(get->led);
        if (get->timeout_ms == 0 && get_leave_at_once(get, waiter))
            error = SLUICE_TIMED_OUT;
    }
    if (held && (handle == NULL || error != SLUICE_PARKED))
        sluice_wait_unref(waiter);
    if (handle != NULL && error != SLUICE_PARKED)
        *handle = NULL;
    return error;
}

enum sluice_error sluice_get_async(struct sluice_cache *cache, const struct sluice_async_get *request,
                                   struct sluice_outcome *outcome, struct sluice_wait **wait)
{
    bool held = wait != NULL || request->timeout_ms == 0;
    struct sluice_wait *waiter = NULL;
    struct entry *entry;
    struct get get;
    enum sluice_error error = get_init(&get, cache, request->key, request->key_size, request->timeout_ms);

    if (wait != NULL)
        *wait = NULL;
    if (error != SLUICE_OK)
        return get_reject(cache, error, outcome);

    lock_acquire(&get.shard->lock);
    if (get_look_locked(&get, &entry, outcome)) {
        lock_release(&get.shard->lock);
        return get_hit(&get, outcome);
    }
    if (request->parking != NULL) {
        lock_release(&get.shard->lock);
        request->parking(request->arg);
        lock_acquire(&get.shard->lock);
        if (get_look_locked(&get, &entry, outcome)) {
            lock_release(&get.shard->lock);
            return get_hit(&get, outcome);
        }
    }
    error = get_park_async_locked(&get, request, entry, held, &waiter);
    /* Before the unlock, so that the callback can already find it. */
    if (error == SLUICE_PARKED && wait != NULL)
        *wait = waiter;
    lock_release(&get.shard->lock);
    after_run(&get.after, cache);

    if (error == SLUICE_PARKED)
        error = get_async_parked(&get, waiter, held, wait);
    if (error == SLUICE_PARKED)
        return error;
    error = get_refuse(error, outcome);
    if (get.led != NULL)
        outcome->source = SLUICE_SOURCE_LOAD; /* it led, and left at once */
    return error;
}

bool sluice_wait_cancel(struct sluice_wait *waiter)
{
    struct shard *shard = waiter->flight->shard;
    bool cancelled = false;

    lock_acquire(&shard->lock);
    if (waiter->locked.state == WAITER_PARKED) {
        flight_leave_locked(waiter->flight, waiter, WAITER_CANCELLED);
        cancelled = true;
    }
    lock_release(&shard->lock);
    if (cancelled)
        sluice_wait_unref(waiter); /* the cache's: nobody else will tell it */
    return cancelled;
}
