/* SPDX-License-Identifier: MIT */
/* sqlite.c: the sqlite backend put together: options, threads with a connection each, ends of loads. See sqlite.h. */
#include "sqlite.h"

#include "dispatch.h"
#include "sqlite_connection.h"

#include <stdlib.h>
#include <string.h>

/* ---- loads ------------------------------------------------------------------------------------------------------- */

static void load_end_with_fault(const struct sqlite_backend *backend, struct sluice_load *load,
                                const struct sqlite_result *result)
{
    struct backend_fault late;

    switch (result->stop) {
    case SQLITE_STOP_NOT:
        sluice_load_fail(load, result->fault.text);
        return;
    case SQLITE_STOP_TIMEOUT:
        backend_fault_set(&late, "no answer within %lld ms; %s", (long long)backend->timeout_ms, result->fault.text);
        sluice_load_time_out(load, late.text);
        return;
    case SQLITE_STOP_UNWANTED:
        sluice_load_fail(load, "the query was broken off, nobody waited for it any more");
        return;
    case SQLITE_STOP_CLOSING:
        sluice_load_fail(load, "the query was broken off, the sqlite backend is being closed");
        return;
    }
    abort();
}

static void load_end(const struct sqlite_backend *backend, struct sluice_load *load, const struct sqlite_result *result)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct backend_fault too_large;

    switch (result->kind) {
    case SQLITE_RESULT_VALUE:
        content.data = result->data;
        content.size = result->size;
        content.content_type = result->content_type[0] != '\0' ? result->content_type : backend->content_type;
        sluice_load_complete(load, &content);
        return;
    case SQLITE_RESULT_TOO_LARGE:
        backend_fault_set(&too_large, "the value is larger than the limit of %zu bytes", backend->value_size_max);
        sluice_load_too_large(load, too_large.text);
        return;
    case SQLITE_RESULT_NOT_FOUND:
        sluice_load_not_found(load);
        return;
    case SQLITE_RESULT_FAULT:
        load_end_with_fault(backend, load, result);
        return;
    }
    abort();
}

/* What a thread of the pool works with. */
struct worker {
    const struct sqlite_backend *backend;
    struct sqlite_connection *connection;
};

static void worker_load(void *state, struct sluice_load *load)
{
    struct worker *worker = state;
    struct sqlite_result result = {0};

    sqlite_connection_query(worker->connection, load, &result);
    load_end(worker->backend, load, &result);
    free(result.data);
}

static bool worker_init(void *self, void **state, struct backend_fault *fault)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL)
        return backend_fault_set(fault, "sqlite: out of memory");
    worker->backend = self;
    worker->connection = sqlite_connection_create(self, fault);
    if (worker->connection == NULL) {
        free(worker);
        return false;
    }
    *state = worker;
    return true;
}

static void worker_fini(void *state)
{
    struct worker *worker = state;

    sqlite_connection_destroy(worker->connection);
    free(worker);
}

static void worker_interrupt(void *state)
{
    struct worker *worker = state;

    sqlite_connection_interrupt(worker->connection);
}

/* ---- making it --------------------------------------------------------------------------------------------------- */

static void sqlite_destroy(void *self)
{
    struct sqlite_backend *backend = self;

    free(backend->content_type);
    free(backend->query);
    free(backend->database);
    free(backend);
}

static bool options_fit(const struct sqlite_backend_options *options, struct backend_fault *fault)
{
    if (options->database == NULL || options->database[0] == '\0')
        return backend_fault_set(fault, "sqlite: no database is named");
    if (options->query == NULL)
        return backend_fault_set(fault, "sqlite database \"%s\": there is no query", options->database);
    if (options->content_type != NULL && !backend_content_type_is_fit(options->content_type))
        return backend_fault_set(fault, "sqlite database \"%s\": content_type is not a media type", options->database);
    if (options->timeout_ms < 1 && options->timeout_ms != SLUICE_NEVER)
        return backend_fault_set(fault, "sqlite database \"%s\": timeout is %lld ms, it has to be 1 at least",
                                 options->database, (long long)options->timeout_ms);
    return true;
}

bool sqlite_backend_create(const struct sqlite_backend_options *options, struct backend *backend,
                           struct backend_fault *fault)
{
    struct dispatch_options dispatch = {
        .kind = "sqlite",
        .threads = options->max_concurrent,
        .queue_max = options->queue_max,
        .work =
            {
                .init = worker_init,
                .fini = worker_fini,
                .load = worker_load,
                .interrupt = worker_interrupt,
                .destroy = sqlite_destroy,
            },
    };
    struct sqlite_backend *created;

    if (!options_fit(options, fault))
        return false;
    created = calloc(1, sizeof *created);
    if (created == NULL)
        return backend_fault_set(fault, "sqlite: out of memory");
    created->database = strdup(options->database);
    created->query = strdup(options->query);
    created->content_type = options->content_type == NULL ? NULL : strdup(options->content_type);
    created->value_size_max = options->value_size_max;
    created->timeout_ms = options->timeout_ms;
    dispatch.work.self = created;
    if (created->database == NULL || created->query == NULL ||
        (options->content_type != NULL && created->content_type == NULL))
        backend_fault_set(fault, "sqlite: out of memory");
    else if (dispatch_create(&dispatch, backend, fault))
        return true;
    sqlite_destroy(created);
    return false;
}
