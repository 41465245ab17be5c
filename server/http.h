/* SPDX-License-Identifier: MIT */
/*
 * http.h: an HTTP server for programs that park requests: what the rest of the server sees of it.
 *
 * May be used by: the server's files. microhttpd.h is included by http.c alone; its threads and sockets are in
 * http_worker.c, http_accept.c and http_listen.c, which share http_private.h and nobody else does.
 *
 * One struct http_server is one listening address (a side) with a few workers. A request belongs to one worker for its
 * whole life, and everything about it happens on that worker's thread, save http_request_resume(). A handler is called
 * once a request and either answers it, or parks it. A parked request holds no thread. Whoever has what it waits for
 * calls http_request_resume() from any thread, which costs a push on the worker's inbox; the worker then takes all
 * that lies there in one go, and calls the handler's `resumed` for each, first come, first served, which answers.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- requests ---------------------------------------------------------------------------------------------------- */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_DELETE, HTTP_OTHER };

/* The request headers that somebody here looks at. */
#define HTTP_FIELDS(X)                                                                                                 \
    X(HTTP_FIELD_HOST, "Host")                                                                                         \
    X(HTTP_FIELD_CONTENT_LENGTH, "Content-Length")                                                                     \
    X(HTTP_FIELD_TRANSFER_ENCODING, "Transfer-Encoding")                                                               \
    X(HTTP_FIELD_EXPECT, "Expect")                                                                                     \
    X(HTTP_FIELD_IF_NONE_MATCH, "If-None-Match")                                                                       \
    X(HTTP_FIELD_CACHE_CONTROL, "Cache-Control")                                                                       \
    X(HTTP_FIELD_PREFER, "Prefer")                                                                                     \
    X(HTTP_FIELD_AUTHORIZATION, "Authorization")                                                                       \
    X(HTTP_FIELD_ORIGIN, "Origin")

#define HTTP_FIELD_ID(id, name) id,
enum http_field { HTTP_FIELDS(HTTP_FIELD_ID) HTTP_FIELDS_COUNT };
#undef HTTP_FIELD_ID

/* Why a request is refused before any handler looks at it. The connection is closed after the answer. */
enum http_refusal {
    HTTP_REFUSAL_NONE,
    HTTP_REFUSAL_TARGET,            /* a request line with a NUL byte */
    HTTP_REFUSAL_FIELD_SYNTAX,      /* a header that is not well-formed */
    HTTP_REFUSAL_HOST_MISSING,      /* HTTP/1.1 without a Host */
    HTTP_REFUSAL_HOST_INVALID,      /* a Host that is not host and port */
    HTTP_REFUSAL_FIELD_REPEATED,    /* a second Host or Content-Length */
    HTTP_REFUSAL_TRANSFER_ENCODING, /* any, on a request that has no body */
    HTTP_REFUSAL_BODY,              /* a body where there is none */
    HTTP_REFUSAL_BODY_SIZE,         /* likewise, and a large one */
    HTTP_REFUSAL_HEADER_SIZE        /* request line and headers over header_size_max */
};

/* A request, valid until its answer was sent. All strings are as they came, not decoded. */
struct http_request {
    enum http_method method;
    const char *method_name;
    char *path;  /* from its '/' to the end or the '?'; may be changed in place by the handler */
    char *query; /* after the '?', or NULL where there is none */
};

/* The first header of that kind, or NULL. Worker's thread. */
const char *http_request_field(const struct http_request *request, enum http_field field);

/*
 * All headers of that kind, in their order, until `visit` returns false: for those that are lists, which may be spread
 * over several lines. Worker's thread.
 */
void http_request_each_field(struct http_request *request, enum http_field field,
                             bool (*visit)(void *arg, const char *value), void *arg);

/* The handler's own context_size bytes in the request, zero at first. */
void *http_request_context(struct http_request *request);

/*
 * Makes the request ready for being resumed from another thread. To be called by the handler before anybody else is
 * told of the request. From then on it is answered by `resumed` only. Worker's thread.
 */
void http_request_park(struct http_request *request);

/*
 * The worker is to call the handler's `resumed`. Exactly once after http_request_park(). Any thread.
 */
void http_request_resume(struct http_request *request);

/* ---- answers ----------------------------------------------------------------------------------------------------- */

#define HTTP_ANSWER_FIELDS_MAX 10

struct http_answer_field {
    const char *name;
    const char *value; /* not empty */
};

/*
 * What an answer was put together from: two answers of equal keys are the same in all that is sent. `what` must be held
 * by the answer, until its `release`, so that nothing else can come to lie there.
 */
struct http_answer_key {
    const void *what;
    int64_t age_s;
    int64_t left_s;
    unsigned form; /* all else that makes a difference, as the handler likes */
};

