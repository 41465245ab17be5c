/* SPDX-License-Identifier: MIT */
/* wait_test.c: a wait has a deadline of its own, and who leaves leaves alone (rule 7). Cancelling: cancel_test.c. */
#include "crowd.h"

static void rule_7_who_runs_out_of_time_leaves_alone(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int leader = 0; leader < WAYS; leader++)
        for (int way = 0; way < WAYS; way++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            struct call *patient = call_park(fixture, (enum way)leader, "key", SLUICE_WAIT_FOREVER);
            struct call *first = call_park(fixture, (enum way)way, "key", 100);
            struct call *second = call_park(fixture, (enum way)way, "key", 150);
            fixture_advance(fixture, 99);
            assert_false(call_done(first));
            fixture_advance(fixture, 1);
            call_expect(first, SLUICE_TIMED_OUT, NULL);
            assert_false(call_done(second));
            fixture_advance(fixture, 50);
            call_expect(second, SLUICE_TIMED_OUT, NULL);
            assert_int_equal(fixture_stats(fixture).waiters, 1);
            assert_false(call_done(patient));
            assert_true(gated_loader_wanted(fixture->loader, number));
            gated_loader_end(fixture->loader, number, ENDING_VALUE, "value");
            call_expect(patient, SLUICE_OK, "value");
            fixture_expect_present(fixture, "key", SLUICE_OK, "value");
            fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        }
    assert_int_equal(fixture_stats(fixture).waits_timed_out, 8);
}

static void rule_7_a_leader_that_leaves_takes_nobody_along(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int ending = 0; ending < ENDINGS; ending++)
        for (int way = 0; way < WAYS; way++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            struct call *leader = call_park(fixture, (enum way)way, "key", 100);
            /* A blocking one has its deadline only when it has come back from its loader. */
            AWAIT(fixture_advance(fixture, 0) != SLUICE_NEVER);
            struct crowd followers;
            crowd_park(fixture, &followers, 2, "key", WAY_BLOCKING);
            fixture_advance(fixture, 100);
            call_expect(leader, SLUICE_TIMED_OUT, NULL);
            assert_true(crowd_all_parked(&followers));
            struct call *late = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
            assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 1);
            gated_loader_end(fixture->loader, number, (enum ending)ending, "text");
            crowd_expect(&followers, ending_error((enum ending)ending), ending_text((enum ending)ending, "text"));
            call_expect(late, ending_error((enum ending)ending), ending_text((enum ending)ending, "text"));
            fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        }
}

static void rule_7_the_load_goes_on_and_is_stored_when_everyone_has_left(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *calls[WAYS];
    for (int way = 0; way < WAYS; way++)
        calls[way] = call_park(fixture, (enum way)way, "key", 10 + way);
    fixture_advance(fixture, 11);
    for (int way = 0; way < WAYS; way++)
        call_expect(calls[way], SLUICE_TIMED_OUT, NULL);
    assert_int_equal(fixture_stats(fixture).waiters, 0);
    assert_int_equal(fixture_stats(fixture).loads_in_flight, 1);
    assert_true(gated_loader_wanted(fixture->loader, 0));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    fixture_expect_get(fixture, "key", SLUICE_OK, "value", SLUICE_SOURCE_HIT);
    assert_int_equal(fixture_stats(fixture).loads_completed, 1);
}

static void rule_7_a_timeout_of_0_starts_the_load_or_joins_it_and_does_not_wait(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int leader = 0; leader < WAYS; leader++) {
        size_t number = gated_loader_calls_in_all(fixture->loader);
        for (int i = 0; i < 3; i++) {
            struct call *call = call_start(fixture, (enum way)((leader + i) % WAYS), "key", 0);
            call_expect(call, SLUICE_TIMED_OUT, NULL);
            assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 1);
        }
        assert_int_equal(fixture_stats(fixture).waiters, 0);
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "value");
        fixture_expect_get(fixture, "key", SLUICE_OK, "value", SLUICE_SOURCE_HIT);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_7_a_blocking_get_that_loads_for_itself_is_given_the_value_whatever_its_timeout(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);
    fixture_expect_get(fixture, "key", SLUICE_OK, "key#1", SLUICE_SOURCE_LOAD); /* its timeout is 0 */
}

static void rule_7_a_leaders_time_counts_from_when_its_loader_returned(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    struct call *in_time = call_start(fixture, WAY_BLOCKING, "a", 10);
    gated_loader_await_calls(fixture->loader, 1);
    struct call *late = call_start(fixture, WAY_BLOCKING, "b", 10);
    gated_loader_await_calls(fixture->loader, 2);
    fixture_advance(fixture, 1000);
    assert_false(call_done(in_time));
    assert_false(call_done(late));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(in_time, SLUICE_OK, "value");

    gated_loader_let_return(fixture->loader, 1);
    /* A deadline that is due some day is the sign that it has come back from its loader and waits. */
    AWAIT(fixture_advance(fixture, 0) != SLUICE_NEVER);
    fixture_advance(fixture, 9);
    assert_false(call_done(late));
    fixture_advance(fixture, 1);
    call_expect(late, SLUICE_TIMED_OUT, NULL);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "value");
    fixture_expect_present(fixture, "b", SLUICE_OK, "value");
}

