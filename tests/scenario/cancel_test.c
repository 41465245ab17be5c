/* SPDX-License-Identifier: MIT */
/* cancel_test.c: cancelling tells truly whether the callback will still run (rule 7). The teardown counts every end. */
#include "crowd.h"
#include "errand.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

static void rule_7_a_cancelled_wait_leaves_alone_and_its_callback_never_runs(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (size_t leaver = 0; leaver < 3; leaver++) { /* the leader, one in the midst, the last */
        size_t number = gated_loader_calls_in_all(fixture->loader);
        struct call *calls[3];
        for (size_t i = 0; i < 3; i++)
            calls[i] = call_park(fixture, WAY_ASYNC, "key", 1000);
        struct call *blocking = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);

        assert_true(call_cancel(calls[leaver]));
        assert_false(sluice_wait_cancel(calls[leaver]->wait));
        assert_int_equal(fixture_stats(fixture).waiters, 3);
        assert_true(gated_loader_wanted(fixture->loader, number));
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "value");
        for (size_t i = 0; i < 3; i++)
            if (i != leaver)
                call_expect(calls[i], SLUICE_OK, "value");
        call_expect(blocking, SLUICE_OK, "value");
        assert_false(call_done(calls[leaver]));
        fixture_advance(fixture, 2000); /* its deadline must not run it either */
        assert_false(call_done(calls[leaver]));
        assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 1);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
    assert_int_equal(fixture_stats(fixture).waits_cancelled, 3);
    assert_int_equal(fixture_stats(fixture).waits_timed_out, 0);
}

static void rule_7_the_load_is_stored_though_everyone_cancelled(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *calls[3];
    for (size_t i = 0; i < 3; i++)
        calls[i] = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    for (size_t i = 0; i < 3; i++)
        assert_true(call_cancel(calls[i]));
    assert_int_equal(fixture_stats(fixture).waiters, 0);
    struct call *late = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(late, SLUICE_OK, "value");
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
}

