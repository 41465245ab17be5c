/* SPDX-License-Identifier: MIT */
/* change_test.c: puts on a condition, and computations of a key from what is stored. */
#include "crowd.h"
#include "errand.h"

#include <stdlib.h>

/* ---- on a condition ---------------------------------------------------------------------------------------------- */

static enum sluice_error put_if(struct fixture *fixture, enum sluice_condition condition, const char *text,
                                const struct sluice_value *expected, struct sluice_outcome *present)
{
    const struct sluice_content content = fixture_content(text);
    return sluice_put_if(fixture->cache, "key", 3, &content, condition, expected, present);
}

static void a_put_if_absent_leaves_what_is_there(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_outcome present;
    fixture->options.expire_after_write_ms = 100;
    fixture_open(fixture);

    assert_int_equal(put_if(fixture, SLUICE_IF_ABSENT, "first", NULL, &present), SLUICE_OK);
    assert_int_equal(put_if(fixture, SLUICE_IF_ABSENT, "second", NULL, &present), SLUICE_UNCHANGED);
    fixture_expect_outcome(&present, SLUICE_OK, "first");
    sluice_outcome_fini(&present);
    assert_int_equal(put_if(fixture, SLUICE_IF_ABSENT, "second", NULL, NULL), SLUICE_UNCHANGED);
    fixture_expect_present(fixture, "key", SLUICE_OK, "first");
    fixture_advance(fixture, 100);
    assert_int_equal(put_if(fixture, SLUICE_IF_ABSENT, "third", NULL, NULL), SLUICE_OK);
    fixture_expect_present(fixture, "key", SLUICE_OK, "third");
    assert_int_equal(fixture_stats(fixture).puts, 2);
    assert_int_equal(fixture_stats(fixture).gets, 2); /* the two looks of this test */
}

static void a_put_if_present_needs_something_there(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_outcome present;
    fixture->options.not_found_ttl_ms = 100;
    fixture_open(fixture);

    assert_int_equal(put_if(fixture, SLUICE_IF_PRESENT, "first", NULL, &present), SLUICE_UNCHANGED);
    assert_int_equal(present.error, SLUICE_NOT_CACHED);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(put_if(fixture, SLUICE_IF_PRESENT, "first", NULL, &present), SLUICE_UNCHANGED);
    assert_false(call_done(call));
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    call_expect(call, SLUICE_NOT_FOUND, NULL);
    assert_int_equal(put_if(fixture, SLUICE_IF_PRESENT, "first", NULL, &present), SLUICE_UNCHANGED);
    assert_int_equal(present.error, SLUICE_NOT_FOUND);
    fixture_put(fixture, "key", "value");
    assert_int_equal(put_if(fixture, SLUICE_IF_PRESENT, "second", NULL, NULL), SLUICE_OK);
    fixture_expect_present(fixture, "key", SLUICE_OK, "second");
}

static void a_put_if_same_compares_and_swaps(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_value *seen;
    fixture_open(fixture);

    fixture_put(fixture, "key", "first");
    assert_int_equal(sluice_get(fixture->cache, "key", 3, 0, &seen), SLUICE_OK);
    fixture_put(fixture, "key", "first"); /* equal, and another one */
    assert_int_equal(put_if(fixture, SLUICE_IF_SAME, "second", seen, NULL), SLUICE_UNCHANGED);
    sluice_value_unref(seen);
    assert_int_equal(sluice_get(fixture->cache, "key", 3, 0, &seen), SLUICE_OK);
    assert_int_equal(put_if(fixture, SLUICE_IF_SAME, "second", seen, NULL), SLUICE_OK);
    sluice_value_unref(seen);
    fixture_expect_present(fixture, "key", SLUICE_OK, "second");
}

static void rule_4_a_put_if_absent_overtakes_a_load(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "key", WAY_BLOCKING);
    assert_int_equal(put_if(fixture, SLUICE_IF_ABSENT, "put", NULL, NULL), SLUICE_OK);
    crowd_expect(&crowd, SLUICE_OK, "put");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
}

/* ---- computations ------------------------------------------------------------------------------------------------ */

