/* SPDX-License-Identifier: MIT */
/*
 * http_worker.c: a worker's thread. One turn: give way, sleep until the library's epoll descriptor or the inbox has
 * something, take the inbox, let the library run.
 *
 * The library misses that a client has ended its sending side if that came together with the last request: it takes a
 * short read to be all there is, and is woken by changes only. So we watch for that ourselves, and tell it.
 *
 * May be used by: http*.c. The functions without "any thread" in http_private.h run on the worker's own.
 */
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "http_private.h"

/* Events that are fetched in one turn; what is left over comes in the next. */
#define EVENTS_AT_ONCE_MAX 64

/* How many times a connection is met without a whole request, an idle_timeout apart, before it is closed. */
#define SWEEPS_MAX 3

void http_worker_wake(struct http_worker *worker)
{
    /* Edge-triggered: every write wakes, so the count is never read. A write fails only with the count at its end. */
    eventfd_write(worker->wake_fd, 1);
}

void http_worker_push(struct http_worker *worker, struct http_item *item)
{
    struct http_item *head = atomic_load_explicit(&worker->inbox, memory_order_relaxed);
    do
        item->next = head;
    while (!atomic_compare_exchange_weak_explicit(&worker->inbox, &head, item, memory_order_release,
                                                  memory_order_relaxed));
    if (!head) /* whoever put something on an empty stack has woken the worker, or is about to */
        http_worker_wake(worker);
}

