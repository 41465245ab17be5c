/* SPDX-License-Identifier: MIT */
/* look.c: statistics, and snapshots of the entries and of the loads in flight. */
#include "core.h"
#include "flight.h"
#include "sweep.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void sluice_cache_stats(struct sluice_cache *cache, struct sluice_stats *stats)
{
    static const struct sluice_stats zero;

    *stats = zero;
    for (unsigned i = 0; i < cache->shards_count; i++) {
        struct shard *shard = &cache->shards[i];

        lock_acquire(&shard->lock);
#define STATS_ADD(name, text) stats->name += shard->locked.counters.name;
        SLUICE_STATS(STATS_ADD, STATS_ADD)
#undef STATS_ADD
        for (size_t j = 0; j < SLUICE_LOAD_TIMES; j++)
            stats->load_times[j] += shard->locked.counters.load_times[j];
        lock_release(&shard->lock);
    }
    stats->gets = stats->hits + stats->misses;
    stats->waiters_most = atomic_load_explicit(&cache->waiters_most, memory_order_relaxed);
    stats->shrinks = atomic_load_explicit(&cache->shrinks, memory_order_relaxed);
    stats->shrunk = atomic_load_explicit(&cache->shrunk, memory_order_relaxed);
    stats->limit = core_limit(cache);
}

/* ---- snapshots --------------------------------------------------------------------------------------------------- */

/* Room for `count` views of one size and the bytes of their keys, in one piece; the views come first. */
struct snapshot {
    char *room;
    char *keys; /* where the next key's bytes go */
    size_t count;
};

static bool snapshot_init(struct snapshot *snapshot, size_t views_size, size_t keys_size)
{
    snapshot->count = 0;
    snapshot->room = malloc(views_size + keys_size + 1); /* never of no size */
    snapshot->keys = snapshot->room + views_size;
    return snapshot->room != NULL;
}

static const void *snapshot_key(struct snapshot *snapshot, const void *key, size_t key_size)
{
    char *copy = snapshot->keys;

    memcpy(copy, key, key_size);
    snapshot->keys += key_size;
    return copy;
}

static void view_entry_locked(struct snapshot *snapshot, const struct entry *entry,
                              const struct sluice_options *options, int64_t now_ms) HOLDS_SHARD;
static void view_entry_locked(struct snapshot *snapshot, const struct entry *entry,
                              const struct sluice_options *options, int64_t now_ms)
{
    struct sluice_entry_view *view = (struct sluice_entry_view *)(void *)snapshot->room + snapshot->count;

    view->key = snapshot_key(snapshot, entry->key, entry->key_size);
    view->key_size = entry->key_size;
    view->error = (enum sluice_error)entry->answer;
    view->value = entry->value == NULL ? NULL : sluice_value_ref(entry->value);
    view->age_ms = clock_age_ms(now_ms, entry->stored_ms);
    view->ttl_ms = clock_left_ms(now_ms, worth_fresh_until_ms(entry, options));
    view->weight = entry_weight(entry);
    snapshot->count++;
}

static enum sluice_error snapshot_entries(struct shard *shard, int64_t now_ms, struct snapshot *snapshot) FREE_OF_SHARD;
static enum sluice_error snapshot_entries(struct shard *shard, int64_t now_ms, struct snapshot *snapshot)
{
    enum sluice_error error = SLUICE_NO_MEMORY;
    size_t count = 0, keys_size = 0;
    struct table_walk first = TABLE_WALK_INIT, second = TABLE_WALK_INIT;
    unsigned all = UINT_MAX;
    struct entry *entry;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    while (sweep_some_locked(shard, &all, &after))
        ;
    while ((entry = table_walk_next(&shard->locked.table, &first)) != NULL) {
        if (worth_at(entry, &shard->cache->options, now_ms) != WORTH_NOTHING) {
            count++;
            keys_size += entry->key_size;
        }
    }
    if (snapshot_init(snapshot, count * sizeof(struct sluice_entry_view), keys_size)) {
        while ((entry = table_walk_next(&shard->locked.table, &second)) != NULL) {
            if (worth_at(entry, &shard->cache->options, now_ms) != WORTH_NOTHING)
                view_entry_locked(snapshot, entry, &shard->cache->options, now_ms);
        }
        error = SLUICE_OK;
    }
    lock_release(&shard->lock);
    after_run(&after, shard->cache);
    return error;
}

