/* SPDX-License-Identifier: MIT */
/* flight_test.c: one flight for all (rule 1), and no gap between a flight and the value it brought (rule 2). */
#include "crowd.h"
#include "errand.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

static void rule_1_all_who_ask_meanwhile_share_one_load(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int ending = 0; ending < ENDINGS; ending++) {
        for (int first = 0; first < WAYS; first++) {
            struct crowd crowd;
            struct sluice_stats before = fixture_stats(fixture);
            size_t calls = gated_loader_calls_in_all(fixture->loader);

            crowd_park(fixture, &crowd, 6, "key", (enum way)first);
            assert_int_equal(gated_loader_calls_in_all(fixture->loader), calls + 1);
            gated_loader_end(fixture->loader, calls, (enum ending)ending, "text");
            crowd_expect(&crowd, ending_error((enum ending)ending), ending_text((enum ending)ending, "text"));

            struct sluice_stats after = fixture_stats(fixture);
            assert_int_equal(after.misses - before.misses, 6);
            assert_int_equal(after.coalesced - before.coalesced, 5);
            assert_int_equal(after.loads - before.loads, 1);
            assert_int_equal(crowd.calls[0]->outcome.source, SLUICE_SOURCE_LOAD);
            for (size_t i = 1; i < crowd.count; i++)
                assert_int_equal(crowd.calls[i]->outcome.source, SLUICE_SOURCE_COALESCED);
            fixture_invalidate(fixture, INVALIDATION_ALL, "key");
        }
    }
}

static void rule_1_a_loader_that_answers_on_the_callers_thread_is_shared_too(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    for (int first = 0; first < WAYS; first++) {
        struct call *leader = call_start_spec(
            fixture, &(struct call_spec){
                         .way = (enum way)first, .key = "key", .timeout_ms = SLUICE_WAIT_FOREVER, .elsewhere = true});
        gated_loader_await_calls(fixture->loader, (size_t)first + 1);
        struct call *blocking = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        struct call *async = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        assert_false(call_done(leader));
        gated_loader_end(fixture->loader, (size_t)first, ENDING_VALUE, "value");
        call_expect(leader, SLUICE_OK, "value");
        call_expect(blocking, SLUICE_OK, "value");
        call_expect(async, SLUICE_OK, "value");
        assert_int_equal(leader->outcome.source, SLUICE_SOURCE_LOAD);
        assert_int_equal(gated_loader_calls_in_all(fixture->loader), (size_t)first + 1);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_1_each_key_has_a_flight_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *a = call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    struct call *b = call_park(fixture, WAY_BLOCKING, "b", SLUICE_WAIT_FOREVER);
    gated_loader_await_calls(fixture->loader, 2);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "of b");
    call_expect(b, SLUICE_OK, "of b");
    assert_false(call_done(a));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "of a");
    call_expect(a, SLUICE_OK, "of a");
}

static void rule_1_after_the_flight_gets_are_hits(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    fixture_expect_get(fixture, "key", SLUICE_OK, "key#1", SLUICE_SOURCE_LOAD);
    fixture_expect_get(fixture, "key", SLUICE_OK, "key#1", SLUICE_SOURCE_HIT);
    struct call *async = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_true(async->at_once);
    call_expect(async, SLUICE_OK, "key#1");
    assert_int_equal(async->outcome.source, SLUICE_SOURCE_HIT);
    assert_true(async->outcome.stored);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
}

/* ---- hammers: threads that get one key over and over while its load ends ----------------------------------------- */

#define HAMMERS       3
#define HAMMER_ROUNDS 600

struct hammer {
    struct fixture *fixture;
    atomic_uint round; /* 1 for the first */
    atomic_uint satisfied;
    atomic_uint surprises; /* outcomes that are neither the value nor "not yet" */
};

static struct hammer hammer;

static void ignore_outcome(void *arg, const struct sluice_outcome *outcome)
{
    (void)arg;
    (void)outcome;
}

/* One get that does not wait, in one of three ways. */
static enum sluice_error hammer_get(const char *key, unsigned turn)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_cache *cache = hammer.fixture->cache;
    struct sluice_async_get get = {.key = key, .key_size = strlen(key), .callback = ignore_outcome};
    enum sluice_error error;

    if (turn % 3 == 0)
        error = sluice_get_outcome(cache, key, strlen(key), 0, &outcome);
    else if (turn % 3 == 1)
        error = sluice_get_async(cache, &get, &outcome, NULL);
    else
        error = sluice_get_if_present(cache, key, strlen(key), &outcome);
    sluice_outcome_fini(&outcome);
    return error;
}

static void hammer_run(void *arg)
{
    (void)arg;
    char key[32];
    for (unsigned round = 1; round <= HAMMER_ROUNDS; round++) {
        while (atomic_load(&hammer.round) < round && errand_goes_on())
            sched_yield();
        snprintf(key, sizeof key, "round %u", round);
        for (unsigned turn = round; errand_goes_on(); turn++) {
            enum sluice_error error = hammer_get(key, turn);
            if (error == SLUICE_OK)
                break;
            /* Parked: this get led, and the load ended before it could leave. */
            if (error != SLUICE_TIMED_OUT && error != SLUICE_NOT_CACHED && error != SLUICE_PARKED)
                atomic_fetch_add(&hammer.surprises, 1);
        }
        atomic_fetch_add(&hammer.satisfied, 1);
    }
}

