/* SPDX-License-Identifier: MIT */
/* batch.c: see batch.h. */
#include "batch.h"

#include "core.h"

void batch_init(struct batch *batch)
{
    must(pthread_mutex_init(&batch->mutex, NULL) == 0);
    call_chain_init(&batch->waiting);
    batch->due_ms = CLOCK_FAR;
    batch->stopped = false;
}

void batch_fini(struct batch *batch)
{
    pthread_mutex_destroy(&batch->mutex);
}

/* With the mutex held: moves all that waits to the caller's chain. */
static void batch_take(struct batch *batch, struct call_chain *taken)
{
    *taken = batch->waiting;
    call_chain_init(&batch->waiting);
    batch->due_ms = CLOCK_FAR;
}

void batch_add(struct sluice_cache *cache, struct sluice_load *flight)
{
    struct batch *batch = &cache->batch;
    int64_t due_ms = clock_after_ms(clock_now_ms(&cache->options.clock), cache->options.batch_window_ms);
    struct call_chain full;
    bool first;

    call_chain_init(&full);
    pthread_mutex_lock(&batch->mutex);
    call_chain_add(&batch->waiting, flight);
    first = batch->waiting.count == 1;
    if (first)
        batch->due_ms = due_ms;
    if (batch->stopped || batch->waiting.count >= cache->options.batch_size_max)
        batch_take(batch, &full);
    pthread_mutex_unlock(&batch->mutex);

    if (full.first != NULL)
        background_call(&cache->background, &full);
    else if (first)
        ticker_poke(&cache->ticker, due_ms);
}

int64_t batch_tick(struct sluice_cache *cache, int64_t now_ms)
{
    struct batch *batch = &cache->batch;
    struct call_chain due;
    int64_t next_ms;

    call_chain_init(&due);
    pthread_mutex_lock(&batch->mutex);
    if (batch->due_ms <= now_ms)
        batch_take(batch, &due);
    next_ms = batch->due_ms;
    pthread_mutex_unlock(&batch->mutex);
    if (due.first != NULL)
        background_call(&cache->background, &due);
    return next_ms;
}

void batch_stop(struct sluice_cache *cache)
{
    pthread_mutex_lock(&cache->batch.mutex);
    cache->batch.stopped = true;
    pthread_mutex_unlock(&cache->batch.mutex);
    (void)batch_tick(cache, CLOCK_FAR);
}
