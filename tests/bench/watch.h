/* SPDX-License-Identifier: MIT */
/*
 * watch.h: a thread that gets in a loop and sees how long its gets take, while something else goes on in the cache.
 *
 * May be used by: tests/bench, from one thread.
 */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include "measure.h"
#include "stock.h"

#include <pthread.h>

/* What it saw in one stretch. */
struct watch_seen {
    struct measure_series gets;
    uint64_t hits;
};

struct watch {
    struct stock *stock;
    size_t entries; /* every other get is of one of all entries */
    const uint32_t *concerned;
    size_t concerned_count; /* the others are of one of these */
    uint64_t random;
    struct watch_seen seen; /* the thread's own between watch_begin() and watch_end(), the caller's otherwise */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool wanted, resting, stopping; /* covered by mutex */
    atomic_bool on;
    _Atomic uint64_t gets;
};

/* Starts the thread, at rest. */
void watch_start(struct watch *watch);
void watch_stop(struct watch *watch);

/* A stretch begins; returns when the first gets have been made. `stock` and what is to be got are set before. */
void watch_begin(struct watch *watch);

/* It is over: the get that is under way is ended and counted. */
void watch_end(struct watch *watch, struct watch_seen *seen);

#endif
