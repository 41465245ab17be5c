/* SPDX-License-Identifier: MIT */
/* after.c: see after.h. */
#include "after.h"

#include "core.h"

void after_init(struct after *after)
{
    TAILQ_INIT(&after->released);
    TAILQ_INIT(&after->garbage);
    after->value = NULL;
    after->due_ms = CLOCK_FAR;
    after->over_full = NULL;
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

static void after_free(struct after *after)
{
    struct entry *entry, *next;

    for (entry = TAILQ_FIRST(&after->garbage); entry != NULL; entry = next) {
        next = TAILQ_NEXT(entry, order);
        entry_destroy(entry);
    }
    sluice_value_unref(after->value);
}

void after_run(struct after *after, struct sluice_cache *cache)
{
    if (after->over_full != NULL)
        core_evict_anywhere(cache, after->over_full);
    if (after->due_ms != CLOCK_FAR)
        ticker_poke(&cache->ticker, after->due_ms);
    after_tell(after);
    after_free(after);
}
