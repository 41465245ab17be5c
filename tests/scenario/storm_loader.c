/* SPDX-License-Identifier: MIT */
/* storm_loader.c: see storm_loader.h. */
#include "storm_loader.h"

#include "await.h"
#include "random.h"
#include "storm.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define DELAY_MS_MAX 6 /* over the deadline of a load, so that some run over it */
#define DELAY_SELDOM 64
#define YIELDS_MAX   50

/* A load that waits for its end, and what that will be. */
struct held {
    struct sluice_load *load;
    struct stamp stamp;
    int64_t due_ms;
    uint64_t bits;
};

struct storm_loader {
    struct ledger *ledger;
    uint64_t seed;
    _Atomic uint64_t calls;
    atomic_uint active;
    atomic_uint most;
    pthread_t thread;
    pthread_mutex_t lock;
    bool stopping;
    size_t count;
    struct held held[STORM_LOADS_MAX];
};

static void complete(struct sluice_load *load, const struct stamp *stamp, uint64_t bits)
{
    static const int64_t ttls_ms[] = {SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT, 0, 1, 2, 20};
    const struct sluice_content content = {
        .data = stamp, .size = sizeof *stamp, .ttl_ms = ttls_ms[bits % 6], .content_type = "text/plain"};

    sluice_load_complete(load, &content);
}

/* Ends the load in one of all ways, most often with a value. */
static void end(struct storm_loader *loader, const struct held *held)
{
    static const char large[STORM_VALUE_SIZE_MAX + 1];
    const struct sluice_content too_large = {.data = large, .size = sizeof large, .ttl_ms = SLUICE_TTL_DEFAULT};

    (void)sluice_load_wanted(held->load);
    atomic_fetch_sub(&loader->active, 1);
    switch (held->bits % 16) {
    case 0:
        sluice_load_not_found(held->load);
        break;
    case 1:
        sluice_load_fail(held->load, STORM_REASON);
        break;
    case 2:
        sluice_load_refuse(held->load, STORM_REASON);
        break;
    case 3:
        sluice_load_time_out(held->load, STORM_REASON);
        break;
    case 4:
        sluice_load_complete(held->load, &too_large);
        break;
    default:
        complete(held->load, &held->stamp, held->bits / 16);
        break;
    }
}

static void storm_load(void *self, struct sluice_load *load)
{
    struct storm_loader *loader = self;
    struct random random;
    random_init(&random, loader->seed + atomic_fetch_add(&loader->calls, 1));
    unsigned active = atomic_fetch_add(&loader->active, 1) + 1;
    unsigned most = atomic_load(&loader->most);
    while (active > most && !atomic_compare_exchange_weak(&loader->most, &most, active))
        ;
    uint32_t key = storm_key_number(sluice_load_key(load), sluice_load_key_size(load));
    struct held held = {.load = load, .stamp = ledger_load(loader->ledger, key), .bits = random_next(&random) >> 8};

    unsigned temper = random_below(&random, 4);
    if (temper == 0) {
        held.due_ms = await_now_ms();
        if (random_below(&random, DELAY_SELDOM) == 0)
            held.due_ms += random_below(&random, DELAY_MS_MAX + 1);
        pthread_mutex_lock(&loader->lock);
        bool room = loader->count < STORM_LOADS_MAX;
        if (room)
            loader->held[loader->count++] = held;
        pthread_mutex_unlock(&loader->lock);
        if (room)
            return;
    }
    for (unsigned yields = temper == 1 ? random_below(&random, YIELDS_MAX) : 0; yields > 0; yields--)
        sched_yield();
    end(loader, &held);
}

/* Takes out one that is due, or any if the loader is stopping. */
static bool take(struct storm_loader *loader, struct held *held)
{
    int64_t now_ms = await_now_ms();
    for (size_t i = 0; i < loader->count; i++)
        if (loader->stopping || loader->held[i].due_ms <= now_ms) {
            *held = loader->held[i];
            loader->held[i] = loader->held[--loader->count];
            return true;
        }
    return false;
}

static void *storm_loader_main(void *arg)
{
    struct storm_loader *loader = arg;
    bool stopping = false;
    while (!stopping) {
        struct held held;
        pthread_mutex_lock(&loader->lock);
        bool taken = take(loader, &held);
        stopping = loader->stopping && !taken;
        pthread_mutex_unlock(&loader->lock);
        if (taken)
            end(loader, &held);
        else
            sched_yield();
    }
    return NULL;
}

struct storm_loader *storm_loader_create(struct ledger *ledger, uint64_t seed)
{
    struct storm_loader *loader = calloc(1, sizeof *loader);
    if (loader == NULL)
        abort();
    loader->ledger = ledger;
    loader->seed = seed;
    pthread_mutex_init(&loader->lock, NULL);
    if (pthread_create(&loader->thread, NULL, storm_loader_main, loader) != 0)
        abort();
    return loader;
}

void storm_loader_destroy(struct storm_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->stopping = true;
    pthread_mutex_unlock(&loader->lock);
    pthread_join(loader->thread, NULL);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

struct sluice_loader storm_loader_option(struct storm_loader *loader)
{
    return (struct sluice_loader){.load = storm_load, .self = loader};
}

uint64_t storm_loader_calls(struct storm_loader *loader)
{
    return atomic_load(&loader->calls);
}

unsigned storm_loader_most(struct storm_loader *loader)
{
    return atomic_load(&loader->most);
}
