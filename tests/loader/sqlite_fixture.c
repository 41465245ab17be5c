/* SPDX-License-Identifier: MIT */
/* sqlite_fixture.c: see sqlite_fixture.h. */
#include "sqlite_fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char SCHEMA[] = "CREATE TABLE data (key PRIMARY KEY, value, type)";

/* ---- functions of the database ----------------------------------------------------------------------------------- */

/* SQLite knows functions that every connection gets for the process as a whole: so there is one gate. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool open;
    size_t waiting;
    size_t waiting_max;
    size_t marks;
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

static void gate_function(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    pthread_mutex_lock(&gate.mutex);
    gate.waiting++;
    if (gate.waiting > gate.waiting_max)
        gate.waiting_max = gate.waiting;
    while (!gate.open)
        pthread_cond_wait(&gate.opened, &gate.mutex);
    gate.waiting--;
    pthread_mutex_unlock(&gate.mutex);
    sqlite3_result_value(context, arguments[0]);
}

static void mark_function(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    (void)arguments;
    pthread_mutex_lock(&gate.mutex);
    gate.marks++;
    pthread_mutex_unlock(&gate.mutex);
    sqlite3_result_int(context, 1);
}

/* Called by SQLite for each connection that is opened. */
static int add_functions(sqlite3 *db, char **message, const struct sqlite3_api_routines *routines)
{
    int code = sqlite3_create_function(db, "gate", 1, SQLITE_UTF8, NULL, gate_function, NULL, NULL);

    (void)message;
    (void)routines;
    if (code == SQLITE_OK)
        code = sqlite3_create_function(db, "mark", 0, SQLITE_UTF8, NULL, mark_function, NULL, NULL);
    return code;
}

static void gate_set(bool open)
{
    pthread_mutex_lock(&gate.mutex);
    gate.open = open;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.mutex);
}

void sqlite_gate_open(void)
{
    gate_set(true);
}

static size_t gate_read(const size_t *number)
{
    size_t value;

    pthread_mutex_lock(&gate.mutex);
    value = *number;
    pthread_mutex_unlock(&gate.mutex);
    return value;
}

size_t sqlite_gate_waiting(void)
{
    return gate_read(&gate.waiting);
}

size_t sqlite_gate_waiting_max(void)
{
    return gate_read(&gate.waiting_max);
}

size_t sqlite_marks(void)
{
    return gate_read(&gate.marks);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int sqlite_fixture_setup(void **state)
{
    struct sqlite_fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    assert_int_equal(sqlite3_auto_extension((void (*)(void))add_functions), SQLITE_OK);
    gate_set(false);
    gate.waiting_max = 0;
    gate.marks = 0;
    loader_fixture_init(&fixture->loader);
    loader_path(&fixture->loader, "database", fixture->database);
    fixture->options = (struct sqlite_backend_options){
        .database = fixture->database,
        .query = VALUE_QUERY,
        .max_concurrent = 2,
        .queue_max = 8,
        .value_size_max = fixture->loader.cache_options.value_size_max,
        .timeout_ms = SLUICE_NEVER,
    };
    assert_int_equal(sqlite3_open(fixture->database, &fixture->writer), SQLITE_OK);
    /* A test writes while loads run. */
    sqlite3_busy_timeout(fixture->writer, AWAIT_MS_MAX);
    sqlite_fixture_run(fixture, "PRAGMA synchronous = OFF");
    sqlite_fixture_run(fixture, SCHEMA);
    *state = fixture;
    return 0;
}

int sqlite_fixture_teardown(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_gate_open();
    loader_fixture_close(&fixture->loader);
    assert_int_equal(sqlite3_close(fixture->writer), SQLITE_OK);
    loader_fixture_fini(&fixture->loader);
    free(fixture);
    return 0;
}

void sqlite_fixture_open(struct sqlite_fixture *fixture, const char *query)
{
    struct backend_fault fault;

    fixture->options.query = query;
    if (!sqlite_backend_create(&fixture->options, &fixture->loader.backend, &fault))
        fail_msg("%s", fault.text);
    assert_string_equal(fixture->loader.backend.kind, "sqlite");
    loader_fixture_open(&fixture->loader);
}

void sqlite_fixture_expect_fault(struct sqlite_fixture *fixture, const char *words)
{
    struct backend backend = {0};
    struct backend_fault fault = {""};

    if (sqlite_backend_create(&fixture->options, &backend, &fault)) {
        backend.destroy(backend.self);
        fail_msg("taken, where this was to be said: %s", words);
    }
    assert_null(backend.kind);
    if (strstr(fault.text, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, fault.text);
}

/* ---- the database ------------------------------------------------------------------------------------------------ */

static void run(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static void insert(sqlite3 *db, const char *key, const char *value)
{
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO data (key, value) VALUES (?, ?)", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
}

void sqlite_fixture_run(struct sqlite_fixture *fixture, const char *sql)
{
    run(fixture->writer, sql);
}

void sqlite_fixture_insert(struct sqlite_fixture *fixture, const char *key, const char *value)
{
    insert(fixture->writer, key, value);
}

void sqlite_fixture_make_other(struct sqlite_fixture *fixture, const char *name, const char *key, const char *value)
{
    char path[LOADER_PATH_MAX];
    sqlite3 *db;

    loader_path(&fixture->loader, name, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    run(db, SCHEMA);
    insert(db, key, value);
    sqlite3_close(db);
}
