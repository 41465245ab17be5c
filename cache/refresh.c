/* SPDX-License-Identifier: MIT */
/* refresh.c: reloads that are asked for (rule 11). Those that a get finds due: get.c. */
#include "core.h"
#include "flight.h"
#include "hash.h"

/* Starts a load for the key if none is in flight; *flight is it, or NULL. */
static enum sluice_error refresh_lead_locked(struct shard *shard, const struct flight_plan *plan,
                                             struct sluice_load **flight, struct after *after) HOLDS_SHARD;
static enum sluice_error refresh_lead_locked(struct shard *shard, const struct flight_plan *plan,
                                             struct sluice_load **flight, struct after *after)
{
    struct entry *entry;
    enum sluice_error error;

    *flight = NULL;
    if (shard->locked.closed)
        return SLUICE_CLOSED;
    (void)shard_peek_locked(shard, plan->key, plan->key_size, plan->hash, plan->now_ms, &entry, after);
    if (entry != NULL && entry->flight != NULL)
        return SLUICE_OK;
    error = flight_lead_locked(shard, entry, plan, flight, after);
    if (error == SLUICE_OK)
        shard->locked.counters.refreshes++;
    return error;
}

enum sluice_error sluice_refresh(struct sluice_cache *cache, const void *key, size_t key_size)
{
    struct flight_plan plan = {
        .key = key,
        .key_size = key_size,
        .now_ms = clock_now_ms(&cache->options.clock),
        .loader = &cache->options.loader,
        .background = true,
    };
    struct sluice_load *flight;
    enum sluice_error error;
    struct shard *shard;
    struct after after;

    if (key_size == 0 || key_size > cache->options.key_size_max)
        return SLUICE_KEY_SIZE;
    plan.hash = hash_key(cache->seed, key, key_size);
    shard = core_shard(cache, plan.hash);

    after_init(&after);
    lock_acquire(&shard->lock);
    error = refresh_lead_locked(shard, &plan, &flight, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
    if (flight != NULL)
        background_call(&cache->background, flight);
    return error;
}
