/* SPDX-License-Identifier: MIT */
/* flight_end.c: how a flight ends: with an answer, at its deadline, at the close; and what is counted then. */
#include "call.h"
#include "core.h"
#include "flight_private.h"
#include "sweep.h"
#include "value.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * A computation has failed: that is told to its caller, the first in the queue unless it has left. Others only got into
 * its way: what they are given is left to be said.
 */
static void flight_fail_caller_locked(struct sluice_load *flight, const struct answer *answer,
                                      struct after *after) HOLDS_SHARD;
static void flight_fail_caller_locked(struct sluice_load *flight, const struct answer *answer, struct after *after)
{
    const struct sluice_wait *first = TAILQ_FIRST(&flight->locked.waiters);
    struct sluice_outcome outcome = store_outcome(answer);

    if (first != NULL && first->outcome.source == SLUICE_SOURCE_LOAD)
        flight_release_some_locked(flight, 1, &outcome, after);
}

void flight_settle_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms, struct after *after)
{
    struct entry *entry = flight->locked.entry;
    struct answer own = *answer;
    struct sluice_outcome outcome;

    own.computed = flight->locked.computes;
    store_settle_locked(flight->shard, entry, &own, now_ms, &flight->locked.record, &outcome, after);
    flight_become_locked(flight, SLUICE_FLIGHT_OVER, after);
    if (own.computed && answer_failed(answer))
        flight_fail_caller_locked(flight, answer, after);
    flight_release_locked(flight, &outcome, after);
    flight_leave_entry_locked(flight->shard, entry, after);
}

/*
 * Ends a flight that has been detached: nothing is stored. Where its load failed and the old value is still there,
 * since the invalidation was a soft one, that is what its waiters are given (rule 12).
 */
static void flight_end_detached_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms,
                                       struct after *after) HOLDS_SHARD;
static void flight_end_detached_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms,
                                       struct after *after)
{
    struct sluice_outcome outcome = store_outcome(answer);

    if (answer_failed(answer))
        outcome =
            store_outcome_of_failure(&flight->cache->options, flight_beside_locked(flight, after), answer, now_ms);
    flight_become_locked(flight, SLUICE_FLIGHT_OVER, after);
    if (flight->locked.computes && answer_failed(answer))
        flight_fail_caller_locked(flight, answer, after);
    flight_release_locked(flight, &outcome, after);
}

void flight_replace_locked(struct sluice_load *flight, struct sluice_load *successor, int64_t now_ms,
                           struct after *after)
{
    static const struct answer failed = {.error = SLUICE_LOAD_FAILED};

    if (flight->locked.state == SLUICE_FLIGHT_OVER)
        return; /* nobody waited for it */
    flight_move_waiters_locked(flight, successor);
    flight_end_detached_locked(flight, &failed, now_ms, after);
}

void flight_abort_locked(struct sluice_load *flight, struct after *after)
{
    static const struct answer closed = {.error = SLUICE_CLOSED};
    struct sluice_outcome outcome = store_outcome(&closed);

    flight_unlink_locked(flight, after);
    flight_release_locked(flight, &outcome, after);
}

void flight_expire_locked(struct sluice_load *flight, int64_t now_ms, struct after *after)
{
    static const struct answer late = {.error = SLUICE_LOAD_TIMED_OUT};

    flight->shard->locked.counters.loads_timed_out++;
    flight_heed_locked(flight, after);
    if (flight->locked.state == SLUICE_FLIGHT_OVER)
        return;
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT)
        flight_settle_locked(flight, &late, now_ms, after);
    else
        flight_end_detached_locked(flight, &late, now_ms, after);
}

/* What was refused counts as failed too: for rule 23, and since its waiters got an error as of any failed load. */
static void flight_count_failure_locked(struct sluice_stats *counters, enum sluice_error error)
{
    counters->loads_failed++;
    if (error == SLUICE_LOAD_REFUSED)
        counters->loads_refused++;
}

