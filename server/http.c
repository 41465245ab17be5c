/* SPDX-License-Identifier: MIT */
/*
 * http.c: requests and answers, and the one file that touches libmicrohttpd. Everything here but
 * http_request_resume() runs on the thread of the worker whom the request belongs to.
 *
 * Traps of the library (0.9.75) that shape this file:
 * - Its first call of the handler comes before the body; an answer queued then closes the connection. So that call only
 *   looks at the headers, except for refusals that must not wait for a body.
 * - It is lenient in what it takes for a request. What http_check.h tells of is refused.
 * - It changes the target in place; so it is copied when the request line comes, which also makes the request object.
 * - It reads from a connection that is resumed before it looks at the answer, and takes a client that has ended its
 *   sending side for one that is gone; see request_resume().
 * - A daemon that is stopped with a suspended connection aborts the process; http_worker.c sees to it that none is.
 */
#include "http.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_check.h"
#include "http_private.h"
#include "log.h"

/* A request with what is behind it. Made when the request line is there, freed when the library is done with it. */
struct request {
    struct http_request shown;
    struct http_item item;
    struct http_connection *connection;
    struct MHD_Connection *mhd;
    struct http_check check;
    size_t target_size;    /* bytes, as it came */
    bool begun;            /* the headers were looked at */
    bool parked;           /* suspended, and not answered yet */
    bool first_served;     /* see request_resume() */
    bool answered;         /* an answer was queued */
    max_align_t context[]; /* the handler's bytes, then the target */
};

static struct request *request_of(struct http_request *shown)
{
    return (struct request *)(void *)((char *)shown - offsetof(struct request, shown));
}

static const struct request *request_of_const(const struct http_request *shown)
{
    return (const struct request *)(const void *)((const char *)shown - offsetof(struct request, shown));
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

const char *http_request_field(const struct http_request *shown, enum http_field field)
{
    return request_of_const(shown)->check.fields[field];
}

void *http_request_context(struct http_request *shown)
{
    return request_of(shown)->context;
}

struct field_visit {
    enum http_field field;
    bool (*visit)(void *arg, const char *value);
    void *arg;
};

static enum MHD_Result on_field_visited(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                        const char *value, size_t value_size)
{
    const struct field_visit *each = arg;
    (void)kind;
    (void)value_size;
    if (http_check_field(name, name_size) != each->field)
        return MHD_YES;
    return each->visit(each->arg, value ? value : "") ? MHD_YES : MHD_NO;
}

void http_request_each_field(struct http_request *shown, enum http_field field,
                             bool (*visit)(void *arg, const char *value), void *arg)
{
    struct request *request = request_of(shown);
    if (!request->check.fields[field])
        return;
    struct field_visit each = {field, visit, arg};
    MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, on_field_visited, &each);
}

void http_request_park(struct http_request *shown)
{
    struct request *request = request_of(shown);
    request->parked = true;
    atomic_fetch_add_explicit(&request->connection->worker->parked, 1, memory_order_relaxed);
    MHD_suspend_connection(request->mhd);
}

void http_request_resume(struct http_request *shown)
{
    struct request *request = request_of(shown);
    http_worker_push(request->connection->worker, &request->item);
}

