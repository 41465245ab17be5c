/* SPDX-License-Identifier: MIT */
/* bounds_jobs.c: see bounds.h. The calls that `bounds` measures. */
#include "bounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TAGS_IN_A_ROW = 1000, /* about as many as can be left to the background */
    REFRESHES = 10000,
    BULK_CALLS = 20,
    EXPIRY_LEAD_MS = 5 /* the watching begins so long before all expires */
};

/* ---- what is concerned ------------------------------------------------------------------------------------------- */

static bool is_any(const struct bounds *bounds, size_t entry)
{
    (void)bounds;
    (void)entry;
    return true;
}

/* Each round has a tag and a prefix of its own. */
static size_t tag_of(const struct bounds *bounds, size_t call)
{
    return (bounds->round * TAGS_IN_A_ROW + call) % STOCK_TAGS;
}

static size_t prefix_of(const struct bounds *bounds)
{
    return (bounds->round * 7 + 100) % STOCK_PREFIXES;
}

static bool is_tagged(const struct bounds *bounds, size_t entry)
{
    return stock_has_tag(entry, tag_of(bounds, 0));
}

static bool is_tagged_in_a_row(const struct bounds *bounds, size_t entry)
{
    for (size_t call = 0; call < TAGS_IN_A_ROW; call++) {
        if (stock_has_tag(entry, tag_of(bounds, call))) {
            return true;
        }
    }
    return false;
}

static bool is_prefixed(const struct bounds *bounds, size_t entry)
{
    return entry % STOCK_PREFIXES == prefix_of(bounds);
}

/* The first digit of the three. */
static bool is_prefixed_widely(const struct bounds *bounds, size_t entry)
{
    return entry % STOCK_PREFIXES / 100 == prefix_of(bounds) / 100;
}

static bool is_none(const struct bounds *bounds, size_t entry)
{
    (void)bounds;
    (void)entry;
    return false;
}

/* ---- invalidation ------------------------------------------------------------------------------------------------ */

static void call_tag(struct bounds *bounds, size_t call)
{
    sluice_invalidate_tag(bounds->stock.cache, stock_tag(tag_of(bounds, call)).name, NULL);
}

/* The first `size` bytes of the round's prefix with its slash. */
static void invalidate_prefix(struct bounds *bounds, size_t size, bool soft)
{
    struct sluice_invalidation what = {.select = SLUICE_SELECT_PREFIX, .soft = soft};
    char key[STOCK_KEY_BYTES];

    stock_key(prefix_of(bounds), key);
    what.pattern = (struct sluice_key){key, size};
    sluice_invalidate_by(bounds->stock.cache, &what, NULL);
}

static void call_prefix(struct bounds *bounds, size_t call)
{
    (void)call;
    invalidate_prefix(bounds, 4, false);
}

static void call_wide_prefix(struct bounds *bounds, size_t call)
{
    (void)call;
    invalidate_prefix(bounds, 1, false);
}

static void call_all(struct bounds *bounds, size_t call)
{
    (void)call;
    sluice_invalidate_all(bounds->stock.cache, NULL);
}

static void call_soft_tag(struct bounds *bounds, size_t call)
{
    struct stock_tag tag = stock_tag(tag_of(bounds, call));
    struct sluice_invalidation what = {
        .select = SLUICE_SELECT_TAG, .soft = true, .pattern = {tag.name, strlen(tag.name)}};

    sluice_invalidate_by(bounds->stock.cache, &what, NULL);
}

static void call_soft_prefix(struct bounds *bounds, size_t call)
{
    (void)call;
    invalidate_prefix(bounds, 4, true);
}

static void call_soft_all(struct bounds *bounds, size_t call)
{
    struct sluice_invalidation what = {.select = SLUICE_SELECT_ALL, .soft = true};

    (void)call;
    sluice_invalidate_by(bounds->stock.cache, &what, NULL);
}

static void put_concerned(struct bounds *bounds)
{
    for (size_t i = 0; i < bounds->concerned_count; i++) {
        stock_put(&bounds->stock, bounds->concerned[i], SLUICE_TTL_DEFAULT);
    }
}