/* Plays the rounds; `finish` brings the value of a round whose load is held. Returns with all threads joined. */
static void hammer_play(struct fixture *fixture,
                        void (*finish)(struct fixture *fixture, unsigned round, const char *key))
{
    struct errand *errands[HAMMERS];
    char key[32];

    hammer.fixture = fixture;
    atomic_store(&hammer.round, 0);
    atomic_store(&hammer.satisfied, 0);
    atomic_store(&hammer.surprises, 0);
    for (size_t i = 0; i < HAMMERS; i++)
        errands[i] = errand_start(hammer_run, NULL);
    for (unsigned round = 1; round <= HAMMER_ROUNDS; round++) {
        snprintf(key, sizeof key, "round %u", round);
        atomic_store(&hammer.round, round);
        finish(fixture, round, key);
        AWAIT(atomic_load(&hammer.satisfied) == round * HAMMERS);
        assert_int_equal(gated_loader_calls(fixture->loader, key), 1);
    }
    for (size_t i = 0; i < HAMMERS; i++)
        errand_join(errands[i]);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), HAMMER_ROUNDS);
    assert_int_equal(atomic_load(&hammer.surprises), 0);
}

static void finish_by_load(struct fixture *fixture, unsigned round, const char *key)
{
    (void)key;
    gated_loader_await_calls(fixture->loader, round);
    gated_loader_end(fixture->loader, round - 1, ENDING_VALUE, "value");
}

static void finish_by_put(struct fixture *fixture, unsigned round, const char *key)
{
    gated_loader_await_calls(fixture->loader, round);
    fixture_put(fixture, key, "value");
    gated_loader_end(fixture->loader, round - 1, ENDING_VALUE, "late");
}

static void finish_by_itself(struct fixture *fixture, unsigned round, const char *key)
{
    (void)key;
    gated_loader_await_calls(fixture->loader, round);
}

static void rule_2_no_instant_starts_a_second_load_while_one_ends(void **state)
{
    fixture_open(*state);
    hammer_play(*state, finish_by_load);
}

static void rule_2_no_instant_starts_a_second_load_while_a_put_ends_it(void **state)
{
    fixture_open(*state);
    hammer_play(*state, finish_by_put);
}

static void rule_2_no_instant_starts_a_second_load_when_the_loader_answers_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);
    hammer_play(fixture, finish_by_itself);
}

/* ---- what a waiter finds in the table the moment it is told ------------------------------------------------------ */

struct look {
    struct fixture *fixture;
    enum sluice_error found;
};

static void look_in_the_table(void *arg, const struct sluice_outcome *outcome)
{
    struct look *look = arg;
    struct sluice_outcome present = SLUICE_OUTCOME_INIT;
    (void)outcome;
    look->found = sluice_get_if_present(look->fixture->cache, "key", 3, &present);
    sluice_outcome_fini(&present);
}

static void rule_2_a_value_is_published_before_its_waiters_are_told(void **state)
{
    struct fixture *fixture = *state;
    static struct look looks[WAYS];
    fixture->options.not_found_ttl_ms = 1000;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    for (int ending = ENDING_VALUE; ending <= ENDING_FAILURE; ending++) {
        struct call *calls[WAYS];
        for (int way = 0; way < WAYS; way++) {
            looks[way] = (struct look){fixture, SLUICE_INVALID};
            calls[way] = call_start_spec(fixture, &(struct call_spec){.way = (enum way)way,
                                                                      .key = "key",
                                                                      .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                      .inside = look_in_the_table,
                                                                      .arg = &looks[way]});
            fixture_await_waiters(fixture, (uint64_t)way + 1);
        }
        gated_loader_end(fixture->loader, (size_t)ending, (enum ending)ending, "text");
        for (int way = 0; way < WAYS; way++) {
            call_await(calls[way]);
            assert_int_equal(looks[way].found, ending_error((enum ending)ending));
        }
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_2_a_put_value_is_published_before_its_waiters_are_told(void **state)
{
    struct fixture *fixture = *state;
    static struct look look;
    fixture_open(fixture);

    look = (struct look){fixture, SLUICE_INVALID};
    struct call *call = call_start_spec(fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                                     .key = "key",
                                                                     .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                     .inside = look_in_the_table,
                                                                     .arg = &look});
    fixture_put(fixture, "key", "put");
    call_expect(call, SLUICE_OK, "put");
    assert_int_equal(look.found, SLUICE_OK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_1_all_who_ask_meanwhile_share_one_load),
        FIXTURE_TEST(rule_1_a_loader_that_answers_on_the_callers_thread_is_shared_too),
        FIXTURE_TEST(rule_1_each_key_has_a_flight_of_its_own),
        FIXTURE_TEST(rule_1_after_the_flight_gets_are_hits),
        FIXTURE_TEST(rule_2_no_instant_starts_a_second_load_while_one_ends),
        FIXTURE_TEST(rule_2_no_instant_starts_a_second_load_while_a_put_ends_it),
        FIXTURE_TEST(rule_2_no_instant_starts_a_second_load_when_the_loader_answers_at_once),
        FIXTURE_TEST(rule_2_a_value_is_published_before_its_waiters_are_told),
        FIXTURE_TEST(rule_2_a_put_value_is_published_before_its_waiters_are_told),
    };
    FIXTURE_MAIN(tests);
}