/* A computation on a thread of its own, which a gated loader holds. */
struct computation {
    struct fixture *fixture;
    struct gated_loader *gate;
    int64_t timeout_ms;
    struct sluice_outcome outcome;
    struct errand *errand;
};

static void run_compute(void *arg)
{
    struct computation *one = arg;
    const struct sluice_loader loader = gated_loader_option(one->gate);
    if (sluice_compute(one->fixture->cache, "key", 3, &loader, one->timeout_ms, &one->outcome) != one->outcome.error)
        abort();
}

static void compute_start(struct fixture *fixture, struct computation *one, int64_t timeout_ms)
{
    *one = (struct computation){.fixture = fixture, .gate = gated_loader_create(), .timeout_ms = timeout_ms};
    one->errand = errand_start(run_compute, one);
}

static void compute_expect(struct computation *one, enum sluice_error error, const char *text)
{
    assert_true(errand_ended(one->errand));
    errand_join(one->errand);
    fixture_expect_outcome(&one->outcome, error, text);
    sluice_outcome_fini(&one->outcome);
    gated_loader_destroy(one->gate);
}

static void a_computation_begins_from_what_is_stored(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture_open(fixture);

    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    assert_null(gated_loader_old_value(one.gate, 0));
    gated_loader_end(one.gate, 0, ENDING_VALUE, "first");
    compute_expect(&one, SLUICE_OK, "first");
    fixture_expect_present(fixture, "key", SLUICE_OK, "first");

    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    assert_string_equal(sluice_value_data(gated_loader_old_value(one.gate, 0)), "first");
    fixture_expect_present(fixture, "key", SLUICE_OK, "first"); /* given meanwhile */
    gated_loader_end(one.gate, 0, ENDING_VALUE, "second");
    compute_expect(&one, SLUICE_OK, "second");
    fixture_expect_present(fixture, "key", SLUICE_OK, "second");

    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    gated_loader_end(one.gate, 0, ENDING_NOT_FOUND, NULL);
    compute_expect(&one, SLUICE_NOT_FOUND, NULL);
    fixture_expect_absent(fixture, "key");
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
}

static void a_computation_that_fails_leaves_all_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture->options.failure_backoff_ms = 1000;
    fixture->options.refresh_after_write_ms = 10;
    fixture_open(fixture);

    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    gated_loader_end(one.gate, 0, ENDING_FAILURE, "why");
    compute_expect(&one, SLUICE_LOAD_FAILED, "why");
    fixture_expect_absent(fixture, "key"); /* not remembered as a failure of the key */

    fixture_put(fixture, "key", "value");
    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    gated_loader_end(one.gate, 0, ENDING_FAILURE, "why");
    compute_expect(&one, SLUICE_LOAD_FAILED, "why");
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    fixture_advance(fixture, 10);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    gated_loader_await_calls(fixture->loader, 1); /* no back-off */
}

static void rule_1_gets_that_find_nothing_wait_for_what_is_computed(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture_open(fixture);

    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    gated_loader_await_calls(one.gate, 1);
    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "key", WAY_ASYNC);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
    gated_loader_end(one.gate, 0, ENDING_VALUE, "computed");
    compute_expect(&one, SLUICE_OK, "computed");
    crowd_expect(&crowd, SLUICE_OK, "computed");
}

static void rule_12_the_failure_of_a_computation_is_its_callers_and_others_get_the_old_value(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture->options.expire_after_write_ms = 10;
    fixture->options.stale_if_error_ms = 10;
    fixture_open(fixture);

    for (int soft = 0; soft <= 1; soft++) {
        fixture_put(fixture, "key", "old");
        fixture_advance(fixture, 10);
        compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
        gated_loader_await_calls(one.gate, 1);
        struct call *call = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        const struct sluice_invalidation what = {.select = SLUICE_SELECT_ALL, .soft = true};
        if (soft)
            sluice_invalidate_by(fixture->cache, &what, NULL);
        gated_loader_end(one.gate, 0, ENDING_FAILURE, "why");
        compute_expect(&one, SLUICE_LOAD_FAILED, "why");
        call_expect_stale(call, "old", "why");
    }
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
}

