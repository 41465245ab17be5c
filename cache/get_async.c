/* SPDX-License-Identifier: MIT */
/* get_async.c: the get that holds no thread, and leaving it. */
#include "call.h"
#include "get.h"

/*
 * Parks a new waiter. *waiter is set if it was parked; it then has a reference for the cache, and one for the caller
 * of this function if `held`.
 */
static enum sluice_error get_park_async_locked(struct get *get, const struct sluice_async_get *request,
                                               struct entry *entry, bool held, struct sluice_wait **waiter) HOLDS_SHARD;
static enum sluice_error get_park_async_locked(struct get *get, const struct sluice_async_get *request,
                                               struct entry *entry, bool held, struct sluice_wait **waiter)
{
    struct sluice_wait *created = waiter_create(request->callback, request->arg, request->parent, held ? 2 : 1);
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
        flight_set_deadline_locked(created->flight, created, clock_after_ms(get->plan.now_ms, get->timeout_ms),
                                   &get->after);
    *waiter = created;
    return SLUICE_PARKED;
}

/* Lets a waiter leave, if it has no end yet: true. The caller then has the reference that was the cache's. */
static bool get_leave(struct sluice_wait *waiter, enum sluice_error why) FREE_OF_SHARD;
static bool get_leave(struct sluice_wait *waiter, enum sluice_error why)
{
    struct shard *shard = waiter->flight->shard;
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

/*
 * After the unlock of a waiter that has parked: calls the loader if this get leads. SLUICE_PARKED, or why it has left:
 * it would wait for itself, or leads and does not wait. Then nobody else will tell it. The waiter may have been told,
 * and is then there only if it is held: with a parent, and for a get that does not wait.
 */
static enum sluice_error get_async_parked(struct get *get, const struct sluice_load *parent,
                                          struct sluice_wait *waiter) FREE_OF_SHARD;
static enum sluice_error get_async_parked(struct get *get, const struct sluice_load *parent, struct sluice_wait *waiter)
{
    if (parent != NULL && get_is_circular(get, waiter))
        return SLUICE_CIRCULAR;
    if (get->led == NULL)
        return SLUICE_PARKED;
    call_load(get->led);
    return get->timeout_ms == 0 && get_leave(waiter, SLUICE_TIMED_OUT) ? SLUICE_TIMED_OUT : SLUICE_PARKED;
}

enum sluice_error sluice_get_async(struct sluice_cache *cache, const struct sluice_async_get *request,
                                   struct sluice_outcome *outcome, struct sluice_wait **wait)
{
    /* Whether this call needs the waiter once it may have been told. */
    bool held = wait != NULL || request->timeout_ms == 0 || request->parent != NULL;
    struct sluice_wait *waiter = NULL;
    struct entry *entry;
    struct get get;
    enum sluice_error error =
        get_init(&get, cache, request->key, request->key_size, request->loader, request->timeout_ms);

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

    if (error != SLUICE_PARKED)
        return get_refuse(error, outcome);
    if (!held)
        return get_async_parked(&get, request->parent, waiter);
    error = get_async_parked(&get, request->parent, waiter);
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

bool sluice_wait_cancel(struct sluice_wait *waiter)
{
    bool cancelled = get_leave(waiter, SLUICE_OK);

    if (cancelled)
        sluice_wait_unref(waiter); /* the cache's: nobody else will tell it */
    return cancelled;
}
