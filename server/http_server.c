/* SPDX-License-Identifier: MIT */
/* http_server.c: a side as a whole: its listener, its accept thread, its workers. See http.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "http_private.h"

int64_t http_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t http_now_ms(void)
{
    return http_now_us() / 1000;
}

bool http_fault_set(struct http_fault *fault, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(fault->text, sizeof fault->text, format, values);
    va_end(values);
    return false;
}

static bool empty_init(struct http_server *server)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&server->empty, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!made)
        return false;
    if (pthread_mutex_init(&server->empty_lock, NULL) == 0)
        return true;
    pthread_cond_destroy(&server->empty);
    return false;
}

bool http_server_create(const struct http_options *options, struct http_server **made, struct http_fault *fault)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return http_fault_set(fault, "out of memory");
    server->options = *options;
    server->workers = aligned_alloc(_Alignof(struct http_worker), options->workers * sizeof *server->workers);
    if (!server->workers)
        goto free_server;
    memset(server->workers, 0, options->workers * sizeof *server->workers);
    if (!empty_init(server))
        goto free_workers;
    if (!http_listener_open(&server->listener, options->listen, options->local_only, fault))
        goto fini_empty;
    *made = server;
    return true;
fini_empty:
    pthread_mutex_destroy(&server->empty_lock);
    pthread_cond_destroy(&server->empty);
    free(server->workers);
    free(server);
    return false; /* the fault is set */
free_workers:
    free(server->workers);
free_server:
    free(server);
    return http_fault_set(fault, "out of memory");
}

bool http_server_start(struct http_server *server, struct http_fault *fault)
{
    for (; server->workers_started < server->options.workers; server->workers_started++)
        if (!http_worker_start(&server->workers[server->workers_started], server))
            goto fail;
    if (!http_accept_start(server))
        goto fail;
    server->accepting = true;
    return true;
fail:
    http_server_stop(server);
    return http_fault_set(fault,
                          "cannot start the %s side's threads: the system refuses memory, descriptors or threads",
                          server->options.side);
}

const char *http_server_address(const struct http_server *server)
{
    return server->listener.name;
}

bool http_server_is_local(const struct http_server *server)
{
    return http_listener_is_local(&server->listener);
}

bool http_server_is_unix(const struct http_server *server)
{
    return server->listener.address.ss_family == AF_UNIX;
}

void http_server_stop_accepting(struct http_server *server)
{
    if (server->accepting)
        http_accept_stop(server);
    server->accepting = false;
    http_listener_close(&server->listener);
}

static void wake_workers(struct http_server *server)
{
    for (size_t i = 0; i < server->workers_started; i++)
        http_worker_wake(&server->workers[i]);
}

bool http_server_is_empty(struct http_server *server)
{
    for (size_t i = 0; i < server->workers_started; i++)
        if (atomic_load(&server->workers[i].connections) > 0)
            return false;
    return true;
}

bool http_server_drain(struct http_server *server, int64_t timeout_ms)
{
    int64_t deadline_ms = http_now_ms() + timeout_ms;
    struct timespec deadline = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    atomic_store(&server->draining, true);
    wake_workers(server);
    pthread_mutex_lock(&server->empty_lock);
    bool empty;
    while (!(empty = http_server_is_empty(server)))
        if (pthread_cond_timedwait(&server->empty, &server->empty_lock, &deadline) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&server->empty_lock);
    return empty;
}

void http_server_stop(struct http_server *server)
{
    http_server_stop_accepting(server);
    atomic_store(&server->stopping, true);
    wake_workers(server);
    for (size_t i = 0; i < server->workers_started; i++)
        http_worker_join(&server->workers[i]);
}

void http_server_destroy(struct http_server *server)
{
    if (!server)
        return;
    http_listener_close(&server->listener);
    for (size_t i = 0; i < server->workers_started; i++) {
        close(server->workers[i].poll_fd);
        close(server->workers[i].wake_fd);
    }
    pthread_mutex_destroy(&server->empty_lock);
    pthread_cond_destroy(&server->empty);
    free(server->workers);
    free(server);
}

void http_server_stats(struct http_server *server, struct http_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->connections_accepted = atomic_load_explicit(&server->connections_accepted, memory_order_relaxed);
    stats->connections_refused = atomic_load_explicit(&server->connections_refused, memory_order_relaxed);
    stats->accept_failures = atomic_load_explicit(&server->accept_failures, memory_order_relaxed);
    for (size_t i = 0; i < server->options.workers; i++) {
        struct http_worker *worker = &server->workers[i];
        stats->connections += atomic_load_explicit(&worker->connections, memory_order_relaxed);
        stats->parked += atomic_load_explicit(&worker->parked, memory_order_relaxed);
        for (int class = 0; class < HTTP_STATUS_CLASSES; class ++)
            stats->answers[class] += atomic_load_explicit(&worker->answers[class], memory_order_relaxed);
    }
}
