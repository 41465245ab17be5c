/* SPDX-License-Identifier: MIT */
/*
 * scripted_backend.h: an HTTP/1.1 origin that does what a test tells it to, misbehaviour included, and counts what it
 * sees. It listens on a free port of 127.0.0.1 and serves from one thread of its own, thousands of connections if need
 * be. A test holds requests at its gate, waits until they are there, does what it wants to do meanwhile, and opens it:
 *
 *     struct scripted_backend *origin = scripted_backend_create();
 *
 *     scripted_backend_script(origin, "/users/42", &(struct scripted_answer){ .body = "Ada", .held = true });
 *     ... start gets ...
 *     assert_true(scripted_backend_await_held(origin, 1, 10000));
 *     ... more gets, an invalidation ...
 *     scripted_backend_open(origin);
 *     ...
 *     assert_int_equal(1, scripted_backend_requests(origin, "/users/42"));
 *     scripted_backend_destroy(origin);
 *
 * May be used by: tests of the loaders and the server, benchmarks. Every function may be called from any thread. What
 * it can't do (no memory, no port, no thread) ends the process with words: there is no test without it.
 *
 * It takes GET and HEAD without a body; a connection on which anything else comes is closed. Connections are kept
 * alive unless the client says otherwise. A client that closes its sending side is taken to be gone.
 */
#ifndef TESTS_LOADER_SCRIPTED_BACKEND_H
#define TESTS_LOADER_SCRIPTED_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scripted_backend;

/* What is done once a request is neither held nor delayed any more. */
enum scripted_manner {
    SCRIPTED_ANSWER,  /* the answer, with its Content-Length */
    SCRIPTED_CHUNKED, /* the answer, its body as one chunk */
    SCRIPTED_RAW,     /* the bytes of the body and nothing else, then close: garbage, or an answer written by hand */
    SCRIPTED_SHORT,   /* the answer with a Content-Length ten bytes over its body, then close */
    SCRIPTED_STALL,   /* the head of the answer, then nothing, until the client goes away */
    SCRIPTED_CLOSE,   /* close without a word */
    SCRIPTED_RESET,   /* likewise, with a TCP reset */
    SCRIPTED_HANG     /* nothing, until the client goes away */
};

/* How a request is answered. Zero is a 200 without content, at once. */
struct scripted_answer {
    enum scripted_manner manner;
    int status;          /* 0: 200 */
    const char *headers; /* whole lines, each with its "\r\n", to go between ours; NULL: none */
    const char *body;    /* NULL: empty */
    size_t body_size;    /* bytes of it; 0: up to its NUL */
    bool held;           /* waits until the gate is open */
    bool close;          /* the connection is closed after the answer, without a header that says so */
    int64_t delay_ms;    /* before the answer, after the gate */
    int64_t drip_ms;     /* between any two bytes of the answer; 0: all at once */
};

/* A request, for a handler. Borrowed for the call. */
struct scripted_request {
    const char *method;
    const char *path; /* as it came: encoded, with the query */
    const char *head; /* all of it, from the request line to the empty line */
    size_t number;    /* how many requests this path has seen, this one included */
};

/* Fills in `*answer`, which is zero before; what it points to is copied right after the return. On the origin's thread.
 */
typedef void scripted_handler(void *arg, const struct scripted_request *request, struct scripted_answer *answer);

/* Starts one. Every request is answered with 404 until it is told more. Raises the soft limit of open files. */
struct scripted_backend *scripted_backend_create(void);

/* Closes every connection, joins the thread, frees it. NULL is allowed. */
void scripted_backend_destroy(struct scripted_backend *backend);

unsigned scripted_backend_port(const struct scripted_backend *backend);

/* "http://127.0.0.1:PORT". Lives as long as the origin. */
const char *scripted_backend_url(const struct scripted_backend *backend);

/*
 * From now on, requests for `path` (as it comes: encoded, with the query) are answered like this; NULL: those that have
 * no script of their own. `answer` is copied. Requests that are there already are not touched.
 */
void scripted_backend_script(struct scripted_backend *backend, const char *path, const struct scripted_answer *answer);

/* From now on, `handler` answers every request instead of the scripts; NULL: the scripts do again. */
void scripted_backend_handle(struct scripted_backend *backend, scripted_handler *handler, void *arg);

/* The gate, shut at first. Opened, it lets all those held go on, and holds nobody until it is shut again. */
void scripted_backend_open(struct scripted_backend *backend);
void scripted_backend_shut(struct scripted_backend *backend);

/*
 * True: every connection is closed and new ones are refused, as if the origin were not running; false: it is again, on
 * the same port. In force on return.
 */
void scripted_backend_refuse(struct scripted_backend *backend, bool refuse);

/* Counts so far: requests for `path` (NULL: for all), the most that were under way at once, connections accepted. */
size_t scripted_backend_requests(struct scripted_backend *backend, const char *path);
size_t scripted_backend_requests_at_once_max(struct scripted_backend *backend);
size_t scripted_backend_connections(struct scripted_backend *backend);

/* Requests held at the gate now. */
size_t scripted_backend_held(struct scripted_backend *backend);

/*
 * Wait until there were at least so many requests for `path` (NULL: for all); until at least so many are held now;
 * until at most so many connections are open. False: timeout_ms went by before.
 */
bool scripted_backend_await_requests(struct scripted_backend *backend, const char *path, size_t at_least,
                                     int64_t timeout_ms);
bool scripted_backend_await_held(struct scripted_backend *backend, size_t at_least, int64_t timeout_ms);
bool scripted_backend_await_connections_open(struct scripted_backend *backend, size_t at_most, int64_t timeout_ms);

/* The head of the request that came last; the caller frees it. NULL: none came. */
char *scripted_backend_last_head(struct scripted_backend *backend);

#endif
