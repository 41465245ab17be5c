/* SPDX-License-Identifier: MIT */
/* hottest_test.c: the entries in the order in which they would be evicted, from either end. */
#include "call.h"
#include "numbers.h"
#include "removals.h"

#define SEEN_MAX 64

struct seen {
    struct fixture *fixture; /* put into in each visit, or NULL */
    size_t count;
    size_t stop_after; /* 0: never */
    char keys[SEEN_MAX][16];
    uint64_t weights[SEEN_MAX];
};

static bool see(void *arg, const struct sluice_entry_view *entry)
{
    struct seen *seen = arg;
    assert_true(seen->count < SEEN_MAX);
    snprintf(seen->keys[seen->count], sizeof seen->keys[0], "%.*s", (int)entry->key_size, (const char *)entry->key);
    seen->weights[seen->count] = entry->weight;
    seen->count++;
    if (seen->fixture != NULL)
        fixture_put(seen->fixture, "put while visiting", "value");
    return seen->count != seen->stop_after;
}

static struct seen coldest(struct fixture *fixture, size_t limit)
{
    struct seen seen = {.count = 0};
    assert_int_equal(sluice_cache_for_each_coldest(fixture->cache, limit, see, &seen), SLUICE_OK);
    return seen;
}

static struct seen hottest(struct fixture *fixture, size_t limit)
{
    struct seen seen = {.count = 0};
    assert_int_equal(sluice_cache_for_each_hottest(fixture->cache, limit, see, &seen), SLUICE_OK);
    return seen;
}

static void use(struct fixture *fixture, const char *key)
{
    fixture_expect_present(fixture, key, SLUICE_OK, key);
}

static void the_coldest_come_in_the_order_in_which_they_are_then_evicted(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 10;
    fixture->options.shards = 1;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 10);
    use(fixture, "0");
    use(fixture, "4");
    fixture_put(fixture, "ten", "ten"); /* evicts 1: the hand stands behind it, and the mark of 0 is spent */
    use(fixture, "7");
    removals_expect(removals_told, "1", "1", SLUICE_REMOVED_SIZE);

    struct seen seen = coldest(fixture, SEEN_MAX);
    struct seen reverse = hottest(fixture, SEEN_MAX);
    assert_int_equal(seen.count, 10);
    assert_int_equal(reverse.count, 10);
    for (size_t i = 0; i < 9; i++) {
        assert_string_equal(seen.keys[i], reverse.keys[9 - i]);
        assert_int_equal(seen.weights[i], 2 * strlen(seen.keys[i]) + SLUICE_ENTRY_OVERHEAD);
        assert_int_equal(sluice_cache_set_maximum(fixture->cache, 9 - i), SLUICE_OK);
        removals_expect(removals_told, seen.keys[i], seen.keys[i], SLUICE_REMOVED_SIZE);
    }
    removals_expect_none(removals_told);
}

static void looking_counts_as_no_use(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 3;
    fixture->options.shards = 1;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 3);
    use(fixture, "1");

    struct sluice_stats before = fixture_stats(fixture), after;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(coldest(fixture, 1).keys[0], "0");
        assert_string_equal(hottest(fixture, 1).keys[0], "1");
    }
    after = fixture_stats(fixture);
    assert_memory_equal(&before, &after, sizeof before);
    fixture_put(fixture, "new", "new");
    fixture_expect_absent(fixture, "0");
}

static void no_more_than_the_limit_are_visited_and_none_after_a_no(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned shards = 1; shards <= 16; shards *= 4) {
        struct seen seen = {.stop_after = 2};
        fixture->options.shards = shards;
        fixture_open(fixture);
        assert_int_equal(coldest(fixture, 5).count, 0);
        numbers_put_themselves(fixture->cache, 0, 30);
        assert_int_equal(coldest(fixture, 0).count, 0);
        assert_int_equal(coldest(fixture, 5).count, 5);
        assert_int_equal(hottest(fixture, 29).count, 29);
        assert_int_equal(sluice_cache_for_each_hottest(fixture->cache, 10, see, &seen), SLUICE_OK);
        assert_int_equal(seen.count, 2);
        seen = coldest(fixture, SEEN_MAX);
        assert_int_equal(seen.count, 30);
        for (size_t i = 0; i < seen.count; i++)
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(seen.keys[i], seen.keys[j]);
        fixture_destroy_cache(fixture);
    }
}

/* What is used stands at the hot end whatever shard it is in. */
static void the_hottest_of_many_shards_are_those_that_were_used(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 8;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 20);
    use(fixture, "7");
    use(fixture, "13");

    struct seen seen = hottest(fixture, 8);
    size_t used = 0;
    for (size_t i = 0; i < seen.count; i++)
        used += strcmp(seen.keys[i], "7") == 0 || strcmp(seen.keys[i], "13") == 0;
    assert_in_range(used, 1, 2); /* two, unless they share a shard that comes last: its first is there at least */
    seen = hottest(fixture, 16);
    used = 0;
    for (size_t i = 0; i < seen.count; i++)
        used += strcmp(seen.keys[i], "7") == 0 || strcmp(seen.keys[i], "13") == 0;
    assert_int_equal(used, 2); /* the first two of each shard with as many */
}

static uint64_t pin_p(void *self, const void *key, size_t key_size, const struct sluice_value *value)
{
    (void)self, (void)key_size, (void)value;
    return *(const char *)key == 'p' ? 0 : 5;
}

static void what_is_pinned_expired_or_only_in_flight_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_weight = 100;
    fixture->options.weigher.weigh = pin_p;
    fixture_open(fixture);
    fixture_put(fixture, "pinned", "value");
    fixture_put_ttl(fixture, "dies", "value", 100);
    fixture_put(fixture, "lives", "value");
    fixture_put(fixture, "invalid", "value");
    fixture_invalidate(fixture, INVALIDATION_PREFIX, "invalid");
    call_park(fixture, WAY_ASYNC, "flies", SLUICE_WAIT_FOREVER);
    fake_clock_advance(&fixture->clock, 100);

    struct seen seen = coldest(fixture, SEEN_MAX);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.keys[0], "lives");
    assert_int_equal(seen.weights[0], 5);
    assert_int_equal(hottest(fixture, SEEN_MAX).count, 1);
}

static void a_visit_may_call_the_cache(void **state)
{
    struct fixture *fixture = *state;
    struct seen seen = {.fixture = fixture};
    fixture->options.shards = 1;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 3);

    assert_int_equal(sluice_cache_for_each_coldest(fixture->cache, 10, see, &seen), SLUICE_OK);
    assert_int_equal(seen.count, 3);
    assert_int_equal(fixture_stats(fixture).entries, 4);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        REMOVALS_TEST(the_coldest_come_in_the_order_in_which_they_are_then_evicted),
        FIXTURE_TEST(looking_counts_as_no_use),
        FIXTURE_TEST(no_more_than_the_limit_are_visited_and_none_after_a_no),
        FIXTURE_TEST(the_hottest_of_many_shards_are_those_that_were_used),
        FIXTURE_TEST(what_is_pinned_expired_or_only_in_flight_is_left_out),
        FIXTURE_TEST(a_visit_may_call_the_cache),
    };
    FIXTURE_MAIN(tests);
}