enum sluice_error sluice_cache_for_each(struct sluice_cache *cache,
                                        bool (*visit)(void *arg, const struct sluice_entry_view *entry), void *arg)
{
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    bool go_on = true;

    for (unsigned i = 0; i < cache->shards_count && go_on; i++) {
        struct sluice_entry_view *views;
        struct snapshot snapshot;

        if (snapshot_entries(&cache->shards[i], now_ms, &snapshot) != SLUICE_OK)
            return SLUICE_NO_MEMORY;
        views = (struct sluice_entry_view *)(void *)snapshot.room;
        for (size_t j = 0; j < snapshot.count; j++) {
            go_on = go_on && visit(arg, &views[j]);
            sluice_value_unref(views[j].value);
        }
        free(snapshot.room);
    }
    return SLUICE_OK;
}

/* ---- in the order of eviction ------------------------------------------------------------------------------------ */

/* The next entry of a walk that a get would still be given. */
static struct entry *walk_locked(struct eviction_walk *walk, const struct sluice_options *options,
                                 int64_t now_ms) HOLDS_SHARD;
static struct entry *walk_locked(struct eviction_walk *walk, const struct sluice_options *options, int64_t now_ms)
{
    struct entry *entry;

    do {
        entry = eviction_walk_next(walk);
    } while (entry != NULL && worth_at(entry, options, now_ms) == WORTH_NOTHING);
    return entry;
}

/* The `limit` entries of a shard that come first. */
static bool snapshot_order(struct shard *shard, enum eviction_end from, size_t limit, int64_t now_ms,
                           struct snapshot *snapshot) FREE_OF_SHARD;
static bool snapshot_order(struct shard *shard, enum eviction_end from, size_t limit, int64_t now_ms,
                           struct snapshot *snapshot)
{
    const struct sluice_options *options = &shard->cache->options;
    size_t count = 0, keys_size = 0;
    struct eviction_walk walk;
    unsigned all = UINT_MAX;
    struct entry *entry;
    struct after after;
    bool made;

    after_init(&after);
    lock_acquire(&shard->lock);
    while (sweep_some_locked(shard, &all, &after))
        ;
    eviction_walk_init(&walk, &shard->locked.eviction, from);
    while (count < limit && (entry = walk_locked(&walk, options, now_ms)) != NULL) {
        count++;
        keys_size += entry->key_size;
    }
    made = snapshot_init(snapshot, count * sizeof(struct sluice_entry_view), keys_size);
    eviction_walk_init(&walk, &shard->locked.eviction, from);
    while (made && snapshot->count < count)
        view_entry_locked(snapshot, walk_locked(&walk, options, now_ms), options, now_ms);
    lock_release(&shard->lock);
    after_run(&after, shard->cache);
    return made;
}

static void snapshot_free(struct snapshot *snapshot)
{
    struct sluice_entry_view *views = (struct sluice_entry_view *)(void *)snapshot->room;

    for (size_t i = 0; i < snapshot->count; i++)
        sluice_value_unref(views[i].value);
    free(snapshot->room);
}

/* Visits the first of each shard, then the second of each, up to `limit`. */
static void visit_in_turn(const struct snapshot *snapshots, size_t shards_count, size_t limit,
                          bool (*visit)(void *arg, const struct sluice_entry_view *entry), void *arg) FREE_OF_SHARD;
static void visit_in_turn(const struct snapshot *snapshots, size_t shards_count, size_t limit,
                          bool (*visit)(void *arg, const struct sluice_entry_view *entry), void *arg)
{
    size_t visited = 0, before = SIZE_MAX;

    for (size_t rank = 0; visited != before; rank++) {
        before = visited;
        for (size_t i = 0; i < shards_count && visited < limit; i++) {
            const struct sluice_entry_view *views = (const struct sluice_entry_view *)(const void *)snapshots[i].room;

            if (rank >= snapshots[i].count)
                continue;
            if (!visit(arg, &views[rank]))
                return;
            visited++;
        }
    }
}

