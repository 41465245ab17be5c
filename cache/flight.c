/* SPDX-License-Identifier: MIT */
/* flight.c: how a flight begins, changes its state, and is let go of. See flight.h. */
#include "core.h"
#include "flight_private.h"
#include "hash.h"
#include "sweep.h"
#include "value.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct sluice_load *flight_ref(struct sluice_load *flight)
{
    atomic_fetch_add_explicit(&flight->refs, 1, memory_order_relaxed);
    return flight;
}

static void flight_free(struct sluice_load *flight) LOCK_ATTRIBUTE(no_thread_safety_analysis) /* nobody else has it */
{
    circle_place_fini(&flight->circle);
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

void flight_become_locked(struct sluice_load *flight, enum sluice_flight_state state, struct after *after)
{
    must(state > flight->locked.state); /* CURRENT < DETACHED < OVER, and never back */
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT) {
        must(entry_flight(flight->locked.entry) == flight);
        entry_land(flight->locked.entry);
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

_Static_assert(offsetof(struct sluice_load, shelf) == 0, "an entry that leads to the one leads to the other");

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
            flight->old_weight = entry_weight(entry);
        }
    }
    atomic_init(&flight->refs, 2); /* the load's, and that of the call of the loader */
    flight->cache = core_ref(shard->cache);
    flight->shard = shard;
    flight->loader = *plan->loader;
    circle_place_init(&flight->circle);
    flight->locked.background = plan->background;
    flight->locked.chained = true;
    flight->key_size = plan->key_size;
    memcpy(flight->key, plan->key, plan->key_size);
    return flight;
}

void flight_begin_load_locked(struct sluice_load *flight, int64_t now_ms, struct after *after)
{
    struct shard *shard = flight->shard;
    int64_t due_ms = clock_after_ms(now_ms, flight->cache->options.load_timeout_ms);

    flight->locked.started_ms = now_ms;
    flight->locked.born = shard->locked.decrees.last;
    TAILQ_INSERT_TAIL(&shard->locked.flights, flight, locked.link);
    shard->locked.counters.loads++;
    shard->locked.counters.loads_in_flight++;

    if (due_ms != CLOCK_FAR) {
        deadline_start(&shard->locked.deadlines, &flight->locked.deadline, due_ms);
        if (due_ms < after->due_ms)
            after->due_ms = due_ms;
    }
}

static void flight_begin_locked(struct sluice_load *flight, struct entry *entry, int64_t now_ms,
                                struct after *after) HOLDS_SHARD;
static void flight_begin_locked(struct sluice_load *flight, struct entry *entry, int64_t now_ms, struct after *after)
{
    entry_take_off(entry, &flight->shelf);
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
    if (entry != NULL && entry->ready && worth_at(entry, &shard->cache->options, plan->now_ms) == WORTH_NOTHING) {
        shard->locked.counters.expired++; /* a failure, whose back-off is over */
        shard_unstore_locked(shard, entry, SLUICE_REMOVED_EXPIRED, &no_record, after);
    }
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

void flight_leave_entry_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    if (!entry->ready)
        shard_drop_locked(shard, entry, SLUICE_REMOVED_EXPLICIT, after);
}

void flight_unlink_locked(struct sluice_load *flight, struct after *after)
{
    struct entry *entry = flight->locked.entry;

    flight_become_locked(flight, SLUICE_FLIGHT_OVER, after);
    if (entry != NULL)
        flight_leave_entry_locked(flight->shard, entry, after);
}

void flight_heed_locked(struct sluice_load *flight, struct after *after)
{
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT && flight->locked.entry->ready)
        (void)sweep_entry_locked(flight->shard, flight->locked.entry, after);
}

struct entry *flight_beside_locked(struct sluice_load *flight, struct after *after)
{
    struct entry *entry;

    flight_heed_locked(flight, after);
    if (flight->locked.state == SLUICE_FLIGHT_CURRENT)
        return entry_has_value(flight->locked.entry) ? flight->locked.entry : NULL;
    if (flight->old == NULL)
        return NULL;
    entry = table_find(&flight->shard->locked.table, flight->key, flight->key_size,
                       hash_key(flight->cache->seed, flight->key, flight->key_size));
    if (entry == NULL || shard_sweep_locked(flight->shard, entry, after))
        return NULL;
    return entry_has_value(entry) && entry->value == flight->old ? entry : NULL;
}

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
