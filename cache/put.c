/* SPDX-License-Identifier: MIT */
/* put.c: storing a value from outside a load (rule 4). */
#include "core.h"
#include "flight.h"
#include "hash.h"
#include "value.h"

/* Settles the key with the value, whatever was there: a load in flight, an answer, or nothing. */
static enum sluice_error put_locked(struct shard *shard, const struct sluice_key *key, uint64_t hash,
                                    const struct answer *answer, int64_t now_ms, struct entry **record,
                                    struct after *after) HOLDS_SHARD;
static enum sluice_error put_locked(struct shard *shard, const struct sluice_key *key, uint64_t hash,
                                    const struct answer *answer, int64_t now_ms, struct entry **record,
                                    struct after *after)
{
    struct entry *entry = table_find(&shard->locked.table, key->data, key->size, hash);
    struct sluice_outcome unused;

    if (shard->locked.closed)
        return SLUICE_CLOSED;
    if (entry == NULL)
        entry = shard_add_locked(shard, key->data, key->size, hash);
    if (entry == NULL)
        return SLUICE_NO_MEMORY;
    shard->locked.counters.puts++;
    if (entry->flight != NULL) {
        flight_settle_locked(entry->flight, answer, now_ms, after);
        return SLUICE_OK;
    }
    store_settle_locked(shard, entry, answer, now_ms, record, &unused, after);
    if (!entry->ready)
        shard_drop_locked(shard, entry, SLUICE_REMOVED_REPLACED, after);
    return SLUICE_OK;
}

/* SLUICE_OK with what is to be stored, and what the listener is told with if that replaces a value. */
static enum sluice_error put_prepare(struct sluice_cache *cache, const struct sluice_key *key,
                                     const struct sluice_content *content, struct answer *answer, struct entry **record)
{
    const struct sluice_options *options = &cache->options;
    enum sluice_error error;

    if (key->size == 0 || key->size > options->key_size_max)
        return SLUICE_KEY_SIZE;
    error = value_create(content, options->value_size_max, options->make_etags, &answer->value);
    if (error != SLUICE_OK)
        return error;
    error = SLUICE_VALUE_TOO_LARGE;
    if (shard_outweighs(cache, key->size, answer->value))
        goto not_stored;
    *record = NULL;
    error = SLUICE_NO_MEMORY;
    if (options->listener.removed != NULL && (*record = entry_create(key->data, key->size)) == NULL)
        goto not_stored;
    return SLUICE_OK;

not_stored:
    sluice_value_unref(answer->value);
    return error;
}

enum sluice_error sluice_put(struct sluice_cache *cache, const void *key, size_t key_size,
                             const struct sluice_content *content)
{
    const struct sluice_key bytes = {key, key_size};
    struct answer answer = {.error = SLUICE_OK, .ttl_ms = content->ttl_ms, .refresh_ms = content->refresh_ms};
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    uint64_t hash = hash_key(cache->seed, key, key_size);
    struct shard *shard = core_shard(cache, hash);
    struct entry *record;
    struct after after;
    enum sluice_error error = put_prepare(cache, &bytes, content, &answer, &record);

    if (error != SLUICE_OK)
        return error;
    after_init(&after);
    lock_acquire(&shard->lock);
    error = put_locked(shard, &bytes, hash, &answer, now_ms, &record, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
    entry_destroy(record);
    sluice_value_unref(answer.value);
    return error;
}
