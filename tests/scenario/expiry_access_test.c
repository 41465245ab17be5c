/* SPDX-License-Identifier: MIT */
/* expiry_access_test.c: a value that nobody reads expires before its time to live is over (expire_after_access_ms). */
#include "crowd.h"

#define TTL_MS    1000
#define ACCESS_MS 100
#define STALE_MS  50

static struct fixture *open_with_access(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.expire_after_access_ms = ACCESS_MS;
    fixture_open(fixture);
    return fixture;
}

static void a_value_expires_when_it_was_not_read_for_its_span(void **state)
{
    struct fixture *fixture = open_with_access(state);

    fixture_put(fixture, "never read", "value");
    fixture_put(fixture, "read", "value");
    fake_clock_advance(&fixture->clock, ACCESS_MS - 1);
    fixture_expect_get(fixture, "read", SLUICE_OK, "value", SLUICE_SOURCE_HIT);
    fake_clock_advance(&fixture->clock, 1);
    fixture_expect_absent(fixture, "never read");
    fake_clock_advance(&fixture->clock, ACCESS_MS - 2);
    fixture_expect_present(fixture, "read", SLUICE_OK, "value"); /* counts as well */
    fake_clock_advance(&fixture->clock, ACCESS_MS - 1);
    fixture_expect_present(fixture, "read", SLUICE_OK, "value");
    fake_clock_advance(&fixture->clock, ACCESS_MS);
    fixture_expect_absent(fixture, "read");
    assert_int_equal(fixture_stats(fixture).expired, 2);
}

static void a_value_that_is_read_expires_with_its_time_to_live(void **state)
{
    struct fixture *fixture = open_with_access(state);

    fixture_put(fixture, "key", "value");
    for (int64_t age_ms = 50; age_ms < TTL_MS; age_ms += 50) {
        fixture_advance(fixture, 50);
        int64_t left_ms = TTL_MS - age_ms;
        assert_int_equal(fixture_ttl_of_hit(fixture, "key"), left_ms < ACCESS_MS ? left_ms : ACCESS_MS);
    }
    fixture_advance(fixture, 49);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "key");
}

static bool note_ttl(void *arg, const struct sluice_entry_view *entry)
{
    int64_t *ttl_ms = arg;
    *ttl_ms = entry->ttl_ms;
    return true;
}

static void a_snapshot_is_no_read_and_tells_what_is_left(void **state)
{
    struct fixture *fixture = open_with_access(state);
    int64_t ttl_ms = 0;

    fixture_put(fixture, "key", "value");
    fixture_advance(fixture, 30);
    assert_int_equal(sluice_cache_for_each(fixture->cache, note_ttl, &ttl_ms), SLUICE_OK);
    assert_int_equal(ttl_ms, ACCESS_MS - 30);
    assert_int_equal(fixture_ttl_of_hit(fixture, "key"), ACCESS_MS);
    fixture_advance(fixture, ACCESS_MS - 1);
    assert_int_equal(sluice_cache_for_each(fixture->cache, note_ttl, &ttl_ms), SLUICE_OK);
    assert_int_equal(ttl_ms, 1);
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "key");
}

static void those_who_waited_for_the_load_are_told_of_the_nearer_end(void **state)
{
    struct fixture *fixture = open_with_access(state);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(call, SLUICE_OK, "value");
    assert_int_equal(call->outcome.ttl_ms, ACCESS_MS);
}

static void a_write_counts_as_an_access(void **state)
{
    struct fixture *fixture = open_with_access(state);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, ACCESS_MS - 1);
    fixture_put(fixture, "key", "new");
    fixture_advance(fixture, ACCESS_MS - 1);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    fixture_advance(fixture, ACCESS_MS - 1);
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
}

static void not_founds_and_failures_have_their_own_time_alone(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_access_ms = ACCESS_MS;
    fixture->options.not_found_ttl_ms = TTL_MS;
    fixture->options.failure_backoff_ms = TTL_MS;
    fixture_open(fixture);

    struct call *missing = call_park(fixture, WAY_ASYNC, "missing", SLUICE_WAIT_FOREVER);
    struct call *failing = call_park(fixture, WAY_ASYNC, "failing", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, "why");
    call_expect(missing, SLUICE_NOT_FOUND, NULL);
    call_expect(failing, SLUICE_LOAD_FAILED, "why");
    fixture_advance(fixture, TTL_MS / 2);
    fixture_expect_present(fixture, "missing", SLUICE_NOT_FOUND, NULL);
    fixture_expect_present(fixture, "failing", SLUICE_LOAD_FAILED, "why");
    fixture_advance(fixture, TTL_MS / 2);
    fixture_expect_absent(fixture, "missing"); /* reading it has not made it live longer */
    fixture_expect_absent(fixture, "failing");
}

