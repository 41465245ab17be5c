/* SPDX-License-Identifier: MIT */
/* stale_test.c: past its time to live a value is given on purpose only, and marked as stale (rule 12). */
#include "bulk_call.h"
#include "crowd.h"

#define TTL_MS   100
#define STALE_MS 1000

/* ---- while it is revalidated ------------------------------------------------------------------------------------- */

static struct fixture *open_revalidating(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_while_revalidate_ms = STALE_MS;
    fixture_open(fixture);
    return fixture;
}

static void rule_12_a_stale_value_is_given_while_one_reload_runs(void **state)
{
    struct fixture *fixture = open_revalidating(state);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS - 1);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    assert_int_equal(fixture_stats(fixture).loads, 0);
    fixture_advance(fixture, 1);
    for (int i = 0; i < 5; i++)
        fixture_expect_stale(fixture, "key", "old");
    gated_loader_await_calls(fixture->loader, 1);
    assert_int_equal(fixture_stats(fixture).loads, 1);
    assert_int_equal(fixture_stats(fixture).stale, 5);
    struct call *call = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    call_expect_stale(call, "old", NULL);
    assert_int_equal(call->outcome.age_ms, TTL_MS);

    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    fixture_expect_get(fixture, "key", SLUICE_OK, "new", SLUICE_SOURCE_HIT);
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
}

static void rule_12_a_stale_value_is_given_to_the_last_millisecond_of_its_window(void **state)
{
    struct fixture *fixture = open_revalidating(state);

    for (int ticked = 0; ticked <= 1; ticked++) {
        fixture_put(fixture, "key", "old");
        fake_clock_advance(&fixture->clock, TTL_MS + STALE_MS - 1);
        if (ticked)
            sluice_cache_tick(fixture->cache);
        fixture_expect_stale(fixture, "key", "old");
        gated_loader_await_calls(fixture->loader, (size_t)ticked + 1);
        fake_clock_advance(&fixture->clock, 1);
        if (ticked)
            sluice_cache_tick(fixture->cache);
        fixture_expect_absent(fixture, "key");
        gated_loader_end(fixture->loader, (size_t)ticked, ENDING_VALUE, "new");
        fixture_expect_present(fixture, "key", SLUICE_OK, "new");
    }
}

static void rule_12_without_a_window_nothing_stale_is_given(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    fixture_expect_absent(fixture, "key");
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_null(gated_loader_old_value(fixture->loader, 0));
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    call_expect(call, SLUICE_LOAD_FAILED, "why");
    assert_int_equal(fixture_stats(fixture).stale, 0);
}

static void rule_12_an_invalidated_value_is_never_given_as_stale(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_while_revalidate_ms = STALE_MS;
    fixture->options.stale_if_error_ms = STALE_MS;
    fixture_open(fixture);

    for (int how = 0; how < INVALIDATIONS; how++) {
        size_t number = gated_loader_calls_in_all(fixture->loader);
        fixture_put(fixture, "key", "old");
        fixture_advance(fixture, TTL_MS);
        fixture_expect_stale(fixture, "key", "old");
        gated_loader_await_calls(fixture->loader, number + 1);
        fixture_invalidate(fixture, (enum invalidation)how, "key");
        fixture_expect_absent(fixture, "key");
        struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, number + 1, ENDING_FAILURE, "why");
        call_expect(call, SLUICE_LOAD_FAILED, "why");
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "reappeared");
        fixture_expect_absent(fixture, "key");
    }
}

static bool note_entry(void *arg, const struct sluice_entry_view *entry)
{
    *(struct sluice_entry_view *)arg = *entry;
    return true;
}

static void rule_12_a_snapshot_shows_a_stale_value_with_no_time_left(void **state)
{
    struct fixture *fixture = open_revalidating(state);
    struct sluice_entry_view seen = {.key = NULL};
    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    fixture_expect_stale(fixture, "key", "old");
    gated_loader_await_calls(fixture->loader, 1);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    assert_int_equal(sluice_cache_for_each(fixture->cache, note_entry, &seen), SLUICE_OK);
    assert_int_equal(seen.error, SLUICE_OK);
    assert_int_equal(seen.ttl_ms, 0);
    assert_int_equal(seen.age_ms, TTL_MS);
    fixture_advance(fixture, STALE_MS);
    assert_int_equal(fixture_stats(fixture).entries, 0);
    assert_int_equal(fixture_stats(fixture).expired, 1);
}

static void rule_12_a_window_without_an_end_keeps_the_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_while_revalidate_ms = SLUICE_NEVER;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    assert_int_equal(fixture_advance(fixture, INT64_C(1) << 40), SLUICE_NEVER);
    fixture_expect_stale(fixture, "key", "old");
    gated_loader_await_calls(fixture->loader, 1);
}

/* ---- if its load fails ------------------------------------------------------------------------------------------- */

static struct fixture *open_tolerant(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_if_error_ms = STALE_MS;
    fixture->options.failure_backoff_ms = 200;
    fixture_open(fixture);
    return fixture;
}

