/* SPDX-License-Identifier: MIT */
/* run_work.c: what a worker of a run does. See run.h. */
#include "await.h"
#include "random.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An asynchronous get; used again once it has come to its end. */
struct call {
    struct run *run;
    struct sluice_wait *wait; /* NULL: not parked */
    uint64_t begin;
    unsigned key;
    unsigned whim; /* what the callback does besides */
    atomic_bool told;
};

struct worker {
    struct run *run;
    struct random random;
    struct call calls[RUN_CALLS_KEPT];
};

/* ---- gets -------------------------------------------------------------------------------------------------------- */

static enum record_error error_word(enum sluice_error error)
{
    switch (error) {
    case SLUICE_OK:
        return RECORD_OK;
    case SLUICE_NOT_FOUND:
        return RECORD_NOT_FOUND;
    case SLUICE_NOT_CACHED:
        return RECORD_NOT_CACHED;
    case SLUICE_LOAD_FAILED:
    case SLUICE_LOAD_REFUSED:
    case SLUICE_LOAD_TIMED_OUT:
        return RECORD_FAILED;
    case SLUICE_TIMED_OUT:
        return RECORD_TIMED_OUT;
    case SLUICE_TOO_MANY_WAITERS:
    case SLUICE_TOO_MANY_LOADS:
        return RECORD_REFUSED;
    default:
        return RECORD_OTHER;
    }
}

static void record_outcome(struct run *run, enum record_kind kind, uint64_t begin, const struct sluice_outcome *outcome)
{
    static const enum record_source sources[] = {
        [SLUICE_SOURCE_HIT] = RECORD_HIT,
        [SLUICE_SOURCE_LOAD] = RECORD_LED,
        [SLUICE_SOURCE_COALESCED] = RECORD_COALESCED,
        [SLUICE_SOURCE_NONE] = RECORD_NO_SOURCE,
    };

    record_add(run->log, (struct record){.kind = (uint8_t)kind,
                                         .begin = begin,
                                         .error = (uint8_t)error_word(outcome->error),
                                         .source = (uint8_t)sources[outcome->source],
                                         .stale = outcome->stale,
                                         .value = outcome->error == SLUICE_OK ? run_value_name(outcome->value) : 0});
}

static uint64_t record_get(struct run *run, unsigned key, enum record_get how)
{
    return record_add(run->log,
                      (struct record){.kind = RECORD_GET_BEGIN, .keys = (uint16_t)(1u << key), .how = (uint8_t)how});
}

/* Mostly for ever, else up to 4 ms. */
static int64_t some_timeout_ms(struct worker *worker)
{
    unsigned draw = random_below(&worker->random, 16);

    return draw < 5 ? (int64_t)draw : SLUICE_WAIT_FOREVER;
}

static void get_now(struct run *run, unsigned key, enum record_get how, int64_t timeout_ms)
{
    struct sluice_key bytes = run_key(key);
    struct sluice_outcome outcome;
    uint64_t begin = record_get(run, key, how);
    uint64_t outer = run_enter(begin);

    if (how == RECORD_PRESENT)
        (void)!sluice_get_if_present(run->cache, bytes.data, bytes.size, &outcome);
    else
        (void)!sluice_get_outcome(run->cache, bytes.data, bytes.size, timeout_ms, &outcome);
    run_enter(outer);
    record_outcome(run, RECORD_GET_END, begin, &outcome);
    sluice_outcome_fini(&outcome);
}

static void callback(void *arg, const struct sluice_outcome *outcome)
{
    struct call *call = arg;
    struct run *run = call->run;

    record_outcome(run, RECORD_CALLBACK, call->begin, outcome);
    if (call->whim == 0)
        get_now(run, call->key, RECORD_PRESENT, 0); /* rule 19: a callback may call the cache */
    atomic_store(&call->told, true);
}

/* Whether the call may be used again: told, or cancelled now if that is wished. */
static bool call_settle(struct call *call, bool cancel)
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

