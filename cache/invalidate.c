/* SPDX-License-Identifier: MIT */
/*
 * invalidate.c: invalidation is final (rule 3). What is stored goes, or is made stale; a load in flight is detached, so
 * that its outcome reaches those already parked and nothing else. Both in one step under the shard's lock. Keys are
 * looked up; all of them are taken with their table; a prefix and a tag become decrees (decree.h).
 */
#include "invalidate.h"

#include "core.h"
#include "flight.h"
#include "hash.h"
#include "sweep.h"

#define SWEEP_BATCH 32 /* entries looked at before the lock is released once */

/* ---- one entry --------------------------------------------------------------------------------------------------- */

/* Makes a stored value stale; an answer of another kind, and a value of no worth then, goes. True: the entry is gone.
 */
static bool invalidate_softly_locked(struct shard *shard, struct entry *entry, int64_t at_ms,
                                     struct after *after) HOLDS_SHARD;
static bool invalidate_softly_locked(struct shard *shard, struct entry *entry, int64_t at_ms, struct after *after)
{
    if (at_ms < entry->fresh_until_ms)
        entry->fresh_until_ms = at_ms;
    if (at_ms < entry_reload_at_ms(entry))
        entry_set_reload_at_ms(entry, at_ms);
    if (!entry_has_value(entry) || worth_at(entry, &shard->cache->options, at_ms) == WORTH_NOTHING) {
        shard_drop_locked(shard, entry, SLUICE_REMOVED_EXPLICIT, after);
        return true;
    }
    shard_arm_locked(shard, entry, after);
    return false;
}

bool invalidate_stored_locked(struct shard *shard, struct entry *entry, bool soft, int64_t at_ms, struct after *after)
{
    shard->locked.counters.invalidated += entry->ready;
    if (entry->flying && flight_detach_locked(entry_flight(entry), soft, after))
        return true;
    if (soft)
        return invalidate_softly_locked(shard, entry, at_ms, after);
    shard_drop_locked(shard, entry, SLUICE_REMOVED_EXPLICIT, after);
    return true;
}

/* As invalidate_stored_locked(), counted. */
static void invalidate_entry_locked(struct shard *shard, struct entry *entry, bool soft, int64_t at_ms,
                                    struct sluice_invalidated *gone, struct after *after) HOLDS_SHARD;
static void invalidate_entry_locked(struct shard *shard, struct entry *entry, bool soft, int64_t at_ms,
                                    struct sluice_invalidated *gone, struct after *after)
{
    gone->entries += entry->ready;
    gone->loads += entry->flying;
    (void)invalidate_stored_locked(shard, entry, soft, at_ms, after);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void invalidate_key(struct sluice_cache *cache, const struct sluice_key *key, bool soft, int64_t now_ms,
                           struct sluice_invalidated *gone) FREE_OF_SHARD;
static void invalidate_key(struct sluice_cache *cache, const struct sluice_key *key, bool soft, int64_t now_ms,
                           struct sluice_invalidated *gone)
{
    uint64_t hash = hash_key(cache->seed, key->data, key->size);
    struct shard *shard = core_shard(cache, hash);
    struct entry *entry;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    restore_mark(&shard->locked.restores, hash);
    entry = table_find(&shard->locked.table, key->data, key->size, hash);
    if (entry != NULL && sweep_entry_locked(shard, entry, &after))
        entry = NULL; /* an earlier invalidation took it */
    if (entry != NULL)
        invalidate_entry_locked(shard, entry, soft, now_ms, gone, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
}

static void invalidate_keys(struct sluice_cache *cache, const struct sluice_invalidation *what, int64_t now_ms,
                            struct sluice_invalidated *gone) FREE_OF_SHARD;
static void invalidate_keys(struct sluice_cache *cache, const struct sluice_invalidation *what, int64_t now_ms,
                            struct sluice_invalidated *gone)
{
    for (size_t i = 0; i < what->count; i++) {
        /* No key of another size can be in the table. */
        if (what->keys[i].size > 0 && what->keys[i].size <= cache->options.key_size_max)
            invalidate_key(cache, &what->keys[i], what->soft, now_ms, gone);
    }
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static void invalidate_shard(struct shard *shard, int64_t now_ms, struct sluice_invalidated *gone) FREE_OF_SHARD;
static void invalidate_shard(struct shard *shard, int64_t now_ms, struct sluice_invalidated *gone)
{
    struct sluice_load *flight;
    struct after after;
    size_t entries;

    after_init(&after);
    lock_acquire(&shard->lock);
    TAILQ_FOREACH(flight, &shard->locked.flights, locked.link)
    {
        if (flight->locked.state == SLUICE_FLIGHT_CURRENT)
            invalidate_entry_locked(shard, flight->locked.entry, false, now_ms, gone, &after);
    }
    (void)restore_end_all(&shard->locked.restores);
    entries = shard_clear_locked(shard, now_ms);
    shard->locked.counters.invalidated += entries;
    lock_release(&shard->lock);

    gone->entries += entries;
    if (entries > 0)
        after.due_ms = now_ms; /* for the timer thread, to free them */
    after_run(&after, shard->cache);
}

/* ---- by decree --------------------------------------------------------------------------------------------------- */

/* Detaches the current loads of keys that begin with the prefix of a decree that has been issued. */
static void invalidate_flights_locked(struct shard *shard, const struct decree *decree, struct sluice_invalidated *gone,
                                      struct after *after) HOLDS_SHARD;
static void invalidate_flights_locked(struct shard *shard, const struct decree *decree, struct sluice_invalidated *gone,
                                      struct after *after)
{
    struct sluice_load *flight;

