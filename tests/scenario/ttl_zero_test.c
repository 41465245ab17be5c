/* SPDX-License-Identifier: MIT */
/* ttl_zero_test.c: time to live 0 means coalesce only (rule 13): everyone who had joined is given the value. */
#include "crowd.h"

static const struct sluice_content transient = {.data = "value", .size = 5, .ttl_ms = 0};

/* Nothing of the key is in the table, and nothing weighs. */
static void expect_nothing_stored(struct fixture *fixture)
{
    fixture_expect_absent(fixture, "key");
    assert_int_equal(fixture_stats(fixture).entries, 0);
    assert_int_equal(fixture_stats(fixture).weight, 0);
}

static void expect_given_and_not_stored(struct fixture *fixture, struct crowd *crowd)
{
    crowd_expect(crowd, SLUICE_OK, "value");
    for (size_t i = 0; i < crowd->count; i++) {
        assert_false(crowd->calls[i]->outcome.stored);
        assert_int_equal(crowd->calls[i]->outcome.ttl_ms, 0);
        assert_int_equal(crowd->calls[i]->outcome.source, i == 0 ? SLUICE_SOURCE_LOAD : SLUICE_SOURCE_COALESCED);
    }
    expect_nothing_stored(fixture);
}

static void rule_13_a_cache_that_stores_nothing_coalesces(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 0;
    fixture_open(fixture);
    for (size_t round = 0; round < 4; round++) {
        struct crowd crowd;
        crowd_park(fixture, &crowd, 5, "key", (enum way)(round % WAYS));
        gated_loader_end(fixture->loader, round, ENDING_VALUE, "value");
        assert_int_equal(gated_loader_calls(fixture->loader, "key"), round + 1);
        expect_given_and_not_stored(fixture, &crowd);
    }
    assert_int_equal(fixture_stats(fixture).coalesced, 16);
    assert_int_equal(fixture_stats(fixture).hits, 0);
}

static void rule_13_a_value_whose_loader_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    fixture_open(fixture);
    crowd_park(fixture, &crowd, 5, "key", WAY_BLOCKING);
    gated_loader_end_with(fixture->loader, 0, &transient);
    expect_given_and_not_stored(fixture, &crowd);
    /* The next get loads anew, and may bring one that stays. */
    struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "stays");
    call_expect(next, SLUICE_OK, "stays");
    fixture_expect_present(fixture, "key", SLUICE_OK, "stays");
}

static void rule_13_a_time_to_live_of_its_own_is_kept_by_a_cache_that_stores_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    const struct sluice_content lasting = {.data = "value", .size = 5, .ttl_ms = 100};
    fixture->options.expire_after_write_ms = 0;
    fixture_open(fixture);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end_with(fixture->loader, 0, &lasting);
    call_expect(call, SLUICE_OK, "value");
    assert_true(call->outcome.stored);
    fixture_advance(fixture, 99);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "key");
}

static void rule_13_a_put_ends_the_flight_and_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    fixture_open(fixture);
    crowd_park(fixture, &crowd, 3, "key", WAY_ASYNC);
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &transient), SLUICE_OK);
    expect_given_and_not_stored(fixture, &crowd);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    expect_nothing_stored(fixture);
    assert_int_equal(fixture_stats(fixture).loads_dropped, 1);
}

static void rule_13_a_put_takes_away_what_was_stored(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "key", "older");
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &transient), SLUICE_OK);
    expect_nothing_stored(fixture);
}

static void rule_13_an_expired_value_is_not_kept_in_its_stead(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put_ttl(fixture, "key", "expired", 10);
    fake_clock_advance(&fixture->clock, 10);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end_with(fixture->loader, 0, &transient);
    call_expect(call, SLUICE_OK, "value");
    expect_nothing_stored(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_13_a_cache_that_stores_nothing_coalesces),
        FIXTURE_TEST(rule_13_a_value_whose_loader_says_so),
        FIXTURE_TEST(rule_13_a_time_to_live_of_its_own_is_kept_by_a_cache_that_stores_nothing_else),
        FIXTURE_TEST(rule_13_a_put_ends_the_flight_and_leaves_nothing),
        FIXTURE_TEST(rule_13_a_put_takes_away_what_was_stored),
        FIXTURE_TEST(rule_13_an_expired_value_is_not_kept_in_its_stead),
    };
    FIXTURE_MAIN(tests);
}
