/* SPDX-License-Identifier: MIT */
/*
 * pressure.c: see pressure.h. A watcher polls its sources, asks the policy what a sign or a rest comes to, sets the
 * share of all its caches at once, and then has those that are over it give, one after the other.
 */
#include "pressure.h"

#include "core.h"
#include "pressure_policy.h"
#include "pressure_source.h"
#include "slab.h"
#include "thread.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static pthread_mutex_t pressure_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pressure_at_rest = PTHREAD_COND_INITIALIZER; /* a cache is shrinking no longer */

/*
 * A watcher shrinks a cache on this thread: its listener must not wait for it, nor for another one. It may tick another
 * watcher, though, which does not end it.
 */
static _Thread_local bool pressure_shrinks;

struct sluice_pressure {
    struct sluice_pressure_options options;
    int stop; /* an eventfd, for the thread; -1 without one */
    pthread_t thread;

    /* Of the thread, or the one that ticks; their kind and words are changed under the mutex. */
    struct pressure_source stall, events;

    /* Under the mutex. */
    struct pressure_policy policy;
    struct pressure_list caches;
    unsigned round; /* counts the times that the caches are to give: who has a lower number has not given yet */
    uint64_t signs, shrinks;
    struct sluice_shrunk shrunk;
};

static void pressure_lock(void)
{
    must(pthread_mutex_lock(&pressure_mutex) == 0);
}

static void pressure_unlock(void)
{
    must(pthread_mutex_unlock(&pressure_mutex) == 0);
}

/* ---- caches ------------------------------------------------------------------------------------------------------ */

static void set_share(struct sluice_cache *cache, unsigned share_percent)
{
    atomic_store_explicit(&cache->share_percent, share_percent, memory_order_relaxed);
}

bool pressure_set_unwatched(struct sluice_cache *cache, unsigned share_percent, unsigned *before_percent)
{
    bool unwatched;

    pressure_lock();
    unwatched = cache->pressure.by == NULL;
    *before_percent = sluice_cache_share(cache);
    if (unwatched)
        set_share(cache, share_percent);
    pressure_unlock();
    return unwatched;
}

enum sluice_error sluice_pressure_watch(struct sluice_pressure *pressure, struct sluice_cache *cache)
{
    struct sluice_shrunk shrunk = {0, 0};
    unsigned share_percent = 100;
    bool unwatched;

    pressure_lock();
    unwatched = cache->pressure.by == NULL;
    if (unwatched) {
        share_percent = pressure_policy_share(&pressure->policy);
        cache->pressure.by = pressure;
        cache->pressure.round = pressure->round;
        TAILQ_INSERT_TAIL(&pressure->caches, cache, pressure.order);
        set_share(cache, share_percent);
    }
    pressure_unlock();
    if (!unwatched)
        return SLUICE_INVALID;
    if (share_percent < 100)
        core_shrink(cache, &shrunk);
    return SLUICE_OK;
}

/* With the mutex held. */
static void let_go(struct sluice_cache *cache)
{
    TAILQ_REMOVE(&cache->pressure.by->caches, cache, pressure.order);
    cache->pressure.by = NULL;
    set_share(cache, 100);
}

void sluice_pressure_unwatch(struct sluice_cache *cache)
{
    pressure_lock();
    if (cache->pressure.by != NULL)
        let_go(cache);
    /* Also of one that was let go by another call just now. */
    while (cache->pressure.shrinking > 0 && !pressure_shrinks)
        pthread_cond_wait(&pressure_at_rest, &pressure_mutex);
    pressure_unlock();
}

