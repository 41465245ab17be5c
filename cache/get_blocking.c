/* SPDX-License-Identifier: MIT */
/* get_blocking.c: the gets that hold the calling thread until they have an outcome, and the one that does not wait. */
#include "call.h"
#include "get.h"

/*
 * The leader's part: calls the loader, or has it called with a batch, and only then lets the deadline of its own wait
 * begin. The flight is held meanwhile, since the load may end and the cache be destroyed at any time.
 */
static void get_lead_blocking(struct get *get, struct sluice_wait *waiter) FREE_OF_SHARD;
static void get_lead_blocking(struct get *get, struct sluice_wait *waiter)
{
    struct sluice_load *flight = flight_ref(get->led);
    struct after after;

    if (get_calls_later(get))
        get_load_later(flight);
    else if (get->overtakes)
        call_overtake(flight);
    else
        call_load(flight);

    after_init(&after);
    lock_acquire(&get->shard->lock);
    if (waiter->locked.state == WAITER_PARKED) {
        if (get->timeout_ms == 0) {
            flight_leave_locked(waiter->flight, waiter, SLUICE_TIMED_OUT, &after);
            TAILQ_INSERT_TAIL(&after.released, waiter, locked.link);
        } else {
            int64_t now_ms = clock_now_ms(&get->cache->options.clock);

            flight_set_deadline_locked(waiter->flight, waiter, clock_after_ms(now_ms, get->timeout_ms), &after);
        }
    }
    lock_release(&get->shard->lock);
    after_run(&after, get->cache);
    flight_unref(flight);
}

enum sluice_error get_wait(struct get *get, struct sluice_wait *waiter, struct sluice_load *held,
                           struct sluice_outcome *outcome)
{
    if (get->parent != NULL && get_is_circular(get, waiter)) {
        flight_unref(held);
        return get_refuse(SLUICE_CIRCULAR, outcome);
    }
    if (get->led != NULL)
        get_lead_blocking(get, waiter);
    if (get->parent == NULL)
        flight_unref(held);
    ticker_park(&get->cache->ticker,
                &waiter->park); /* from here on the cache may be gone: only the waiter is this thread's */
    if (get->parent != NULL)
        flight_unref(held); /* what looked for circles could come by it until the waiter was told */
    *outcome = waiter->outcome;
    return outcome->error;
}

static enum sluice_error get_blocking(struct get *get, struct sluice_outcome *outcome) FREE_OF_SHARD;
static enum sluice_error get_blocking(struct get *get, struct sluice_outcome *outcome)
{
    struct sluice_load *held = NULL;
    struct sluice_wait waiter;
    struct entry *entry;
    enum sluice_error error;

    lock_acquire(&get->shard->lock);
    if (get_look_locked(get, &entry, outcome)) {
        lock_release(&get->shard->lock);
        return get_hit(get, outcome);
    }
    waiter_init_blocking(&waiter, get->parent);
    error = get_park_locked(get, entry, &waiter);
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

enum sluice_error sluice_get_request(struct sluice_cache *cache, const struct sluice_request *request,
                                     struct sluice_outcome *outcome)
{
    struct get get;
    enum sluice_error error = get_init(&get, cache, request);

    if (error != SLUICE_OK)
        return get_reject(cache, error, outcome);
    if (ticker_is_deep(&cache->ticker))
        get.timeout_ms = 0;
    get.blocks = true;
    if (get.parent == NULL)
        get.parent = call_current();
    if (get.parent == NULL)
        return get_blocking(&get, outcome);
    flight_ref(get.parent);
    error = get_blocking(&get, outcome);
    flight_unref(get.parent);
    return error;
}

enum sluice_error sluice_get_outcome(struct sluice_cache *cache, const void *key, size_t key_size, int64_t timeout_ms,
                                     struct sluice_outcome *outcome)
{
    const struct sluice_request request = {.key = key, .key_size = key_size, .timeout_ms = timeout_ms};

    return sluice_get_request(cache, &request, outcome);
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
    const struct sluice_request request = {.key = key, .key_size = key_size};
    struct entry *entry;
    struct get get;
    enum sluice_error error = get_init(&get, cache, &request);

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
