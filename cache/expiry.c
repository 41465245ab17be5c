/* SPDX-License-Identifier: MIT */
/* expiry.c: the change of when a stored value expires. */
#include "core.h"
#include "hash.h"
#include "store.h"

static bool ttl_valid(const struct sluice_options *options, int64_t ttl_ms)
{
    if (ttl_ms == SLUICE_TTL_DEFAULT)
        return options->expire_after_write_ms != 0;
    return ttl_ms > 0 || ttl_ms == SLUICE_NEVER;
}

/*
 * Its refresh time stays, and needs no look: once the value is stale a reload is due anyhow. Nor does a load in flight:
 * what it brings has a time to live of its own.
 */
static enum sluice_error expiry_set_locked(struct shard *shard, const struct sluice_key *key, uint64_t hash,
                                           int64_t ttl_ms, struct after *after) HOLDS_SHARD;
static enum sluice_error expiry_set_locked(struct shard *shard, const struct sluice_key *key, uint64_t hash,
                                           int64_t ttl_ms, struct after *after)
{
    /* Under the lock: to an earlier instant a value would be fresh that has been made stale meanwhile (rule 3). */
    int64_t now_ms = clock_now_ms(&shard->cache->options.clock);
    struct entry *entry;

    if (shard->locked.closed)
        return SLUICE_CLOSED;
    if (shard_peek_locked(shard, key->data, key->size, hash, now_ms, &entry, after) != WORTH_FRESH ||
        !entry_has_value(entry))
        return SLUICE_NOT_CACHED;
    if (ttl_ms == SLUICE_TTL_DEFAULT)
        ttl_ms = store_jittered_ms_locked(shard, shard->cache->options.expire_after_write_ms);
    entry->fresh_until_ms = clock_after_ms(now_ms, ttl_ms);
    shard_arm_locked(shard, entry, after);
    return SLUICE_OK;
}

enum sluice_error sluice_set_ttl(struct sluice_cache *cache, const void *key, size_t key_size, int64_t ttl_ms)
{
    const struct sluice_key bytes = {key, key_size};
    enum sluice_error error;
    struct shard *shard;
    struct after after;
    uint64_t hash;

    if (key_size == 0 || key_size > cache->options.key_size_max)
        return SLUICE_KEY_SIZE;
    if (!ttl_valid(&cache->options, ttl_ms))
        return SLUICE_INVALID;
    hash = hash_key(cache->seed, key, key_size);
    shard = core_shard(cache, hash);

    after_init(&after);
    lock_acquire(&shard->lock);
    error = expiry_set_locked(shard, &bytes, hash, ttl_ms, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
    return error;
}
