/* SPDX-License-Identifier: MIT */
/* after.c: see after.h. */
#include "after.h"

#include "call.h"
#include "core.h"
#include "flight.h"

void after_init(struct after *after)
{
    TAILQ_INIT(&after->released);
    TAILQ_INIT(&after->unwanted);
    TAILQ_INIT(&after->records);
    after->led = NULL;
    leaving_init(&after->leaving);
    after->value = NULL;
    after->due_ms = CLOCK_FAR;
    after->over_full = NULL;
    after->over_full_by = 0;
}

static void after_tell(struct after *after) LOCK_ATTRIBUTE(no_thread_safety_analysis) /* the list is this call's own */
{
    struct sluice_wait *waiter, *next;

    /* A waiter may be gone once it is told: what comes after it is read before. */
    for (waiter = TAILQ_FIRST(&after->released); waiter != NULL; waiter = next) {
        next = TAILQ_NEXT(waiter, locked.link);
        waiter_tell(waiter);
    }
}

/* After the waiters: they are served before the backend is spared (rule 9: unlinked first, cancelled second). */
static void after_spare(struct after *after) LOCK_ATTRIBUTE(no_thread_safety_analysis) /* the list is this call's own */
{
    struct sluice_load *flight, *next;

    for (flight = TAILQ_FIRST(&after->unwanted); flight != NULL; flight = next) {
        next = TAILQ_NEXT(flight, locked.unwanted);
        flight->loader.unwanted(flight->loader.self, flight);
        flight_unref(flight);
    }
}

static void after_bury(struct after *after, const struct sluice_listener *listener) FREE_OF_SHARD;
static void after_bury(struct after *after, const struct sluice_listener *listener)
{
    struct entry *record, *next;

    for (record = TAILQ_FIRST(&after->records); record != NULL; record = next) {
        next = TAILQ_NEXT(record, order);
        entry_bury(record, listener);
    }
    sluice_value_unref(after->value);
}

static void after_make_room(struct after *after, struct sluice_cache *cache) FREE_OF_SHARD;
static void after_make_room(struct after *after, struct sluice_cache *cache)
{
    if (after->over_full != NULL)
        core_make_room(cache, after->over_full, after->over_full_by);
}

void after_run(struct after *after, struct sluice_cache *cache)
{
    const struct sluice_listener listener = cache->options.listener; /* once all are told the cache may be gone */
    bool evicting = listener.evicting != NULL; /* waiters don't wait for it; what evicts still holds the cache then */
    struct call_frame frame;

    call_enter(&frame, after->led); /* who is told, and gets that key, must not wait for itself */
    if (!evicting)
        after_make_room(after, cache);
    if (after->due_ms != CLOCK_FAR)
        ticker_poke(&cache->ticker, after->due_ms);
    after_tell(after);
    after_spare(after);
    leaving_run(&after->leaving);
    if (evicting)
        after_make_room(after, cache);
    after_bury(after, &listener);
    call_leave(&frame);
}
