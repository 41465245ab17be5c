/* SPDX-License-Identifier: MIT */
/*
 * storm_test.c: everything at once. Threads get, put, invalidate, cancel and look at random, on few keys, with small
 * bounds and short times, by the cache's own clock and by one that runs wild.
 *
 * SLUICE_STORM_SECONDS (default 2) is how long all storms take together; SLUICE_STORM_SEED, which each run prints,
 * plays the same draws again (the threads' turns are the machine's).
 */
#include "errand.h"
#include "fixture.h"
#include "storm.h"
#include "storm_loader.h"
#include "sums.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>

#define STORMS          3
#define ENTRIES_MAX     5 /* fewer than keys */
#define EXPIRE_MS       5
#define LOAD_MS_MAX     3
#define SECONDS_USUAL   2
#define WAITERS_PER_KEY 4

static struct sluice_options storm_options(struct storm_loader *loader)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    options.loader = storm_loader_option(loader);
    options.maximum_entries = ENTRIES_MAX;
    options.expire_after_write_ms = EXPIRE_MS;
    options.not_found_ttl_ms = 2;
    options.failure_backoff_ms = 1;
    options.failure_backoff_max_ms = 4;
    options.load_timeout_ms = LOAD_MS_MAX;
    options.value_size_max = STORM_VALUE_SIZE_MAX;
    options.loads_max = STORM_LOADS_MAX;
    options.waiters_per_key_max = WAITERS_PER_KEY;
    options.waiters_max = 3 * WAITERS_PER_KEY;
    return options;
}

static uint64_t from_environment(const char *name, uint64_t usual)
{
    const char *text = getenv(name);
    return text == NULL ? usual : strtoull(text, NULL, 0);
}

struct worker_errand {
    struct storm *storm;
    uint32_t number;
};

static void work(void *arg)
{
    struct worker_errand *errand = arg;
    storm_work(errand->storm, errand->number);
}

/* Lets the storm blow until its time is over; moves the clock meanwhile, if it is ours. */
static void blow(struct storm *storm, int64_t until_ms, struct fake_clock *clock)
{
    struct worker_errand errands[STORM_WORKERS];
    struct errand *threads[STORM_WORKERS];
    for (uint32_t i = 0; i < STORM_WORKERS; i++) {
        errands[i] = (struct worker_errand){storm, i};
        threads[i] = errand_start(work, &errands[i]);
    }
    while (!atomic_load(&storm->stop) && await_now_ms() < until_ms) {
        if (clock != NULL) {
            fake_clock_advance(clock, 1);
            sluice_cache_tick(storm->cache);
        }
        sched_yield();
    }
    atomic_store(&storm->stop, true);
    for (uint32_t i = 0; i < STORM_WORKERS; i++) {
        assert_true(errand_ended(threads[i]));
        errand_join(threads[i]);
    }
}

static struct sluice_stats stats_of(const struct storm *storm)
{
    struct sluice_stats stats;
    sluice_cache_stats(storm->cache, &stats);
    return stats;
}

/* After the storm: all that was done is in the counters, and nothing is left but what may be. */
static void expect_calm(struct storm *storm, struct storm_loader *loader, struct fake_clock *clock)
{
    AWAIT(stats_of(storm).loads_in_flight == 0);
    sums_assert_idle(storm->cache);
    struct sluice_stats stats = stats_of(storm);
    assert_int_equal(stats.gets, storm->gets);
    assert_int_equal(stats.puts, storm->puts);
    assert_int_equal(stats.waits_cancelled, storm->cancelled);
    assert_int_equal(storm->parked, storm->called + storm->cancelled);
    /* Rule 1: once a flight, save for those that were overtaken before their loader was called. */
    assert_in_range(storm_loader_calls(loader), stats.loads - stats.loads_dropped, stats.loads);
    assert_true(stats.misses >= stats.coalesced + stats.refused + stats.loads);
    assert_in_range(storm_loader_most(loader), 1, STORM_LOADS_MAX);
    assert_in_range(stats.entries, 0, ENTRIES_MAX);
    if (clock != NULL) {
        fake_clock_advance(clock, 1000);
        sluice_cache_tick(storm->cache);
    }
    AWAIT(stats_of(storm).entries == 0);
    assert_int_equal(stats_of(storm).weight, 0);
}

static void report(const struct storm *storm)
{
    struct sluice_stats stats = stats_of(storm);
    printf("storm: %" PRIu64 " gets (%" PRIu64 " hits, %" PRIu64 " coalesced, %" PRIu64 " refused, %" PRIu64
           " timed out), %" PRIu64 " values judged, %" PRIu64 " callbacks, %" PRIu64 " cancels\n",
           stats.gets, stats.hits, stats.coalesced, stats.refused, stats.waits_timed_out, storm->stamped, storm->called,
           storm->cancelled);
    printf("storm: %" PRIu64 " loads (%" PRIu64 " detached, %" PRIu64 " over their deadline, %" PRIu64
           " dropped), %" PRIu64 " puts, %" PRIu64 " invalidated, %" PRIu64 " evicted, %" PRIu64 " expired\n",
           stats.loads, stats.loads_detached, stats.loads_timed_out, stats.loads_dropped, stats.puts, stats.invalidated,
           stats.evicted, stats.expired);
}

static void storm_run(unsigned shards, bool own_clock)
{
    uint64_t seed = from_environment("SLUICE_STORM_SEED", random_seed());
    int64_t seconds = (int64_t)from_environment("SLUICE_STORM_SECONDS", SECONDS_USUAL);
    printf("storm: SLUICE_STORM_SEED=%" PRIu64 "\n", seed);

    struct storm *storm = calloc(1, sizeof *storm);
    assert_non_null(storm);
    storm->seed = seed;
    struct storm_loader *loader = storm_loader_create(&storm->ledger, seed);
    struct sluice_options options = storm_options(loader);
    struct fake_clock clock;
    options.shards = shards;
    if (!own_clock) {
        fake_clock_init(&clock);
        options.clock = fake_clock_option(&clock);
    }
    assert_int_equal(sluice_cache_create(&options, &storm->cache), SLUICE_OK);

    blow(storm, await_now_ms() + seconds * 1000 / STORMS, own_clock ? NULL : &clock);
    if (storm->fault != NULL)
        fail_msg("SLUICE_STORM_SEED=%" PRIu64 ": %s", seed, storm->fault);
    expect_calm(storm, loader, own_clock ? NULL : &clock);
    report(storm);
    sluice_cache_destroy(storm->cache);
    storm_loader_destroy(loader);
    free(storm);
}

static void rules_3_4_19_23_hold_in_a_storm_by_the_cache_own_clock(void **state)
{
    (void)state;
    storm_run(4, true);
}

static void rules_3_4_19_23_hold_in_a_storm_by_a_wild_clock(void **state)
{
    (void)state;
    storm_run(2, false);
}

static void rules_3_4_19_23_hold_in_a_storm_on_one_shard(void **state)
{
    (void)state;
    storm_run(1, true);
}

int main(void)
{
    static const struct CMUnitTest tests[STORMS] = {
        cmocka_unit_test(rules_3_4_19_23_hold_in_a_storm_by_the_cache_own_clock),
        cmocka_unit_test(rules_3_4_19_23_hold_in_a_storm_by_a_wild_clock),
        cmocka_unit_test(rules_3_4_19_23_hold_in_a_storm_on_one_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
