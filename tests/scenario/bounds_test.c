/* SPDX-License-Identifier: MIT */
/*
 * bounds_test.c: everything that a caller can fill is bounded, and over the bound the call is refused at once with its
 * own error (rule 10). The maximum of what is stored: eviction_test.c. Keys: keys_test.c.
 */
#include "crowd.h"

/* A get that is refused at once, in both ways, without its loader being called; nobody else notices. */
static void expect_refused(struct fixture *fixture, const char *key, enum sluice_error error)
{
    struct sluice_stats before = fixture_stats(fixture);
    for (int way = 0; way < WAYS; way++) {
        struct call *call = call_start(fixture, (enum way)way, key, SLUICE_WAIT_FOREVER);
        call_expect(call, error, NULL);
        assert_int_equal(call->outcome.source, SLUICE_SOURCE_NONE);
        assert_true(way == WAY_BLOCKING || call->at_once);
    }
    struct sluice_stats after = fixture_stats(fixture);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), before.loads);
    assert_int_equal(after.misses, before.misses + WAYS);
    assert_int_equal(after.refused, before.refused + WAYS);
    assert_int_equal(after.coalesced, before.coalesced);
    assert_int_equal(after.waiters, before.waiters);
}

static void rule_10_waiters_of_one_key(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    fixture->options.waiters_per_key_max = 4;
    fixture_open(fixture);
    crowd_park(fixture, &crowd, 4, "key", WAY_BLOCKING);
    expect_refused(fixture, "key", SLUICE_TOO_MANY_WAITERS);
    /* Other keys have room of their own. */
    struct call *other = call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);

    /* Whoever leaves makes room for one. */
    assert_true(call_cancel(crowd.calls[1]));
    crowd.calls[1] = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    expect_refused(fixture, "key", SLUICE_TOO_MANY_WAITERS);

    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    crowd_expect(&crowd, SLUICE_OK, "value");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "other");
    call_expect(other, SLUICE_OK, "other");
}

static void rule_10_a_detached_flight_keeps_its_waiters_and_the_next_has_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct crowd old, new;
    fixture->options.waiters_per_key_max = 2;
    fixture_open(fixture);
    crowd_park(fixture, &old, 2, "key", WAY_ASYNC);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    crowd_park(fixture, &new, 2, "key", WAY_ASYNC);
    expect_refused(fixture, "key", SLUICE_TOO_MANY_WAITERS);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    crowd_expect(&old, SLUICE_OK, "old");
    expect_refused(fixture, "key", SLUICE_TOO_MANY_WAITERS);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    crowd_expect(&new, SLUICE_OK, "new");
}

static void rule_10_waiters_in_all(void **state)
{
    struct fixture *fixture = *state;
    static const char *const keys[] = {"a", "b", "c", "d", "e"};
    struct call *calls[COUNT_OF(keys)];
    fixture->options.waiters_max = COUNT_OF(keys);
    fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        calls[i] = call_park(fixture, (enum way)(i % WAYS), keys[i], SLUICE_WAIT_FOREVER);
    expect_refused(fixture, "a", SLUICE_TOO_MANY_WAITERS);
    expect_refused(fixture, "f", SLUICE_TOO_MANY_WAITERS);
    fixture_put(fixture, "g", "stored"); /* a hit does not wait */
    fixture_expect_get(fixture, "g", SLUICE_OK, "stored", SLUICE_SOURCE_HIT);

    /* The places of those who were waiting are free again, whatever became of them. */
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    call_expect(calls[0], SLUICE_LOAD_FAILED, "why");
    calls[0] = call_park(fixture, WAY_ASYNC, "f", SLUICE_WAIT_FOREVER);
    expect_refused(fixture, "h", SLUICE_TOO_MANY_WAITERS);
    assert_true(call_cancel(calls[1]));
    calls[1] = call_park(fixture, WAY_ASYNC, "h", 50);
    expect_refused(fixture, "i", SLUICE_TOO_MANY_WAITERS);
    fixture_advance(fixture, 50);
    call_expect(calls[1], SLUICE_TIMED_OUT, NULL);
    calls[1] = call_park(fixture, WAY_BLOCKING, "h", SLUICE_WAIT_FOREVER);
    expect_refused(fixture, "i", SLUICE_TOO_MANY_WAITERS);
    fixture_put(fixture, "h", "put");
    call_expect(calls[1], SLUICE_OK, "put");
    call_park(fixture, WAY_ASYNC, "i", SLUICE_WAIT_FOREVER);
}

static void rule_10_who_is_refused_takes_no_place(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.waiters_max = 3;
    fixture->options.waiters_per_key_max = 2;
    fixture->options.loads_max = 2;
    fixture_open(fixture);
    call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    struct call *second = call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    for (size_t i = 0; i < 3; i++)
        expect_refused(fixture, "a", SLUICE_TOO_MANY_WAITERS);
    call_expect(call_start(fixture, WAY_ASYNC, "a", 0), SLUICE_TIMED_OUT, NULL);
    struct call *third = call_park(fixture, WAY_ASYNC, "b", SLUICE_WAIT_FOREVER);
    assert_true(call_cancel(second));
    for (size_t i = 0; i < 3; i++)
        expect_refused(fixture, "c", SLUICE_TOO_MANY_LOADS);
    assert_true(call_cancel(third));
    call_park(fixture, WAY_BLOCKING, "a", SLUICE_WAIT_FOREVER);
    call_park(fixture, WAY_ASYNC, "b", SLUICE_WAIT_FOREVER);
    expect_refused(fixture, "b", SLUICE_TOO_MANY_WAITERS); /* now they are three */
}

