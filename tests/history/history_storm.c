/* SPDX-License-Identifier: MIT */
/*
 * history_storm SECONDS SEED LOG: threads do everything to a fresh cache at random, through the public interface, and
 * the history of it is written to LOG for history_check. The run is over after SECONDS (a fraction is allowed), but not
 * before there are EVENTS_MIN events, or when a thread has written RECORDS_MAX records. The seed also draws how the
 * cache is set up. Status: 0 the log is written.
 */
#include "await.h"
#include "errand.h"
#include "random.h"
#include "run.h"
#include "slow_loader.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX ((size_t)240000)
#define EVENTS_MIN  ((uint64_t)20000)
#define BACKOFF_MS  8

static struct run_mood mood_of(uint64_t seed)
{
    struct random random;
    struct run_mood mood;

    random_init(&random, seed);
    mood.keys = 2 + random_below(&random, RUN_KEYS_MAX - 1);
    mood.shards = 1u << random_below(&random, 3);
    mood.changes = 10u << random_below(&random, 6);
    mood.slow = 5u << random_below(&random, 7);
    mood.pressure = seed % 5 == 3;
    mood.load_timeout_ms = seed % 3 == 2 ? SLOW_LOAD_TIMEOUT_MS : SLUICE_NEVER;
    mood.refresh_ms = seed % 2 == 0 ? 1 + (int64_t)random_below(&random, 4) : SLUICE_NEVER;
    mood.stale_ms = mood.refresh_ms == SLUICE_NEVER ? 0 : (int64_t)random_below(&random, 4);
    mood.own_threads = seed % 8 == 4;
    mood.many = seed % 2 == 1 || seed % 8 == 4;
    mood.batch_ms = seed % 8 == 1 || seed % 16 == 4 ? 1 : 0;
    return mood;
}

static struct record_facts facts_of(const struct run *run)
{
    const unsigned always[] = {3, 4, 13, 22, 23};
    struct record_facts facts = {
        .seed = run->seed,
        .load_timeout_ms = run->mood.load_timeout_ms == SLUICE_NEVER ? RECORD_NEVER : run->mood.load_timeout_ms,
        .stale_ms = 2 * run->mood.stale_ms,
        .backoff_ms = BACKOFF_MS - BACKOFF_MS / 4, /* the jitter */
        .evicts = run->mood.pressure,
        .listens = true,
        .together_max = RUN_BATCH_MAX,
        .batches = run->mood.batch_ms > 0,
    };

    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        facts.rules |= 1u << always[i];
    if (!run->mood.pressure)
        facts.rules |= 1u << 2;
    if (run->mood.refresh_ms != SLUICE_NEVER)
        facts.rules |= 1u << 11;
    /* With batches it is known for bulk gets alone who began a load. */
    facts.rules |= facts.batches ? 1u << 15 : 1u << 1;
    return facts;
}

static void removed(void *self, const struct sluice_removal *removal)
{
    static const enum record_cause causes[] = {
        [SLUICE_REMOVED_EXPLICIT] = RECORD_EXPLICIT,
        [SLUICE_REMOVED_REPLACED] = RECORD_REPLACED,
        [SLUICE_REMOVED_EXPIRED] = RECORD_EXPIRED,
        [SLUICE_REMOVED_SIZE] = RECORD_SIZE,
    };
    struct run *run = self;

    record_add(run->log, (struct record){.kind = RECORD_REMOVED,
                                         .keys = (uint16_t)(1u << run_key_number(removal->key, removal->key_size)),
                                         .how = (uint8_t)causes[removal->cause],
                                         .value = run_value_name(removal->value)});
}

static struct sluice_options options_of(struct run *run, struct slow_loader *loader)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;

    options.listener = (struct sluice_listener){.removed = removed, .self = run};
    if (!run->mood.own_threads)
        options.executor = slow_loader_executor();
    options.refresh_after_write_ms = run->mood.refresh_ms;
    options.stale_while_revalidate_ms = run->mood.stale_ms;
    options.stale_if_error_ms = 2 * run->mood.stale_ms;
    options.loader = slow_loader_option(loader);
    options.shards = run->mood.shards;
    options.maximum_entries = run->mood.pressure ? run->mood.keys / 2 : 1000;
    options.expire_after_write_ms = RUN_EXPIRE_MS;
    options.not_found_ttl_ms = 3;
    options.failure_backoff_ms = BACKOFF_MS;
    options.failure_backoff_max_ms = 2 * BACKOFF_MS;
    options.load_timeout_ms = run->mood.load_timeout_ms;
    options.waiters_per_key_max = 8;
    options.loads_max = SLOW_LOADS_MAX;
    options.batch_window_ms = run->mood.batch_ms;
    options.batch_size_max = RUN_BATCH_MAX;
    return options;
}

struct worker_errand {
    struct run *run;
    unsigned number;
};

static void work(void *arg)
{
    struct worker_errand *errand = arg;

    run_work(errand->run, errand->number);
}

