/* SPDX-License-Identifier: MIT */
/* shard_test.c: weights, the maximum over shards, and how long failures are remembered. */
#include "shard.h"

#include "core.h"
#include "hash.h"
#include "test.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

static int64_t now_ms;

static int64_t read_now(void *self)
{
    (void)self;
    return now_ms;
}

static void fail_at_once(void *self, struct sluice_load *load)
{
    (void)self;
    sluice_load_fail(load, "down");
}

static struct sluice_cache *make(struct sluice_options options)
{
    struct sluice_cache *cache;

    options.loader.load = fail_at_once;
    options.clock.now_ms = read_now;
    assert_int_equal(sluice_cache_create(&options, &cache), SLUICE_OK);
    return cache;
}

static void put(struct sluice_cache *cache, const char *key, size_t value_size)
{
    static char bytes[100000];
    struct sluice_content content = SLUICE_CONTENT_INIT;

    content.data = bytes;
    content.size = value_size;
    assert_int_equal(sluice_put(cache, key, strlen(key), &content), SLUICE_OK);
}

static void an_entry_weighs_key_value_and_overhead(void **state)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache = make(options);
    struct sluice_stats stats;

    (void)state;
    put(cache, "0123456789", 1000);
    sluice_cache_stats(cache, &stats);
    assert_int_equal(stats.weight, 1010 + SLUICE_ENTRY_OVERHEAD);
    put(cache, "0123456789", 10); /* replaced, not added */
    sluice_cache_stats(cache, &stats);
    assert_int_equal(stats.weight, 20 + SLUICE_ENTRY_OVERHEAD);
    assert_int_equal(stats.entries, 1);
    assert_int_equal(atomic_load(&cache->used), stats.weight);
    sluice_cache_destroy(cache);
}

static void a_heavy_entry_pushes_others_out_of_all_shards(void **state)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache;
    struct sluice_stats stats;
    char key[16];

    (void)state;
    options.maximum_weight = 100000;
    options.shards = 16;
    cache = make(options);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key%d", i);
        put(cache, key, 200);
    }
    put(cache, "heavy", 90000); /* no shard alone holds enough to make room for it */
    sluice_cache_stats(cache, &stats);
    assert_true(stats.weight <= 100000);
    assert_true(atomic_load(&cache->used) == stats.weight);
    sluice_cache_destroy(cache);
}

/* Stores a key that belongs to the shard of this number. */
static void put_in_shard(struct sluice_cache *cache, unsigned number)
{
    char key[16];
    unsigned tries = 0;

    do {
        snprintf(key, sizeof key, "key%u", tries++);
    } while (core_shard(cache, hash_key(cache->seed, key, strlen(key))) != &cache->shards[number]);
    put(cache, key, 1);
}

static size_t entries_of_shard(struct sluice_cache *cache, unsigned number)
{
    struct shard *shard = &cache->shards[number];
    size_t entries;

    lock_acquire(&shard->lock);
    entries = shard->locked.counters.entries;
    lock_release(&shard->lock);
    return entries;
}

/* A cache of one shard that is full, in which the oldest `hit` entries have been hit. */
static struct sluice_cache *make_full(unsigned entries, unsigned hit)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache;
    struct shard *shard;
    char key[16];

    options.maximum_entries = entries;
    options.shards = 1;
    cache = make(options);
    for (unsigned i = 0; i < entries; i++) {
        snprintf(key, sizeof key, "key%u", i);
        put(cache, key, 1);
    }
    shard = &cache->shards[0];
    lock_acquire(&shard->lock);
    for (unsigned i = 0; i < hit; i++) {
        int size = snprintf(key, sizeof key, "key%u", i);

        eviction_hit(table_find(&shard->locked.table, key, (size_t)size, hash_key(cache->seed, key, (size_t)size)));
    }
    lock_release(&shard->lock);
    return cache;
}

static size_t marked_entries(struct sluice_cache *cache)
{
    struct shard *shard = &cache->shards[0];
    struct table_walk walk = TABLE_WALK_INIT;
    const struct entry *entry;
    size_t marked = 0;

    lock_acquire(&shard->lock);
    while ((entry = table_walk_next(&shard->locked.table, &walk)) != NULL)
        marked += entry->visited;
    lock_release(&shard->lock);
    return marked;
}

/* Where all has been hit, a put does not look at all of it under the lock. */
static void the_search_for_a_victim_passes_over_no_more_than_a_batch(void **state)
{
    enum { ENTRIES = 4 * SHARD_LOOK_BATCH };
    struct sluice_cache *cache = make_full(ENTRIES, ENTRIES);

    (void)state;
    put(cache, "one more", 1);
    assert_int_equal(marked_entries(cache), ENTRIES - SHARD_LOOK_BATCH - 1);
    assert_int_equal(entries_of_shard(cache, 0), ENTRIES);
    sluice_cache_destroy(cache);
}

