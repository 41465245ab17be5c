/* SPDX-License-Identifier: MIT */
/*
 * storm_all_test.c: a storm of the calls that change loads in flight, all at once: restarts, loads given up, tags, bulk
 * gets on behalf of loads, batches, computations, conditional puts, patience, loads cancelled. What is given is judged
 * by the ledger (rules 3, 4); everybody gets an answer in time (rule 17), the sums hold (rule 23).
 */
#include "await.h"
#include "errand.h"
#include "storm.h"
#include "sums.h"
#include "test.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS   4
#define HELD_MAX  16
#define BULK_KEYS 3
#define STORM_MS  650 /* in which the workers do what they like */

struct tempest {
    struct sluice_cache *cache;
    struct ledger ledger;
    atomic_bool stop;
    _Atomic(const char *) fault;
    _Atomic uint64_t draws;
    _Atomic uint64_t due;    /* callbacks of parked gets */
    _Atomic uint64_t called; /* that ran */
    _Atomic(struct sluice_load *) held[HELD_MAX];
};

static void fault(struct tempest *tempest, const char *what)
{
    const char *none = NULL;
    if (what == NULL)
        return;
    atomic_compare_exchange_strong(&tempest->fault, &none, what);
    atomic_store(&tempest->stop, true);
}

static void judge(struct tempest *tempest, const struct sluice_outcome *outcome, uint32_t key, uint64_t floor)
{
    if (outcome->error == SLUICE_OK)
        fault(tempest, ledger_fault(&tempest->ledger, outcome->value, key, floor));
    else if (outcome->error == SLUICE_NO_MEMORY || outcome->value != NULL)
        fault(tempest, sluice_strerror(outcome->error));
}

/* ---- loads ------------------------------------------------------------------------------------------------------- */

static struct sluice_content content_of(const struct stamp *stamp, int64_t ttl_ms)
{
    static const char *const even[] = {"0"}, *const odd[] = {"1"};
    return (struct sluice_content){.data = stamp,
                                   .size = sizeof *stamp,
                                   .ttl_ms = ttl_ms,
                                   .tags = stamp->key % 2 == 0 ? even : odd,
                                   .tags_count = 1};
}

static void end(struct sluice_load *load, const struct stamp *stamp, uint32_t draw)
{
    struct sluice_content content = content_of(stamp, SLUICE_TTL_DEFAULT);
    if (draw % 8 == 0)
        sluice_load_fail(load, "thunder");
    else if (draw % 8 == 1)
        sluice_load_not_found(load);
    else
        sluice_load_complete(load, &content);
}

static void end_held(struct tempest *tempest, uint32_t slot)
{
    struct sluice_load *load = atomic_exchange(&tempest->held[slot % HELD_MAX], NULL);
    if (load != NULL)
        sluice_load_fail(load, "held");
}

/* Keys wait for those behind them only: there is no circle. */
static void get_behind(struct tempest *tempest, uint32_t key, uint32_t draw)
{
    struct sluice_key keys[BULK_KEYS];
    struct sluice_outcome outcomes[BULK_KEYS]; /* set whatever comes */
    size_t count = 0;
    uint64_t floors[BULK_KEYS];
    for (uint32_t next = key + 1; next < LEDGER_KEYS && count < BULK_KEYS; next++) {
        floors[count] = ledger_floor(&tempest->ledger, next);
        keys[count++] = storm_key(next);
    }
    if (draw % 2 == 0 && count > 0)
        count = 1;
    if (sluice_get_many(tempest->cache, keys, count, draw % 3 == 0 ? 2 : SLUICE_WAIT_FOREVER, outcomes) != SLUICE_OK)
        fault(tempest, "no bulk");
    for (size_t i = 0; i < count; i++) {
        judge(tempest, &outcomes[i], key + 1 + (uint32_t)i, floors[i]);
        sluice_outcome_fini(&outcomes[i]);
    }
}

