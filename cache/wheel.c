/* SPDX-License-Identifier: MIT */
/* wheel.c: see wheel.h. */
#include "wheel.h"

#include "must.h"

#include <stddef.h>

#define SLOT_BITS 6
#define SLOT_MASK (WHEEL_SLOTS - 1)

static void link_init(struct wheel_link *list)
{
    list->next = list->previous = list;
}

static bool link_is_empty(const struct wheel_link *list)
{
    return list->next == list;
}

static void link_append(struct wheel_link *list, struct wheel_link *link)
{
    link->next = list;
    link->previous = list->previous;
    list->previous->next = link;
    list->previous = link;
}

/* Moves all of `from` behind the last of `to`. */
static void link_move_all(struct wheel_link *to, struct wheel_link *from)
{
    if (link_is_empty(from))
        return;
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    link_init(from);
}

static uint64_t rotate_right(uint64_t bits, unsigned count)
{
    count &= SLOT_MASK;
    return count == 0 ? bits : bits >> count | bits << (WHEEL_SLOTS - count);
}

static unsigned level_shift(unsigned level)
{
    return level * SLOT_BITS;
}

void wheel_init(struct wheel *wheel, int64_t now_ms, wheel_due_ms *due_ms, const void *self)
{
    wheel->now_ms = now_ms;
    wheel->due_ms = due_ms;
    wheel->self = self;
    link_init(&wheel->passed);
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            link_init(&wheel->slots[level][slot]);
    }
}

/* How far off the instant is at a level. Without a sign: two instants may lie farther apart than a number with one. */
static uint64_t slots_ahead(const struct wheel *wheel, int64_t due_ms, unsigned level)
{
    return (uint64_t)(due_ms >> level_shift(level)) - (uint64_t)(wheel->now_ms >> level_shift(level));
}

/*
 * The lowest level at which the instant is less than a turn away. Its slot there is then ahead of the current one,
 * never the current one itself: at every level below it was 64 slots or more away.
 */
static void wheel_place(struct wheel *wheel, struct timer *timer, int64_t due_ms)
{
    unsigned level, slot;
    uint64_t ahead;

    if (due_ms <= wheel->now_ms) {
        link_append(&wheel->passed, &timer->link);
        return;
    }
    for (level = 0; level < WHEEL_LEVELS - 1; level++) {
        if (slots_ahead(wheel, due_ms, level) < WHEEL_SLOTS)
            break;
    }
    ahead = slots_ahead(wheel, due_ms, level);
    if (ahead >= WHEEL_SLOTS) /* farther than the wheel reaches: looked at again once a turn of the top level */
        ahead = WHEEL_SLOTS - 1;
    slot = (unsigned)((uint64_t)(wheel->now_ms >> level_shift(level)) + ahead) & SLOT_MASK;
    link_append(&wheel->slots[level][slot], &timer->link);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

void wheel_start(struct wheel *wheel, struct timer *timer)
{
    must(!timer_started(timer));
    wheel_place(wheel, timer, wheel->due_ms(wheel->self, timer));
}

void wheel_stop(struct wheel *wheel, struct timer *timer)
{
    struct wheel_link *previous = timer->link.previous;
    uintptr_t place = (uintptr_t)previous - (uintptr_t)&wheel->slots[0][0];

    if (!timer_started(timer))
        return;
    previous->next = timer->link.next;
    timer->link.next->previous = previous;
    timer_init(timer);
    /* Alone in its list, its neighbour on both sides was the list's head: if that is a slot, the slot is empty now. */
    if (link_is_empty(previous) && place < sizeof wheel->slots) {
        size_t index = place / sizeof *previous;

        wheel->occupied[index / WHEEL_SLOTS] &= ~(UINT64_C(1) << index % WHEEL_SLOTS);
    }
}

void wheel_turn(struct wheel *wheel, int64_t now_ms)
{
    if (now_ms <= wheel->now_ms)
        return;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        int64_t from = wheel->now_ms >> level_shift(level);
        int64_t steps = (now_ms >> level_shift(level)) - from;
        uint64_t reached;

        if (steps == 0)
            break; /* nor does any level above move */
        reached = steps >= WHEEL_SLOTS ? UINT64_MAX : (UINT64_C(1) << steps) - 1;
        /* Bit 0 of `reached` is the slot after the current one. */
        reached = rotate_right(reached, WHEEL_SLOTS - ((unsigned)(from + 1) & SLOT_MASK)) & wheel->occupied[level];
        wheel->occupied[level] &= ~reached;
        for (; reached != 0; reached &= reached - 1)
            link_move_all(&wheel->passed, &wheel->slots[level][__builtin_ctzll(reached)]);
    }
    wheel->now_ms = now_ms;
}

struct timer *wheel_pop(struct wheel *wheel, unsigned *budget)
{
    while (!link_is_empty(&wheel->passed) && *budget > 0) {
        struct timer *timer = (struct timer *)((char *)wheel->passed.next - offsetof(struct timer, link));

        int64_t due_ms = wheel->due_ms(wheel->self, timer);

        --*budget;
        wheel_stop(wheel, timer);
        if (due_ms <= wheel->now_ms)
            return timer;
        wheel_place(wheel, timer, due_ms);
    }
    return NULL;
}

int64_t wheel_next_ms(const struct wheel *wheel)
{
    int64_t next_ms = INT64_MAX;

    if (!link_is_empty(&wheel->passed))
        return wheel->now_ms;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        int64_t current = wheel->now_ms >> level_shift(level);
        int64_t slot, instant_ms;

        if (wheel->occupied[level] == 0)
            continue;
        slot = current + 1 + __builtin_ctzll(rotate_right(wheel->occupied[level], (unsigned)(current + 1)));
        instant_ms = (int64_t)((uint64_t)slot << level_shift(level)); /* a clock may stand below 0 */
        if (instant_ms < next_ms)
            next_ms = instant_ms;
    }
    return next_ms;
}
