/* SPDX-License-Identifier: MIT */
/* storm.c: what a worker of a storm does. See storm.h. */
#include "storm.h"

#include "await.h"
#include "errand.h"
#include "sums.h"

#include <sched.h>
#include <stdlib.h>

#define CALLS_KEPT 16 /* asynchronous gets of a worker under way at once */

/* An asynchronous get; used again once it has come to its end. */
struct storm_call {
    struct storm *storm;
    struct sluice_wait *wait; /* NULL: not parked */
    uint32_t key;
    uint64_t floor;
    unsigned whim; /* what the callback does besides */
    bool ready;    /* told that it parks, or never asked to be */
    atomic_uint told;
};

struct worker {
    struct storm *storm;
    uint32_t number;
    struct random random;
    struct storm_call calls[CALLS_KEPT];
};

void storm_fault(struct storm *storm, const char *fault)
{
    const char *none = NULL;
    if (fault == NULL)
        return;
    atomic_compare_exchange_strong(&storm->fault, &none, fault);
    atomic_store(&storm->stop, true);
}

struct sluice_key storm_key(uint32_t number)
{
    static const char keys[LEDGER_KEYS][3] = {"a\0"
                                              "0",
                                              "a\0"
                                              "1",
                                              "a\0"
                                              "2",
                                              "a\0"
                                              "3",
                                              "b\0"
                                              "0",
                                              "b\0"
                                              "1",
                                              "b\0"
                                              "2",
                                              "b\0"
                                              "3"};
    return (struct sluice_key){keys[number], 3};
}

uint32_t storm_key_number(const void *key, size_t key_size)
{
    for (uint32_t number = 0; number < LEDGER_KEYS; number++)
        if (key_size == 3 && memcmp(storm_key(number).data, key, 3) == 0)
            return number;
    abort();
}

/* ---- gets -------------------------------------------------------------------------------------------------------- */

/* Judges an outcome of a get that began with this floor. */
static void judge(struct storm *storm, const struct sluice_outcome *outcome, uint32_t key, uint64_t floor)
{
    switch (outcome->error) {
    case SLUICE_OK:
        atomic_fetch_add(&storm->stamped, 1);
        storm_fault(storm, ledger_fault(&storm->ledger, outcome->value, key, floor));
        break;
    case SLUICE_LOAD_FAILED:
    case SLUICE_LOAD_REFUSED:
        if (outcome->reason == NULL || strcmp(sluice_value_data(outcome->reason), STORM_REASON) != 0)
            storm_fault(storm, "a failure without its reason");
        break;
    case SLUICE_NOT_FOUND:
    case SLUICE_NOT_CACHED:
    case SLUICE_LOAD_TIMED_OUT:
    case SLUICE_TIMED_OUT:
    case SLUICE_TOO_MANY_WAITERS:
    case SLUICE_TOO_MANY_LOADS:
    case SLUICE_VALUE_TOO_LARGE:
        break;
    default:
        storm_fault(storm, sluice_strerror(outcome->error));
    }
    if (outcome->age_ms < 0 || outcome->ttl_ms < SLUICE_NEVER)
        storm_fault(storm, "an outcome out of its time");
    if (outcome->error != SLUICE_OK && outcome->value != NULL)
        storm_fault(storm, "a value with an error");
}

/* -1 (for ever) to 4 ms. */
static int64_t some_timeout_ms(struct worker *worker)
{
    return (int64_t)random_below(&worker->random, 6) - 1;
}

static void get_blocking(struct worker *worker, uint32_t key)
{
    struct storm *storm = worker->storm;
    struct sluice_key bytes = storm_key(key);
    struct sluice_outcome outcome;
    uint64_t floor = ledger_floor(&storm->ledger, key);
    enum sluice_error error =
        sluice_get_outcome(storm->cache, bytes.data, bytes.size, some_timeout_ms(worker), &outcome);
    atomic_fetch_add(&storm->gets, 1);
    if (error == SLUICE_NOT_CACHED)
        storm_fault(storm, "a get that did not load");
    judge(storm, &outcome, key, floor);
    sluice_outcome_fini(&outcome);
}

static void get_if_present(struct storm *storm, uint32_t key)
{
    struct sluice_key bytes = storm_key(key);
    struct sluice_outcome outcome;
    uint64_t floor = ledger_floor(&storm->ledger, key);
    enum sluice_error error = sluice_get_if_present(storm->cache, bytes.data, bytes.size, &outcome);
    atomic_fetch_add(&storm->gets, 1);
    if (error == SLUICE_TIMED_OUT)
        storm_fault(storm, "a look that waited");
    judge(storm, &outcome, key, floor);
    sluice_outcome_fini(&outcome);
}

