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
    background->handing = 0;
    background->stopping = false;
    STAILQ_INIT(&background->queue);
    must(pthread_mutex_init(&background->mutex, NULL) == 0);
    must(pthread_cond_init(&background->changed, NULL) == 0);
}

void background_fini(struct background *background)
{
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->mutex);
}

/* ---- chains, as one pointer ----------------------------------------------------------------------------------------
 */

static struct sluice_load *background_pack(struct call_chain *chain)
{
    struct sluice_load *first = chain->first;

    first->chained_count = chain->count;
    call_chain_init(chain);
    return first;
}

static void background_run_packed(struct sluice_load *first) FREE_OF_SHARD;
static void background_run_packed(struct sluice_load *first)
{
    struct call_chain chain = {.first = first, .count = first->chained_count}; /* nothing is added to it any more */

    call_load_chain(&chain);
}

/* ---- on a thread of the cache's own ------------------------------------------------------------------------------ */

/* With the mutex held: the next chain, once there is one; NULL: it is time to end. */
static struct sluice_load *background_next(struct background *background)
{
    struct sluice_load *first;

    while ((first = STAILQ_FIRST(&background->queue)) == NULL) {
        if (background->stopping)
            return NULL;
        background->idle++;
        pthread_cond_wait(&background->changed, &background->mutex);
        background->idle--;
    }
    STAILQ_REMOVE_HEAD(&background->queue, queued);
    background->queued--;
    return first;
}

static void *background_run(void *arg)
{
    struct background *background = arg;
    struct sluice_load *first;

    pthread_mutex_lock(&background->mutex);
    while ((first = background_next(background)) != NULL) {
        pthread_mutex_unlock(&background->mutex);
        background_run_packed(first);
        pthread_mutex_lock(&background->mutex);
    }
    pthread_mutex_unlock(&background->mutex);
    return NULL;
}

/* Queues a chain and sees to it that a thread comes for it. False: there is none and will be none. */
static bool background_queue(struct background *background, struct sluice_load *first)
{
    bool served;

    pthread_mutex_lock(&background->mutex);
    if (background->stopping) {
        pthread_mutex_unlock(&background->mutex);
        return false;
    }
    if (background->queued >= background->idle && background->threads < background->threads_max &&
        thread_spawn(&background->ids[background->threads], background_run, background, "sluice-load"))
        background->threads++;
    served = background->threads > 0;
    if (served) {
        STAILQ_INSERT_TAIL(&background->queue, first, queued);
        background->queued++;
        pthread_cond_signal(&background->changed);
    }
    pthread_mutex_unlock(&background->mutex);
    return served;
}

/* ---- for the cache ----------------------------------------------------------------------------------------------- */

static void background_task(void *arg)
{
    background_run_packed(arg);
}

/* Whom a chain is for. */
enum background_place {
    BACKGROUND_EXECUTOR, /* which is then to be called, and background_handed() after it */
    BACKGROUND_THREADS,
    BACKGROUND_NOBODY /* the cache was destroyed meanwhile: whoever has it drops it */
};

static enum background_place background_choose(struct background *background)
{
    enum background_place place = BACKGROUND_THREADS;

    pthread_mutex_lock(&background->mutex);
    if (background->stopping) {
        place = BACKGROUND_NOBODY;
    } else if (background->executor->run != NULL) {
        place = BACKGROUND_EXECUTOR;
        background->handing++;
    }
    pthread_mutex_unlock(&background->mutex);
    return place;
}

/* The executor's run has returned. */
static void background_handed(struct background *background)
{
    pthread_mutex_lock(&background->mutex);
    if (--background->handing == 0)
        pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
}

void background_call(struct background *background, struct call_chain *chain)
{
    struct sluice_load *first = background_pack(chain);

    switch (background_choose(background)) {
    case BACKGROUND_NOBODY:
        background_run_packed(first);
        break;
    case BACKGROUND_EXECUTOR:
        background->executor->run(background->executor->self, background_task, first);
        background_handed(background);
        break;
    case BACKGROUND_THREADS:
        if (!background_queue(background, first))
            call_refuse_chain(&(struct call_chain){.first = first, .count = first->chained_count},
                              sluice_strerror(SLUICE_NO_THREAD));
        break;
    }
}

void background_stop(struct background *background)
{
    pthread_mutex_lock(&background->mutex);
    background->stopping = true;
    pthread_cond_broadcast(&background->changed);
    while (background->handing > 0)
        pthread_cond_wait(&background->changed, &background->mutex);
    pthread_mutex_unlock(&background->mutex);
    for (unsigned i = 0; i < background->threads; i++)
        must(pthread_join(background->ids[i], NULL) == 0);
}
