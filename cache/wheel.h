/* SPDX-License-Identifier: MIT */
/*
 * wheel.h: a hierarchical timing wheel: timers of any span, started and stopped in constant time.
 *
 * Six levels of 64 slots. A slot of level 0 is one millisecond wide, one of level n is 64^n. A timer waits in the
 * lowest level that reaches its instant and moves down as the time comes near, at most five times in its life. Bitmaps
 * tell which slots hold timers, so that neither a leap in time nor the search for the next instant walks empty slots.
 *
 * Timers are members of what they belong to, which is also asked for their instants: where those follow from what else
 * is known, they take no room, and one that is put off is not moved before its old time. The wheel allocates nothing.
 * Not thread-safe: covered by its owner's lock.
 */
#ifndef CACHE_WHEEL_H
#define CACHE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_LEVELS 6
#define WHEEL_SLOTS  64

/* A member of a circular list. */
struct wheel_link {
    struct wheel_link *next;
    struct wheel_link *previous;
};

struct timer {
    struct wheel_link link; /* next is NULL: not started */
};

/* When a started timer is due. It may have become later than what it was started for, never earlier. */
typedef int64_t wheel_due_ms(const void *self, const struct timer *timer);

struct wheel {
    int64_t now_ms;
    wheel_due_ms *due_ms;
    const void *self;
    uint64_t occupied[WHEEL_LEVELS]; /* bit s: slot s of the level holds timers */
    struct wheel_link passed;        /* timers whose slot has been reached: due, or to be moved down */
    struct wheel_link slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

/* An empty wheel that stands at now_ms. What it held is forgotten, not stopped. */
void wheel_init(struct wheel *wheel, int64_t now_ms, wheel_due_ms *due_ms, const void *self);

static inline void timer_init(struct timer *timer)
{
    timer->link.next = timer->link.previous = (struct wheel_link *)0;
}

static inline bool timer_started(const struct timer *timer)
{
    return timer->link.next != (struct wheel_link *)0;
}

/* Starts a stopped timer, whose instant is known by now; one that has passed is due at once. */
void wheel_start(struct wheel *wheel, struct timer *timer);

/* Stops a timer; nothing happens if it is not started. */
void wheel_stop(struct wheel *wheel, struct timer *timer);

/* Turns the wheel to now_ms: a constant number of steps. An earlier now_ms is ignored. */
void wheel_turn(struct wheel *wheel, int64_t now_ms);

/*
 * The next timer that is due, stopped; NULL if there is none or if the budget is used up. Each timer looked at, be it
 * due or only moved down, costs one of *budget, so that the caller can bound how long it holds a lock.
 */
struct timer *wheel_pop(struct wheel *wheel, unsigned *budget);

/* The instant at which wheel_turn() and wheel_pop() have to be called next; CLOCK_FAR (INT64_MAX) if it is empty. */
int64_t wheel_next_ms(const struct wheel *wheel);

#endif
