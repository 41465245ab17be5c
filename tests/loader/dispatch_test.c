/* SPDX-License-Identifier: MIT */
/* dispatch_test.c: loader/dispatch.c, through a real cache. */
#include "dispatch_fixture.h"

#include "errand.h"
#include "random.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- threads that can't be had ----------------------------------------------------------------------------------- */

static size_t threads_until_refusal; /* 0: none is refused */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *arg), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *arg), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *arg), void *arg)
{
    if (threads_until_refusal > 0 && --threads_until_refusal == 0)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, run, arg);
}

/* ---- threads and queue ------------------------------------------------------------------------------------------- */

static void rule_10_loads_run_on_as_many_threads_as_set_then_queue_then_are_refused(void **state)
{
    struct dispatch_fixture *fixture = *state;
    struct get *gets[8], *refused;
    struct backend_stats stats;
    char key[8];

    dispatch_fixture_open(fixture, 3, 5);
    for (size_t i = 0; i < COUNT_OF(gets); i++) {
        snprintf(key, sizeof key, "key-%zu", i);
        gets[i] = get_start(fixture, key);
    }
    gate_await_begun(fixture, 3);
    stats = stats_of(fixture);
    assert_int_equal(stats.running, 3);
    assert_int_equal(stats.running_max, 3);
    assert_int_equal(stats.queued, 5);
    assert_int_equal(stats.queued_max, 5);

    refused = get_start(fixture, "refused");
    get_expect(refused, SLUICE_LOAD_REFUSED);
    assert_string_equal(refused->text, "the gated backend is busy: 3 loads run and 5 wait, more are not taken");
    assert_true(pthread_equal(refused->thread, pthread_self()));

    gate_open(fixture);
    for (size_t i = 0; i < COUNT_OF(gets); i++)
        get_expect(gets[i], SLUICE_OK);
    assert_int_equal(fixture->inside_max, 3);
    AWAIT(stats_of(fixture).running == 0);
    get_expect(get_start(fixture, "refused"), SLUICE_OK);
}

static void a_queue_of_none_refuses_only_what_finds_no_thread_free(void **state)
{
    struct dispatch_fixture *fixture = *state;
    struct get *first, *second;

    dispatch_fixture_open(fixture, 2, 0);
    first = get_start(fixture, "first");
    second = get_start(fixture, "second");
    get_expect(get_start(fixture, "third"), SLUICE_LOAD_REFUSED);
    gate_open(fixture);
    get_expect(first, SLUICE_OK);
    get_expect(second, SLUICE_OK);
    AWAIT(stats_of(fixture).running == 0);
    get_expect(get_start(fixture, "fourth"), SLUICE_OK);
}

static void queued_loads_run_first_come_first_served(void **state)
{
    struct dispatch_fixture *fixture = *state;
    struct get *get = NULL;
    char key[8];

    /* More than the ring holds at once, so that it turns over. */
    dispatch_fixture_open(fixture, 1, 6);
    for (size_t i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "key-%zu", i);
        if (i >= 4) {
            gate_pass(fixture, 1);
            get_expect(&fixture->gets[i - 4], SLUICE_OK);
        }
        get = get_start(fixture, key);
    }
    gate_open(fixture);
    get_expect(get, SLUICE_OK);
    assert_int_equal(gate_begun(fixture), 20);
    for (size_t i = 0; i < 20; i++)
        assert_string_equal(fixture->begun[i], fixture->gets[i].key);
}

/* ---- loads that nobody wants ------------------------------------------------------------------------------------- */

static void rule_4_a_queued_load_that_a_put_overtook_is_ended_without_being_run(void **state)
{
    struct dispatch_fixture *fixture = *state;
    struct sluice_content content = {.data = "overtaken", .size = 9, .ttl_ms = SLUICE_TTL_DEFAULT};
    struct get *first, *overtaken, *last;

    dispatch_fixture_open(fixture, 1, 4);
    first = get_start(fixture, "first");
    overtaken = get_start(fixture, "overtaken");
    last = get_start(fixture, "last");
    assert_int_equal(sluice_put(fixture->cache, "overtaken", 9, &content), SLUICE_OK);
    get_expect(overtaken, SLUICE_OK);
    gate_open(fixture);
    get_expect(first, SLUICE_OK);
    get_expect(last, SLUICE_OK);
    assert_int_equal(gate_begun(fixture), 2);
    assert_string_equal(fixture->begun[1], "last");
}

