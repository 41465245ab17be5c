/* SPDX-License-Identifier: MIT */
/* ticker.c: see ticker.h. */
#include "ticker.h"

#include "core.h"
#include "thread.h"

#include <time.h>

/* The cache whose timer thread this is, or NULL; and how many waits on it are running what is due. */
static _Thread_local struct sluice_cache *ticker_cache;
static _Thread_local unsigned ticker_depth;

static bool ticker_is_here(const struct ticker *ticker)
{
    return ticker_cache != NULL && &ticker_cache->ticker == ticker;
}

bool ticker_is_deep(const struct ticker *ticker)
{
    return ticker_is_here(ticker) && ticker_depth == TICKER_DEPTH_MAX;
}

void ticker_park(struct ticker *ticker, struct park *park)
{
    if (!ticker_is_here(ticker)) {
        park_wait(park);
        return;
    }
    must(ticker_depth < TICKER_DEPTH_MAX);
    ticker_depth++;
    while (!park_wait_for(park, TICKER_LOOK_MS))
        (void)core_tick(ticker_cache, CORE_EXPIRY_SLACK_MS);
    ticker_depth--;
}

/* With the mutex held: sleeps until wake_ms, a poke or the stop. */
static void ticker_sleep(struct ticker *ticker)
{
    int64_t wake_ms = atomic_load_explicit(&ticker->wake_ms, memory_order_relaxed);
    struct timespec wake = {.tv_sec = wake_ms / 1000, .tv_nsec = wake_ms % 1000 * 1000000};

    if (wake_ms == CLOCK_FAR)
        pthread_cond_wait(&ticker->changed, &ticker->mutex);
    else
        pthread_cond_timedwait(&ticker->changed, &ticker->mutex, &wake);
}

static void *ticker_run(void *arg)
{
    struct sluice_cache *cache = arg;
    struct ticker *ticker = &cache->ticker;

    ticker_cache = cache;
    pthread_mutex_lock(&ticker->mutex);
    while (!ticker->stopping) {
        int64_t next_ms;

        atomic_store(&ticker->wake_ms, CLOCK_FAR);
        pthread_mutex_unlock(&ticker->mutex);
        next_ms = core_tick(cache, CORE_EXPIRY_SLACK_MS);
        pthread_mutex_lock(&ticker->mutex);

        if (next_ms < atomic_load(&ticker->wake_ms))
            atomic_store(&ticker->wake_ms, next_ms);
        while (!ticker->stopping && clock_now_ms(&cache->options.clock) < atomic_load(&ticker->wake_ms))
            ticker_sleep(ticker);
    }
    pthread_mutex_unlock(&ticker->mutex);
    return NULL;
}

enum sluice_error ticker_start(struct ticker *ticker, struct sluice_cache *cache, bool threaded)
{
    pthread_condattr_t attributes;

    atomic_init(&ticker->wake_ms, INT64_MIN); /* without a thread: never poked */
    ticker->threaded = threaded;
    ticker->stopping = false;
    if (!threaded)
        return SLUICE_OK;

    must(pthread_mutex_init(&ticker->mutex, NULL) == 0);
    must(pthread_condattr_init(&attributes) == 0);
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&ticker->changed, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
    if (thread_spawn(&ticker->thread, ticker_run, cache, "sluice-timer"))
        return SLUICE_OK;
    ticker_fini(ticker);
    return SLUICE_NO_THREAD;
}

void ticker_poke(struct ticker *ticker, int64_t due_ms)
{
    if (due_ms >= atomic_load(&ticker->wake_ms))
        return;
    pthread_mutex_lock(&ticker->mutex);
    if (due_ms < atomic_load(&ticker->wake_ms)) {
        atomic_store(&ticker->wake_ms, due_ms);
        pthread_cond_signal(&ticker->changed);
    }
    pthread_mutex_unlock(&ticker->mutex);
}

void ticker_stop(struct ticker *ticker)
{
    if (!ticker->threaded)
        return;
    pthread_mutex_lock(&ticker->mutex);
    ticker->stopping = true;
    pthread_cond_signal(&ticker->changed);
    pthread_mutex_unlock(&ticker->mutex);
    must(pthread_join(ticker->thread, NULL) == 0);
}

void ticker_fini(struct ticker *ticker)
{
    if (!ticker->threaded)
        return;
    pthread_cond_destroy(&ticker->changed);
    pthread_mutex_destroy(&ticker->mutex);
    ticker->threaded = false;
}
