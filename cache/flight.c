/* SPDX-License-Identifier: MIT */
/* flight.c: see flight.h. */
#include "flight.h"

#include "call.h"
#include "core.h"
#include "sweep.h"
#include "value.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sluice_load *flight_ref(struct sluice_load *flight)
{
    atomic_fetch_add_explicit(&flight->refs, 1, memory_order_relaxed);
    return flight;
}

static void flight_free(struct sluice_load *flight) LOCK_ATTRIBUTE(no_thread_safety_analysis) /* nobody else has it */
{
    if (flight->circle.speaker != flight)
        flight_unref(flight->circle.speaker);
    sluice_value_unref(flight->old);
    entry_destroy(flight->locked.record);
    free(flight);
}

void flight_unref(struct sluice_load *flight)
{
    uint32_t before = atomic_fetch_sub_explicit(&flight->refs, 1, memory_order_acq_rel);

    must(before > 0);
    if (before == 1) {
        struct sluice_cache *cache = flight->cache;

        flight_free(flight);
        core_unref(cache);
    }
}

/* Whether the loader is to be told that nobody can be given the result any more. */
static bool flight_must_tell_locked(const struct sluice_load *flight) HOLDS_SHARD;
static bool flight_must_tell_locked(const struct sluice_load *flight)
{
    return flight->loader.unwanted != NULL && flight->locked.called && !flight->locked.ended;
}

/* The one place where a flight changes its state. */
static void flight_become_locked(struct sluice_load *flight, enum sluice_flight_state state,
                                 struct after *after) HOLDS_SHARD;
static void flight_become_locked(struct sluice_load *flight, enum sluice_flight_state state, struct after *after)
{
    must(state > flight->locked.state); /* CURRENT < DETACHED < OVER, and never back */
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT) {
        must(flight->locked.entry->flight == flight);
        flight->locked.entry->flight = NULL;
        flight->locked.entry = NULL;
    }
    if (state == SLUICE_FLIGHT_OVER) {
        wheel_stop(&flight->shard->locked.deadlines, &flight->locked.deadline.timer);
        if (flight_must_tell_locked(flight)) {
            flight_ref(flight);
            TAILQ_INSERT_TAIL(&after->unwanted, flight, locked.unwanted);
        }
    }
    flight->locked.state = state;
}

/* ---- begin ------------------------------------------------------------------------------------------------------- */

/* A flight in no shard yet, for a key whose entry is `entry` or NULL. NULL: no memory. */
static struct sluice_load *flight_create_locked(struct shard *shard, const struct entry *entry,
                                                const struct flight_plan *plan) HOLDS_SHARD;
static struct sluice_load *flight_create_locked(struct shard *shard, const struct entry *entry,
                                                const struct flight_plan *plan)
{
    struct sluice_load *flight = malloc(sizeof *flight + plan->key_size);

    if (flight == NULL)
        return NULL;
    memset(flight, 0, sizeof *flight);
    if (entry != NULL && entry->ready) {
        flight->locked.record = entry_create(plan->key, plan->key_size);
        if (flight->locked.record == NULL) {
            free(flight);
            return NULL;
        }
        if (entry_has_value(entry)) {
            flight->old = sluice_value_ref(entry->value);
            flight->old_weight = entry->weight;
        }
    }
    atomic_init(&flight->refs, 2); /* the load's, and that of the call of the loader */
    flight->cache = core_ref(shard->cache);
    flight->shard = shard;
    flight->loader = *plan->loader;
    flight->circle.speaker = flight;
    flight->locked.background = plan->background;
    flight->key_size = plan->key_size;
    memcpy(flight->key, plan->key, plan->key_size);
    return flight;
}

/* A load begins, the first one of the flight or another. */
static void flight_begin_load_locked(struct sluice_load *flight, int64_t now_ms, struct after *after) HOLDS_SHARD;
static void flight_begin_load_locked(struct sluice_load *flight, int64_t now_ms, struct after *after)
{
    struct shard *shard = flight->shard;
    int64_t due_ms = clock_after_ms(now_ms, flight->cache->options.load_timeout_ms);

    flight->locked.started_ms = now_ms;
    flight->locked.born = shard->locked.decrees.last;
    TAILQ_INSERT_TAIL(&shard->locked.flights, flight, locked.link);
    shard->locked.counters.loads++;
    shard->locked.counters.loads_in_flight++;

    if (due_ms != CLOCK_FAR) {
        wheel_start(&shard->locked.deadlines, &flight->locked.deadline.timer, due_ms);
        if (due_ms < after->due_ms)
            after->due_ms = due_ms;
    }
}

