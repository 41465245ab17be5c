/* SPDX-License-Identifier: MIT */
/*
 * waiter.h: one parked get, blocking (on the stack of its thread) or asynchronous (on the heap; the public
 * sluice_wait).
 *
 *   PARKED     in its flight's queue, maybe with a deadline on the shard's wheel
 *   RELEASED   has its outcome; its callback or thread has been or is about to be told
 *   CANCELLED  left by itself; nobody is told
 *
 *   PARKED -> RELEASED | CANCELLED. Only under the shard's lock, so that exactly one of the two happens (rules 7, 19).
 */
#ifndef CACHE_WAITER_H
#define CACHE_WAITER_H

#include "circle.h"
#include "lock.h"
#include "park.h"
#include "wheel.h"

#include <sluice/cache.h>
#include <sys/queue.h>

enum waiter_state { WAITER_PARKED, WAITER_RELEASED, WAITER_CANCELLED };

/* A deadline on a shard's wheel: of a wait (rule 7), or of a load (rule 8). */
struct deadline {
    struct timer timer;
    bool of_load;
    int64_t due_ms;
};

/* For wheel_init(). */
int64_t deadline_due_ms(const void *unused, const struct timer *timer);

static inline void deadline_start(struct wheel *wheel, struct deadline *deadline, int64_t due_ms)
{
    deadline->due_ms = due_ms;
    wheel_start(wheel, &deadline->timer);
}

struct sluice_wait {
    sluice_callback *callback; /* NULL: blocking */
    void *arg;
    struct park park;              /* blocking: where the thread sleeps */
    _Atomic uint32_t refs;         /* asynchronous: one until its end was told, one for the caller's handle */
    struct shard *shard;           /* set when it parks: its flight's, whichever that is */
    struct sluice_load *flight;    /* set when it parks; one without a parent may be moved to another, under the shard's
                                      lock. Asynchronous: a reference */
    struct circle_wait circle;     /* set before it parks, then covered by the circles' lock */
    struct sluice_outcome outcome; /* written by the release, read once it is told */
    struct {
        TAILQ_ENTRY(sluice_wait) link; /* in the flight's queue, then in a list of released ones */
        struct deadline deadline;      /* at due_ms, or at stale_at_ms if that is before */
        int64_t due_ms;                /* when its time is over; CLOCK_FAR: never */
        int64_t stale_at_ms;           /* when it takes a stale value, if there is one; CLOCK_FAR: never */
        enum waiter_state state;
        uint32_t joined; /* the last decree when it parked */
    } locked BY_SHARD;
};

struct shard;

TAILQ_HEAD(waiter_queue, sluice_wait);

/* Makes ready a waiter on the caller's stack. Whoever calls holds the parent, which may be NULL, as long as it lives.
 */
void waiter_init_blocking(struct sluice_wait *waiter, struct sluice_load *parent);

/* An asynchronous waiter with `refs` references, parked nowhere yet; NULL: no memory. Takes a reference of the parent.
 */
struct sluice_wait *waiter_create(sluice_callback *callback, void *arg, struct sluice_load *parent, unsigned refs);

/* Frees one that was not parked. Allowed under a shard's lock, since the caller of the get holds the parent. */
void waiter_discard(struct sluice_wait *waiter);

/*
 * Tells the end: runs the callback, or wakes the thread (whose waiter must not be touched afterwards). Gives back the
 * reference that was the cache's.
 */
void waiter_tell(struct sluice_wait *waiter) FREE_OF_SHARD;

#endif
