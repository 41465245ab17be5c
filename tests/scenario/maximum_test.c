/* SPDX-License-Identifier: MIT */
/* maximum_test.c: the maximum is changed while the cache is in use (rule 10), and nobody is held up by it for long. */
#include "errand.h"
#include "fixture.h"
#include "random.h"
#include "removals.h"

#include <stdlib.h>

#define ENTRIES   1000
#define BATCH_MAX 64 /* evictions under one hold of a lock: the library's own number */

static const char *key_of(unsigned number)
{
    static char key[16];
    snprintf(key, sizeof key, "%06u", number);
    return key;
}

static void open_full(struct fixture *fixture, unsigned shards)
{
    fixture->options.maximum_entries = ENTRIES;
    fixture->options.shards = shards;
    fixture_open(fixture);
    for (unsigned number = 0; number < ENTRIES; number++)
        fixture_put(fixture, key_of(number), "value");
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
}

static void set_maximum(struct fixture *fixture, uint64_t maximum)
{
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, maximum), SLUICE_OK);
    assert_int_equal(sluice_cache_maximum(fixture->cache), maximum);
}

static void rule_10_lowering_it_evicts_at_once(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned shards[] = {1, 8, 256};

    for (size_t i = 0; i < COUNT_OF(shards); i++) {
        open_full(fixture, shards[i]);
        assert_int_equal(sluice_cache_maximum(fixture->cache), ENTRIES);
        set_maximum(fixture, 300);
        assert_int_equal(fixture_stats(fixture).entries, 300);
        assert_int_equal(fixture_stats(fixture).evicted, ENTRIES - 300);
        for (unsigned number = 0; number < 500; number++)
            fixture_put(fixture, key_of(ENTRIES + number), "value");
        assert_int_equal(fixture_stats(fixture).entries, 300);
        set_maximum(fixture, 1);
        assert_int_equal(fixture_stats(fixture).entries, 1);
        fixture_put(fixture, "last", "value");
        fixture_expect_present(fixture, "last", SLUICE_OK, "value");
        fixture_destroy_cache(fixture);
    }
}

static void what_is_used_is_what_is_left(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, 1);

    for (unsigned number = 0; number < 100; number++)
        fixture_expect_present(fixture, key_of(7 * number), SLUICE_OK, "value");
    set_maximum(fixture, 100);
    for (unsigned number = 0; number < 100; number++)
        fixture_expect_present(fixture, key_of(7 * number), SLUICE_OK, "value");
}

static void rule_10_raising_it_makes_room(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, 1);

    set_maximum(fixture, ENTRIES + 2);
    for (unsigned number = 0; number < 3; number++)
        fixture_put(fixture, key_of(ENTRIES + number), "value");
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES + 2);
    assert_int_equal(fixture_stats(fixture).evicted, 1);
}

static void rule_10_a_maximum_of_weight_is_changed_in_weight(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_content content = SLUICE_CONTENT_INIT;
    static const char bytes[500];
    fixture->options.maximum_weight = 100000;
    fixture_open(fixture);

    for (unsigned number = 0; number < 50; number++)
        fixture_put(fixture, key_of(number), "value");
    set_maximum(fixture, 600);
    assert_in_range(fixture_stats(fixture).weight, 600 - SLUICE_ENTRY_OVERHEAD - 11, 600);
    content.data = bytes;
    content.size = sizeof bytes;
    assert_int_equal(sluice_put(fixture->cache, "heavy", 5, &content), SLUICE_VALUE_TOO_LARGE);
    set_maximum(fixture, 505 + SLUICE_ENTRY_OVERHEAD);
    assert_int_equal(sluice_put(fixture->cache, "heavy", 5, &content), SLUICE_OK);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    assert_int_equal(sluice_cache_maximum(fixture->cache), 505 + SLUICE_ENTRY_OVERHEAD);
}

static void what_is_no_maximum_is_refused_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, 1);

    assert_int_equal(sluice_cache_set_maximum(fixture->cache, 0), SLUICE_INVALID);
    assert_int_equal(sluice_cache_maximum(fixture->cache), ENTRIES);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
    set_maximum(fixture, UINT64_MAX);
    fixture_destroy_cache(fixture);

    fixture->options.maximum_entries = 0;
    fixture_open(fixture);
    assert_int_equal(sluice_cache_maximum(fixture->cache), 64 << 20);
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, SLUICE_WEIGHT_MAX + 1), SLUICE_INVALID);
    assert_int_equal(sluice_cache_maximum(fixture->cache), 64 << 20);
    set_maximum(fixture, SLUICE_WEIGHT_MAX);
}