static void rule_8_a_queued_load_past_its_deadline_is_ended_without_being_run(void **state)
{
    struct dispatch_fixture *fixture = *state;
    struct get *first, *late, *last;

    fixture->cache_options.load_timeout_ms = 100;
    dispatch_fixture_open(fixture, 1, 4);
    first = get_start(fixture, "first");
    late = get_start(fixture, "late");
    gate_await_begun(fixture, 1);
    fake_clock_advance(&fixture->clock, 100);
    sluice_cache_tick(fixture->cache);
    get_expect(first, SLUICE_LOAD_TIMED_OUT);
    get_expect(late, SLUICE_LOAD_TIMED_OUT);
    last = get_start(fixture, "last");
    gate_open(fixture);
    get_expect(last, SLUICE_OK);
    assert_int_equal(gate_begun(fixture), 2);
    assert_string_equal(fixture->begun[1], "last");
}

static void rule_8_a_hung_call_keeps_its_slot_though_its_load_has_timed_out(void **state)
{
    struct dispatch_fixture *fixture = *state;

    fixture->cache_options.load_timeout_ms = 100;
    dispatch_fixture_open(fixture, 1, 0);
    get_start(fixture, "hung");
    gate_await_begun(fixture, 1);
    fake_clock_advance(&fixture->clock, 100);
    sluice_cache_tick(fixture->cache);
    get_expect(&fixture->gets[0], SLUICE_LOAD_TIMED_OUT);

    assert_int_equal(stats_of(fixture).running, 1);
    get_expect(get_start(fixture, "refused"), SLUICE_LOAD_REFUSED);
    gate_pass(fixture, 1);
    AWAIT(stats_of(fixture).running == 0);
    gate_open(fixture);
    get_expect(get_start(fixture, "hung"), SLUICE_OK);
    assert_int_equal(gate_begun(fixture), 2);
}

static void a_full_queue_makes_room_with_a_load_that_nobody_wants(void **state)
{
    struct dispatch_fixture *fixture = *state;
    struct sluice_stats stats;
    struct get *last;

    fixture->cache_options.load_timeout_ms = 100;
    dispatch_fixture_open(fixture, 1, 2);
    get_start(fixture, "hung");
    gate_await_begun(fixture, 1);
    get_start(fixture, "late-1");
    get_start(fixture, "late-2");
    get_expect(get_start(fixture, "refused"), SLUICE_LOAD_REFUSED);
    fake_clock_advance(&fixture->clock, 100);
    sluice_cache_tick(fixture->cache);

    last = get_start(fixture, "last");
    sluice_cache_stats(fixture->cache, &stats);
    assert_int_equal(stats.loads_in_flight, 3); /* hung, late-2, last */
    assert_int_equal(stats_of(fixture).queued, 2);
    gate_open(fixture);
    get_expect(last, SLUICE_OK);
}

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

static void rule_19_a_callback_may_begin_a_load_on_the_thread_that_ends_one(void **state)
{
    struct dispatch_fixture *fixture = *state;

    dispatch_fixture_open(fixture, 1, 1);
    fixture->gets[0].again = "again";
    get_start(fixture, "first");
    gate_open(fixture);
    get_expect(&fixture->gets[0], SLUICE_OK);
    assert_false(pthread_equal(fixture->gets[0].thread, pthread_self()));
    get_expect(&fixture->gets[1], SLUICE_OK);
}

