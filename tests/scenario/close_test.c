/* SPDX-License-Identifier: MIT */
/*
 * close_test.c: on close every parked waiter gets "closed", late completions are harmless, nothing leaks (rule 18).
 * That nothing leaks is seen by the address sanitizer.
 */
#include "crowd.h"
#include "errand.h"

static void rule_18_every_parked_waiter_is_told(void **state)
{
    struct fixture *fixture = *state;
    static const char *const keys[] = {"a", "b", "c"};
    struct crowd crowds[COUNT_OF(keys)];
    fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        crowd_park(fixture, &crowds[i], 6, keys[i], (enum way)(i % WAYS));
    sluice_cache_close(fixture->cache);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        crowd_expect(&crowds[i], SLUICE_CLOSED, NULL);
    assert_int_equal(fixture_stats(fixture).waiters, 0);
    assert_int_equal(fixture_stats(fixture).loads_in_flight, 3);
}

static void rule_18_waiters_of_a_detached_flight_too(void **state)
{
    struct fixture *fixture = *state;
    struct crowd old, new;
    fixture_open(fixture);
    crowd_park(fixture, &old, 4, "key", WAY_ASYNC);
    fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    crowd_park(fixture, &new, 4, "key", WAY_BLOCKING);
    sluice_cache_close(fixture->cache);
    crowd_expect(&old, SLUICE_CLOSED, NULL);
    crowd_expect(&new, SLUICE_CLOSED, NULL);
}

static void rule_18_late_completions_are_dropped_and_counted(void **state)
{
    struct fixture *fixture = *state;
    static const char *const keys[ENDINGS] = {"a", "b", "c", "d", "e", "f"};
    struct call *calls[ENDINGS];
    fixture_open(fixture);
    for (size_t i = 0; i < ENDINGS; i++)
        calls[i] = call_park(fixture, WAY_ASYNC, keys[i], SLUICE_WAIT_FOREVER);
    sluice_cache_close(fixture->cache);
    for (size_t i = 0; i < ENDINGS; i++) {
        call_expect(calls[i], SLUICE_CLOSED, NULL);
        assert_false(gated_loader_wanted(fixture->loader, i));
        gated_loader_end(fixture->loader, i, (enum ending)i, "late");
        assert_int_equal(fixture_stats(fixture).loads_dropped, i + 1);
    }
    assert_int_equal(fixture_stats(fixture).entries, 0);
}

static void rule_18_a_closed_cache_refuses_all_but_looking_and_invalidating(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_content content = {.data = "value", .size = 5, .ttl_ms = SLUICE_TTL_DEFAULT};
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");
    sluice_cache_close(fixture->cache);
    for (int way = 0; way < WAYS; way++) {
        struct call *call = call_start(fixture, (enum way)way, "key", SLUICE_WAIT_FOREVER);
        call_expect(call, SLUICE_CLOSED, NULL);
    }
    assert_int_equal(sluice_get_if_present(fixture->cache, "key", 3, &outcome), SLUICE_CLOSED);
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_CLOSED);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    sluice_cache_close(fixture->cache); /* twice is harmless */
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
    assert_int_equal(fixture_stats(fixture).misses, 3);
}

static void rule_18_a_wait_can_no_longer_be_cancelled_once_it_was_told(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    struct call *told = call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    struct call *left = call_park(fixture, WAY_ASYNC, "b", SLUICE_WAIT_FOREVER);
    assert_true(call_cancel(left));
    sluice_cache_close(fixture->cache);
    assert_false(call_cancel(told));
    assert_false(sluice_wait_cancel(left->wait));
    call_expect(told, SLUICE_CLOSED, NULL);
}

/* ---- destroy ----------------------------------------------------------------------------------------------------- */

/* With everything that a cache can be holding: entries, flights, detached and overtaken ones, cleared entries. */
static void fill(struct fixture *fixture, struct crowd *crowds)
{
    fixture_put(fixture, "cleared", "value");
    crowd_park(fixture, &crowds[0], 3, "detached", WAY_ASYNC);
    fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    fixture_put(fixture, "stored", "value");
    crowd_park(fixture, &crowds[1], 3, "overtaken", WAY_ASYNC);
    fixture_put(fixture, "overtaken", "put");
    crowd_expect(&crowds[1], SLUICE_OK, "put");
    crowd_park(fixture, &crowds[2], 3, "current", WAY_BLOCKING);
}