/* ---- refresh and bulk -------------------------------------------------------------------------------------------- */

static void check(const char *what, enum sluice_error error)
{
    if (error != SLUICE_OK) {
        fprintf(stderr, "%s: %s\n", what, sluice_strerror(error));
        exit(1);
    }
}

static void set_key(struct bounds *bounds, size_t i, size_t entry)
{
    stock_key(entry, bounds->texts[i]);
    bounds->keys[i] = (struct sluice_key){bounds->texts[i], STOCK_KEY_BYTES};
}

/* Entries far from each other. */
static size_t scattered(const struct bounds *bounds, size_t i)
{
    return (i * 7919 + bounds->round) % bounds->entries;
}

static void ready_one(struct bounds *bounds, size_t call)
{
    set_key(bounds, 0, scattered(bounds, call));
}

static void call_refresh(struct bounds *bounds, size_t call)
{
    (void)call;
    check("sluice_refresh()", sluice_refresh(bounds->stock.cache, bounds->texts[0], STOCK_KEY_BYTES));
}

static void ready_stored(struct bounds *bounds, size_t call)
{
    for (size_t i = 0; i < BOUNDS_BULK; i++) {
        set_key(bounds, i, scattered(bounds, call * BOUNDS_BULK + i));
    }
}

/* Keys behind those of the entries. */
static void ready_missing(struct bounds *bounds, size_t call)
{
    for (size_t i = 0; i < BOUNDS_BULK; i++) {
        set_key(bounds, i, bounds->entries + call * BOUNDS_BULK + i);
    }
}

static void call_refresh_many(struct bounds *bounds, size_t call)
{
    (void)call;
    check("sluice_refresh_many()", sluice_refresh_many(bounds->stock.cache, bounds->keys, BOUNDS_BULK));
}

static void call_get_many(struct bounds *bounds, size_t call)
{
    (void)call;
    check("sluice_get_many()",
          sluice_get_many(bounds->stock.cache, bounds->keys, BOUNDS_BULK, SLUICE_WAIT_FOREVER, bounds->outcomes));
}

static void take_outcomes(struct bounds *bounds, enum sluice_source source)
{
    for (size_t i = 0; i < BOUNDS_BULK; i++) {
        check("a key of sluice_get_many()", bounds->outcomes[i].error);
        if (bounds->outcomes[i].source != source) {
            fprintf(stderr, "a key of sluice_get_many() was answered from elsewhere than it should\n");
            exit(1);
        }
        sluice_outcome_fini(&bounds->outcomes[i]);
    }
}

static void done_hits(struct bounds *bounds, size_t call)
{
    (void)call;
    take_outcomes(bounds, SLUICE_SOURCE_HIT);
}

static void done_misses(struct bounds *bounds, size_t call)
{
    (void)call;
    take_outcomes(bounds, SLUICE_SOURCE_LOAD);
    sluice_invalidate_keys(bounds->stock.cache, bounds->keys, BOUNDS_BULK, NULL);
}

/* ---- expiry, filling up ------------------------------------------------------------------------------------------ */

/* Returns when it is done. */
static int64_t put_until(struct bounds *bounds, int64_t until_ns)
{
    for (size_t entry = 0; entry < bounds->entries; entry++) {
        int64_t left_ms = (until_ns - measure_now_ns()) / 1000000;

        stock_put(&bounds->stock, entry, left_ms > 0 ? left_ms : 1);
    }
    return measure_now_ns();
}

/* Stores all entries anew, with such times to live that all are over at the same time, and waits until just before. */
static void prepare_expiry(struct bounds *bounds)
{
    int64_t fill_ns = 1000000000;
    struct timespec left = {0};

    for (;;) {
        bounds->began_ns = measure_now_ns() + fill_ns;
        int64_t left_ns = bounds->began_ns - EXPIRY_LEAD_MS * 1000000 - put_until(bounds, bounds->began_ns);

        if (left_ns > 0) {
            left.tv_sec = left_ns / 1000000000;
            left.tv_nsec = left_ns % 1000000000;
            break;
        }
        fill_ns = 2 * fill_ns; /* filling took longer: the first may have expired */
    }
    nanosleep(&left, NULL);
}

