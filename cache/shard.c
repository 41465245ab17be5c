/* SPDX-License-Identifier: MIT */
/* shard.c: see shard.h. Finding, counting and taking away. */
#include "shard.h"

#include "core.h"
#include "flight.h"
#include "hash.h"
#include "sweep.h"
#include "value.h"

#include <limits.h>

/* When an entry's answer is to be taken away, by what is now known of when it was last given. */
static int64_t shard_expiry_ms(const void *options, const struct timer *timer)
{
    return worth_until_ms(shard_entry_of_timer(timer), options);
}

void shard_init(struct shard *shard, struct sluice_cache *cache, int64_t now_ms)
{
    static const struct sluice_stats zero;

    shard->cache = cache;
    lock_init(&shard->lock);
    lock_acquire(&shard->lock);
    table_init(&shard->locked.table);
    STAILQ_INIT(&shard->locked.cleared);
    eviction_init(&shard->locked.eviction);
    wheel_init(&shard->locked.expiries, now_ms, shard_expiry_ms, &cache->options);
    wheel_init(&shard->locked.deadlines, now_ms, deadline_due_ms, NULL);
    decrees_init(&shard->locked.decrees, cache->seed);
    LIST_INIT(&shard->locked.restores);
    TAILQ_INIT(&shard->locked.flights);
    shard->locked.leaving = 0;
    shard->locked.leavings = 0;
    /* The place in memory sets the shards apart, and the caches of a process. */
    chance_init(&shard->locked.chance, hash_key(cache->seed, &shard, sizeof shard));
    shard->locked.counters = zero;
    shard->locked.closed = false;
    lock_release(&shard->lock);
}

bool shard_bury_some(struct table *table, unsigned budget, const struct sluice_listener *listener)
{
    while (budget > 0) {
        struct entry *entry = table_drain(table, &budget);

        if (entry != NULL) {
            budget--;
            entry->cause = SLUICE_REMOVED_EXPLICIT;
            entry_bury(entry, listener);
        } else if (budget > 0) {
            table_fini(table);
            return false;
        }
    }
    return true;
}

/* All of a table. */
static void shard_bury(struct table *table, const struct sluice_listener *listener) FREE_OF_SHARD;
static void shard_bury(struct table *table, const struct sluice_listener *listener)
{
    while (shard_bury_some(table, UINT_MAX, listener))
        ;
}

static void shard_move_aside_locked(struct shard *shard) HOLDS_SHARD;
static void shard_move_aside_locked(struct shard *shard)
{
    struct table_aside *aside = table_move_aside(&shard->locked.table);

    if (aside != NULL)
        STAILQ_INSERT_TAIL(&shard->locked.cleared, aside, link);
}

void shard_fini(struct shard *shard)
{
    const struct sluice_listener *listener = &shard->cache->options.listener;
    struct table_asides cleared;
    struct table_aside *aside;

    lock_acquire(&shard->lock);
    shard_move_aside_locked(shard);
    cleared = shard->locked.cleared;
    decrees_fini(&shard->locked.decrees);
    lock_release(&shard->lock);
    while ((aside = STAILQ_FIRST(&cleared)) != NULL) {
        STAILQ_REMOVE_HEAD(&cleared, link);
        shard_bury(&aside->table, listener);
    }
    lock_fini(&shard->lock);
}

/* ---- what is stored, as far as it is counted ----------------------------------------------------------------------
 */

void shard_link_locked(struct shard *shard, struct entry *entry)
{
    must(!entry->ready);
    shard->locked.counters.entries++;
    shard->locked.counters.weight += entry_weight(entry);
    atomic_fetch_add_explicit(&shard->cache->used, core_cost(shard->cache, entry_weight(entry)), memory_order_relaxed);
    entry->offered = false;
    entry->ready = true;
}

/* Has a stored entry count against the maximum no longer, and takes it out of the eviction order. */
static void shard_uncount_locked(struct shard *shard, struct entry *entry) HOLDS_SHARD;
static void shard_uncount_locked(struct shard *shard, struct entry *entry)
{
    if (!entry_is_pinned(entry))
        eviction_removed(&shard->locked.eviction, entry);
    atomic_fetch_sub_explicit(&shard->cache->used, core_cost(shard->cache, entry_weight(entry)), memory_order_relaxed);
}

