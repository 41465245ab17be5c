/* SPDX-License-Identifier: MIT */
/* not_found_test.c: not found is an answer with a time to live of its own (rule 6). */
#include "crowd.h"

/* Lets one load of "key" find nothing; everybody who waits is told so. */
static void find_nothing(struct fixture *fixture, enum way first)
{
    size_t number = gated_loader_calls_in_all(fixture->loader);
    struct crowd crowd;
    crowd_park(fixture, &crowd, 4, "key", first);
    gated_loader_end(fixture->loader, number, ENDING_NOT_FOUND, NULL);
    crowd_expect(&crowd, SLUICE_NOT_FOUND, NULL);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 1);
}

static void rule_6_not_found_is_not_remembered_with_a_time_to_live_of_0(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int first = 0; first < WAYS; first++) {
        find_nothing(fixture, (enum way)first);
        fixture_expect_absent(fixture, "key");
        assert_int_equal(fixture_stats(fixture).entries, 0);
    }
    struct sluice_stats stats = fixture_stats(fixture);
    assert_int_equal(stats.loads_not_found, 2);
    assert_int_equal(stats.loads_failed, 0);
    assert_int_equal(stats.loads_completed, 0);
}

static void rule_6_not_found_is_remembered_for_its_own_time(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 100;
    fixture->options.expire_after_write_ms = 100000;
    fixture->options.failure_backoff_ms = 10000;
    fixture_open(fixture);

    for (int first = 0; first < WAYS; first++) {
        find_nothing(fixture, (enum way)first);
        fixture_expect_get(fixture, "key", SLUICE_NOT_FOUND, NULL, SLUICE_SOURCE_HIT);
        fixture_advance(fixture, 99);
        fixture_expect_get(fixture, "key", SLUICE_NOT_FOUND, NULL, SLUICE_SOURCE_HIT);
        struct call *async = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        call_expect(async, SLUICE_NOT_FOUND, NULL);
        assert_true(async->at_once);
        assert_int_equal(async->outcome.source, SLUICE_SOURCE_HIT);
        assert_int_equal(async->outcome.age_ms, 99);
        assert_int_equal(async->outcome.ttl_ms, 1);
        assert_true(async->outcome.stored);
        fake_clock_advance(&fixture->clock, 1);
        fixture_expect_absent(fixture, "key");
    }
    assert_int_equal(fixture_stats(fixture).loads_not_found, 2);
}

static void rule_6_no_value_given_back_for_what_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 100;
    fixture_open(fixture);

    find_nothing(fixture, WAY_ASYNC);
    struct sluice_value *untouched = (struct sluice_value *)fixture;
    assert_int_equal(sluice_get(fixture->cache, "key", 3, SLUICE_WAIT_FOREVER, &untouched), SLUICE_NOT_FOUND);
    assert_ptr_equal(untouched, fixture);
}

static void rule_6_not_found_takes_the_place_of_an_expired_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 50;
    fixture_open(fixture);

    fixture_put(fixture, "key", "value");
    fake_clock_advance(&fixture->clock, 50);
    find_nothing(fixture, WAY_ASYNC);
    fixture_expect_absent(fixture, "key");
    fixture_advance(fixture, 0);
    assert_int_equal(fixture_stats(fixture).entries, 0);
    assert_int_equal(fixture_stats(fixture).weight, 0);
}

static void rule_6_a_put_takes_the_place_of_a_remembered_not_found(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 100;
    fixture_open(fixture);

    find_nothing(fixture, WAY_BLOCKING);
    fixture_put(fixture, "key", "value");
    fixture_advance(fixture, 1000);
    fixture_expect_get(fixture, "key", SLUICE_OK, "value", SLUICE_SOURCE_HIT);
    assert_int_equal(fixture_stats(fixture).entries, 1);
}

static void rule_6_a_remembered_not_found_is_reclaimed_untouched(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 100;
    fixture_open(fixture);

    find_nothing(fixture, WAY_BLOCKING);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    fixture_advance(fixture, 99);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    fixture_advance(fixture, 1);
    assert_int_equal(fixture_stats(fixture).entries, 0);
    assert_int_equal(fixture_stats(fixture).weight, 0);
    assert_int_equal(fixture_stats(fixture).expired, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_6_not_found_is_not_remembered_with_a_time_to_live_of_0),
        FIXTURE_TEST(rule_6_not_found_is_remembered_for_its_own_time),
        FIXTURE_TEST(rule_6_no_value_given_back_for_what_is_not_found),
        FIXTURE_TEST(rule_6_not_found_takes_the_place_of_an_expired_value),
        FIXTURE_TEST(rule_6_a_put_takes_the_place_of_a_remembered_not_found),
        FIXTURE_TEST(rule_6_a_remembered_not_found_is_reclaimed_untouched),
    };
    FIXTURE_MAIN(tests);
}
