/* SPDX-License-Identifier: MIT */
/* store.c: see store.h. Nothing here knows of flights. */
#include "store.h"

#include "core.h"
#include "value.h"
#include "worth.h"

#define RELOAD_BACKOFF_MS 1000 /* after a failed reload, where failure_backoff_ms is 0: rule 11 asks for one */

/* ---- how heavy --------------------------------------------------------------------------------------------------- */

void store_weigh(const struct sluice_cache *cache, const void *key, size_t key_size, struct answer *answer)
{
    const struct sluice_weigher *weigher = &cache->options.weigher;

    if (weigher->weigh == NULL)
        answer->weight = value_weight(key_size, answer->value);
    else
        answer->weight = weigher->weigh(weigher->self, key, key_size, answer->value);
}

/* Not-founds and failures have nothing to be weighed by the caller's weigher: they count, so that they are bounded. */
static uint64_t answer_weight(const struct sluice_options *options, const struct entry *entry,
                              const struct answer *answer)
{
    if (answer->error == SLUICE_OK)
        return answer->weight;
    return options->weigher.weigh != NULL ? 1 : value_weight(entry->key_size, answer->value);
}

/* ---- how long ---------------------------------------------------------------------------------------------------- */

/*
 * The back-off after this many failures in a row: doubled for each one, capped, then taken down by up to a quarter so
 * that keys that failed together are not tried again together. The jitter is drawn from the entry's place in memory and
 * the count: it needs no state, only to differ.
 */
static int64_t backoff_ms(const struct entry *entry, int64_t first_ms, int64_t most_ms)
{
    uint64_t mixed = ((uintptr_t)entry + entry->failures) * UINT64_C(0x9e3779b97f4a7c15);
    int64_t span_ms = first_ms;

    for (uint32_t i = 1; i < entry->failures && span_ms < most_ms; i++) {
        if (__builtin_mul_overflow(span_ms, (int64_t)2, &span_ms))
            span_ms = INT64_MAX;
    }
    if (span_ms > most_ms)
        span_ms = most_ms;
    return span_ms - (int64_t)((mixed >> 32) % ((uint64_t)span_ms / 4 + 1));
}

/* What failed on this side of the backend is no reason to leave the backend alone. */
static bool failed_on_this_side(enum sluice_error error)
{
    return error == SLUICE_NO_MEMORY || error == SLUICE_LOAD_REFUSED;
}

static void count_failure(struct entry *entry, enum sluice_error error)
{
    if (!failed_on_this_side(error) && entry->failures < UINT8_MAX)
        entry->failures++;
}

int64_t store_jittered_ms_locked(struct shard *shard, int64_t ttl_ms)
{
    int64_t percent = shard->cache->options.expiry_jitter_percent;

    if (percent == 0 || ttl_ms <= 0)
        return ttl_ms;
    /* At most a half: what is to be stored for one millisecond is stored. */
    return ttl_ms - chance_up_to(&shard->locked.chance, ttl_ms / 100 * percent + ttl_ms % 100 * percent / 100);
}

/* How long the answer is to be kept; 0: not at all (rules 5, 6, 13). Counts a failure. */
static int64_t answer_ttl_ms_locked(struct shard *shard, struct entry *entry, const struct answer *answer) HOLDS_SHARD;
static int64_t answer_ttl_ms_locked(struct shard *shard, struct entry *entry, const struct answer *answer)
{
    const struct sluice_options *options = &shard->cache->options;

    if (answer->error == SLUICE_OK) {
        bool by_default = answer->ttl_ms == SLUICE_TTL_DEFAULT;

        entry->failures = 0;
        return store_jittered_ms_locked(shard, by_default ? options->expire_after_write_ms : answer->ttl_ms);
    }
    if (answer->error == SLUICE_NOT_FOUND) {
        entry->failures = 0;
        return options->not_found_ttl_ms;
    }
    if (options->failure_backoff_ms == 0 || failed_on_this_side(answer->error))
        return 0;
    count_failure(entry, answer->error);
    return backoff_ms(entry, options->failure_backoff_ms, options->failure_backoff_max_ms);
}

/* Sets the instants of an entry with the answer that it now has, and its timer. */
static void store_date_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                              int64_t ttl_ms, struct after *after) HOLDS_SHARD;
static void store_date_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                              int64_t ttl_ms, struct after *after)
{
    const struct sluice_options *options = &shard->cache->options;
    int64_t refresh_ms = answer->refresh_ms > 0 || answer->refresh_ms == SLUICE_NEVER ? answer->refresh_ms
                                                                                      : options->refresh_after_write_ms;
    entry->stored_ms = now_ms;
    entry->conforms = shard->locked.decrees.last;
    entry->fresh_until_ms = clock_after_ms(now_ms, ttl_ms);
    entry_set_accessed_ms(entry, now_ms);
    entry_set_reload_at_ms(entry, answer->error == SLUICE_OK ? clock_after_ms(now_ms, refresh_ms) : CLOCK_FAR);
    entry->held_off = false;
    entry->load_cost_ms = answer->error == SLUICE_OK ? answer->cost_ms : 0;
    shard_arm_locked(shard, entry, after);
}

/* ---- the outcome ------------------------------------------------------------------------------------------------- */

