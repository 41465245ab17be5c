/* SPDX-License-Identifier: MIT */
/*
 * invalidate.c: invalidation is final (rule 3). What is stored goes; a load in flight is detached, so that its outcome
 * reaches those already parked and nothing else. Both in one step under the shard's lock.
 */
#include "core.h"
#include "flight.h"
#include "hash.h"

static void invalidate_entry_locked(struct shard *shard, struct entry *entry, struct sluice_invalidated *gone,
                                    struct after *after) HOLDS_SHARD;
static void invalidate_entry_locked(struct shard *shard, struct entry *entry, struct sluice_invalidated *gone,
                                    struct after *after)
{
    if (entry->ready) {
        shard->locked.counters.invalidated++;
        gone->entries++;
    }
    if (entry->flight == NULL) {
        shard_drop_locked(shard, entry, SLUICE_REMOVED_EXPLICIT, after);
    } else {
        flight_detach_locked(entry->flight, after);
        gone->loads++;
    }
}

static void invalidate_key(struct sluice_cache *cache, const struct sluice_key *key, struct sluice_invalidated *gone)
{
    uint64_t hash = hash_key(cache->seed, key->data, key->size);
    struct shard *shard = core_shard(cache, hash);
    struct entry *entry;
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    entry = table_find(&shard->locked.table, key->data, key->size, hash);
    if (entry != NULL)
        invalidate_entry_locked(shard, entry, gone, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
}

void sluice_invalidate_keys(struct sluice_cache *cache, const struct sluice_key *keys, size_t count,
                            struct sluice_invalidated *gone)
{
    struct sluice_invalidated sum = {0, 0};

    for (size_t i = 0; i < count; i++) {
        /* No key of another size can be in the table. */
        if (keys[i].size > 0 && keys[i].size <= cache->options.key_size_max)
            invalidate_key(cache, &keys[i], &sum);
    }
    if (gone != NULL)
        *gone = sum;
}

void sluice_invalidate(struct sluice_cache *cache, const void *key, size_t key_size, struct sluice_invalidated *gone)
{
    struct sluice_key one = {key, key_size};

    sluice_invalidate_keys(cache, &one, 1, gone);
}

void sluice_invalidate_prefix(struct sluice_cache *cache, const void *prefix, size_t prefix_size,
                              struct sluice_invalidated *gone)
{
    struct sluice_invalidated sum = {0, 0};

    for (unsigned i = 0; i < cache->shards_count; i++) {
        struct shard *shard = &cache->shards[i];
        struct entry *entry, *next;
        struct after after;

        after_init(&after);
        lock_acquire(&shard->lock);
        for (entry = shard->locked.table.entries; entry != NULL; entry = next) {
            next = table_next(entry);
            if (entry_has_prefix(entry, prefix, prefix_size))
                invalidate_entry_locked(shard, entry, &sum, &after);
        }
        lock_release(&shard->lock);
        after_run(&after, cache);
    }
    if (gone != NULL)
        *gone = sum;
}

static void invalidate_shard(struct shard *shard, int64_t now_ms, struct sluice_invalidated *gone) FREE_OF_SHARD;
static void invalidate_shard(struct shard *shard, int64_t now_ms, struct sluice_invalidated *gone)
{
    struct sluice_load *flight;
    struct table left;
    struct after after;
    size_t entries;

    after_init(&after);
    lock_acquire(&shard->lock);
    TAILQ_FOREACH(flight, &shard->locked.flights, locked.link)
    {
        if (flight->locked.state == SLUICE_FLIGHT_CURRENT)
            invalidate_entry_locked(shard, flight->locked.entry, gone, &after);
    }
    entries = shard_clear_locked(shard, now_ms, &left);
    shard->locked.counters.invalidated += entries;
    lock_release(&shard->lock);

    gone->entries += entries;
    if (entries > 0)
        after.due_ms = now_ms; /* for the timer thread, to free them */
    after_run(&after, shard->cache);
    shard_bury_table(&left, &shard->cache->options.listener);
}

void sluice_invalidate_all(struct sluice_cache *cache, struct sluice_invalidated *gone)
{
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    struct sluice_invalidated sum = {0, 0};

    for (unsigned i = 0; i < cache->shards_count; i++)
        invalidate_shard(&cache->shards[i], now_ms, &sum);
    if (gone != NULL)
        *gone = sum;
}
