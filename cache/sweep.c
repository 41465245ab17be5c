/* SPDX-License-Identifier: MIT */
/* sweep.c: see sweep.h. */
#include "sweep.h"

#include "flight.h"
#include "invalidate.h"
#include "value.h"

#define SWEEP_PREFIXES 16 /* so many cost about as much to hold an entry against as the entry itself */

/* ---- one entry --------------------------------------------------------------------------------------------------- */

bool sweep_entry_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    struct decrees *decrees = &shard->locked.decrees;
    struct decree_question question = {.since = entry->conforms, .entry = entry};
    bool gone = false;

    while (!gone && entry->ready) {
        struct decree *decree;

        question.value = entry_has_value(entry) ? entry->value : NULL;
        decree = decrees_find(decrees, &question, &question.since);
        if (decree == NULL)
            break;
        atomic_fetch_add_explicit(&decree->entries, 1, memory_order_relaxed);
        gone = invalidate_stored_locked(shard, entry, decree->soft, decree->now_ms, after);
        question.hard = true; /* stale is stale: later soft ones find nothing to do */
    }
    if (!gone)
        entry->conforms = decrees->last;
    return gone;
}

bool sweep_finds_tag_locked(const struct shard *shard, const struct sluice_value *value, uint32_t since,
                            uint32_t *number)
{
    const struct decree_question question = {.since = since, .value = value};

    if (value->tags_size == 0)
        return false;
    if (decrees_after(shard->locked.decrees.lost, since)) {
        *number = since + 1; /* it may have been this one */
        return true;
    }
    return decrees_find(&shard->locked.decrees, &question, number) != NULL;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* The oldest load that may still give its value to anybody, or NULL. */
static struct sluice_load *sweep_oldest_locked(const struct shard *shard) HOLDS_SHARD;
static struct sluice_load *sweep_oldest_locked(const struct shard *shard)
{
    struct sluice_load *flight;

    TAILQ_FOREACH(flight, &shard->locked.flights, locked.link)
    {
        if (flight->locked.state != SLUICE_FLIGHT_OVER)
            return flight;
    }
    return NULL;
}

/* Forgets the decrees that all entries conform to, and that neither a load nor a saved file can bring a value against.
 */
static void sweep_forget_locked(struct shard *shard) HOLDS_SHARD;
static void sweep_forget_locked(struct shard *shard)
{
    struct decrees *decrees = &shard->locked.decrees;
    const struct sluice_load *oldest = sweep_oldest_locked(shard);

    while (decrees_pending(decrees) > 0) {
        uint32_t number = decrees->forgotten + 1;

        if (decrees_after(number, decrees->swept))
            break;
        if (decrees_get(decrees, number)->is_tag && oldest != NULL && decrees_after(number, oldest->locked.born))
            break;
        if (restore_keeps(&shard->locked.restores, number))
            break;
        decree_unref(decrees_forget(decrees));
    }
    /* Numbers wrap: one that no load is older than any more must not stay behind until it seems to be ahead. */
    if (oldest == NULL)
        decrees->lost = decrees->forgotten;
    else if (!decrees_after(decrees->lost, oldest->locked.born) &&
             decrees_after(decrees->forgotten, oldest->locked.born))
        decrees->lost = oldest->locked.born;
    else if (!decrees_after(decrees->lost, oldest->locked.born))
        decrees->lost = decrees->forgotten;
}

bool sweep_some_locked(struct shard *shard, unsigned *budget, struct after *after)
{
    struct decrees *decrees = &shard->locked.decrees;
    unsigned cost = 1 + decrees->prefixes / SWEEP_PREFIXES;

    if (decrees_pending(decrees) == 0)
        return false;
    if (!decrees->sweeping && decrees->swept != decrees->last) {
        decrees->target = decrees->last;
        decrees->walk = (struct table_walk)TABLE_WALK_INIT;
        decrees->sweeping = true;
    }
    while (decrees->sweeping && *budget > 0) {
        struct entry *entry = table_walk_some(&shard->locked.table, &decrees->walk, budget);

        if (entry == NULL)
            break;
        (void)sweep_entry_locked(shard, entry, after);
        *budget -= cost < *budget ? cost : *budget;
    }
    if (decrees->sweeping && table_walk_is_over(&shard->locked.table, &decrees->walk)) {
        decrees->sweeping = false;
        decrees->swept = decrees->target;
    }
    sweep_forget_locked(shard);
    return decrees->swept != decrees->last;
}

bool sweep_issue_locked(struct shard *shard, struct decree *decree)
{
    struct decrees *decrees = &shard->locked.decrees;

    sweep_forget_locked(shard);
    /* Files that are being loaded give way first: what they have left is left out. */
    if (decrees_full(decrees) && restore_end_all(&shard->locked.restores))
        sweep_forget_locked(shard);
    if (decrees_full(decrees) && !decrees_after(decrees->forgotten + 1, decrees->swept)) {
        /* Swept for, and kept for the sake of old loads. */
        decree_unref(decrees_forget(decrees));
        decrees->lost = decrees->forgotten;
    }
    if (decrees_full(decrees))
        return false;
    decrees_add(decrees, decree);
    return true;
}