static void worker_take_inbox(struct http_worker *worker)
{
    if (!atomic_load_explicit(&worker->inbox, memory_order_relaxed))
        return;
    struct http_item *newest = atomic_exchange_explicit(&worker->inbox, NULL, memory_order_acquire);
    struct http_item *oldest = NULL;
    while (newest) {
        struct http_item *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct http_item *item = oldest;
        oldest = item->next; /* the item may be gone after the call */
        if (item->is_connection)
            http_daemon_add(worker, (struct http_connection *)(void *)item);
        else
            http_daemon_resumed(item);
    }
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

/* The library sees the end of the stream, after what has already come, and closes. */
static void connection_hang_up(const struct http_connection *connection)
{
    shutdown(connection->fd, SHUT_RD);
}

/* The client sends no more. A request that is under way is answered first. */
static void connection_ended(struct http_connection *connection)
{
    connection->ended = true;
    if (!connection->busy)
        connection_hang_up(connection);
}

void http_worker_opened(struct http_connection *connection)
{
    struct http_worker *worker = connection->worker;
    struct epoll_event end = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    /* Closing the descriptor undoes it. Without memory for it, the idle timeout will see to the connection. */
    epoll_ctl(worker->poll_fd, EPOLL_CTL_ADD, connection->fd, &end);
    connection->prev = NULL;
    connection->next = worker->list;
    if (worker->list)
        worker->list->prev = connection;
    worker->list = connection;
    if (worker->closing_idle)
        connection_hang_up(connection);
}

void http_worker_closed(struct http_connection *connection)
{
    struct http_worker *worker = connection->worker;
    struct http_server *server = worker->server;
    if (connection->next)
        connection->next->prev = connection->prev;
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        worker->list = connection->next;
    free(connection);
    size_t before = atomic_fetch_sub(&worker->connections, 1);
    if (before == 1 && atomic_load(&server->draining)) {
        pthread_mutex_lock(&server->empty_lock);
        pthread_cond_broadcast(&server->empty);
        pthread_mutex_unlock(&server->empty_lock);
    }
}

void http_worker_request_began(struct http_connection *connection)
{
    connection->busy = true;
    connection->sweeps = 0;
}

void http_worker_request_ended(struct http_connection *connection)
{
    connection->busy = false;
    if (connection->ended || connection->worker->closing_idle)
        connection_hang_up(connection);
}

/* ---- drain ------------------------------------------------------------------------------------------------------- */

/* What a drain asks for now; returns the milliseconds until it asks for more, or -1. */
static int worker_drain(struct http_worker *worker)
{
    if (worker->closing_idle || !atomic_load_explicit(&worker->server->draining, memory_order_relaxed))
        return -1;
    int64_t now_ms = http_now_ms();
    if (worker->grace_end_ms == 0)
        worker->grace_end_ms = now_ms + HTTP_DRAIN_GRACE_MS;
    if (now_ms < worker->grace_end_ms)
        return (int)(worker->grace_end_ms - now_ms);
    worker->closing_idle = true;
    for (struct http_connection *connection = worker->list; connection; connection = connection->next)
        if (!connection->busy)
            connection_hang_up(connection);
    return -1;
}

/* ---- requests that do not come to their end ---------------------------------------------------------------------- */

/*
 * The library closes connections that are silent. One that gets a byte now and then is not, and its request may never
 * be whole; so every idle_timeout we look who is still not busy. Returns the milliseconds until we do, or -1.
 */
static int worker_sweep(struct http_worker *worker)
{
    if (!worker->list)
        return -1;
    int64_t now_ms = http_now_ms();
    if (now_ms >= worker->sweep_ms) {
        worker->sweep_ms = now_ms + worker->server->options.idle_timeout_ms;
        for (struct http_connection *connection = worker->list; connection; connection = connection->next)
            if (!connection->busy && ++connection->sweeps > SWEEPS_MAX)
                connection_hang_up(connection);
    }
    int64_t left_ms = worker->sweep_ms - now_ms;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static int sooner(int a_ms, int b_ms)
{
    if (a_ms < 0)
        return b_ms;
    return b_ms < 0 || a_ms < b_ms ? a_ms : b_ms;
}

/* Before it sleeps, if it has answered anybody since it slept last: they may be about to send more. See courtesy.h. */
static void worker_give_way(struct http_worker *worker)
{
    unsigned answered = worker->answered;
    if (answered == 0)
        return;
    worker->answered = 0;
    int64_t now_us = http_now_us();
    if (!courtesy_is_due(&worker->courtesy, now_us, answered))
        return;
    sched_yield();
    courtesy_took(&worker->courtesy, http_now_us() - now_us);
}

/* What woke us does not matter, save for the ends of connections, of which each is told once. */
static void worker_sleep(struct http_worker *worker, int timeout_ms)
{
    struct epoll_event events[EVENTS_AT_ONCE_MAX];
    int count = epoll_wait(worker->poll_fd, events, EVENTS_AT_ONCE_MAX, timeout_ms);
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr)
            connection_ended(events[i].data.ptr);
}

static void *worker_main(void *arg)
{
    struct http_worker *worker = arg;
    for (;;) {
        int timeout_ms = http_daemon_timeout_ms(worker);
        timeout_ms = sooner(timeout_ms, sooner(worker_drain(worker), worker_sweep(worker)));
        timeout_ms = sooner(timeout_ms, http_kept_let_go(&worker->kept, http_now_ms()));
        if (timeout_ms != 0) {
            worker_give_way(worker);
            worker_sleep(worker, timeout_ms);
        }
        worker_take_inbox(worker);
        if (atomic_load(&worker->server->stopping) && atomic_load(&worker->parked) == 0)
            break;
        http_daemon_run(worker);
    }
    http_daemon_stop(worker);
    return NULL;
}

static bool worker_watch(struct http_worker *worker)
{
    struct epoll_event wake = {.events = EPOLLIN | EPOLLET};
    struct epoll_event library = {.events = EPOLLIN};
    return epoll_ctl(worker->poll_fd, EPOLL_CTL_ADD, worker->wake_fd, &wake) == 0 &&
           epoll_ctl(worker->poll_fd, EPOLL_CTL_ADD, http_daemon_poll_fd(worker), &library) == 0;
}

bool http_worker_start(struct http_worker *worker, struct http_server *server)
{
    worker->server = server;
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->wake_fd < 0)
        return false;
    worker->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (worker->poll_fd < 0)
        goto close_wake;
    if (!http_daemon_start(worker))
        goto close_poll;
    if (worker_watch(worker) && pthread_create(&worker->thread, NULL, worker_main, worker) == 0)
        return true;
    http_daemon_stop(worker);
close_poll:
    close(worker->poll_fd);
close_wake:
    close(worker->wake_fd);
    return false;
}

void http_worker_join(struct http_worker *worker)
{
    pthread_join(worker->thread, NULL);
}
