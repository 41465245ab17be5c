/* SPDX-License-Identifier: MIT */
/*
 * weigher_test.c: a cache bounded by weights of the user's own (rule 10): each value is weighed once, by whoever brings
 * it, and what weighs nothing is pinned.
 */
#include "call.h"
#include "removals.h"

#include <stdlib.h>

/* A weigher that takes a value's text as its weight, plus what it was told to add. */
static struct scales {
    struct sluice_cache *cache; /* asked for its counters in each call, which hangs if a lock is held */
    unsigned calls;
    uint64_t more;
    pthread_t thread; /* of the last call */
    char key[16];
} scales;

static uint64_t scales_weigh(void *self, const void *key, size_t key_size, const struct sluice_value *value)
{
    struct sluice_stats stats;
    struct scales *seen = self;

    sluice_cache_stats(seen->cache, &stats);
    seen->calls++;
    seen->thread = pthread_self();
    snprintf(seen->key, sizeof seen->key, "%.*s", (int)key_size, (const char *)key);
    return strtoull(sluice_value_data(value), NULL, 10) + seen->more;
}

static void open_weighed(struct fixture *fixture, uint64_t maximum)
{
    fixture->options.maximum_weight = maximum;
    fixture->options.shards = 1;
    fixture->options.weigher = (struct sluice_weigher){scales_weigh, &scales};
    fixture_open(fixture);
    scales = (struct scales){.cache = fixture->cache};
}

static void expect_stored(struct fixture *fixture, uint64_t entries, uint64_t weight)
{
    assert_int_equal(fixture_stats(fixture).entries, entries);
    assert_int_equal(fixture_stats(fixture).weight, weight);
}

static void load(struct fixture *fixture, const char *key, enum ending ending, const char *text)
{
    size_t number = gated_loader_calls_in_all(fixture->loader);
    struct call *call = call_park(fixture, WAY_ASYNC, key, SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, number, ending, text);
    call_expect(call, ending_error(ending), ending_text(ending, text));
}

static void rule_10_weights_count_in_place_of_bytes(void **state)
{
    struct fixture *fixture = *state;
    open_weighed(fixture, 10);

    fixture_put(fixture, "one", "4");
    load(fixture, "two", ENDING_VALUE, "6");
    expect_stored(fixture, 2, 10);
    assert_int_equal(fixture_stats(fixture).evicted, 0);
    fixture_put(fixture, "three", "1"); /* one too much: the oldest goes */
    expect_stored(fixture, 2, 7);
    fixture_expect_absent(fixture, "one");
    fixture_put(fixture, "two", "3"); /* replaced: the old weight is given back */
    expect_stored(fixture, 2, 4);
    fixture_invalidate(fixture, INVALIDATION_ALL, "two");
    expect_stored(fixture, 0, 0);
}

static void each_value_is_weighed_once_by_the_thread_that_brings_it_and_with_no_lock_held(void **state)
{
    struct fixture *fixture = *state;
    open_weighed(fixture, 10);

    fixture_put(fixture, "put", "1");
    assert_int_equal(scales.calls, 1);
    assert_string_equal(scales.key, "put");
    assert_true(pthread_equal(scales.thread, pthread_self()));

    gated_loader_set_mode(fixture->loader, GATED_BLOCK);
    struct call *call = call_park(fixture, WAY_BLOCKING, "load", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "2");
    call_expect(call, SLUICE_OK, "2");
    assert_int_equal(scales.calls, 2);
    assert_string_equal(scales.key, "load");
    assert_true(pthread_equal(scales.thread, call->thread));
    assert_false(pthread_equal(scales.thread, pthread_self()));

    fixture_expect_present(fixture, "put", SLUICE_OK, "1");
    fixture_advance(fixture, 1000);
    assert_int_equal(scales.calls, 2);
    expect_stored(fixture, 2, 3);
}

static void a_weigher_that_never_says_the_same_leaves_the_sums_whole(void **state)
{
    struct fixture *fixture = *state;
    open_weighed(fixture, 1000);

    for (unsigned i = 0; i < 10; i++) {
        scales.more = 10 * i;
        fixture_put(fixture, i % 2 ? "odd" : "even", "1");
    }
    expect_stored(fixture, 2, 81 + 91);
    scales.more = 500;
    fixture_invalidate(fixture, INVALIDATION_KEY, "odd");
    expect_stored(fixture, 1, 81);
    fixture_invalidate(fixture, INVALIDATION_KEY, "even");
    expect_stored(fixture, 0, 0);
}