/* A batch that has used its looks up leaves the rest to the next one, which has its own. */
static void shrinking_spares_what_was_hit(void **state)
{
    enum { BATCHES = 4, HIT = BATCHES * SHARD_LOOK_BATCH, ENTRIES = 2 * HIT };
    struct sluice_cache *cache = make_full(ENTRIES, HIT);
    unsigned kept = 0;
    char key[16];

    (void)state;
    assert_int_equal(sluice_cache_set_maximum(cache, HIT), SLUICE_OK);
    assert_int_equal(entries_of_shard(cache, 0), HIT);
    for (unsigned i = 0; i < HIT; i++) {
        struct sluice_outcome outcome;

        snprintf(key, sizeof key, "key%u", i);
        kept += sluice_get_if_present(cache, key, strlen(key), &outcome) == SLUICE_OK;
        sluice_outcome_fini(&outcome);
    }
    assert_in_range(kept, HIT - BATCHES, HIT); /* one for each batch of looks goes though hit */
    sluice_cache_destroy(cache);
}

/* Each shard gives for another one, so that none is emptied again and again while the others stay full. */
static void room_is_made_in_the_shard_behind_the_one_that_stores(void **state)
{
    enum { SHARDS = 4 };
    struct sluice_options options = SLUICE_OPTIONS_INIT;

    (void)state;
    options.maximum_entries = SHARDS - 1;
    options.shards = SHARDS;
    for (unsigned storing = 0; storing < SHARDS; storing++) {
        struct sluice_cache *cache = make(options);

        for (unsigned i = 1; i < SHARDS; i++)
            put_in_shard(cache, (storing + i) % SHARDS);
        put_in_shard(cache, storing);
        for (unsigned i = 0; i < SHARDS; i++)
            assert_int_equal(entries_of_shard(cache, (storing + i) % SHARDS), i != 1);
        sluice_cache_destroy(cache);
    }
}

static void what_outweighs_the_cache_is_refused_and_changes_nothing(void **state)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct sluice_outcome outcome;
    struct sluice_cache *cache;
    static char bytes[2000];

    (void)state;
    options.maximum_weight = 1000;
    cache = make(options);
    put(cache, "k", 10);
    content.data = bytes;
    content.size = sizeof bytes;
    assert_int_equal(sluice_put(cache, "k", 1, &content), SLUICE_VALUE_TOO_LARGE);
    assert_int_equal(sluice_get_if_present(cache, "k", 1, &outcome), SLUICE_OK);
    assert_int_equal(sluice_value_size(outcome.value), 10);
    sluice_outcome_fini(&outcome);
    sluice_cache_destroy(cache);
}

/* How long the failure that a get meets now is still remembered. */
static int64_t failure_left_ms(struct sluice_cache *cache)
{
    struct sluice_outcome outcome;
    int64_t left_ms;

    assert_int_equal(sluice_get_outcome(cache, "k", 1, SLUICE_WAIT_FOREVER, &outcome), SLUICE_LOAD_FAILED);
    left_ms = outcome.ttl_ms;
    sluice_outcome_fini(&outcome);
    return left_ms;
}

static void a_backoff_doubles_up_to_its_cap_less_a_quarter_at_most(void **state)
{
    static const int64_t steps_ms[] = {1000, 2000, 4000, 5000, 5000};
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache;

    (void)state;
    options.failure_backoff_ms = 1000;
    options.failure_backoff_max_ms = 5000;
    cache = make(options);
    for (size_t i = 0; i < sizeof steps_ms / sizeof steps_ms[0]; i++) {
        int64_t left_ms = failure_left_ms(cache);

        assert_in_range(left_ms, steps_ms[i] * 3 / 4, steps_ms[i]);
        now_ms += left_ms;
        (void)sluice_cache_tick(cache); /* the count outlives the back-off */
    }
    /* Left alone for longer than the cap, the key starts anew. */
    now_ms += 20000;
    (void)sluice_cache_tick(cache);
    assert_in_range(failure_left_ms(cache), 750, 1000);
    sluice_cache_destroy(cache);
}

static void a_small_cache_has_one_shard_and_a_given_number_is_kept(void **state)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache;

    (void)state;
    options.maximum_entries = 64;
    cache = make(options);
    assert_int_equal(cache->shards_count, 1);
    sluice_cache_destroy(cache);
    options.shards = 256;
    cache = make(options);
    assert_int_equal(cache->shards_count, 256);
    sluice_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_weighs_key_value_and_overhead),
        cmocka_unit_test(a_heavy_entry_pushes_others_out_of_all_shards),
        cmocka_unit_test(the_search_for_a_victim_passes_over_no_more_than_a_batch),
        cmocka_unit_test(shrinking_spares_what_was_hit),
        cmocka_unit_test(room_is_made_in_the_shard_behind_the_one_that_stores),
        cmocka_unit_test(what_outweighs_the_cache_is_refused_and_changes_nothing),
        cmocka_unit_test(a_backoff_doubles_up_to_its_cap_less_a_quarter_at_most),
        cmocka_unit_test(a_small_cache_has_one_shard_and_a_given_number_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