static void rule_7_cancelling_too_late_says_so(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *loaded = call_park(fixture, WAY_ASYNC, "loaded", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    assert_false(call_cancel(loaded));
    struct call *put = call_park(fixture, WAY_ASYNC, "put", SLUICE_WAIT_FOREVER);
    fixture_put(fixture, "put", "value");
    assert_false(call_cancel(put));
    struct call *timed_out = call_park(fixture, WAY_ASYNC, "timed out", 10);
    fixture_advance(fixture, 10);
    assert_false(call_cancel(timed_out));
    assert_int_equal(fixture_stats(fixture).waits_cancelled, 0);
}

static void rule_7_a_wait_on_a_detached_flight_can_be_cancelled(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *leaves = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    struct call *stays = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    assert_true(call_cancel(leaves));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    call_expect(stays, SLUICE_OK, "old");
}

/* ---- from inside callbacks --------------------------------------------------------------------------------------- */

static struct call *own, *others;
static bool own_answer;

static void cancel_both(void *arg, const struct sluice_outcome *outcome)
{
    (void)arg;
    (void)outcome;
    if (own == NULL || others == NULL) /* it was not parked */
        return;
    own_answer = sluice_wait_cancel(own->wait);
    call_cancel(others);
}

static void rule_7_a_callback_can_not_be_cancelled_from_within_but_tells_truly_of_others(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (size_t round = 0; round < 2; round++) {
        struct call_spec spec = {.way = WAY_ASYNC, .key = "key", .timeout_ms = 100, .inside = cancel_both};
        own_answer = true;
        own = others = NULL;
        own = call_start_spec(fixture, &spec);
        others = call_park(fixture, WAY_ASYNC, "key", 100);
        if (round == 0)
            gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
        else
            fixture_advance(fixture, 100);
        call_await(own);
        assert_false(own_answer);
        assert_true(call_done(others) != others->cancelled);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

/* ---- races ------------------------------------------------------------------------------------------------------- */

#define RACE_ROUNDS 400

/* A thread that does `act` once a round, at the moment when the round is called. */
struct race {
    struct fixture *fixture;
    void (*act)(struct race *race);
    struct call *call;
    unsigned rounds;
    atomic_uint called;
    atomic_uint acted;
    unsigned cancelled; /* by this thread */
};

static struct race race;

static void race_run(void *arg)
{
    (void)arg;
    for (unsigned round = 1; round <= race.rounds; round++) {
        while (atomic_load(&race.called) < round) {
            if (!errand_goes_on())
                return;
            sched_yield();
        }
        race.act(&race);
        atomic_store(&race.acted, round);
    }
}

/* Each round: a get parks, then this thread cancels it while the other one acts. Exactly one of the two ends it. */
static void race_play(struct fixture *fixture, void (*act)(struct race *race), unsigned rounds, int64_t timeout_ms,
                      void (*tidy)(struct fixture *fixture))
{
    race.fixture = fixture;
    race.act = act;
    race.rounds = rounds;
    race.cancelled = 0;
    atomic_store(&race.called, 0);
    atomic_store(&race.acted, 0);
    struct errand *errand = errand_start(race_run, NULL);
    for (unsigned round = 1; round <= rounds; round++) {
        unsigned before = race.cancelled;
        race.call = call_park(fixture, WAY_ASYNC, "key", timeout_ms);
        atomic_store(&race.called, round);
        for (unsigned delay = round % 7 * 40; delay > 0; delay--)
            atomic_load(&race.called);
        bool cancelled = call_cancel(race.call);
        AWAIT(atomic_load(&race.acted) == round);
        if (!cancelled && race.cancelled == before)
            call_await(race.call);
        assert_int_equal(atomic_load(&race.call->outcomes) + cancelled + (race.cancelled - before), 1);
        race.call->cancelled = cancelled || race.cancelled > before;
        tidy(fixture);
    }
    errand_join(errand);
}

static void tidy_key(struct fixture *fixture)
{
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
}

static void act_end(struct race *it)
{
    gated_loader_end(it->fixture->loader, gated_loader_calls_in_all(it->fixture->loader) - 1, ENDING_VALUE, "value");
}

static void act_put(struct race *it)
{
    const struct sluice_content content = {.data = "put", .size = 3, .ttl_ms = SLUICE_TTL_DEFAULT};
    if (sluice_put(it->fixture->cache, "key", 3, &content) != SLUICE_OK)
        abort();
}

static void act_tick(struct race *it)
{
    fake_clock_advance(&it->fixture->clock, 10);
    (void)sluice_cache_tick(it->fixture->cache);
}

static void act_cancel(struct race *it)
{
    it->cancelled += sluice_wait_cancel(it->call->wait);
}

static void act_close(struct race *it)
{
    sluice_cache_close(it->fixture->cache);
}

static void tidy_load(struct fixture *fixture)
{
    gated_loader_end(fixture->loader, gated_loader_calls_in_all(fixture->loader) - 1, ENDING_NOT_FOUND, NULL);
    tidy_key(fixture);
}

static void tidy_cache(struct fixture *fixture)
{
    gated_loader_end(fixture->loader, gated_loader_calls_in_all(fixture->loader) - 1, ENDING_NOT_FOUND, NULL);
    fixture_reopen(fixture);
}

static void rule_7_a_cancel_that_races_the_end_of_the_load_tells_truly(void **state)
{
    fixture_open(*state);
    race_play(*state, act_end, RACE_ROUNDS, SLUICE_WAIT_FOREVER, tidy_key);
}

static void rule_7_a_cancel_that_races_a_put_tells_truly(void **state)
{
    fixture_open(*state);
    race_play(*state, act_put, RACE_ROUNDS, SLUICE_WAIT_FOREVER, tidy_load);
}

static void rule_7_a_cancel_that_races_the_deadline_tells_truly(void **state)
{
    fixture_open(*state);
    race_play(*state, act_tick, RACE_ROUNDS, 10, tidy_load);
}

static void rule_7_of_two_cancels_at_once_one_is_told_true(void **state)
{
    fixture_open(*state);
    race_play(*state, act_cancel, RACE_ROUNDS, SLUICE_WAIT_FOREVER, tidy_load);
}

static void rule_7_a_cancel_that_races_the_close_tells_truly(void **state)
{
    fixture_open(*state);
    race_play(*state, act_close, 100, SLUICE_WAIT_FOREVER, tidy_cache);
}

static void note_outcome(void *arg, const struct sluice_outcome *outcome)
{
    atomic_uint *good = arg;
    *good += outcome->error == SLUICE_OK;
}

static void rule_7_giving_the_handle_back_or_not_asking_for_one_does_not_cancel(void **state)
{
    struct fixture *fixture = *state;
    static atomic_uint good;
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_wait *wait = NULL;
    struct sluice_async_get get = {
        .key = "key", .key_size = 3, .timeout_ms = 10, .callback = note_outcome, .arg = &good};
    fixture_open(fixture);

    good = 0;
    assert_int_equal(sluice_get_async(fixture->cache, &get, &outcome, NULL), SLUICE_PARKED);
    assert_int_equal(sluice_get_async(fixture->cache, &get, &outcome, &wait), SLUICE_PARKED);
    sluice_wait_unref(wait);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    assert_int_equal(good, 2);
    sluice_wait_unref(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_7_a_cancelled_wait_leaves_alone_and_its_callback_never_runs),
        FIXTURE_TEST(rule_7_the_load_is_stored_though_everyone_cancelled),
        FIXTURE_TEST(rule_7_cancelling_too_late_says_so),
        FIXTURE_TEST(rule_7_a_wait_on_a_detached_flight_can_be_cancelled),
        FIXTURE_TEST(rule_7_a_callback_can_not_be_cancelled_from_within_but_tells_truly_of_others),
        FIXTURE_TEST(rule_7_giving_the_handle_back_or_not_asking_for_one_does_not_cancel),
        FIXTURE_TEST(rule_7_a_cancel_that_races_the_end_of_the_load_tells_truly),
        FIXTURE_TEST(rule_7_a_cancel_that_races_a_put_tells_truly),
        FIXTURE_TEST(rule_7_a_cancel_that_races_the_deadline_tells_truly),
        FIXTURE_TEST(rule_7_of_two_cancels_at_once_one_is_told_true),
        FIXTURE_TEST(rule_7_a_cancel_that_races_the_close_tells_truly),
    };
    FIXTURE_MAIN(tests);
}