static void flight_begin_locked(struct sluice_load *flight, struct entry *entry, int64_t now_ms,
                                struct after *after) HOLDS_SHARD;
static void flight_begin_locked(struct sluice_load *flight, struct entry *entry, int64_t now_ms, struct after *after)
{
    entry->flight = flight;
    flight->locked.state = SLUICE_FLIGHT_CURRENT;
    flight->locked.entry = entry;
    TAILQ_INIT(&flight->locked.waiters);
    timer_init(&flight->locked.deadline.timer);
    flight->locked.deadline.of_load = true;
    flight_begin_load_locked(flight, now_ms, after);
}

enum sluice_error flight_lead_locked(struct shard *shard, struct entry *entry, const struct flight_plan *plan,
                                     struct sluice_load **flight, struct after *after)
{
    struct entry *no_record = NULL;
    struct sluice_load *created;

    if (!core_take(&shard->cache->loads, shard->cache->options.loads_max))
        return SLUICE_TOO_MANY_LOADS;
    if (entry != NULL && entry->ready && worth_at(entry, &shard->cache->options, plan->now_ms) == WORTH_NOTHING)
        shard_unstore_locked(shard, entry, SLUICE_REMOVED_EXPIRED, &no_record,
                             after); /* a failure's back-off is over */
    created = flight_create_locked(shard, entry, plan);
    if (created == NULL)
        goto no_flight;
    if (entry == NULL)
        entry = shard_add_locked(shard, plan->key, plan->key_size, plan->hash);
    if (entry == NULL)
        goto no_entry;
    flight_begin_locked(created, entry, plan->now_ms, after);
    after->led = created;
    *flight = created;
    return SLUICE_OK;

no_entry:
    atomic_fetch_sub_explicit(&shard->cache->refs, 1,
                              memory_order_relaxed); /* not the last: the caller uses the cache */
    flight_free(created);
no_flight:
    if (entry != NULL && !entry->ready)
        shard_drop_locked(shard, entry, SLUICE_REMOVED_EXPIRED, after);
    core_give_back(&shard->cache->loads);
    return SLUICE_NO_MEMORY;
}

/* Takes an entry away that has nothing stored, now that its flight is unlinked. */
static void flight_leave_entry_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;
static void flight_leave_entry_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    if (!entry->ready)
        shard_drop_locked(shard, entry, SLUICE_REMOVED_EXPLICIT, after);
}

/* Ends a flight that nobody waits for. Its entry stays if it has something stored. */
static void flight_unlink_locked(struct sluice_load *flight, struct after *after) HOLDS_SHARD;
static void flight_unlink_locked(struct sluice_load *flight, struct after *after)
{
    struct entry *entry = flight->locked.entry;

    flight_become_locked(flight, SLUICE_FLIGHT_OVER, after);
    if (entry != NULL)
        flight_leave_entry_locked(flight->shard, entry, after);
}

/* Holds what is stored beside a current flight against the decrees: it may have been invalidated, and the flight too.
 */
static void flight_heed_locked(struct sluice_load *flight, struct after *after) HOLDS_SHARD;
static void flight_heed_locked(struct sluice_load *flight, struct after *after)
{
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT && flight->locked.entry->ready)
        (void)sweep_entry_locked(flight->shard, flight->locked.entry, after);
}

/* ---- waiters ----------------------------------------------------------------------------------------------------- */