static void rule_18_destroyed_with_loads_in_flight(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowds[3];
    fixture_open(fixture);
    fill(fixture, crowds);
    struct call *cancelled = call_park(fixture, WAY_ASYNC, "current", SLUICE_WAIT_FOREVER);
    assert_true(call_cancel(cancelled));
    fixture_destroy_cache(fixture);
    crowd_expect(&crowds[0], SLUICE_CLOSED, NULL);
    crowd_expect(&crowds[2], SLUICE_CLOSED, NULL);
    /* The handles of waits and of loads outlive the cache. */
    assert_false(sluice_wait_cancel(cancelled->wait));
    for (size_t number = 0; number < 3; number++) {
        assert_false(gated_loader_wanted(fixture->loader, number));
        gated_loader_end(fixture->loader, number, number == 1 ? ENDING_FAILURE : ENDING_VALUE, "long after");
    }
}

static void rule_18_a_value_outlives_the_cache(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_value *value;
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");
    assert_int_equal(sluice_get(fixture->cache, "key", 3, 0, &value), SLUICE_OK);
    fixture_destroy_cache(fixture);
    assert_string_equal(sluice_value_data(value), "value");
    sluice_value_unref(value);
}

static void rule_18_destroyed_under_its_own_clock(void **state)
{
    struct fixture *fixture = *state;
    fixture_use_real_clock(fixture);
    for (size_t round = 0; round < 20; round++) {
        struct crowd crowd;
        fixture_open(fixture);
        fixture_put(fixture, "stored", "value");
        crowd_park(fixture, &crowd, 4, "key", WAY_BLOCKING);
        fixture_destroy_cache(fixture);
        crowd_expect(&crowd, SLUICE_CLOSED, NULL);
        gated_loader_end(fixture->loader, round, ENDING_VALUE, "late");
    }
}

/* A leader whose loader answers while the cache goes: it gets one or the other, and nothing breaks. */
static void end_last_call(void *arg)
{
    struct fixture *fixture = arg;
    gated_loader_end(fixture->loader, gated_loader_calls_in_all(fixture->loader) - 1, ENDING_VALUE, "value");
}

static void rule_18_destroyed_while_a_load_ends(void **state)
{
    struct fixture *fixture = *state;
    for (size_t round = 0; round < 200; round++) {
        fixture_open(fixture);
        struct call *leader = call_park(fixture, (enum way)(round % WAYS), "key", SLUICE_WAIT_FOREVER);
        struct call *follower = call_park(fixture, (enum way)(round / 2 % WAYS), "key", SLUICE_WAIT_FOREVER);
        struct errand *errand = errand_start(end_last_call, fixture);
        fixture_destroy_cache(fixture);
        call_await(leader);
        call_await(follower);
        assert_true(leader->outcome.error == SLUICE_OK || leader->outcome.error == SLUICE_CLOSED);
        assert_int_equal(leader->outcome.error, follower->outcome.error);
        assert_true(errand_ended(errand));
        errand_join(errand);
    }
}

static void rule_18_null_may_be_destroyed(void **state)
{
    (void)state;
    sluice_cache_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_18_every_parked_waiter_is_told),
        FIXTURE_TEST(rule_18_waiters_of_a_detached_flight_too),
        FIXTURE_TEST(rule_18_late_completions_are_dropped_and_counted),
        FIXTURE_TEST(rule_18_a_closed_cache_refuses_all_but_looking_and_invalidating),
        FIXTURE_TEST(rule_18_a_wait_can_no_longer_be_cancelled_once_it_was_told),
        FIXTURE_TEST(rule_18_destroyed_with_loads_in_flight),
        FIXTURE_TEST(rule_18_a_value_outlives_the_cache),
        FIXTURE_TEST(rule_18_destroyed_under_its_own_clock),
        FIXTURE_TEST(rule_18_destroyed_while_a_load_ends),
        FIXTURE_TEST(rule_18_null_may_be_destroyed),
    };
    FIXTURE_MAIN(tests);
}
