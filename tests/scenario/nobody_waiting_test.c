/* SPDX-License-Identifier: MIT */
/* nobody_waiting_test.c: when the last waiter leaves, the load goes on and is stored, or is cancelled, as an option
 * (rule 9); and a loader is told once of what nobody can be given any more. */
#include "crowd.h"

/* How the last of the waiters leaves. */
enum leaving { LEAVING_CANCEL, LEAVING_DEADLINE };

#define LEAVINGS 2
#define WAIT_MS  10

static void leave(struct fixture *fixture, struct call *call, enum leaving how)
{
    if (how == LEAVING_CANCEL) {
        assert_true(call_cancel(call));
        return;
    }
    fixture_advance(fixture, WAIT_MS);
    call_expect(call, SLUICE_TIMED_OUT, NULL);
}

static struct fixture *open_cancelling(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.cancel_unwanted_loads = true;
    fixture_open(fixture);
    return fixture;
}

static void rule_9_by_default_the_load_goes_on_and_is_stored(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int how = 0; how < LEAVINGS; how++) {
        size_t number = (size_t)how;
        struct call *call = call_park(fixture, WAY_ASYNC, "key", WAIT_MS);
        leave(fixture, call, (enum leaving)how);
        assert_true(gated_loader_wanted(fixture->loader, number));
        struct call *joined = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        assert_int_equal(fixture_stats(fixture).loads, number + 1);
        assert_true(call_cancel(joined));
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "value");
        fixture_expect_present(fixture, "key", SLUICE_OK, "value");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
    assert_int_equal(gated_loader_unwanted(fixture->loader), 0);
}

/* Unlinked first: nobody can join a cancelled load. */
static void rule_9_a_cancelled_load_is_unlinked_told_and_dropped(void **state)
{
    struct fixture *fixture = open_cancelling(state);

    for (int how = 0; how < LEAVINGS; how++)
        for (int ending = 0; ending < ENDINGS; ending++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            struct sluice_stats before = fixture_stats(fixture);
            struct call *first = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
            struct call *last = call_park(fixture, WAY_ASYNC, "key", WAIT_MS);
            assert_true(call_cancel(first));
            assert_true(gated_loader_wanted(fixture->loader, number));
            leave(fixture, last, (enum leaving)how);
            assert_false(gated_loader_wanted(fixture->loader, number));

            struct call *next = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
            assert_int_equal(fixture_stats(fixture).loads - before.loads, 2);
            gated_loader_end(fixture->loader, number, (enum ending)ending, "cancelled");
            assert_false(call_done(next));
            gated_loader_end(fixture->loader, number + 1, ENDING_VALUE, "value");
            call_expect(next, SLUICE_OK, "value");
            fixture_expect_present(fixture, "key", SLUICE_OK, "value");
            assert_int_equal(fixture_stats(fixture).loads_dropped - before.loads_dropped, 1);
            fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        }
    assert_int_equal(gated_loader_unwanted(fixture->loader), LEAVINGS * ENDINGS);
}

static void rule_9_a_blocking_get_leaves_like_any_other(void **state)
{
    struct fixture *fixture = open_cancelling(state);

    struct call *call = call_park(fixture, WAY_BLOCKING, "key", WAIT_MS);
    AWAIT(sluice_cache_tick(fixture->cache) != SLUICE_NEVER); /* its time counts from the loader's return */
    fixture_advance(fixture, WAIT_MS);
    call_expect(call, SLUICE_TIMED_OUT, NULL);
    assert_false(gated_loader_wanted(fixture->loader, 0));
    fixture_expect_get(fixture, "key", SLUICE_TIMED_OUT, NULL, SLUICE_SOURCE_LOAD); /* does not wait: leaves at once */
    assert_int_equal(gated_loader_unwanted(fixture->loader), 2);
}

static void rule_9_a_load_in_the_background_waits_for_nobody(void **state)
{
    struct fixture *fixture = open_cancelling(state);

    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_true(call_cancel(call));
    assert_true(gated_loader_wanted(fixture->loader, 0));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
}