static void rule_7_a_follower_does_leave_while_the_leader_is_in_its_loader(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    struct call *leader = call_start(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_await_calls(fixture->loader, 1);
    struct call *blocking = call_park(fixture, WAY_BLOCKING, "key", 10);
    struct call *async = call_park(fixture, WAY_ASYNC, "key", 10);
    fixture_advance(fixture, 10);
    call_expect(blocking, SLUICE_TIMED_OUT, NULL);
    call_expect(async, SLUICE_TIMED_OUT, NULL);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(leader, SLUICE_OK, "value");
}

static void rule_7_an_asynchronous_leader_does_leave_while_its_loader_holds_its_thread(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    struct call *leader = call_start_spec(
        fixture, &(struct call_spec){.way = WAY_ASYNC, .key = "key", .timeout_ms = 10, .elsewhere = true});
    gated_loader_await_calls(fixture->loader, 1);
    fixture_advance(fixture, 10);
    call_expect(leader, SLUICE_TIMED_OUT, NULL);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
}

static void rule_7_the_largest_timeout_is_as_good_as_none(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int way = 0; way < WAYS; way++) {
        struct call *call = call_park(fixture, (enum way)way, "key", INT64_MAX);
        fixture_advance(fixture, INT64_C(1000) * 60 * 60 * 24 * 365);
        assert_false(call_done(call));
        gated_loader_end(fixture->loader, (size_t)way, ENDING_VALUE, "value");
        call_expect(call, SLUICE_OK, "value");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_7_many_deadlines_are_each_kept_to_the_millisecond(void **state)
{
    struct fixture *fixture = *state;
    struct call *calls[200];
    fixture_open(fixture);

    for (int i = 0; i < 200; i++)
        calls[i] = call_start(fixture, WAY_ASYNC, "key", 1 + (int64_t)i * i * 7); /* up to 4 minutes and a half */
    for (int64_t now_ms = 0, i = 0; i < 200; i++) {
        int64_t due_ms = 1 + i * i * 7;
        fixture_advance(fixture, due_ms - 1 - now_ms);
        assert_false(call_done(calls[i]));
        fixture_advance(fixture, 1);
        call_expect(calls[i], SLUICE_TIMED_OUT, NULL);
        now_ms = due_ms;
    }
}

static void rule_7_the_tick_says_when_the_next_deadline_is(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    assert_int_equal(fixture_advance(fixture, 0), SLUICE_NEVER);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", 5000);
    int64_t passed_ms = 0;
    while (!call_done(call)) { /* going by what it says alone, the deadline is met and not overrun */
        int64_t step_ms = fixture_advance(fixture, 0);
        if (call_done(call))
            break;
        assert_in_range(step_ms, 1, 5000 - passed_ms);
        passed_ms += step_ms;
        fake_clock_advance(&fixture->clock, step_ms);
    }
    assert_int_equal(passed_ms, 5000);
    assert_int_equal(fixture_advance(fixture, 0), SLUICE_NEVER);
}

static void rule_7_deadlines_are_kept_by_the_caches_own_clock_too(void **state)
{
    struct fixture *fixture = *state;
    fixture_use_real_clock(fixture);
    fixture_open(fixture);

    for (int way = 0; way < WAYS; way++) {
        int64_t start_ms = await_now_ms();
        struct call *call = call_start(fixture, (enum way)way, "key", 30);
        call_expect(call, SLUICE_TIMED_OUT, NULL);
        assert_true(await_now_ms() - start_ms >= 29); /* the two clocks are cut to milliseconds apart */
    }
    struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(call, SLUICE_OK, "value");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_7_who_runs_out_of_time_leaves_alone),
        FIXTURE_TEST(rule_7_a_leader_that_leaves_takes_nobody_along),
        FIXTURE_TEST(rule_7_the_load_goes_on_and_is_stored_when_everyone_has_left),
        FIXTURE_TEST(rule_7_a_timeout_of_0_starts_the_load_or_joins_it_and_does_not_wait),
        FIXTURE_TEST(rule_7_a_blocking_get_that_loads_for_itself_is_given_the_value_whatever_its_timeout),
        FIXTURE_TEST(rule_7_a_leaders_time_counts_from_when_its_loader_returned),
        FIXTURE_TEST(rule_7_a_follower_does_leave_while_the_leader_is_in_its_loader),
        FIXTURE_TEST(rule_7_an_asynchronous_leader_does_leave_while_its_loader_holds_its_thread),
        FIXTURE_TEST(rule_7_the_largest_timeout_is_as_good_as_none),
        FIXTURE_TEST(rule_7_many_deadlines_are_each_kept_to_the_millisecond),
        FIXTURE_TEST(rule_7_the_tick_says_when_the_next_deadline_is),
        FIXTURE_TEST(rule_7_deadlines_are_kept_by_the_caches_own_clock_too),
    };
    FIXTURE_MAIN(tests);
}
