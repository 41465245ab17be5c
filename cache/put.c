/* SPDX-License-Identifier: MIT */
/* put.c: storing a value from outside a load (rule 4), whatever is there or on a condition. */
#include "core.h"
#include "flight.h"
#include "hash.h"
#include "value.h"

/* A put under way. */
struct put {
    struct sluice_key key;
    uint64_t hash;
    int64_t now_ms;
    struct answer answer;
    struct entry *record;                   /* what the listener is told with if a value is replaced, or NULL */
    const enum sluice_condition *condition; /* NULL: none */
    const struct sluice_value *expected;
};

/* Whether the put may store over what is there. */
static bool put_may(const struct put *put, const struct entry *entry, enum worth worth)
{
    bool present = worth == WORTH_FRESH && entry_has_value(entry);

    if (put->condition == NULL)
        return true;
    switch (*put->condition) {
    case SLUICE_IF_ABSENT:
        return !present;
    case SLUICE_IF_PRESENT:
        return present;
    case SLUICE_IF_SAME:
        return present && entry->value == put->expected;
    }
    return false;
}

/* What is there, for a caller whose condition did not hold. */
static void put_tell_locked(const struct shard *shard, const struct put *put, const struct entry *entry,
                            enum worth worth, struct sluice_outcome *present) HOLDS_SHARD;
static void put_tell_locked(const struct shard *shard, const struct put *put, const struct entry *entry,
                            enum worth worth, struct sluice_outcome *present)
{
    static const struct sluice_outcome empty = SLUICE_OUTCOME_INIT;

    *present = empty;
    present->error = SLUICE_NOT_CACHED;
    if (worth == WORTH_FRESH || worth == WORTH_STALE)
        shard_answer_locked(shard, entry, worth, put->now_ms, present);
}

/* Settles the key with the value, whatever was there: a load in flight, an answer, or nothing. */
static enum sluice_error put_locked(struct shard *shard, struct put *put, struct sluice_outcome *present,
                                    struct after *after) HOLDS_SHARD;
static enum sluice_error put_locked(struct shard *shard, struct put *put, struct sluice_outcome *present,
                                    struct after *after)
{
    struct sluice_outcome unused;
    struct entry *entry;
    enum worth worth;

    if (shard->locked.closed)
        return SLUICE_CLOSED;
    worth = shard_peek_locked(shard, put->key.data, put->key.size, put->hash, put->now_ms, &entry, after);
    if (!put_may(put, entry, worth)) {
        if (present != NULL)
            put_tell_locked(shard, put, entry, worth, present);
        return SLUICE_UNCHANGED;
    }
    if (entry == NULL)
        entry = shard_add_locked(shard, put->key.data, put->key.size, put->hash);
    if (entry == NULL)
        return SLUICE_NO_MEMORY;
    shard->locked.counters.puts++;
    if (entry->flying) {
        flight_settle_locked(entry_flight(entry), &put->answer, put->now_ms, after);
        return SLUICE_OK;
    }
    store_settle_locked(shard, entry, &put->answer, put->now_ms, &put->record, &unused, after);
    if (!entry->ready)
        shard_drop_locked(shard, entry, SLUICE_REMOVED_REPLACED, after);
    return SLUICE_OK;
}

/* SLUICE_OK, or why it can't even begin. */
static enum sluice_error put_prepare(struct sluice_cache *cache, const struct sluice_content *content, struct put *put)
{
    const struct sluice_options *options = &cache->options;
    enum sluice_error error;

    if (put->key.size == 0 || put->key.size > options->key_size_max)
        return SLUICE_KEY_SIZE;
    put->hash = hash_key(cache->seed, put->key.data, put->key.size);
    put->now_ms = clock_now_ms(&options->clock);
    put->answer.error = SLUICE_OK;
    put->answer.ttl_ms = content->ttl_ms;
    put->answer.refresh_ms = content->refresh_ms;
    error = value_create(content, options->value_size_max, options->make_etags, &put->answer.value);
    if (error != SLUICE_OK)
        return error;
    store_weigh(cache, put->key.data, put->key.size, &put->answer);
    error = SLUICE_VALUE_TOO_LARGE;
    /* Too large is what no share of the maximum holds: of a smaller share the put knows nothing. */
    if (core_cost(cache, put->answer.weight) > sluice_cache_maximum(cache))
        goto not_stored;
    error = SLUICE_NO_MEMORY;
    if (options->listener.removed != NULL && (put->record = entry_create(put->key.data, put->key.size)) == NULL)
        goto not_stored;
    return SLUICE_OK;

not_stored:
    sluice_value_unref(put->answer.value);
    return error;
}

static enum sluice_error put_run(struct sluice_cache *cache, const struct sluice_content *content, struct put *put,
                                 struct sluice_outcome *present) FREE_OF_SHARD;
static enum sluice_error put_run(struct sluice_cache *cache, const struct sluice_content *content, struct put *put,
                                 struct sluice_outcome *present)
{
    enum sluice_error error = put_prepare(cache, content, put);
    struct shard *shard;
    struct after after;

    if (error != SLUICE_OK)
        return error;
    shard = core_shard(cache, put->hash);
    after_init(&after);
    lock_acquire(&shard->lock);
    error = put_locked(shard, put, present, &after);
    lock_release(&shard->lock);
    after_run(&after, cache);
    entry_destroy(put->record);
    sluice_value_unref(put->answer.value);
    return error;
}

enum sluice_error sluice_put(struct sluice_cache *cache, const void *key, size_t key_size,
                             const struct sluice_content *content)
{
    struct put put = {.key = {key, key_size}};

    return put_run(cache, content, &put, NULL);
}

enum sluice_error sluice_put_if(struct sluice_cache *cache, const void *key, size_t key_size,
                                const struct sluice_content *content, enum sluice_condition condition,
                                const struct sluice_value *expected, struct sluice_outcome *present)
{
    struct put put = {.key = {key, key_size}, .condition = &condition, .expected = expected};

    return put_run(cache, content, &put, present);
}
