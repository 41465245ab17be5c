/* SPDX-License-Identifier: MIT */
/*
 * compute.c: changing a key by a function of what is stored. It is a flight whose loader is the function, so that all
 * that holds for loads in flight holds for it; and it leads only: where a flight is current it waits for its end and
 * looks again. With one current flight for a key at most, computations of a key come one after the other.
 */
#include "call.h"
#include "get.h"

/*
 * Joins the key's flight only to see it end, and calls its loader if that is as in get_follow_locked(); or leads one.
 * Then get->led is set.
 */
static enum sluice_error compute_park_locked(struct get *get, struct sluice_wait *waiter) HOLDS_SHARD;
static enum sluice_error compute_park_locked(struct get *get, struct sluice_wait *waiter)
{
    struct shard *shard = get->shard;
    struct sluice_load *flight;
    struct entry *entry;
    enum sluice_error error;

    if (shard->locked.closed)
        return SLUICE_CLOSED;
    (void)shard_peek_locked(shard, get->plan.key, get->plan.key_size, get->plan.hash, get->plan.now_ms, &entry,
                            &get->after);
    flight = entry == NULL ? NULL : entry_flight(entry);
    if (flight != NULL && get->timeout_ms == 0)
        return SLUICE_TIMED_OUT;
    if (flight != NULL && flight->locked.waiters_count >= get->cache->options.waiters_per_key_max)
        return SLUICE_TOO_MANY_WAITERS;
    if (!core_take_waiter(get->cache))
        return SLUICE_TOO_MANY_WAITERS;
    if (flight == NULL) {
        error = flight_lead_locked(shard, entry, &get->plan, &get->led, &get->after);
        if (error != SLUICE_OK) {
            core_give_back(&get->cache->waiters);
            return error;
        }
        flight = get->led;
        flight->locked.computes = true;
    } else if (get->parent != NULL && !flight->locked.called) {
        get->led = flight_ref(flight);
        get->overtakes = true;
    }
    waiter->outcome.source = SLUICE_SOURCE_LOAD;
    flight_join_locked(flight, waiter);
    return SLUICE_PARKED;
}

/* One wait: for what is computed, or for the end of another flight; then *again is set. */
static enum sluice_error compute_once(struct get *get, bool *again, struct sluice_outcome *outcome) FREE_OF_SHARD;
static enum sluice_error compute_once(struct get *get, bool *again, struct sluice_outcome *outcome)
{
    struct sluice_load *held = NULL;
    struct sluice_wait waiter;
    enum sluice_error error;

    waiter_init_blocking(&waiter, get->parent);
    lock_acquire(&get->shard->lock);
    error = compute_park_locked(get, &waiter);
    *again = error == SLUICE_PARKED && (get->led == NULL || get->overtakes);
    if (error == SLUICE_PARKED) {
        held = flight_ref(waiter.flight);
        if (get->led == NULL)
            flight_set_deadline_locked(waiter.flight, &waiter, clock_after_ms(get->plan.now_ms, get->timeout_ms),
                                       &get->after);
    }
    lock_release(&get->shard->lock);
    after_run(&get->after, get->cache);
    return error == SLUICE_PARKED ? get_wait(get, &waiter, held, outcome) : get_refuse(error, outcome);
}

static enum sluice_error compute_run(struct sluice_cache *cache, struct sluice_request *request,
                                     struct sluice_outcome *outcome) FREE_OF_SHARD;
static enum sluice_error compute_run(struct sluice_cache *cache, struct sluice_request *request,
                                     struct sluice_outcome *outcome)
{
    int64_t due_ms = clock_after_ms(clock_now_ms(&cache->options.clock), request->timeout_ms);

    for (;;) {
        struct get get;
        bool again;
        enum sluice_error error = get_init(&get, cache, request);

        if (error != SLUICE_OK)
            return get_refuse(error, outcome);
        get.blocks = true;
        error = compute_once(&get, &again, outcome);
        if (!again || error == SLUICE_TIMED_OUT || error == SLUICE_CIRCULAR)
            return error;
        sluice_outcome_fini(outcome);
        request->timeout_ms = clock_left_ms(clock_now_ms(&cache->options.clock), due_ms);
    }
}

enum sluice_error sluice_compute(struct sluice_cache *cache, const void *key, size_t key_size,
                                 const struct sluice_loader *compute, int64_t timeout_ms,
                                 struct sluice_outcome *outcome)
{
    struct sluice_request request = {
        .key = key,
        .key_size = key_size,
        .timeout_ms = ticker_is_deep(&cache->ticker) ? 0 : timeout_ms,
        .loader = compute,
        .parent = call_current(),
    };
    enum sluice_error error;

    /* Between two waits it is no parked get: the cache must not go meanwhile. */
    core_ref(cache);
    if (request.parent != NULL)
        flight_ref(request.parent);
    error = compute_run(cache, &request, outcome);
    if (request.parent != NULL)
        flight_unref(request.parent);
    core_unref(cache);
    return error;
}
