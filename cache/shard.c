/* SPDX-License-Identifier: MIT */
/* shard.c: see shard.h. Storing, finding and taking away; nothing here knows of flights. */
#include "shard.h"

#include "core.h"
#include "value.h"

void shard_init(struct shard *shard, struct sluice_cache *cache, int64_t now_ms)
{
    static const struct sluice_stats zero;

    shard->cache = cache;
    lock_init(&shard->lock);
    lock_acquire(&shard->lock);
    shard->locked.table.entries = NULL;
    shard->locked.cleared.entries = NULL;
    eviction_init(&shard->locked.eviction);
    wheel_init(&shard->locked.expiries, now_ms);
    wheel_init(&shard->locked.deadlines, now_ms);
    TAILQ_INIT(&shard->locked.flights);
    shard->locked.counters = zero;
    shard->locked.closed = false;
    lock_release(&shard->lock);
}

void shard_free_table(struct table *table)
{
    struct entry *entry, *next;

    for (entry = table->entries; entry != NULL; entry = next) {
        next = table_next(entry);
        table_remove(table, entry);
        entry_destroy(entry);
    }
}

void shard_fini(struct shard *shard)
{
    struct table table, cleared;

    lock_acquire(&shard->lock);
    table = shard->locked.table;
    cleared = shard->locked.cleared;
    lock_release(&shard->lock);
    shard_free_table(&table);
    shard_free_table(&cleared);
    lock_fini(&shard->lock);
}

/* ---- weight ------------------------------------------------------------------------------------------------------ */

uint64_t shard_weight(size_t key_size, const struct sluice_value *value)
{
    uint64_t weight = SLUICE_ENTRY_OVERHEAD + (uint64_t)key_size;

    if (value != NULL)
        weight += (uint64_t)value->size + value->content_type_size + value->etag_size;
    return weight;
}

/* What counts against the maximum: one, or the bytes. */
static uint64_t shard_cost(const struct sluice_cache *cache, uint64_t weight)
{
    return cache->options.maximum_entries > 0 ? 1 : weight;
}

bool shard_outweighs(const struct sluice_cache *cache, size_t key_size, const struct sluice_value *value)
{
    return shard_cost(cache, shard_weight(key_size, value)) > cache->used_max;
}

/* ---- taking away ------------------------------------------------------------------------------------------------- */

/* Takes a stored entry out of all but the table. */
static void shard_unlink_locked(struct shard *shard, struct entry *entry) HOLDS_SHARD;
static void shard_unlink_locked(struct shard *shard, struct entry *entry)
{
    uint64_t weight = shard_weight(entry->key_size, entry->value);

    must(entry->ready);
    eviction_removed(&shard->locked.eviction, entry);
    wheel_stop(&shard->locked.expiries, &entry->expiry);
    shard->locked.counters.entries--;
    shard->locked.counters.weight -= weight;
    atomic_fetch_sub_explicit(&shard->cache->used, shard_cost(shard->cache, weight), memory_order_relaxed);
    entry->ready = false;
}

void shard_unstore_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    shard_unlink_locked(shard, entry);
    must(after->value == NULL);
    after->value = entry->value;
    entry->value = NULL;
}

void shard_drop_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    must(entry->flight == NULL);
    if (entry->ready)
        shard_unlink_locked(shard, entry);
    table_remove(&shard->locked.table, entry);
    TAILQ_INSERT_TAIL(&after->garbage, entry, order);
}

size_t shard_clear_locked(struct shard *shard, int64_t now_ms, struct table *left)
{
    struct sluice_stats *counters = &shard->locked.counters;
    size_t entries = counters->entries;

    must(table_count(&shard->locked.table) == entries);
    *left = shard->locked.cleared;
    shard->locked.cleared = shard->locked.table;
    shard->locked.table.entries = NULL;
    eviction_init(&shard->locked.eviction);
    wheel_init(&shard->locked.expiries, now_ms);
    atomic_fetch_sub_explicit(&shard->cache->used,
                              shard->cache->options.maximum_entries > 0 ? entries : counters->weight,
                              memory_order_relaxed);
    counters->entries = counters->weight = 0;
    return entries;
}

bool shard_evict_locked(struct shard *shard, struct after *after)
{
    struct entry *victim = eviction_victim(&shard->locked.eviction);

    if (victim == NULL)
        return false;
    shard_drop_locked(shard, victim, after);
    shard->locked.counters.evicted++;
    return true;
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

bool shard_find_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash, int64_t now_ms,
                       struct entry **entry, struct after *after)
{
    struct entry *found = table_find(&shard->locked.table, key, key_size, hash);

    *entry = found;
    if (found == NULL || !found->ready)
        return false;
    if (now_ms < found->fresh_until_ms) {
        eviction_hit(found);
        return true;
    }
    if (found->failures == 0) {
        shard_drop_locked(shard, found, after);
        shard->locked.counters.expired++;
        *entry = NULL;
    }
    return false;
}

