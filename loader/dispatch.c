/* SPDX-License-Identifier: MIT */
/* dispatch.c: threads and a queue for loads that block. See dispatch.h. */
#include "dispatch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dispatch_thread {
    struct dispatch *dispatch;
    void *state;
    pthread_t thread;
};

struct dispatch {
    struct dispatch_options options;
    struct dispatch_thread *threads;
    size_t states;  /* how many of them have a state */
    size_t started; /* how many of them run */
    size_t capacity;
    pthread_mutex_t mutex;
    pthread_cond_t filled; /* a load was queued, or the end has come */
    struct {
        struct sluice_load **ring; /* of `capacity`: a load waits here for a thread that is about to wake up, too */
        size_t head;
        size_t count;
        size_t running; /* threads inside work.load */
        bool closing;
    } locked;
};

static void push_locked(struct dispatch *dispatch, struct sluice_load *load)
{
    dispatch->locked.ring[(dispatch->locked.head + dispatch->locked.count) % dispatch->capacity] = load;
    dispatch->locked.count++;
}

static struct sluice_load *pop_locked(struct dispatch *dispatch)
{
    struct sluice_load *load = dispatch->locked.ring[dispatch->locked.head];

    dispatch->locked.head = (dispatch->locked.head + 1) % dispatch->capacity;
    dispatch->locked.count--;
    return load;
}

static bool is_full_locked(const struct dispatch *dispatch)
{
    return dispatch->locked.running + dispatch->locked.count >= dispatch->capacity;
}

static void load_drop(struct sluice_load *load)
{
    sluice_load_fail(load, "nobody waited for it any more when its turn came");
}

static void load_refuse(struct dispatch *dispatch, struct sluice_load *load)
{
    char reason[160];

    snprintf(reason, sizeof reason, "the %s backend is busy: %zu loads run and %zu wait, more are not taken",
             dispatch->options.kind, dispatch->options.threads, dispatch->options.queue_max);
    sluice_load_refuse(load, reason);
}

static void load_fail_closing(struct dispatch *dispatch, struct sluice_load *load)
{
    char reason[80];

    snprintf(reason, sizeof reason, "the %s backend is being closed", dispatch->options.kind);
    sluice_load_fail(load, reason);
}

/* As sluice_loader.load. */
static void dispatch_load(void *self, struct sluice_load *load)
{
    struct dispatch *dispatch = self;
    struct sluice_load *unwanted = NULL;
    bool taken, closing;

    pthread_mutex_lock(&dispatch->mutex);
    /* With equal deadlines the head of the queue is the first that nobody waits for: one look is enough. */
    if (is_full_locked(dispatch) && dispatch->locked.count > 0 &&
        !sluice_load_wanted(dispatch->locked.ring[dispatch->locked.head]))
        unwanted = pop_locked(dispatch);
    closing = dispatch->locked.closing;
    taken = !closing && !is_full_locked(dispatch);
    if (taken) {
        push_locked(dispatch, load);
        pthread_cond_signal(&dispatch->filled);
    }
    pthread_mutex_unlock(&dispatch->mutex);

    if (unwanted != NULL)
        load_drop(unwanted);
    if (closing)
        load_fail_closing(dispatch, load);
    else if (!taken)
        load_refuse(dispatch, load);
}

/* The next load, with its slot; NULL: the end has come. Blocks. */
static struct sluice_load *dispatch_take(struct dispatch *dispatch)
{
    struct sluice_load *load = NULL;

    pthread_mutex_lock(&dispatch->mutex);
    while (dispatch->locked.count == 0 && !dispatch->locked.closing)
        pthread_cond_wait(&dispatch->filled, &dispatch->mutex);
    if (!dispatch->locked.closing) {
        load = pop_locked(dispatch);
        dispatch->locked.running++;
    }
    pthread_mutex_unlock(&dispatch->mutex);
    return load;
}

static void dispatch_release(struct dispatch *dispatch)
{
    pthread_mutex_lock(&dispatch->mutex);
    dispatch->locked.running--;
    pthread_mutex_unlock(&dispatch->mutex);
}

static void *thread_run(void *arg)
{
    struct dispatch_thread *thread = arg;
    struct dispatch *dispatch = thread->dispatch;
    struct sluice_load *load;

    while ((load = dispatch_take(dispatch)) != NULL) {
        if (sluice_load_wanted(load))
            dispatch->options.work.load(thread->state, load);
        else
            load_drop(load);
        dispatch_release(dispatch);
    }
    return NULL;
}

/* Makes the state of each thread. */
static bool states_init(struct dispatch *dispatch, struct backend_fault *fault)
{
    const struct dispatch_work *work = &dispatch->options.work;

    for (; dispatch->states < dispatch->options.threads; dispatch->states++) {
        struct dispatch_thread *thread = &dispatch->threads[dispatch->states];

        thread->dispatch = dispatch;
        thread->state = work->self;
        if (work->init != NULL && !work->init(work->self, &thread->state, fault))
            return false;
    }
    return true;
}