/* Whether the time is not over, or so little has happened on a busy machine that some rule may have had no case. */
static bool blows(struct run *run, int64_t start_ms, int64_t span_ms)
{
    if (record_full(run->log))
        return false;
    if (await_now_ms() - start_ms < span_ms) {
        sched_yield();
        return true;
    }
    return record_count(run->log) < EVENTS_MIN && await_again(start_ms);
}

/* Lets the workers do what they like until the time is over. */
static bool blow(struct run *run, struct slow_loader *loader, int64_t span_ms)
{
    struct worker_errand errands[RUN_WORKERS];
    struct errand *threads[RUN_WORKERS];
    int64_t start_ms = await_now_ms();
    bool ended = true;

    for (unsigned i = 0; i < RUN_WORKERS; i++) {
        errands[i] = (struct worker_errand){run, i};
        threads[i] = errand_start(work, &errands[i]);
    }
    while (blows(run, start_ms, span_ms))
        ;
    atomic_store(&run->stop, true);
    slow_loader_hurry(loader);
    for (unsigned i = 0; i < RUN_WORKERS; i++)
        ended = errand_ended(threads[i]) && ended;
    for (unsigned i = 0; i < RUN_WORKERS && ended; i++)
        errand_join(threads[i]);
    return ended;
}

/* Waits until no load is in flight and nobody is parked, and writes the counters down. */
static bool record_stats(struct run *run)
{
    int64_t start_ms = await_now_ms();
    struct sluice_stats stats;

    do
        sluice_cache_stats(run->cache, &stats);
    while ((stats.loads_in_flight > 0 || stats.waiters > 0) && await_again(start_ms));

    const uint64_t counts[RECORD_STATS_COUNT] = {
        [RECORD_STAT_GETS] = stats.gets,
        [RECORD_STAT_HITS] = stats.hits,
        [RECORD_STAT_STALE] = stats.stale,
        [RECORD_STAT_MISSES] = stats.misses,
        [RECORD_STAT_COALESCED] = stats.coalesced,
        [RECORD_STAT_REFUSED] = stats.refused,
        [RECORD_STAT_WAITS_TIMED_OUT] = stats.waits_timed_out,
        [RECORD_STAT_WAITS_CANCELLED] = stats.waits_cancelled,
        [RECORD_STAT_LOADS] = stats.loads,
        [RECORD_STAT_REFRESHES] = stats.refreshes,
        [RECORD_STAT_LOADS_COMPLETED] = stats.loads_completed,
        [RECORD_STAT_LOADS_FAILED] = stats.loads_failed,
        [RECORD_STAT_LOADS_NOT_FOUND] = stats.loads_not_found,
        [RECORD_STAT_LOADS_DROPPED] = stats.loads_dropped,
        [RECORD_STAT_LOADS_IN_FLIGHT] = stats.loads_in_flight,
        [RECORD_STAT_WAITERS] = stats.waiters,
        [RECORD_STAT_PUTS] = stats.puts,
    };
    for (unsigned i = 0; i < RECORD_STATS_COUNT; i++)
        record_add(run->log, (struct record){.kind = RECORD_STATS, .how = (uint8_t)i, .value = counts[i]});
    return stats.loads_in_flight == 0;
}

static bool storm(struct run *run, int64_t span_ms)
{
    struct slow_loader *loader = slow_loader_create(run);
    struct sluice_options options = options_of(run, loader);
    enum sluice_error error = sluice_cache_create(&options, &run->cache);
    uint64_t begin;

    run->loader = loader;
    if (error != SLUICE_OK) {
        fprintf(stderr, "history_storm: %s\n", sluice_strerror(error));
        return false;
    }
    if (!blow(run, loader, span_ms) || !record_stats(run)) {
        fputs("history_storm: a thread or a load does not come to its end\n", stderr);
        abort();
    }
    begin = record_add(run->log, (struct record){.kind = RECORD_DESTROY_BEGIN});
    sluice_cache_destroy(run->cache);
    record_add(run->log, (struct record){.kind = RECORD_DESTROY_END, .begin = begin});
    slow_loader_destroy(loader);
    return true;
}

int main(int argc, char **argv)
{
    struct run run = {.stop = false};
    struct record_facts facts;
    double seconds;
    bool written;

    if (argc != 4 || (seconds = strtod(argv[1], NULL)) <= 0) {
        fputs("usage: history_storm SECONDS SEED LOG\n", stderr);
        return 2;
    }
    run.seed = strtoull(argv[2], NULL, 0);
    run.mood = mood_of(run.seed);
    facts = facts_of(&run);
    run.log = record_log_create(&facts, RECORDS_MAX);
    written = storm(&run, (int64_t)(seconds * 1000));
    if (written && !record_log_write(run.log, argv[3])) {
        fprintf(stderr, "history_storm: %s: %s\n", argv[3], strerror(errno));
        written = false;
    }
    record_log_destroy(run.log);
    return written ? 0 : 1;
}
