/* SPDX-License-Identifier: MIT */
/* background.c: see background.h. */
#include "background.h"

#include "call.h"
#include "flight.h"
#include "thread.h"

void background_init(struct background *background, const struct sluice_options *options)
{
    background->executor = &options->executor;
    background->threads_max = options->background_threads_max;
    background->queued = 0;
    background->threads = background->idle = 0;
    background->stopping = false;
    TAILQ_INIT(&background->queue);
    must(pthread_mutex_init(&background->mutex, NULL) == 0);
    must(pthread_cond_init(&background->changed, NULL) == 0);
}

void background_fini(struct background *background)
{
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->mutex);
}

/* ---- on a thread of the cache's own ------------------------------------------------------------------------------ */

/* With the mutex held: the next flight, once there is one; NULL: it is time to end. */
static struct sluice_load *background_next(struct background *background)
{
    struct sluice_load *flight;

    while ((flight = TAILQ_FIRST(&background->queue)) == NULL) {
        if (background->stopping)
            return NULL;
        background->idle++;
        pthread_cond_wait(&background->changed, &background->mutex);
        background->idle--;
    }
    TAILQ_REMOVE(&background->queue, flight, queued);
    background->queued--;
    return flight;
}

static void *background_run(void *arg)
{
    struct background *background = arg;
    struct sluice_load *flight;

    pthread_mutex_lock(&background->mutex);
    while ((flight = background_next(background)) != NULL) {
        pthread_mutex_unlock(&background->mutex);
        call_load(flight);
        pthread_mutex_lock(&background->mutex);
    }
    pthread_mutex_unlock(&background->mutex);
    return NULL;
}

/* Queues a flight and sees to it that a thread comes for it. False: there is none and will be none. */
static bool background_queue(struct background *background, struct sluice_load *flight)
{
    bool served;

    pthread_mutex_lock(&background->mutex);
    if (background->queued >= background->idle && background->threads < background->threads_max &&
        thread_spawn(&background->ids[background->threads], background_run, background, "sluice-load"))
        background->threads++;
    served = background->threads > 0;
    if (served) {
        TAILQ_INSERT_TAIL(&background->queue, flight, queued);
        background->queued++;
        pthread_cond_signal(&background->changed);
    }
    pthread_mutex_unlock(&background->mutex);
    return served;
}

/* ---- for the cache ----------------------------------------------------------------------------------------------- */

static void background_task(void *arg)
{
    call_load(arg);
}

void background_call(struct background *background, struct sluice_load *flight)
{
    if (background->executor->run != NULL) {
        background->executor->run(background->executor->self, background_task, flight);
    } else if (!background_queue(background, flight)) {
        sluice_load_refuse(flight, sluice_strerror(SLUICE_NO_THREAD));
        flight_unref(flight);
    }
}

void background_stop(struct background *background)
{
    pthread_mutex_lock(&background->mutex);
    background->stopping = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
    for (unsigned i = 0; i < background->threads; i++)
        must(pthread_join(background->ids[i], NULL) == 0);
}