static void rule_12_those_whose_load_fails_are_given_the_old_value(void **state)
{
    static const enum ending endings[] = {ENDING_FAILURE, ENDING_REFUSAL, ENDING_TIME_OUT, ENDING_TOO_LARGE};
    struct fixture *fixture = open_tolerant(state);

    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        fixture_put(fixture, "key", "old");
        fixture_advance(fixture, TTL_MS);
        fixture_expect_absent(fixture, "key"); /* no error yet */
        struct crowd crowd;
        crowd_park(fixture, &crowd, 4, "key", WAY_BLOCKING);
        assert_string_equal(sluice_value_data(gated_loader_old_value(fixture->loader, i)), "old");
        gated_loader_end(fixture->loader, i, endings[i], "why");
        for (size_t j = 0; j < 4; j++) {
            call_expect_stale(crowd.calls[j], "old", "why");
            assert_int_equal(crowd.calls[j]->outcome.source, j == 0 ? SLUICE_SOURCE_LOAD : SLUICE_SOURCE_COALESCED);
        }
        assert_int_equal(fixture_stats(fixture).stale, 4 * (i + 1));
    }
    assert_int_equal(fixture_stats(fixture).loads_failed, COUNT_OF(endings));
}

static void rule_12_while_the_back_off_runs_it_is_given_at_once(void **state)
{
    struct fixture *fixture = open_tolerant(state);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    call_await(call);
    fixture_advance(fixture, 149);
    fixture_expect_stale(fixture, "key", "old");
    assert_int_equal(fixture_stats(fixture).loads, 1);
    fixture_advance(fixture, 51);
    struct call *again = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(fixture_stats(fixture).loads, 2);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(again, SLUICE_OK, "new");
    assert_false(again->outcome.stale);
}

static void rule_12_past_the_window_a_failure_is_a_failure(void **state)
{
    struct fixture *fixture = open_tolerant(state);

    /* The window is over before the load begins, or while it runs, told by the clock alone or by a tick. */
    for (int when = 0; when < 3; when++) {
        fixture_put(fixture, "key", "old");
        fixture_advance(fixture, when == 0 ? TTL_MS + STALE_MS : TTL_MS + STALE_MS - 1);
        struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        fake_clock_advance(&fixture->clock, 1);
        if (when == 2)
            sluice_cache_tick(fixture->cache);
        gated_loader_end(fixture->loader, (size_t)when, ENDING_FAILURE, "why");
        call_expect(call, SLUICE_LOAD_FAILED, "why");
        fixture_expect_present(fixture, "key", SLUICE_LOAD_FAILED, "why");
    }
    assert_int_equal(fixture_stats(fixture).stale, 0);
}

static void rule_12_a_load_over_its_deadline_is_an_error_too(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_if_error_ms = STALE_MS;
    fixture->options.load_timeout_ms = 50;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, 50);
    call_expect_stale(call, "old", NULL);
}

static void rule_12_a_waiter_that_leaves_is_given_nothing_stale(void **state)
{
    struct fixture *fixture = open_tolerant(state);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", 10);
    fixture_advance(fixture, 10);
    call_expect(call, SLUICE_TIMED_OUT, NULL);
    assert_false(call->outcome.stale);
}

static void rule_12_a_load_that_finds_nothing_is_no_error(void **state)
{
    struct fixture *fixture = open_tolerant(state);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    call_expect(call, SLUICE_NOT_FOUND, NULL);
    fixture_expect_absent(fixture, "key");
}

static void rule_12_the_close_gives_nothing_stale(void **state)
{
    struct fixture *fixture = open_tolerant(state);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    sluice_cache_close(fixture->cache);
    call_expect(call, SLUICE_CLOSED, NULL);
}

/* ---- after a wait ------------------------------------------------------------------------------------------------ */

#define PATIENCE_MS 20

static struct fixture *open_patient(void **state, size_t number)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_if_error_ms = STALE_MS;
    fixture->options.stale_after_wait_ms = PATIENCE_MS;
    if (fixture->cache == NULL)
        fixture_open(fixture);
    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), number);
    return fixture;
}

static void rule_12_after_its_patience_a_waiter_takes_the_old_value_and_the_load_goes_on(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.cancel_unwanted_loads = true; /* the last one has not left for good */
    for (int way = 0; way < WAYS; way++) {
        open_patient(state, (size_t)way);
        gated_loader_set_mode(fixture->loader, GATED_BLOCK); /* holds no get */
        struct call *leader = call_start(fixture, (enum way)way, "key", SLUICE_WAIT_FOREVER);
        AWAIT(sluice_cache_tick(fixture->cache) == PATIENCE_MS);
        struct call *follower = call_start(fixture, WAY_BLOCKING, "key", PATIENCE_MS + 1);
        fixture_await_waiters(fixture, 2);
        gated_loader_await_calls(fixture->loader, (size_t)way + 1);
        fixture_advance(fixture, PATIENCE_MS - 1);
        assert_false(call_done(leader));
        fixture_advance(fixture, 1);
        call_expect_stale(leader, "old", NULL);
        assert_int_equal(leader->outcome.source, SLUICE_SOURCE_LOAD);
        call_expect_stale(follower, "old", NULL);
        assert_true(gated_loader_wanted(fixture->loader, (size_t)way));
        gated_loader_end(fixture->loader, (size_t)way, ENDING_VALUE, "new");
        AWAIT(fixture_stats(fixture).loads_in_flight == 0);
        fixture_expect_present(fixture, "key", SLUICE_OK, "new");
        assert_int_equal(fixture_stats(fixture).stale, 2 * (way + 1));
        assert_int_equal(fixture_stats(fixture).waits_timed_out, 0);
    }
}

