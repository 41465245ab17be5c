/* SPDX-License-Identifier: MIT */
/* run_bulk.c: a worker's bulk gets and bulk refreshes. See run_work.h. */
#include "run_work.h"

#include <stdlib.h>

/* Draws some keys; one of them may be there twice. */
static void keys_draw(struct worker *worker, struct keys_call *call)
{
    unsigned keys = worker->run->mood.keys, first = random_below(&worker->random, keys);

    *call = (struct keys_call){.count = 1 + random_below(&worker->random, keys)};
    for (size_t i = 0; i < call->count; i++)
        call->numbers[i] = (first + (unsigned)i) % keys;
    if (call->count > 2 && random_below(&worker->random, 8) == 0)
        call->numbers[call->count - 1] = first;
    for (size_t i = 0; i < call->count; i++)
        call->keys[i] = run_key(call->numbers[i]);
}

/* Every key once. */
static void keys_all(const struct run *run, struct keys_call *call)
{
    *call = (struct keys_call){.count = run->mood.keys};
    for (unsigned i = 0; i < call->count; i++) {
        call->numbers[i] = i;
        call->keys[i] = run_key(i);
    }
}

/* Writes down that each begins: a get or a refresh. What loads is what the first one of its key leads. */
static void keys_begin(struct run *run, struct keys_call *call, const struct record *begin)
{
    for (size_t i = call->count; i-- > 0;) {
        struct record record = *begin;
        record.keys = (uint16_t)(1u << call->numbers[i]);
        call->begins[i] = record_add(run->log, record);
        call->about.begins[call->numbers[i]] = call->begins[i];
    }
}

static void keys_end(struct run *run, const struct keys_call *call, enum record_kind kind,
                     const struct sluice_outcome *outcomes)
{
    for (size_t i = 0; i < call->count; i++)
        run_record_outcome(run, kind, call->begins[i], &outcomes[i]);
}

static void outcomes_fini(struct sluice_outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sluice_outcome_fini(&outcomes[i]);
}

void work_bulk_now(struct worker *worker, bool all)
{
    struct run *run = worker->run;
    struct sluice_outcome outcomes[RUN_KEYS_MAX];
    int64_t timeout_ms = work_timeout_ms(worker);
    const struct run_about *outer;
    struct keys_call call;

    keys_draw(worker, &call);
    if (all)
        keys_all(run, &call);
    keys_begin(run, &call, &(struct record){.kind = RECORD_GET_BEGIN, .how = RECORD_BULK});
    outer = run_enter(&call.about);
    if (sluice_get_many(run->cache, call.keys, call.count, timeout_ms, outcomes) != SLUICE_OK)
        abort();
    run_enter(outer);
    keys_end(run, &call, RECORD_GET_END, outcomes);
    outcomes_fini(outcomes, call.count);
}

/* ---- asynchronous ------------------------------------------------------------------------------------------------ */

static void bulk_callback(void *arg, const struct sluice_outcome *outcomes, size_t count)
{
    struct bulk_call *call = arg;

    if (count != call->keys.count)
        abort();
    keys_end(call->run, &call->keys, RECORD_CALLBACK, outcomes);
    atomic_store(&call->told, true);
}

/* Cancels, which is written down for each get. */
static bool bulk_cancel(struct bulk_call *call)
{
    struct run *run = call->run;
    uint64_t begins[RUN_KEYS_MAX];
    bool cancelled;

    for (size_t i = 0; i < call->keys.count; i++)
        begins[i] = record_add(run->log, (struct record){.kind = RECORD_CANCEL_BEGIN, .begin = call->keys.begins[i]});
    cancelled = sluice_bulk_cancel(call->bulk);
    for (size_t i = 0; i < call->keys.count; i++)
        record_add(run->log, (struct record){.kind = RECORD_CANCEL_END,
                                             .begin = begins[i],
                                             .error = cancelled ? RECORD_OK : RECORD_OTHER});
    return cancelled;
}

bool work_bulk_settle(struct bulk_call *call, bool cancel)
{
    if (call->bulk == NULL)
        return true;
    if (cancel && bulk_cancel(call))
        atomic_store(&call->told, true);
    if (!atomic_load(&call->told))
        return false;
    sluice_bulk_unref(call->bulk);
    call->bulk = NULL;
    return true;
}

void work_bulk_later(struct worker *worker)
{
    struct run *run = worker->run;
    struct bulk_call *call = &worker->bulks[random_below(&worker->random, RUN_BULKS_KEPT)];
    struct sluice_outcome outcomes[RUN_KEYS_MAX];
    struct sluice_bulk_request request = {.callback = bulk_callback, .arg = call};
    const struct run_about *outer;
    enum sluice_error error;

    if (!work_bulk_settle(call, random_below(&worker->random, 4) == 0))
        return;
    call->run = run;
    keys_draw(worker, &call->keys);
    request.keys = call->keys.keys;
    request.count = call->keys.count;
    request.timeout_ms = work_timeout_ms(worker);
    atomic_store(&call->told, false);
    keys_begin(run, &call->keys, &(struct record){.kind = RECORD_GET_BEGIN, .how = RECORD_BULK_ASYNC});
    outer = run_enter(&call->keys.about);
    error = sluice_get_many_async(run->cache, &request, outcomes, &call->bulk);
    run_enter(outer);
    if (error == SLUICE_PARKED) {
        for (size_t i = 0; i < call->keys.count; i++)
            record_add(run->log, (struct record){.kind = RECORD_GET_PARKED, .begin = call->keys.begins[i]});
        return;
    }
    keys_end(run, &call->keys, RECORD_GET_END, outcomes);
    outcomes_fini(outcomes, call->keys.count);
}

/* ---- refreshes --------------------------------------------------------------------------------------------------- */

void work_refresh(struct worker *worker, unsigned key)
{
    struct run *run = worker->run;
    const struct run_about *outer;
    struct keys_call call;
    enum sluice_error error;

    keys_draw(worker, &call);
    if (random_below(&worker->random, 2) == 0) {
        call = (struct keys_call){.count = 1, .numbers = {key}};
        call.keys[0] = run_key(key);
    }
    keys_begin(run, &call, &(struct record){.kind = RECORD_REFRESH_BEGIN});
    outer = run_enter(&call.about);
    if (call.count == 1)
        error = sluice_refresh(run->cache, call.keys[0].data, call.keys[0].size);
    else
        error = sluice_refresh_many(run->cache, call.keys, call.count);
    run_enter(outer);
    for (size_t i = 0; i < call.count; i++)
        record_add(run->log, (struct record){.kind = RECORD_REFRESH_END,
                                             .begin = call.begins[i],
                                             .error = (uint8_t)run_error_word(error)});
}
