/* SPDX-License-Identifier: MIT */
/*
 * run_last.c: the end of a cache that is destroyed while it is waited for (rule 18). Everybody who is parked then is
 * told so, threads that block in a get, a bulk get and a computation among them; their loads end when the cache is
 * gone.
 */
#include "await.h"
#include "errand.h"
#include "run_work.h"

#include <stdio.h>
#include <stdlib.h>

#define LAST_THREADS 3
#define LAST_CALLS   32

/* A thread that will block, in the call of its number. */
struct last {
    struct worker *worker;
    unsigned number;
};

static void last_call(void *arg)
{
    struct last *last = arg;

    if (last->number == 0)
        work_get_now(last->worker->run, 0, RECORD_BLOCKING, SLUICE_WAIT_FOREVER);
    else if (last->number == 1)
        work_bulk_now(last->worker, true);
    else
        work_compute(last->worker, 0);
}

/* Nothing is stored any more, so that whoever comes waits. */
static void empty(struct run *run)
{
    uint64_t begin = record_add(
        run->log, (struct record){.kind = RECORD_INVALIDATE_BEGIN, .how = RECORD_ALL, .keys = run_keys_mask(run, "")});

    sluice_invalidate_all(run->cache, NULL);
    record_add(run->log, (struct record){.kind = RECORD_INVALIDATE_END, .begin = begin});
}

/* The threads have parked: of the bulk, once for each key. */
static bool await_parked(struct run *run)
{
    int64_t start_ms = await_now_ms();
    struct sluice_stats stats;

    do
        sluice_cache_stats(run->cache, &stats);
    while (stats.waiters < LAST_THREADS - 1 + run->mood.keys && await_again(start_ms));
    return stats.waiters == LAST_THREADS - 1 + run->mood.keys;
}

static struct worker *patient_worker(struct run *run, unsigned number)
{
    struct worker *worker = work_create(run, number);

    worker->patient = true;
    return worker;
}

/* Calls that park and return, as far as the bounds allow. */
static void park_calls(struct worker *worker)
{
    for (unsigned i = 0; i < LAST_CALLS; i++) {
        if (random_below(&worker->random, 4) == 0)
            work_bulk_later(worker);
        else
            work_get_later(worker, i % worker->run->mood.keys);
    }
}

bool run_cache_destroy_at_work(struct run *run)
{
    struct last lasts[LAST_THREADS];
    struct errand *threads[LAST_THREADS];
    struct worker *worker = patient_worker(run, 2 * RUN_WORKERS);
    bool ended = true;

    slow_loader_hold(run->loader);
    empty(run);
    for (unsigned i = 0; i < LAST_THREADS; i++) {
        lasts[i] = (struct last){patient_worker(run, 2 * RUN_WORKERS + 1 + i), i};
        threads[i] = errand_start(last_call, &lasts[i]);
    }
    if (!await_parked(run)) {
        fputs("run: a get does not park on a load that does not end\n", stderr);
        abort();
    }
    park_calls(worker);
    run_cache_destroy(run);
    for (unsigned i = 0; i < LAST_THREADS; i++)
        ended = errand_ended(threads[i]) && ended;
    if (!ended) {
        fputs("run: a thread is still parked on a cache that was destroyed\n", stderr);
        abort();
    }
    for (unsigned i = 0; i < LAST_THREADS; i++) {
        errand_join(threads[i]);
        work_end(lasts[i].worker);
    }
    work_end(worker);
    slow_loader_hurry(run->loader);
    return true;
}