    TAILQ_FOREACH(flight, &shard->locked.flights, locked.link)
    {
        struct entry *entry = flight->locked.entry;

        if (flight->locked.state != SLUICE_FLIGHT_CURRENT || !entry_has_prefix(entry, decree->pattern, decree->size))
            continue;
        gone->loads++;
        if (entry->ready)
            (void)sweep_entry_locked(shard, entry, after); /* counts the entry with the decree */
        else
            (void)invalidate_stored_locked(shard, entry, decree->soft, decree->now_ms, after);
    }
}

/* One step of issuing a decree in a shard, or of carrying out older ones to make room for it. True: it is issued. */
static bool invalidate_issue_step(struct shard *shard, struct decree *decree,
                                  struct sluice_invalidated *gone) FREE_OF_SHARD;
static bool invalidate_issue_step(struct shard *shard, struct decree *decree, struct sluice_invalidated *gone)
{
    unsigned budget = SWEEP_BATCH;
    struct after after;
    bool issued;

    after_init(&after);
    lock_acquire(&shard->lock);
    issued = sweep_issue_locked(shard, decree);
    if (issued && !decree->is_tag)
        invalidate_flights_locked(shard, decree, gone, &after);
    if (!issued)
        (void)sweep_some_locked(shard, &budget, &after);
    lock_release(&shard->lock);
    after.due_ms = decree->now_ms; /* for the timer thread, to carry it out */
    after_run(&after, shard->cache);
    return issued;
}

/* Without the memory for a decree: carries it out here and now, on all entries, and on all loads that may bring a tag.
 */
static void invalidate_at_once(struct shard *shard, const struct decree *decree,
                               struct sluice_invalidated *gone) FREE_OF_SHARD;
static void invalidate_at_once(struct shard *shard, const struct decree *decree, struct sluice_invalidated *gone)
{
    struct table_walk walk = TABLE_WALK_INIT;
    struct entry *entry;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    (void)restore_end_all(&shard->locked.restores);
    while ((entry = table_walk_next(&shard->locked.table, &walk)) != NULL) {
        if (decree_concerns(decree, entry) || (decree->is_tag && entry->flying))
            invalidate_entry_locked(shard, entry, decree->soft, decree->now_ms, gone, &after);
    }
    lock_release(&shard->lock);
    after_run(&after, shard->cache);
}

/* Carries out all that is pending in a shard, a batch at a time. */
static void invalidate_carry_out(struct shard *shard) FREE_OF_SHARD;
static void invalidate_carry_out(struct shard *shard)
{
    bool more;

    do {
        unsigned budget = SWEEP_BATCH;
        struct after after;

        after_init(&after);
        lock_acquire(&shard->lock);
        more = sweep_some_locked(shard, &budget, &after);
        lock_release(&shard->lock);
        after_run(&after, shard->cache);
    } while (more);
}

/* Issues a decree in all shards. With `counted` it is carried out too, to know how many entries it concerned. */
static void invalidate_by_decree(struct sluice_cache *cache, const struct decree *plan, bool counted,
                                 struct sluice_invalidated *gone) FREE_OF_SHARD;
static void invalidate_by_decree(struct sluice_cache *cache, const struct decree *plan, bool counted,
                                 struct sluice_invalidated *gone)
{
    struct decree *decree = decree_copy(plan, cache->shards_count + 1);

