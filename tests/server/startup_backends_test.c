/* SPDX-License-Identifier: MIT */
/*
 * startup_backends_test.c: a backend that can't work is found at the start, not by the first request: the log names the
 * cache and what is wrong, and nothing is served.
 */
#include "startup.h"
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>

#define ANYWHERE "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n"

/* ---- file -------------------------------------------------------------------------------------------------------- */

/* Tries a cache on that entry of the scratch directory. */
static void try_directory(struct startup *startup, enum process_user user, const char *name)
{
    startup_try(startup, user, ANYWHERE "cache \"pages\" { file { directory = \"%s/%s\" } }\n",
                startup->scratch.directory, name);
}

static void a_directory_that_is_not_there_is_named(void **state)
{
    struct startup *startup = *state;

    try_directory(startup, PROCESS_SAME, "pages");
    startup_expect_failure(startup,
                           "cache \"pages\": the directory \"%s/pages\" can't be opened: No such file or "
                           "directory",
                           startup->scratch.directory);
}

static void a_directory_that_is_none_is_named(void **state)
{
    struct startup *startup = *state;

    scratch_write_text(&startup->scratch, "pages", "a file");
    try_directory(startup, PROCESS_SAME, "pages");
    startup_expect_failure(startup, "cache \"pages\": the directory \"%s/pages\" can't be opened: Not a directory",
                           startup->scratch.directory);
}

static void a_directory_that_may_not_be_entered_is_named(void **state)
{
    struct startup *startup = *state;
    enum process_user user = startup_user_without_rights(startup);
    char path[SCRATCH_PATH_MAX];

    scratch_make_directory(&startup->scratch, "pages");
    scratch_path(&startup->scratch, "pages", path);
    assert_return_code(chmod(path, 0444), errno);
    try_directory(startup, user, "pages");
    startup_expect_failure(startup, "cache \"pages\": no file can be opened beneath \"%s\": Permission denied", path);
    assert_return_code(chmod(path, 0700), errno);
}

/* ---- sqlite ------------------------------------------------------------------------------------------------------ */

/* Makes the database "names.db" in the scratch directory, with a table t of id and name. */
static void make_database(struct startup *startup)
{
    char path[SCRATCH_PATH_MAX];
    sqlite3 *db;

    scratch_path(&startup->scratch, "names.db", path);
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, "CREATE TABLE t (id TEXT, name TEXT)", NULL, NULL, NULL));
    assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

/* Tries a cache on that database with that query. */
static void try_query(struct startup *startup, enum process_user user, const char *query)
{
    startup_try(startup, user, ANYWHERE "cache \"names\" { sqlite { database = \"%s/names.db\" query = \"%s\" } }\n",
                startup->scratch.directory, query);
}

static void a_database_that_is_not_there_is_named(void **state)
{
    struct startup *startup = *state;
    char path[SCRATCH_PATH_MAX];
    struct stat status;

    scratch_path(&startup->scratch, "names.db", path);
    try_query(startup, PROCESS_SAME, "SELECT name FROM t WHERE id = ?");
    startup_expect_failure(startup, "cache \"names\": sqlite database \"%s\": No such file or directory", path);
    assert_int_equal(-1, lstat(path, &status)); /* it was not made either */
}

static void a_file_that_is_no_database_is_named(void **state)
{
    struct startup *startup = *state;

    scratch_write_text(&startup->scratch, "names.db", "this has never been a database, and it is no empty file");
    try_query(startup, PROCESS_SAME, "SELECT name FROM t WHERE id = ?");
    startup_expect_failure(startup, "cache \"names\": sqlite database \"%s/names.db\": file is not a database",
                           startup->scratch.directory);
}

static void a_database_that_may_not_be_read_is_named(void **state)
{
    struct startup *startup = *state;
    enum process_user user = startup_user_without_rights(startup);
    char path[SCRATCH_PATH_MAX];

    make_database(startup);
    scratch_path(&startup->scratch, "names.db", path);
    assert_return_code(chmod(path, 0), errno);
    try_query(startup, user, "SELECT name FROM t WHERE id = ?");
    startup_expect_failure(startup,
                           "cache \"names\": sqlite database \"%s\": unable to open database file: Permission "
                           "denied",
                           path);
}

static void a_query_that_can_t_be_run_is_told_with_its_place(void **state)
{
    static const struct {
        const char *query;
        const char *wrong;
    } cases[] = {
        {"SELECT name FROM nowhere WHERE id = ?", "is wrong: no such table: nowhere"},
        {"SELECT colour FROM t WHERE id = ?", "is wrong at byte 8: no such column: colour"},
        {"SELEKT name FROM t WHERE id = ?", "is wrong at byte 1: near \"SELEKT\": syntax error"},
        {"SELECT name FROM t WHERE id = (?", "is wrong: incomplete input"},
        {"SELECT name FROM t", "has 0 parameters; it has to have exactly one, the key"},
        {"SELECT name FROM t WHERE id = ? OR name = ?", "has 2 parameters; it has to have exactly one, the key"},
        {"SELECT name, id, name FROM t WHERE id = ?", "gives 3 columns; it has to give one"},
        {"SELECT name FROM t WHERE id = ?; SELECT 1", "is more than one statement"},
        {"DELETE FROM t WHERE id = ?", "changes the database; it may only read"},
        {"-- nothing", "is empty"},
    };
    struct startup *startup = *state;

    make_database(startup);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        try_query(startup, PROCESS_SAME, cases[i].query);
        startup_expect_failure(startup, "cache \"names\": sqlite database \"%s/names.db\": the query \"%s\" %s",
                               startup->scratch.directory, cases[i].query, cases[i].wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTUP_TEST(a_directory_that_is_not_there_is_named),
        STARTUP_TEST(a_directory_that_is_none_is_named),
        STARTUP_TEST(a_directory_that_may_not_be_entered_is_named),
        STARTUP_TEST(a_database_that_is_not_there_is_named),
        STARTUP_TEST(a_file_that_is_no_database_is_named),
        STARTUP_TEST(a_database_that_may_not_be_read_is_named),
        STARTUP_TEST(a_query_that_can_t_be_run_is_told_with_its_place),
    };

    return cmocka_run_group_tests_name("startup_backends", tests, NULL, NULL);
}
