/* SPDX-License-Identifier: MIT */
/* failure_test.c: a failure is shared once, and remembered only where a back-off is set (rule 5). */
#include "crowd.h"

static void rule_5_all_who_wait_share_one_failure_and_it_is_not_remembered(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int ending = ENDING_FAILURE; ending < ENDINGS; ending++)
        for (int first = 0; first < WAYS; first++) {
            struct sluice_stats before = fixture_stats(fixture);
            size_t number = gated_loader_calls_in_all(fixture->loader);
            struct crowd crowd;
            crowd_park(fixture, &crowd, 5, "key", (enum way)first);
            gated_loader_end(fixture->loader, number, (enum ending)ending, "no route to the backend");
            crowd_expect(&crowd, ending_error((enum ending)ending), "no route to the backend");
            for (size_t i = 0; i < crowd.count; i++)
                assert_string_equal(sluice_outcome_reason(&crowd.calls[i]->outcome), "no route to the backend");

            struct sluice_stats after = fixture_stats(fixture);
            assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 1);
            assert_int_equal(after.loads_failed - before.loads_failed, 1);
            assert_int_equal(after.entries, 0);
            fixture_expect_absent(fixture, "key");
        }
}

static void rule_5_a_failing_loader_runs_once_for_those_who_wait_on_the_thread_it_holds(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    struct call *calls[5];
    calls[0] = call_start(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_await_calls(fixture->loader, 1);
    for (int i = 1; i < 5; i++)
        calls[i] = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    for (int i = 0; i < 5; i++)
        call_expect(calls[i], SLUICE_LOAD_FAILED, "why");
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
}

static void rule_5_a_reason_is_optional_and_cut_at_its_limit(void **state)
{
    static char long_reason[5000];
    struct fixture *fixture = *state;
    fixture_open(fixture);
    memset(long_reason, 'x', sizeof long_reason - 1);

    struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, NULL);
    call_expect(call, SLUICE_LOAD_FAILED, NULL);
    assert_string_equal(sluice_outcome_reason(&call->outcome), sluice_strerror(SLUICE_LOAD_FAILED));

    call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, long_reason);
    call_await(call);
    size_t size = strlen(sluice_outcome_reason(&call->outcome));
    assert_in_range(size, 1000, 1024);
}

static void rule_5_leaves_the_value_of_a_plain_get_untouched(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    call_expect(call, SLUICE_LOAD_FAILED, "why");
    struct sluice_value *untouched = (struct sluice_value *)fixture;
    assert_int_equal(sluice_get(fixture->cache, "key", 3, 0, &untouched), SLUICE_LOAD_FAILED);
    assert_ptr_equal(untouched, fixture);
}

/* ---- remembered -------------------------------------------------------------------------------------------------- */

/* Lets one load of "key" fail and returns for how long that is remembered. */
static int64_t fail_once(struct fixture *fixture, const char *key)
{
    size_t number = gated_loader_calls_in_all(fixture->loader);
    struct call *call = call_park(fixture, WAY_ASYNC, key, SLUICE_WAIT_FOREVER);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 1);
    gated_loader_end(fixture->loader, number, ENDING_FAILURE, "why");
    call_expect(call, SLUICE_LOAD_FAILED, "why");

    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    assert_int_equal(sluice_get_if_present(fixture->cache, key, strlen(key), &outcome), SLUICE_LOAD_FAILED);
    assert_int_equal(outcome.age_ms, 0);
    int64_t ttl_ms = outcome.ttl_ms;
    sluice_outcome_fini(&outcome);
    return ttl_ms;
}

static void rule_5_a_remembered_failure_is_a_hit(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    fail_once(fixture, "key");
    struct sluice_stats before = fixture_stats(fixture);
    fixture_expect_get(fixture, "key", SLUICE_LOAD_FAILED, "why", SLUICE_SOURCE_HIT);
    struct call *async = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    call_expect(async, SLUICE_LOAD_FAILED, "why");
    assert_true(async->at_once);
    assert_int_equal(async->outcome.source, SLUICE_SOURCE_HIT);
    struct sluice_stats after = fixture_stats(fixture);
    assert_int_equal(after.hits - before.hits, 2);
    assert_int_equal(after.loads_failed, 1);
    assert_int_equal(after.entries, 1);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
}

/* Moves the clock, with the tick that reclaims what has expired, or without. */
static void pass(struct fixture *fixture, int64_t ms, bool tick)
{
    fake_clock_advance(&fixture->clock, ms);
    if (tick)
        (void)sluice_cache_tick(fixture->cache);
}

