/* SPDX-License-Identifier: MIT */
/*
 * counters_test.c: counters add up (rule 23). Each step below says by how much every counter moves; what it does not
 * name must not move. The sums themselves are checked after each step, here and at the end of every test of the cache.
 */
#include "crowd.h"
#include "sums.h"

/* Compares counter by counter, so that a failure tells which. */
static void expect_stats(const struct sluice_stats *stats, const struct sluice_stats *expected, const char *step)
{
#define COMPARE(name, text)                                                                                            \
    if (stats->name != expected->name)                                                                                 \
        fail_msg("%s: " #name " is %ju, not %ju", step, (uintmax_t)stats->name, (uintmax_t)expected->name);
    SLUICE_STATS(COMPARE, COMPARE)
#undef COMPARE
}

static struct sluice_stats sum_of(const struct sluice_stats *a, const struct sluice_stats *b)
{
    struct sluice_stats sum;
#define ADD(name, text) sum.name = a->name + b->name;
    SLUICE_STATS(ADD, ADD)
#undef ADD
    return sum;
}

/* What is expected so far; a step adds to it. */
static struct sluice_stats expected;

/* Checks a step. The levels are given as they are now, the totals as what the step added. */
static void expect_step(struct fixture *fixture, const char *step, struct sluice_stats change)
{
    struct sluice_stats stats = fixture_stats(fixture);
    change.waiters_most = stats.waiters_most; /* neither a total nor a level of now: it has a test of its own */
    change.limit = stats.limit;               /* no count: shrink_test.c has it */
#define KEEP(name, text)
#define FORGET(name, text) expected.name = 0;
    SLUICE_STATS(KEEP, FORGET)
#undef FORGET
#undef KEEP
    expected = sum_of(&expected, &change);
    expect_stats(&stats, &expected, step);
    assert_true(sums_hold(&stats));
}

#define STEP(fixture, step, ...) expect_step(fixture, step, (struct sluice_stats){__VA_ARGS__})

static void open_fixture(struct fixture *fixture)
{
    expected = (struct sluice_stats){0};
    fixture_open(fixture);
    STEP(fixture, "new", .gets = 0);
}

#define WEIGHT(key, value) (sizeof(key) - 1 + sizeof(value) - 1 + SLUICE_ENTRY_OVERHEAD)

static void rule_23_a_load_its_followers_and_a_hit(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    open_fixture(fixture);
    crowd_park(fixture, &crowd, 5, "key", WAY_BLOCKING);
    STEP(fixture, "parked", .gets = 5, .misses = 5, .coalesced = 4, .loads = 1, .loads_in_flight = 1, .waiters = 5);
    fake_clock_advance(&fixture->clock, 40);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    crowd_expect(&crowd, SLUICE_OK, "value");
    STEP(fixture, "loaded", .loads_completed = 1, .load_time_ms = 40, .entries = 1, .weight = WEIGHT("key", "value"));
    fixture_expect_get(fixture, "key", SLUICE_OK, "value", SLUICE_SOURCE_HIT);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    call_expect(call_start(fixture, WAY_ASYNC, "key", 0), SLUICE_OK, "value");
    STEP(fixture, "hit", .gets = 3, .hits = 3, .entries = 1, .weight = WEIGHT("key", "value"));
    fixture_expect_absent(fixture, "other");
    STEP(fixture, "absent", .gets = 1, .misses = 1, .entries = 1, .weight = WEIGHT("key", "value"));
}

static void rule_23_a_failure_counts_once_a_load(void **state)
{
    struct fixture *fixture = *state;
    open_fixture(fixture);
    for (int ending = ENDING_NOT_FOUND; ending < ENDINGS; ending++) {
        struct crowd crowd;
        bool found_nothing = ending == ENDING_NOT_FOUND;
        crowd_park(fixture, &crowd, 7, "key", WAY_ASYNC);
        gated_loader_end(fixture->loader, (size_t)ending - 1, (enum ending)ending, "why");
        crowd_expect(&crowd, ending_error((enum ending)ending), ending_text((enum ending)ending, "why"));
        STEP(fixture, "ended", .gets = 7, .misses = 7, .coalesced = 6, .loads = 1, .loads_failed = !found_nothing,
             .loads_refused = ending == ENDING_REFUSAL, .loads_not_found = found_nothing);
    }
}

static void rule_23_what_is_remembered_is_hit_and_counted_as_an_entry(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 100;
    fixture->options.failure_backoff_ms = 100;
    fixture->options.maximum_entries = 10;
    open_fixture(fixture);
    call_park(fixture, WAY_ASYNC, "none", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    call_park(fixture, WAY_ASYNC, "fails", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, NULL);
    fixture_expect_get(fixture, "none", SLUICE_NOT_FOUND, NULL, SLUICE_SOURCE_HIT);
    fixture_expect_get(fixture, "fails", SLUICE_LOAD_FAILED, NULL, SLUICE_SOURCE_HIT);
    STEP(fixture, "remembered", .gets = 4, .hits = 2, .misses = 2, .loads = 2, .loads_not_found = 1, .loads_failed = 1,
         .entries = 2, .weight = fixture_stats(fixture).weight);
    assert_in_range(fixture_stats(fixture).weight, 2 * SLUICE_ENTRY_OVERHEAD, 2 * SLUICE_ENTRY_OVERHEAD + 64);
}

static void rule_23_a_put_drops_the_load(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    open_fixture(fixture);
    crowd_park(fixture, &crowd, 3, "key", WAY_ASYNC);
    fixture_put(fixture, "key", "put");
    crowd_expect(&crowd, SLUICE_OK, "put");
    STEP(fixture, "put", .gets = 3, .misses = 3, .coalesced = 2, .loads = 1, .loads_in_flight = 1, .puts = 1,
         .entries = 1, .weight = WEIGHT("key", "put"));
    fake_clock_advance(&fixture->clock, 7);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "late");
    STEP(fixture, "ended", .loads_dropped = 1, .load_time_ms = 7, .entries = 1, .weight = WEIGHT("key", "put"));
    fixture_put(fixture, "key", "again");
    STEP(fixture, "replaced", .puts = 1, .entries = 1, .weight = WEIGHT("key", "again"));
}

static void rule_23_a_detached_load_still_ends_as_what_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct call *old, *new;
    open_fixture(fixture);
    old = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    new = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    STEP(fixture, "detached", .gets = 2, .misses = 2, .loads = 2, .loads_detached = 1, .loads_in_flight = 2,
         .waiters = 2);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    call_expect(old, SLUICE_OK, "old");
    STEP(fixture, "old ended", .loads_completed = 1, .loads_in_flight = 1, .waiters = 1);
    gated_loader_end(fixture->loader, 1, ENDING_NOT_FOUND, NULL);
    call_expect(new, SLUICE_NOT_FOUND, NULL);
    STEP(fixture, "new ended", .loads_not_found = 1);
}

