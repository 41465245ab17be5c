/* SPDX-License-Identifier: MIT */
/* slow_loader.c: see slow_loader.h. */
#include "slow_loader.h"

#include "await.h"
#include "random.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DELAY_MS_MAX 6
#define YIELDS_MAX   20

/* A load that waits for its end. */
struct held {
    struct sluice_load *load;
    uint64_t name;
    uint64_t bits; /* how it is to end */
    int64_t due_ms;
};

struct slow_loader {
    struct run *run;
    _Atomic uint64_t calls;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool hurry;
    bool holds; /* ends nothing by itself */
    bool stopping;
    size_t count;
    struct held held[SLOW_LOADS_MAX];
};

/* ---- ends -------------------------------------------------------------------------------------------------------- */

/* A reload may find that the old value holds: as drawn, in half of the cases. Returns the record of the end's begin. */
static uint64_t end_with_value(struct run *run, const struct held *held)
{
    struct record record = {.kind = RECORD_FINISH_BEGIN, .begin = held->name, .how = RECORD_VALUE};
    struct sluice_content content = run_content(run, (unsigned)(held->bits >> 8), &held->name, &record);
    uint64_t begin;

    if (sluice_load_old_value(held->load) == NULL || (held->bits >> 32) % 2 == 0) {
        begin = record_add(run->log, record);
        sluice_load_complete(held->load, &content);
    } else {
        record.how = RECORD_NOT_MODIFIED;
        record.tags = 0; /* the old value keeps its own */
        begin = record_add(run->log, record);
        sluice_load_not_modified(held->load, content.ttl_ms, content.refresh_ms);
    }
    return begin;
}

/* Ends the load in one of all ways, most often with a value. */
static void end(struct slow_loader *loader, const struct held *held)
{
    struct record_log *log = loader->run->log;
    struct record record = {.kind = RECORD_FINISH_BEGIN, .begin = held->name};
    uint64_t begin;

    switch (held->bits % 16) {
    case 0:
        record.how = RECORD_NOTHING;
        begin = record_add(log, record);
        sluice_load_not_found(held->load);
        break;
    case 1:
        record.how = RECORD_FAILURE;
        begin = record_add(log, record);
        sluice_load_fail(held->load, "as drawn");
        break;
    case 2:
        record.how = RECORD_REFUSAL;
        begin = record_add(log, record);
        sluice_load_refuse(held->load, "as drawn");
        break;
    default:
        begin = end_with_value(loader->run, held);
        break;
    }
    record_add(log, (struct record){.kind = RECORD_FINISH_END, .begin = begin});
}

/* ---- loads ------------------------------------------------------------------------------------------------------- */