void flight_join_locked(struct sluice_load *flight, struct sluice_wait *waiter)
{
    must(flight->locked.state == SLUICE_FLIGHT_CURRENT);
    TAILQ_INSERT_TAIL(&flight->locked.waiters, waiter, locked.link);
    flight->locked.waiters_count++;
    flight->shard->locked.counters.waiters++;
    waiter->locked.joined = flight->shard->locked.decrees.last;
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
    wheel_start(deadlines, &waiter->locked.deadline.timer, first_ms);
    if (first_ms < after->due_ms)
        after->due_ms = first_ms;
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

    flight_heed_locked(flight, after);
    entry = flight->locked.entry;
    if (entry == NULL || !entry_has_value(entry))
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

/*
 * Releases the first so many waiters, first come, first served, each with the outcome and its own word of how it came
 * by it. They are told after the unlock.
 */
static void flight_release_some_locked(struct sluice_load *flight, size_t count, const struct sluice_outcome *outcome,
                                       struct after *after) HOLDS_SHARD;
static void flight_release_some_locked(struct sluice_load *flight, size_t count, const struct sluice_outcome *outcome,
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

static void flight_release_locked(struct sluice_load *flight, const struct sluice_outcome *outcome,
                                  struct after *after) HOLDS_SHARD;
static void flight_release_locked(struct sluice_load *flight, const struct sluice_outcome *outcome, struct after *after)
{
    flight_release_some_locked(flight, flight->locked.waiters_count, outcome, after);
}

/* ---- end --------------------------------------------------------------------------------------------------------- */

bool flight_detach_locked(struct sluice_load *flight, bool soft, struct after *after)
{
    struct entry *entry = flight->locked.entry;
    bool waited_for = flight->locked.waiters_count > 0;

    flight_become_locked(flight, waited_for ? SLUICE_FLIGHT_DETACHED : SLUICE_FLIGHT_OVER, after);
    flight->shard->locked.counters.loads_detached++;
    if (soft && entry->ready)
        return false;
    shard_drop_locked(flight->shard, entry, SLUICE_REMOVED_EXPLICIT, after);
    return true;
}

void flight_settle_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms, struct after *after)
{
    struct entry *entry = flight->locked.entry;
    struct answer own = *answer;
    struct sluice_outcome outcome;

    own.computed = flight->locked.computes;
    store_settle_locked(flight->shard, entry, &own, now_ms, &flight->locked.record, &outcome, after);
    flight_become_locked(flight, SLUICE_FLIGHT_OVER, after);
    flight_release_locked(flight, &outcome, after);
    flight_leave_entry_locked(flight->shard, entry, after);
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
    struct sluice_outcome outcome = store_outcome(&late);

    flight->shard->locked.counters.loads_timed_out++;
    flight_heed_locked(flight, after);
    if (flight->locked.state == SLUICE_FLIGHT_OVER)
        return;
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT) {
        flight_settle_locked(flight, &late, now_ms, after);
        return;
    }
    flight_become_locked(flight, SLUICE_FLIGHT_OVER, after);
    flight_release_locked(flight, &outcome, after);
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
 * The flight goes on with a new load, by the cache's own loader. What it has of the old one is kept: the entry,
 * the waiters, the load's slot and reference.
 */
static void flight_restart_locked(struct sluice_load *flight, int64_t now_ms, struct after *after) HOLDS_SHARD;
static void flight_restart_locked(struct sluice_load *flight, int64_t now_ms, struct after *after)
{
    wheel_stop(&flight->shard->locked.deadlines, &flight->locked.deadline.timer);
    flight->loader = flight->cache->options.loader;
    flight->locked.called = flight->locked.ended = flight->locked.computes = false;
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
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT) {
        flight_settle_locked(flight, answer, now_ms, after);
    } else if (flight->locked.state == SLUICE_FLIGHT_DETACHED) {
        flight_become_locked(flight, SLUICE_FLIGHT_OVER, after);
        flight_release_locked(flight, &outcome, after);
    }
    core_give_back(&flight->cache->loads);
    return false;
}

void flight_finish(struct sluice_load *flight, struct answer *answer)
{
    int64_t now_ms = clock_now_ms(&flight->cache->options.clock);
    struct sluice_cache *cache = flight->cache;
    struct shard *shard = flight->shard;
    struct call_chain again;
    struct after after;
    bool goes_on;

    if (answer->error == SLUICE_OK && !answer->renews)
        store_weigh(flight->cache, flight->key, flight->key_size, answer);
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
    goes_on = flight_end_locked(flight, answer, now_ms, &after);
    lock_release(&shard->lock);

    after_run(&after, cache);
    sluice_value_unref(answer->value);
    if (goes_on) {
        call_chain_init(&again);
        call_chain_add(&again, flight_ref(flight));
        call_load_later(&again);
    } else {
        flight_unref(flight);
    }
}

struct sluice_load *flight_of_deadline(struct deadline *deadline)
{
    must(deadline->of_load);
    return (struct sluice_load *)((char *)deadline - offsetof(struct sluice_load, locked.deadline));
}

struct sluice_wait *waiter_of_deadline(struct deadline *deadline)
{
    must(!deadline->of_load);
    return (struct sluice_wait *)((char *)deadline - offsetof(struct sluice_wait, locked.deadline));
}