void http_daemon_resumed(struct http_item *item)
{
    struct request *request = (struct request *)(void *)((char *)item - offsetof(struct request, item));
    struct http_server *server = request->connection->worker->server;
    server->options.handler.resumed(server->options.handler.self, &request->shown);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

void http_answer_add(struct http_answer *answer, const char *name, const char *value)
{
    if (answer->fields_count == HTTP_ANSWER_FIELDS_MAX)
        abort(); /* cannot happen: each answer is put together in one place, with a known number of headers */
    answer->fields[answer->fields_count++] = (struct http_answer_field){name, value};
}

static void release_nothing(void *arg)
{
    (void)arg;
}

/* Takes the body in any case. NULL: no memory. */
static struct MHD_Response *response_make(const struct http_answer *answer, bool close)
{
    void (*release)(void *) = answer->release ? answer->release : release_nothing;
    union {
        const void *read_only;
        void *buffer; /* the library wants it so, and only reads it */
    } body = {answer->body};
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback_cls(answer->size, body.buffer, release, answer->release_arg);
    if (!response) {
        release(answer->release_arg);
        return NULL;
    }
    bool whole = true;
    for (size_t i = 0; i < answer->fields_count; i++)
        whole &= MHD_add_response_header(response, answer->fields[i].name, answer->fields[i].value) == MHD_YES;
    if (close)
        whole &= MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (whole)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

static void answer_count(struct http_worker *worker, unsigned status)
{
    _Atomic uint64_t *counter = &worker->answers[status / 100 < HTTP_STATUS_CLASSES ? status / 100 : 0];
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + 1, memory_order_relaxed); /* this thread alone writes it */
}

/* The library's unit. Never 0, which would be no timeout at all. */
static unsigned idle_timeout_s(const struct http_worker *worker)
{
    return (unsigned)((worker->server->options.idle_timeout_ms + 999) / 1000);
}

/*
 * A connection with a timeout of its own is looked at by the library at the beginning of each turn, before it reads
 * from any: so that this one has its answer under way by then. It has its old timeout back once the answer is sent,
 * since looking at many of them takes its time.
 */
static void request_resume(struct request *request)
{
    struct http_worker *worker = request->connection->worker;
    request->parked = false;
    atomic_fetch_sub_explicit(&worker->parked, 1, memory_order_relaxed);
    request->first_served = true;
    MHD_set_connection_option(request->mhd, MHD_CONNECTION_OPTION_TIMEOUT, idle_timeout_s(worker) + 1);
    MHD_resume_connection(request->mhd);
}

/* The response is queued, or an error at worst: the library then calls the handler again, which closes. */
static void request_queue(struct request *request, unsigned status, struct MHD_Response *response)
{
    struct http_worker *worker = request->connection->worker;
    if (request->answered)
        abort(); /* a handler of ours answered twice */
    request->answered = true;
    worker->answered++;
    answer_count(worker, status);
    (void)MHD_queue_response(request->mhd, status, response);
    if (request->parked)
        request_resume(request);
}

static bool request_closes(const struct request *request)
{
    return request->check.refusal != HTTP_REFUSAL_NONE ||
           atomic_load_explicit(&request->connection->worker->server->draining, memory_order_relaxed);
}

bool http_request_answer_again(struct http_request *shown, const struct http_answer_key *key)
{
    struct request *request = request_of(shown);
    const struct http_kept_answer *kept = http_kept_find(&request->connection->worker->kept, key);
    if (!kept || request_closes(request))
        return false;
    request_queue(request, kept->status, kept->response);
    return true;
}

void http_request_answer(struct http_request *shown, const struct http_answer *answer)
{
    struct request *request = request_of(shown);
    struct http_worker *worker = request->connection->worker;
    bool close = answer->close || request_closes(request);
    struct MHD_Response *response = response_make(answer, close);
    if (!response) {
        request_queue(request, MHD_HTTP_SERVICE_UNAVAILABLE, worker->no_memory);
        return;
    }
    request_queue(request, answer->status, response);
    if (answer->key && !close && answer->size <= HTTP_KEPT_SIZE_MAX)
        http_kept_put(&worker->kept, answer->key, answer->status, response, http_now_ms());
    else
        http_response_drop(response);
}

void http_response_drop(struct MHD_Response *response)
{
    MHD_destroy_response(response);
}

/* ---- what the library calls -------------------------------------------------------------------------------------- */

static struct http_connection *connection_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* Of "http://host/path?query" the part from the path on; a target that is neither that nor a path stays as it is. */
static char *target_path(char *target)
{
    if (strncasecmp(target, "http://", 7) != 0)
        return target;
    char *rest = target + 7 + strcspn(target + 7, "/?");
    if (*rest != '/')
        *--rest = '/'; /* http://host?query and http://host: over the authority's last byte, which nobody needs */
    return rest;
}

/* The request line has come: makes the request. What is returned is the context of the later calls. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *mhd)
{
    struct http_worker *worker = arg;
    struct http_connection *connection = connection_of(mhd);
    if (!target)
        target = "";
    size_t context_size = worker->server->options.handler.context_size;
    size_t target_size = strlen(target) + 1;
    struct request *request = malloc(sizeof *request + context_size + target_size);
    if (!request)
        return NULL;
    memset(request, 0, sizeof *request + context_size);
    request->connection = connection;
    request->mhd = mhd;
    request->target_size = target_size - 1;
    char *text = (char *)request->context + context_size;
    memcpy(text, target, target_size);
    request->shown.path = target_path(text);
    char *mark = strchr(request->shown.path, '?');
    if (mark) {
        *mark = '\0';
        request->shown.query = mark + 1;
    }
    return request;
}

/* The target is given to handlers as it came. */
static size_t on_unescape(void *arg, struct MHD_Connection *mhd, char *text)
{
    (void)arg;
    (void)mhd;
    return strlen(text);
}

struct field_walk {
    struct http_check *check;
    const char *end; /* of the last string that was looked at, in the bytes that came */
};

static enum MHD_Result on_field(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                const char *value, size_t value_size)
{
    struct field_walk *walk = arg;
    (void)kind;
    if (!http_check_adjoins(walk->end, name, 1)) {
        walk->check->refusal = HTTP_REFUSAL_FIELD_SYNTAX;
        return MHD_NO;
    }
    walk->end = value ? value + value_size : name + name_size;
    return http_check_add(walk->check, name, name_size, value, value_size) ? MHD_YES : MHD_NO;
}

/* All strings are where they came, in the connection's memory: the one that is behind the line's end of the other. */
static void request_check(struct request *request, const char *url, const char *method, const char *version)
{
    const struct http_options *options = &request->connection->worker->server->options;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct http_check *check = &request->check;
    struct http_check_limits limits = {info ? info->header_size : 0, options->header_size_max, HTTP_DISCARD_MAX};
    struct field_walk walk = {check, version + strlen(version)};
    if (!http_check_line(method, url, request->target_size, version)) {
        check->refusal = HTTP_REFUSAL_TARGET;
        return;
    }
    MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, on_field, &walk);
    if (check->refusal == HTTP_REFUSAL_NONE && !http_check_adjoins(walk.end, method + limits.header_size, 2))
        check->refusal = HTTP_REFUSAL_FIELD_SYNTAX;
    http_check_end(check, request->shown.method, version, &limits);
}