/* Leaves the load to the loader's thread. False: there is no room, or no time any more. */
static bool hold(struct slow_loader *loader, const struct held *held)
{
    bool room;

    pthread_mutex_lock(&loader->lock);
    room = !loader->hurry && loader->count < SLOW_LOADS_MAX;
    if (room)
        loader->held[loader->count++] = *held;
    pthread_cond_signal(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    return room;
}

/* This thread calls the loader for the executor. A thread of the cache's own is known by being about nothing. */
static _Thread_local bool in_background;

/* Writes down that a load begins. What the background calls out of a batch is not known to be of this thread's get. */
static struct held load_begins(struct slow_loader *loader, struct sluice_load *load, size_t together)
{
    struct run *run = loader->run;
    unsigned key = run_key_number(sluice_load_key(load), sluice_load_key_size(load));
    const struct sluice_value *old = sluice_load_old_value(load);
    bool background = run_current(key) == 0 || in_background;
    struct held held = {.load = load};

    held.name =
        record_add(run->log, (struct record){.kind = RECORD_LOAD_BEGIN,
                                             .keys = (uint16_t)(1u << key),
                                             .begin = in_background && run->mood.batch_ms > 0 ? 0 : run_current(key),
                                             .how = background ? RECORD_BACKGROUND : RECORD_FOREGROUND,
                                             .value = old == NULL ? 0 : run_value_name(old),
                                             .together = (uint8_t)together});
    return held;
}

static bool slow_loader_holds(struct slow_loader *loader)
{
    bool holds;

    pthread_mutex_lock(&loader->lock);
    holds = loader->holds;
    pthread_mutex_unlock(&loader->lock);
    return holds;
}

/* Ends it, or leaves it to the loader's thread. */
static void load_goes_on(struct slow_loader *loader, struct held *held)
{
    struct run *run = loader->run;
    struct random random;

    random_init(&random, run->seed + atomic_fetch_add_explicit(&loader->calls, 1, memory_order_relaxed));
    held->bits = random_next(&random);
    if (slow_loader_holds(loader) || random_below(&random, 1000) < run->mood.slow) {
        held->due_ms = await_now_ms() + random_below(&random, DELAY_MS_MAX + 1);
        if (hold(loader, held))
            return;
    }
    for (unsigned yields = random_below(&random, YIELDS_MAX); yields > YIELDS_MAX / 2; yields--)
        sched_yield();
    end(loader, held);
}

static void slow_load(void *self, struct sluice_load *load)
{
    struct slow_loader *loader = self;
    struct held held = load_begins(loader, load, 1);

    load_goes_on(loader, &held);
}

/* All of them have begun before the first one ends. More than there is room for is written down, and is one call. */
static void slow_load_many(void *self, struct sluice_load *const *loads, size_t count)
{
    struct slow_loader *loader = self;
    struct held helds[SLOW_LOADS_MAX];

    if (count > SLOW_LOADS_MAX) {
        fputs("slow_loader: more loads at once than there may be in all\n", stderr);
        abort();
    }
    for (size_t i = 0; i < count; i++)
        helds[i] = load_begins(loader, loads[i], count);
    for (size_t i = 0; i < count; i++)
        load_goes_on(loader, &helds[i]);
}

/* ---- the loader's thread ----------------------------------------------------------------------------------------- */

/* Takes out one that is due, or any if there is no time any more. */
static bool take(struct slow_loader *loader, struct held *held)
{
    int64_t now_ms = await_now_ms();

    for (size_t i = 0; i < loader->count; i++)
        if (loader->hurry || (!loader->holds && loader->held[i].due_ms <= now_ms)) {
            *held = loader->held[i];
            loader->held[i] = loader->held[--loader->count];
            return true;
        }
    return false;
}

/* Until the first of what is held is due, or somebody says that something has changed. */
static void wait_for_work(struct slow_loader *loader)
{
    int64_t due_ms = INT64_MAX;

    for (size_t i = 0; i < loader->count && !loader->holds; i++)
        due_ms = loader->held[i].due_ms < due_ms ? loader->held[i].due_ms : due_ms;
    if (due_ms == INT64_MAX) {
        pthread_cond_wait(&loader->changed, &loader->lock);
        return;
    }
    struct timespec due = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
    pthread_cond_timedwait(&loader->changed, &loader->lock, &due);
}

static void *slow_loader_main(void *arg)
{
    struct slow_loader *loader = arg;
    struct held held;

    pthread_mutex_lock(&loader->lock);
    while (!loader->stopping || loader->count > 0) {
        if (!take(loader, &held)) {
            wait_for_work(loader);
            continue;
        }
        pthread_mutex_unlock(&loader->lock);
        end(loader, &held);
        pthread_mutex_lock(&loader->lock);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

struct slow_loader *slow_loader_create(struct run *run)
{
    struct slow_loader *loader = calloc(1, sizeof *loader);
    pthread_condattr_t attributes;

    if (loader == NULL)
        abort();
    loader->run = run;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&loader->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&loader->thread, NULL, slow_loader_main, loader) != 0) {
        fputs("slow_loader: no thread to be had\n", stderr);
        abort();
    }
    return loader;
}

void slow_loader_hold(struct slow_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->hurry = false;
    loader->holds = true;
    pthread_mutex_unlock(&loader->lock);
}

void slow_loader_hurry(struct slow_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->hurry = true;
    loader->holds = false;
    pthread_cond_signal(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
}

void slow_loader_destroy(struct slow_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->hurry = loader->stopping = true;
    pthread_cond_signal(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    pthread_join(loader->thread, NULL);
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

struct sluice_loader slow_loader_one(struct slow_loader *loader)
{
    return (struct sluice_loader){.load = slow_load, .self = loader};
}

struct sluice_loader slow_loader_option(struct slow_loader *loader)
{
    struct sluice_loader option = slow_loader_one(loader);

    if (loader->run->mood.many)
        option.load_many = slow_load_many;
    return option;
}

static void run_at_once(void *self, void (*task)(void *arg), void *arg)
{
    bool outer = in_background;

    (void)self;
    in_background = true;
    task(arg);
    in_background = outer;
}

struct sluice_executor slow_loader_executor(void)
{
    return (struct sluice_executor){.run = run_at_once, .self = NULL};
}
