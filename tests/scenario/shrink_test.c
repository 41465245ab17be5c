/* SPDX-License-Identifier: MIT */
/* shrink_test.c: a cache is shrunk to a share of its maximum, at once and for as long as its user wants. */
#include "call.h"
#include "numbers.h"
#include "removals.h"
#include "storing.h"

#define ENTRIES 1000

static void open_full(struct fixture *fixture, unsigned shards)
{
    numbers_open_full(fixture, ENTRIES, shards);
}

static struct sluice_shrunk shrink(struct fixture *fixture, unsigned share_percent)
{
    struct sluice_shrunk shrunk = {7, 7};
    assert_int_equal(sluice_cache_shrink(fixture->cache, share_percent, &shrunk), SLUICE_OK);
    return shrunk;
}

static struct sluice_shrunk set_share(struct fixture *fixture, unsigned share_percent)
{
    struct sluice_shrunk shrunk = {7, 7};
    assert_int_equal(sluice_cache_set_share(fixture->cache, share_percent, &shrunk), SLUICE_OK);
    assert_int_equal(sluice_cache_share(fixture->cache), share_percent);
    return shrunk;
}

static void rule_10_shrinking_evicts_down_to_the_share_at_once(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned shards[] = {1, 8, 256};

    for (size_t i = 0; i < COUNT_OF(shards); i++) {
        open_full(fixture, shards[i]);
        struct sluice_stats before = fixture_stats(fixture);
        struct sluice_shrunk shrunk = shrink(fixture, 30);
        struct sluice_stats after = fixture_stats(fixture);
        assert_int_equal(after.entries, 300);
        assert_int_equal(shrunk.entries, ENTRIES - 300);
        assert_int_equal(shrunk.weight, before.weight - after.weight);
        assert_int_equal(after.evicted, ENTRIES - 300);
        shrunk = shrink(fixture, 30);
        assert_int_equal(shrunk.entries, 0);
        assert_int_equal(shrunk.weight, 0);
        assert_int_equal(fixture_stats(fixture).shrinks, 2);
        assert_int_equal(fixture_stats(fixture).shrunk, ENTRIES - 300);
        assert_int_equal(shrink(fixture, 0).entries, 300);
        assert_int_equal(fixture_stats(fixture).entries, 0);
        fixture_destroy_cache(fixture);
    }
}

static void shrinking_leaves_the_maximum_so_that_the_cache_fills_up_again(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, 8);

    shrink(fixture, 10);
    assert_int_equal(sluice_cache_maximum(fixture->cache), ENTRIES);
    assert_int_equal(sluice_cache_share(fixture->cache), 100);
    assert_int_equal(fixture_stats(fixture).limit, ENTRIES);
    numbers_put(fixture->cache, ENTRIES, ENTRIES);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
}

static void a_share_that_was_set_holds_stores_down_until_it_is_given_back(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned shards[] = {1, 8};

    for (size_t i = 0; i < COUNT_OF(shards); i++) {
        open_full(fixture, shards[i]);
        assert_int_equal(set_share(fixture, 25).entries, 750);
        assert_int_equal(fixture_stats(fixture).entries, 250);
        assert_int_equal(fixture_stats(fixture).limit, 250);
        assert_int_equal(sluice_cache_maximum(fixture->cache), ENTRIES);
        numbers_put(fixture->cache, ENTRIES, 500);
        assert_int_equal(fixture_stats(fixture).entries, 250);
        assert_int_equal(set_share(fixture, 100).entries, 0);
        numbers_put(fixture->cache, 2 * ENTRIES, ENTRIES);
        assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
        fixture_destroy_cache(fixture);
    }
}

static void a_maximum_that_is_set_meanwhile_counts_with_the_share(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, 8);

    set_share(fixture, 50);
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, 200), SLUICE_OK);
    assert_int_equal(sluice_cache_maximum(fixture->cache), 200);
    assert_int_equal(fixture_stats(fixture).entries, 100);
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, 800), SLUICE_OK);
    numbers_put(fixture->cache, ENTRIES, ENTRIES);
    assert_int_equal(fixture_stats(fixture).entries, 400);
    set_share(fixture, 100);
    numbers_put(fixture->cache, 2 * ENTRIES, ENTRIES);
    assert_int_equal(fixture_stats(fixture).entries, 800);
}