static enum MHD_Result request_dispatch(struct request *request)
{
    const struct http_handler *handler = &request->connection->worker->server->options.handler;
    http_worker_request_began(request->connection);
    if (request->check.refusal != HTTP_REFUSAL_NONE)
        handler->refuse(handler->self, &request->shown, request->check.refusal);
    else
        handler->handle(handler->self, &request->shown);
    return MHD_YES;
}

/*
 * The headers have come. A body, which nobody takes yet, is read and thrown away if it is known to be small, so that
 * the client is not cut off while it sends; for any other the answer comes now, and the library closes the connection.
 * So does it to one that waits for 100 Continue: without a body the library would get its states wrong.
 */
static enum MHD_Result request_begin(struct request *request, const char *url, const char *method, const char *version)
{
    request->begun = true;
    request->shown.method = http_check_method(method);
    request->shown.method_name = method;
    request_check(request, url, method, version);
    uint64_t body_size = http_check_body_size(&request->check);
    bool coded = request->check.fields[HTTP_FIELD_TRANSFER_ENCODING];
    bool expects = request->check.fields[HTTP_FIELD_EXPECT];
    if (coded || expects || body_size > HTTP_DISCARD_MAX)
        return request_dispatch(request);
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *upload_data, size_t *upload_size, void **context)
{
    struct http_worker *worker = arg;
    struct request *request = *context;
    (void)upload_data;
    if (!request) {
        answer_count(worker, MHD_HTTP_SERVICE_UNAVAILABLE);
        return MHD_queue_response(mhd, MHD_HTTP_SERVICE_UNAVAILABLE, worker->no_memory);
    }
    if (!request->begun)
        return request_begin(request, url, method, version);
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    return request->answered ? MHD_NO : request_dispatch(request);
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)code;
    struct http_connection *connection = connection_of(mhd);
    struct request *request = *context;
    if (request && request->first_served)
        MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, idle_timeout_s(connection->worker));
    free(request);
    *context = NULL;
    http_worker_request_ended(connection);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_worker *worker = arg;
    (void)mhd;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = worker->adding;
        http_worker_opened(worker->adding);
        worker->adding = NULL;
    } else {
        http_worker_closed(*socket_context);
        *socket_context = NULL;
    }
}

