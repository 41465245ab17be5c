/* SPDX-License-Identifier: MIT */
/*
 * sqlite_fixture.h: what the tests of the sqlite backend start from: a database with one table, a connection that may
 * write, and two SQL functions by which a test sees into a query that runs in the backend:
 *
 *     gate(x)   stands at a gate until the test opens it; then it is x
 *     mark()    counts that it was called; then it is 1
 *
 * The functions here assert: for the thread that runs the tests.
 */
#ifndef TESTS_LOADER_SQLITE_FIXTURE_H
#define TESTS_LOADER_SQLITE_FIXTURE_H

#include "loader_fixture.h"
#include "sqlite.h"

#include <sqlite3.h>

/* A query for most tests, and one that never ends for the key "endless" and gives any other key back. */
#define VALUE_QUERY "SELECT value FROM data WHERE key = ?"
#define ENDLESS_QUERY                                                                                                  \
    "SELECT CASE ?1 WHEN 'endless' THEN (WITH RECURSIVE n(x) AS (SELECT mark() UNION ALL SELECT x + 1 FROM n)"         \
    " SELECT count(*) FROM n) ELSE ?1 END"

struct sqlite_fixture {
    struct loader_fixture loader;
    char database[LOADER_PATH_MAX];        /* a table data with the columns key, value and type, empty */
    struct sqlite_backend_options options; /* to be changed before sqlite_fixture_open() */
    sqlite3 *writer;                       /* a connection of the test's own to the database */
};

int sqlite_fixture_setup(void **state);
int sqlite_fixture_teardown(void **state);

#define SQLITE_TEST(test) cmocka_unit_test_setup_teardown(test, sqlite_fixture_setup, sqlite_fixture_teardown)

/* Makes backend and cache, with this query. */
void sqlite_fixture_open(struct sqlite_fixture *fixture, const char *query);

/* The backend can't be made, and these words are in the fault. */
void sqlite_fixture_expect_fault(struct sqlite_fixture *fixture, const char *words);

/* Runs SQL on the writer. */
void sqlite_fixture_run(struct sqlite_fixture *fixture, const char *sql);

/* Puts a row into data whose key is bound as text; the value is text too. */
void sqlite_fixture_insert(struct sqlite_fixture *fixture, const char *key, const char *value);

/* Makes a database of this name beside the other, with the same table and one row. */
void sqlite_fixture_make_other(struct sqlite_fixture *fixture, const char *name, const char *key, const char *value);

/* The gate is shut when a test begins. How many stand at it now; the most so far; calls of mark(). Any thread. */
void sqlite_gate_open(void);
size_t sqlite_gate_waiting(void);
size_t sqlite_gate_waiting_max(void);
size_t sqlite_marks(void);

#endif
