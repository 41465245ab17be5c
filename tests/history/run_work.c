/* SPDX-License-Identifier: MIT */
/* run_work.c: what a worker of a run does: one thing after the other, as drawn. See run.h. */
#include "run_work.h"

#include "await.h"

#include <stdio.h>
#include <stdlib.h>

static void settle_some(struct worker *worker)
{
    if (random_below(&worker->random, 4) == 0)
        (void)work_bulk_settle(&worker->bulks[random_below(&worker->random, RUN_BULKS_KEPT)], true);
    else
        (void)work_call_settle(&worker->calls[random_below(&worker->random, RUN_CALLS_KEPT)], true);
}

static void do_something(struct worker *worker)
{
    struct run *run = worker->run;
    unsigned key = random_below(&worker->random, run->mood.keys);
    unsigned what = random_below(&worker->random, 100);

    if (random_below(&worker->random, 1000) < run->mood.changes)
        work_change(worker, key);
    else if (what < 31)
        work_get_now(run, key, RECORD_BLOCKING, work_timeout_ms(worker));
    else if (what < 67)
        work_get_later(worker, key);
    else if (what < 86)
        work_get_now(run, key, RECORD_PRESENT, 0);
    else if (what < 90)
        work_bulk_now(worker, false);
    else if (what < 95)
        work_bulk_later(worker);
    else if (what < 97 && run->mood.refresh_ms != SLUICE_NEVER)
        work_refresh(worker, key);
    else
        settle_some(worker);
}

static void await_calls(struct worker *worker)
{
    int64_t start_ms = await_now_ms();
    bool settled = false;

    while (!settled) {
        settled = true;
        for (size_t i = 0; i < RUN_CALLS_KEPT; i++)
            settled = work_call_settle(&worker->calls[i], false) && settled;
        for (size_t i = 0; i < RUN_BULKS_KEPT; i++)
            settled = work_bulk_settle(&worker->bulks[i], false) && settled;
        if (!settled && !await_again(start_ms)) {
            fputs("run: a callback never ran\n", stderr);
            abort(); /* it may still come, into memory that is gone */
        }
    }
}

struct worker *work_create(struct run *run, unsigned number)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL)
        abort();
    worker->run = run;
    random_init(&worker->random, run->seed * RUN_WORKERS + number);
    for (size_t i = 0; i < RUN_CALLS_KEPT; i++)
        worker->calls[i].run = run;
    for (size_t i = 0; i < RUN_BULKS_KEPT; i++)
        worker->bulks[i].run = run;
    return worker;
}

void work_end(struct worker *worker)
{
    await_calls(worker);
    free(worker);
}

void run_work(struct run *run, unsigned number)
{
    struct worker *worker = work_create(run, number);

    while (!atomic_load_explicit(&run->stop, memory_order_relaxed) && !record_full(run->log))
        do_something(worker);
    work_end(worker);
}
