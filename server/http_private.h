/* SPDX-License-Identifier: MIT */
/*
 * http_private.h: what the http*.c files know of each other. May be used by: them only.
 *
 *   http_server.c  puts a side together: create, start, drain, stop, statistics
 *   http_listen.c  the listening socket: addresses, stale Unix sockets
 *   http_accept.c  one thread a side: accepts and hands each connection to the worker that has the fewest
 *   http_worker.c  a worker's thread, its inbox, its part of a drain
 *   http_kept.c    a worker's last answers, for those who ask for the same
 *   http_check.c   which requests are refused for their headers
 *   http.c         requests and answers: everything that touches libmicrohttpd
 *
 * A worker drives a libmicrohttpd daemon that has no thread and no listening socket of its own, so that the library is
 * only ever called on the worker's thread. Other threads leave items in the inbox: a lock-free stack, of which the
 * worker takes the whole at once. The one who pushes on an empty stack wakes the worker; so a thousand requests that
 * are resumed together cost one wake-up and one walk over the library's list of suspended connections, not a thousand.
 */
#ifndef SERVER_HTTP_PRIVATE_H
#define SERVER_HTTP_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "courtesy.h"
#include "http.h"
#include "http_kept.h"
#include "pace.h"

/* The connection memory that the library sets aside, in bytes, for headers of that size and the answer's. */
#define HTTP_CONNECTION_MEMORY(header_size_max) ((header_size_max) + (header_size_max) / 2 + 2048)

/* The largest body that is read and thrown away, so that the refusal reaches a client that is still sending. */
#define HTTP_DISCARD_MAX (64 * 1024)

struct http_item {
    struct http_item *next;
    bool is_connection; /* struct http_connection, else a request */
};

/* A connection. Made by the accept thread, from then on its worker's. */
struct http_connection {
    struct http_item item;
    struct http_connection *prev, *next; /* the worker's list */
    struct http_worker *worker;
    int fd;
    bool busy;       /* a request has come whole and is being answered */
    bool ended;      /* the client has ended its sending side */
    unsigned sweeps; /* of the worker, since it was opened or last busy */
    socklen_t address_size;
    struct sockaddr_storage address;
};

struct MHD_Daemon;
struct MHD_Response;

struct http_worker {
    /* Others push, the worker takes. */
    _Alignas(64) _Atomic(struct http_item *) inbox;
    int wake_fd;               /* eventfd, edge-triggered in poll_fd, never read */
    atomic_size_t connections; /* accepted for this worker and not closed */

    /* The worker's own. */
    _Alignas(64) struct http_server *server;
    struct MHD_Daemon *daemon;
    struct MHD_Response *no_memory; /* the answer when there is no memory for an answer */
    int poll_fd;                    /* epoll: wake_fd, the library's own epoll descriptor, ends of connections */
    struct http_kept kept;          /* the last answers */
    unsigned answered;              /* requests, since it gave way last */
    struct courtesy courtesy;
    struct http_connection *list;   /* connections that the library has */
    struct http_connection *adding; /* the one that is just handed to it */
    bool closing_idle;              /* drain: the grace is over */
    int64_t grace_end_ms;           /* when it will be; 0: no drain yet */
    int64_t sweep_ms;               /* when to look next for requests that do not come to their end */
    pthread_t thread;

    /* Counters: written by the worker only, read by others. */
    _Atomic uint64_t answers[HTTP_STATUS_CLASSES];
    atomic_size_t parked;
};

struct http_listener {
    int fd; /* -1: closed */
    struct sockaddr_storage address;
    socklen_t address_size;
    dev_t unix_device; /* the socket file that we made, so that no other is unlinked */
    ino_t unix_inode;
    bool unix_bound;
    char name[160]; /* as http_server_address() tells it */
};

struct http_server {
    struct http_options options;
    struct http_listener listener;
    struct http_worker *workers;
    size_t workers_started;
    bool accepting;
    pthread_t accept_thread;
    int accept_stop_fd;       /* eventfd */
    struct pace accept_pace;  /* of log lines about accept failures */
    struct pace refused_pace; /* of log lines about connections over the limit */
    atomic_bool draining;
    atomic_bool stopping;
    pthread_mutex_t empty_lock; /* with empty: the last connection is gone; only waited on by a drain */
    pthread_cond_t empty;
    _Atomic uint64_t connections_accepted;
    _Atomic uint64_t connections_refused;
    _Atomic uint64_t accept_failures;
};

/* ---- http.c ------------------------------------------------------------------------------------------------------ */

bool http_daemon_start(struct http_worker *worker);
int http_daemon_poll_fd(struct http_worker *worker);
int http_daemon_timeout_ms(struct http_worker *worker); /* until it must run again; 0: now; -1: only when polled */
void http_daemon_run(struct http_worker *worker);
void http_daemon_add(struct http_worker *worker, struct http_connection *connection); /* takes the connection */
void http_daemon_resumed(struct http_item *item);                                     /* a request of the inbox */
void http_daemon_stop(struct http_worker *worker);
void http_response_drop(struct MHD_Response *response); /* gives a reference back */

/* ---- http_worker.c ----------------------------------------------------------------------------------------------- */

bool http_worker_start(struct http_worker *worker, struct http_server *server);
void http_worker_join(struct http_worker *worker);
void http_worker_push(struct http_worker *worker, struct http_item *item); /* any thread */
void http_worker_wake(struct http_worker *worker);                         /* any thread */
void http_worker_opened(struct http_connection *connection);
void http_worker_closed(struct http_connection *connection); /* frees it */
void http_worker_request_began(struct http_connection *connection);
void http_worker_request_ended(struct http_connection *connection);

/* ---- http_listen.c ----------------------------------------------------------------------------------------------- */

bool http_listener_open(struct http_listener *listener, const char *listen, bool local_only, struct http_fault *fault);
void http_listener_close(struct http_listener *listener);
bool http_listener_is_local(const struct http_listener *listener);

/* ---- http_accept.c ----------------------------------------------------------------------------------------------- */

bool http_accept_start(struct http_server *server);
void http_accept_stop(struct http_server *server);

/* ---- http_server.c ----------------------------------------------------------------------------------------------- */

/* CLOCK_MONOTONIC. */
int64_t http_now_ms(void);
int64_t http_now_us(void);
bool http_fault_set(struct http_fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool http_server_is_empty(struct http_server *server);

#endif