static void computations_of_a_key_run_one_after_the_other(void **state)
{
    struct fixture *fixture = *state;
    struct computation first, second;
    fixture_open(fixture);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    compute_start(fixture, &first, SLUICE_WAIT_FOREVER);
    fixture_await_waiters(fixture, 2);
    assert_int_equal(gated_loader_calls_in_all(first.gate), 0); /* a load is in flight */
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "loaded");
    call_expect(call, SLUICE_OK, "loaded");
    gated_loader_await_calls(first.gate, 1);
    assert_string_equal(sluice_value_data(gated_loader_old_value(first.gate, 0)), "loaded");

    compute_start(fixture, &second, SLUICE_WAIT_FOREVER);
    fixture_await_waiters(fixture, 2);
    assert_int_equal(gated_loader_calls_in_all(second.gate), 0);
    gated_loader_end(first.gate, 0, ENDING_VALUE, "first");
    compute_expect(&first, SLUICE_OK, "first");
    gated_loader_await_calls(second.gate, 1);
    assert_string_equal(sluice_value_data(gated_loader_old_value(second.gate, 0)), "first");
    gated_loader_end(second.gate, 0, ENDING_VALUE, "second");
    compute_expect(&second, SLUICE_OK, "second");
}

static void count_up(void *self, struct sluice_load *load)
{
    const struct sluice_value *old = sluice_load_old_value(load);
    struct sluice_content content = SLUICE_CONTENT_INIT;
    uint32_t count = 0;
    (void)self;
    if (old != NULL)
        memcpy(&count, sluice_value_data(old), sizeof count);
    count++;
    content.data = &count;
    content.size = sizeof count;
    sluice_load_complete(load, &content);
}

#define COUNTERS 4
#define COUNTS   500

static void run_counts(void *arg)
{
    struct fixture *fixture = arg;
    const struct sluice_loader counter = {.load = count_up};
    for (int i = 0; i < COUNTS; i++) {
        struct sluice_outcome outcome;
        if (sluice_compute(fixture->cache, "key", 3, &counter, SLUICE_WAIT_FOREVER, &outcome) != SLUICE_OK)
            abort();
        sluice_outcome_fini(&outcome);
    }
}

static void no_computation_is_lost_among_threads(void **state)
{
    struct fixture *fixture = *state;
    struct errand *errands[COUNTERS];
    struct sluice_value *value;
    uint32_t count;
    fixture_open(fixture);

    for (size_t i = 0; i < COUNTERS; i++)
        errands[i] = errand_start(run_counts, fixture);
    for (size_t i = 0; i < COUNTERS; i++) {
        assert_true(errand_ended(errands[i]));
        errand_join(errands[i]);
    }
    assert_int_equal(sluice_get(fixture->cache, "key", 3, 0, &value), SLUICE_OK);
    memcpy(&count, sluice_value_data(value), sizeof count);
    assert_int_equal(count, COUNTERS * COUNTS);
    sluice_value_unref(value);
}

static void rule_4_a_put_overtakes_a_computation(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    gated_loader_await_calls(one.gate, 1);
    fixture_put(fixture, "key", "put");
    gated_loader_end(one.gate, 0, ENDING_VALUE, "computed");
    compute_expect(&one, SLUICE_OK, "put");
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
}

static void rule_3_an_invalidation_during_a_computation_is_final(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture_open(fixture);

    for (int how = 0; how < INVALIDATIONS; how++) {
        fixture_put(fixture, "key", "old");
        compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
        gated_loader_await_calls(one.gate, 1);
        fixture_invalidate(fixture, (enum invalidation)how, "key");
        gated_loader_end(one.gate, 0, ENDING_VALUE, "computed");
        compute_expect(&one, SLUICE_OK, "computed");
        fixture_expect_absent(fixture, "key");
    }
}

static void rule_7_a_computation_waits_no_longer_than_it_may(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture_open(fixture);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    compute_start(fixture, &one, 10);
    fixture_await_waiters(fixture, 2);
    fixture_advance(fixture, 10);
    compute_expect(&one, SLUICE_TIMED_OUT, NULL);
    compute_start(fixture, &one, 0);
    compute_expect(&one, SLUICE_TIMED_OUT, NULL);
    assert_false(call_done(call));
}

