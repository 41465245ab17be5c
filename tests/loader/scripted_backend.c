/* SPDX-License-Identifier: MIT */
/* scripted_backend.c: the scripted origin as others see it: scripts, gate, counters. See scripted_backend.h. */
#include "scripted_internal.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATHS_MAX = 65536 }; /* that are told apart */

/* ---- scripts ----------------------------------------------------------------------------------------------------- */

static int compare_paths(const void *one, const void *other)
{
    return strcmp(((const struct scripted_path *)one)->name, ((const struct scripted_path *)other)->name);
}

/* The path of that name, made if there is none yet. */
static struct scripted_path *find_path_locked(struct scripted_backend *backend, const char *name)
{
    struct scripted_path wanted = {.name = scripted_must(strdup(name))};
    struct scripted_path **found = scripted_must(tsearch(&wanted, &backend->locked.paths, compare_paths));

    if (*found == &wanted) {
        if (++backend->locked.paths_count > PATHS_MAX)
            scripted_die("more paths than it can tell apart");
        *found = scripted_must(malloc(sizeof wanted));
        **found = wanted;
    } else {
        free(wanted.name);
    }
    return *found;
}

static void clear_script(struct scripted_path *path)
{
    free((void *)(uintptr_t)path->answer.headers);
    free((void *)(uintptr_t)path->answer.body);
}

static void free_path(void *arg)
{
    struct scripted_path *path = arg;

    clear_script(path);
    free(path->name);
    free(path);
}

void scripted_backend_script(struct scripted_backend *backend, const char *path, const struct scripted_answer *answer)
{
    struct scripted_answer copy = *answer;
    struct scripted_path *of;

    if (answer->headers)
        copy.headers = scripted_must(strdup(answer->headers));
    if (answer->body) {
        char *body;

        copy.body_size = answer->body_size ? answer->body_size : strlen(answer->body);
        body = scripted_must(malloc(copy.body_size + 1));
        memcpy(body, answer->body, copy.body_size);
        body[copy.body_size] = '\0';
        copy.body = body;
    }
    pthread_mutex_lock(&backend->mutex);
    of = path ? find_path_locked(backend, path) : &backend->locked.other;
    clear_script(of);
    of->answer = copy;
    of->scripted = true;
    pthread_mutex_unlock(&backend->mutex);
}