static void rule_19_a_load_begun_in_a_callback_may_be_refused_there(void **state)
{
    struct dispatch_fixture *fixture = *state;

    /* The slot is free only when the callback has returned. */
    dispatch_fixture_open(fixture, 1, 0);
    fixture->gets[0].again = "again";
    get_start(fixture, "first");
    gate_open(fixture);
    get_expect(&fixture->gets[0], SLUICE_OK);
    get_expect(&fixture->gets[1], SLUICE_LOAD_REFUSED);
    assert_true(pthread_equal(fixture->gets[0].thread, fixture->gets[1].thread));
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void destroy_ends_queued_loads_and_interrupts_running_ones(void **state)
{
    struct dispatch_fixture *fixture = *state;

    fixture->destroys_cache_first = false;
    dispatch_fixture_open(fixture, 2, 4);
    get_start(fixture, "running-1");
    get_start(fixture, "running-2");
    gate_await_begun(fixture, 2);
    get_start(fixture, "queued-1");
    get_start(fixture, "queued-2");
    dispatch_fixture_close(fixture);

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(fixture->gets[i].error, SLUICE_LOAD_FAILED);
    assert_string_equal(fixture->gets[0].text, "interrupted");
    assert_string_equal(fixture->gets[1].text, "interrupted");
    assert_string_equal(fixture->gets[2].text, "the gated backend is being closed");
    assert_string_equal(fixture->gets[3].text, "the gated backend is being closed");
    assert_int_equal(gate_begun(fixture), 2);
}

static void rule_18_a_closed_cache_leaves_loads_that_destroy_ends(void **state)
{
    struct dispatch_fixture *fixture = *state;

    dispatch_fixture_open(fixture, 1, 4);
    get_start(fixture, "running");
    gate_await_begun(fixture, 1);
    get_start(fixture, "queued");
    dispatch_fixture_close(fixture);
    assert_int_equal(fixture->gets[0].error, SLUICE_CLOSED);
    assert_int_equal(fixture->gets[1].error, SLUICE_CLOSED);
}

static void without_hooks_the_state_is_self(void **state)
{
    struct dispatch_fixture *fixture = *state;

    fixture->options.work.init = NULL;
    fixture->options.work.fini = NULL;
    dispatch_fixture_open(fixture, 2, 4);
    gate_open(fixture);
    get_expect(get_start(fixture, "key"), SLUICE_OK);
    assert_int_equal(fixture->inits, 0);
    fixture->inits = fixture->finis = 2; /* what the teardown looks for */
}

/* ---- what can't be made ------------------------------------------------------------------------------------------ */

static void expect_no_dispatch(struct dispatch_fixture *fixture, size_t threads, size_t queue_max, const char *text)
{
    struct backend backend = {0};
    struct backend_fault fault;

    fixture->options.threads = threads;
    fixture->options.queue_max = queue_max;
    assert_false(dispatch_create(&fixture->options, &backend, &fault));
    assert_string_equal(fault.text, text);
    assert_null(backend.self);
    assert_int_equal(fixture->destroys, 0);
}

static void a_state_that_can_not_be_made_is_a_fault_and_the_others_are_undone(void **state)
{
    struct dispatch_fixture *fixture = *state;

    fixture->init_fails_at = 3;
    expect_no_dispatch(fixture, 4, 1, "state 3 can't be made");
    assert_int_equal(fixture->inits, 3);
    assert_int_equal(fixture->finis, 2);
}

static void a_thread_that_is_refused_is_a_fault_and_the_others_are_ended(void **state)
{
    struct dispatch_fixture *fixture = *state;
    char text[128];

    snprintf(text, sizeof text, "gated: thread 3 of 4 could not be started: %s", strerror(EAGAIN));
    threads_until_refusal = 3;
    expect_no_dispatch(fixture, 4, 1, text);
    assert_int_equal(threads_until_refusal, 0);
    assert_int_equal(fixture->interrupts, 2);
    assert_int_equal(fixture->finis, 4);
}

static void numbers_out_of_bounds_are_faults(void **state)
{
    struct dispatch_fixture *fixture = *state;

    expect_no_dispatch(fixture, 0, 1, "gated: max_concurrent is 0, it has to be from 1 to 1024");
    expect_no_dispatch(fixture, 1025, 1, "gated: max_concurrent is 1025, it has to be from 1 to 1024");
    expect_no_dispatch(fixture, 1, 1048577, "gated: queue_max is 1048577, it can be 1048576 at most");
    assert_int_equal(fixture->inits, 0);
}

/* ---- a storm ----------------------------------------------------------------------------------------------------- */

#define STORM_THREADS 4
#define STORM_GETS    2000

struct storm {
    struct sluice_cache *cache;
    uint64_t seed;
    size_t wrong; /* outcomes that are none of those that may come */
};

static void storm_run(void *arg)
{
    struct storm *storm = arg;
    struct random random;
    char key[8];

    random_init(&random, storm->seed);
    for (size_t i = 0; i < STORM_GETS; i++) {
        struct sluice_outcome outcome;
        struct sluice_content content = {.data = key, .size = 0, .ttl_ms = SLUICE_TTL_DEFAULT};

        content.size = (size_t)snprintf(key, sizeof key, "%u", random_below(&random, 40));
        switch (random_below(&random, 8)) {
        case 0:
            sluice_invalidate(storm->cache, key, content.size, NULL);
            break;
        case 1:
            storm->wrong += sluice_put(storm->cache, key, content.size, &content) != SLUICE_OK;
            break;
        default:
            if (sluice_get_outcome(storm->cache, key, content.size, AWAIT_MS_MAX, &outcome) == SLUICE_OK)
                storm->wrong += strcmp(sluice_value_data(outcome.value), key) != 0;
            else
                storm->wrong += outcome.error != SLUICE_LOAD_REFUSED;
            sluice_outcome_fini(&outcome);
        }
    }
}

static void a_storm_of_gets_puts_and_invalidations_loses_no_load(void **state)
{
    struct dispatch_fixture *fixture = *state;
    struct storm storms[STORM_THREADS];
    struct errand *errands[STORM_THREADS];
    uint64_t seed = random_seed();
    struct sluice_stats stats;

    dispatch_fixture_open(fixture, 2, 1);
    gate_open(fixture);
    for (size_t i = 0; i < STORM_THREADS; i++) {
        storms[i] = (struct storm){.cache = fixture->cache, .seed = seed + i};
        errands[i] = errand_start(storm_run, &storms[i]);
    }
    for (size_t i = 0; i < STORM_THREADS; i++) {
        AWAIT(errand_ended(errands[i]));
        errand_join(errands[i]);
        if (storms[i].wrong != 0)
            fail_msg("%zu wrong outcomes with SLUICE_SEED=%llu", storms[i].wrong, (unsigned long long)seed);
    }
    AWAIT(stats_of(fixture).running == 0);
    assert_int_equal(stats_of(fixture).queued, 0);
    sluice_cache_stats(fixture->cache, &stats);
    assert_int_equal(stats.loads_in_flight, 0);
    assert_true(fixture->inside_max <= 2);
}

#define DISPATCH_TEST(test) cmocka_unit_test_setup_teardown(test, dispatch_fixture_setup, dispatch_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISPATCH_TEST(rule_10_loads_run_on_as_many_threads_as_set_then_queue_then_are_refused),
        DISPATCH_TEST(a_queue_of_none_refuses_only_what_finds_no_thread_free),
        DISPATCH_TEST(queued_loads_run_first_come_first_served),
        DISPATCH_TEST(rule_4_a_queued_load_that_a_put_overtook_is_ended_without_being_run),
        DISPATCH_TEST(rule_8_a_queued_load_past_its_deadline_is_ended_without_being_run),
        DISPATCH_TEST(rule_8_a_hung_call_keeps_its_slot_though_its_load_has_timed_out),
        DISPATCH_TEST(a_full_queue_makes_room_with_a_load_that_nobody_wants),
        DISPATCH_TEST(rule_19_a_callback_may_begin_a_load_on_the_thread_that_ends_one),
        DISPATCH_TEST(rule_19_a_load_begun_in_a_callback_may_be_refused_there),
        DISPATCH_TEST(destroy_ends_queued_loads_and_interrupts_running_ones),
        DISPATCH_TEST(rule_18_a_closed_cache_leaves_loads_that_destroy_ends),
        DISPATCH_TEST(without_hooks_the_state_is_self),
        DISPATCH_TEST(a_state_that_can_not_be_made_is_a_fault_and_the_others_are_undone),
        DISPATCH_TEST(a_thread_that_is_refused_is_a_fault_and_the_others_are_ended),
        DISPATCH_TEST(numbers_out_of_bounds_are_faults),
        DISPATCH_TEST(a_storm_of_gets_puts_and_invalidations_loses_no_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