static void rule_23_a_load_over_its_deadline_is_dropped_when_it_ends(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd;
    fixture->options.load_timeout_ms = 100;
    open_fixture(fixture);
    crowd_park(fixture, &crowd, 2, "key", WAY_ASYNC);
    fixture_advance(fixture, 100);
    crowd_expect(&crowd, SLUICE_LOAD_TIMED_OUT, NULL);
    STEP(fixture, "timed out", .gets = 2, .misses = 2, .coalesced = 1, .loads = 1, .loads_timed_out = 1,
         .loads_in_flight = 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    STEP(fixture, "ended", .loads_dropped = 1, .load_time_ms = 100);
}

static void rule_23_waiters_that_leave(void **state)
{
    struct fixture *fixture = *state;
    open_fixture(fixture);
    struct call *cancelled = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    struct call *timed_out = call_park(fixture, WAY_BLOCKING, "key", 50);
    assert_true(call_cancel(cancelled));
    fixture_advance(fixture, 50);
    call_expect(timed_out, SLUICE_TIMED_OUT, NULL);
    struct call *impatient = call_start(fixture, WAY_ASYNC, "key", 0);
    call_expect(impatient, SLUICE_TIMED_OUT, NULL);
    STEP(fixture, "left", .gets = 3, .misses = 3, .coalesced = 1, .waits_cancelled = 1, .waits_timed_out = 2,
         .loads = 1, .loads_in_flight = 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    STEP(fixture, "ended", .loads_completed = 1, .load_time_ms = 50, .entries = 1, .weight = WEIGHT("key", "value"));
}

static void rule_23_refused_gets_are_misses(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.waiters_per_key_max = 1;
    fixture->options.loads_max = 1;
    open_fixture(fixture);
    call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    call_expect(call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER), SLUICE_TOO_MANY_WAITERS, NULL);
    call_expect(call_start(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER), SLUICE_TOO_MANY_LOADS, NULL);
    call_expect(call_start(fixture, WAY_BLOCKING, "", SLUICE_WAIT_FOREVER), SLUICE_KEY_SIZE, NULL);
    STEP(fixture, "refused", .gets = 4, .misses = 4, .refused = 3, .loads = 1, .loads_in_flight = 1, .waiters = 1);
    sluice_cache_close(fixture->cache);
    call_expect(call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER), SLUICE_CLOSED, NULL);
    STEP(fixture, "closed", .gets = 1, .misses = 1, .loads_in_flight = 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    STEP(fixture, "ended", .loads_dropped = 1);
}

static void rule_23_how_entries_leave(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 2;
    fixture->options.shards = 1;
    open_fixture(fixture);
    fixture_put(fixture, "a", "value");
    fixture_put_ttl(fixture, "b", "value", 10);
    fixture_put(fixture, "c", "value");
    STEP(fixture, "evicted", .puts = 3, .evicted = 1, .entries = 2, .weight = 2 * WEIGHT("a", "value"));
    fixture_advance(fixture, 1000);
    STEP(fixture, "expired", .expired = 1, .entries = 1, .weight = WEIGHT("a", "value"));
    fixture_invalidate(fixture, INVALIDATION_KEY, "c");
    STEP(fixture, "invalidated", .invalidated = 1);
    fixture_put_ttl(fixture, "d", "value", 10);
    fake_clock_advance(&fixture->clock, 10);
    fixture_expect_absent(fixture, "d"); /* it goes when it is looked at */
    STEP(fixture, "expired, found by a get", .puts = 1, .gets = 1, .misses = 1, .expired = 1);
}

static void the_most_waiters_and_the_times_of_loads_are_known(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t times_ms[] = {0, 1, 2, 3, 4, 1000, INT64_C(1) << 40};
    static const size_t classes[] = {0, 1, 2, 2, 3, 10, SLUICE_LOAD_TIMES - 1};
    uint64_t expected_times[SLUICE_LOAD_TIMES] = {0};
    fixture_open(fixture);

    for (size_t i = 0; i < COUNT_OF(times_ms); i++) {
        struct crowd crowd;
        crowd_park(fixture, &crowd, i + 1, "key", WAY_ASYNC);
        fixture_advance(fixture, times_ms[i]);
        gated_loader_end(fixture->loader, i, ENDING_VALUE, "value");
        crowd_expect(&crowd, SLUICE_OK, "value");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        expected_times[classes[i]]++;
        struct sluice_stats stats = fixture_stats(fixture);
        assert_int_equal(stats.waiters_most, i + 1);
        assert_memory_equal(stats.load_times, expected_times, sizeof expected_times);
    }
    struct call *one = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(fixture_stats(fixture).waiters_most, COUNT_OF(times_ms));
    assert_true(call_cancel(one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_23_a_load_its_followers_and_a_hit),
        FIXTURE_TEST(rule_23_a_failure_counts_once_a_load),
        FIXTURE_TEST(rule_23_what_is_remembered_is_hit_and_counted_as_an_entry),
        FIXTURE_TEST(rule_23_a_put_drops_the_load),
        FIXTURE_TEST(rule_23_a_detached_load_still_ends_as_what_it_is),
        FIXTURE_TEST(rule_23_a_load_over_its_deadline_is_dropped_when_it_ends),
        FIXTURE_TEST(rule_23_waiters_that_leave),
        FIXTURE_TEST(rule_23_refused_gets_are_misses),
        FIXTURE_TEST(rule_23_how_entries_leave),
        FIXTURE_TEST(the_most_waiters_and_the_times_of_loads_are_known),
    };
    FIXTURE_MAIN(tests);
}
