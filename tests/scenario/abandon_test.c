/* SPDX-License-Identifier: MIT */
/* abandon_test.c: giving up on a load in flight that does not end: its waiters fail, or wait for another one. */
#include "bulk_call.h"
#include "crowd.h"

static bool abandon(struct fixture *fixture, const char *key)
{
    return sluice_load_abandon(fixture->cache, key, strlen(key));
}

static enum sluice_error restart(struct fixture *fixture, const char *key)
{
    return sluice_load_restart(fixture->cache, key, strlen(key));
}

static void rule_5_the_waiters_of_an_abandoned_load_share_its_failure(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    assert_false(abandon(fixture, "key"));
    for (int ending = 0; ending < ENDINGS; ending++) {
        size_t base = 2 * (size_t)ending;
        struct crowd crowd;
        crowd_park(fixture, &crowd, 3, "key", WAY_BLOCKING);
        assert_true(abandon(fixture, "key"));
        crowd_expect(&crowd, SLUICE_LOAD_FAILED, "the load was abandoned");
        assert_false(abandon(fixture, "key"));
        assert_false(gated_loader_wanted(fixture->loader, base));
        assert_int_equal(gated_loader_unwanted(fixture->loader), ending + 1);
        struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, base, (enum ending)ending, "late");
        assert_false(call_done(next));
        gated_loader_end(fixture->loader, base + 1, ENDING_VALUE, "next");
        call_expect(next, SLUICE_OK, "next");
        fixture_expect_present(fixture, "key", SLUICE_OK, "next");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
    assert_int_equal(fixture_stats(fixture).loads_dropped, ENDINGS);
}

static void rule_11_an_abandoned_reload_keeps_the_old_value(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "key", "old");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    assert_true(abandon(fixture, "key"));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "old");
}

static void rule_8_the_waiters_of_a_restarted_load_are_served_by_another(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    assert_int_equal(restart(fixture, "key"), SLUICE_NOT_CACHED);
    for (int late_first = 0; late_first <= 1; late_first++) {
        size_t base = 2 * (size_t)late_first;
        struct crowd before, after;
        crowd_park(fixture, &before, 4, "key", late_first ? WAY_ASYNC : WAY_BLOCKING);
        assert_int_equal(restart(fixture, "key"), SLUICE_OK);
        gated_loader_await_calls(fixture->loader, base + 2);
        assert_false(gated_loader_wanted(fixture->loader, base));
        crowd_park(fixture, &after, 2, "key", WAY_BLOCKING);
        if (late_first)
            gated_loader_end(fixture->loader, base, ENDING_VALUE, "late");
        assert_true(crowd_all_parked(&before));
        gated_loader_end(fixture->loader, base + 1, ENDING_VALUE, "new");
        crowd_expect(&before, SLUICE_OK, "new");
        crowd_expect(&after, SLUICE_OK, "new");
        fixture_expect_present(fixture, "key", SLUICE_OK, "new");
        if (!late_first)
            gated_loader_end(fixture->loader, base, ENDING_VALUE, "late");
        fixture_expect_present(fixture, "key", SLUICE_OK, "new");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
    struct sluice_stats stats = fixture_stats(fixture);
    assert_int_equal(stats.loads, 4);
    assert_int_equal(stats.loads_dropped, 2);
}

static void rule_21_those_who_were_moved_are_served_before_those_who_came_later(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    struct call *first = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(restart(fixture, "key"), SLUICE_OK);
    struct call *second = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(first, SLUICE_OK, "new");
    call_expect(second, SLUICE_OK, "new");
    assert_true(first->arrival < second->arrival);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
}

static void rule_7_those_who_were_moved_may_leave_and_keep_their_deadlines(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.load_timeout_ms = 100;
    fixture_open(fixture);

    struct call *cancelled = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    struct call *async = call_park(fixture, WAY_ASYNC, "key", 50);
    struct call *blocking = call_park(fixture, WAY_BLOCKING, "key", 70);
    struct call *stays = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, 40);
    assert_int_equal(restart(fixture, "key"), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 2);
    assert_true(call_cancel(cancelled));
    fixture_advance(fixture, 10);
    call_expect(async, SLUICE_TIMED_OUT, NULL);
    fixture_advance(fixture, 20);
    call_expect(blocking, SLUICE_TIMED_OUT, NULL);
    fixture_advance(fixture, 30); /* when the first load's time would have been over */
    assert_false(call_done(stays));
    fixture_advance(fixture, 40);
    call_expect(stays, SLUICE_LOAD_TIMED_OUT, NULL);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "late");
    assert_int_equal(fixture_stats(fixture).loads_timed_out, 1);
}