struct http_answer {
    unsigned status;
    const void *body; /* sent as it lies there */
    size_t size;
    void (*release)(void *arg); /* called once the body is not needed any more, on any thread; NULL: static bytes */
    void *release_arg;
    bool close;                        /* the connection, after this answer */
    const struct http_answer_key *key; /* the answer may be kept for a moment, to be sent again; NULL: it is not */
    size_t fields_count;
    struct http_answer_field fields[HTTP_ANSWER_FIELDS_MAX];
};

/* Adds a header; both strings must live until http_request_answer(). Aborts over HTTP_ANSWER_FIELDS_MAX. */
void http_answer_add(struct http_answer *answer, const char *name, const char *value);

/*
 * Answers with the very answer that this worker has sent under an equal key, if it still has that one, and returns
 * whether it has; if not, the answer is to be put together. Worker's thread. See http_kept.h.
 */
bool http_request_answer_again(struct http_request *request, const struct http_answer_key *key);

/*
 * Answers; exactly once a request, on the worker's thread, from `handle` or `resumed`, if http_request_answer_again()
 * did not. HEAD is seen to. Takes the body: `release` is called whatever comes.
 */
void http_request_answer(struct http_request *request, const struct http_answer *answer);

/* ---- servers ----------------------------------------------------------------------------------------------------- */

struct http_handler {
    /* Once a request: answers it or parks it. */
    void (*handle)(void *self, struct http_request *request);
    /* Once a resumed request: answers it. */
    void (*resumed)(void *self, struct http_request *request);
    /* Once a request that is refused and never comes to `handle`: answers it. */
    void (*refuse)(void *self, struct http_request *request, enum http_refusal why);
    void *self;
    size_t context_size;
};

struct http_options {
    const char *side;        /* "data" or "admin": names it in the log; static */
    const char *listen;      /* "host:port", "[v6]:port" or "unix:/path" */
    bool local_only;         /* refuse an address that other machines can reach */
    size_t workers;          /* at least 1 */
    size_t connections_max;  /* in all; over it a connection is closed at once */
    size_t header_size_max;  /* bytes of request line and headers */
    int64_t idle_timeout_ms; /* a connection on which nothing moves, rounded up to seconds; thrice that: a request that
                                does not come to its end */
    struct http_handler handler;
};

struct http_fault {
    char text[256];
};

struct http_server;

/*
 * Binds and listens; nobody is accepted yet. `options` is copied, its strings must live on. On false `fault` says what
 * is wrong and names the address.
 */
bool http_server_create(const struct http_options *options, struct http_server **server, struct http_fault *fault);

/* Starts the threads. On false none is left running, and `fault` says why. */
bool http_server_start(struct http_server *server, struct http_fault *fault);

/* Where it listens, with the port that it really has: "127.0.0.1:8080", "unix:/path". */
const char *http_server_address(const struct http_server *server);

/* Whether only this machine can reach it: a loopback address or a Unix socket; and whether it is the latter. */
bool http_server_is_local(const struct http_server *server);
bool http_server_is_unix(const struct http_server *server);

/* Closes the listening socket and ends the accept thread. What was accepted goes on. */
void http_server_stop_accepting(struct http_server *server);

/*
 * From now on every answer closes its connection, and a connection on which no request has come whole is closed after
 * HTTP_DRAIN_GRACE_MS. Waits until nobody is connected, for at most `timeout_ms`. True: nobody is. May be repeated.
 */
#define HTTP_DRAIN_GRACE_MS 500
bool http_server_drain(struct http_server *server, int64_t timeout_ms);

/* Waits until no request is parked any more (see to it that all are resumed), then ends threads and connections. */
void http_server_stop(struct http_server *server);

/* Frees a server that was stopped, or never started. No http_request_resume() may still be running. NULL is allowed. */
void http_server_destroy(struct http_server *server);

/* Totals and levels; the metrics and their help are made from this list. */
#define HTTP_STATS(TOTAL, LEVEL)                                                                                       \
    TOTAL(connections_accepted, "Connections accepted")                                                                \
    TOTAL(connections_refused, "Connections closed at once because connections_max was reached")                       \
    TOTAL(accept_failures, "Connections that the system could not give (out of descriptors or memory)")                \
    LEVEL(connections, "Connections open")                                                                             \
    LEVEL(parked, "Requests parked")

#define HTTP_STATUS_CLASSES          6 /* answers[n]: those of status n00 to n99 */

#define HTTP_STATS_FIELD(name, text) uint64_t name;
struct http_stats {
    HTTP_STATS(HTTP_STATS_FIELD, HTTP_STATS_FIELD)
    uint64_t answers[HTTP_STATUS_CLASSES];
};
#undef HTTP_STATS_FIELD

void http_server_stats(struct http_server *server, struct http_stats *stats);

#endif
