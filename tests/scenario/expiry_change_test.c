/* SPDX-License-Identifier: MIT */
/* expiry_change_test.c: sluice_set_ttl() changes when a stored value expires, and nothing else. */
#include "call.h"

#define TTL_MS     1000
#define REFRESH_MS 100
#define STALE_MS   500

static struct fixture *open_with_ttl(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture_open(fixture);
    return fixture;
}

static enum sluice_error set_ttl(struct fixture *fixture, const char *key, int64_t ttl_ms)
{
    return sluice_set_ttl(fixture->cache, key, strlen(key), ttl_ms);
}

static void a_time_to_live_counts_anew_from_the_call(void **state)
{
    static const int64_t ttls_ms[] = {1, TTL_MS / 2, 5 * TTL_MS, SLUICE_TTL_DEFAULT};
    struct fixture *fixture = open_with_ttl(state);

    for (size_t i = 0; i < COUNT_OF(ttls_ms); i++) {
        int64_t ttl_ms = ttls_ms[i] == SLUICE_TTL_DEFAULT ? TTL_MS : ttls_ms[i];
        fixture_put(fixture, "key", "value");
        fixture_advance(fixture, TTL_MS - 1);
        assert_int_equal(set_ttl(fixture, "key", ttls_ms[i]), SLUICE_OK);
        assert_int_equal(fixture_ttl_of_hit(fixture, "key"), ttl_ms);
        fixture_advance(fixture, ttl_ms - 1);
        fixture_expect_present(fixture, "key", SLUICE_OK, "value");
        fake_clock_advance(&fixture->clock, 1);
        fixture_expect_absent(fixture, "key");
    }
    assert_int_equal(fixture_stats(fixture).expired, COUNT_OF(ttls_ms));
}

static void a_value_can_be_made_to_stay_for_ever_and_to_go_after_all(void **state)
{
    struct fixture *fixture = open_with_ttl(state);

    fixture_put(fixture, "key", "value");
    assert_int_equal(set_ttl(fixture, "key", SLUICE_NEVER), SLUICE_OK);
    assert_int_equal(fixture_advance(fixture, INT64_C(1) << 40), SLUICE_NEVER);
    assert_int_equal(fixture_ttl_of_hit(fixture, "key"), SLUICE_NEVER);
    assert_int_equal(set_ttl(fixture, "key", 10), SLUICE_OK);
    fixture_advance(fixture, 9);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    assert_int_equal(fixture_advance(fixture, 1), SLUICE_NEVER);
    assert_int_equal(fixture_stats(fixture).entries, 0); /* no get was needed */
}

static void the_timer_thread_is_told_of_a_nearer_end(void **state)
{
    struct fixture *fixture = *state;
    fixture_use_real_clock(fixture);
    fixture_open(fixture);

    fixture_put(fixture, "key", "value"); /* for ever: the thread sleeps without an end */
    assert_int_equal(set_ttl(fixture, "key", 1), SLUICE_OK);
    AWAIT(fixture_stats(fixture).entries == 0);
    assert_int_equal(fixture_stats(fixture).expired, 1);
}

static void jitter_is_for_the_default_alone(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expiry_jitter_percent = 50;
    open_with_ttl(state);
    int shortened = 0;

    for (int i = 0; i < 50; i++) {
        fixture_put(fixture, "key", "value");
        assert_int_equal(set_ttl(fixture, "key", TTL_MS), SLUICE_OK);
        assert_int_equal(fixture_ttl_of_hit(fixture, "key"), TTL_MS);
        assert_int_equal(set_ttl(fixture, "key", SLUICE_TTL_DEFAULT), SLUICE_OK);
        assert_in_range(fixture_ttl_of_hit(fixture, "key"), TTL_MS / 2, TTL_MS);
        shortened += fixture_ttl_of_hit(fixture, "key") < TTL_MS;
    }
    assert_true(shortened > 25);
}

/* ---- what is no fresh value -------------------------------------------------------------------------------------- */

static void what_is_no_fresh_value_is_refused_and_stays_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.stale_while_revalidate_ms = STALE_MS;
    fixture->options.not_found_ttl_ms = TTL_MS;
    fixture->options.failure_backoff_ms = TTL_MS;
    open_with_ttl(state);

    assert_int_equal(set_ttl(fixture, "nothing", TTL_MS), SLUICE_NOT_CACHED);
    struct call *missing = call_park(fixture, WAY_ASYNC, "missing", SLUICE_WAIT_FOREVER);
    struct call *failing = call_park(fixture, WAY_ASYNC, "failing", SLUICE_WAIT_FOREVER);
    struct call *loading = call_park(fixture, WAY_ASYNC, "loading", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, "why");
    call_expect(missing, SLUICE_NOT_FOUND, NULL);
    call_expect(failing, SLUICE_LOAD_FAILED, "why");
    assert_int_equal(set_ttl(fixture, "missing", 5 * TTL_MS), SLUICE_NOT_CACHED);
    assert_int_equal(set_ttl(fixture, "failing", 5 * TTL_MS), SLUICE_NOT_CACHED);
    assert_int_equal(set_ttl(fixture, "loading", 5 * TTL_MS), SLUICE_NOT_CACHED);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "value");
    call_expect(loading, SLUICE_OK, "value");
    assert_int_equal(fixture_ttl_of_hit(fixture, "loading"), TTL_MS);

    fixture_advance(fixture, TTL_MS);
    fixture_expect_absent(fixture, "missing");
    fixture_expect_absent(fixture, "failing");
    assert_int_equal(set_ttl(fixture, "loading", TTL_MS), SLUICE_NOT_CACHED);
    fixture_expect_stale(fixture, "loading", "value"); /* it does not come back to life */
    gated_loader_await_calls(fixture->loader, 4);
    fixture_advance(fixture, STALE_MS);
    fixture_expect_absent(fixture, "loading");
    assert_int_equal(set_ttl(fixture, "loading", TTL_MS), SLUICE_NOT_CACHED);
}

