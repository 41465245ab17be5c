/* SPDX-License-Identifier: MIT */
/* maximum_test.c: the maximum is changed while the cache is in use (rule 10), and nobody is held up by it for long. */
#include "numbers.h"
#include "removals.h"
#include "storing.h"

#define ENTRIES   1000
#define BATCH_MAX 64 /* evictions under one hold of a lock: the library's own number */

static void open_full(struct fixture *fixture, unsigned shards)
{
    numbers_open_full(fixture, ENTRIES, shards);
}

static void set_maximum(struct fixture *fixture, uint64_t maximum)
{
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, maximum), SLUICE_OK);
    assert_int_equal(sluice_cache_maximum(fixture->cache), maximum);
}

static void rule_10_lowering_the_maximum_evicts_at_once(void **state)
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
            fixture_put(fixture, numbers_key(ENTRIES + number), "value");
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
        fixture_expect_present(fixture, numbers_key(7 * number), SLUICE_OK, "value");
    set_maximum(fixture, 100);
    for (unsigned number = 0; number < 100; number++)
        fixture_expect_present(fixture, numbers_key(7 * number), SLUICE_OK, "value");
}

static void rule_10_raising_the_maximum_makes_room(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, 1);

    set_maximum(fixture, ENTRIES + 2);
    for (unsigned number = 0; number < 3; number++)
        fixture_put(fixture, numbers_key(ENTRIES + number), "value");
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
        fixture_put(fixture, numbers_key(number), "value");
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

static void rule_22_what_a_lowered_maximum_evicts_leaves_for_its_size_also_under_a_reload(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 10;
    fixture_open(fixture);

    fixture_put(fixture, "reloaded", "old");
    fixture_put(fixture, "still", "value");
    fixture_put(fixture, "stays", "value");
    assert_int_equal(sluice_refresh(fixture->cache, "reloaded", 8), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    set_maximum(fixture, 1);
    removals_expect(removals_told, "reloaded", "old", SLUICE_REMOVED_SIZE);
    removals_expect(removals_told, "still", "value", SLUICE_REMOVED_SIZE);
    removals_expect_none(removals_told);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    removals_expect(removals_told, "stays", "value", SLUICE_REMOVED_SIZE);
    fixture_expect_present(fixture, "reloaded", SLUICE_OK, "new");
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

static void rule_10_the_last_maximum_holds_after_changes_and_stores_at_once(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned shards = 1; shards <= 8; shards *= 8) {
        open_full(fixture, shards);
        struct storing *storing = storing_start(fixture, 2, 4 * ENTRIES, STORING_FOR_EVER);
        int64_t start_ms = await_now_ms();
        for (unsigned changes = 0;
             (changes < CHANGES || fixture_stats(fixture).puts < ENTRIES + STORES_MIN) && await_again(start_ms);
             changes++)
            set_maximum(fixture, changes % 2 ? ENTRIES : 10);
        storing_stop(storing);
        assert_true(fixture_stats(fixture).puts >= ENTRIES + STORES_MIN);
        set_maximum(fixture, 20);
        assert_in_range(fixture_stats(fixture).entries, 1, 20);
        fixture_destroy_cache(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_10_lowering_the_maximum_evicts_at_once),
        FIXTURE_TEST(what_is_used_is_what_is_left),
        FIXTURE_TEST(rule_10_raising_the_maximum_makes_room),
        FIXTURE_TEST(rule_10_a_maximum_of_weight_is_changed_in_weight),
        FIXTURE_TEST(what_is_no_maximum_is_refused_and_changes_nothing),
        REMOVALS_TEST(rule_22_what_a_lowered_maximum_evicts_leaves_for_its_size_also_under_a_reload),
        FIXTURE_TEST(others_wait_for_a_batch_at_most_and_a_store_pays_for_itself_alone),
        FIXTURE_TEST(rule_10_the_last_maximum_holds_after_changes_and_stores_at_once),
    };
    FIXTURE_MAIN(tests);
}