static void rule_10_loads_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loads_max = 2;
    fixture_open(fixture);
    struct call *a = call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    struct call *b = call_park(fixture, WAY_BLOCKING, "b", SLUICE_WAIT_FOREVER);
    expect_refused(fixture, "c", SLUICE_TOO_MANY_LOADS);
    struct call *joins = call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER); /* takes no load */
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    call_expect(a, SLUICE_NOT_FOUND, NULL);
    call_expect(joins, SLUICE_NOT_FOUND, NULL);
    struct call *c = call_park(fixture, WAY_ASYNC, "c", SLUICE_WAIT_FOREVER);
    expect_refused(fixture, "d", SLUICE_TOO_MANY_LOADS);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "b");
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "c");
    call_expect(b, SLUICE_OK, "b");
    call_expect(c, SLUICE_OK, "c");
    assert_int_equal(fixture_stats(fixture).loads, 3);
}

/* What nobody waits for any more still burdens the backend (rule 8). */
static void rule_10_a_load_counts_until_the_backend_call_has_ended(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loads_max = 1;
    fixture->options.load_timeout_ms = 100;
    fixture_open(fixture);

    struct call *put = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_put(fixture, "key", "put");
    call_expect(put, SLUICE_OK, "put");
    expect_refused(fixture, "other", SLUICE_TOO_MANY_LOADS);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");

    struct call *detached = call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_ALL, "other");
    expect_refused(fixture, "other", SLUICE_TOO_MANY_LOADS);
    fixture_advance(fixture, 100);
    call_expect(detached, SLUICE_LOAD_TIMED_OUT, NULL);
    expect_refused(fixture, "other", SLUICE_TOO_MANY_LOADS);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "late");

    struct call *cancelled = call_park(fixture, WAY_ASYNC, "third", SLUICE_WAIT_FOREVER);
    assert_true(call_cancel(cancelled));
    expect_refused(fixture, "other", SLUICE_TOO_MANY_LOADS);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "stored");
    fixture_expect_present(fixture, "third", SLUICE_OK, "stored");
    call_park(fixture, WAY_BLOCKING, "other", SLUICE_WAIT_FOREVER);
}

static void rule_10_the_size_of_a_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.value_size_max = 8;
    fixture_open(fixture);
    fixture_put(fixture, "put", "12345678");
    const struct sluice_content nine = {.data = "123456789", .size = 9, .ttl_ms = SLUICE_TTL_DEFAULT};
    assert_int_equal(sluice_put(fixture->cache, "put", 3, &nine), SLUICE_VALUE_TOO_LARGE);
    fixture_expect_present(fixture, "put", SLUICE_OK, "12345678");

    struct crowd crowd;
    crowd_park(fixture, &crowd, 3, "load", WAY_BLOCKING);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "123456789");
    for (size_t i = 0; i < crowd.count; i++) {
        call_await(crowd.calls[i]);
        assert_int_equal(crowd.calls[i]->outcome.error, SLUICE_VALUE_TOO_LARGE);
        assert_null(crowd.calls[i]->outcome.value);
    }
    fixture_expect_absent(fixture, "load");
    assert_int_equal(fixture_stats(fixture).loads_failed, 1);

    struct call *fits = call_park(fixture, WAY_ASYNC, "load", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "12345678");
    call_expect(fits, SLUICE_OK, "12345678");
}

static void rule_10_a_put_into_a_flight_that_is_too_large_leaves_the_flight_alone(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.value_size_max = 8;
    fixture_open(fixture);
    struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    const struct sluice_content nine = {.data = "123456789", .size = 9, .ttl_ms = SLUICE_TTL_DEFAULT};
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &nine), SLUICE_VALUE_TOO_LARGE);
    assert_false(call_done(call));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "loaded");
    call_expect(call, SLUICE_OK, "loaded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_10_waiters_of_one_key),
        FIXTURE_TEST(rule_10_a_detached_flight_keeps_its_waiters_and_the_next_has_its_own),
        FIXTURE_TEST(rule_10_waiters_in_all),
        FIXTURE_TEST(rule_10_who_is_refused_takes_no_place),
        FIXTURE_TEST(rule_10_loads_at_once),
        FIXTURE_TEST(rule_10_a_load_counts_until_the_backend_call_has_ended),
        FIXTURE_TEST(rule_10_the_size_of_a_value),
        FIXTURE_TEST(rule_10_a_put_into_a_flight_that_is_too_large_leaves_the_flight_alone),
    };
    FIXTURE_MAIN(tests);
}
