/* SPDX-License-Identifier: MIT */
/*
 * call.h: one get, blocking (on a thread of its own) or asynchronous, and what came of it.
 *
 * The two ways look alike from here, so that a test can run in both. The fixture owns the calls: they live until its
 * teardown. Besides call_done() and call_cancel(), the functions assert: for the thread that runs the tests.
 */
#ifndef TESTS_CALL_H
#define TESTS_CALL_H

#include "fixture.h"

#include <pthread.h>

enum way { WAY_BLOCKING, WAY_ASYNC };

#define WAYS 2

struct call_spec {
    enum way way;
    const char *key;
    size_t key_size; /* 0: a string */
    int64_t timeout_ms;
    struct sluice_load *parent;  /* or NULL */
    struct gated_loader *loader; /* of the call's own; NULL: the cache's */
    bool elsewhere;              /* make an asynchronous get on a thread of its own too: its loader may block */
    /* Runs where the outcome comes in, before the call counts as done: the place to call the cache from a callback. */
    void (*inside)(void *arg, const struct sluice_outcome *outcome);
    void *arg;
};

struct call {
    struct fixture *fixture;
    struct call *next;
    struct call_spec spec;
    struct errand *errand;    /* NULL: none */
    struct sluice_wait *wait; /* of an asynchronous one that parked */
    struct sluice_outcome outcome;
    bool at_once;         /* an asynchronous one that did not park */
    pthread_t thread;     /* that brought the outcome */
    unsigned arrival;     /* 0 for the first outcome of all calls of the fixture, 1 for the next */
    atomic_uint outcomes; /* that came; never over 1 (rule 19) */
    atomic_bool parking_ran;
    bool cancelled;
};

/* Begins a get. An asynchronous one has parked or been answered on return (unless `elsewhere`). */
struct call *call_start_spec(struct fixture *fixture, const struct call_spec *spec);
struct call *call_start(struct fixture *fixture, enum way way, const char *key, int64_t timeout_ms);

/*
 * Begins a get that is sure to park, and waits until it has and, if it leads, until its loader has been called: the
 * fixture's. Others must not begin, park or leave meanwhile.
 */
struct call *call_park(struct fixture *fixture, enum way way, const char *key, int64_t timeout_ms);

/* Whether its outcome has come. Any thread. */
bool call_done(struct call *call);

/* Waits for the outcome with a deadline that fails the test. */
void call_await(struct call *call);

/* Waits for the outcome and checks error and text (NULL: neither value nor reason). */
void call_expect(struct call *call, enum sluice_error error, const char *text);

/* Waits for the outcome, which is to be a stale value, and checks it as fixture_expect_stale_outcome(). */
void call_expect_stale(struct call *call, const char *text, const char *reason);

/* sluice_wait_cancel() of one that parked; remembers if it was cancelled. Once a call. Any thread. */
bool call_cancel(struct call *call);

/* Whether it has come to its end: done or cancelled, and its thread gone. Used by the teardown. */
bool call_finish(struct call *call);

/* Gives everything back. Used by the teardown. */
void call_free(struct call *call);

#endif
