/* SPDX-License-Identifier: MIT */
/* refresh.c: reloads that are asked for (rule 11). Those that a get finds due: get.c. */
#include "call.h"
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
    if (entry != NULL && entry->flying)
        return SLUICE_OK;
    error = flight_lead_locked(shard, entry, plan, flight, after);
    if (error == SLUICE_OK)
        shard->locked.counters.refreshes++;
    return error;
}

/*
 * Starts a load for the key, if none is in flight, and adds it to the chain. A listener that is told meanwhile must not
 * wait for what is in the chain already: see bulk_run_after().
 */
static enum sluice_error refresh_key(struct sluice_cache *cache, const struct sluice_key *key,
                                     struct call_chain *chain) FREE_OF_SHARD;
static enum sluice_error refresh_key(struct sluice_cache *cache, const struct sluice_key *key, struct call_chain *chain)
{
    struct flight_plan plan = {
        .key = key->data,
        .key_size = key->size,
        .now_ms = clock_now_ms(&cache->options.clock),
        .loader = &cache->options.loader,
        .background = true,
    };
    struct sluice_load *flight;
    enum sluice_error error;
    struct shard *shard;
    struct after after;

    if (key->size == 0 || key->size > cache->options.key_size_max)
        return SLUICE_KEY_SIZE;
    plan.hash = hash_key(cache->seed, key->data, key->size);
    shard = core_shard(cache, plan.hash);

    after_init(&after);
    lock_acquire(&shard->lock);
    error = refresh_lead_locked(shard, &plan, &flight, &after);
    lock_release(&shard->lock);
    if (after.led == NULL)
        after.led = chain->first;
    after_run(&after, cache);
    if (flight != NULL)
        call_chain_add(chain, flight);
    return error;
}

enum sluice_error sluice_refresh_many(struct sluice_cache *cache, const struct sluice_key *keys, size_t count)
{
    enum sluice_error first = SLUICE_OK;
    struct call_chain chain;

    call_chain_init(&chain);
    for (size_t i = 0; i < count; i++) {
        enum sluice_error error = refresh_key(cache, &keys[i], &chain);

        if (first == SLUICE_OK)
            first = error;
    }
    call_load_later(&chain);
    return first;
}

enum sluice_error sluice_refresh(struct sluice_cache *cache, const void *key, size_t key_size)
{
    const struct sluice_key one = {key, key_size};

    return sluice_refresh_many(cache, &one, 1);
}