void shard_answer_locked(const struct entry *entry, int64_t now_ms, struct sluice_outcome *outcome)
{
    bool is_value = entry->answer == SLUICE_OK;

    if (entry->value != NULL)
        sluice_value_ref(entry->value);
    outcome->error = (enum sluice_error)entry->answer;
    outcome->source = SLUICE_SOURCE_HIT;
    outcome->value = is_value ? entry->value : NULL;
    outcome->reason = is_value ? NULL : entry->value;
    outcome->age_ms = clock_age_ms(now_ms, entry->stored_ms);
    outcome->ttl_ms = clock_left_ms(now_ms, entry->fresh_until_ms);
    outcome->stored = true;
}

struct entry *shard_add_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash)
{
    struct entry *entry = entry_create(key, key_size);

    if (entry == NULL)
        return NULL;
    if (!table_insert(&shard->locked.table, entry, hash)) {
        entry_destroy(entry);
        return NULL;
    }
    return entry;
}

/* ---- storing ----------------------------------------------------------------------------------------------------- */

/*
 * How long a failure is remembered: doubled for each one in a row, capped, then taken down by up to a quarter so that
 * keys that failed together are not tried again together. The jitter is drawn from the key's place in memory and the
 * count: it needs no state, only to differ.
 */
static int64_t backoff_ms(const struct sluice_options *options, const struct entry *entry)
{
    uint64_t mixed = ((uintptr_t)entry + entry->failures) * UINT64_C(0x9e3779b97f4a7c15);
    int64_t span_ms = options->failure_backoff_ms;

    for (uint32_t i = 1; i < entry->failures && span_ms < options->failure_backoff_max_ms; i++) {
        if (__builtin_mul_overflow(span_ms, (int64_t)2, &span_ms))
            span_ms = INT64_MAX;
    }
    if (span_ms > options->failure_backoff_max_ms)
        span_ms = options->failure_backoff_max_ms;
    return span_ms - (int64_t)((mixed >> 32) % ((uint64_t)span_ms / 4 + 1));
}

/*
 * How long the answer is to be kept; 0: not at all (rules 5, 6, 13). Counts a failure. What failed on this side of the
 * backend (no memory, a full queue) is no reason to leave the backend alone, and is not remembered.
 */
static int64_t answer_ttl_ms(const struct sluice_options *options, struct entry *entry, const struct answer *answer)
{
    switch (answer->error) {
    case SLUICE_OK:
        entry->failures = 0;
        return answer->ttl_ms == SLUICE_TTL_DEFAULT ? options->expire_after_write_ms : answer->ttl_ms;
    case SLUICE_NOT_FOUND:
        entry->failures = 0;
        return options->not_found_ttl_ms;
    case SLUICE_NO_MEMORY:
    case SLUICE_LOAD_REFUSED:
        return 0;
    default:
        if (options->failure_backoff_ms == 0)
            return 0;
        if (entry->failures < UINT32_MAX)
            entry->failures++;
        return backoff_ms(options, entry);
    }
}

/* Stores, but for the place in the eviction order. */
static void shard_store_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                               int64_t ttl_ms, struct after *after) HOLDS_SHARD;
static void shard_store_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                               int64_t ttl_ms, struct after *after)
{
    uint64_t weight = shard_weight(entry->key_size, answer->value);
    int64_t gone_ms;

    entry->answer = (uint8_t)answer->error;
    entry->value = answer->value == NULL ? NULL : sluice_value_ref(answer->value);
    entry->stored_ms = now_ms;
    entry->fresh_until_ms = gone_ms = clock_after_ms(now_ms, ttl_ms);
    if (entry->failures > 0) /* the count outlives the back-off, else it could not grow */
        gone_ms = clock_after_ms(gone_ms, shard->cache->options.failure_backoff_max_ms);
    entry->ready = true;

    shard->locked.counters.entries++;
    shard->locked.counters.weight += weight;
    atomic_fetch_add_explicit(&shard->cache->used, shard_cost(shard->cache, weight), memory_order_relaxed);
    if (gone_ms != CLOCK_FAR) {
        wheel_start(&shard->locked.expiries, &entry->expiry, gone_ms);
        gone_ms = clock_after_ms(gone_ms, CORE_EXPIRY_SLACK_MS);
        if (gone_ms < after->due_ms)
            after->due_ms = gone_ms;
    }
}

void shard_settle_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                         struct sluice_outcome *outcome, struct after *after)
{
    struct sluice_cache *cache = shard->cache;
    int64_t ttl_ms = answer_ttl_ms(&cache->options, entry, answer);

    outcome->stored = ttl_ms != 0 && !shard_outweighs(cache, entry->key_size, answer->value);
    outcome->ttl_ms = outcome->stored ? ttl_ms : 0;
    if (!outcome->stored) {
        shard_drop_locked(shard, entry, after);
        return;
    }
    shard_store_locked(shard, entry, answer, now_ms, ttl_ms, after);
    /* Room is made before it takes its place in the order: where all others are marked, it would be the victim. */
    while (atomic_load_explicit(&cache->used, memory_order_relaxed) > cache->used_max) {
        if (!shard_evict_locked(shard, after)) {
            after->over_full = shard;
            break;
        }
    }
    eviction_stored(&shard->locked.eviction, entry);
}
