/* SPDX-License-Identifier: MIT */
/*
 * sqlite.h: loads values with one query of a SQLite database, opened read-only, on a bounded pool of threads with a
 * connection each. The key is bound as the query's one parameter, never pasted: as text where it is valid UTF-8 without
 * a NUL, else as a blob. The first row's first column is the value (a second one, if there is, its media type); no row
 * or NULL is not-found.
 *
 * The row is copied and the query reset before the load is ended: whoever is told of it finds the database free.
 *
 * No text, blob or row that a query reads or builds, whether it becomes the value or not, may be larger than twice
 * value_size_max and 1 MiB: that load ends with SLUICE_VALUE_TOO_LARGE, and SQLite takes no more memory for it. The key
 * is within that for caches with the usual limits; the query's text has SQLite's own limit, which is far away.
 *
 * A query that runs out of time, or whose result nobody waits for any more, is broken off. When the path comes to name
 * another file, or the file was found to be damaged, the next load opens it anew; what is wrong with it then is the
 * reason of that load's failure.
 */
#ifndef LOADER_SQLITE_H
#define LOADER_SQLITE_H

#include "backend.h"

struct sqlite_backend_options {
    const char *database;     /* path */
    const char *query;        /* one statement, read-only, with exactly one parameter and one or two columns */
    const char *content_type; /* media type of the values, or NULL */
    size_t max_concurrent;    /* threads and connections; at least 1 */
    size_t queue_max;         /* loads that wait for one; over it they are refused */
    size_t value_size_max;    /* bytes: the cache's own; over it the load ends with SLUICE_VALUE_TOO_LARGE */
    int64_t timeout_ms;       /* of one query, waits for a locked database included; SLUICE_NEVER for none */
};

/*
 * Opens the database, prepares the query on each connection, starts the threads. `options` is copied. On false `fault`
 * says what is wrong: no such file, not a database, the query's error with its place, its number of parameters.
 */
bool sqlite_backend_create(const struct sqlite_backend_options *options, struct backend *backend,
                           struct backend_fault *fault);

#endif