static void get_later(struct worker *worker, unsigned key)
{
    struct run *run = worker->run;
    struct call *call = &worker->calls[random_below(&worker->random, RUN_CALLS_KEPT)];
    struct sluice_key bytes = run_key(key);
    struct sluice_async_get get = {.key = bytes.data, .key_size = bytes.size, .callback = callback, .arg = call};
    struct sluice_outcome outcome;
    enum sluice_error error;
    uint64_t outer;

    if (!call_settle(call, random_below(&worker->random, 4) == 0))
        return;
    get.timeout_ms = some_timeout_ms(worker);
    call->run = run;
    call->key = key;
    call->whim = random_below(&worker->random, 8);
    atomic_store(&call->told, false);
    call->begin = record_get(run, key, RECORD_ASYNC);
    outer = run_enter(call->begin);
    error = sluice_get_async(run->cache, &get, &outcome, &call->wait);
    run_enter(outer);
    if (error == SLUICE_PARKED) {
        record_add(run->log, (struct record){.kind = RECORD_GET_PARKED, .begin = call->begin});
        return;
    }
    record_outcome(run, RECORD_GET_END, call->begin, &outcome);
    sluice_outcome_fini(&outcome);
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

static void put(struct worker *worker, unsigned key)
{
    struct run *run = worker->run;
    struct sluice_key bytes = run_key(key);
    struct record record = {.kind = RECORD_PUT_BEGIN, .keys = (uint16_t)(1u << key)};
    struct sluice_content content;
    enum sluice_error error;
    uint64_t name;

    content = run_content(run, random_below(&worker->random, 1024), &name, &record);
    name = record_add(run->log, record);
    error = sluice_put(run->cache, bytes.data, bytes.size, &content);

    record_add(run->log, (struct record){.kind = RECORD_PUT_END, .begin = name, .error = (uint8_t)error_word(error)});
}

static void refresh(struct run *run, unsigned key)
{
    struct sluice_key bytes = run_key(key);
    uint64_t begin = record_add(run->log, (struct record){.kind = RECORD_REFRESH_BEGIN, .keys = (uint16_t)(1u << key)});
    uint64_t outer = run_enter(begin);
    enum sluice_error error = sluice_refresh(run->cache, bytes.data, bytes.size);

    run_enter(outer);
    record_add(run->log,
               (struct record){.kind = RECORD_REFRESH_END, .begin = begin, .error = (uint8_t)error_word(error)});
}

/* The invalidation that is written down; of a prefix and a tag it is drawn whether it counts what it takes. */
static void invalidate_call(struct worker *worker, const struct record *record, const struct sluice_key both[2],
                            const char *pattern)
{
    struct sluice_cache *cache = worker->run->cache;
    struct sluice_invalidated count, *gone = random_below(&worker->random, 4) == 0 ? &count : NULL;

    switch (record->how) {
    case RECORD_KEY:
        sluice_invalidate(cache, both[0].data, both[0].size, gone);
        break;
    case RECORD_KEY_LIST:
        sluice_invalidate_keys(cache, both, 2, gone);
        break;
    case RECORD_PREFIX:
        sluice_invalidate_prefix(cache, pattern, strlen(pattern), gone);
        break;
    case RECORD_TAG:
        sluice_invalidate_tag(cache, pattern, gone);
        break;
    default:
        sluice_invalidate_all(cache, gone);
        break;
    }
}

/* One key, two, those of a letter, the values of a tag, or all in two ways. */
static void invalidate(struct worker *worker, unsigned key, enum record_scope scope)
{
    struct run *run = worker->run;
    unsigned other = (key + 1) % run->mood.keys;
    const char *pattern = random_below(&worker->random, 4) == 0 ? "" : key % 2 == 0 ? "a" : "b";
    unsigned tag = random_below(&worker->random, RECORD_TAGS_MAX);
    struct sluice_key both[] = {run_key(key), run_key(other)};
    struct record record = {.kind = RECORD_INVALIDATE_BEGIN, .how = (uint8_t)scope, .keys = (uint16_t)(1u << key)};
    uint64_t begin;

    if (scope == RECORD_KEY_LIST)
        record.keys |= (uint16_t)(1u << other);
    else if (scope != RECORD_KEY)
        record.keys = run_keys_mask(run, scope == RECORD_PREFIX ? pattern : "");
    if (scope == RECORD_TAG) {
        record.tags = (uint8_t)(1u << tag);
        pattern = run_tag(tag);
    }
    begin = record_add(run->log, record);
    invalidate_call(worker, &record, both, pattern);
    record_add(run->log, (struct record){.kind = RECORD_INVALIDATE_END, .begin = begin});
}

static void change_something(struct worker *worker, unsigned key)
{
    unsigned what = random_below(&worker->random, 100);

    if (what < 45)
        put(worker, key);
    else if (what < 75)
        invalidate(worker, key, RECORD_KEY);
    else if (what < 85)
        invalidate(worker, key, RECORD_KEY_LIST);
    else if (what < 90)
        invalidate(worker, key, RECORD_PREFIX);
    else if (what < 96)
        invalidate(worker, key, RECORD_TAG);
    else
        invalidate(worker, key, RECORD_ALL);
}

/* ---- the worker -------------------------------------------------------------------------------------------------- */

static void do_something(struct worker *worker)
{
    struct run *run = worker->run;
    unsigned key = random_below(&worker->random, run->mood.keys);
    unsigned what = random_below(&worker->random, 100);

    if (random_below(&worker->random, 1000) < run->mood.changes)
        change_something(worker, key);
    else if (what < 35)
        get_now(run, key, RECORD_BLOCKING, some_timeout_ms(worker));
    else if (what < 75)
        get_later(worker, key);
    else if (what < 95)
        get_now(run, key, RECORD_PRESENT, 0);
    else if (what < 97 && run->mood.refresh_ms != SLUICE_NEVER)
        refresh(run, key);
    else
        (void)call_settle(&worker->calls[random_below(&worker->random, RUN_CALLS_KEPT)], true);
}

void run_work(struct run *run, unsigned number)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int64_t start_ms;

    if (worker == NULL)
        abort();
    worker->run = run;
    random_init(&worker->random, run->seed * RUN_WORKERS + number);
    for (size_t i = 0; i < RUN_CALLS_KEPT; i++)
        worker->calls[i].run = run;
    while (!atomic_load_explicit(&run->stop, memory_order_relaxed) && !record_full(run->log))
        do_something(worker);
    start_ms = await_now_ms();
    for (size_t i = 0; i < RUN_CALLS_KEPT; i++)
        while (!call_settle(&worker->calls[i], false))
            if (!await_again(start_ms)) {
                fputs("run: a callback never ran\n", stderr);
                abort(); /* it may still come, into memory that is gone */
            }
    free(worker);
}