void scripted_backend_handle(struct scripted_backend *backend, scripted_handler *handler, void *arg)
{
    pthread_mutex_lock(&backend->mutex);
    backend->locked.handler = handler;
    backend->locked.handler_arg = arg;
    pthread_mutex_unlock(&backend->mutex);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* Counts a request and says how it is to be answered: by the handler, if there is one, or by `*script`. */
static void count_request_locked(struct scripted_backend *backend, struct scripted_parsed *parsed,
                                 const struct scripted_answer **script)
{
    struct scripted_path *path = find_path_locked(backend, parsed->request.path);

    parsed->request.number = ++path->requests;
    backend->locked.other.requests++;
    if (++backend->locked.active > backend->locked.active_max)
        backend->locked.active_max = backend->locked.active;
    free(backend->locked.last_head);
    backend->locked.last_head = scripted_must(strdup(parsed->head));
    *script = path->scripted ? &path->answer : &backend->locked.other.answer;
    pthread_cond_broadcast(&backend->changed);
}

static void begin_locked(struct scripted_backend *backend, struct scripted_connection *connection,
                         const struct scripted_parsed *parsed, const struct scripted_answer *answer, int64_t now)
{
    bool held = answer->held && !backend->locked.gate_open;

    scripted_connection_begin(connection, parsed, answer, held, now);
    if (held) {
        backend->locked.held++;
        pthread_cond_broadcast(&backend->changed);
    }
}

void scripted_backend_take(struct scripted_backend *backend, struct scripted_connection *connection,
                           struct scripted_parsed *parsed, int64_t now_ms)
{
    const struct scripted_answer *script;
    struct scripted_answer answer = {0};
    scripted_handler *handler;
    void *arg;

    pthread_mutex_lock(&backend->mutex);
    count_request_locked(backend, parsed, &script);
    handler = backend->locked.handler;
    arg = backend->locked.handler_arg;
    if (handler) {
        pthread_mutex_unlock(&backend->mutex);
        handler(arg, &parsed->request, &answer);
        pthread_mutex_lock(&backend->mutex);
        script = &answer;
    }
    begin_locked(backend, connection, parsed, script, now_ms);
    pthread_mutex_unlock(&backend->mutex);
}

void scripted_backend_count_opened(struct scripted_backend *backend)
{
    pthread_mutex_lock(&backend->mutex);
    backend->locked.accepted++;
    backend->locked.open++;
    pthread_mutex_unlock(&backend->mutex);
}

void scripted_backend_count_closed(struct scripted_backend *backend, enum scripted_state state)
{
    pthread_mutex_lock(&backend->mutex);
    backend->locked.open--;
    backend->locked.held -= state == SCRIPTED_HELD;
    backend->locked.active -= state != SCRIPTED_READING;
    pthread_cond_broadcast(&backend->changed);
    pthread_mutex_unlock(&backend->mutex);
}

void scripted_backend_count_answered(struct scripted_backend *backend)
{
    pthread_mutex_lock(&backend->mutex);
    backend->locked.active--;
    pthread_mutex_unlock(&backend->mutex);
}

void scripted_backend_count_released(struct scripted_backend *backend)
{
    pthread_mutex_lock(&backend->mutex);
    backend->locked.held--;
    pthread_mutex_unlock(&backend->mutex);
}

/* ---- gate and port ----------------------------------------------------------------------------------------------- */

void scripted_backend_open(struct scripted_backend *backend)
{
    pthread_mutex_lock(&backend->mutex);
    backend->locked.gate_open = true;
    backend->locked.release = true;
    pthread_mutex_unlock(&backend->mutex);
    scripted_loop_wake(backend);
}

void scripted_backend_shut(struct scripted_backend *backend)
{
    pthread_mutex_lock(&backend->mutex);
    backend->locked.gate_open = false;
    pthread_mutex_unlock(&backend->mutex);
}

void scripted_backend_refuse(struct scripted_backend *backend, bool refuse)
{
    pthread_mutex_lock(&backend->mutex);
    backend->locked.refuse = refuse;
    scripted_loop_wake(backend);
    while (backend->locked.refusing != backend->locked.refuse)
        pthread_cond_wait(&backend->changed, &backend->mutex);
    pthread_mutex_unlock(&backend->mutex);
}

/* ---- counters ---------------------------------------------------------------------------------------------------- */

/* What await() waits for. */
struct awaited {
    const char *path;
    size_t bound;
    bool (*reached)(struct scripted_backend *backend, const struct awaited *awaited); /* with the mutex held */
};

static bool await(struct scripted_backend *backend, const struct awaited *awaited, int64_t timeout_ms)
{
    struct timespec end;
    bool reached;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += timeout_ms % 1000 * 1000000;
    end.tv_sec += timeout_ms / 1000 + end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    pthread_mutex_lock(&backend->mutex);
    while (!(reached = awaited->reached(backend, awaited)) && error == 0)
        error = pthread_cond_timedwait(&backend->changed, &backend->mutex, &end);
    pthread_mutex_unlock(&backend->mutex);
    return reached;
}

static size_t requests_locked(struct scripted_backend *backend, const char *path)
{
    return (path ? find_path_locked(backend, path) : &backend->locked.other)->requests;
}

static bool requests_reached(struct scripted_backend *backend, const struct awaited *awaited)
{
    return requests_locked(backend, awaited->path) >= awaited->bound;
}

static bool held_reached(struct scripted_backend *backend, const struct awaited *awaited)
{
    return backend->locked.held >= awaited->bound;
}

static bool open_reached(struct scripted_backend *backend, const struct awaited *awaited)
{
    return backend->locked.open <= awaited->bound;
}

bool scripted_backend_await_requests(struct scripted_backend *backend, const char *path, size_t at_least,
                                     int64_t timeout_ms)
{
    return await(backend, &(struct awaited){path, at_least, requests_reached}, timeout_ms);
}

bool scripted_backend_await_held(struct scripted_backend *backend, size_t at_least, int64_t timeout_ms)
{
    return await(backend, &(struct awaited){NULL, at_least, held_reached}, timeout_ms);
}

bool scripted_backend_await_connections_open(struct scripted_backend *backend, size_t at_most, int64_t timeout_ms)
{
    return await(backend, &(struct awaited){NULL, at_most, open_reached}, timeout_ms);
}

size_t scripted_backend_requests(struct scripted_backend *backend, const char *path)
{
    size_t requests;

    pthread_mutex_lock(&backend->mutex);
    requests = requests_locked(backend, path);
    pthread_mutex_unlock(&backend->mutex);
    return requests;
}

static size_t read_count(struct scripted_backend *backend, const size_t *counter)
{
    size_t count;

    pthread_mutex_lock(&backend->mutex);
    count = *counter;
    pthread_mutex_unlock(&backend->mutex);
    return count;
}

size_t scripted_backend_requests_at_once_max(struct scripted_backend *backend)
{
    return read_count(backend, &backend->locked.active_max);
}

size_t scripted_backend_connections(struct scripted_backend *backend)
{
    return read_count(backend, &backend->locked.accepted);
}

size_t scripted_backend_held(struct scripted_backend *backend)
{
    return read_count(backend, &backend->locked.held);
}

char *scripted_backend_last_head(struct scripted_backend *backend)
{
    char *head;

    pthread_mutex_lock(&backend->mutex);
    head = backend->locked.last_head ? scripted_must(strdup(backend->locked.last_head)) : NULL;
    pthread_mutex_unlock(&backend->mutex);
    return head;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct scripted_backend *scripted_backend_create(void)
{
    struct scripted_backend *backend = scripted_must(calloc(1, sizeof *backend));
    pthread_condattr_t monotonic;

    pthread_mutex_init(&backend->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&backend->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    backend->locked.other.answer.status = 404;
    scripted_loop_init(backend);
    snprintf(backend->url, sizeof backend->url, "http://127.0.0.1:%u", backend->port);
    errno = pthread_create(&backend->thread, NULL, scripted_loop_run, backend);
    if (errno != 0)
        scripted_die("pthread_create");
    return backend;
}

void scripted_backend_destroy(struct scripted_backend *backend)
{
    if (!backend)
        return;
    pthread_mutex_lock(&backend->mutex);
    backend->locked.stop = true;
    pthread_mutex_unlock(&backend->mutex);
    scripted_loop_wake(backend);
    pthread_join(backend->thread, NULL);
    scripted_loop_fini(backend);
    tdestroy(backend->locked.paths, free_path);
    clear_script(&backend->locked.other);
    free(backend->locked.last_head);
    pthread_cond_destroy(&backend->changed);
    pthread_mutex_destroy(&backend->mutex);
    free(backend);
}

unsigned scripted_backend_port(const struct scripted_backend *backend)
{
    return backend->port;
}

const char *scripted_backend_url(const struct scripted_backend *backend)
{
    return backend->url;
}