/* Takes a stored entry out of all but the table. */
static void shard_unlink_locked(struct shard *shard, struct entry *entry) HOLDS_SHARD;
static void shard_unlink_locked(struct shard *shard, struct entry *entry)
{
    must(entry->ready);
    if (entry->leaving == 0)
        shard_uncount_locked(shard, entry);
    else
        shard->locked.leaving -= core_cost(shard->cache, entry_weight(entry));
    entry->leaving = 0;
    wheel_stop(&shard->locked.expiries, &entry->expiry);
    shard->locked.counters.entries--;
    shard->locked.counters.weight -= entry_weight(entry);
    entry->ready = false;
}

void shard_arm_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    int64_t gone_ms = worth_until_ms(entry, &shard->cache->options);

    wheel_stop(&shard->locked.expiries, &entry->expiry);
    if (gone_ms == CLOCK_FAR)
        return;
    wheel_start(&shard->locked.expiries, &entry->expiry);
    gone_ms = clock_after_ms(gone_ms, CORE_EXPIRY_SLACK_MS);
    if (gone_ms < after->due_ms)
        after->due_ms = gone_ms;
}

/* ---- taking away ------------------------------------------------------------------------------------------------- */

void shard_unstore_locked(struct shard *shard, struct entry *entry, enum sluice_removal_cause cause,
                          struct entry **record, struct after *after)
{
    struct sluice_value *value = entry->value;

    shard_unlink_locked(shard, entry);
    entry->value = NULL;
    if (*record == NULL) {
        must(after->value == NULL);
        after->value = value;
        return;
    }
    (*record)->value = value;
    (*record)->answer = entry->answer;
    (*record)->cause = (uint8_t)cause;
    (*record)->offered = entry->offered;
    TAILQ_INSERT_TAIL(&after->records, *record, order);
    *record = NULL;
}

void shard_drop_locked(struct shard *shard, struct entry *entry, enum sluice_removal_cause cause, struct after *after)
{
    must(!entry->flying);
    if (entry->ready)
        shard_unlink_locked(shard, entry);
    restore_mark(&shard->locked.restores, table_hash(entry));
    table_remove(&shard->locked.table, entry);
    entry->cause = (uint8_t)cause;
    TAILQ_INSERT_TAIL(&after->records, entry, order);
}

/* Takes a stored answer away; the entry stays if it has a flight. True: it is gone. */
static bool shard_take_locked(struct shard *shard, struct entry *entry, enum sluice_removal_cause cause,
                              struct after *after) HOLDS_SHARD;
static bool shard_take_locked(struct shard *shard, struct entry *entry, enum sluice_removal_cause cause,
                              struct after *after)
{
    if (entry->flying) {
        shard_unstore_locked(shard, entry, cause, &entry_flight(entry)->locked.record, after);
        return false;
    }
    shard_drop_locked(shard, entry, cause, after);
    return true;
}

bool shard_expire_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    shard->locked.counters.expired++;
    return shard_take_locked(shard, entry, SLUICE_REMOVED_EXPIRED, after);
}

struct table_aside *shard_take_cleared_locked(struct shard *shard)
{
    struct table_aside *aside = STAILQ_FIRST(&shard->locked.cleared);

    if (aside != NULL)
        STAILQ_REMOVE_HEAD(&shard->locked.cleared, link);
    return aside;
}

void shard_give_cleared_locked(struct shard *shard, struct table_aside *aside)
{
    STAILQ_INSERT_HEAD(&shard->locked.cleared, aside, link);
}

size_t shard_clear_locked(struct shard *shard, int64_t now_ms)
{
    struct sluice_stats *counters = &shard->locked.counters;
    size_t entries = counters->entries;

    must(table_count(&shard->locked.table) == entries);
    shard_move_aside_locked(shard);
    shard->locked.decrees.sweeping = false;
    shard->locked.decrees.swept = shard->locked.decrees.last; /* nothing is left that they could concern */
    eviction_init(&shard->locked.eviction);
    wheel_init(&shard->locked.expiries, now_ms, shard_expiry_ms, &shard->cache->options);
    atomic_fetch_sub_explicit(&shard->cache->used,
                              (shard->cache->options.maximum_entries > 0 ? entries : counters->weight) -
                                  shard->locked.leaving,
                              memory_order_relaxed);
    shard->locked.leaving = 0;
    counters->entries = counters->weight = 0;
    return entries;
}

void shard_begin_leaving_locked(struct shard *shard, struct entry *entry)
{
    shard_uncount_locked(shard, entry);
    shard->locked.leaving += core_cost(shard->cache, entry_weight(entry));
    if (++shard->locked.leavings == 0) /* it is no number */
        shard->locked.leavings = 1;
    entry->leaving = shard->locked.leavings;
    entry->offered = true;
}

