/* SPDX-License-Identifier: MIT */
/* run_cache.c: a cache of a run: how it is set up, and what is done to it as a whole. See run.h. */
#include "await.h"
#include "run.h"
#include "slow_loader.h"

#include <stdio.h>

/* ---- the listener ------------------------------------------------------------------------------------------------ */

static uint64_t record_removal(struct run *run, enum record_kind kind, const struct sluice_removal *removal)
{
    static const enum record_cause causes[] = {
        [SLUICE_REMOVED_EXPLICIT] = RECORD_EXPLICIT,
        [SLUICE_REMOVED_REPLACED] = RECORD_REPLACED,
        [SLUICE_REMOVED_EXPIRED] = RECORD_EXPIRED,
        [SLUICE_REMOVED_SIZE] = RECORD_SIZE,
    };

    return record_add(run->log,
                      (struct record){.kind = (uint8_t)kind,
                                      .keys = (uint16_t)(1u << run_key_number(removal->key, removal->key_size)),
                                      .how = (uint8_t)causes[removal->cause],
                                      .value = run_value_name(removal->value)});
}

static void removed(void *self, const struct sluice_removal *removal)
{
    (void)record_removal(self, RECORD_REMOVED, removal);
}

/* It may call the cache, and does now and then. */
static void evicting(void *self, const struct sluice_removal *removal)
{
    uint64_t order = record_removal(self, RECORD_EVICTING, removal);

    if (order % 8 == 0)
        run_get_present(self, run_key_number(removal->key, removal->key_size));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

#define NOT_FOUND_MS 3

static struct sluice_options options_of(struct run *run)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;

    options.listener = (struct sluice_listener){.removed = removed, .self = run};
    if (run->mood.offers)
        options.listener.evicting = evicting;
    if (!run->mood.own_threads)
        options.executor = slow_loader_executor();
    options.refresh_after_write_ms = run->mood.refresh_ms;
    options.stale_while_revalidate_ms = run->mood.stale_ms;
    options.stale_if_error_ms = 2 * run->mood.stale_ms;
    options.loader = slow_loader_option(run->loader);
    options.shards = run->mood.shards;
    options.maximum_entries = run->mood.pressure ? run->mood.keys / 2 : 1000;
    options.expire_after_write_ms = RUN_EXPIRE_MS;
    options.not_found_ttl_ms = NOT_FOUND_MS;
    options.failure_backoff_ms = RUN_BACKOFF_MS;
    options.failure_backoff_max_ms = 2 * RUN_BACKOFF_MS;
    options.load_timeout_ms = run->mood.load_timeout_ms;
    options.waiters_per_key_max = 8;
    options.loads_max = SLOW_LOADS_MAX;
    options.batch_window_ms = run->mood.batch_ms;
    options.batch_size_max = RUN_BATCH_MAX;
    return options;
}

bool run_cache_create(struct run *run)
{
    struct sluice_options options;
    enum sluice_error error;

    run->loader = slow_loader_create(run);
    options = options_of(run);
    record_add(run->log, (struct record){.kind = RECORD_CREATE});
    error = sluice_cache_create(&options, &run->cache);
    if (error != SLUICE_OK)
        fprintf(stderr, "run: %s\n", sluice_strerror(error));
    return error == SLUICE_OK;
}

void run_cache_close(struct run *run)
{
    uint64_t begin = record_add(run->log, (struct record){.kind = RECORD_CLOSE_BEGIN});

    sluice_cache_close(run->cache);
    record_add(run->log, (struct record){.kind = RECORD_CLOSE_END, .begin = begin});
}

void run_cache_destroy(struct run *run)
{
    uint64_t begin = record_add(run->log, (struct record){.kind = RECORD_DESTROY_BEGIN});

    sluice_cache_destroy(run->cache);
    run->cache = NULL;
    record_add(run->log, (struct record){.kind = RECORD_DESTROY_END, .begin = begin});
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

bool run_cache_save(struct run *run)
{
    uint64_t begin = record_add(run->log, (struct record){.kind = RECORD_SAVE_BEGIN});
    struct sluice_saved what;
    enum sluice_error error = sluice_cache_save(run->cache, run->saved_path, &what);

    record_add(run->log,
               (struct record){.kind = RECORD_SAVE_END, .begin = begin, .error = (uint8_t)run_error_word(error)});
    if (error != SLUICE_OK)
        fprintf(stderr, "run: %s: %s\n", run->saved_path, what.words);
    return error == SLUICE_OK;
}

bool run_cache_warm(struct run *run)
{
    uint64_t begin = record_add(run->log, (struct record){.kind = RECORD_WARM_BEGIN});
    struct sluice_saved what;
    enum sluice_error error = sluice_cache_load(run->cache, run->saved_path, &what);

    record_add(run->log,
               (struct record){.kind = RECORD_WARM_END, .begin = begin, .error = (uint8_t)run_error_word(error)});
    if (error != SLUICE_OK)
        fprintf(stderr, "run: %s: %s\n", run->saved_path, what.words);
    return error == SLUICE_OK;
}

/* ---- at rest ----------------------------------------------------------------------------------------------------- */

bool run_cache_rest(struct run *run)
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
