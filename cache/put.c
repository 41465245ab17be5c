/* SPDX-License-Identifier: MIT */
/* put.c: storing a value from outside a load (rule 4). */
#include "core.h"
#include "flight.h"
#include "hash.h"
#include "value.h"

/* Settles the key with the value, whatever was there: a load in flight, an answer, or nothing. */
static enum sluice_error put_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash,
                                    const struct answer *answer, int64_t now_ms, struct after *after) HOLDS_SHARD;
static enum sluice_error put_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash,
                                    const struct answer *answer, int64_t now_ms, struct after *after)
{
    struct entry *entry = table_find(&shard->locked.table, key, key_size, hash);
    struct sluice_outcome unused;

    if (shard->locked.closed)
        return SLUICE_CLOSED;
    if (entry == NULL)
        entry = shard_add_locked(shard, key, key_size, hash);
    if (entry == NULL)
        return SLUICE_NO_MEMORY;
    shard->locked.counters.puts++;
    if (entry->flight != NULL) {
        flight_settle_locked(entry->flight, answer, now_ms, after);
        return SLUICE_OK;
    }
    if (entry->ready)
        shard_unstore_locked(shard, entry, after);
    shard_settle_locked(shard, entry, answer, now_ms, &unused, after);
    return SLUICE_OK;
}

enum sluice_error sluice_put(struct sluice_cache *cache, const void *key, size_t key_size,
                             const struct sluice_content *content)
{
    const struct sluice_options *options = &cache->options;
    struct answer answer = {.error = SLUICE_OK, .ttl_ms = content->ttl_ms};
    int64_t now_ms = clock_now_ms(&options->clock);
    enum sluice_error error;
    struct shard *shard;
    struct after after;
    uint64_t hash;

    if (key_size == 0 || key_size > options->key_size_max)
        return SLUICE_KEY_SIZE;
    error = value_create(content, options->value_size_max, options->make_etags, &answer.value);
    if (error != SLUICE_OK)
        return error;
    if (shard_outweighs(cache, key_size, answer.value)) {
        sluice_value_unref(answer.value);
        return SLUICE_VALUE_TOO_LARGE;
    }
    hash = hash_key(cache->seed, key, key_size);
    shard = core_shard(cache, hash);

    after_init(&after);
    lock_acquire(&shard->lock);
    error = put_locked(shard, key, key_size, hash, &answer, now_ms, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
    sluice_value_unref(answer.value);
    return error;
}
