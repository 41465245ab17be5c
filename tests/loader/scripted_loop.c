/* SPDX-License-Identifier: MIT */
/*
 * scripted_loop.c: the scripted origin's thread: sockets, connections, time. See scripted_backend.h.
 *
 * Two sockets are bound to the port. One only keeps the port for this origin, the other listens; without the latter the
 * kernel refuses connections.
 */
#include "scripted_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FILES_WANTED = 65536, BACKLOG = 4096, EVENTS = 256 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int must_fd(int fd, const char *what)
{
    if (fd < 0)
        scripted_die(what);
    return fd;
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

static void watch(struct scripted_backend *backend, struct scripted_connection *connection, int operation)
{
    unsigned interest = EPOLLRDHUP;
    struct epoll_event event;

    if (connection->state == SCRIPTED_READING)
        interest |= EPOLLIN;
    else if (connection->state == SCRIPTED_ANSWERING && connection->out_sent < connection->out_size &&
             connection->due_ms == INT64_MAX)
        interest |= EPOLLOUT;
    if (operation == EPOLL_CTL_MOD && interest == connection->interest)
        return;
    connection->interest = interest;
    event = (struct epoll_event){.events = interest, .data.ptr = connection};
    if (epoll_ctl(backend->epoll_fd, operation, connection->fd, &event) != 0)
        scripted_die("epoll_ctl");
}

static void accept_connections(struct scripted_backend *backend)
{
    int fd;

    while ((fd = accept4(backend->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct scripted_connection *connection = scripted_connection_create(fd);

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        connection->previous = backend->last;
        if (backend->last)
            backend->last->next = connection;
        else
            backend->first = connection;
        backend->last = connection;
        watch(backend, connection, EPOLL_CTL_ADD);
        scripted_backend_count_opened(backend);
    }
}

static void drop_connection(struct scripted_backend *backend, struct scripted_connection *connection)
{
    enum scripted_state state = connection->state;

    if (connection->previous)
        connection->previous->next = connection->next;
    else
        backend->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    else
        backend->last = connection->previous;
    scripted_connection_destroy(connection);
    scripted_backend_count_closed(backend, state);
}

/* Takes a connection as far as it goes without waiting. It may be gone afterwards. */
static void serve(struct scripted_backend *backend, struct scripted_connection *connection, int64_t now)
{
    struct scripted_parsed parsed;
    bool was_reading;
    int got;

    for (;;) {
        was_reading = connection->state == SCRIPTED_READING;
        if (!scripted_connection_go_on(connection, now)) {
            drop_connection(backend, connection);
            return;
        }
        if (connection->state != SCRIPTED_READING)
            break;
        if (!was_reading)
            scripted_backend_count_answered(backend);
        got = scripted_connection_parse(connection, &parsed);
        if (got < 0) {
            drop_connection(backend, connection);
            return;
        }
        if (got == 0)
            break;
        scripted_backend_take(backend, connection, &parsed, now);
        scripted_parsed_fini(&parsed);
    }
    if (connection->due_ms < backend->next_due_ms)
        backend->next_due_ms = connection->due_ms;
    watch(backend, connection, EPOLL_CTL_MOD);
}

static void on_event(struct scripted_backend *backend, struct scripted_connection *connection, unsigned events,
                     int64_t now)
{
    bool over = events & (EPOLLHUP | EPOLLERR);

    if (!over && connection->state == SCRIPTED_READING)
        over = !scripted_connection_read(connection);
    else
        over = over || (events & EPOLLRDHUP);
    if (over)
        drop_connection(backend, connection);
    else
        serve(backend, connection, now);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

/* A socket bound to the port, or to a free one for 0. */
static int bind_port(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = must_fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        scripted_die("bind to 127.0.0.1");
    return fd;
}

static void start_listening(struct scripted_backend *backend)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &backend->listen_fd};

    backend->listen_fd = bind_port(backend->port);
    if (listen(backend->listen_fd, BACKLOG) != 0)
        scripted_die("listen");
    if (epoll_ctl(backend->epoll_fd, EPOLL_CTL_ADD, backend->listen_fd, &event) != 0)
        scripted_die("epoll_ctl");
}

static void stop_listening(struct scripted_backend *backend)
{
    close(backend->listen_fd);
    backend->listen_fd = -1;
    while (backend->first)
        drop_connection(backend, backend->first);
}

static void release_held(struct scripted_backend *backend, int64_t now)
{
    struct scripted_connection *next;

    for (struct scripted_connection *connection = backend->first; connection; connection = next) {
        next = connection->next;
        if (connection->state != SCRIPTED_HELD)
            continue;
        scripted_backend_count_released(backend);
        scripted_connection_release(connection, now);
        serve(backend, connection, now);
    }
}

static void serve_due(struct scripted_backend *backend, int64_t now)
{
    struct scripted_connection *next;

    if (now < backend->next_due_ms)
        return;
    backend->next_due_ms = INT64_MAX;
    for (struct scripted_connection *connection = backend->first; connection; connection = next) {
        next = connection->next;
        if (connection->due_ms <= now)
            serve(backend, connection, now);
        else if (connection->due_ms < backend->next_due_ms)
            backend->next_due_ms = connection->due_ms;
    }
}

/* Does what the other threads asked for. False: stop. */
static bool on_wake(struct scripted_backend *backend, int64_t now)
{
    bool stop, release, refuse;
    uint64_t count;

    if (read(backend->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        scripted_die("read from the eventfd");
    pthread_mutex_lock(&backend->mutex);
    stop = backend->locked.stop;
    release = backend->locked.release;
    backend->locked.release = false;
    refuse = backend->locked.refuse;
    pthread_mutex_unlock(&backend->mutex);
    if (release)
        release_held(backend, now);
    if (refuse && backend->listen_fd >= 0)
        stop_listening(backend);
    if (!refuse && backend->listen_fd < 0)
        start_listening(backend);
    pthread_mutex_lock(&backend->mutex);
    backend->locked.refusing = refuse;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->mutex);
    return !stop;
}

/* For epoll_wait(): until the first connection is due. */
static int sleep_ms(const struct scripted_backend *backend, int64_t now)
{
    int64_t left = backend->next_due_ms - now;

    if (backend->next_due_ms == INT64_MAX)
        return -1;
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void *scripted_loop_run(void *arg)
{
    struct scripted_backend *backend = arg;
    struct epoll_event events[EVENTS];
    bool go_on = true;

    while (go_on) {
        int64_t now = now_ms();
        bool woken = false, incoming = false;
        int count = epoll_wait(backend->epoll_fd, events, EVENTS, sleep_ms(backend, now));

        if (count < 0 && errno != EINTR)
            scripted_die("epoll_wait");
        now = now_ms();
        /* Connections first: each event can end its own one only, while what follows can end any. */
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &backend->listen_fd)
                incoming = true;
            else if (events[i].data.ptr == &backend->wake_fd)
                woken = true;
            else
                on_event(backend, events[i].data.ptr, events[i].events, now);
        }
        if (incoming)
            accept_connections(backend);
        if (woken)
            go_on = on_wake(backend, now);
        serve_due(backend, now);
    }
    return NULL;
}

void scripted_loop_wake(struct scripted_backend *backend)
{
    if (write(backend->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        scripted_die("write to the eventfd");
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        scripted_die("getrlimit");
    if (limit.rlim_cur >= FILES_WANTED)
        return;
    limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        scripted_die("setrlimit");
}

void scripted_loop_init(struct scripted_backend *backend)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &backend->wake_fd};

    raise_file_limit();
    backend->next_due_ms = INT64_MAX;
    backend->epoll_fd = must_fd(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    backend->wake_fd = must_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    if (epoll_ctl(backend->epoll_fd, EPOLL_CTL_ADD, backend->wake_fd, &event) != 0)
        scripted_die("epoll_ctl");
    backend->port_fd = bind_port(0);
    if (getsockname(backend->port_fd, (struct sockaddr *)&address, &size) != 0)
        scripted_die("getsockname");
    backend->port = ntohs(address.sin_port);
    start_listening(backend);
}

void scripted_loop_fini(struct scripted_backend *backend)
{
    if (backend->listen_fd >= 0)
        stop_listening(backend);
    close(backend->port_fd);
    close(backend->wake_fd);
    close(backend->epoll_fd);
}