static void what_weighs_nothing_is_never_evicted(void **state)
{
    struct fixture *fixture = *state;
    open_weighed(fixture, 3);

    fixture_put(fixture, "pinned", "0");
    load(fixture, "pinned too", ENDING_VALUE, "0");
    for (unsigned i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        fixture_put(fixture, key, i % 2 ? "1" : "3");
    }
    fixture_put(fixture, "last", "3");
    expect_stored(fixture, 3, 3);
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, 1), SLUICE_OK);
    expect_stored(fixture, 2, 0);
    fixture_expect_present(fixture, "pinned", SLUICE_OK, "0");
    fixture_expect_present(fixture, "pinned too", SLUICE_OK, "0");
}

static void what_is_pinned_expires_and_is_invalidated_and_replaced(void **state)
{
    struct fixture *fixture = *state;
    open_weighed(fixture, 3);

    for (int how = 0; how < INVALIDATIONS; how++) {
        fixture_put(fixture, "key", "0");
        fixture_invalidate(fixture, (enum invalidation)how, "key");
        fixture_expect_absent(fixture, "key");
    }
    fixture_put_ttl(fixture, "key", "0", 100);
    fixture_advance(fixture, 100);
    expect_stored(fixture, 0, 0);

    fixture_put(fixture, "key", "0");
    fixture_put(fixture, "key", "2"); /* and is pinned no longer */
    expect_stored(fixture, 1, 2);
    fixture_put(fixture, "other", "2");
    fixture_expect_absent(fixture, "key");
    fixture_put(fixture, "other", "0"); /* and the other way round */
    fixture_put(fixture, "key", "3");
    fixture_put(fixture, "third", "3");
    fixture_expect_present(fixture, "other", SLUICE_OK, "0");
    expect_stored(fixture, 2, 3);
}

static void not_founds_and_failures_weigh_one(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = SLUICE_NEVER;
    fixture->options.failure_backoff_ms = 1000;
    open_weighed(fixture, 2);

    load(fixture, "missing", ENDING_NOT_FOUND, NULL);
    load(fixture, "failing", ENDING_FAILURE, "why");
    expect_stored(fixture, 2, 2);
    assert_int_equal(scales.calls, 0);
    fixture_put(fixture, "key", "1");
    expect_stored(fixture, 2, 2);
    assert_int_equal(fixture_stats(fixture).evicted, 1);
}

static void rule_10_what_weighs_more_than_the_maximum_is_given_but_not_stored(void **state)
{
    struct fixture *fixture = *state;
    const struct sluice_content heavy = fixture_content("11");
    open_weighed(fixture, 10);

    fixture_put(fixture, "key", "10");
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &heavy), SLUICE_VALUE_TOO_LARGE);
    fixture_expect_present(fixture, "key", SLUICE_OK, "10");
    load(fixture, "other", ENDING_VALUE, "18446744073709551615"); /* the heaviest that can be said */
    fixture_expect_absent(fixture, "other");
    expect_stored(fixture, 1, 10);
}

static void a_renewed_value_keeps_its_weight(void **state)
{
    struct fixture *fixture = *state;
    open_weighed(fixture, 10);

    fixture_put(fixture, "key", "4");
    scales.more = 100;
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    expect_stored(fixture, 1, 4); /* while it is refreshed */
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    expect_stored(fixture, 1, 4);

    /* Also if it was evicted while it was asked for. */
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 2);
    scales.more = 0;
    fixture_put(fixture, "other", "9");
    expect_stored(fixture, 1, 9);
    fixture_invalidate(fixture, INVALIDATION_KEY, "other");
    gated_loader_renew(fixture->loader, 1, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    expect_stored(fixture, 1, 4);
    fixture_expect_present(fixture, "key", SLUICE_OK, "4");
    assert_int_equal(scales.calls, 2);
}

static void a_put_over_a_load_counts_its_own_weight(void **state)
{
    struct fixture *fixture = *state;
    open_weighed(fixture, 10);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_put(fixture, "key", "3");
    call_expect(call, SLUICE_OK, "3");
    expect_stored(fixture, 1, 3);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "7");
    expect_stored(fixture, 1, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_10_weights_count_in_place_of_bytes),
        FIXTURE_TEST(each_value_is_weighed_once_by_the_thread_that_brings_it_and_with_no_lock_held),
        FIXTURE_TEST(a_weigher_that_never_says_the_same_leaves_the_sums_whole),
        FIXTURE_TEST(what_weighs_nothing_is_never_evicted),
        FIXTURE_TEST(what_is_pinned_expires_and_is_invalidated_and_replaced),
        FIXTURE_TEST(not_founds_and_failures_weigh_one),
        FIXTURE_TEST(rule_10_what_weighs_more_than_the_maximum_is_given_but_not_stored),
        FIXTURE_TEST(a_renewed_value_keeps_its_weight),
        FIXTURE_TEST(a_put_over_a_load_counts_its_own_weight),
    };
    FIXTURE_MAIN(tests);
}
