/* SPDX-License-Identifier: MIT */
/* put_test.c: a put during a load wins (rule 4). */
#include "crowd.h"
#include "errand.h"

#include <pthread.h>

static void rule_4_waiters_get_the_put_value_before_the_load_ends_and_the_load_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 100000;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    for (int ending = 0; ending < ENDINGS; ending++)
        for (int first = 0; first < WAYS; first++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            uint64_t dropped = fixture_stats(fixture).loads_dropped;
            struct crowd crowd;
            crowd_park(fixture, &crowd, 4, "key", (enum way)first);
            fixture_put(fixture, "key", "put");
            crowd_expect(&crowd, SLUICE_OK, "put");
            fixture_expect_get(fixture, "key", SLUICE_OK, "put", SLUICE_SOURCE_HIT);
            assert_false(gated_loader_wanted(fixture->loader, number));

            gated_loader_end(fixture->loader, number, (enum ending)ending, "late");
            fixture_expect_present(fixture, "key", SLUICE_OK, "put");
            struct sluice_stats stats = fixture_stats(fixture);
            assert_int_equal(stats.loads_dropped, dropped + 1);
            assert_int_equal(stats.loads_completed + stats.loads_failed + stats.loads_not_found, 0);
            assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 1);
            fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        }
}

static void rule_4_a_blocking_leader_in_its_loader_is_given_the_put_value_when_it_returns(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    struct call *leader = call_start(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_await_calls(fixture->loader, 1);
    struct call *follower = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    fixture_put(fixture, "key", "put");
    call_expect(follower, SLUICE_OK, "put");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    call_expect(leader, SLUICE_OK, "put");
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
}

static void rule_4_a_put_that_stores_nothing_still_releases_and_overtakes(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct crowd crowd;
    crowd_park(fixture, &crowd, 4, "key", WAY_BLOCKING);
    fixture_put_ttl(fixture, "key", "put", 0);
    crowd_expect(&crowd, SLUICE_OK, "put");
    for (size_t i = 0; i < crowd.count; i++)
        assert_false(crowd.calls[i]->outcome.stored);
    fixture_expect_absent(fixture, "key");

    struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    assert_false(call_done(next));
    fixture_expect_absent(fixture, "key");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(next, SLUICE_OK, "new");
    assert_int_equal(fixture_stats(fixture).loads_dropped, 1);
}

static void rule_4_completes_the_current_flight_and_no_detached_one(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct crowd detached, current;
    crowd_park(fixture, &detached, 2, "key", WAY_BLOCKING);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    crowd_park(fixture, &current, 2, "key", WAY_ASYNC);
    fixture_put(fixture, "key", "put");
    crowd_expect(&current, SLUICE_OK, "put");
    assert_true(crowd_all_parked(&detached));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "of the detached");
    crowd_expect(&detached, SLUICE_OK, "of the detached");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
    assert_int_equal(fixture_stats(fixture).loads_dropped, 1);
    assert_int_equal(fixture_stats(fixture).loads_completed, 1);
}

static void rule_4_a_late_result_does_not_touch_the_flight_that_came_after(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int old_first = 0; old_first <= 1; old_first++) {
        size_t base = (size_t)old_first * 2;
        struct call *old = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        fixture_put(fixture, "key", "put");
        call_expect(old, SLUICE_OK, "put");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        struct call *next = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        if (old_first)
            gated_loader_end(fixture->loader, base, ENDING_VALUE, "late");
        assert_false(call_done(next));
        gated_loader_end(fixture->loader, base + 1, ENDING_VALUE, "new");
        call_expect(next, SLUICE_OK, "new");
        if (!old_first)
            gated_loader_end(fixture->loader, base, ENDING_VALUE, "late");
        fixture_expect_present(fixture, "key", SLUICE_OK, "new");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_4_a_put_that_fails_leaves_the_flight_alone(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.value_size_max = 8;
    fixture_open(fixture);

    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "key", WAY_BLOCKING);
    const struct sluice_content content = {.data = "nine byte", .size = 9, .ttl_ms = SLUICE_TTL_DEFAULT};
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_VALUE_TOO_LARGE);
    assert_true(crowd_all_parked(&crowd));
    assert_true(gated_loader_wanted(fixture->loader, 0));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "loaded");
    crowd_expect(&crowd, SLUICE_OK, "loaded");
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_VALUE_TOO_LARGE);
    fixture_expect_present(fixture, "key", SLUICE_OK, "loaded");
    assert_int_equal(fixture_stats(fixture).puts, 0);
}

static void rule_4_puts_replace_each_other(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    fixture_put(fixture, "key", "one");
    fixture_put(fixture, "key", "longer than one");
    fixture_expect_present(fixture, "key", SLUICE_OK, "longer than one");
    assert_int_equal(fixture_stats(fixture).entries, 1);
    assert_int_equal(fixture_stats(fixture).weight, 3 + strlen("longer than one") + SLUICE_ENTRY_OVERHEAD);
    fixture_put_ttl(fixture, "key", "not stored", 0);
    fixture_expect_absent(fixture, "key");
    assert_int_equal(fixture_stats(fixture).entries, 0);
    assert_int_equal(fixture_stats(fixture).weight, 0);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
}

/* ---- a put against the end of a load, many times ----------------------------------------------------------------- */

#define RACE_ROUNDS 500

static void end_the_load(void *arg)
{
    struct fixture *fixture = arg;
    gated_loader_end(fixture->loader, gated_loader_calls_in_all(fixture->loader) - 1, ENDING_VALUE, "loaded");
}

static void rule_4_whoever_is_first_the_put_value_is_what_stays(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int round = 0; round < RACE_ROUNDS; round++) {
        struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        struct errand *errand = errand_start(end_the_load, fixture);
        fixture_put(fixture, "key", "put");
        fixture_expect_present(fixture, "key", SLUICE_OK, "put");
        errand_join(errand);
        fixture_expect_present(fixture, "key", SLUICE_OK, "put");
        call_await(call);
        assert_int_equal(call->outcome.error, SLUICE_OK);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_4_waiters_get_the_put_value_before_the_load_ends_and_the_load_is_dropped),
        FIXTURE_TEST(rule_4_a_blocking_leader_in_its_loader_is_given_the_put_value_when_it_returns),
        FIXTURE_TEST(rule_4_a_put_that_stores_nothing_still_releases_and_overtakes),
        FIXTURE_TEST(rule_4_completes_the_current_flight_and_no_detached_one),
        FIXTURE_TEST(rule_4_a_late_result_does_not_touch_the_flight_that_came_after),
        FIXTURE_TEST(rule_4_a_put_that_fails_leaves_the_flight_alone),
        FIXTURE_TEST(rule_4_puts_replace_each_other),
        FIXTURE_TEST(rule_4_whoever_is_first_the_put_value_is_what_stays),
    };
    FIXTURE_MAIN(tests);
}
