/* SPDX-License-Identifier: MIT */
/* watch.c: see watch.h. */
#include "watch.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_GETS 1000 /* before a stretch counts as begun */

/* xorshift64. */
static uint64_t next_random(struct watch *watch)
{
    watch->random ^= watch->random << 13;
    watch->random ^= watch->random >> 7;
    watch->random ^= watch->random << 17;
    return watch->random;
}

static void get_one(struct watch *watch, size_t entry)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    char key[STOCK_KEY_BYTES];

    stock_key(entry, key);
    measure_series_begin(&watch->seen.gets);
    enum sluice_error error = sluice_get_if_present(watch->stock->cache, key, sizeof(key), &outcome);
    measure_series_end(&watch->seen.gets);
    sluice_outcome_fini(&outcome);
    watch->seen.hits += error == SLUICE_OK;
}

static void get_on(struct watch *watch)
{
    while (atomic_load_explicit(&watch->on, memory_order_relaxed)) {
        uint64_t random = next_random(watch) >> 16;

        if ((random & 1) != 0 && watch->concerned_count > 0) {
            get_one(watch, watch->concerned[(random >> 1) % watch->concerned_count]);
        } else {
            get_one(watch, (random >> 1) % watch->entries);
        }
        atomic_fetch_add_explicit(&watch->gets, 1, memory_order_relaxed);
    }
}

static void *watch_run(void *arg)
{
    struct watch *watch = arg;

    pthread_mutex_lock(&watch->mutex);
    while (!watch->stopping) {
        if (!watch->wanted) {
            pthread_cond_wait(&watch->changed, &watch->mutex);
            continue;
        }
        watch->wanted = false;
        pthread_mutex_unlock(&watch->mutex);
        get_on(watch);
        pthread_mutex_lock(&watch->mutex);
        watch->resting = true;
        pthread_cond_broadcast(&watch->changed);
    }
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

void watch_start(struct watch *watch)
{
    memset(watch, 0, sizeof(*watch));
    watch->random = UINT64_C(0x9e3779b97f4a7c15);
    watch->resting = true;
    pthread_mutex_init(&watch->mutex, NULL);
    pthread_cond_init(&watch->changed, NULL);
    if (pthread_create(&watch->thread, NULL, watch_run, watch) != 0) {
        fprintf(stderr, "cannot start a thread\n");
        exit(2);
    }
}

void watch_stop(struct watch *watch)
{
    pthread_mutex_lock(&watch->mutex);
    watch->stopping = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->mutex);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->mutex);
}

void watch_begin(struct watch *watch)
{
    memset(&watch->seen, 0, sizeof(watch->seen));
    atomic_store(&watch->gets, 0);
    atomic_store(&watch->on, true);
    pthread_mutex_lock(&watch->mutex);
    watch->wanted = true;
    watch->resting = false;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->mutex);
    while (atomic_load(&watch->gets) < WARM_GETS) {
        sched_yield();
    }
}

void watch_end(struct watch *watch, struct watch_seen *seen)
{
    atomic_store(&watch->on, false);
    pthread_mutex_lock(&watch->mutex);
    while (!watch->resting) {
        pthread_cond_wait(&watch->changed, &watch->mutex);
    }
    pthread_mutex_unlock(&watch->mutex);
    *seen = watch->seen;
}