/* Which of stats.load_times counts a load that took so long: the number of its binary digits. */
static size_t flight_time_class(uint64_t took_ms)
{
    size_t digits = took_ms == 0 ? 0 : 64 - (size_t)__builtin_clzll(took_ms);

    return digits < SLUICE_LOAD_TIMES ? digits : SLUICE_LOAD_TIMES - 1;
}

static void flight_count_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms) HOLDS_SHARD;
static void flight_count_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms)
{
    struct sluice_stats *counters = &flight->shard->locked.counters;
    uint64_t took_ms = (uint64_t)clock_age_ms(now_ms, flight->locked.started_ms);

    counters->loads_in_flight--;
    counters->load_time_ms += took_ms;
    counters->load_times[flight_time_class(took_ms)]++;
    if (flight->locked.state == SLUICE_FLIGHT_OVER)
        counters->loads_dropped++;
    else if (answer->error == SLUICE_OK)
        counters->loads_completed++;
    else if (answer->error == SLUICE_NOT_FOUND)
        counters->loads_not_found++;
    else
        flight_count_failure_locked(counters, answer->error);
}

/* How long the load took, as far as a value's entry has room for it. */
static uint32_t flight_cost_ms_locked(const struct sluice_load *flight, int64_t now_ms) HOLDS_SHARD;
static uint32_t flight_cost_ms_locked(const struct sluice_load *flight, int64_t now_ms)
{
    int64_t cost_ms = clock_age_ms(now_ms, flight->locked.started_ms);

    return cost_ms < UINT32_MAX ? (uint32_t)cost_ms : UINT32_MAX;
}

/*
 * The old value may have left while the load was on, so that nobody who came then met it and saw that its tag was
 * invalidated. Those who wait for the next load may not be given it, so the loader is not either (rule 11).
 */
static void flight_heed_old_locked(struct sluice_load *flight) HOLDS_SHARD;
static void flight_heed_old_locked(struct sluice_load *flight)
{
    uint32_t number;

    if (flight->old == NULL || !sweep_finds_tag_locked(flight->shard, flight->old, flight->locked.born, &number))
        return;
    sluice_value_unref(flight->old);
    flight->old = NULL;
}

/*
 * The flight goes on with a new load, by the cache's own loader. What it has of the old one is kept: the entry,
 * the waiters, the old value where it still holds, the load's slot and reference.
 */
static void flight_restart_locked(struct sluice_load *flight, int64_t now_ms, struct after *after) HOLDS_SHARD;
static void flight_restart_locked(struct sluice_load *flight, int64_t now_ms, struct after *after)
{
    wheel_stop(&flight->shard->locked.deadlines, &flight->locked.deadline.timer);
    flight->loader = flight->cache->options.loader;
    flight_heed_old_locked(flight);
    flight->locked.called = flight->locked.ended = flight->locked.computes = false;
    flight->again = true;
    flight_begin_load_locked(flight, now_ms, after);
}

/*
 * A flight has ended with a value whose tag was invalidated since it began, first by decree `number` (rule 3): it is
 * for those who had parked by then, and is not stored. True: others have parked since, and the flight goes on. That is
 * so also for one that was detached after they had parked: nobody else can join it, and it stores nothing.
 */
static bool flight_end_late_locked(struct sluice_load *flight, uint32_t number, const struct sluice_outcome *outcome,
                                   int64_t now_ms, struct after *after) HOLDS_SHARD;
static bool flight_end_late_locked(struct sluice_load *flight, uint32_t number, const struct sluice_outcome *outcome,
                                   int64_t now_ms, struct after *after)
{
    struct sluice_wait *waiter;
    size_t early = 0;

    TAILQ_FOREACH(waiter, &flight->locked.waiters, locked.link)
    {
        if (!decrees_after(number, waiter->locked.joined))
            break;
        early++;
    }
    if (early == flight->locked.waiters_count) {
        if (flight->locked.state == SLUICE_FLIGHT_CURRENT)
            (void)flight_detach_locked(flight, true, after);
        return false;
    }
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT)
        flight->shard->locked.counters.loads_detached++;
    flight_release_some_locked(flight, early, outcome, after);
    flight_restart_locked(flight, now_ms, after);
    return true;
}

