/* SPDX-License-Identifier: MIT */
/*
 * parking_test.c: `parking` of an asynchronous get is called before its callback can run, with no lock held, and may
 * call the cache (rule 19); whatever happens meanwhile, the get is answered as one that came after it.
 */
#include "call.h"
#include "errand.h"

/* An asynchronous get whose `parking` does something. */
struct parked {
    struct fixture *fixture;
    void (*meanwhile)(struct parked *parked); /* called by `parking`; NULL: nothing */
    struct call *inner;
    unsigned parkings, callbacks;
    bool parked_first;
    bool came_through;
    struct sluice_outcome outcome; /* what it was told, at once or through its callback */
    enum sluice_error returned;
};

static void parking(void *arg)
{
    struct parked *parked = arg;
    parked->parkings++;
    if (parked->meanwhile != NULL)
        parked->meanwhile(parked);
}

static void callback(void *arg, const struct sluice_outcome *outcome)
{
    struct parked *parked = arg;
    parked->callbacks++;
    parked->parked_first = parked->parkings == 1;
    parked->outcome = *outcome;
    if (outcome->value != NULL)
        sluice_value_ref(outcome->value);
}

static void get(struct parked *parked)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_async_get get = {.key = "key",
                                   .key_size = 3,
                                   .timeout_ms = SLUICE_WAIT_FOREVER,
                                   .callback = callback,
                                   .parking = parking,
                                   .arg = parked};
    parked->returned = sluice_get_async(parked->fixture->cache, &get, &outcome, NULL);
    if (parked->returned != SLUICE_PARKED)
        parked->outcome = outcome;
}

static void expect(struct parked *parked, enum sluice_error error, const char *text, enum sluice_source source)
{
    fixture_expect_outcome(&parked->outcome, error, text);
    assert_int_equal(parked->outcome.source, source);
    sluice_outcome_fini(&parked->outcome);
    assert_int_equal(parked->callbacks, parked->returned == SLUICE_PARKED);
}

static void rule_19_parking_runs_before_the_callback(void **state)
{
    struct fixture *fixture = *state;
    struct parked parked = {.fixture = fixture};
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER); /* the earliest that a callback can run */
    get(&parked);
    assert_int_equal(parked.returned, SLUICE_PARKED);
    assert_true(parked.parked_first);
    expect(&parked, SLUICE_OK, "key#1", SLUICE_SOURCE_LOAD);
}

static void rule_19_parking_does_not_run_for_a_hit(void **state)
{
    struct fixture *fixture = *state;
    struct parked parked = {.fixture = fixture};
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");
    get(&parked);
    assert_int_equal(parked.parkings, 0);
    expect(&parked, SLUICE_OK, "value", SLUICE_SOURCE_HIT);
}

static void put_meanwhile(struct parked *parked)
{
    fixture_put(parked->fixture, "key", "put");
}

static void rule_19_a_put_while_parking_is_a_hit(void **state)
{
    struct fixture *fixture = *state;
    struct parked parked = {.fixture = fixture, .meanwhile = put_meanwhile};
    fixture_open(fixture);
    get(&parked);
    assert_int_equal(parked.returned, SLUICE_OK);
    expect(&parked, SLUICE_OK, "put", SLUICE_SOURCE_HIT);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
    assert_int_equal(fixture_stats(fixture).hits, 1);
    assert_int_equal(fixture_stats(fixture).misses, 0);
}

static void get_meanwhile(struct parked *parked)
{
    parked->inner = call_start(parked->fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
}

static void rule_19_a_get_while_parking_leads_and_is_joined(void **state)
{
    struct fixture *fixture = *state;
    struct parked parked = {.fixture = fixture, .meanwhile = get_meanwhile};
    fixture_open(fixture);
    get(&parked);
    assert_int_equal(parked.returned, SLUICE_PARKED);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(parked.inner, SLUICE_OK, "value");
    assert_int_equal(parked.inner->outcome.source, SLUICE_SOURCE_LOAD);
    expect(&parked, SLUICE_OK, "value", SLUICE_SOURCE_COALESCED);
}

static void invalidate_meanwhile(struct parked *parked)
{
    fixture_invalidate(parked->fixture, INVALIDATION_ALL, "key");
}

static void rule_19_an_invalidation_while_parking_leaves_no_flight_to_join(void **state)
{
    struct fixture *fixture = *state;
    struct parked parked = {.fixture = fixture, .meanwhile = invalidate_meanwhile};
    fixture_open(fixture);
    struct call *old = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    get(&parked);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    expect(&parked, SLUICE_OK, "new", SLUICE_SOURCE_LOAD);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    call_expect(old, SLUICE_OK, "old");
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
}

static void close_meanwhile(struct parked *parked)
{
    sluice_cache_close(parked->fixture->cache);
}

static void rule_19_a_close_while_parking_refuses(void **state)
{
    struct fixture *fixture = *state;
    struct parked parked = {.fixture = fixture, .meanwhile = close_meanwhile};
    fixture_open(fixture);
    get(&parked);
    assert_int_equal(parked.returned, SLUICE_CLOSED);
    expect(&parked, SLUICE_CLOSED, NULL, SLUICE_SOURCE_NONE);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
}

static void invalidate_all(void *arg)
{
    struct fixture *fixture = arg;
    sluice_invalidate_all(fixture->cache, NULL);
}

static void go_through_every_shard(struct parked *parked)
{
    parked->came_through = errand_run_elsewhere(invalidate_all, parked->fixture);
}

static void rule_19_parking_runs_with_no_lock_held(void **state)
{
    struct fixture *fixture = *state;
    struct parked parked = {.fixture = fixture, .meanwhile = go_through_every_shard};
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);
    get(&parked);
    assert_true(parked.came_through);
    expect(&parked, SLUICE_OK, "key#1", SLUICE_SOURCE_LOAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_19_parking_runs_before_the_callback),
        FIXTURE_TEST(rule_19_parking_does_not_run_for_a_hit),
        FIXTURE_TEST(rule_19_a_put_while_parking_is_a_hit),
        FIXTURE_TEST(rule_19_a_get_while_parking_leads_and_is_joined),
        FIXTURE_TEST(rule_19_an_invalidation_while_parking_leaves_no_flight_to_join),
        FIXTURE_TEST(rule_19_a_close_while_parking_refuses),
        FIXTURE_TEST(rule_19_parking_runs_with_no_lock_held),
    };
    FIXTURE_MAIN(tests);
}