__attribute__((format(printf, 2, 0))) static void on_library_log(void *arg, const char *format, va_list values)
{
    const struct http_worker *worker = arg;
    char text[256];
    vsnprintf(text, sizeof text, format, values);
    text[strcspn(text, "\n")] = '\0';
    log_event(LOG_DEBUG, "http_library", "side", worker->server->options.side, "message", text, NULL);
}

/* ---- the daemon -------------------------------------------------------------------------------------------------- */

static const char no_memory_body[] =
    "{\"type\": \"urn:sluice:problem:no-memory\", \"title\": \"Out of memory\", \"status\": 503}\n";

static struct MHD_Response *no_memory_make(void)
{
    struct http_answer answer = {.body = no_memory_body, .size = sizeof no_memory_body - 1};
    http_answer_add(&answer, "Content-Type", "application/problem+json");
    http_answer_add(&answer, "Cache-Control", "no-store");
    http_answer_add(&answer, "Retry-After", "1");
    return response_make(&answer, true);
}

bool http_daemon_start(struct http_worker *worker)
{
    const struct http_options *options = &worker->server->options;
    worker->no_memory = no_memory_make();
    if (!worker->no_memory)
        return false;
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    /* The accept thread keeps the limit for all workers together; one of them may come to have all connections. */
    worker->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, worker, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, worker,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->connections_max + 1,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_CONNECTION_MEMORY(options->header_size_max),
                         MHD_OPTION_CONNECTION_TIMEOUT, idle_timeout_s(worker), MHD_OPTION_URI_LOG_CALLBACK, on_target,
                         worker, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, worker, MHD_OPTION_NOTIFY_COMPLETED,
                         on_completed, worker, MHD_OPTION_NOTIFY_CONNECTION, on_connection, worker, MHD_OPTION_END);
    if (worker->daemon)
        return true;
    MHD_destroy_response(worker->no_memory);
    return false;
}

int http_daemon_poll_fd(struct http_worker *worker)
{
    return MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_daemon_timeout_ms(struct http_worker *worker)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (MHD_get_timeout(worker->daemon, &timeout_ms) == MHD_NO)
        return -1;
    return timeout_ms < 60000 ? (int)timeout_ms : 60000;
}

void http_daemon_run(struct http_worker *worker)
{
    MHD_run(worker->daemon);
}

void http_daemon_add(struct http_worker *worker, struct http_connection *connection)
{
    worker->adding = connection;
    (void)MHD_add_connection(worker->daemon, connection->fd, (struct sockaddr *)&connection->address,
                             connection->address_size);
    if (worker->adding) { /* it came to nothing; the library closed the socket, whose number may be another's by now */
        connection->fd = -1;
        http_worker_opened(connection);
        http_worker_closed(connection);
        worker->adding = NULL;
    }
}

void http_daemon_stop(struct http_worker *worker)
{
    MHD_stop_daemon(worker->daemon);
    http_kept_fini(&worker->kept);
    MHD_destroy_response(worker->no_memory);
}
