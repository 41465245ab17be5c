/* SPDX-License-Identifier: MIT */
/*
 * dispatch.h: makes asynchronous loads of a function that blocks: a bounded number of threads, in front of them a
 * bounded queue, first in, first out.
 *
 * May be used by: the backends whose client library blocks, tests. Uses: backend.h only.
 *
 *     a load            goes to a thread that is free, else into the queue, else it is refused (rule 10)
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
     * Optional. backend.destroy calls it once for each state, on its own thread, whether or not a load is running: load
     * must end soon from now on, also if it is only about to begin.
     */
    void (*interrupt)(void *state);

    /* Optional. Frees self, after all the others. */
    void (*destroy)(void *self);

    void *self; /* given to init; without init it is the state of each thread */
};

struct dispatch_options {
    const char *kind; /* of the backend, in one word: for messages and the threads' names. Static */
    size_t threads;   /* 1 to DISPATCH_THREADS_MAX */
    size_t queue_max; /* loads that wait for a thread; up to DISPATCH_QUEUE_MAX; 0: refused unless one is free */
    struct dispatch_work work;
};

/*
 * Makes the states, starts the threads and fills in `backend`, which does all that backend.h says. `options` is copied.
 * On true work.self is the backend's; on false it stays the caller's, and `fault` says what is wrong.
 */
bool dispatch_create(const struct dispatch_options *options, struct backend *backend, struct backend_fault *fault);

#endif
