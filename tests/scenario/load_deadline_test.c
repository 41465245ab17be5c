/* SPDX-License-Identifier: MIT */
/* load_deadline_test.c: a load has a deadline of its own (rule 8). */
#include "crowd.h"

#define LOAD_TIMEOUT_MS 100

static struct fixture *open_with_deadline(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.load_timeout_ms = LOAD_TIMEOUT_MS;
    fixture_open(fixture);
    return fixture;
}

static void rule_8_all_who_wait_are_told_and_the_next_get_starts_anew(void **state)
{
    struct fixture *fixture = open_with_deadline(state);

    for (int ending = 0; ending < ENDINGS; ending++)
        for (int first = 0; first < WAYS; first++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            struct sluice_stats before = fixture_stats(fixture);
            struct crowd crowd;
            crowd_park(fixture, &crowd, 4, "key", (enum way)first);
            fixture_advance(fixture, LOAD_TIMEOUT_MS - 1);
            assert_true(crowd_all_parked(&crowd));
            fixture_advance(fixture, 1);
            crowd_expect(&crowd, SLUICE_LOAD_TIMED_OUT, NULL);
            assert_false(gated_loader_wanted(fixture->loader, number));
            assert_int_equal(fixture_stats(fixture).loads_in_flight, 1);

            struct call *next = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
            assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 2);
            gated_loader_end(fixture->loader, number, (enum ending)ending, "late");
            assert_false(call_done(next));
            fixture_expect_absent(fixture, "key");
            gated_loader_end(fixture->loader, number + 1, ENDING_VALUE, "new");
            call_expect(next, SLUICE_OK, "new");
            fixture_expect_present(fixture, "key", SLUICE_OK, "new");

            struct sluice_stats after = fixture_stats(fixture);
            assert_int_equal(after.loads_timed_out - before.loads_timed_out, 1);
            assert_int_equal(after.loads_dropped - before.loads_dropped, 1);
            assert_int_equal(after.loads_completed - before.loads_completed, 1);
            fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        }
}

static void rule_8_a_late_result_is_dropped_also_behind_its_successor(void **state)
{
    struct fixture *fixture = open_with_deadline(state);

    struct call *timed_out = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, LOAD_TIMEOUT_MS);
    call_expect(timed_out, SLUICE_LOAD_TIMED_OUT, NULL);
    struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(next, SLUICE_OK, "new");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
}

static struct call *second_try;

static void try_again(void *arg, const struct sluice_outcome *outcome)
{
    struct fixture *fixture = arg;
    if (outcome->error == SLUICE_LOAD_TIMED_OUT)
        second_try = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
}

static void rule_8_the_flight_is_unlinked_before_its_waiters_are_told(void **state)
{
    struct fixture *fixture = open_with_deadline(state);

    for (int way = 0; way < WAYS; way++) {
        size_t number = gated_loader_calls_in_all(fixture->loader);
        second_try = NULL;
        struct call *first = call_start_spec(fixture, &(struct call_spec){.way = (enum way)way,
                                                                          .key = "key",
                                                                          .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                          .inside = try_again,
                                                                          .arg = fixture});
        fixture_await_waiters(fixture, 1);
        gated_loader_await_calls(fixture->loader, number + 1);
        fixture_advance(fixture, LOAD_TIMEOUT_MS);
        call_expect(first, SLUICE_LOAD_TIMED_OUT, NULL);
        assert_non_null(second_try);
        assert_false(call_done(second_try));
        assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 2);
        gated_loader_end(fixture->loader, number + 1, ENDING_VALUE, "new");
        call_expect(second_try, SLUICE_OK, "new");
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "late");
        fixture_expect_present(fixture, "key", SLUICE_OK, "new");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_8_a_hung_load_keeps_its_slot_until_it_really_ends(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loads_max = 2;
    open_with_deadline(state);

    for (int how = 0; how < 3; how++) { /* timed out, overtaken by a put, detached */
        size_t number = gated_loader_calls_in_all(fixture->loader);
        struct call *a = call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
        struct call *b = call_park(fixture, WAY_BLOCKING, "b", SLUICE_WAIT_FOREVER);
        if (how == 0) {
            fixture_advance(fixture, LOAD_TIMEOUT_MS);
        } else if (how == 1) {
            fixture_put(fixture, "a", "put");
            fixture_put(fixture, "b", "put");
            fixture_invalidate(fixture, INVALIDATION_ALL, "a");
        } else {
            fixture_invalidate(fixture, INVALIDATION_ALL, "a");
        }
        fixture_expect_get(fixture, "a", SLUICE_TOO_MANY_LOADS, NULL, SLUICE_SOURCE_NONE);
        fixture_expect_get(fixture, "c", SLUICE_TOO_MANY_LOADS, NULL, SLUICE_SOURCE_NONE);
        assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 2);
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "late");
        struct call *c = call_park(fixture, WAY_ASYNC, "c", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, number + 1, ENDING_VALUE, "late");
        gated_loader_end(fixture->loader, number + 2, ENDING_VALUE, "value");
        call_expect(c, SLUICE_OK, "value");
        call_await(a);
        call_await(b);
        fixture_invalidate(fixture, INVALIDATION_ALL, "a");
    }
}