/* Ends a flight, in whatever state. True: it goes on with another load. */
static bool flight_end_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms,
                              struct after *after) HOLDS_SHARD;
static bool flight_end_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms,
                              struct after *after)
{
    struct sluice_outcome outcome = store_outcome(answer);
    uint32_t number;

    flight_heed_locked(flight, after);
    if (flight->locked.state != SLUICE_FLIGHT_OVER && answer->error == SLUICE_OK &&
        sweep_finds_tag_locked(flight->shard, answer->value, flight->locked.born, &number) &&
        flight_end_late_locked(flight, number, &outcome, now_ms, after))
        return true;
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT)
        flight_settle_locked(flight, answer, now_ms, after);
    else if (flight->locked.state == SLUICE_FLIGHT_DETACHED)
        flight_end_detached_locked(flight, answer, now_ms, after);
    core_give_back(&flight->cache->loads);
    return false;
}

/* What comes after the end of a load. */
enum flight_next {
    FLIGHT_ENDS,
    FLIGHT_IS_CALLED_NOW,   /* on this thread: the background's may all be waiting for it (rule 17) */
    FLIGHT_IS_CALLED_LATER, /* in the background */
    FLIGHT_IS_CHAINED       /* by the call that began it, which has not come to it yet */
};

/*
 * How a flight that goes on is called. With the reference of that call, if this is to see to it: once the lock is
 * released a get may overtake, and the new load be over.
 */
static enum flight_next flight_next_locked(struct sluice_load *flight) HOLDS_SHARD;
static enum flight_next flight_next_locked(struct sluice_load *flight)
{
    const struct sluice_wait *waiter;

    TAILQ_FOREACH(waiter, &flight->locked.waiters, locked.link)
    {
        if (waiter->circle.parent != NULL) {
            flight_ref(flight);
            return FLIGHT_IS_CALLED_NOW;
        }
    }
    if (flight->locked.chained)
        return FLIGHT_IS_CHAINED;
    flight->locked.chained = true;
    flight_ref(flight);
    return FLIGHT_IS_CALLED_LATER;
}

void flight_finish(struct sluice_load *flight, struct answer *answer)
{
    int64_t now_ms = clock_now_ms(&flight->cache->options.clock);
    struct sluice_cache *cache = flight->cache;
    struct shard *shard = flight->shard;
    enum flight_next next = FLIGHT_ENDS;
    struct call_chain again;
    struct after after;

    if (answer->error == SLUICE_OK && !answer->renews)
        store_weigh(flight->cache, flight->key, flight->key_size, answer);
    circle_part(flight);
    after_init(&after);
    lock_acquire(&shard->lock);
    if (flight->locked.ended) {
        fprintf(stderr, "sluice: a load was ended twice by its loader\n");
        abort();
    }
    flight->locked.ended = true;
    TAILQ_REMOVE(&shard->locked.flights, flight, locked.link);
    flight_count_locked(flight, answer, now_ms);
    answer->cost_ms = flight_cost_ms_locked(flight, now_ms);
    if (flight_end_locked(flight, answer, now_ms, &after))
        next = flight_next_locked(flight);
    lock_release(&shard->lock);

    if (next == FLIGHT_IS_CALLED_NOW || next == FLIGHT_IS_CALLED_LATER)
        after.led = flight;

    after_run(&after, cache);
    sluice_value_unref(answer->value);
    if (next == FLIGHT_ENDS) {
        flight_unref(flight);
    } else if (next == FLIGHT_IS_CALLED_NOW) {
        call_overtake(flight);
    } else if (next == FLIGHT_IS_CALLED_LATER) {
        call_chain_init(&again);
        call_chain_add(&again, flight);
        call_load_later(&again);
    }
}