static void invalidate_key(struct storm *storm, uint32_t key)
{
    struct sluice_key bytes = storm_key(key);
    uint64_t start = ledger_tick(&storm->ledger);
    sluice_invalidate(storm->cache, bytes.data, bytes.size, NULL);
    ledger_raise(&storm->ledger, key, start);
}

/* Judges, and now and then calls the cache from where it stands (rule 19). */
static void callback(void *arg, const struct sluice_outcome *outcome)
{
    struct storm_call *call = arg;
    struct storm *storm = call->storm;
    judge(storm, outcome, call->key, call->floor);
    if (!call->ready)
        storm_fault(storm, "a callback ran before its get was told that it parks");
    if (call->whim == 0)
        get_if_present(storm, call->key);
    else if (call->whim == 1)
        invalidate_key(storm, call->key);
    atomic_fetch_add(&storm->called, 1);
    if (atomic_fetch_add(&call->told, 1) != 0)
        storm_fault(storm, "a callback ran twice");
}

static void parking(void *arg)
{
    struct storm_call *call = arg;
    call->ready = true;
}

/* Waits for the end of a parked get, or cancels it; either way the callback has run or never will. */
static void call_settle(struct storm_call *call, bool cancel)
{
    struct storm *storm = call->storm;
    if (call->wait == NULL)
        return;
    if (cancel && sluice_wait_cancel(call->wait)) {
        atomic_fetch_add(&storm->cancelled, 1);
        if (atomic_load(&call->told) != 0)
            storm_fault(storm, "cancelled, and the callback ran");
        if (sluice_wait_cancel(call->wait))
            storm_fault(storm, "cancelled twice");
    } else {
        int64_t start_ms = await_now_ms();
        while (atomic_load(&call->told) == 0)
            if (!await_again(start_ms)) {
                storm_fault(storm, "a callback never ran");
                abort(); /* it may still come, into memory that is gone */
            }
        if (sluice_wait_cancel(call->wait))
            storm_fault(storm, "told, and cancelled after");
    }
    sluice_wait_unref(call->wait);
    call->wait = NULL;
}