    /* Against the way that the timer thread takes through the shards: so the call meets it once, not at every shard. */
    for (unsigned i = cache->shards_count; i-- > 0;) {
        if (decree == NULL)
            invalidate_at_once(&cache->shards[i], plan, gone);
        else
            while (!invalidate_issue_step(&cache->shards[i], decree, gone))
                ;
    }
    if (decree == NULL)
        return;
    for (unsigned i = 0; counted && i < cache->shards_count; i++)
        invalidate_carry_out(&cache->shards[i]);
    gone->entries += atomic_load(&decree->entries);
    decree_unref(decree);
}

/* ---- by what the caller says of each entry ------------------------------------------------------------------------
 */

struct invalidate_if {
    struct sluice_cache *cache;
    bool (*chosen)(void *arg, const struct sluice_entry_view *entry);
    void *arg;
    struct sluice_invalidated gone;
};

/* Takes an entry away if it still has what was seen. */
static void invalidate_seen(struct sluice_cache *cache, const struct sluice_entry_view *seen,
                            struct sluice_invalidated *gone) FREE_OF_SHARD;
static void invalidate_seen(struct sluice_cache *cache, const struct sluice_entry_view *seen,
                            struct sluice_invalidated *gone)
{
    uint64_t hash = hash_key(cache->seed, seen->key, seen->key_size);
    struct shard *shard = core_shard(cache, hash);
    struct entry *entry;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    entry = table_find(&shard->locked.table, seen->key, seen->key_size, hash);
    if (entry != NULL && entry->ready && entry->value == seen->value && entry->answer == (uint8_t)seen->error)
        invalidate_entry_locked(shard, entry, false, 0, gone, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
}

static bool invalidate_if_chosen(void *arg, const struct sluice_entry_view *entry)
{
    struct invalidate_if *these = arg;

    if (these->chosen(these->arg, entry))
        invalidate_seen(these->cache, entry, &these->gone);
    return true;
}

enum sluice_error sluice_invalidate_if(struct sluice_cache *cache,
                                       bool (*chosen)(void *arg, const struct sluice_entry_view *entry), void *arg,
                                       struct sluice_invalidated *gone)
{
    struct invalidate_if these = {.cache = cache, .chosen = chosen, .arg = arg};
    enum sluice_error error = sluice_cache_for_each(cache, invalidate_if_chosen, &these);

    if (gone != NULL)
        *gone = these.gone;
    return error;
}

/* ---- public ------------------------------------------------------------------------------------------------------ */

void sluice_invalidate_by(struct sluice_cache *cache, const struct sluice_invalidation *what,
                          struct sluice_invalidated *gone)
{
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    struct sluice_invalidated sum = {0, 0};
    struct decree plan = {
        .is_tag = what->select == SLUICE_SELECT_TAG,
        .soft = what->soft,
        .now_ms = now_ms,
        .pattern = what->pattern.data,
        .size = what->pattern.size,
    };

    if (what->select == SLUICE_SELECT_ALL)
        plan.size = 0;
    if (what->select == SLUICE_SELECT_KEYS)
        invalidate_keys(cache, what, now_ms, &sum);
    else if (plan.is_tag || plan.size > 0 || plan.soft)
        invalidate_by_decree(cache, &plan, gone != NULL, &sum);
    else
        for (unsigned i = 0; i < cache->shards_count; i++)
            invalidate_shard(&cache->shards[i], now_ms, &sum);
    if (gone != NULL)
        *gone = sum;
}

void sluice_invalidate_keys(struct sluice_cache *cache, const struct sluice_key *keys, size_t count,
                            struct sluice_invalidated *gone)
{
    const struct sluice_invalidation what = {.select = SLUICE_SELECT_KEYS, .keys = keys, .count = count};

    sluice_invalidate_by(cache, &what, gone);
}

void sluice_invalidate(struct sluice_cache *cache, const void *key, size_t key_size, struct sluice_invalidated *gone)
{
    const struct sluice_key one = {key, key_size};

    sluice_invalidate_keys(cache, &one, 1, gone);
}

void sluice_invalidate_prefix(struct sluice_cache *cache, const void *prefix, size_t prefix_size,
                              struct sluice_invalidated *gone)
{
    const struct sluice_invalidation what = {.select = SLUICE_SELECT_PREFIX, .pattern = {prefix, prefix_size}};

    sluice_invalidate_by(cache, &what, gone);
}

void sluice_invalidate_tag(struct sluice_cache *cache, const char *tag, struct sluice_invalidated *gone)
{
    const struct sluice_invalidation what = {.select = SLUICE_SELECT_TAG, .pattern = {tag, strlen(tag)}};

    sluice_invalidate_by(cache, &what, gone);
}

void sluice_invalidate_all(struct sluice_cache *cache, struct sluice_invalidated *gone)
{
    const struct sluice_invalidation what = {.select = SLUICE_SELECT_ALL};

    sluice_invalidate_by(cache, &what, gone);
}