static void play_growth(struct fixture *fixture, const char *key, bool tick)
{
    static const int64_t nominal_ms[] = {1000, 2000, 4000, 5000, 5000, 5000};
    for (size_t i = 0; i < COUNT_OF(nominal_ms); i++) {
        int64_t ttl_ms = fail_once(fixture, key);
        assert_in_range(ttl_ms, nominal_ms[i] * 3 / 4, nominal_ms[i]);
        pass(fixture, ttl_ms - 1, tick);
        fixture_expect_get(fixture, key, SLUICE_LOAD_FAILED, "why", SLUICE_SOURCE_HIT);
        pass(fixture, 1, tick);
        fixture_expect_absent(fixture, key);
    }
}

static void rule_5_a_back_off_doubles_with_each_failure_in_a_row_up_to_its_cap(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture->options.failure_backoff_max_ms = 5000;
    fixture_open(fixture);
    play_growth(fixture, "a key", false);
}

static void rule_5_a_back_off_grows_also_where_the_expired_failure_was_reclaimed(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture->options.failure_backoff_max_ms = 5000;
    fixture_open(fixture);
    play_growth(fixture, "a key", true);
}

static void rule_5_a_back_off_begins_anew_after_a_success_or_an_answer(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture->options.expire_after_write_ms = 100;
    fixture_open(fixture);

    for (int ending = ENDING_VALUE; ending <= ENDING_NOT_FOUND; ending++) {
        pass(fixture, fail_once(fixture, "key"), false);
        int64_t second_ms = fail_once(fixture, "key");
        assert_in_range(second_ms, 1500, 2000);
        pass(fixture, second_ms, false);
        size_t number = gated_loader_calls_in_all(fixture->loader);
        struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, number, (enum ending)ending, "value");
        call_await(call);
        pass(fixture, 100, false);
        int64_t third_ms = fail_once(fixture, "key");
        assert_in_range(third_ms, 750, 1000);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_5_a_back_off_is_jittered(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    int64_t least_ms = INT64_MAX;
    int64_t most_ms = 0;
    for (int i = 0; i < 64; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %d", i);
        int64_t ttl_ms = fail_once(fixture, key);
        assert_in_range(ttl_ms, 750, 1000);
        least_ms = ttl_ms < least_ms ? ttl_ms : least_ms;
        most_ms = ttl_ms > most_ms ? ttl_ms : most_ms;
    }
    assert_true(most_ms - least_ms > 50); /* 64 draws from 250: closer together about never */
}

static void rule_5_a_failure_never_replaces_a_good_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    struct call *detached = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    struct call *overtaken = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_put(fixture, "key", "good");
    call_expect(overtaken, SLUICE_OK, "good");
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    call_expect(detached, SLUICE_LOAD_FAILED, "why");
    fixture_expect_present(fixture, "key", SLUICE_OK, "good");
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, "why");
    fixture_expect_present(fixture, "key", SLUICE_OK, "good");
    assert_int_equal(fixture_stats(fixture).entries, 1);
}

static void rule_5_a_put_replaces_a_remembered_failure(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    fail_once(fixture, "key");
    fixture_put(fixture, "key", "good");
    fixture_expect_get(fixture, "key", SLUICE_OK, "good", SLUICE_SOURCE_HIT);
    fixture_advance(fixture, 100000); /* what expires is the failure's memory, not the value */
    fixture_expect_present(fixture, "key", SLUICE_OK, "good");
}

static void rule_23_a_failure_that_a_get_finds_to_be_over_has_expired(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 100;
    fixture_open(fixture);
    for (size_t number = 0; number < 2; number++) {
        struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, number, ENDING_FAILURE, "why");
        call_expect(call, SLUICE_LOAD_FAILED, "why");
        fake_clock_advance(&fixture->clock, 100);
    }
    assert_int_equal(fixture_stats(fixture).expired, 1);
    assert_int_equal(fixture_stats(fixture).entries, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_5_all_who_wait_share_one_failure_and_it_is_not_remembered),
        FIXTURE_TEST(rule_5_a_failing_loader_runs_once_for_those_who_wait_on_the_thread_it_holds),
        FIXTURE_TEST(rule_5_a_reason_is_optional_and_cut_at_its_limit),
        FIXTURE_TEST(rule_5_leaves_the_value_of_a_plain_get_untouched),
        FIXTURE_TEST(rule_5_a_remembered_failure_is_a_hit),
        FIXTURE_TEST(rule_5_a_back_off_doubles_with_each_failure_in_a_row_up_to_its_cap),
        FIXTURE_TEST(rule_5_a_back_off_grows_also_where_the_expired_failure_was_reclaimed),
        FIXTURE_TEST(rule_5_a_back_off_begins_anew_after_a_success_or_an_answer),
        FIXTURE_TEST(rule_5_a_back_off_is_jittered),
        FIXTURE_TEST(rule_5_a_failure_never_replaces_a_good_value),
        FIXTURE_TEST(rule_5_a_put_replaces_a_remembered_failure),
        FIXTURE_TEST(rule_23_a_failure_that_a_get_finds_to_be_over_has_expired),
    };
    FIXTURE_MAIN(tests);
}
