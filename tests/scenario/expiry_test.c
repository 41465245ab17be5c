/* SPDX-License-Identifier: MIT */
/* expiry_test.c: a value is given up to the last millisecond of its time to live and not past it (rule 12); then its
 * memory comes back by itself. */
#include "call.h"

#define TTL_MS 1000

static void rule_12_a_value_is_fresh_to_its_last_millisecond_and_never_given_after(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    fixture_put(fixture, "put", "one");
    fixture_expect_get(fixture, "loaded", SLUICE_OK, "loaded#1", SLUICE_SOURCE_LOAD);
    /* No tick: the time is looked at by the get, not waited for. */
    fake_clock_advance(&fixture->clock, TTL_MS - 1);
    fixture_expect_present(fixture, "put", SLUICE_OK, "one");
    fixture_expect_get(fixture, "loaded", SLUICE_OK, "loaded#1", SLUICE_SOURCE_HIT);
    fake_clock_advance(&fixture->clock, 1);
    fixture_expect_absent(fixture, "put");
    fixture_expect_get(fixture, "loaded", SLUICE_OK, "loaded#2", SLUICE_SOURCE_LOAD);
    assert_int_equal(fixture_stats(fixture).expired, 2);
}

static void rule_12_age_and_time_to_live_are_told_with_the_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture_open(fixture);

    fixture_put(fixture, "key", "value");
    fixture_advance(fixture, 300);
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    assert_int_equal(sluice_get_if_present(fixture->cache, "key", 3, &outcome), SLUICE_OK);
    assert_int_equal(outcome.age_ms, 300);
    assert_int_equal(outcome.ttl_ms, 700);
    assert_true(outcome.stored);
    sluice_outcome_fini(&outcome);
}

static void rule_12_a_write_begins_the_time_anew_and_a_read_does_not(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture_open(fixture);

    fixture_put(fixture, "read", "value");
    fixture_put(fixture, "written", "old");
    fixture_advance(fixture, TTL_MS - 1);
    fixture_expect_present(fixture, "read", SLUICE_OK, "value");
    fixture_put(fixture, "written", "new");
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "read");
    fixture_advance(fixture, TTL_MS - 2);
    fixture_expect_present(fixture, "written", SLUICE_OK, "new");
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "written");
}

static void rule_12_a_value_may_have_a_time_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture_open(fixture);

    fixture_put_ttl(fixture, "shorter", "s", 10);
    fixture_put_ttl(fixture, "longer", "l", 100 * TTL_MS);
    fixture_put_ttl(fixture, "for ever", "f", SLUICE_NEVER);
    fixture_advance(fixture, 9);
    fixture_expect_present(fixture, "shorter", SLUICE_OK, "s");
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "shorter");
    fixture_advance(fixture, 100 * TTL_MS - 11);
    fixture_expect_present(fixture, "longer", SLUICE_OK, "l");
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "longer");
    fixture_advance(fixture, INT64_C(1000) * 365 * 24 * 3600 * 100);
    fixture_expect_present(fixture, "for ever", SLUICE_OK, "f");
    assert_int_equal(fixture_stats(fixture).expired, 2);
}

static void rule_12_an_expired_value_is_loaded_once_for_all_who_come(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    fake_clock_advance(&fixture->clock, TTL_MS);
    struct call *leader = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    struct call *follower = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
    fixture_expect_absent(fixture, "key");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    call_expect(leader, SLUICE_OK, "new");
    call_expect(follower, SLUICE_OK, "new");
}

/* Times to live over many orders of magnitude, so that the timers of many kinds of distance are seen to end. */
static void expired_entries_give_their_memory_back_at_their_time_without_a_call_that_touches_them(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t ttls_ms[] = {1, 2, 63, 64, 65, 1000, 4095, 4096, 70000, 300000, 20000000, 3000000000};
    fixture_open(fixture);

    for (size_t i = 0; i < COUNT_OF(ttls_ms); i++) {
        char key[16];
        snprintf(key, sizeof key, "%zu", i);
        fixture_put_ttl(fixture, key, "value", ttls_ms[i]);
    }
    int64_t now_ms = 0;
    for (size_t i = 0; i < COUNT_OF(ttls_ms); i++) {
        fixture_advance(fixture, ttls_ms[i] - 1 - now_ms);
        assert_int_equal(fixture_stats(fixture).expired, i);
        assert_int_equal(fixture_stats(fixture).entries, COUNT_OF(ttls_ms) - i);
        fixture_advance(fixture, 1);
        assert_int_equal(fixture_stats(fixture).expired, i + 1);
        now_ms = ttls_ms[i];
    }
    assert_int_equal(fixture_stats(fixture).weight, 0);
    assert_int_equal(fixture_advance(fixture, 0), SLUICE_NEVER);
}

static void tick_says_how_long_until_the_next_entry_is_due(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    fixture_put_ttl(fixture, "key", "value", 10);
    int64_t next_ms = fixture_advance(fixture, 0);
    assert_in_range(next_ms, 1, 10);
    /* Whoever comes when he is told to is never late, and need not come often. */
    int rounds = 0;
    for (int64_t left_ms = 10; left_ms > 0; left_ms -= next_ms, rounds++) {
        assert_int_equal(fixture_stats(fixture).entries, 1);
        assert_in_range(next_ms, 1, left_ms);
        fixture_advance(fixture, next_ms);
    }
    assert_in_range(rounds, 1, 5);
    assert_int_equal(fixture_stats(fixture).entries, 0);
}

static void the_timer_thread_gives_memory_back_by_itself(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 1;
    fixture_use_real_clock(fixture);
    fixture_open(fixture);

    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        fixture_put(fixture, key, "value");
    }
    AWAIT(fixture_stats(fixture).entries == 0);
    assert_int_equal(fixture_stats(fixture).weight, 0);
    assert_int_equal(fixture_stats(fixture).expired, 1000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_12_a_value_is_fresh_to_its_last_millisecond_and_never_given_after),
        FIXTURE_TEST(rule_12_age_and_time_to_live_are_told_with_the_value),
        FIXTURE_TEST(rule_12_a_write_begins_the_time_anew_and_a_read_does_not),
        FIXTURE_TEST(rule_12_a_value_may_have_a_time_of_its_own),
        FIXTURE_TEST(rule_12_an_expired_value_is_loaded_once_for_all_who_come),
        FIXTURE_TEST(expired_entries_give_their_memory_back_at_their_time_without_a_call_that_touches_them),
        FIXTURE_TEST(tick_says_how_long_until_the_next_entry_is_due),
        FIXTURE_TEST(the_timer_thread_gives_memory_back_by_itself),
    };
    FIXTURE_MAIN(tests);
}