void shard_end_leaving_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    (void)shard_take_locked(shard, entry, SLUICE_REMOVED_SIZE, after);
    shard->locked.counters.evicted++;
}

bool shard_sweep_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    if (entry->conforms == shard->locked.decrees.last)
        return false;
    return sweep_entry_locked(shard, entry, after) || !entry->ready;
}

struct eviction_batch shard_evict_locked(struct shard *shard, uint64_t limit, uint64_t goal, struct after *after)
{
    unsigned looks = SHARD_LOOK_BATCH;
    bool told = leaving_is_told(shard->cache);
    struct eviction_batch batch = {0, {0, 0}, false};

    for (unsigned i = 0; i < SHARD_EVICT_BATCH && batch.freed < goal && core_is_over(shard->cache, limit); i++) {
        struct entry *victim = eviction_victim(&shard->locked.eviction, &looks);

        if (victim == NULL) {
            batch.dry = true;
            break;
        }
        /* A marked one goes only where a whole search met no other; what else is to go the next batch finds. */
        if (victim->visited && batch.freed > 0)
            break;
        if (told && leaving_is_full(&after->leaving))
            break;
        batch.freed += core_cost(shard->cache, entry_weight(victim));
        if (shard_sweep_locked(shard, victim, after))
            continue;
        batch.chosen.entries++;
        batch.chosen.weight += entry_weight(victim);
        if (told && entry_has_value(victim))
            leaving_mark_locked(shard, victim, &after->leaving);
        else
            shard_end_leaving_locked(shard, victim, after);
    }
    return batch;
}

void shard_make_room_locked(struct shard *shard, const struct entry *stored, struct after *after)
{
    uint64_t goal = core_cost(shard->cache, entry_weight(stored));
    uint64_t limit = core_limit(shard->cache);
    struct eviction_batch batch = shard_evict_locked(shard, limit, goal, after);

    if (batch.freed < goal && core_is_over(shard->cache, limit)) {
        after->over_full = shard;
        after->over_full_by += goal - batch.freed;
    }
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

enum worth shard_peek_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash, int64_t now_ms,
                             struct entry **entry, struct after *after)
{
    struct entry *found = table_find(&shard->locked.table, key, key_size, hash);
    enum worth worth;

    *entry = found;
    if (found != NULL && found->conforms != shard->locked.decrees.last && sweep_entry_locked(shard, found, after))
        *entry = found = NULL;
    if (found == NULL)
        return WORTH_NOTHING;
    worth = worth_at(found, &shard->cache->options, now_ms);
    if (worth == WORTH_NOTHING && found->ready && !entry_has_failure(found) && shard_expire_locked(shard, found, after))
        *entry = NULL;
    return worth;
}

enum worth shard_find_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash, int64_t now_ms,
                             struct entry **entry, struct after *after)
{
    enum worth worth = shard_peek_locked(shard, key, key_size, hash, now_ms, entry, after);

    if (worth == WORTH_FRESH || worth == WORTH_STALE)
        eviction_hit(*entry);
    if (worth == WORTH_FRESH)
        worth_touch(*entry, &shard->cache->options, now_ms);
    return worth;
}

void shard_answer_locked(const struct shard *shard, const struct entry *entry, enum worth worth, int64_t now_ms,
                         struct sluice_outcome *outcome)
{
    bool is_value = entry->answer == SLUICE_OK;

    if (entry->value != NULL)
        sluice_value_ref(entry->value);
    outcome->error = (enum sluice_error)entry->answer;
    outcome->source = SLUICE_SOURCE_HIT;
    outcome->value = is_value ? entry->value : NULL;
    outcome->reason = is_value ? NULL : entry->value;
    outcome->age_ms = clock_age_ms(now_ms, entry->stored_ms);
    outcome->ttl_ms = clock_left_ms(now_ms, worth_fresh_until_ms(entry, &shard->cache->options));
    outcome->stored = true;
    outcome->stale = worth != WORTH_FRESH;
}

struct entry *shard_add_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash)
{
    struct entry *entry = entry_create_for(&shard->cache->options, key, key_size);

    if (entry == NULL)
        return NULL;
    if (!table_insert(&shard->locked.table, entry, hash)) {
        entry_destroy(entry);
        return NULL;
    }
    return entry;
}