static void rule_22_what_it_evicts_leaves_for_its_size_also_under_a_reload(void **state)
{
    struct fixture *fixture = *state;
    struct removals *removals = removals_create();
    fixture->options.listener = removals_option(removals);
    fixture->options.maximum_entries = 10;
    fixture_open(fixture);

    fixture_put(fixture, "reloaded", "old");
    fixture_put(fixture, "still", "value");
    fixture_put(fixture, "stays", "value");
    assert_int_equal(sluice_refresh(fixture->cache, "reloaded", 8), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    set_maximum(fixture, 1);
    removals_expect(removals, "reloaded", "old", SLUICE_REMOVED_SIZE);
    removals_expect(removals, "still", "value", SLUICE_REMOVED_SIZE);
    removals_expect_none(removals);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    removals_expect(removals, "stays", "value", SLUICE_REMOVED_SIZE);
    fixture_expect_present(fixture, "reloaded", SLUICE_OK, "new");
    fixture_destroy_cache(fixture);
    removals_destroy(removals);
}

/* What the listener saw when it was told of the first eviction of a lowered maximum. */
static struct {
    struct sluice_cache *cache;
    unsigned calls;
    struct sluice_stats before_put, after_put;
    enum sluice_error put;
} first;

static void look_at_first(void *self, const struct sluice_removal *removal)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    (void)self, (void)removal;
    if (first.cache == NULL || first.calls++ > 0)
        return;
    sluice_cache_stats(first.cache, &first.before_put);
    first.put = sluice_put(first.cache, "meanwhile", 9, &content);
    sluice_cache_stats(first.cache, &first.after_put);
}

static void others_wait_for_a_batch_at_most_and_a_store_pays_for_itself_alone(void **state)
{
    struct fixture *fixture = *state;
    memset(&first, 0, sizeof first);
    fixture->options.listener.removed = look_at_first;
    open_full(fixture, 1);

    first.cache = fixture->cache;
    set_maximum(fixture, 10);
    assert_int_equal(first.put, SLUICE_OK);
    assert_int_equal(first.before_put.entries, ENTRIES - BATCH_MAX);
    assert_int_equal(first.after_put.entries, ENTRIES - BATCH_MAX); /* one came, one went */
    assert_int_equal(first.after_put.evicted - first.before_put.evicted, 1);
    assert_int_equal(fixture_stats(fixture).entries, 10);
    fixture_expect_present(fixture, "meanwhile", SLUICE_OK, "");
    first.cache = NULL;
}

/* ---- under load -------------------------------------------------------------------------------------------------- */

#define CHANGES    200
#define STORES_MIN 2000 /* in all, while the maximum is changed */

static atomic_bool storing;

static void store_many(void *arg)
{
    struct fixture *fixture = arg;
    struct random random;
    random_init(&random, (uintptr_t)&random);
    while (atomic_load(&storing) && errand_goes_on()) {
        char key[16];
        int size = snprintf(key, sizeof key, "%u", random_below(&random, 4 * ENTRIES));
        const struct sluice_content content = {.data = key, .size = (size_t)size, .ttl_ms = SLUICE_TTL_DEFAULT};
        if (sluice_put(fixture->cache, key, (size_t)size, &content) != SLUICE_OK)
            abort();
    }
}

static void rule_10_the_last_maximum_holds_after_changes_and_stores_at_once(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned shards = 1; shards <= 8; shards *= 8) {
        open_full(fixture, shards);
        struct errand *errands[2];
        atomic_store(&storing, true);
        for (size_t i = 0; i < COUNT_OF(errands); i++)
            errands[i] = errand_start(store_many, fixture);
        int64_t start_ms = await_now_ms();
        for (unsigned changes = 0;
             (changes < CHANGES || fixture_stats(fixture).puts < ENTRIES + STORES_MIN) && await_again(start_ms);
             changes++)
            set_maximum(fixture, changes % 2 ? ENTRIES : 10);
        atomic_store(&storing, false);
        for (size_t i = 0; i < COUNT_OF(errands); i++) {
            assert_true(errand_ended(errands[i]));
            errand_join(errands[i]);
        }
        assert_true(fixture_stats(fixture).puts >= ENTRIES + STORES_MIN);
        set_maximum(fixture, 20);
        assert_in_range(fixture_stats(fixture).entries, 1, 20);
        fixture_destroy_cache(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_10_lowering_it_evicts_at_once),
        FIXTURE_TEST(what_is_used_is_what_is_left),
        FIXTURE_TEST(rule_10_raising_it_makes_room),
        FIXTURE_TEST(rule_10_a_maximum_of_weight_is_changed_in_weight),
        FIXTURE_TEST(what_is_no_maximum_is_refused_and_changes_nothing),
        FIXTURE_TEST(rule_22_what_it_evicts_leaves_for_its_size_also_under_a_reload),
        FIXTURE_TEST(others_wait_for_a_batch_at_most_and_a_store_pays_for_itself_alone),
        FIXTURE_TEST(rule_10_the_last_maximum_holds_after_changes_and_stores_at_once),
    };
    FIXTURE_MAIN(tests);
}
