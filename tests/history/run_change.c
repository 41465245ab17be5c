/* SPDX-License-Identifier: MIT */
/* run_change.c: what a worker does to a key besides gets and invalidations. See run_work.h. */
#include "run_work.h"

#include <stdlib.h>

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
    record_add(run->log,
               (struct record){.kind = RECORD_PUT_END, .begin = name, .error = (uint8_t)run_error_word(error)});
}

/* What is present, to be replaced by a put that wants it the same; NULL: nothing, or it is not asked for. */
static struct sluice_value *some_value(struct worker *worker, unsigned key)
{
    struct run *run = worker->run;
    struct sluice_key bytes = run_key(key);
    struct sluice_outcome outcome;
    struct sluice_value *value;
    struct run_about about;
    uint64_t begin = record_add(
        run->log, (struct record){.kind = RECORD_GET_BEGIN, .keys = (uint16_t)(1u << key), .how = RECORD_PRESENT});
    const struct run_about *outer = run_enter_one(&about, key, begin);

    (void)!sluice_get_if_present(run->cache, bytes.data, bytes.size, &outcome);
    run_enter(outer);
    run_record_outcome(run, RECORD_GET_END, begin, &outcome);
    value = outcome.error == SLUICE_OK ? sluice_value_ref(outcome.value) : NULL;
    sluice_outcome_fini(&outcome);
    return value;
}

/* A put that does not store tells what is there, as a get does: that is one more record. */
static void put_if(struct worker *worker, unsigned key)
{
    static const enum sluice_condition conditions[] = {
        [RECORD_IF_ABSENT] = SLUICE_IF_ABSENT,
        [RECORD_IF_PRESENT] = SLUICE_IF_PRESENT,
        [RECORD_IF_SAME] = SLUICE_IF_SAME,
    };
    struct run *run = worker->run;
    struct sluice_key bytes = run_key(key);
    enum record_put how = (enum record_put)(RECORD_IF_ABSENT + random_below(&worker->random, 3));
    struct record record = {.kind = RECORD_PUT_BEGIN, .keys = (uint16_t)(1u << key), .how = (uint8_t)how};
    struct sluice_value *expected = how == RECORD_IF_SAME ? some_value(worker, key) : NULL;
    struct sluice_outcome present = SLUICE_OUTCOME_INIT;
    struct sluice_content content;
    enum sluice_error error;
    uint64_t name, peek;

    if (expected != NULL)
        record.value = run_value_name(expected);
    content = run_content(run, random_below(&worker->random, 1024), &name, &record);
    peek = record_add(run->log,
                      (struct record){.kind = RECORD_GET_BEGIN, .keys = (uint16_t)(1u << key), .how = RECORD_PEEK});
    name = record_add(run->log, record);
    error = sluice_put_if(run->cache, bytes.data, bytes.size, &content, conditions[how], expected, &present);
    record_add(run->log,
               (struct record){.kind = RECORD_PUT_END, .begin = name, .error = (uint8_t)run_error_word(error)});
    if (error == SLUICE_UNCHANGED)
        run_record_outcome(run, RECORD_GET_END, peek, &present);
    else
        record_add(
            run->log,
            (struct record){.kind = RECORD_GET_END, .begin = peek, .error = RECORD_OTHER, .source = RECORD_NO_SOURCE});
    sluice_outcome_fini(&present);
    sluice_value_unref(expected);
}

/* The function is the run's loader, which ends in all ways. */
void work_compute(struct worker *worker, unsigned key)
{
    struct run *run = worker->run;
    struct sluice_key bytes = run_key(key);
    struct sluice_loader loader = slow_loader_one(run->loader);
    int64_t timeout_ms = work_timeout_ms(worker);
    struct sluice_outcome outcome;
    struct run_about about;
    uint64_t begin = record_add(
        run->log, (struct record){.kind = RECORD_GET_BEGIN, .keys = (uint16_t)(1u << key), .how = RECORD_COMPUTE});
    const struct run_about *outer = run_enter_one(&about, key, begin);

    (void)!sluice_compute(run->cache, bytes.data, bytes.size, &loader, timeout_ms, &outcome);
    run_enter(outer);
    run_record_outcome(run, RECORD_GET_END, begin, &outcome);
    sluice_outcome_fini(&outcome);
}

static void set_ttl(struct worker *worker, unsigned key)
{
    static const int64_t ttls_ms[] = {SLUICE_NEVER, SLUICE_NEVER, 10000, SLUICE_TTL_DEFAULT, 1, 5};
    struct run *run = worker->run;
    struct sluice_key bytes = run_key(key);
    int64_t ttl_ms = ttls_ms[random_below(&worker->random, 6)];
    uint64_t begin = record_add(run->log, (struct record){.kind = RECORD_TTL_BEGIN,
                                                          .keys = (uint16_t)(1u << key),
                                                          .ttl_ms = run_span_word(ttl_ms, RUN_EXPIRE_MS)});
    enum sluice_error error = sluice_set_ttl(run->cache, bytes.data, bytes.size, ttl_ms);

    if (error == SLUICE_INVALID)
        abort();
    record_add(run->log,
               (struct record){.kind = RECORD_TTL_END, .begin = begin, .error = (uint8_t)run_error_word(error)});
}

static void abandon(struct worker *worker, unsigned key)
{
    struct run *run = worker->run;
    struct sluice_key bytes = run_key(key);
    enum record_abandon how = random_below(&worker->random, 2) == 0 ? RECORD_GIVEN_UP : RECORD_RESTARTED;
    struct run_about about;
    uint64_t begin = record_add(
        run->log, (struct record){.kind = RECORD_ABANDON_BEGIN, .keys = (uint16_t)(1u << key), .how = (uint8_t)how});
    const struct run_about *outer = run_enter_one(&about, key, begin);
    enum sluice_error error;

    if (how == RECORD_GIVEN_UP)
        error = sluice_load_abandon(run->cache, bytes.data, bytes.size) ? SLUICE_OK : SLUICE_NOT_CACHED;
    else
        error = sluice_load_restart(run->cache, bytes.data, bytes.size);
    run_enter(outer);
    record_add(run->log,
               (struct record){.kind = RECORD_ABANDON_END, .begin = begin, .error = (uint8_t)run_error_word(error)});
}

void work_change(struct worker *worker, unsigned key)
{
    unsigned what = random_below(&worker->random, 100);

    if (what < 32)
        put(worker, key);
    else if (what < 44)
        put_if(worker, key);
    else if (what < 50)
        work_compute(worker, key);
    else if (what < 55)
        set_ttl(worker, key);
    else if (what < 60)
        abandon(worker, key);
    else
        work_invalidate(worker, key);
}