static void call_put(struct bounds *bounds, size_t call)
{
    stock_put(&bounds->stock, call, SLUICE_TTL_DEFAULT);
}

static void put_first(struct bounds *bounds)
{
    for (size_t entry = 0; entry < bounds->entries; entry++) {
        stock_put(&bounds->stock, entry, SLUICE_TTL_DEFAULT);
    }
}

static void call_put_over(struct bounds *bounds, size_t call)
{
    stock_put(&bounds->stock, bounds->entries + call, SLUICE_TTL_DEFAULT);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

const struct bounds_job bounds_jobs[] = {
    {.name = "tag",
     .calls = 1,
     .bounded = true,
     .rest = BOUNDS_REST_REMOVED,
     .concerns = is_tagged,
     .call = call_tag,
     .restore = put_concerned},
    {.name = "tags-in-a-row",
     .calls = TAGS_IN_A_ROW,
     .bounded = true,
     .rest = BOUNDS_REST_REMOVED,
     .concerns = is_tagged_in_a_row,
     .call = call_tag,
     .restore = put_concerned},
    {.name = "prefix",
     .calls = 1,
     .bounded = true,
     .rest = BOUNDS_REST_REMOVED,
     .concerns = is_prefixed,
     .call = call_prefix,
     .restore = put_concerned},
    {.name = "wide-prefix",
     .calls = 1,
     .bounded = true,
     .rest = BOUNDS_REST_REMOVED,
     .concerns = is_prefixed_widely,
     .call = call_wide_prefix,
     .restore = put_concerned},
    {.name = "all",
     .calls = 1,
     .bounded = true,
     .rest = BOUNDS_REST_REMOVED,
     .concerns = is_any,
     .call = call_all,
     .restore = put_concerned},
    {.name = "all-twice",
     .calls = 2,
     .bounded = true,
     .rest = BOUNDS_REST_REMOVED,
     .concerns = is_any,
     .call = call_all,
     .restore = put_concerned},
    {.name = "refresh",
     .calls = REFRESHES,
     .keys = 1,
     .bounded = true,
     .concerns = is_none,
     .ready = ready_one,
     .call = call_refresh},
    {.name = "refresh-many",
     .calls = BULK_CALLS,
     .keys = BOUNDS_BULK,
     .concerns = is_none,
     .ready = ready_stored,
     .call = call_refresh_many},
    {.name = "get-many-hits",
     .calls = BULK_CALLS,
     .keys = BOUNDS_BULK,
     .concerns = is_none,
     .ready = ready_stored,
     .call = call_get_many,
     .done = done_hits},
    {.name = "get-many-misses",
     .calls = BULK_CALLS,
     .keys = BOUNDS_BULK,
     .concerns = is_none,
     .ready = ready_missing,
     .call = call_get_many,
     .done = done_misses},
    {.name = "soft-tag",
     .calls = 1,
     .stale = true,
     .bounded = true,
     .rest = BOUNDS_REST_INVALIDATED,
     .concerns = is_tagged,
     .call = call_soft_tag,
     .restore = put_concerned},
    {.name = "soft-prefix",
     .calls = 1,
     .stale = true,
     .bounded = true,
     .rest = BOUNDS_REST_INVALIDATED,
     .concerns = is_prefixed,
     .call = call_soft_prefix,
     .restore = put_concerned},
    {.name = "soft-all",
     .calls = 1,
     .stale = true,
     .bounded = true,
     .rest = BOUNDS_REST_INVALIDATED,
     .concerns = is_any,
     .call = call_soft_all,
     .restore = put_concerned},
    {.name = "expiry",
     .calls = BOUNDS_NO_CALLS,
     .rest = BOUNDS_REST_REMOVED,
     .concerns = is_any,
     .own = true,
     .prepare = prepare_expiry},
    {.name = "fill", .keys = 1, .own = true, .concerns = is_none, .call = call_put},
    {.name = "evict", .keys = 1, .own = true, .concerns = is_none, .prepare = put_first, .call = call_put_over},
};

const size_t bounds_jobs_count = sizeof(bounds_jobs) / sizeof(bounds_jobs[0]);
