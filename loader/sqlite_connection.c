/* SPDX-License-Identifier: MIT */
/* sqlite_connection.c: see sqlite_connection.h. The one file that includes sqlite3.h. */
#include "sqlite_connection.h"

#include "utf8.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define OPEN_TIMEOUT_MS 5000      /* for opening a locked database, where queries have no timeout */
#define STEPS_PER_LOOK  100       /* steps of SQLite's machine between looks at the clock: some microseconds */
#define WANTED_LOOK_MS  20        /* between looks whether anybody waits for the result */
#define BUSY_SLEEP_MS   10        /* between looks whether a locked database is free */
#define QUERY_SHOWN_MAX 160       /* bytes of the query in a fault */
#define BUILT_ROOM      (1 << 20) /* bytes that a row or a text may have besides the value */

/* One thread's connection. */
struct sqlite_connection {
    const struct sqlite_backend *backend;
    atomic_bool closing; /* from another thread, and for good: see sqlite_connection_interrupt() */
    sqlite3 *db;         /* NULL: not opened yet, or given up */
    sqlite3_stmt *query;
    dev_t device; /* these two: the file that the path named when it was opened */
    ino_t inode;
    struct sluice_load *load; /* this and the rest: of the call under way; NULL: no load's */
    int64_t deadline_ms;      /* INT64_MAX: none */
    int64_t look_ms;          /* when to ask next whether the load is wanted */
    enum sqlite_stop stop;
};

static int64_t clock_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void call_begin(struct sqlite_connection *connection, struct sluice_load *load, int64_t timeout_ms)
{
    int64_t now_ms = clock_now_ms();

    connection->load = load;
    connection->stop = SQLITE_STOP_NOT;
    connection->deadline_ms =
        timeout_ms == SLUICE_NEVER || timeout_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + timeout_ms;
    connection->look_ms = now_ms + WANTED_LOOK_MS;
}

static bool call_must_stop(struct sqlite_connection *connection)
{
    int64_t now_ms = clock_now_ms();

    if (connection->stop != SQLITE_STOP_NOT)
        return true;
    if (atomic_load_explicit(&connection->closing, memory_order_relaxed)) {
        connection->stop = SQLITE_STOP_CLOSING;
    } else if (now_ms >= connection->deadline_ms) {
        connection->stop = SQLITE_STOP_TIMEOUT;
    } else if (connection->load != NULL && now_ms >= connection->look_ms) {
        connection->look_ms = now_ms + WANTED_LOOK_MS;
        if (!sluice_load_wanted(connection->load))
            connection->stop = SQLITE_STOP_UNWANTED;
    }
    return connection->stop != SQLITE_STOP_NOT;
}

/* Called by SQLite between steps of a query; not 0 breaks it off. */
static int connection_progress(void *arg)
{
    return call_must_stop(arg);
}

/* Called by SQLite when another process holds the lock; 0 gives up. */
static int connection_busy(void *arg, int tries)
{
    struct timespec pause = {.tv_nsec = (tries < BUSY_SLEEP_MS ? tries + 1 : BUSY_SLEEP_MS) * 1000000};

    if (call_must_stop(arg))
        return 0;
    nanosleep(&pause, NULL);
    return 1;
}

static void connection_close(struct sqlite_connection *connection)
{
    sqlite3_finalize(connection->query);
    sqlite3_close(connection->db);
    connection->query = NULL;
    connection->db = NULL;
}

/* What SQLite says is wrong, with the database that it is about. */
static bool fault_set_from_database(const struct sqlite_connection *connection, struct backend_fault *fault)
{
    int system_error = sqlite3_system_errno(connection->db);
    char cause[128];

    if (sqlite3_errcode(connection->db) == SQLITE_CANTOPEN && system_error != 0)
        return backend_fault_set(fault, "sqlite database \"%s\": %s: %s", connection->backend->database,
                                 sqlite3_errmsg(connection->db), strerror_r(system_error, cause, sizeof cause));
    return backend_fault_set(fault, "sqlite database \"%s\": %s", connection->backend->database,
                             sqlite3_errmsg(connection->db));
}

/* What is wrong with the query itself. */
static bool fault_set_from_query(const struct sqlite_connection *connection, const char *what,
                                 struct backend_fault *fault)
{
    return backend_fault_set(fault, "sqlite database \"%s\": the query \"%.*s\" %s", connection->backend->database,
                             QUERY_SHOWN_MAX, connection->backend->query, what);
}

/* Whether nothing but blanks, comments and semicolons follows the first statement. */
static bool tail_is_empty(struct sqlite_connection *connection, const char *tail)
{
    while (*tail != '\0') {
        const char *rest = tail;
        sqlite3_stmt *second = NULL;
        int code = sqlite3_prepare_v2(connection->db, tail, -1, &second, &rest);

        sqlite3_finalize(second);
        if (code != SQLITE_OK || second != NULL || rest == tail)
            return false;
        tail = rest;
    }
    return true;
}

