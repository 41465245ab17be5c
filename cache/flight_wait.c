/* SPDX-License-Identifier: MIT */
/* flight_wait.c: those who wait for a flight: how they join, leave alone (rule 7), and are released (rules 5, 21). */
#include "core.h"
#include "flight_private.h"
#include "value.h"

void flight_join_locked(struct sluice_load *flight, struct sluice_wait *waiter)
{
    must(flight->locked.state == SLUICE_FLIGHT_CURRENT);
    TAILQ_INSERT_TAIL(&flight->locked.waiters, waiter, locked.link);
    flight->locked.waiters_count++;
    flight->shard->locked.counters.waiters++;
    waiter->locked.joined = flight->shard->locked.decrees.last;
    waiter->shard = flight->shard;
    waiter->flight = flight;
}

void flight_set_deadline_locked(struct sluice_load *flight, struct sluice_wait *waiter, int64_t due_ms,
                                struct after *after)
{
    struct wheel *deadlines = &flight->shard->locked.deadlines;
    int64_t first_ms = due_ms < waiter->locked.stale_at_ms ? due_ms : waiter->locked.stale_at_ms;

    waiter->locked.due_ms = due_ms;
    wheel_stop(deadlines, &waiter->locked.deadline.timer);
    if (first_ms == CLOCK_FAR)
        return;
    deadline_start(deadlines, &waiter->locked.deadline, first_ms);
    if (first_ms < after->due_ms)
        after->due_ms = first_ms;
}

void flight_move_waiters_locked(struct sluice_load *from, struct sluice_load *to)
{
    struct sluice_wait *waiter, *next;

    for (waiter = TAILQ_FIRST(&from->locked.waiters); waiter != NULL; waiter = next) {
        next = TAILQ_NEXT(waiter, locked.link);
        if (waiter->circle.parent != NULL)
            continue; /* what looks for circles may be looking at it */
        TAILQ_REMOVE(&from->locked.waiters, waiter, locked.link);
        from->locked.waiters_count--;
        TAILQ_INSERT_TAIL(&to->locked.waiters, waiter, locked.link);
        to->locked.waiters_count++;
        waiter->flight = to;
        if (waiter->callback != NULL) {
            flight_ref(to);
            atomic_fetch_sub_explicit(&from->refs, 1, memory_order_relaxed); /* not the last: the load has not ended */
        }
    }
}

/* The last waiter has left: whether the load is to go on and be stored (rule 9). */
static bool flight_goes_on_locked(const struct sluice_load *flight) HOLDS_SHARD;
static bool flight_goes_on_locked(const struct sluice_load *flight)
{
    return flight->locked.state == SLUICE_FLIGHT_CURRENT &&
           (flight->locked.background || !flight->cache->options.cancel_unwanted_loads);
}

/* Takes a parked waiter out of the queue. */
static void flight_part_locked(struct sluice_load *flight, struct sluice_wait *waiter, enum waiter_state state,
                               struct after *after) HOLDS_SHARD;
static void flight_part_locked(struct sluice_load *flight, struct sluice_wait *waiter, enum waiter_state state,
                               struct after *after)
{
    must(waiter->locked.state == WAITER_PARKED);
    wheel_stop(&flight->shard->locked.deadlines, &waiter->locked.deadline.timer);
    TAILQ_REMOVE(&flight->locked.waiters, waiter, locked.link);
    flight->locked.waiters_count--;
    flight->shard->locked.counters.waiters--;
    core_give_back(&flight->cache->waiters);
    waiter->locked.state = state;
    if (flight->locked.waiters_count == 0 && !flight_goes_on_locked(flight))
        flight_unlink_locked(flight, after);
}

void flight_leave_locked(struct sluice_load *flight, struct sluice_wait *waiter, enum sluice_error why,
                         struct after *after)
{
    struct sluice_stats *counters = &flight->shard->locked.counters;

    waiter->outcome.error = why;
    if (why == SLUICE_OK)
        counters->waits_cancelled++;
    else if (why == SLUICE_TIMED_OUT)
        counters->waits_timed_out++;
    flight_part_locked(flight, waiter, why == SLUICE_OK ? WAITER_CANCELLED : WAITER_RELEASED, after);
}

/* The waiter's patience is over: whether it has taken the value that is stored beside its flight. */
static bool flight_take_stale_locked(struct sluice_load *flight, struct sluice_wait *waiter, int64_t now_ms,
                                     struct after *after) HOLDS_SHARD;
static bool flight_take_stale_locked(struct sluice_load *flight, struct sluice_wait *waiter, int64_t now_ms,
                                     struct after *after)
{
    struct shard *shard = flight->shard;
    enum sluice_source source = waiter->outcome.source;
    const struct entry *entry;
    enum worth worth;

    entry = flight_beside_locked(flight, after);
    if (entry == NULL)
        return false;
    worth = worth_at(entry, &flight->cache->options, now_ms);
    if (worth == WORTH_NOTHING)
        return false;
    shard_answer_locked(shard, entry, worth, now_ms, &waiter->outcome);
    waiter->outcome.source = source;
    shard->locked.counters.stale += waiter->outcome.stale;
    flight->locked.background = true; /* it has not lost its last waiter: the load goes on, for the cache */
    flight_part_locked(flight, waiter, WAITER_RELEASED, after);
    return true;
}

bool flight_ring_locked(struct sluice_load *flight, struct sluice_wait *waiter, int64_t now_ms, struct after *after)
{
    if (now_ms >= waiter->locked.due_ms) {
        flight_leave_locked(flight, waiter, SLUICE_TIMED_OUT, after);
        return true;
    }
    if (flight_take_stale_locked(flight, waiter, now_ms, after))
        return true;
    waiter->locked.stale_at_ms = CLOCK_FAR;
    flight_set_deadline_locked(flight, waiter, waiter->locked.due_ms, after);
    return false;
}

void flight_release_some_locked(struct sluice_load *flight, size_t count, const struct sluice_outcome *outcome,
                                struct after *after)
{
    value_ref_many(outcome->value, count);
    value_ref_many(outcome->reason, count);
    if (outcome->stale)
        flight->shard->locked.counters.stale += count;
    for (size_t i = 0; i < count; i++) {
        struct sluice_wait *waiter = TAILQ_FIRST(&flight->locked.waiters);
        enum sluice_source source = waiter->outcome.source;

        waiter->outcome = *outcome;
        waiter->outcome.source = source;
        waiter->locked.state = WAITER_RELEASED;
        wheel_stop(&flight->shard->locked.deadlines, &waiter->locked.deadline.timer);
        TAILQ_REMOVE(&flight->locked.waiters, waiter, locked.link);
        TAILQ_INSERT_TAIL(&after->released, waiter, locked.link);
    }
    flight->locked.waiters_count -= count;
    flight->shard->locked.counters.waiters -= count;
    atomic_fetch_sub_explicit(&flight->cache->waiters, count, memory_order_relaxed);
}

void flight_release_locked(struct sluice_load *flight, const struct sluice_outcome *outcome, struct after *after)
{
    flight_release_some_locked(flight, flight->locked.waiters_count, outcome, after);
}
