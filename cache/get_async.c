/* SPDX-License-Identifier: MIT */
/* get_async.c: the get that holds no thread, and leaving it. */
#include "call.h"
#include "get.h"

/*
 * After the unlock of a waiter that has parked: calls the loader if this get leads. SLUICE_PARKED, or why it has left:
 * it would wait for itself, or leads and does not wait. Then nobody else will tell it. The waiter may have been told,
 * and is then there only if it is held: with a parent, and for a get that does not wait.
 */
static enum sluice_error get_async_parked(struct get *get, struct sluice_wait *waiter) FREE_OF_SHARD;
static enum sluice_error get_async_parked(struct get *get, struct sluice_wait *waiter)
{
    if (get->parent != NULL && get_is_circular(get, waiter))
        return SLUICE_CIRCULAR;
    if (get->led == NULL)
        return SLUICE_PARKED;
    if (get_calls_later(get))
        get_load_later(get->led);
    else if (get->overtakes)
        call_overtake(get->led);
    else
        call_load(get->led);
    return get->timeout_ms == 0 && get_leave(waiter, SLUICE_TIMED_OUT) ? SLUICE_TIMED_OUT : SLUICE_PARKED;
}

/* As sluice_get_async(); the caller holds the parent. */
static enum sluice_error get_async(struct sluice_cache *cache, const struct sluice_async_get *request,
                                   struct sluice_outcome *outcome, struct sluice_wait **wait) FREE_OF_SHARD;
static enum sluice_error get_async(struct sluice_cache *cache, const struct sluice_async_get *request,
                                   struct sluice_outcome *outcome, struct sluice_wait **wait)
{
    /* Whether this call needs the waiter once it may have been told. */
    bool held = wait != NULL || request->timeout_ms == 0 || request->parent != NULL;
    const struct sluice_request plain = {
        .key = request->key,
        .key_size = request->key_size,
        .timeout_ms = request->timeout_ms,
        .loader = request->loader,
        .parent = request->parent,
    };
    struct sluice_wait *waiter = NULL;
    struct entry *entry;
    struct get get;
    enum sluice_error error = get_init(&get, cache, &plain);

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
    error = get_park_async_locked(&get, entry, request->callback, request->arg, held ? 2 : 1, true, &waiter);
    /* Before the unlock, so that the callback can already find it. */
    if (error == SLUICE_PARKED && wait != NULL)
        *wait = waiter;
    lock_release(&get.shard->lock);
    after_run(&get.after, cache);

    if (error != SLUICE_PARKED)
        return get_refuse(error, outcome);
    if (!held)
        return get_async_parked(&get, waiter);
    error = get_async_parked(&get, waiter);
    if (error != SLUICE_PARKED)
        sluice_wait_unref(waiter); /* the cache's */
    if (wait == NULL || error != SLUICE_PARKED)
        sluice_wait_unref(waiter); /* this call's */
    if (error == SLUICE_PARKED)
        return error;
    if (wait != NULL)
        *wait = NULL;
    error = get_refuse(error, outcome);
    if (get.led != NULL)
        outcome->source = SLUICE_SOURCE_LOAD; /* it led, and left at once */
    return error;
}

enum sluice_error sluice_get_async(struct sluice_cache *cache, const struct sluice_async_get *request,
                                   struct sluice_outcome *outcome, struct sluice_wait **wait)
{
    struct sluice_load *parent = request->parent;
    enum sluice_error error;

    if (parent == NULL)
        return get_async(cache, request, outcome, wait);
    flight_ref(parent); /* it may end meanwhile */
    error = get_async(cache, request, outcome, wait);
    flight_unref(parent);
    return error;
}

bool sluice_wait_cancel(struct sluice_wait *waiter)
{
    bool cancelled = get_leave(waiter, SLUICE_OK);

    if (cancelled)
        sluice_wait_unref(waiter); /* the cache's: nobody else will tell it */
    return cancelled;
}