static bool query_fits(struct sqlite_connection *connection, const char *tail, struct backend_fault *fault)
{
    sqlite3_stmt *query = connection->query;
    char what[128];

    if (query == NULL)
        return fault_set_from_query(connection, "is empty", fault);
    if (!tail_is_empty(connection, tail))
        return fault_set_from_query(connection, "is more than one statement", fault);
    if (!sqlite3_stmt_readonly(query))
        return fault_set_from_query(connection, "changes the database; it may only read", fault);
    if (sqlite3_bind_parameter_count(query) != 1) {
        snprintf(what, sizeof what, "has %d parameters; it has to have exactly one, the key",
                 sqlite3_bind_parameter_count(query));
        return fault_set_from_query(connection, what, fault);
    }
    if (sqlite3_column_count(query) != 1 && sqlite3_column_count(query) != 2) {
        snprintf(what, sizeof what, "gives %d columns; it has to give one, the value, or two, the value and its type",
                 sqlite3_column_count(query));
        return fault_set_from_query(connection, what, fault);
    }
    return true;
}

static bool query_prepare(struct sqlite_connection *connection, struct backend_fault *fault)
{
    const char *tail;
    char what[256];
    int code = sqlite3_prepare_v3(connection->db, connection->backend->query, -1, SQLITE_PREPARE_PERSISTENT,
                                  &connection->query, &tail);

    if (code == SQLITE_OK)
        return query_fits(connection, tail, fault);
    if (code != SQLITE_ERROR)
        return fault_set_from_database(connection, fault);
    if (sqlite3_error_offset(connection->db) < 0)
        snprintf(what, sizeof what, "is wrong: %s", sqlite3_errmsg(connection->db));
    else
        snprintf(what, sizeof what, "is wrong at byte %d: %s", sqlite3_error_offset(connection->db) + 1,
                 sqlite3_errmsg(connection->db));
    return fault_set_from_query(connection, what, fault);
}

/*
 * How large a text, a blob or a row SQLite may build; over it the load ends as one whose value is too large. It is
 * twice the largest value, which UTF-16 takes, and room for the rest of a row, the key and the schema: what must be let
 * through is, and a value that nobody will be given is not built first, up to SQLite's own limit of 1 GB.
 */
static int built_size_max(size_t value_size_max)
{
    return value_size_max > (INT_MAX - BUILT_ROOM) / 2 ? INT_MAX : (int)value_size_max * 2 + BUILT_ROOM;
}

static bool connection_open(struct sqlite_connection *connection, struct backend_fault *fault)
{
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(connection->backend->database, &connection->db, flags, NULL) != SQLITE_OK) {
        if (connection->db == NULL)
            return backend_fault_set(fault, "sqlite database \"%s\": out of memory", connection->backend->database);
        return fault_set_from_database(connection, fault);
    }
    sqlite3_limit(connection->db, SQLITE_LIMIT_LENGTH, built_size_max(connection->backend->value_size_max));
    sqlite3_busy_handler(connection->db, connection_busy, connection);
    sqlite3_progress_handler(connection->db, STEPS_PER_LOOK, connection_progress, connection);
    return query_prepare(connection, fault);
}

/* Opens the database if it is not open, or if the path names another file by now. On false it is not open. */
static bool connection_make_ready(struct sqlite_connection *connection, struct backend_fault *fault)
{
    const char *database = connection->backend->database;
    struct stat file;
    char cause[128];

    if (stat(database, &file) != 0) {
        backend_fault_set(fault, "sqlite database \"%s\": %s", database, strerror_r(errno, cause, sizeof cause));
    } else if (!S_ISREG(file.st_mode)) {
        backend_fault_set(fault, "sqlite database \"%s\": not a regular file", database);
    } else {
        if (connection->db != NULL && connection->device == file.st_dev && connection->inode == file.st_ino)
            return true;
        connection_close(connection);
        /* From before the opening: should the file be replaced in between, the next load opens once more. */
        connection->device = file.st_dev;
        connection->inode = file.st_ino;
        if (connection_open(connection, fault))
            return true;
    }
    connection_close(connection);
    return false;
}

