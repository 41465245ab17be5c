/* SPDX-License-Identifier: MIT */
/*
 * dispatch.h: makes asynchronous loads of a function that blocks: a bounded number of threads, in front of them a
 * bounded queue, first in, first out.
 *
 * May be used by: the backends whose client library blocks, tests. Uses: backend.h only.
 *
 *     dispatch_load()   takes the load for a thread that is free, else queues it, else refuses it (rule 10)
 *     a thread          takes the first load of the queue and calls work.load with it. The slot stays taken until that
 *                       returns, whatever became of the flight meanwhile (rule 8)
 *     nobody wants it   a load whose turn comes too late (sluice_load_wanted() is false) is ended without being run; a
 *                       full queue makes room with such a load if one is at its head
 *
 * One mutex covers the queue. It is never held while a load is ended or a function of work is called; under it only
 * sluice_load_wanted() is. Nothing is allocated after dispatch_create().
 *
 * Ending a load runs the callbacks of its waiters, here on a thread of the dispatch (or, for a refusal, on the one that
 * began the load). They may begin other loads but must not block until one of this dispatch is done.
 */
#ifndef LOADER_DISPATCH_H
#define LOADER_DISPATCH_H

#include "backend.h"

/* Larger numbers are a fault of the options. */
#define DISPATCH_THREADS_MAX 1024
#define DISPATCH_QUEUE_MAX   ((size_t)1 << 20)

/* The functions of a backend. A thread's state is touched by that thread alone, save where said. */
struct dispatch_work {
    /*
     * Optional. Makes one thread's state, a connection for example. Called in dispatch_create() for each thread, one
     * after the other. On false `fault` says what is wrong, nothing is kept and dispatch_create() fails with it.
     */
    bool (*init)(void *self, void **state, struct backend_fault *fault);

    /* Optional. Undoes init, once for each; by then the threads are gone. */
    void (*fini)(void *state);

    /* Runs one load to its end: blocks, and ends the load before it returns. */
    void (*load)(void *state, struct sluice_load *load);

    /*
     * Optional. dispatch_destroy() calls it once for each state, on its own thread, whether or not a load is running:
     * load must end soon from now on, also if it is only about to begin. Any thread.
     */
    void (*interrupt)(void *state);

    void *self; /* given to init; without init it is the state of each thread */
};

struct dispatch_options {
    const char *kind; /* of the backend, in one word: for messages and the threads' names. Static */
    size_t threads;   /* 1 to DISPATCH_THREADS_MAX */
    size_t queue_max; /* loads that wait for a thread; up to DISPATCH_QUEUE_MAX; 0: refused unless one is free */
    struct dispatch_work work;
};

struct dispatch;

/* Makes the states, then starts the threads. `options` is copied. On false `fault` says what is wrong. */
bool dispatch_create(const struct dispatch_options *options, struct dispatch **dispatch, struct backend_fault *fault);

/* Takes over a load: it is run, or ended without. Any thread; does not block. */
void dispatch_load(struct dispatch *dispatch, struct sluice_load *load);

/* As backend.stats. A load that has a thread to go to counts as running. Any thread. */
void dispatch_stats(struct dispatch *dispatch, struct backend_stats *stats);

/*
 * Ends the queued loads with sluice_load_fail(), interrupts those that run, waits until the threads have ended, and
 * frees everything. No load may begin any more. NULL is allowed.
 */
void dispatch_destroy(struct dispatch *dispatch);

#endif
