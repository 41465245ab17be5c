/* SPDX-License-Identifier: MIT */
/*
 * batch.h: separate misses that wait for each other, to be loaded in one call (rule 15). A batch is called, in the
 * background, when it has batch_size_max loads or when batch_window_ms have passed since its first one. What waits
 * here counts as a load in flight, so that it is bounded by loads_max.
 */
#ifndef CACHE_BATCH_H
#define CACHE_BATCH_H

#include "call.h"

struct batch {
    pthread_mutex_t mutex; /* covers the rest; never taken under a shard's lock, and none of ours is taken under it */
    struct call_chain waiting;
    int64_t due_ms; /* of what is waiting */
    bool stopped;   /* nobody comes for what is waiting any more */
};

void batch_init(struct batch *batch);
void batch_fini(struct batch *batch);

/* Adds a flight with the cache's own loader; takes over the reference of its call. */
void batch_add(struct sluice_cache *cache, struct sluice_load *flight) FREE_OF_SHARD;

/* The cache is closed: calls what is waiting, and at once what is still to come. */
void batch_stop(struct sluice_cache *cache) FREE_OF_SHARD;

/* Calls what is due by now_ms. Returns when more is; CLOCK_FAR: nothing waits. */
int64_t batch_tick(struct sluice_cache *cache, int64_t now_ms) FREE_OF_SHARD;

#endif
