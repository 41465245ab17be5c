/* SPDX-License-Identifier: MIT */
/* refresh.c: reloads that are asked for (rule 11). Those that a get finds due: get.c. */
#include "core.h"
#include "flight.h"
#include "hash.h"

/* Starts a load for the key if none is in flight; *flight is it, or NULL. */
static enum sluice_error refresh_lead_locked(struct shard *shard, const struct sluice_key *key, uint64_t hash,
                                             int64_t now_ms, struct sluice_load **flight,
                                             struct after *after) HOLDS_SHARD;
static enum sluice_error refresh_lead_locked(struct shard *shard, const struct sluice_key *key, uint64_t hash,
                                             int64_t now_ms, struct sluice_load **flight, struct after *after)
{
    struct entry *entry;
    enum sluice_error error;

    *flight = NULL;
    if (shard->locked.closed)
        return SLUICE_CLOSED;
    (void)shard_peek_locked(shard, key->data, key->size, hash, now_ms, &entry, after);
    if (entry != NULL && entry->flight != NULL)
        return SLUICE_OK;
    error = flight_lead_locked(shard, entry, key->data, key->size, hash, now_ms, flight, after);
    if (error == SLUICE_OK)
        shard->locked.counters.refreshes++;
    return error;
}

enum sluice_error sluice_refresh(struct sluice_cache *cache, const void *key, size_t key_size)
{
    const struct sluice_key bytes = {key, key_size};
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    struct sluice_load *flight;
    enum sluice_error error;
    struct shard *shard;
    struct after after;
    uint64_t hash;

    if (key_size == 0 || key_size > cache->options.key_size_max)
        return SLUICE_KEY_SIZE;
    hash = hash_key(cache->seed, key, key_size);
    shard = core_shard(cache, hash);

    after_init(&after);
    lock_acquire(&shard->lock);
    error = refresh_lead_locked(shard, &bytes, hash, now_ms, &flight, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
    if (flight != NULL)
        background_call(&cache->background, flight);
    return error;
}