static void get_async(struct worker *worker, uint32_t key)
{
    struct storm *storm = worker->storm;
    struct storm_call *call = &worker->calls[random_below(&worker->random, CALLS_KEPT)];
    call_settle(call, random_below(&worker->random, 2) == 0);

    struct sluice_key bytes = storm_key(key);
    struct sluice_outcome outcome;
    *call = (struct storm_call){.storm = storm, .key = key, .floor = ledger_floor(&storm->ledger, key)};
    call->whim = random_below(&worker->random, 16);
    call->ready = random_below(&worker->random, 2) == 0;
    struct sluice_async_get get = {
        .key = bytes.data,
        .key_size = bytes.size,
        .timeout_ms = some_timeout_ms(worker),
        .callback = callback,
        .parking = call->ready ? NULL : parking,
        .arg = call,
    };
    struct sluice_wait *wait = NULL;
    enum sluice_error error = sluice_get_async(storm->cache, &get, &outcome, &wait);
    atomic_fetch_add(&storm->gets, 1);
    if (error == SLUICE_PARKED) {
        atomic_fetch_add(&storm->parked, 1);
        call->wait = wait;
        return;
    }
    if (wait != NULL || atomic_load(&call->told) != 0)
        storm_fault(storm, "answered at once, and by a callback too");
    judge(storm, &outcome, key, call->floor);
    sluice_outcome_fini(&outcome);
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

static void put(struct worker *worker, uint32_t key)
{
    static const int64_t ttls_ms[] = {SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT, 0, 1, 3, 20};
    struct storm *storm = worker->storm;
    struct sluice_key bytes = storm_key(key);
    uint64_t start = ledger_tick(&storm->ledger);
    struct stamp stamp = ledger_put_begin(&storm->ledger, key, worker->number);
    const struct sluice_content content = {
        .data = &stamp, .size = sizeof stamp, .ttl_ms = ttls_ms[random_below(&worker->random, 6)]};
    enum sluice_error error = sluice_put(storm->cache, bytes.data, bytes.size, &content);
    if (error != SLUICE_OK)
        storm_fault(storm, sluice_strerror(error));
    ledger_put_end(&storm->ledger, &stamp);
    ledger_raise(&storm->ledger, key, start);
    atomic_fetch_add(&storm->puts, 1);
}

static void invalidate_keys(struct storm *storm, uint32_t key)
{
    uint32_t other = (key + 3) % LEDGER_KEYS;
    struct sluice_key keys[] = {storm_key(key), {"no key", 6}, storm_key(other)};
    uint64_t start = ledger_tick(&storm->ledger);
    sluice_invalidate_keys(storm->cache, keys, sizeof keys / sizeof keys[0], NULL);
    ledger_raise(&storm->ledger, key, start);
    ledger_raise(&storm->ledger, other, start);
}

/* Half of the keys, by their letter, or all, in two ways. */
static void invalidate_many(struct storm *storm, unsigned how)
{
    uint64_t start = ledger_tick(&storm->ledger);
    if (how < 2)
        sluice_invalidate_prefix(storm->cache, how == 0 ? "a" : "b", 1, NULL);
    else if (how == 2)
        sluice_invalidate_prefix(storm->cache, "", 0, NULL);
    else
        sluice_invalidate_all(storm->cache, NULL);
    for (uint32_t key = 0; key < LEDGER_KEYS; key++)
        if (how >= 2 || (key >= LEDGER_KEYS / 2) == (how == 1))
            ledger_raise(&storm->ledger, key, start);
}

/* ---- looks ------------------------------------------------------------------------------------------------------- */

struct look {
    struct storm *storm;
    uint64_t floors[LEDGER_KEYS];
};

static bool visit_entry(void *arg, const struct sluice_entry_view *entry)
{
    struct look *look = arg;
    uint32_t key = storm_key_number(entry->key, entry->key_size);
    if (entry->error == SLUICE_OK)
        storm_fault(look->storm, ledger_fault(&look->storm->ledger, entry->value, key, look->floors[key]));
    if (entry->age_ms < 0 || entry->ttl_ms < 1)
        storm_fault(look->storm, "an entry out of its time");
    return true;
}

static bool visit_flight(void *arg, const struct sluice_flight_view *flight)
{
    struct look *look = arg;
    (void)storm_key_number(flight->key, flight->key_size);
    if (flight->state == SLUICE_FLIGHT_OVER && flight->waiters != 0)
        storm_fault(look->storm, "a load that is over has waiters");
    return flight->age_ms >= 0;
}

static void look(struct storm *storm, unsigned how)
{
    struct look look = {.storm = storm};
    struct sluice_stats stats;
    enum sluice_error error = SLUICE_OK;
    for (uint32_t key = 0; key < LEDGER_KEYS; key++)
        look.floors[key] = ledger_floor(&storm->ledger, key);
    if (how == 0)
        error = sluice_cache_for_each(storm->cache, visit_entry, &look);
    else if (how == 1)
        error = sluice_cache_for_each_flight(storm->cache, visit_flight, &look);
    sluice_cache_stats(storm->cache, &stats);
    if (error != SLUICE_OK || !sums_hold(&stats))
        storm_fault(storm, "the counters do not add up");
}

/* ---- the worker -------------------------------------------------------------------------------------------------- */

static void do_something(struct worker *worker)
{
    struct storm *storm = worker->storm;
    uint32_t key = random_below(&worker->random, LEDGER_KEYS);
    unsigned what = random_below(&worker->random, 100);
    if (what < 25)
        get_blocking(worker, key);
    else if (what < 55)
        get_async(worker, key);
    else if (what < 65)
        get_if_present(storm, key);
    else if (what < 75)
        put(worker, key);
    else if (what < 81)
        invalidate_key(storm, key);
    else if (what < 84)
        invalidate_keys(storm, key);
    else if (what < 87)
        invalidate_many(storm, random_below(&worker->random, 4));
    else if (what < 94)
        call_settle(&worker->calls[random_below(&worker->random, CALLS_KEPT)], true);
    else
        look(storm, what % 3);
}

void storm_work(struct storm *storm, uint32_t number)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        abort();
    worker->storm = storm;
    worker->number = number;
    random_init(&worker->random, storm->seed * STORM_WORKERS + number);
    while (!atomic_load(&storm->stop) && errand_goes_on())
        do_something(worker);
    for (size_t i = 0; i < CALLS_KEPT; i++)
        call_settle(&worker->calls[i], i % 2 == 0);
    free(worker);
}