static void a_leader_inside_its_loader_waits_on_when_that_returns(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    struct call *leader = call_start(fixture, WAY_BLOCKING, "key", 50);
    gated_loader_await_calls(fixture->loader, 1);
    assert_int_equal(restart(fixture, "key"), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 2);
    gated_loader_let_return(fixture->loader, 0);
    AWAIT(sluice_cache_tick(fixture->cache) == 50);
    fixture_advance(fixture, 49);
    assert_false(call_done(leader));
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(leader, SLUICE_OK, "new");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
}

static void rule_17_those_on_behalf_of_a_load_are_told_that_it_failed(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *parent = call_park(fixture, WAY_ASYNC, "parent", SLUICE_WAIT_FOREVER);
    struct call *plain = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    struct call *child = call_start_spec(fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                                      .key = "key",
                                                                      .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                      .parent = gated_loader_load(fixture->loader, 0)});
    assert_false(call_done(child));
    assert_int_equal(restart(fixture, "key"), SLUICE_OK);
    call_expect(child, SLUICE_LOAD_FAILED, NULL);
    gated_loader_await_calls(fixture->loader, 3);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "new");
    call_expect(plain, SLUICE_OK, "new");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "parent");
    call_expect(parent, SLUICE_OK, "parent");
}

static void rule_10_a_restart_over_the_bound_detaches_only(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loads_max = 1;
    fixture_open(fixture);

    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "key", WAY_BLOCKING);
    assert_int_equal(restart(fixture, "key"), SLUICE_TOO_MANY_LOADS);
    assert_true(crowd_all_parked(&crowd));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "served");
    crowd_expect(&crowd, SLUICE_OK, "served");
    fixture_expect_absent(fixture, "key");
}

static void a_bulk_get_is_moved_like_any_other(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture_open(fixture);

    for (int way = 0; way < WAYS; way++) {
        size_t base = 3 * (size_t)way;
        struct bulk_call *bulk = bulk_park(fixture, (enum way)way, "a b", 2);
        gated_loader_await_calls(fixture->loader, base + 2);
        assert_int_equal(restart(fixture, "a"), SLUICE_OK);
        gated_loader_await_calls(fixture->loader, base + 3);
        gated_loader_end(fixture->loader, base + 1, ENDING_VALUE, "B");
        gated_loader_end(fixture->loader, base + 2, ENDING_VALUE, "new");
        bulk_expect(bulk, 0, SLUICE_OK, "new");
        bulk_expect(bulk, 1, SLUICE_OK, "B");
        bulk_free(bulk);
        gated_loader_end(fixture->loader, base, ENDING_VALUE, "late");
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

static void a_reload_is_restarted_and_the_old_value_given(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "key", "old");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    assert_int_equal(restart(fixture, "key"), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 2);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "old");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_5_the_waiters_of_an_abandoned_load_share_its_failure),
        FIXTURE_TEST(rule_11_an_abandoned_reload_keeps_the_old_value),
        FIXTURE_TEST(rule_8_the_waiters_of_a_restarted_load_are_served_by_another),
        FIXTURE_TEST(rule_21_those_who_were_moved_are_served_before_those_who_came_later),
        FIXTURE_TEST(rule_7_those_who_were_moved_may_leave_and_keep_their_deadlines),
        FIXTURE_TEST(a_leader_inside_its_loader_waits_on_when_that_returns),
        FIXTURE_TEST(rule_17_those_on_behalf_of_a_load_are_told_that_it_failed),
        FIXTURE_TEST(rule_10_a_restart_over_the_bound_detaches_only),
        FIXTURE_TEST(a_bulk_get_is_moved_like_any_other),
        FIXTURE_TEST(a_reload_is_restarted_and_the_old_value_given),
    };
    FIXTURE_MAIN(tests);
}