static void a_share_of_the_largest_maximum_does_not_run_over(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_weight = SLUICE_WEIGHT_MAX;
    fixture_open(fixture);

    set_share(fixture, 99);
    assert_int_equal(fixture_stats(fixture).limit, SLUICE_WEIGHT_MAX / 100 * 99 + SLUICE_WEIGHT_MAX % 100 * 99 / 100);
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, 1), SLUICE_OK);
    assert_int_equal(fixture_stats(fixture).limit, 1); /* never nothing at all */
    fixture_destroy_cache(fixture);

    fixture->options.maximum_weight = 0;
    fixture->options.maximum_entries = 1;
    fixture_open(fixture);
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, UINT64_MAX), SLUICE_OK);
    set_share(fixture, 50);
    assert_int_equal(fixture_stats(fixture).limit, UINT64_MAX / 2);
}

static void what_is_used_is_what_is_left(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, 1);

    for (unsigned number = 0; number < 100; number++)
        fixture_expect_present(fixture, numbers_key(7 * number), SLUICE_OK, "value");
    shrink(fixture, 10);
    for (unsigned number = 0; number < 100; number++)
        fixture_expect_present(fixture, numbers_key(7 * number), SLUICE_OK, "value");
}

static uint64_t weigh_pins(void *self, const void *key, size_t key_size, const struct sluice_value *value)
{
    (void)self, (void)key, (void)key_size;
    return sluice_value_size(value) == 6 ? 0 : 10; /* "pinned" */
}

static void what_is_pinned_stays(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_weight = 100;
    fixture->options.weigher.weigh = weigh_pins;
    fixture_open(fixture);

    fixture_put(fixture, "pin", "pinned");
    numbers_put(fixture->cache, 0, 10);
    struct sluice_shrunk shrunk = shrink(fixture, 0);
    assert_int_equal(shrunk.entries, 10);
    assert_int_equal(shrunk.weight, 100);
    fixture_expect_present(fixture, "pin", SLUICE_OK, "pinned");
    set_share(fixture, 1);
    fixture_expect_present(fixture, "pin", SLUICE_OK, "pinned");
}

static void a_value_heavier_than_the_share_is_given_and_not_stored(void **state)
{
    struct fixture *fixture = *state;
    static const char bytes[500];
    struct sluice_content content = {.data = bytes, .size = sizeof bytes, .ttl_ms = SLUICE_TTL_DEFAULT};
    fixture->options.maximum_weight = 1000;
    fixture->options.shards = 1;
    fixture_open(fixture);

    fixture_put(fixture, "light", "value");
    fixture_put(fixture, "heavy", "light by now");
    set_share(fixture, 45);
    assert_int_equal(fixture_stats(fixture).entries, 2);
    assert_int_equal(sluice_put(fixture->cache, "heavy", 5, &content), SLUICE_OK);
    fixture_expect_absent(fixture, "heavy");
    fixture_expect_present(fixture, "light", SLUICE_OK, "value");
    struct call *call = call_park(fixture, WAY_ASYNC, "heavy", SLUICE_WAIT_FOREVER);
    gated_loader_end_with(fixture->loader, 0, &content);
    call_await(call);
    assert_int_equal(call->outcome.error, SLUICE_OK);
    assert_int_equal(sluice_value_size(call->outcome.value), sizeof bytes);
    assert_false(call->outcome.stored);
    fixture_expect_absent(fixture, "heavy");
    fixture_expect_present(fixture, "light", SLUICE_OK, "value");
    set_share(fixture, 100);
    assert_int_equal(sluice_put(fixture->cache, "heavy", 5, &content), SLUICE_OK);
    assert_int_equal(fixture_stats(fixture).entries, 2);
}

static void loads_in_flight_are_left_alone(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 10;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    struct call *call = call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 2);
    assert_int_equal(shrink(fixture, 0).entries, 1);
    fixture_expect_absent(fixture, "key");
    assert_int_equal(fixture_stats(fixture).loads_in_flight, 2);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "loaded");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(call, SLUICE_OK, "loaded");
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
    fixture_expect_present(fixture, "other", SLUICE_OK, "loaded");
}

static void rule_22_what_is_shrunk_away_leaves_for_size_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 4;
    fixture->options.shards = 1;
    fixture_open(fixture);

    numbers_put(fixture->cache, 0, 4);
    shrink(fixture, 50);
    removals_expect(removals_told, numbers_key(0), "value", SLUICE_REMOVED_SIZE);
    removals_expect(removals_told, numbers_key(1), "value", SLUICE_REMOVED_SIZE);
    removals_expect_none(removals_told);
    set_share(fixture, 25);
    removals_expect(removals_told, numbers_key(2), "value", SLUICE_REMOVED_SIZE);
    removals_expect_none(removals_told);
    fixture_destroy_cache(fixture);
    removals_expect(removals_told, numbers_key(3), "value", SLUICE_REMOVED_EXPLICIT);
}

/* What a listener did when it was told of its first victim. */
static struct {
    struct sluice_cache *cache;
    unsigned calls;
    enum sluice_error put, shrink;
} first;