struct sluice_outcome store_outcome(const struct answer *answer)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;

    outcome.error = answer->error;
    if (answer->error == SLUICE_OK)
        outcome.value = answer->value;
    else
        outcome.reason = answer->value;
    outcome.ttl_ms = 0;
    return outcome;
}

struct sluice_outcome store_outcome_of_failure(const struct sluice_options *options, const struct entry *entry,
                                               const struct answer *failure, int64_t now_ms)
{
    struct sluice_outcome outcome = store_outcome(failure);
    enum worth worth = entry == NULL ? WORTH_NOTHING : worth_at(entry, options, now_ms);

    if (worth == WORTH_NOTHING || !entry_has_value(entry))
        return outcome;
    outcome.error = SLUICE_OK;
    outcome.value = entry->value;
    outcome.age_ms = clock_age_ms(now_ms, entry->stored_ms);
    outcome.ttl_ms = clock_left_ms(now_ms, worth_fresh_until_ms(entry, options));
    outcome.stored = true;
    outcome.stale = worth != WORTH_FRESH;
    return outcome;
}

/* ---- settling ---------------------------------------------------------------------------------------------------- */

/* A failure never replaces a good value (rule 5), and puts off the next reload (rule 11). */
static void store_keep_old(const struct sluice_options *options, struct entry *entry, const struct answer *failure,
                           int64_t now_ms)
{
    int64_t first_ms = options->failure_backoff_ms > 0 ? options->failure_backoff_ms : RELOAD_BACKOFF_MS;
    int64_t most_ms = options->failure_backoff_max_ms > first_ms ? options->failure_backoff_max_ms : first_ms;

    count_failure(entry, failure->error);
    entry_set_reload_at_ms(entry, clock_after_ms(now_ms, backoff_ms(entry, first_ms, most_ms)));
    entry->held_off = true;
}

/* The entry, with all that is stored in it, counts from now on. */
static void store_place_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;
static void store_place_locked(struct shard *shard, struct entry *entry, struct after *after)
{
    shard_link_locked(shard, entry);
    /* Room is made before it takes its place in the order: where all others are marked, it would be the victim. */
    shard_make_room_locked(shard, entry, after);
    if (!entry_is_pinned(entry))
        eviction_stored(&shard->locked.eviction, entry);
}

bool store_restored_locked(struct shard *shard, struct entry *entry, uint64_t hash, struct after *after)
{
    if (!table_insert(&shard->locked.table, entry, hash))
        return false;
    entry->conforms = shard->locked.decrees.last;
    shard_arm_locked(shard, entry, after);
    store_place_locked(shard, entry, after);
    return true;
}

/*
 * What was stored leaves for the answer. A failure takes no value's place: one that leaves then has expired, and nobody
 * has noticed before.
 */
static void store_unstore_old_locked(struct shard *shard, struct entry *entry, bool failed, struct entry **record,
                                     struct after *after) HOLDS_SHARD;
static void store_unstore_old_locked(struct shard *shard, struct entry *entry, bool failed, struct entry **record,
                                     struct after *after)
{
    enum sluice_removal_cause cause =
        failed && entry_has_value(entry) ? SLUICE_REMOVED_EXPIRED : SLUICE_REMOVED_REPLACED;

    shard->locked.counters.expired += cause == SLUICE_REMOVED_EXPIRED;
    shard_unstore_locked(shard, entry, cause, record, after);
}

/* Stores in an entry that has nothing stored. */
static void store_answer_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                                int64_t ttl_ms, struct after *after) HOLDS_SHARD;
static void store_answer_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                                int64_t ttl_ms, struct after *after)
{
    entry->answer = (uint8_t)answer->error;
    entry_set_weight(entry, answer_weight(&shard->cache->options, entry, answer));
    entry->value = answer->value == NULL ? NULL : sluice_value_ref(answer->value);
    store_date_locked(shard, entry, answer, now_ms, ttl_ms, after);
    store_place_locked(shard, entry, after);
}

void store_settle_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                         struct entry **record, struct sluice_outcome *outcome, struct after *after)
{
    const struct sluice_options *options = &shard->cache->options;
    bool failed = answer_failed(answer);
    int64_t ttl_ms;

    if (failed && answer->computed) {
        *outcome = store_outcome_of_failure(options, entry, answer, now_ms);
        return;
    }
    if (failed && entry_has_value(entry) && worth_at(entry, options, now_ms) != WORTH_NOTHING) {
        store_keep_old(options, entry, answer, now_ms);
        *outcome = store_outcome_of_failure(options, entry, answer, now_ms);
        return;
    }
    ttl_ms = answer_ttl_ms_locked(shard, entry, answer);
    *outcome = store_outcome(answer);
    outcome->stored = ttl_ms != 0 && !core_outweighs(shard->cache, answer_weight(options, entry, answer));
    if (outcome->stored && answer->renews && entry_has_value(entry) && entry->value == answer->value) {
        store_date_locked(shard, entry, answer, now_ms, ttl_ms, after);
    } else {
        if (entry->ready)
            store_unstore_old_locked(shard, entry, failed, record, after);
        if (outcome->stored)
            store_answer_locked(shard, entry, answer, now_ms, ttl_ms, after);
    }
    if (outcome->stored)
        outcome->ttl_ms = clock_left_ms(now_ms, worth_fresh_until_ms(entry, options));
}