/* With the mutex held: has all caches give that have not in this round. It is released while one does. */
static void shrink_all(struct sluice_pressure *pressure)
{
    bool outer = pressure_shrinks;
    struct sluice_cache *cache;

    while ((cache = TAILQ_FIRST(&pressure->caches)) != NULL && cache->pressure.round != pressure->round) {
        struct sluice_shrunk shrunk = {0, 0};

        TAILQ_REMOVE(&pressure->caches, cache, pressure.order);
        TAILQ_INSERT_TAIL(&pressure->caches, cache, pressure.order);
        cache->pressure.round = pressure->round;
        cache->pressure.shrinking++;
        pressure_shrinks = true;
        pressure_unlock();
        core_shrink(cache, &shrunk);
        pressure_lock();
        pressure_shrinks = outer;
        cache->pressure.shrinking--;
        pthread_cond_broadcast(&pressure_at_rest);
        pressure->shrunk.entries += shrunk.entries;
        pressure->shrunk.weight += shrunk.weight;
    }
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

static void give_back(const struct sluice_pressure_options *options)
{
    if (options->give_back != NULL) {
        options->give_back(options->self);
        return;
    }
    slab_trim();
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

/* Does what the signs of pressure, or their absence, ask for by now. Returns when to come again without one. */
static int64_t pressure_step(struct sluice_pressure *pressure)
{
    int64_t now_ms = clock_now_ms(&pressure->options.clock), next_ms;
    uint64_t evicted, before;
    struct sluice_cache *cache;
    bool stalled, held_back, shrinks;

    pressure_lock();
    before = pressure->shrunk.entries;
    stalled = pressure_source_read(&pressure->stall);
    held_back = pressure_source_read(&pressure->events);
    shrinks = false;
    if (stalled || held_back) {
        pressure->signs += (uint64_t)stalled + held_back;
        shrinks = pressure_policy_sign(&pressure->policy, now_ms);
    } else {
        (void)pressure_policy_rest(&pressure->policy, now_ms);
    }
    TAILQ_FOREACH(cache, &pressure->caches, pressure.order)
    {
        set_share(cache, pressure_policy_share(&pressure->policy));
    }
    if (shrinks) {
        pressure->shrinks++;
        pressure->round++;
        shrink_all(pressure);
    }
    evicted = pressure->shrunk.entries - before;
    next_ms = pressure_policy_next_ms(&pressure->policy);
    pressure_unlock();

    if (evicted > 0)
        give_back(&pressure->options);
    return next_ms;
}

/* Waits for a sign, the instant, or the stop. False: it is time to end. */
static bool pressure_wait(struct sluice_pressure *pressure, int64_t until_ms)
{
    int64_t left_ms = clock_left_ms(clock_now_ms(&pressure->options.clock), until_ms);
    struct pollfd polled[] = {pressure->stall.poll, pressure->events.poll, {.fd = pressure->stop, .events = POLLIN}};
    int timeout_ms = left_ms == SLUICE_NEVER ? -1 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;

    if (poll(polled, 3, timeout_ms) <= 0)
        return true;
    pressure->stall.poll.revents = polled[0].revents;
    pressure->events.poll.revents = polled[1].revents;
    return polled[2].revents == 0;
}

static void *pressure_run(void *arg)
{
    struct sluice_pressure *pressure = arg;
    int64_t until_ms = CLOCK_FAR;

    while (pressure_wait(pressure, until_ms))
        until_ms = pressure_step(pressure);
    return NULL;
}

int64_t sluice_pressure_tick(struct sluice_pressure *pressure)
{
    int64_t now_ms;

    if (pressure->stop >= 0)
        return SLUICE_NEVER;
    now_ms = clock_now_ms(&pressure->options.clock);
    (void)pressure_wait(pressure, now_ms);
    return clock_left_ms(now_ms, pressure_step(pressure));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static enum sluice_error start_fault(struct sluice_pressure_fault *fault, enum sluice_error error, int system,
                                     const char *words, const char *more)
{
    if (fault != NULL) {
        fault->system = system;
        snprintf(fault->words, sizeof fault->words, "%.500s%s%.500s", words, more[0] != '\0' ? "; " : "", more);
    }
    return error;
}

/* NULL, or what an option must be. */
static const char *options_fault(const struct sluice_pressure_options *options)
{
    if (options->window_ms < 500 || options->window_ms > 10000)
        return "window_ms must be 500 to 10000";
    if (options->stall_ms < 1 || options->stall_ms > options->window_ms)
        return "stall_ms must be 1 to window_ms";
    if (options->share_percent < 1 || options->share_percent > 99)
        return "share_percent must be 1 to 99";
    if (options->share_percent_min < 1 || options->share_percent_min > options->share_percent)
        return "share_percent_min must be 1 to share_percent";
    if (options->pace_ms < 1 || options->pace_ms > 3600000)
        return "pace_ms must be 1 to 3600000";
    if (options->hold_ms < 1 || options->hold_ms > 86400000)
        return "hold_ms must be 1 to 86400000";
    if (options->stall_path != NULL && options->events_path != NULL && options->stall_path[0] == '\0' &&
        options->events_path[0] == '\0')
        return "stall_path and events_path can't both be empty: nothing would be watched";
    return NULL;
}

static bool is_named(const char *path)
{
    return path != NULL && path[0] != '\0';
}

/* Opens the files. Which of them could be is told by their kinds and words. */
static void open_sources(struct pressure_source *stall, struct pressure_source *events,
                         const struct sluice_pressure_options *options)
{
    bool asked_for_stall = options->stall_path == NULL || options->stall_path[0] != '\0';
    bool asked_for_events = options->events_path == NULL || options->events_path[0] != '\0';

    pressure_source_init(stall, asked_for_stall ? "" : "not asked for");
    pressure_source_init(events, asked_for_events ? "" : "not asked for");
    if (is_named(options->stall_path))
        (void)pressure_source_open_stall(stall, options->stall_path, options->stall_ms, options->window_ms);
    else if (asked_for_stall)
        (void)pressure_source_choose_stall(stall, options->stall_ms, options->window_ms);
    if (is_named(options->events_path))
        (void)pressure_source_open_events(events, options->events_path);
    else if (asked_for_events)
        (void)pressure_source_choose_events(events);
}

/* Whether what could be opened is enough: all that was named, and one of the two. */
static enum sluice_error check_sources(const struct pressure_source *stall, const struct pressure_source *events,
                                       const struct sluice_pressure_options *options,
                                       struct sluice_pressure_fault *fault)
{
    const struct sluice_pressure_fault *one = &stall->words, *other = &events->words;

    if (stall->kind == PRESSURE_NONE && is_named(options->stall_path))
        return start_fault(fault, SLUICE_FILE, one->system, one->words, "");
    if (events->kind == PRESSURE_NONE && is_named(options->events_path))
        return start_fault(fault, SLUICE_FILE, other->system, other->words, "");
    if (stall->kind == PRESSURE_NONE && events->kind == PRESSURE_NONE)
        return start_fault(fault, SLUICE_FILE, one->system != 0 ? one->system : other->system, one->words,
                           other->words);
    return SLUICE_OK;
}

static enum sluice_error start_thread(struct sluice_pressure *pressure, struct sluice_pressure_fault *fault)
{
    char cause[128];

    pressure->stop = -1;
    if (pressure->options.clock.now_ms != NULL)
        return SLUICE_OK;
    pressure->stop = eventfd(0, EFD_CLOEXEC);
    if (pressure->stop < 0) {
        int error = errno;

        return start_fault(fault, SLUICE_FILE, error, "no eventfd to stop it by",
                           strerror_r(error, cause, sizeof cause));
    }
    if (thread_spawn(&pressure->thread, pressure_run, pressure, "sluice-pressure"))
        return SLUICE_OK;
    close(pressure->stop);
    return SLUICE_NO_THREAD;
}

enum sluice_error sluice_pressure_start(const struct sluice_pressure_options *options,
                                        struct sluice_pressure **pressure, struct sluice_pressure_fault *fault)
{
    static const struct sluice_pressure_options defaults = SLUICE_PRESSURE_OPTIONS_INIT;
    const char *wrong = options_fault(options != NULL ? options : &defaults);
    struct sluice_pressure *started;
    enum sluice_error error;

    if (wrong != NULL)
        return start_fault(fault, SLUICE_INVALID, 0, wrong, "");
    started = malloc(sizeof *started);
    if (started == NULL)
        return SLUICE_NO_MEMORY;
    started->options = options != NULL ? *options : defaults;
    pressure_policy_init(&started->policy, &started->options);
    TAILQ_INIT(&started->caches);
    started->round = 0;
    started->signs = started->shrinks = 0;
    started->shrunk = (struct sluice_shrunk){0, 0};
    open_sources(&started->stall, &started->events, &started->options);
    error = check_sources(&started->stall, &started->events, &started->options, fault);
    if (error != SLUICE_OK)
        goto refused;
    started->options.stall_path = started->options.events_path = NULL; /* the caller's, and not needed any more */
    error = start_thread(started, fault);
    if (error != SLUICE_OK)
        goto refused;
    *pressure = started;
    return SLUICE_OK;

refused:
    pressure_source_close(&started->stall);
    pressure_source_close(&started->events);
    free(started);
    return error;
}

void sluice_pressure_stop(struct sluice_pressure *pressure)
{
    static const uint64_t one = 1;
    struct sluice_cache *cache;

    if (pressure == NULL)
        return;
    pressure_lock();
    while ((cache = TAILQ_FIRST(&pressure->caches)) != NULL)
        let_go(cache);
    pressure_unlock();
    if (pressure->stop >= 0) {
        must(write(pressure->stop, &one, sizeof one) == sizeof one);
        must(pthread_join(pressure->thread, NULL) == 0);
        close(pressure->stop);
    }
    pressure_source_close(&pressure->stall);
    pressure_source_close(&pressure->events);
    free(pressure);
}

void sluice_pressure_look(struct sluice_pressure *pressure, struct sluice_pressure_state *state)
{
    pressure_lock();
    state->share_percent = pressure_policy_share(&pressure->policy);
    state->signs = pressure->signs;
    state->shrinks = pressure->shrinks;
    state->entries = pressure->shrunk.entries;
    state->weight = pressure->shrunk.weight;
    state->stall_watched = pressure->stall.kind != PRESSURE_NONE;
    state->events_watched = pressure->events.kind != PRESSURE_NONE;
    memcpy(state->stall_words, pressure->stall.words.words, sizeof state->stall_words);
    memcpy(state->events_words, pressure->events.words.words, sizeof state->events_words);
    pressure_unlock();
}
