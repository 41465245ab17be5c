/* SPDX-License-Identifier: MIT */
/*
 * http_accept.c: the thread that accepts for one side, and hands each connection to the worker that has the fewest.
 * May be used by: http_server.c.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "http_private.h"
#include "log.h"

/* How long to leave the socket alone when the system has no descriptor or memory to give. */
#define ACCEPT_PAUSE_MS 100

/* Connections taken in one go before the call to stop is looked for. */
#define ACCEPT_AT_ONCE_MAX 64

/* At most one log line of a kind in that time. */
#define ACCEPT_LOG_INTERVAL_MS 10000

static void accept_log(struct http_server *server, struct pace *pace, const char *event, const char *cause)
{
    uint64_t held_back;
    if (!pace_pass(pace, http_now_ms(), ACCEPT_LOG_INTERVAL_MS, &held_back))
        return;
    char count[24];
    snprintf(count, sizeof count, "%llu", (unsigned long long)held_back);
    log_event(LOG_WARNING, event, "side", server->options.side, "cause", cause, "unlogged", count, NULL);
}

static size_t connections_total(struct http_server *server)
{
    size_t total = 0;
    for (size_t i = 0; i < server->options.workers; i++)
        total += atomic_load_explicit(&server->workers[i].connections, memory_order_relaxed);
    return total;
}

static struct http_worker *worker_with_fewest(struct http_server *server)
{
    struct http_worker *fewest = &server->workers[0];
    size_t count = atomic_load_explicit(&fewest->connections, memory_order_relaxed);
    for (size_t i = 1; i < server->options.workers; i++) {
        size_t other = atomic_load_explicit(&server->workers[i].connections, memory_order_relaxed);
        if (other < count) {
            fewest = &server->workers[i];
            count = other;
        }
    }
    return fewest;
}

/* Takes the socket. */
static void accept_place(struct http_server *server, int fd, const struct sockaddr_storage *address, socklen_t size)
{
    if (connections_total(server) >= server->options.connections_max) {
        atomic_fetch_add_explicit(&server->connections_refused, 1, memory_order_relaxed);
        accept_log(server, &server->refused_pace, "connection_refused", "connections_max is reached");
        close(fd);
        return;
    }
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        atomic_fetch_add_explicit(&server->accept_failures, 1, memory_order_relaxed);
        accept_log(server, &server->accept_pace, "accept_failed", "out of memory");
        close(fd);
        return;
    }
    connection->item.is_connection = true;
    connection->worker = worker_with_fewest(server);
    connection->fd = fd;
    connection->address = *address;
    connection->address_size = size;
    atomic_fetch_add_explicit(&server->connections_accepted, 1, memory_order_relaxed);
    atomic_fetch_add(&connection->worker->connections, 1);
    http_worker_push(connection->worker, &connection->item);
}

enum accept_result { ACCEPT_TAKEN, ACCEPT_NONE, ACCEPT_PAUSE };

static enum accept_result accept_one(struct http_server *server)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int fd = accept4(server->listener.fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        accept_place(server, fd, &address, size);
        return ACCEPT_TAKEN;
    }
    if (errno == EAGAIN)
        return ACCEPT_NONE;
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return ACCEPT_TAKEN; /* that one connection's own trouble */
    atomic_fetch_add_explicit(&server->accept_failures, 1, memory_order_relaxed);
    char cause[64];
    accept_log(server, &server->accept_pace, "accept_failed", strerror_r(errno, cause, sizeof cause));
    return ACCEPT_PAUSE;
}

/* Takes those who wait, a bounded number of them, so that the call to stop is heard among many who come. */
static enum accept_result accept_several(struct http_server *server)
{
    enum accept_result result = ACCEPT_TAKEN;
    for (int i = 0; i < ACCEPT_AT_ONCE_MAX && result == ACCEPT_TAKEN; i++)
        result = accept_one(server);
    return result;
}

static void *accept_main(void *arg)
{
    struct http_server *server = arg;
    struct pollfd watched[2] = {{.fd = server->accept_stop_fd, .events = POLLIN},
                                {.fd = server->listener.fd, .events = POLLIN}};
    while (!(watched[0].revents & POLLIN)) {
        poll(watched, 2, -1);
        if (accept_several(server) == ACCEPT_PAUSE)
            poll(watched, 1, ACCEPT_PAUSE_MS); /* nothing but the call to stop is heard meanwhile */
    }
    /* Those whom the kernel has let in already believe that they are connected: they get their answer. */
    for (size_t i = 0; i < server->options.connections_max; i += ACCEPT_AT_ONCE_MAX)
        if (accept_several(server) != ACCEPT_TAKEN)
            break;
    return NULL;
}

bool http_accept_start(struct http_server *server)
{
    server->accept_stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->accept_stop_fd < 0)
        return false;
    if (pthread_create(&server->accept_thread, NULL, accept_main, server) == 0)
        return true;
    close(server->accept_stop_fd);
    return false;
}

void http_accept_stop(struct http_server *server)
{
    eventfd_write(server->accept_stop_fd, 1);
    pthread_join(server->accept_thread, NULL);
    close(server->accept_stop_fd);
}
