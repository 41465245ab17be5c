/* SPDX-License-Identifier: MIT */
/*
 * ticker.h: the timer thread of a cache. Sleeps until the earliest deadline, runs what is due (core_tick()), and looks
 * for the next one. A deadline that is set meanwhile and lies earlier wakes it.
 */
#ifndef CACHE_TICKER_H
#define CACHE_TICKER_H

#include "lock.h"
#include "park.h"

#include <sluice/cache.h>
#include <stdatomic.h>

#define TICKER_LOOK_MS   10
#define TICKER_DEPTH_MAX 16

struct ticker {
    pthread_t thread;
    pthread_mutex_t mutex; /* covers the rest; never taken under a shard's lock */
    pthread_cond_t changed;
    bool threaded; /* there is, or was, a thread; else nothing here is used but wake_ms */
    bool stopping;
    _Atomic int64_t wake_ms; /* when it will look next; CLOCK_FAR while it looks, so that nothing set then is missed */
};

/* Starts the thread; with `threaded` false only makes ready for ticker_poke() and ticker_stop() to do nothing. */
enum sluice_error ticker_start(struct ticker *ticker, struct sluice_cache *cache, bool threaded) SLUICE_CHECK_RESULT;

/* Tells of a deadline. Costs one load where the thread wakes early enough anyway. */
void ticker_poke(struct ticker *ticker, int64_t due_ms) FREE_OF_SHARD;

/*
 * As park_wait(), for a get of this ticker's cache. On the timer thread, where a callback may wait, it goes on running
 * what is due meanwhile, be it the end of that very wait; looking every TICKER_LOOK_MS, since a poke doesn't wake it
 * there. That may call the next callback that waits, and so on, TICKER_DEPTH_MAX deep. The ticker may be gone by the
 * return, and, on any other thread, from the call on.
 */
void ticker_park(struct ticker *ticker, struct park *park) FREE_OF_SHARD;

/* Whether this thread is its timer thread, and as deep as that: then nothing may wait on it any more. */
bool ticker_is_deep(const struct ticker *ticker);

/* Joins the thread. ticker_poke() may still be called and does nothing of use. */
void ticker_stop(struct ticker *ticker) FREE_OF_SHARD;

/* Gives back what ticker_start() took; the thread is stopped. */
void ticker_fini(struct ticker *ticker);

#endif
