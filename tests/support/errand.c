/* SPDX-License-Identifier: MIT */
/* errand.c: see errand.h. */
#include "errand.h"

#include "await.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define YIELDS 1000 /* in which an errand that waits for nothing ends */

struct errand {
    struct errand *next; /* of those that run, under running_lock */
    void (*run)(void *arg);
    void *arg;
    pthread_t thread;
    atomic_bool ended;
};

/* Those that have not ended. */
static struct errand *running;
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;

static atomic_bool stopped;

static void errand_end(void *arg)
{
    struct errand *errand = arg;
    pthread_mutex_lock(&running_lock);
    struct errand **at = &running;
    while (*at != errand)
        at = &(*at)->next;
    *at = errand->next;
    pthread_mutex_unlock(&running_lock);
    atomic_store(&errand->ended, true);
}

/* Its function may end the thread. */
static void *errand_main(void *arg)
{
    struct errand *errand = arg;
    pthread_cleanup_push(errand_end, errand);
    errand->run(errand->arg);
    pthread_cleanup_pop(true);
    return NULL;
}

struct errand *errand_start(void (*run)(void *arg), void *arg)
{
    struct errand *errand = calloc(1, sizeof *errand);
    if (errand == NULL)
        abort();
    errand->run = run;
    errand->arg = arg;
    pthread_mutex_lock(&running_lock);
    int failed = pthread_create(&errand->thread, NULL, errand_main, errand);
    errand->next = running;
    running = errand;
    pthread_mutex_unlock(&running_lock);
    if (failed != 0) {
        fputs("errand: no thread to be had\n", stderr);
        abort();
    }
    return errand;
}

size_t errand_running(int signal)
{
    size_t count = 0;
    pthread_mutex_lock(&running_lock);
    for (struct errand *errand = running; errand != NULL; errand = errand->next) {
        if (signal != 0)
            pthread_kill(errand->thread, signal);
        count++;
    }
    pthread_mutex_unlock(&running_lock);
    return count;
}

bool errand_goes_on(void)
{
    return !atomic_load(&stopped);
}

void errand_stop_all(void)
{
    atomic_store(&stopped, true);
}

bool errand_ended(struct errand *errand)
{
    int64_t start_ms = await_now_ms();
    while (!atomic_load(&errand->ended))
        if (!await_again(start_ms))
            return false;
    return true;
}

bool errand_waits(const struct errand *errand)
{
    for (int yields = 0; yields < YIELDS && !atomic_load(&errand->ended); yields++)
        sched_yield();
    return !atomic_load(&errand->ended);
}

void errand_join(struct errand *errand)
{
    pthread_join(errand->thread, NULL);
    free(errand);
}

bool errand_run_elsewhere(void (*run)(void *arg), void *arg)
{
    struct errand *errand = errand_start(run, arg);
    if (!errand_ended(errand))
        return false;
    errand_join(errand);
    return true;
}
