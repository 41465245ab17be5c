/* SPDX-License-Identifier: MIT */
/*
 * history_storm SECONDS SEED LOG: threads do everything to a fresh cache at random, through the public interface, and
 * the history of it is written to LOG for history_check. The run is over after SECONDS (a fraction is allowed), but not
 * before there are EVENTS_MIN events, or when a thread has written RECORDS_MAX records. The seed also draws how the
 * cache is set up, how it ends, and whether it is saved and another one is loaded from that, which then has its storm
 * too. Status: 0 the log is written.
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
#include <unistd.h>

#define RECORDS_MAX   ((size_t)240000)
#define EVENTS_MIN    ((uint64_t)20000)
#define SLOW_MIN      160
#define EVENTS_CLOSED ((uint64_t)1000) /* after a close, before the workers stop */

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
    mood.offers = seed % 3 == 0 || mood.pressure;
    mood.end = seed % 4 == 1 ? RUN_CLOSED : seed % 4 == 3 ? RUN_DESTROYED : RUN_RESTS;
    mood.warm = seed % 8 == 2 || seed % 8 == 5 || seed % 8 == 7;
    mood.warm_first = (seed % 8 == 2) == (seed / 8 % 2 == 0);
    if (mood.end == RUN_CLOSED && mood.slow < SLOW_MIN)
        mood.slow = SLOW_MIN; /* so that loads are in flight then */
    if (mood.end == RUN_DESTROYED)
        mood.load_timeout_ms = SLUICE_NEVER; /* so that what waits, waits for the end */
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
        .backoff_ms = RUN_BACKOFF_MS - RUN_BACKOFF_MS / 4, /* the jitter */
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
    if (run->mood.end != RUN_RESTS)
        facts.rules |= 1u << 18;
    /* With batches it is known for bulk gets alone who began a load. */
    facts.rules |= facts.batches ? 1u << 15 : 1u << 1;
    return facts;
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

/* Lets the workers go on until so much time is over, and so many events have been written down: else, on a busy
 * machine, some rule may have had no case. */
static void go_on(struct run *run, int64_t span_ms, uint64_t events)
{
    int64_t start_ms = await_now_ms();
    uint64_t enough = record_count(run->log) + events;

    while (!record_full(run->log) && await_now_ms() - start_ms < span_ms)
        sched_yield();
    while (!record_full(run->log) && record_count(run->log) < enough && await_again(start_ms))
        ;
}

/* What happens to the cache as a whole while the workers are at it. `second`: it follows another one. */
static bool happen(struct run *run, bool second, int64_t span_ms, uint64_t events)
{
    bool done = true;

    if (second && !run->mood.warm_first)
        done = run_cache_warm(run);
    go_on(run, span_ms / 2, events / 2);
    if (run->mood.warm && !second)
        done = run_cache_save(run) && done;
    go_on(run, span_ms / 2, events / 2);
    if (run->mood.end == RUN_CLOSED) {
        run_cache_close(run);
        go_on(run, 0, EVENTS_CLOSED);
        if (run->mood.warm && !second)
            done = run_cache_save(run) && done; /* as is best for the next start */
    }
    return done;
}

/* Lets the workers do what they like until the time is over. */
static bool blow(struct run *run, bool second, int64_t span_ms, uint64_t events)
{
    struct worker_errand errands[RUN_WORKERS];
    struct errand *threads[RUN_WORKERS];
    bool done, ended = true;

    atomic_store(&run->stop, false);
    for (unsigned i = 0; i < RUN_WORKERS; i++) {
        errands[i] = (struct worker_errand){run, second ? RUN_WORKERS + i : i};
        threads[i] = errand_start(work, &errands[i]);
    }
    done = happen(run, second, span_ms, events);
    atomic_store(&run->stop, true);
    slow_loader_hurry(run->loader);
    for (unsigned i = 0; i < RUN_WORKERS; i++)
        ended = errand_ended(threads[i]) && ended;
    for (unsigned i = 0; i < RUN_WORKERS && ended; i++)
        errand_join(threads[i]);
    if (!ended || !run_cache_rest(run)) {
        fputs("history_storm: a thread or a load does not come to its end\n", stderr);
        abort();
    }
    return done;
}

/* One cache from its beginning to its end. */
static bool storm(struct run *run, bool second, int64_t span_ms, uint64_t events)
{
    bool done = run_cache_create(run);

    if (!done)
        return false;
    if (second && run->mood.warm_first) {
        done = run_cache_warm(run);
        for (unsigned key = 0; key < run->mood.keys; key++)
            run_get_present(run, key);
    }
    done = blow(run, second, span_ms, events) && done;
    if (run->mood.end == RUN_DESTROYED)
        done = run_cache_destroy_at_work(run) && done;
    else
        run_cache_destroy(run);
    slow_loader_destroy(run->loader);
    return done;
}

/* The file lies beside the log, and is taken away again. */
static bool storms(struct run *run, const char *log_path, int64_t span_ms)
{
    unsigned caches = run->mood.warm ? 2 : 1;
    char saved_path[4096];
    bool done;

    if (snprintf(saved_path, sizeof saved_path, "%s.saved", log_path) >= (int)sizeof saved_path) {
        fputs("history_storm: the path of the log is too long\n", stderr);
        return false;
    }
    run->saved_path = saved_path;
    done = storm(run, false, span_ms / caches, EVENTS_MIN / caches);
    if (done && run->mood.warm)
        done = storm(run, true, span_ms / caches, EVENTS_MIN / caches);
    (void)unlink(saved_path);
    return done;
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
    written = storms(&run, argv[3], (int64_t)(seconds * 1000));
    if (written && !record_log_write(run.log, argv[3])) {
        fprintf(stderr, "history_storm: %s: %s\n", argv[3], strerror(errno));
        written = false;
    }
    record_log_destroy(run.log);
    return written ? 0 : 1;
}
