/* SPDX-License-Identifier: MIT */
/*
 * background.h: where loads run that no get waits for on its own thread: on the caller's executor, or on threads of
 * the cache's own. Those are begun one by one as loads find no idle one, up to a maximum, and stay until the cache is
 * destroyed. The queue is bounded by loads_max, since what is in it counts as a load in flight.
 */
#ifndef CACHE_BACKGROUND_H
#define CACHE_BACKGROUND_H

#include "call.h"
#include "lock.h"

#include <sluice/cache.h>
#include <sys/queue.h>

#define BACKGROUND_THREADS_MAX 64

STAILQ_HEAD(background_queue, sluice_load);

struct background {
    const struct sluice_executor *executor;
    unsigned threads_max;
    pthread_mutex_t mutex; /* covers the rest; never taken under a shard's lock, and none of ours is taken under it */
    pthread_cond_t changed;
    struct background_queue queue; /* of chains, by their first flights */
    size_t queued;                 /* in it */
    unsigned threads;
    unsigned idle;    /* threads that sleep, or have been woken for what is queued */
    unsigned handing; /* calls of the executor's run that are under way */
    bool stopping;
    pthread_t ids[BACKGROUND_THREADS_MAX];
};

void background_init(struct background *background, const struct sluice_options *options);

/*
 * Has the loader called for a chain, as call_load_chain(); takes it over. If no thread can be had, and there is none,
 * the loads are refused.
 */
void background_call(struct background *background, struct call_chain *chain) FREE_OF_SHARD;

/*
 * The cache is closed: lets the threads end what is queued, and joins them; waits for the calls of the executor's run
 * that are under way. From then on neither is called: what comes is dropped by whoever brings it.
 */
void background_stop(struct background *background) FREE_OF_SHARD;

void background_fini(struct background *background);

#endif
