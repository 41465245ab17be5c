/* SPDX-License-Identifier: MIT */
/* run_get.c: a worker's gets of one key. See run_work.h. */
#include "run_work.h"

static uint64_t record_get(struct run *run, unsigned key, enum record_get how)
{
    return record_add(run->log,
                      (struct record){.kind = RECORD_GET_BEGIN, .keys = (uint16_t)(1u << key), .how = (uint8_t)how});
}

int64_t work_timeout_ms(struct worker *worker)
{
    unsigned draw = random_below(&worker->random, 16);

    return draw < 5 && !worker->patient ? (int64_t)draw : SLUICE_WAIT_FOREVER;
}

void work_get_now(struct run *run, unsigned key, enum record_get how, int64_t timeout_ms)
{
    struct sluice_key bytes = run_key(key);
    struct sluice_outcome outcome;
    struct run_about about;
    uint64_t begin = record_get(run, key, how);
    const struct run_about *outer = run_enter_one(&about, key, begin);

    if (how == RECORD_PRESENT)
        (void)!sluice_get_if_present(run->cache, bytes.data, bytes.size, &outcome);
    else
        (void)!sluice_get_outcome(run->cache, bytes.data, bytes.size, timeout_ms, &outcome);
    run_enter(outer);
    run_record_outcome(run, RECORD_GET_END, begin, &outcome);
    sluice_outcome_fini(&outcome);
}

void run_get_present(struct run *run, unsigned key)
{
    work_get_now(run, key, RECORD_PRESENT, 0);
}

static void callback(void *arg, const struct sluice_outcome *outcome)
{
    struct call *call = arg;
    struct run *run = call->run;

    run_record_outcome(run, RECORD_CALLBACK, call->begin, outcome);
    if (call->whim == 0)
        work_get_now(run, call->key, RECORD_PRESENT, 0); /* rule 19: a callback may call the cache */
    atomic_store(&call->told, true);
}

bool work_call_settle(struct call *call, bool cancel)
{
    struct run *run = call->run;

    if (call->wait == NULL)
        return true;
    if (cancel) {
        uint64_t begin = record_add(run->log, (struct record){.kind = RECORD_CANCEL_BEGIN, .begin = call->begin});
        bool cancelled = sluice_wait_cancel(call->wait);
        record_add(
            run->log,
            (struct record){.kind = RECORD_CANCEL_END, .begin = begin, .error = cancelled ? RECORD_OK : RECORD_OTHER});
        if (cancelled)
            atomic_store(&call->told, true);
    }
    if (!atomic_load(&call->told))
        return false;
    sluice_wait_unref(call->wait);
    call->wait = NULL;
    return true;
}

void work_get_later(struct worker *worker, unsigned key)
{
    struct run *run = worker->run;
    struct call *call = &worker->calls[random_below(&worker->random, RUN_CALLS_KEPT)];
    struct sluice_key bytes = run_key(key);
    struct sluice_async_get get = {.key = bytes.data, .key_size = bytes.size, .callback = callback, .arg = call};
    const struct run_about *outer;
    struct sluice_outcome outcome;
    struct run_about about;
    enum sluice_error error;

    if (!work_call_settle(call, random_below(&worker->random, 4) == 0))
        return;
    get.timeout_ms = work_timeout_ms(worker);
    call->run = run;
    call->key = key;
    call->whim = random_below(&worker->random, 8);
    atomic_store(&call->told, false);
    call->begin = record_get(run, key, RECORD_ASYNC);
    outer = run_enter_one(&about, key, call->begin);
    error = sluice_get_async(run->cache, &get, &outcome, &call->wait);
    run_enter(outer);
    if (error == SLUICE_PARKED) {
        record_add(run->log, (struct record){.kind = RECORD_GET_PARKED, .begin = call->begin});
        return;
    }
    run_record_outcome(run, RECORD_GET_END, call->begin, &outcome);
    sluice_outcome_fini(&outcome);
}