static int query_bind(struct sqlite_connection *connection, struct sluice_load *load)
{
    const void *key = sluice_load_key(load);
    size_t size = sluice_load_key_size(load);

    /* Not copied: the query is reset before the load is ended and the key gone. */
    if (utf8_is_text(key, size))
        return sqlite3_bind_text64(connection->query, 1, key, size, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(connection->query, 1, key, size, SQLITE_STATIC);
}

/* ---- loads ------------------------------------------------------------------------------------------------------- */

static void result_set_fault(struct sqlite_result *result, const char *words)
{
    result->kind = SQLITE_RESULT_FAULT;
    backend_fault_set(&result->fault, "%s", words);
}

/* The type from the row's second column. False: it is none, or SQLite had no memory for it. */
static bool result_read_type(struct sqlite_result *result, sqlite3_stmt *query)
{
    const char *type = (const char *)sqlite3_column_text(query, 1);

    if (type == NULL || strlen(type) != (size_t)sqlite3_column_bytes(query, 1) || !backend_content_type_is_fit(type))
        return false;
    memcpy(result->content_type, type, strlen(type) + 1);
    return true;
}

/* Copies the row that the query stands at. */
static void result_read_row(struct sqlite_result *result, struct sqlite_connection *connection)
{
    sqlite3_stmt *query = connection->query;
    const void *data;
    bool has_type;

    if (sqlite3_column_type(query, 0) == SQLITE_NULL) {
        result->kind = SQLITE_RESULT_NOT_FOUND;
        return;
    }
    /* A blob as it is; text, and numbers as text, in UTF-8 whatever the database's own encoding is. */
    if (sqlite3_column_type(query, 0) == SQLITE_BLOB)
        data = sqlite3_column_blob(query, 0);
    else
        data = sqlite3_column_text(query, 0);
    result->size = (size_t)sqlite3_column_bytes(query, 0);
    if (result->size > connection->backend->value_size_max) {
        result->kind = SQLITE_RESULT_TOO_LARGE;
        return;
    }
    if (result->size > 0 && data != NULL) {
        result->data = malloc(result->size);
        if (result->data != NULL)
            memcpy(result->data, data, result->size);
    }
    has_type = sqlite3_column_count(query) > 1 && sqlite3_column_type(query, 1) != SQLITE_NULL;
    result->kind = SQLITE_RESULT_VALUE;
    if (has_type && !result_read_type(result, query))
        result_set_fault(result, "the query's second column is not a media type");
    if (sqlite3_errcode(connection->db) == SQLITE_NOMEM || (result->size > 0 && result->data == NULL))
        result_set_fault(result, "sqlite: out of memory");
}

/* Whether another try with the same connection would be in vain: the file itself is at fault. */
static bool error_is_of_file(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
        return true;
    default:
        return false;
    }
}

static void connection_query(struct sqlite_connection *connection, struct sluice_load *load,
                             struct sqlite_result *result)
{
    int code;

    result->kind = SQLITE_RESULT_FAULT;
    if (!connection_make_ready(connection, &result->fault))
        return;
    code = query_bind(connection, load);
    if (code == SQLITE_OK)
        code = sqlite3_step(connection->query);
    if (code == SQLITE_ROW)
        result_read_row(result, connection);
    else if (code == SQLITE_DONE)
        result->kind = SQLITE_RESULT_NOT_FOUND;
    else if (code == SQLITE_TOOBIG)
        result->kind = SQLITE_RESULT_TOO_LARGE;
    else
        fault_set_from_database(connection, &result->fault);
    /* Ends the read transaction too: nothing of the database is locked between loads. */
    sqlite3_reset(connection->query);
    sqlite3_clear_bindings(connection->query);
    if (error_is_of_file(code))
        connection_close(connection);
}

void sqlite_connection_query(struct sqlite_connection *connection, struct sluice_load *load,
                             struct sqlite_result *result)
{
    call_begin(connection, load, connection->backend->timeout_ms);
    connection_query(connection, load, result);
    result->stop = connection->stop;
    connection->load = NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct sqlite_connection *sqlite_connection_create(const struct sqlite_backend *backend, struct backend_fault *fault)
{
    struct sqlite_connection *connection;

    if (sqlite3_threadsafe() == 0) {
        backend_fault_set(fault, "sqlite: this build of SQLite can't be used by threads");
        return NULL;
    }
    connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        backend_fault_set(fault, "sqlite: out of memory");
        return NULL;
    }
    connection->backend = backend;
    atomic_init(&connection->closing, false);
    call_begin(connection, NULL, backend->timeout_ms == SLUICE_NEVER ? OPEN_TIMEOUT_MS : backend->timeout_ms);
    if (connection_make_ready(connection, fault))
        return connection;
    free(connection);
    return NULL;
}

void sqlite_connection_destroy(struct sqlite_connection *connection)
{
    connection_close(connection);
    free(connection);
}

/* Not sqlite3_interrupt(): that is without effect on a query that is only about to begin. */
void sqlite_connection_interrupt(struct sqlite_connection *connection)
{
    atomic_store_explicit(&connection->closing, true, memory_order_relaxed);
}