static void rule_8_a_load_that_ended_in_time_does_not_time_out(void **state)
{
    struct fixture *fixture = open_with_deadline(state);

    struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, LOAD_TIMEOUT_MS - 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(call, SLUICE_OK, "value");
    fixture_advance(fixture, LOAD_TIMEOUT_MS * 10);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    assert_int_equal(fixture_stats(fixture).loads_timed_out, 0);
}

static void rule_8_the_deadline_counts_from_the_load_not_from_the_wait(void **state)
{
    struct fixture *fixture = open_with_deadline(state);

    struct call *early = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, LOAD_TIMEOUT_MS - 1);
    struct call *late = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, 1);
    call_expect(early, SLUICE_LOAD_TIMED_OUT, NULL);
    call_expect(late, SLUICE_LOAD_TIMED_OUT, NULL);
}

static void rule_8_a_detached_flight_has_its_deadline_still(void **state)
{
    struct fixture *fixture = open_with_deadline(state);

    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "key", WAY_ASYNC);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    fixture_advance(fixture, LOAD_TIMEOUT_MS / 2);
    struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, LOAD_TIMEOUT_MS / 2);
    crowd_expect(&crowd, SLUICE_LOAD_TIMED_OUT, NULL);
    assert_false(call_done(next));
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(next, SLUICE_OK, "new");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
}

static void rule_8_followers_are_told_while_the_leader_hangs_in_its_loader(void **state)
{
    struct fixture *fixture = open_with_deadline(state);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    struct call *leader = call_start(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_await_calls(fixture->loader, 1);
    struct call *blocking = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    struct call *async = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, LOAD_TIMEOUT_MS);
    call_expect(blocking, SLUICE_LOAD_TIMED_OUT, NULL);
    call_expect(async, SLUICE_LOAD_TIMED_OUT, NULL);
    assert_false(call_done(leader));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    call_expect(leader, SLUICE_LOAD_TIMED_OUT, NULL);
    fixture_expect_absent(fixture, "key");
    assert_int_equal(fixture_stats(fixture).loads_dropped, 1);
}

static void rule_8_two_deadlines_at_one_instant_end_a_wait_once(void **state)
{
    struct fixture *fixture = open_with_deadline(state);

    struct call *calls[WAYS];
    for (int way = 0; way < WAYS; way++)
        calls[way] = call_park(fixture, (enum way)way, "key", LOAD_TIMEOUT_MS);
    fixture_advance(fixture, LOAD_TIMEOUT_MS);
    for (int way = 0; way < WAYS; way++) {
        call_await(calls[way]);
        enum sluice_error error = calls[way]->outcome.error;
        assert_true(error == SLUICE_TIMED_OUT || error == SLUICE_LOAD_TIMED_OUT);
    }
    assert_int_equal(fixture_stats(fixture).waiters, 0);
}

static void rule_8_an_overtaken_load_past_its_deadline_is_counted_once_as_dropped(void **state)
{
    struct fixture *fixture = open_with_deadline(state);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_put(fixture, "key", "put");
    call_expect(call, SLUICE_OK, "put");
    fixture_advance(fixture, LOAD_TIMEOUT_MS);
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
    assert_int_equal(fixture_stats(fixture).loads_dropped, 1);
}

static void rule_8_the_caches_own_timer_keeps_it(void **state)
{
    struct fixture *fixture = *state;
    fixture_use_real_clock(fixture);
    fixture->options.load_timeout_ms = 20;
    fixture_open(fixture);

    struct call *blocking = call_start(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    struct call *async = call_start(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    call_expect(blocking, SLUICE_LOAD_TIMED_OUT, NULL);
    call_expect(async, SLUICE_LOAD_TIMED_OUT, NULL);
    assert_int_equal(fixture_stats(fixture).loads_timed_out, 2);
    assert_int_equal(fixture_stats(fixture).loads_in_flight, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_8_all_who_wait_are_told_and_the_next_get_starts_anew),
        FIXTURE_TEST(rule_8_a_late_result_is_dropped_also_behind_its_successor),
        FIXTURE_TEST(rule_8_the_flight_is_unlinked_before_its_waiters_are_told),
        FIXTURE_TEST(rule_8_a_hung_load_keeps_its_slot_until_it_really_ends),
        FIXTURE_TEST(rule_8_a_load_that_ended_in_time_does_not_time_out),
        FIXTURE_TEST(rule_8_the_deadline_counts_from_the_load_not_from_the_wait),
        FIXTURE_TEST(rule_8_a_detached_flight_has_its_deadline_still),
        FIXTURE_TEST(rule_8_followers_are_told_while_the_leader_hangs_in_its_loader),
        FIXTURE_TEST(rule_8_two_deadlines_at_one_instant_end_a_wait_once),
        FIXTURE_TEST(rule_8_an_overtaken_load_past_its_deadline_is_counted_once_as_dropped),
        FIXTURE_TEST(rule_8_the_caches_own_timer_keeps_it),
    };
    FIXTURE_MAIN(tests);
}
