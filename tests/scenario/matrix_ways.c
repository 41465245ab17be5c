/* SPDX-License-Identifier: MIT */
/* matrix_ways.c: how a load comes to be in flight. A new row adds all its cells. */
#include "matrix.h"

static bool leader_runs_late(const struct matrix_run *run)
{
    return run->cell.event->leaver == LEAVER_LEADER && run->cell.event->by_deadline;
}

static int64_t leader_timeout_ms(const struct matrix_run *run)
{
    return leader_runs_late(run) ? MATRIX_WAIT_MS : SLUICE_WAIT_FOREVER;
}

/* A blocking leader's time begins when its loader has returned: waits until it has. */
static void await_timer(struct matrix_run *run)
{
    int64_t due_ms;

    if (leader_runs_late(run))
        AWAIT((due_ms = sluice_cache_tick(run->fixture->cache)) > 0 && due_ms <= MATRIX_WAIT_MS);
}

static void lead(struct matrix_run *run, enum way way)
{
    const struct call_spec spec = {
        .way = way,
        .key = MATRIX_KEY,
        .timeout_ms = leader_timeout_ms(run),
        .loader = run->cell.way->own_loader ? run->own : NULL,
    };
    uint64_t waiters = fixture_stats(run->fixture).waiters;

    matrix_get(run, &run->parked[run->parked_count++], "the leader", &spec);
    fixture_await_waiters(run->fixture, waiters + 1);
}

static void lead_async(struct matrix_run *run)
{
    lead(run, WAY_ASYNC);
}

static void lead_blocking(struct matrix_run *run)
{
    lead(run, WAY_BLOCKING);
    matrix_settle(run);
    await_timer(run);
}

/* ---- several keys ------------------------------------------------------------------------------------------------ */

static void lead_bulk(struct matrix_run *run, enum way way)
{
    run->bulk = bulk_start(run->fixture, way, MATRIX_KEY " " MATRIX_OTHER, leader_timeout_ms(run));
    run->parked[run->parked_count++] = (struct matrix_party){.name = "the bulk get"};
    run->gets += 2;
    fixture_await_waiters(run->fixture, 2);
    matrix_settle(run);
    if (way == WAY_BLOCKING)
        await_timer(run);
}

static void lead_bulk_async(struct matrix_run *run)
{
    lead_bulk(run, WAY_ASYNC);
}

static void lead_bulk_blocking(struct matrix_run *run)
{
    lead_bulk(run, WAY_BLOCKING);
}

/* The window has begun once the loads are in the batch: for the thread of a blocking get that is waited for. */
static void await_window(struct matrix_run *run)
{
    int64_t due_ms;

    AWAIT((due_ms = sluice_cache_tick(run->fixture->cache)) > 0 && due_ms <= MATRIX_WINDOW_MS);
}

static void lead_batched(struct matrix_run *run, enum way way)
{
    lead(run, way);
    await_window(run);
    run->other = call_start(run->fixture, WAY_ASYNC, MATRIX_OTHER, SLUICE_WAIT_FOREVER);
    run->gets++;
    matrix_settle(run);
    if (way == WAY_BLOCKING)
        await_timer(run);
}

static void lead_batched_async(struct matrix_run *run)
{
    lead_batched(run, WAY_ASYNC);
}

static void lead_batched_blocking(struct matrix_run *run)
{
    lead_batched(run, WAY_BLOCKING);
}

/* ---- in the background, and over an old value -------------------------------------------------------------------- */

static void refresh(struct matrix_run *run)
{
    assert_int_equal(sluice_refresh(run->fixture->cache, MATRIX_KEY, sizeof MATRIX_KEY - 1), SLUICE_OK);
}

static void refresh_many(struct matrix_run *run)
{
    static const struct sluice_key keys[] = {{MATRIX_KEY, sizeof MATRIX_KEY - 1},
                                             {MATRIX_OTHER, sizeof MATRIX_OTHER - 1}};
    assert_int_equal(sluice_refresh_many(run->fixture->cache, keys, COUNT_OF(keys)), SLUICE_OK);
}

/* A get finds the old value stale, is given it, and has it loaded anew. */
static void hit_stale(struct matrix_run *run)
{
    const struct call_spec spec = {.way = WAY_ASYNC, .key = MATRIX_KEY, .timeout_ms = SLUICE_WAIT_FOREVER};

    matrix_get(run, &run->opener, "the get of a stale value", &spec);
}

const struct matrix_way matrix_ways[] = {
    {.name = "a_blocking_load", .begin = lead_blocking, .leader = LEADER_BLOCKING},
    {.name = "an_asynchronous_load", .begin = lead_async, .leader = LEADER_ASYNC},
    {.name = "a_blocking_load_by_its_own_loader",
     .begin = lead_blocking,
     .leader = LEADER_BLOCKING,
     .own_loader = true},
    {.name = "an_asynchronous_load_by_its_own_loader", .begin = lead_async, .leader = LEADER_ASYNC, .own_loader = true},
    {.name = "a_blocking_bulk_load", .begin = lead_bulk_blocking, .leader = LEADER_BULK_BLOCKING, .many = true},
    {.name = "an_asynchronous_bulk_load", .begin = lead_bulk_async, .leader = LEADER_BULK_ASYNC, .many = true},
    {.name = "a_blocking_batched_load", .begin = lead_batched_blocking, .leader = LEADER_BLOCKING, .many = true},
    {.name = "an_asynchronous_batched_load", .begin = lead_batched_async, .leader = LEADER_ASYNC, .many = true},
    {.name = "a_load_that_nobody_waits_for", .begin = refresh, .leader = LEADER_NONE},
    {.name = "a_refresh", .begin = refresh, .leader = LEADER_NONE, .old = OLD_FRESH},
    {.name = "a_bulk_refresh", .begin = refresh_many, .leader = LEADER_NONE, .old = OLD_FRESH, .many = true},
    {.name = "a_reload_behind_a_stale_value", .begin = hit_stale, .leader = LEADER_NONE, .old = OLD_STALE},
    {.name = "a_blocking_reload_of_an_expired_value",
     .begin = lead_blocking,
     .leader = LEADER_BLOCKING,
     .old = OLD_HELD},
    {.name = "an_asynchronous_reload_of_an_expired_value",
     .begin = lead_async,
     .leader = LEADER_ASYNC,
     .old = OLD_HELD},
};

const size_t matrix_ways_count = COUNT_OF(matrix_ways);
