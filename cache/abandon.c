/* SPDX-License-Identifier: MIT */
/*
 * abandon.c: giving up on a load in flight that does not end: its waiters are told that it failed, or wait for another
 * load instead. Either way its own result is dropped when it comes, and its slot is taken until then (rule 8).
 */
#include "call.h"
#include "core.h"
#include "flight.h"
#include "hash.h"
#include "value.h"

/* The current flight of a key, or NULL. */
static struct sluice_load *abandon_find_locked(struct shard *shard, const struct sluice_key *key, uint64_t hash,
                                               int64_t now_ms, struct after *after) HOLDS_SHARD;
static struct sluice_load *abandon_find_locked(struct shard *shard, const struct sluice_key *key, uint64_t hash,
                                               int64_t now_ms, struct after *after)
{
    struct entry *entry;

    (void)shard_peek_locked(shard, key->data, key->size, hash, now_ms, &entry, after);
    return entry == NULL ? NULL : entry_flight(entry);
}

bool sluice_load_abandon(struct sluice_cache *cache, const void *key, size_t key_size)
{
    const struct sluice_key bytes = {key, key_size};
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    uint64_t hash = hash_key(cache->seed, key, key_size);
    struct shard *shard = core_shard(cache, hash);
    struct answer answer = {.error = SLUICE_LOAD_FAILED};
    struct sluice_load *flight;
    struct after after;

    answer.value = value_from_text("the load was abandoned");
    after_init(&after);
    lock_acquire(&shard->lock);
    flight = abandon_find_locked(shard, &bytes, hash, now_ms, &after);
    if (flight != NULL)
        flight_settle_locked(flight, &answer, now_ms, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
    sluice_value_unref(answer.value);
    return flight != NULL;
}

/* Leads another flight for the waiters of one. If it can't, the first one is detached only, and serves them. */
static enum sluice_error abandon_replace_locked(struct sluice_load *flight, const struct flight_plan *plan,
                                                struct sluice_load **led, struct after *after) HOLDS_SHARD;
static enum sluice_error abandon_replace_locked(struct sluice_load *flight, const struct flight_plan *plan,
                                                struct sluice_load **led, struct after *after)
{
    struct shard *shard = flight->shard;
    struct entry *entry = flight->locked.entry;
    enum sluice_error error;

    if (flight_detach_locked(flight, true, after))
        entry = NULL;
    error = flight_lead_locked(shard, entry, plan, led, after);
    if (error != SLUICE_OK)
        return error;
    shard->locked.counters.refreshes++;
    flight_replace_locked(flight, *led, plan->now_ms, after);
    return SLUICE_OK;
}

enum sluice_error sluice_load_restart(struct sluice_cache *cache, const void *key, size_t key_size)
{
    const struct sluice_key bytes = {key, key_size};
    const struct flight_plan plan = {
        .key = key,
        .key_size = key_size,
        .hash = hash_key(cache->seed, key, key_size),
        .now_ms = clock_now_ms(&cache->options.clock),
        .loader = &cache->options.loader,
        .background = true,
    };
    struct shard *shard = core_shard(cache, plan.hash);
    enum sluice_error error = SLUICE_NOT_CACHED;
    struct sluice_load *flight, *led = NULL;
    struct call_chain chain;
    struct after after;

    after_init(&after);
    call_chain_init(&chain);
    lock_acquire(&shard->lock);
    flight = abandon_find_locked(shard, &bytes, plan.hash, plan.now_ms, &after);
    if (flight != NULL && flight->locked.computes)
        error = SLUICE_UNCHANGED; /* what it computes the cache's own loader can't bring */
    else if (flight != NULL)
        error = abandon_replace_locked(flight, &plan, &led, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
    if (led != NULL)
        call_chain_add(&chain, led);
    call_load_later(&chain);
    return error;
}
