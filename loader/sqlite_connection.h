/* SPDX-License-Identifier: MIT */
/*
 * sqlite_connection.h: one thread's connection to the database of the sqlite backend, and what a query on it comes to.
 * Opens the database anew where its file was replaced or damaged; breaks off what takes too long.
 *
 * May be used by: sqlite.c. A connection belongs to one thread; sqlite_connection_interrupt() is for any.
 */
#ifndef LOADER_SQLITE_CONNECTION_H
#define LOADER_SQLITE_CONNECTION_H

#include "backend.h"

struct sqlite_backend {
    char *database;
    char *query;
    char *content_type; /* or NULL */
    size_t value_size_max;
    int64_t timeout_ms;
};

/* Why a call had to end before it was done. */
enum sqlite_stop { SQLITE_STOP_NOT, SQLITE_STOP_TIMEOUT, SQLITE_STOP_UNWANTED, SQLITE_STOP_CLOSING };

enum sqlite_result_kind { SQLITE_RESULT_VALUE, SQLITE_RESULT_NOT_FOUND, SQLITE_RESULT_TOO_LARGE, SQLITE_RESULT_FAULT };

#define SQLITE_CONTENT_TYPE_MAX 255 /* bytes: backend_content_type_is_fit() */

/*
 * A copy, so that the query can be reset before the load is ended: whom the load's end is told may take his time, and
 * the database must not stay locked for it.
 */
struct sqlite_result {
    enum sqlite_result_kind kind;
    enum sqlite_stop stop; /* of a fault */
    void *data;            /* of a value, for the caller to free; NULL: empty */
    size_t size;
    char content_type[SQLITE_CONTENT_TYPE_MAX + 1]; /* "": none of the row's own */
    struct backend_fault fault;
};

struct sqlite_connection;

/* Opens the database and prepares the query. `backend` must outlive it. NULL: `fault` says why. */
struct sqlite_connection *sqlite_connection_create(const struct sqlite_backend *backend, struct backend_fault *fault);
void sqlite_connection_destroy(struct sqlite_connection *connection);

/* Runs the query for the load's key, and does not end the load. `result` is zero before. Nothing is locked after it. */
void sqlite_connection_query(struct sqlite_connection *connection, struct sluice_load *load,
                             struct sqlite_result *result);

/* Breaks off the query that runs and all that come. Any thread. */
void sqlite_connection_interrupt(struct sqlite_connection *connection);

#endif