static void wrong_arguments_are_refused(void **state)
{
    struct fixture *fixture = open_with_ttl(state);

    fixture_put(fixture, "key", "value");
    assert_int_equal(set_ttl(fixture, "", TTL_MS), SLUICE_KEY_SIZE);
    assert_int_equal(sluice_set_ttl(fixture->cache, "key", 65536, TTL_MS), SLUICE_KEY_SIZE);
    assert_int_equal(set_ttl(fixture, "key", 0), SLUICE_INVALID);
    assert_int_equal(set_ttl(fixture, "key", -3), SLUICE_INVALID);
    assert_int_equal(set_ttl(fixture, "key", INT64_MIN), SLUICE_INVALID);
    assert_int_equal(fixture_ttl_of_hit(fixture, "key"), TTL_MS);
    assert_int_equal(set_ttl(fixture, "key", INT64_MAX), SLUICE_OK); /* past all time */
    assert_int_equal(fixture_ttl_of_hit(fixture, "key"), SLUICE_NEVER);
    sluice_cache_close(fixture->cache);
    assert_int_equal(set_ttl(fixture, "key", TTL_MS), SLUICE_CLOSED);
}

static void a_default_of_nothing_is_no_time_to_live(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 0;
    fixture_open(fixture);

    fixture_put_ttl(fixture, "key", "value", TTL_MS);
    assert_int_equal(set_ttl(fixture, "key", SLUICE_TTL_DEFAULT), SLUICE_INVALID);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
}

/* ---- what stays -------------------------------------------------------------------------------------------------- */

static void the_refresh_time_stays(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    open_with_ttl(state);

    fixture_put_ttl(fixture, "key", "value", REFRESH_MS / 2);
    fixture_advance(fixture, REFRESH_MS / 2 - 1);
    assert_int_equal(set_ttl(fixture, "key", 5 * TTL_MS), SLUICE_OK);
    fixture_advance(fixture, REFRESH_MS / 2);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    assert_int_equal(fixture_stats(fixture).loads, 0);
    fixture_advance(fixture, 1);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    gated_loader_await_calls(fixture->loader, 1);
}

static void past_a_nearer_expiry_a_reload_is_due_before_the_refresh_time(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    fixture->options.stale_while_revalidate_ms = STALE_MS;
    open_with_ttl(state);

    fixture_put(fixture, "key", "value");
    assert_int_equal(set_ttl(fixture, "key", 10), SLUICE_OK);
    fixture_advance(fixture, 10);
    fixture_expect_stale(fixture, "key", "value");
    gated_loader_await_calls(fixture->loader, 1);
}

static void a_load_in_flight_is_not_touched(void **state)
{
    struct fixture *fixture = open_with_ttl(state);

    fixture_put(fixture, "key", "old");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    assert_int_equal(set_ttl(fixture, "key", 10), SLUICE_OK);
    assert_true(gated_loader_wanted(fixture->loader, 0));
    fixture_advance(fixture, 10);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(fixture_stats(fixture).loads, 1); /* it is the one to join */
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    call_expect(call, SLUICE_OK, "new");
    assert_int_equal(fixture_ttl_of_hit(fixture, "key"), TTL_MS);
}

static void changing_the_time_to_live_is_no_access(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_access_ms = 100;
    open_with_ttl(state);

    fixture_put(fixture, "key", "value");
    fixture_advance(fixture, 99);
    assert_int_equal(set_ttl(fixture, "key", 5 * TTL_MS), SLUICE_OK);
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "key");
    fixture_put(fixture, "key", "value");
    assert_int_equal(set_ttl(fixture, "key", 10), SLUICE_OK);
    assert_int_equal(fixture_ttl_of_hit(fixture, "key"), 10); /* whichever comes first */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_time_to_live_counts_anew_from_the_call),
        FIXTURE_TEST(a_value_can_be_made_to_stay_for_ever_and_to_go_after_all),
        FIXTURE_TEST(the_timer_thread_is_told_of_a_nearer_end),
        FIXTURE_TEST(jitter_is_for_the_default_alone),
        FIXTURE_TEST(what_is_no_fresh_value_is_refused_and_stays_as_it_is),
        FIXTURE_TEST(wrong_arguments_are_refused),
        FIXTURE_TEST(a_default_of_nothing_is_no_time_to_live),
        FIXTURE_TEST(the_refresh_time_stays),
        FIXTURE_TEST(past_a_nearer_expiry_a_reload_is_due_before_the_refresh_time),
        FIXTURE_TEST(a_load_in_flight_is_not_touched),
        FIXTURE_TEST(changing_the_time_to_live_is_no_access),
    };
    FIXTURE_MAIN(tests);
}
