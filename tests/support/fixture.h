/* SPDX-License-Identifier: MIT */
/*
 * fixture.h: what nearly every test of the cache starts from: a gated loader, a fake clock, and one cache on them.
 *
 *     static void rule_n_what_it_promises(void **state)
 *     {
 *         struct fixture *fixture = *state;
 *         fixture->options.loads_max = 2;     // optional
 *         fixture_open(fixture);
 *         ...
 *     }
 *     FIXTURE_TEST(rule_n_what_it_promises)   // in the array of tests
 *
 * The teardown ends every load, sees to it that every call has come back, checks the sums of rule 23 and that nothing
 * is parked any more, and gives everything back. The functions here assert: for the thread that runs the tests.
 */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "await.h"
#include "fake_clock.h"
#include "gated_loader.h"
#include "test.h"

#include <sluice/cache.h>

#include <stdio.h>
#include <string.h>

struct call;

struct fixture {
    struct sluice_options options; /* to be changed before fixture_open() */
    struct sluice_cache *cache;    /* NULL before fixture_open() and after fixture_destroy_cache() */
    struct gated_loader *loader;   /* holds, unless told otherwise */
    struct fake_clock clock;
    struct call *calls;   /* every call begun with call.h, the latest first */
    atomic_uint arrivals; /* outcomes that have come to them */
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* Runs the array `tests`. */
#define FIXTURE_MAIN(tests) return cmocka_run_group_tests(tests, NULL, NULL)

void fixture_open(struct fixture *fixture);

/* Uses the cache's own clock and timer thread. Before fixture_open(). */
void fixture_use_real_clock(struct fixture *fixture);

/* Destroys the cache in the midst of a test. The teardown then has no sums to check. */
void fixture_destroy_cache(struct fixture *fixture);

/* Closes, checks the sums, and opens another cache with the options as they are now. Nothing may be in flight. */
void fixture_reopen(struct fixture *fixture);

/* Moves the clock and ticks; returns what sluice_cache_tick() did. */
int64_t fixture_advance(struct fixture *fixture, int64_t ms);

struct sluice_stats fixture_stats(struct fixture *fixture);

/* Waits until exactly that many gets are parked. */
void fixture_await_waiters(struct fixture *fixture, uint64_t count);

/* A value's bytes, all else as SLUICE_CONTENT_INIT has it; and the same with tags, which it borrows. Any thread. */
struct sluice_content fixture_content(const char *text);
struct sluice_content fixture_content_tagged(const char *text, const char *const *tags, size_t count);

/* Puts, with the cache's own time to live or `ttl_ms`. */
void fixture_put(struct fixture *fixture, const char *key, const char *text);
void fixture_put_ttl(struct fixture *fixture, const char *key, const char *text, int64_t ttl_ms);

/* Looks in the table without loading: this error, and this value or reason (NULL: there must be none). */
void fixture_expect_present(struct fixture *fixture, const char *key, enum sluice_error error, const char *text);
void fixture_expect_absent(struct fixture *fixture, const char *key);

/* As fixture_expect_present() with a value that is given as a stale one. */
void fixture_expect_stale(struct fixture *fixture, const char *key, const char *text);

/* What a hit of the key says is left; no load may be needed for it. Counts as a read. */
int64_t fixture_ttl_of_hit(struct fixture *fixture, const char *key);

/* A get that is expected to be answered without anybody's help, with that error, value or reason, and source. */
void fixture_expect_get(struct fixture *fixture, const char *key, enum sluice_error error, const char *text,
                        enum sluice_source source);

/* Checks an outcome: this error, and this value or reason (NULL: neither). */
void fixture_expect_outcome(const struct sluice_outcome *outcome, enum sluice_error error, const char *text);

/* Checks an outcome that is a stale value, and for which reason (NULL: none). */
void fixture_expect_stale_outcome(const struct sluice_outcome *outcome, const char *text, const char *reason);

/* The ways to invalidate one key; ALL takes every other with it. */
enum invalidation { INVALIDATION_KEY, INVALIDATION_KEYS, INVALIDATION_PREFIX, INVALIDATION_ALL };

#define INVALIDATIONS 4

struct sluice_invalidated fixture_invalidate(struct fixture *fixture, enum invalidation how, const char *key);

#endif
