/* SPDX-License-Identifier: MIT */
/*
 * async.c: the asynchronous way to wait. A get that misses parks a callback and holds no thread; the loader hands the
 * load to a thread of its own and returns; that thread ends the load, and with it runs the callbacks.
 *
 *     cc async.c $(pkg-config --cflags --libs sluice) -pthread
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/cache.h>

#define CALLERS 3

/* The backend: a thread that is handed one load at a time. */
struct backend {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct sluice_load *load; /* handed over, not yet taken */
    bool stopped;             /* no load will come any more */
};

/* The loader: leaves the load with the backend and returns; the cache does not wait here. */
static void hand_over(void *self, struct sluice_load *load)
{
    struct backend *backend = self;

    pthread_mutex_lock(&backend->mutex);
    while (backend->load)
        pthread_cond_wait(&backend->changed, &backend->mutex);
    backend->load = load;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->mutex);
}

static void answer(struct sluice_load *load)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    char text[64];

    snprintf(text, sizeof text, "page %.*s", (int)sluice_load_key_size(load), (const char *)sluice_load_key(load));
    content.data = text;
    content.size = strlen(text);
    sluice_load_complete(load, &content); /* the callbacks run in here; the load must not be touched after it */
}

static void *backend_run(void *arg)
{
    struct backend *backend = arg;
    struct sluice_load *load;

    pthread_mutex_lock(&backend->mutex);
    for (;;) {
        while (!backend->load && !backend->stopped)
            pthread_cond_wait(&backend->changed, &backend->mutex);
        load = backend->load;
        if (!load)
            break;
        backend->load = NULL;
        pthread_cond_broadcast(&backend->changed);
        pthread_mutex_unlock(&backend->mutex);
        answer(load);
        pthread_mutex_lock(&backend->mutex);
    }
    pthread_mutex_unlock(&backend->mutex);
    return NULL;
}

static void backend_stop(struct backend *backend)
{
    pthread_mutex_lock(&backend->mutex);
    backend->stopped = true;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->mutex);
}

/* What the callbacks and main() share: how many answers are still to come. */
struct answers {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int missing;
};

/* Runs once for each parked get. The outcome is borrowed: a value to be kept would need sluice_value_ref(). */
static void on_outcome(void *arg, const struct sluice_outcome *outcome)
{
    struct answers *answers = arg;

    if (outcome->error)
        printf("failed: %s\n", sluice_outcome_reason(outcome));
    else
        printf("%s\n", (const char *)sluice_value_data(outcome->value));
    pthread_mutex_lock(&answers->mutex);
    answers->missing--;
    pthread_cond_signal(&answers->changed);
    pthread_mutex_unlock(&answers->mutex);
}

/* An answer that is in the table comes at once; it goes the same way as one that comes later. */
static void ask(struct sluice_cache *pages, const char *key, struct answers *answers)
{
    struct sluice_async_get get = {
        .key = key, .key_size = strlen(key), .timeout_ms = SLUICE_WAIT_FOREVER, .callback = on_outcome, .arg = answers};
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;

    if (sluice_get_async(pages, &get, &outcome, NULL) != SLUICE_PARKED) {
        on_outcome(answers, &outcome);
        sluice_outcome_fini(&outcome);
    }
}

int main(void)
{
    struct backend backend = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct answers answers = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, CALLERS};
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_stats stats;
    struct sluice_cache *pages;
    pthread_t thread;
    enum sluice_error error;

    options.loader = (struct sluice_loader){.load = hand_over, .self = &backend};
    error = sluice_cache_create(&options, &pages);
    if (error) {
        fprintf(stderr, "no cache: %s\n", sluice_strerror(error));
        return EXIT_FAILURE;
    }
    if (pthread_create(&thread, NULL, backend_run, &backend)) {
        fprintf(stderr, "no thread\n");
        return EXIT_FAILURE;
    }

    for (int i = 0; i < CALLERS; i++)
        ask(pages, "index", &answers);
    pthread_mutex_lock(&answers.mutex);
    while (answers.missing > 0)
        pthread_cond_wait(&answers.changed, &answers.mutex);
    pthread_mutex_unlock(&answers.mutex);

    sluice_cache_stats(pages, &stats);
    printf("%" PRIu64 " gets, %" PRIu64 " loads\n", stats.gets, stats.loads);
    backend_stop(&backend);
    pthread_join(thread, NULL);
    sluice_cache_destroy(pages);
    return EXIT_SUCCESS;
}