static void load(void *self, struct sluice_load *load)
{
    struct tempest *tempest = self;
    struct random random;
    random_init(&random, atomic_fetch_add(&tempest->draws, 1));
    uint32_t draw = (uint32_t)(random_next(&random) >> 16);
    uint32_t key = storm_key_number(sluice_load_key(load), sluice_load_key_size(load));
    struct stamp stamp = ledger_load(&tempest->ledger, key);
    struct sluice_load *none = NULL;

    if (draw % 8 == 0 && !atomic_load(&tempest->stop) &&
        atomic_compare_exchange_strong(&tempest->held[draw / 8 % HELD_MAX], &none, load))
        return;
    if (draw % 8 < 3)
        get_behind(tempest, key, draw / 8);
    end(load, &stamp, draw / 64);
}

static void load_many(void *self, struct sluice_load *const *loads, size_t count)
{
    for (size_t i = count; i-- > 0;)
        load(self, loads[i]);
}

static void unwanted(void *self, struct sluice_load *load)
{
    (void)self;
    if (sluice_load_wanted(load))
        abort();
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

struct async {
    struct tempest *tempest;
    uint32_t key;
    uint64_t floor;
};

static void arrived(void *arg, const struct sluice_outcome *outcome)
{
    struct async *async = arg;
    struct tempest *tempest = async->tempest;
    judge(tempest, outcome, async->key, async->floor);
    free(async);
    atomic_fetch_add(&tempest->called, 1);
}

static void get_async(struct tempest *tempest, uint32_t key, int64_t timeout_ms)
{
    struct sluice_key bytes = storm_key(key);
    struct async *async = malloc(sizeof *async);
    struct sluice_async_get get = {
        .key = bytes.data, .key_size = bytes.size, .timeout_ms = timeout_ms, .callback = arrived, .arg = async};
    struct sluice_outcome outcome;
    struct sluice_wait *wait;
    if (async == NULL)
        abort();
    *async = (struct async){tempest, key, ledger_floor(&tempest->ledger, key)};
    atomic_fetch_add(&tempest->due, 1);
    if (sluice_get_async(tempest->cache, &get, &outcome, &wait) != SLUICE_PARKED) {
        arrived(async, &outcome);
        sluice_outcome_fini(&outcome);
    } else if (timeout_ms == 3 && sluice_wait_cancel(wait)) {
        free(async);
        atomic_fetch_add(&tempest->called, 1);
    }
    sluice_wait_unref(wait);
}

static void change(struct tempest *tempest, uint32_t key, uint32_t how, struct random *random)
{
    struct sluice_key bytes = storm_key(key), two[] = {bytes, storm_key((key + 3) % LEDGER_KEYS)};
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_loader loader = {.load = load, .self = tempest};
    const struct sluice_invalidation soft = {.select = SLUICE_SELECT_TAG, .pattern = {"1", 1}, .soft = true};
    uint64_t start = ledger_tick(&tempest->ledger), floor = ledger_floor(&tempest->ledger, key);
    struct sluice_invalidated gone;

    switch (how) {
    case 0:
        sluice_invalidate_tag(tempest->cache, key % 2 == 0 ? "0" : "1", random_below(random, 2) == 0 ? NULL : &gone);
        for (uint32_t other = key % 2; other < LEDGER_KEYS; other += 2)
            ledger_raise(&tempest->ledger, other, start);
        break;
    case 1:
        (void)sluice_load_abandon(tempest->cache, bytes.data, bytes.size);
        break;
    case 2:
        if (sluice_load_restart(tempest->cache, bytes.data, bytes.size) == SLUICE_NO_MEMORY)
            abort();
        break;
    case 3:
        if (sluice_compute(tempest->cache, bytes.data, bytes.size, &loader, 2, &outcome) != outcome.error)
            fault(tempest, "an error that is not the outcome's");
        judge(tempest, &outcome, key, floor);
        break;
    case 4:
        if (sluice_refresh_many(tempest->cache, two, 2) == SLUICE_NO_MEMORY)
            abort();
        break;
    case 5:
        if (sluice_set_ttl(tempest->cache, bytes.data, bytes.size, 1) == SLUICE_INVALID)
            abort();
        break;
    case 6:
        sluice_invalidate_by(tempest->cache, &soft, NULL);
        break;
    case 7:
        sluice_invalidate(tempest->cache, bytes.data, bytes.size, NULL);
        ledger_raise(&tempest->ledger, key, start);
        break;
    case 8:
        sluice_invalidate_all(tempest->cache, NULL);
        for (uint32_t other = 0; other < LEDGER_KEYS; other++)
            ledger_raise(&tempest->ledger, other, start);
        break;
    default:
        end_held(tempest, random_below(random, HELD_MAX));
    }
    sluice_outcome_fini(&outcome);
}

struct worker {
    struct tempest *tempest;
    uint32_t number;
};

static void work(void *arg)
{
    struct worker *worker = arg;
    struct tempest *tempest = worker->tempest;
    struct random random;
    random_init(&random, worker->number);
    while (!atomic_load(&tempest->stop) && errand_goes_on()) {
        uint32_t key = random_below(&random, LEDGER_KEYS), what = random_below(&random, 20);
        struct sluice_stats stats;
        if (what < 4)
            get_async(tempest, key, (int64_t)random_below(&random, 5) - 1);
        else if (what < 8)
            get_behind(tempest, key, random_below(&random, 3) * 3); /* bounded: nobody else may be there to end */
        else
            change(tempest, key, what - 8, &random);
        sluice_cache_stats(tempest->cache, &stats);
        if (!sums_hold(&stats))
            fault(tempest, "the counters do not add up");
    }
}

static void storm_run(unsigned how)
{
    struct tempest *tempest = calloc(1, sizeof *tempest);
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct worker workers[WORKERS];
    struct errand *threads[WORKERS];
    struct sluice_stats stats;
    assert_non_null(tempest);
    options.loader = (struct sluice_loader){load, tempest, unwanted, how == 0 ? NULL : load_many};
    options.maximum_entries = 6;
    options.shards = 1 + how % 2;
    options.expire_after_write_ms = 4;
    options.stale_if_error_ms = 6;
    options.stale_after_wait_ms = how == 2 ? 1 : SLUICE_NEVER;
    options.batch_window_ms = how == 1 ? 1 : 0;
    options.batch_size_max = 3;
    options.cancel_unwanted_loads = how != 1;
    options.background_threads_max = 1 + how;
    options.load_timeout_ms = how == 0 ? SLUICE_NEVER : 5;
    assert_int_equal(sluice_cache_create(&options, &tempest->cache), SLUICE_OK);

    int64_t until_ms = await_now_ms() + STORM_MS;
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){tempest, i + WORKERS * how};
        threads[i] = errand_start(work, &workers[i]);
    }
    while (!atomic_load(&tempest->stop) && await_now_ms() < until_ms)
        sched_yield();
    atomic_store(&tempest->stop, true);
    for (int64_t start_ms = await_now_ms();;) {
        for (uint32_t slot = 0; slot < HELD_MAX; slot++)
            end_held(tempest, slot);
        sluice_cache_stats(tempest->cache, &stats);
        if (stats.loads_in_flight == 0 && stats.waiters == 0 && tempest->due == tempest->called)
            break;
        if (!await_again(start_ms))
            fail_msg("%d waiters and %d loads are left", (int)stats.waiters, (int)stats.loads_in_flight);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_true(errand_ended(threads[i]));
        errand_join(threads[i]);
    }
    for (uint32_t slot = 0; slot < HELD_MAX; slot++)
        end_held(tempest, slot);
    if (tempest->fault != NULL)
        fail_msg("%s", tempest->fault);
    printf("storm: %d gets, %d loads, %d detached, %d refreshes\n", (int)stats.gets, (int)stats.loads,
           (int)stats.loads_detached, (int)stats.refreshes);
    sluice_cache_destroy(tempest->cache);
    free(tempest);
}

static void rules_3_17_23_hold_with_one_thread_in_the_background(void **state)
{
    (void)state;
    storm_run(0);
}

static void rules_3_17_23_hold_with_batches(void **state)
{
    (void)state;
    storm_run(1);
}

static void rules_3_17_23_hold_with_patience(void **state)
{
    (void)state;
    storm_run(2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_3_17_23_hold_with_one_thread_in_the_background),
        cmocka_unit_test(rules_3_17_23_hold_with_batches),
        cmocka_unit_test(rules_3_17_23_hold_with_patience),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
