/* SPDX-License-Identifier: MIT */
/*
 * dispatch_fixture.h: a dispatch whose loads stand at a gate until a test lets them go, a cache on a fake clock in
 * front of it, and asynchronous gets whose outcomes are kept.
 *
 * The functions assert: for the thread that runs the tests.
 */
#ifndef TESTS_DISPATCH_FIXTURE_H
#define TESTS_DISPATCH_FIXTURE_H

#include "await.h"
#include "dispatch.h"
#include "fake_clock.h"
#include "test.h"

#include <sluice/cache.h>

#include <pthread.h>

#define KEYS_MAX     64
#define KEY_SIZE_MAX 15

struct dispatch_fixture;

/* A get and what came of it. Lives as long as the fixture. */
struct get {
    struct dispatch_fixture *fixture;
    char key[KEY_SIZE_MAX + 1];
    const char *again; /* a key to be loaded from inside the callback, or NULL */
    enum sluice_error error;
    char text[256]; /* the value or the reason */
    pthread_t thread;
    atomic_bool done;
};

struct dispatch_fixture {
    struct fake_clock clock;
    struct sluice_options cache_options; /* these two: to be changed before dispatch_fixture_open() */
    struct dispatch_options options;     /* work is the gated one */
    bool destroys_cache_first;           /* true, as a program does it; false: the loads' waiters see them end */
    struct backend backend;
    struct sluice_cache *cache;
    struct get gets[KEYS_MAX];
    size_t gets_count;

    /* Under the mutex: what the loads did and may do. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    char begun[KEYS_MAX][KEY_SIZE_MAX + 1]; /* keys, in the order in which work.load was called */
    size_t begun_count;
    size_t inside; /* loads in work.load now, and at most so far */
    size_t inside_max;
    size_t passes; /* loads that may still go through the gate */
    bool open;
    bool interrupted;

    size_t init_fails_at; /* the number of the state whose init fails, from 1; 0: none */
    size_t inits;
    size_t finis;
    size_t interrupts;
    size_t destroys;
};

int dispatch_fixture_setup(void **state);
int dispatch_fixture_teardown(void **state);

/* Makes dispatch and cache with `threads` and `queue_max`. */
void dispatch_fixture_open(struct dispatch_fixture *fixture, size_t threads, size_t queue_max);

/* Destroys dispatch and cache; checks that all loads have been ended and every state undone. */
void dispatch_fixture_close(struct dispatch_fixture *fixture);

/* Begins an asynchronous get. */
struct get *get_start(struct dispatch_fixture *fixture, const char *key);

/* Waits until it is done and checks its error; the value has to be the key. */
void get_expect(struct get *get, enum sluice_error error);

/* Lets `count` more loads through the gate, or all from now on. */
void gate_pass(struct dispatch_fixture *fixture, size_t count);
void gate_open(struct dispatch_fixture *fixture);

/* Waits until work.load has been called that often in all. */
void gate_await_begun(struct dispatch_fixture *fixture, size_t count);
size_t gate_begun(struct dispatch_fixture *fixture);

struct backend_stats stats_of(struct dispatch_fixture *fixture);

#endif
