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

static void view_entry_locked(struct snapshot *snapshot, const struct entry *entry, int64_t now_ms) HOLDS_SHARD;
static void view_entry_locked(struct snapshot *snapshot, const struct entry *entry, int64_t now_ms)
{
    struct sluice_entry_view *view = (struct sluice_entry_view *)(void *)snapshot->room + snapshot->count;

    view->key = snapshot_key(snapshot, entry->key, entry->key_size);
    view->key_size = entry->key_size;
    view->error = (enum sluice_error)entry->answer;
    view->value = entry->value == NULL ? NULL : sluice_value_ref(entry->value);
    view->age_ms = clock_age_ms(now_ms, entry->stored_ms);
    view->ttl_ms = clock_left_ms(now_ms, entry->fresh_until_ms);
    snapshot->count++;
}

static enum sluice_error snapshot_entries(struct shard *shard, int64_t now_ms, struct snapshot *snapshot) FREE_OF_SHARD;
static enum sluice_error snapshot_entries(struct shard *shard, int64_t now_ms, struct snapshot *snapshot)
{
    enum sluice_error error = SLUICE_NO_MEMORY;
    size_t count = 0, keys_size = 0;
    unsigned all = UINT_MAX;
    struct entry *entry;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    while (sweep_some_locked(shard, &all, &after))
        ;
    for (entry = shard->locked.table.entries; entry != NULL; entry = table_next(entry)) {
        if (worth_at(entry, &shard->cache->options, now_ms) != WORTH_NOTHING) {
            count++;
            keys_size += entry->key_size;
        }
    }
    if (snapshot_init(snapshot, count * sizeof(struct sluice_entry_view), keys_size)) {
        for (entry = shard->locked.table.entries; entry != NULL; entry = table_next(entry)) {
            if (worth_at(entry, &shard->cache->options, now_ms) != WORTH_NOTHING)
                view_entry_locked(snapshot, entry, now_ms);
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
