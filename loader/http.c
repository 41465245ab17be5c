/* SPDX-License-Identifier: MIT */
/*
 * http.c: the http backend put together. See http.h.
 *
 * Life of a load here: put into the queue by the thread of the get that leads (http_load); taken out by the backend's
 * own thread when a slot is free, sent, and ended (http_run). The transfers belong to that thread, the queue alone is
 * shared.
 */
#include "http.h"

#include "http_queue.h"
#include "http_transfers.h"
#include "http_url.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_backend {
    struct http_queue queue;
    struct http_url url;
    struct http_transfers *transfers;
    pthread_t thread;
};

static const char SHUT_DOWN[] = "the backend is shut down";

static void *http_run(void *arg)
{
    struct http_backend *backend = arg;
    struct sluice_load *load;

    while (!http_queue_is_closed(&backend->queue)) {
        while ((load = http_queue_take(&backend->queue)))
            http_transfers_start(backend->transfers, load);
        http_transfers_run(backend->transfers);
    }
    while ((load = http_queue_drain(&backend->queue)))
        sluice_load_fail(load, SHUT_DOWN);
    http_transfers_abort(backend->transfers, SHUT_DOWN);
    return NULL;
}

/* ---- the backend's calls ----------------------------------------------------------------------------------------- */

static void http_load(void *self, struct sluice_load *load)
{
    struct http_backend *backend = self;
    char words[128];

    if (!http_url_key_is_fit(&backend->url, sluice_load_key(load), sluice_load_key_size(load))) {
        sluice_load_fail(load,
                         "the key was not sent: with a part that is \".\" or \"..\" it could lead out of the url");
        return;
    }
    switch (http_queue_put(&backend->queue, load)) {
    case HTTP_QUEUE_OK:
        break;
    case HTTP_QUEUE_WAKE:
        http_transfers_wake(backend->transfers);
        break;
    case HTTP_QUEUE_FULL:
        snprintf(words, sizeof words, "%zu requests are under way to the backend and %zu more wait",
                 backend->queue.running_max, backend->queue.queued_max);
        sluice_load_refuse(load, words);
        break;
    case HTTP_QUEUE_CLOSED:
        sluice_load_refuse(load, SHUT_DOWN);
        break;
    }
}

static void http_stats(void *self, struct backend_stats *stats)
{
    struct http_backend *backend = self;

    http_queue_stats(&backend->queue, stats);
}

static void http_destroy(void *self)
{
    struct http_backend *backend = self;

    http_queue_close(&backend->queue);
    http_transfers_wake(backend->transfers);
    pthread_join(backend->thread, NULL);
    http_transfers_destroy(backend->transfers);
    http_queue_fini(&backend->queue);
    http_url_fini(&backend->url);
    free(backend);
}

/* ---- making it --------------------------------------------------------------------------------------------------- */

static bool check_numbers(const struct http_backend_options *options, struct backend_fault *fault)
{
    if (options->max_concurrent < 1 || options->max_concurrent > INT_MAX)
        return backend_fault_set(fault, "max_concurrent must be 1 to %d", INT_MAX);
    if (options->body_size_max < 1 || options->body_size_max > INT64_MAX)
        return backend_fault_set(fault, "the limit of a body must be at least 1 byte");
    if (options->timeout_ms < 1 || options->timeout_ms > INT32_MAX)
        return backend_fault_set(fault, "timeout must be 1 to %d ms", INT32_MAX);
    if (options->connect_timeout_ms < 1 || options->connect_timeout_ms > INT32_MAX)
        return backend_fault_set(fault, "connect_timeout must be 1 to %d ms", INT32_MAX);
    if (options->ttl_max_ms < 0 && options->ttl_max_ms != SLUICE_NEVER)
        return backend_fault_set(fault, "the longest time to live must be 0 ms or more, or never");
    return true;
}

/* With every signal blocked: signals go to the program's own threads, and writing never ends it by SIGPIPE. */
static bool start_thread(struct http_backend *backend, struct backend_fault *fault)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&backend->thread, NULL, http_run, backend);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return backend_fault_set(fault, "the http thread does not start: %s", strerror(error));
    pthread_setname_np(backend->thread, "sluice-http");
    return true;
}

bool http_backend_create(const struct http_backend_options *options, struct backend *backend,
                         struct backend_fault *fault)
{
    struct http_backend *made;

    if (!check_numbers(options, fault))
        return false;
    made = calloc(1, sizeof *made);
    if (!made)
        return backend_fault_set(fault, "out of memory for the backend");
    if (!http_url_init(&made->url, options->url, fault))
        goto free_made;
    if (!http_queue_init(&made->queue, options->max_concurrent, options->queue_max)) {
        backend_fault_set(fault, "out of memory for a queue of %zu loads", options->queue_max);
        goto fini_url;
    }
    made->transfers = http_transfers_create(options, &made->url, &made->queue, fault);
    if (!made->transfers)
        goto fini_queue;
    if (!start_thread(made, fault))
        goto destroy_transfers;
    *backend = (struct backend){
        .kind = "http",
        .loader = {.load = http_load, .self = made},
        .stats = http_stats,
        .destroy = http_destroy,
        .self = made,
    };
    return true;

destroy_transfers:
    http_transfers_destroy(made->transfers);
fini_queue:
    http_queue_fini(&made->queue);
fini_url:
    http_url_fini(&made->url);
free_made:
    free(made);
    return false;
}