static void rule_10_a_computation_is_refused_over_a_bound(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture->options.loads_max = 1;
    fixture_open(fixture);

    (void)call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    compute_expect(&one, SLUICE_TOO_MANY_LOADS, NULL);
    assert_int_equal(fixture_stats(fixture).waiters, 1);
}

/* The cache's loader brings what the key has in the backend, which is not what the caller wanted computed. */
static void a_computation_is_not_restarted_and_can_be_abandoned(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture_open(fixture);

    for (int abandoned = 0; abandoned <= 1; abandoned++) {
        compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
        gated_loader_await_calls(one.gate, 1);
        struct call *get = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        assert_int_equal(sluice_load_restart(fixture->cache, "key", 3), SLUICE_UNCHANGED);
        assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
        assert_true(gated_loader_wanted(one.gate, 0));
        if (abandoned)
            assert_true(sluice_load_abandon(fixture->cache, "key", 3));
        gated_loader_end(one.gate, 0, ENDING_VALUE, "computed");
        call_expect(get, abandoned ? SLUICE_LOAD_FAILED : SLUICE_OK, abandoned ? "the load was abandoned" : "computed");
        compute_expect(&one, get->outcome.error, abandoned ? "the load was abandoned" : "computed");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void compute_again(void *self, struct sluice_load *load)
{
    struct fixture *fixture = self;
    const struct sluice_loader again = {.load = compute_again, .self = fixture};
    struct sluice_outcome outcome;
    enum sluice_error error = sluice_compute(fixture->cache, "key", 3, &again, SLUICE_WAIT_FOREVER, &outcome);
    sluice_outcome_fini(&outcome);
    sluice_load_fail(load, sluice_strerror(error));
}

static void rule_17_a_computation_of_its_own_key_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_outcome outcome;
    fixture_open(fixture);
    const struct sluice_loader again = {.load = compute_again, .self = fixture};
    assert_int_equal(sluice_compute(fixture->cache, "key", 3, &again, SLUICE_WAIT_FOREVER, &outcome),
                     SLUICE_LOAD_FAILED);
    assert_string_equal(sluice_outcome_reason(&outcome), sluice_strerror(SLUICE_CIRCULAR));
    sluice_outcome_fini(&outcome);
}

static void rule_18_the_close_ends_a_computation_that_waits(void **state)
{
    struct fixture *fixture = *state;
    struct computation one;
    fixture_open(fixture);

    (void)call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    compute_start(fixture, &one, SLUICE_WAIT_FOREVER);
    fixture_await_waiters(fixture, 2);
    sluice_cache_close(fixture->cache);
    compute_expect(&one, SLUICE_CLOSED, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_put_if_absent_leaves_what_is_there),
        FIXTURE_TEST(a_put_if_present_needs_something_there),
        FIXTURE_TEST(a_put_if_same_compares_and_swaps),
        FIXTURE_TEST(rule_4_a_put_if_absent_overtakes_a_load),
        FIXTURE_TEST(a_computation_begins_from_what_is_stored),
        FIXTURE_TEST(a_computation_that_fails_leaves_all_as_it_was),
        FIXTURE_TEST(rule_1_gets_that_find_nothing_wait_for_what_is_computed),
        FIXTURE_TEST(rule_12_the_failure_of_a_computation_is_its_callers_and_others_get_the_old_value),
        FIXTURE_TEST(computations_of_a_key_run_one_after_the_other),
        FIXTURE_TEST(no_computation_is_lost_among_threads),
        FIXTURE_TEST(rule_4_a_put_overtakes_a_computation),
        FIXTURE_TEST(a_computation_is_not_restarted_and_can_be_abandoned),
        FIXTURE_TEST(rule_3_an_invalidation_during_a_computation_is_final),
        FIXTURE_TEST(rule_7_a_computation_waits_no_longer_than_it_may),
        FIXTURE_TEST(rule_10_a_computation_is_refused_over_a_bound),
        FIXTURE_TEST(rule_17_a_computation_of_its_own_key_is_refused),
        FIXTURE_TEST(rule_18_the_close_ends_a_computation_that_waits),
    };
    FIXTURE_MAIN(tests);
}
