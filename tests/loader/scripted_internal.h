/* SPDX-License-Identifier: MIT */
/*
 * scripted_internal.h: what the two halves of the scripted origin share: scripted_backend.c, which other threads call,
 * and scripted_loop.c, its thread. Nobody else may use it.
 */
#ifndef TESTS_LOADER_SCRIPTED_INTERNAL_H
#define TESTS_LOADER_SCRIPTED_INTERNAL_H

#include "scripted_backend.h"
#include "scripted_connection.h"

#include <pthread.h>

/* A path that was scripted or asked for. */
struct scripted_path {
    char *name;
    size_t requests;
    bool scripted;
    struct scripted_answer answer; /* its headers and body are ours */
};

struct scripted_backend {
    pthread_t thread;
    int port_fd;
    int listen_fd; /* the thread's; -1 while refusing */
    int epoll_fd;
    int wake_fd;
    unsigned port;
    char url[32];

    /* The thread's, in scripted_loop.c. */
    struct scripted_connection *first;
    struct scripted_connection *last;
    int64_t next_due_ms; /* no connection is due before */

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct {
        void *paths; /* tsearch's tree of struct scripted_path */
        size_t paths_count;
        struct scripted_path other; /* requests: all; answer: for paths without a script */
        scripted_handler *handler;
        void *handler_arg;
        char *last_head;
        size_t held;
        size_t active;
        size_t active_max;
        size_t accepted;
        size_t open;
        bool gate_open;
        bool release;  /* asked for: those held go on */
        bool refuse;   /* asked for */
        bool refusing; /* in force */
        bool stop;
    } locked;
};

/* ---- scripted_loop.c --------------------------------------------------------------------------------------------- */

/* Binds the port and listens; then the thread; then gives both back, with the connections that are left. */
void scripted_loop_init(struct scripted_backend *backend);
void *scripted_loop_run(void *backend);
void scripted_loop_fini(struct scripted_backend *backend);

/* Makes the thread look at `locked`. Any thread. */
void scripted_loop_wake(struct scripted_backend *backend);

/* ---- scripted_backend.c, for the thread -------------------------------------------------------------------------- */

/* Counts a request and begins its answer. */
void scripted_backend_take(struct scripted_backend *backend, struct scripted_connection *connection,
                           struct scripted_parsed *parsed, int64_t now_ms);

/* A connection was accepted; one was closed in that state; one has answered; one held was let go. */
void scripted_backend_count_opened(struct scripted_backend *backend);
void scripted_backend_count_closed(struct scripted_backend *backend, enum scripted_state state);
void scripted_backend_count_answered(struct scripted_backend *backend);
void scripted_backend_count_released(struct scripted_backend *backend);

#endif