static void rule_7_a_wait_that_ends_before_its_patience_is_timed_out(void **state)
{
    struct fixture *fixture = open_patient(state, 0);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", PATIENCE_MS - 1);
    fixture_advance(fixture, PATIENCE_MS - 1);
    call_expect(call, SLUICE_TIMED_OUT, NULL);
}

static void rule_12_patience_takes_nothing_that_is_not_there_any_more(void **state)
{
    struct fixture *fixture = open_patient(state, 0);

    /* invalidated, */
    struct call *call = call_park(fixture, WAY_ASYNC, "key", 2 * PATIENCE_MS);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    fixture_advance(fixture, PATIENCE_MS);
    assert_false(call_done(call));
    fixture_advance(fixture, PATIENCE_MS); /* its own time still counts */
    call_expect(call, SLUICE_TIMED_OUT, NULL);

    /* or past the window by then. */
    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS + STALE_MS - PATIENCE_MS);
    call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, PATIENCE_MS);
    assert_false(call_done(call));
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(call, SLUICE_OK, "new");
}

static void rule_12_in_time_a_load_serves_the_patient(void **state)
{
    struct fixture *fixture = open_patient(state, 0);
    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "key", WAY_BLOCKING);
    fixture_advance(fixture, PATIENCE_MS - 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    crowd_expect(&crowd, SLUICE_OK, "new");
    assert_int_equal(fixture_stats(fixture).stale, 0);
}

static void rule_14_a_bulk_get_is_patient_key_by_key(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    for (int way = 0; way < WAYS; way++) {
        size_t base = 2 * (size_t)way;
        open_patient(state, base);
        struct bulk_call *bulk = bulk_park(fixture, (enum way)way, "key missing", 2);
        gated_loader_await_calls(fixture->loader, base + 2);
        fixture_advance(fixture, PATIENCE_MS);
        assert_false(bulk_done(bulk));
        for (size_t i = 0; i < 2; i++) {
            char key[8] = "";
            (void)gated_loader_key(fixture->loader, base + i, key, sizeof key);
            gated_loader_end(fixture->loader, base + i, ENDING_VALUE, key[0] == 'k' ? "new" : "found");
        }
        AWAIT(bulk_done(bulk));
        fixture_expect_stale_outcome(&bulk->outcomes[0], "old", NULL);
        bulk_expect(bulk, 1, SLUICE_OK, "found");
        bulk_free(bulk);
        AWAIT(fixture_stats(fixture).loads_in_flight == 0);
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_12_a_stale_value_is_given_while_one_reload_runs),
        FIXTURE_TEST(rule_12_a_stale_value_is_given_to_the_last_millisecond_of_its_window),
        FIXTURE_TEST(rule_12_without_a_window_nothing_stale_is_given),
        FIXTURE_TEST(rule_12_an_invalidated_value_is_never_given_as_stale),
        FIXTURE_TEST(rule_12_a_snapshot_shows_a_stale_value_with_no_time_left),
        FIXTURE_TEST(rule_12_a_window_without_an_end_keeps_the_value),
        FIXTURE_TEST(rule_12_those_whose_load_fails_are_given_the_old_value),
        FIXTURE_TEST(rule_12_while_the_back_off_runs_it_is_given_at_once),
        FIXTURE_TEST(rule_12_past_the_window_a_failure_is_a_failure),
        FIXTURE_TEST(rule_12_a_load_over_its_deadline_is_an_error_too),
        FIXTURE_TEST(rule_12_a_waiter_that_leaves_is_given_nothing_stale),
        FIXTURE_TEST(rule_12_a_load_that_finds_nothing_is_no_error),
        FIXTURE_TEST(rule_12_the_close_gives_nothing_stale),
        FIXTURE_TEST(rule_12_after_its_patience_a_waiter_takes_the_old_value_and_the_load_goes_on),
        FIXTURE_TEST(rule_7_a_wait_that_ends_before_its_patience_is_timed_out),
        FIXTURE_TEST(rule_12_patience_takes_nothing_that_is_not_there_any_more),
        FIXTURE_TEST(rule_12_in_time_a_load_serves_the_patient),
        FIXTURE_TEST(rule_14_a_bulk_get_is_patient_key_by_key),
    };
    FIXTURE_MAIN(tests);
}