/* The threads are the backend's own: they must not take the signals that the program waits for. */
static bool threads_start(struct dispatch *dispatch, struct backend_fault *fault)
{
    char name[16]; /* all that the system keeps of a name */
    sigset_t all, before;
    int error = 0;

    snprintf(name, sizeof name, "sluice-%s", dispatch->options.kind);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; error == 0 && dispatch->started < dispatch->options.threads; dispatch->started += error == 0) {
        struct dispatch_thread *thread = &dispatch->threads[dispatch->started];

        error = pthread_create(&thread->thread, NULL, thread_run, thread);
        if (error == 0)
            pthread_setname_np(thread->thread, name);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        char cause[128];

        return backend_fault_set(fault, "%s: thread %zu of %zu could not be started: %s", dispatch->options.kind,
                                 dispatch->started + 1, dispatch->options.threads,
                                 strerror_r(error, cause, sizeof cause));
    }
    return true;
}

/* As backend.stats. */
static void dispatch_stats(void *self, struct backend_stats *stats)
{
    struct dispatch *dispatch = self;
    size_t starting;

    pthread_mutex_lock(&dispatch->mutex);
    starting = dispatch->options.threads - dispatch->locked.running;
    if (starting > dispatch->locked.count)
        starting = dispatch->locked.count;
    stats->running = dispatch->locked.running + starting;
    stats->queued = dispatch->locked.count - starting;
    pthread_mutex_unlock(&dispatch->mutex);
    stats->running_max = dispatch->options.threads;
    stats->queued_max = dispatch->options.queue_max;
}

/* No thread takes a load any more: what is in the queue is ended here. */
static void queue_close(struct dispatch *dispatch)
{
    pthread_mutex_lock(&dispatch->mutex);
    dispatch->locked.closing = true;
    pthread_cond_broadcast(&dispatch->filled);
    while (dispatch->locked.count > 0) {
        struct sluice_load *load = pop_locked(dispatch);

        pthread_mutex_unlock(&dispatch->mutex);
        load_fail_closing(dispatch, load);
        pthread_mutex_lock(&dispatch->mutex);
    }
    pthread_mutex_unlock(&dispatch->mutex);
}

/* Undoes as much of dispatch_create() as was done; leaves work.self alone. */
static void dispatch_undo(struct dispatch *dispatch)
{
    queue_close(dispatch);
    for (size_t i = 0; i < dispatch->started; i++) {
        if (dispatch->options.work.interrupt != NULL)
            dispatch->options.work.interrupt(dispatch->threads[i].state);
    }
    for (size_t i = 0; i < dispatch->started; i++)
        pthread_join(dispatch->threads[i].thread, NULL);
    for (size_t i = 0; i < dispatch->states; i++) {
        if (dispatch->options.work.fini != NULL)
            dispatch->options.work.fini(dispatch->threads[i].state);
    }
    pthread_cond_destroy(&dispatch->filled);
    pthread_mutex_destroy(&dispatch->mutex);
    free(dispatch->locked.ring);
    free(dispatch->threads);
    free(dispatch);
}

/* As backend.destroy. */
static void dispatch_destroy(void *self)
{
    struct dispatch *dispatch = self;
    struct dispatch_work work = dispatch->options.work;

    dispatch_undo(dispatch);
    if (work.destroy != NULL)
        work.destroy(work.self);
}

static bool options_fit(const struct dispatch_options *options, struct backend_fault *fault)
{
    if (options->threads == 0 || options->threads > DISPATCH_THREADS_MAX)
        return backend_fault_set(fault, "%s: max_concurrent is %zu, it has to be from 1 to %d", options->kind,
                                 options->threads, DISPATCH_THREADS_MAX);
    if (options->queue_max > DISPATCH_QUEUE_MAX)
        return backend_fault_set(fault, "%s: queue_max is %zu, it can be %zu at most", options->kind,
                                 options->queue_max, DISPATCH_QUEUE_MAX);
    return true;
}

bool dispatch_create(const struct dispatch_options *options, struct backend *backend, struct backend_fault *fault)
{
    struct dispatch *created;

    if (!options_fit(options, fault))
        return false;
    created = calloc(1, sizeof *created);
    if (created == NULL)
        goto no_memory;
    created->options = *options;
    created->capacity = options->threads + options->queue_max;
    created->threads = calloc(options->threads, sizeof *created->threads);
    if (created->threads == NULL)
        goto free_dispatch;
    created->locked.ring = calloc(created->capacity, sizeof *created->locked.ring);
    if (created->locked.ring == NULL)
        goto free_threads;
    pthread_mutex_init(&created->mutex, NULL);
    pthread_cond_init(&created->filled, NULL);

    if (!states_init(created, fault) || !threads_start(created, fault)) {
        dispatch_undo(created);
        return false;
    }
    *backend = (struct backend){
        .kind = options->kind,
        .loader = {.load = dispatch_load, .self = created},
        .stats = dispatch_stats,
        .destroy = dispatch_destroy,
        .self = created,
    };
    return true;

free_threads:
    free(created->threads);
free_dispatch:
    free(created);
no_memory:
    return backend_fault_set(fault, "%s: out of memory", options->kind);
}