static void use_cache_at_first(void *self, const struct sluice_removal *removal)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    (void)self, (void)removal;
    if (first.cache == NULL || first.calls++ > 0)
        return;
    first.put = sluice_put(first.cache, "meanwhile", 9, &content);
    first.shrink = sluice_cache_shrink(first.cache, 10, NULL);
}

static void rule_19_a_listener_that_is_told_may_store_and_shrink(void **state)
{
    struct fixture *fixture = *state;

    for (int evicting = 0; evicting <= 1; evicting++) {
        memset(&first, 0, sizeof first);
        fixture->options.listener.removed = evicting ? NULL : use_cache_at_first;
        fixture->options.listener.evicting = evicting ? use_cache_at_first : NULL;
        open_full(fixture, 8);
        first.cache = fixture->cache;
        shrink(fixture, 50);
        assert_int_equal(first.put, SLUICE_OK);
        assert_int_equal(first.shrink, SLUICE_OK);
        assert_in_range(fixture_stats(fixture).entries, 50, 100);
        first.cache = NULL;
        fixture_destroy_cache(fixture);
    }
}

/* Puts another value for each one that leaves. */
static void put_another(void *self, const struct sluice_removal *removal)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    (void)self, (void)removal;
    if (first.cache != NULL && first.calls++ < 2 * ENTRIES)
        first.put = sluice_put(first.cache, &first.calls, sizeof first.calls, &content);
}

static void shrinking_evicts_no_more_than_was_over_when_it_began(void **state)
{
    struct fixture *fixture = *state;
    memset(&first, 0, sizeof first);
    fixture->options.listener.removed = put_another;
    open_full(fixture, 1);

    first.cache = fixture->cache;
    assert_int_equal(shrink(fixture, 50).entries, ENTRIES / 2);
    first.cache = NULL;
    assert_int_equal(first.put, SLUICE_OK);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
}

static void what_is_no_share_is_refused_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_shrunk shrunk = {7, 7};
    open_full(fixture, 1);

    assert_int_equal(sluice_cache_shrink(fixture->cache, 101, &shrunk), SLUICE_INVALID);
    assert_int_equal(sluice_cache_set_share(fixture->cache, 101, &shrunk), SLUICE_INVALID);
    assert_int_equal(sluice_cache_set_share(fixture->cache, 0, &shrunk), SLUICE_INVALID);
    assert_int_equal(shrunk.entries, 7);
    assert_int_equal(sluice_cache_share(fixture->cache), 100);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
    assert_int_equal(fixture_stats(fixture).shrinks, 0);
    assert_int_equal(sluice_cache_shrink(fixture->cache, 90, NULL), SLUICE_OK);
    assert_int_equal(sluice_cache_set_share(fixture->cache, 80, NULL), SLUICE_OK);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES * 8 / 10);
}

/* One entry may be on its way in. */
static void shrinking_ends_and_the_share_holds_however_much_is_stored_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, 8);
    struct storing *storing = storing_start(fixture, 1, 100 * ENTRIES, STORING_FOR_EVER);

    for (unsigned round = 0; round < 100; round++) {
        assert_in_range(shrink(fixture, round % 10).entries, 0, ENTRIES + 1);
        set_share(fixture, 20);
        assert_in_range(fixture_stats(fixture).entries, 0, 201);
        set_share(fixture, 100);
    }
    storing_stop(storing);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_10_shrinking_evicts_down_to_the_share_at_once),
        FIXTURE_TEST(shrinking_leaves_the_maximum_so_that_the_cache_fills_up_again),
        FIXTURE_TEST(a_share_that_was_set_holds_stores_down_until_it_is_given_back),
        FIXTURE_TEST(a_maximum_that_is_set_meanwhile_counts_with_the_share),
        FIXTURE_TEST(a_share_of_the_largest_maximum_does_not_run_over),
        FIXTURE_TEST(what_is_used_is_what_is_left),
        FIXTURE_TEST(what_is_pinned_stays),
        FIXTURE_TEST(a_value_heavier_than_the_share_is_given_and_not_stored),
        FIXTURE_TEST(loads_in_flight_are_left_alone),
        REMOVALS_TEST(rule_22_what_is_shrunk_away_leaves_for_size_once),
        FIXTURE_TEST(rule_19_a_listener_that_is_told_may_store_and_shrink),
        FIXTURE_TEST(shrinking_evicts_no_more_than_was_over_when_it_began),
        FIXTURE_TEST(what_is_no_share_is_refused_and_changes_nothing),
        FIXTURE_TEST(shrinking_ends_and_the_share_holds_however_much_is_stored_meanwhile),
    };
    FIXTURE_MAIN(tests);
}