/* ---- the timer --------------------------------------------------------------------------------------------------- */

static void memory_comes_back_at_the_end_of_the_last_read_and_not_before(void **state)
{
    struct fixture *fixture = open_with_access(state);

    fixture_put(fixture, "key", "value");
    for (int i = 0; i < 5; i++) {
        fixture_advance(fixture, 60); /* the timer that was set by the put, or anew, comes in between */
        fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    }
    fixture_advance(fixture, ACCESS_MS - 1);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    assert_int_equal(fixture_advance(fixture, 1), SLUICE_NEVER);
    assert_int_equal(fixture_stats(fixture).entries, 0);
    assert_int_equal(fixture_stats(fixture).expired, 1);
}

/* More than are looked at under one hold of the lock. */
static void many_that_were_read_are_kept_by_one_tick_and_go_by_another(void **state)
{
    enum { ENTRIES = 5000 };
    struct fixture *fixture = *state;
    char key[16];
    fixture->options.expire_after_access_ms = ACCESS_MS;
    fixture->options.shards = 1;
    fixture_open(fixture);

    for (int i = 0; i < ENTRIES; i++) {
        snprintf(key, sizeof key, "%d", i);
        fixture_put(fixture, key, "value");
    }
    fixture_advance(fixture, ACCESS_MS - 1);
    for (int i = 0; i < ENTRIES; i += 2) {
        snprintf(key, sizeof key, "%d", i);
        fixture_expect_present(fixture, key, SLUICE_OK, "value");
    }
    int64_t next_ms = fixture_advance(fixture, 1);
    assert_in_range(next_ms, 1, ACCESS_MS - 1);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 2);
    fixture_advance(fixture, ACCESS_MS - 2);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 2);
    assert_int_equal(fixture_advance(fixture, 1), SLUICE_NEVER);
    assert_int_equal(fixture_stats(fixture).entries, 0);
}

/* ---- stale values ------------------------------------------------------------------------------------------------ */

static void the_stale_window_begins_where_the_value_expired(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_access_ms = ACCESS_MS;
    fixture->options.stale_while_revalidate_ms = STALE_MS;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, 60);
    fixture_expect_present(fixture, "key", SLUICE_OK, "old");
    fixture_advance(fixture, ACCESS_MS);
    for (int64_t age_ms = 0; age_ms < STALE_MS; age_ms += 10) {
        fixture_expect_stale(fixture, "key", "old"); /* which does not make it fresh again */
        gated_loader_await_calls(fixture->loader, 1);
        assert_int_equal(fixture_stats(fixture).loads, 1);
        fixture_advance(fixture, age_ms < STALE_MS - 10 ? 10 : 9);
    }
    fixture_expect_stale(fixture, "key", "old");
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "key");
    assert_int_equal(fixture_stats(fixture).entries, 0);
}

static void past_its_expiry_a_reload_is_due_and_waited_for_and_backs_off_if_it_fails(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_access_ms = ACCESS_MS;
    fixture->options.stale_if_error_ms = TTL_MS;
    fixture->options.failure_backoff_ms = 40;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, ACCESS_MS);
    fixture_expect_absent(fixture, "key"); /* no error yet */
    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "key", WAY_BLOCKING);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    for (size_t i = 0; i < crowd.count; i++)
        call_expect_stale(crowd.calls[i], "old", "why");
    fixture_advance(fixture, 29); /* of 40, less a quarter at most */
    fixture_expect_stale(fixture, "key", "old");
    fixture_advance(fixture, 11);
    fixture_expect_absent(fixture, "key");
    assert_int_equal(fixture_stats(fixture).loads, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_value_expires_when_it_was_not_read_for_its_span),
        FIXTURE_TEST(a_value_that_is_read_expires_with_its_time_to_live),
        FIXTURE_TEST(a_snapshot_is_no_read_and_tells_what_is_left),
        FIXTURE_TEST(those_who_waited_for_the_load_are_told_of_the_nearer_end),
        FIXTURE_TEST(a_write_counts_as_an_access),
        FIXTURE_TEST(not_founds_and_failures_have_their_own_time_alone),
        FIXTURE_TEST(memory_comes_back_at_the_end_of_the_last_read_and_not_before),
        FIXTURE_TEST(many_that_were_read_are_kept_by_one_tick_and_go_by_another),
        FIXTURE_TEST(the_stale_window_begins_where_the_value_expired),
        FIXTURE_TEST(past_its_expiry_a_reload_is_due_and_waited_for_and_backs_off_if_it_fails),
    };
    FIXTURE_MAIN(tests);
}
