/* SPDX-License-Identifier: MIT */
/* waiter.c: see waiter.h. */
#include "waiter.h"

#include "clock.h"
#include "flight.h"

#include <stdlib.h>
#include <string.h>

int64_t deadline_due_ms(const void *unused, const struct timer *timer)
{
    const struct deadline *deadline = (const struct deadline *)(const void *)timer;

    (void)unused;
    return deadline->due_ms;
}

static void waiter_init(struct sluice_wait *waiter) LOCK_ATTRIBUTE(no_thread_safety_analysis) /* nobody sees it yet */
{
    static const struct sluice_outcome empty = SLUICE_OUTCOME_INIT;

    memset(waiter, 0, sizeof *waiter);
    timer_init(&waiter->locked.deadline.timer);
    waiter->locked.state = WAITER_PARKED;
    waiter->locked.due_ms = waiter->locked.stale_at_ms = CLOCK_FAR;
    waiter->outcome = empty;
}

void waiter_init_blocking(struct sluice_wait *waiter, struct sluice_load *parent)
{
    waiter_init(waiter);
    waiter->circle.parent = parent;
    park_init(&waiter->park);
}

struct sluice_wait *waiter_create(sluice_callback *callback, void *arg, struct sluice_load *parent, unsigned refs)
{
    struct sluice_wait *waiter = malloc(sizeof *waiter);

    if (waiter == NULL)
        return NULL;
    waiter_init(waiter);
    waiter->callback = callback;
    waiter->arg = arg;
    if (parent != NULL)
        waiter->circle.parent = flight_ref(parent);
    atomic_init(&waiter->refs, refs);
    return waiter;
}

void waiter_discard(struct sluice_wait *waiter)
{
    if (waiter->circle.parent != NULL)
        atomic_fetch_sub_explicit(&waiter->circle.parent->refs, 1, memory_order_relaxed); /* not the last */
    free(waiter);
}

void waiter_tell(struct sluice_wait *waiter)
{
    circle_leave(waiter);
    if (waiter->callback == NULL) {
        park_release(&waiter->park);
        return;
    }
    waiter->callback(waiter->arg, &waiter->outcome);
    sluice_outcome_fini(&waiter->outcome);
    sluice_wait_unref(waiter);
}

void sluice_wait_unref(struct sluice_wait *waiter)
{
    uint32_t before;

    if (waiter == NULL)
        return;
    before = atomic_fetch_sub_explicit(&waiter->refs, 1, memory_order_acq_rel);
    must(before > 0);
    if (before == 1) {
        flight_unref(waiter->flight);
        if (waiter->circle.parent != NULL)
            flight_unref(waiter->circle.parent);
        free(waiter);
    }
}