static void rule_9_a_cancelled_reload_leaves_the_old_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.cancel_unwanted_loads = true;
    fixture->options.expire_after_write_ms = 100;
    fixture->options.stale_if_error_ms = 1000;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, 100);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_true(call_cancel(call));
    assert_false(gated_loader_wanted(fixture->loader, 0));
    struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, "why");
    call_expect_stale(next, "old", "why");
}

/* ---- what a loader is told --------------------------------------------------------------------------------------- */

static void a_loader_is_told_once_whatever_makes_its_load_unwanted(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.load_timeout_ms = 1000;
    fixture_open(fixture);

    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "put", WAY_ASYNC);
    fixture_put(fixture, "put", "value");
    crowd_expect(&crowd, SLUICE_OK, "value");
    assert_int_equal(gated_loader_unwanted(fixture->loader), 1);

    struct call *first = call_park(fixture, WAY_ASYNC, "invalidated", SLUICE_WAIT_FOREVER);
    struct call *second = call_park(fixture, WAY_ASYNC, "invalidated", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_KEY, "invalidated");
    assert_int_equal(gated_loader_unwanted(fixture->loader), 1); /* two wait for it */
    assert_true(gated_loader_wanted(fixture->loader, 1));
    assert_true(call_cancel(first));
    assert_true(call_cancel(second));
    assert_int_equal(gated_loader_unwanted(fixture->loader), 2);
    assert_false(gated_loader_wanted(fixture->loader, 1));

    assert_int_equal(sluice_refresh(fixture->cache, "nobody's", 8), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 3);
    fixture_invalidate(fixture, INVALIDATION_ALL, "nobody's");
    assert_int_equal(gated_loader_unwanted(fixture->loader), 3);

    crowd_park(fixture, &crowd, 2, "late", WAY_ASYNC);
    fixture_advance(fixture, 1000);
    crowd_expect(&crowd, SLUICE_LOAD_TIMED_OUT, NULL);
    assert_int_equal(gated_loader_unwanted(fixture->loader), 4);

    crowd_park(fixture, &crowd, 2, "closed", WAY_ASYNC);
    sluice_cache_close(fixture->cache);
    crowd_expect(&crowd, SLUICE_CLOSED, NULL);
    assert_int_equal(gated_loader_unwanted(fixture->loader), 5);
    sluice_cache_close(fixture->cache);
    for (size_t number = 0; number < 5; number++)
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "dropped");
    assert_int_equal(gated_loader_unwanted(fixture->loader), 5);
    assert_int_equal(fixture_stats(fixture).loads_dropped, 5);
}

static void a_loader_is_not_told_of_a_load_that_it_ended(void **state)
{
    struct fixture *fixture = open_cancelling(state);

    for (int ending = 0; ending < ENDINGS; ending++) {
        struct crowd crowd;
        crowd_park(fixture, &crowd, 2, "key", WAY_BLOCKING);
        gated_loader_end(fixture->loader, (size_t)ending, (enum ending)ending, "text");
        crowd_expect(&crowd, ending_error((enum ending)ending), ending_text((enum ending)ending, "text"));
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
    assert_int_equal(gated_loader_unwanted(fixture->loader), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_9_by_default_the_load_goes_on_and_is_stored),
        FIXTURE_TEST(rule_9_a_cancelled_load_is_unlinked_told_and_dropped),
        FIXTURE_TEST(rule_9_a_blocking_get_leaves_like_any_other),
        FIXTURE_TEST(rule_9_a_load_in_the_background_waits_for_nobody),
        FIXTURE_TEST(rule_9_a_cancelled_reload_leaves_the_old_value),
        FIXTURE_TEST(a_loader_is_told_once_whatever_makes_its_load_unwanted),
        FIXTURE_TEST(a_loader_is_not_told_of_a_load_that_it_ended),
    };
    FIXTURE_MAIN(tests);
}