static enum sluice_error for_each_from(struct sluice_cache *cache, enum eviction_end from, size_t limit,
                                       bool (*visit)(void *arg, const struct sluice_entry_view *entry),
                                       void *arg) FREE_OF_SHARD;
static enum sluice_error for_each_from(struct sluice_cache *cache, enum eviction_end from, size_t limit,
                                       bool (*visit)(void *arg, const struct sluice_entry_view *entry), void *arg)
{
    struct snapshot *snapshots = malloc(cache->shards_count * sizeof *snapshots);
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    bool made = snapshots != NULL;
    size_t count = 0;

    while (made && count < cache->shards_count) {
        made = snapshot_order(&cache->shards[count], from, limit, now_ms, &snapshots[count]);
        count += made;
    }
    if (made)
        visit_in_turn(snapshots, count, limit, visit, arg);
    for (size_t i = 0; i < count; i++)
        snapshot_free(&snapshots[i]);
    free(snapshots);
    return made ? SLUICE_OK : SLUICE_NO_MEMORY;
}

enum sluice_error sluice_cache_for_each_coldest(struct sluice_cache *cache, size_t limit,
                                                bool (*visit)(void *arg, const struct sluice_entry_view *entry),
                                                void *arg)
{
    return for_each_from(cache, EVICTION_COLDEST, limit, visit, arg);
}

enum sluice_error sluice_cache_for_each_hottest(struct sluice_cache *cache, size_t limit,
                                                bool (*visit)(void *arg, const struct sluice_entry_view *entry),
                                                void *arg)
{
    return for_each_from(cache, EVICTION_HOTTEST, limit, visit, arg);
}

/* ---- loads in flight --------------------------------------------------------------------------------------------- */

static void view_flight_locked(struct snapshot *snapshot, const struct sluice_load *flight, int64_t now_ms) HOLDS_SHARD;
static void view_flight_locked(struct snapshot *snapshot, const struct sluice_load *flight, int64_t now_ms)
{
    struct sluice_flight_view *view = (struct sluice_flight_view *)(void *)snapshot->room + snapshot->count;

    view->key = snapshot_key(snapshot, flight->key, flight->key_size);
    view->key_size = flight->key_size;
    view->age_ms = clock_age_ms(now_ms, flight->locked.started_ms);
    view->waiters = flight->locked.waiters_count;
    view->state = flight->locked.state;
    snapshot->count++;
}

static enum sluice_error snapshot_flights(struct shard *shard, int64_t now_ms, struct snapshot *snapshot) FREE_OF_SHARD;
static enum sluice_error snapshot_flights(struct shard *shard, int64_t now_ms, struct snapshot *snapshot)
{
    enum sluice_error error = SLUICE_NO_MEMORY;
    size_t count = 0, keys_size = 0;
    struct sluice_load *flight;

    lock_acquire(&shard->lock);
    TAILQ_FOREACH(flight, &shard->locked.flights, locked.link)
    {
        count++;
        keys_size += flight->key_size;
    }
    if (snapshot_init(snapshot, count * sizeof(struct sluice_flight_view), keys_size)) {
        TAILQ_FOREACH(flight, &shard->locked.flights, locked.link)
        {
            view_flight_locked(snapshot, flight, now_ms);
        }
        error = SLUICE_OK;
    }
    lock_release(&shard->lock);
    return error;
}

enum sluice_error sluice_cache_for_each_flight(struct sluice_cache *cache,
                                               bool (*visit)(void *arg, const struct sluice_flight_view *flight),
                                               void *arg)
{
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    bool go_on = true;

    for (unsigned i = 0; i < cache->shards_count && go_on; i++) {
        struct sluice_flight_view *views;
        struct snapshot snapshot;

        if (snapshot_flights(&cache->shards[i], now_ms, &snapshot) != SLUICE_OK)
            return SLUICE_NO_MEMORY;
        views = (struct sluice_flight_view *)(void *)snapshot.room;
        for (size_t j = 0; j < snapshot.count && go_on; j++)
            go_on = visit(arg, &views[j]);
        free(snapshot.room);
    }
    return SLUICE_OK;
}
