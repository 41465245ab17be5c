/* SPDX-License-Identifier: MIT */
/*
 * fifo_test.c: waiters are served first come, first served (rule 21). Callbacks show the order; of blocking waiters,
 * which the system runs as it likes, there are some in between.
 */
#include "crowd.h"

#define WAITERS 9

/* Parks a crowd with the leader asynchronous, so that every second one is. */
static void park(struct fixture *fixture, struct crowd *crowd)
{
    crowd_park(fixture, crowd, WAITERS, "key", WAY_ASYNC);
}

/* Waits for all that have not been cancelled, and checks that the callbacks ran in the order of parking. */
static void expect_in_order(struct crowd *crowd, enum sluice_error error, const char *text)
{
    const struct call *before = NULL;
    for (size_t i = 0; i < crowd->count; i++) {
        struct call *call = crowd->calls[i];
        if (call->cancelled)
            continue;
        call_expect(call, error, text);
        if (call->spec.way != WAY_ASYNC)
            continue;
        if (before != NULL)
            assert_true(before->arrival < call->arrival);
        before = call;
    }
}

static void rule_21_however_the_load_ends(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    for (int ending = 0; ending < ENDINGS; ending++) {
        struct crowd crowd;
        park(fixture, &crowd);
        gated_loader_end(fixture->loader, (size_t)ending, (enum ending)ending, "text");
        expect_in_order(&crowd, ending_error((enum ending)ending), ending_text((enum ending)ending, "text"));
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_21_when_a_put_ends_the_flight(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    fixture_open(fixture);
    park(fixture, &crowd);
    fixture_put(fixture, "key", "put");
    expect_in_order(&crowd, SLUICE_OK, "put");
}

static void rule_21_on_a_detached_flight(void **state)
{
    struct fixture *fixture = *state;
    struct crowd old, new;
    fixture_open(fixture);
    for (int how = 0; how < INVALIDATIONS; how++) {
        park(fixture, &old);
        fixture_invalidate(fixture, (enum invalidation)how, "key");
        park(fixture, &new);
        gated_loader_end(fixture->loader, (size_t)how * 2 + 1, ENDING_VALUE, "new");
        expect_in_order(&new, SLUICE_OK, "new");
        gated_loader_end(fixture->loader, (size_t)how * 2, ENDING_VALUE, "old");
        expect_in_order(&old, SLUICE_OK, "old");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_21_when_the_load_runs_over_its_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    fixture->options.load_timeout_ms = 100;
    fixture_open(fixture);
    park(fixture, &crowd);
    fixture_advance(fixture, 100);
    expect_in_order(&crowd, SLUICE_LOAD_TIMED_OUT, NULL);
}

static void rule_21_when_the_cache_closes(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    fixture_open(fixture);
    park(fixture, &crowd);
    sluice_cache_close(fixture->cache);
    expect_in_order(&crowd, SLUICE_CLOSED, NULL);
}

static void rule_21_whoever_leaves_the_others_keep_their_places(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    for (size_t leaver = 0; leaver < WAITERS;
         leaver += 2) { /* the asynchronous ones: the first, the last, in between */
        struct crowd crowd;
        park(fixture, &crowd);
        assert_true(call_cancel(crowd.calls[leaver]));
        struct call *late = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, leaver / 2, ENDING_VALUE, "value");
        expect_in_order(&crowd, SLUICE_OK, "value");
        call_expect(late, SLUICE_OK, "value");
        assert_true(late->arrival > crowd.calls[leaver == WAITERS - 1 ? WAITERS - 3 : WAITERS - 1]->arrival);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_21_waits_that_run_out_together_go_in_the_order_of_their_deadlines(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t timeouts_ms[] = {300, 100, 200, 100};
    struct call *calls[COUNT_OF(timeouts_ms)];
    fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(timeouts_ms); i++)
        calls[i] = call_park(fixture, WAY_ASYNC, "key", timeouts_ms[i]);
    for (int64_t now_ms = 0; now_ms < 300; now_ms += 100)
        fixture_advance(fixture, 100);
    for (size_t i = 0; i < COUNT_OF(timeouts_ms); i++)
        call_expect(calls[i], SLUICE_TIMED_OUT, NULL);
    assert_true(calls[1]->arrival < calls[2]->arrival);
    assert_true(calls[3]->arrival < calls[2]->arrival);
    assert_true(calls[2]->arrival < calls[0]->arrival);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_21_however_the_load_ends),
        FIXTURE_TEST(rule_21_when_a_put_ends_the_flight),
        FIXTURE_TEST(rule_21_on_a_detached_flight),
        FIXTURE_TEST(rule_21_when_the_load_runs_over_its_deadline),
        FIXTURE_TEST(rule_21_when_the_cache_closes),
        FIXTURE_TEST(rule_21_whoever_leaves_the_others_keep_their_places),
        FIXTURE_TEST(rule_21_waits_that_run_out_together_go_in_the_order_of_their_deadlines),
    };
    FIXTURE_MAIN(tests);
}
