/* SPDX-License-Identifier: MIT */
/*
 * sqlite_fault_test.c: the sqlite backend with options, databases and queries that are wrong: each gets its own words,
 * and the next load goes well again.
 */
#include "sqlite_fixture.h"

#include "loader_fault.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what can't be made ------------------------------------------------------------------------------------------ */

static void wrong_options_are_refused_with_words_for_each(void **state)
{
    struct sqlite_fixture *fixture = *state;
    const struct sqlite_backend_options good = fixture->options;

#define EXPECT_FAULT(field, value, words)                                                                              \
    (fixture->options = good, fixture->options.field = (value), sqlite_fixture_expect_fault(fixture, words))
    EXPECT_FAULT(database, NULL, "sqlite: no database is named");
    EXPECT_FAULT(database, "", "sqlite: no database is named");
    EXPECT_FAULT(query, NULL, "there is no query");
    EXPECT_FAULT(content_type, "", "content_type is not a media type");
    EXPECT_FAULT(content_type, "a\nb", "content_type is not a media type");
    EXPECT_FAULT(timeout_ms, 0, "timeout is 0 ms, it has to be 1 at least");
    EXPECT_FAULT(timeout_ms, -7, "timeout is -7 ms, it has to be 1 at least");
    EXPECT_FAULT(max_concurrent, 0, "sqlite: max_concurrent is 0");
    EXPECT_FAULT(queue_max, SIZE_MAX, "sqlite: queue_max is 18446744073709551615");
#undef EXPECT_FAULT
}

static void what_is_no_database_is_refused_with_words_for_each(void **state)
{
    struct sqlite_fixture *fixture = *state;
    char path[LOADER_PATH_MAX];

    fixture->options.database = path;
    loader_path(&fixture->loader, "missing", path);
    sqlite_fixture_expect_fault(fixture, "/missing\": No such file or directory");
    assert_int_not_equal(access(path, F_OK), 0); /* nor was it made */
    loader_path(&fixture->loader, "database/below", path);
    sqlite_fixture_expect_fault(fixture, "/database/below\": Not a directory");

    loader_make_directory(&fixture->loader, "directory");
    loader_path(&fixture->loader, "directory", path);
    sqlite_fixture_expect_fault(fixture, "/directory\": not a regular file");

    loader_path(&fixture->loader, "pipe", path);
    assert_int_equal(mkfifo(path, 0644), 0);
    sqlite_fixture_expect_fault(fixture, "/pipe\": not a regular file");

    loader_write_text(&fixture->loader, "rubbish",
                      "This is no database, and it is long enough to see that it is none.");
    loader_path(&fixture->loader, "rubbish", path);
    sqlite_fixture_expect_fault(fixture, "/rubbish\": file is not a database");

    loader_write_text(&fixture->loader, "empty", "");
    loader_path(&fixture->loader, "empty", path);
    sqlite_fixture_expect_fault(fixture, "no such table: data");
}

static void a_database_that_may_not_be_read_is_refused(void **state)
{
    struct sqlite_fixture *fixture = *state;

    assert_int_equal(chmod(fixture->database, 0), 0);
    loader_be_nobody(true);
    sqlite_fixture_expect_fault(fixture, "unable to open database file: Permission denied");
}

static void a_wrong_query_is_refused_with_what_is_wrong_and_where(void **state)
{
    static const struct {
        const char *query;
        const char *words;
    } CASES[] = {
        {"SELECT value FROM nowhere WHERE key = ?", "is wrong: no such table: nowhere"},
        {"SELECT price FROM data WHERE key = ?", "is wrong at byte 8: no such column: price"},
        {"SELEC value", "is wrong at byte 1: near \"SELEC\": syntax error"},
        {"SELECT value FROM data WHERE key = ? AND", "is wrong: incomplete input"},
        {"SELECT unheard_of(?)", "is wrong at byte 8: no such function: unheard_of"},
        {"", "is empty"},
        {" -- nothing", "is empty"},
        {"SELECT value FROM data", "has 0 parameters; it has to have exactly one, the key"},
        {"SELECT value FROM data WHERE key IN (?, ?)", "has 2 parameters; it has to have exactly one, the key"},
        {"SELECT ?, ?, ?", "has 3 parameters"},
        {"SELECT key, value, type FROM data WHERE key = ?", "gives 3 columns; it has to give one, the value, or two"},
        {"SELECT * FROM data WHERE key = ?", "gives 3 columns"},
        {"SELECT ?; SELECT 1", "is more than one statement"},
        {"SELECT ?; DROP TABLE data", "is more than one statement"},
        {"SELECT ?; ; rubbish", "is more than one statement"},
        {"SELECT '\xc3\xa9' || ? ||", "is wrong: incomplete input"},
    };
    struct sqlite_fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        fixture->options.query = CASES[i].query;
        sqlite_fixture_expect_fault(fixture, CASES[i].words);
    }
}

static void a_query_that_writes_is_refused(void **state)
{
    static const char *const QUERIES[] = {
        "INSERT INTO data (key) VALUES (?) RETURNING key",
        "UPDATE data SET value = ? RETURNING value",
        "DELETE FROM data WHERE key = ? RETURNING value",
        "DELETE FROM data WHERE key = ?",
        "REPLACE INTO data (key) VALUES (?)",
        "DROP TABLE data",
        "CREATE TABLE more (key)",
        "PRAGMA user_version = 7",
        "VACUUM",
        "BEGIN IMMEDIATE",
    };
    struct sqlite_fixture *fixture = *state;
    char path[LOADER_PATH_MAX], query[LOADER_PATH_MAX + 32];

    sqlite_fixture_insert(fixture, "k", "v");
    for (size_t i = 0; i < COUNT_OF(QUERIES); i++) {
        fixture->options.query = QUERIES[i];
        sqlite_fixture_expect_fault(fixture, "changes the database; it may only read");
    }
    /* Which would make a file; the place of the key is not what keeps it from that. */
    loader_path(&fixture->loader, "attached", path);
    snprintf(query, sizeof query, "ATTACH '%s' AS ?", path);
    fixture->options.query = query;
    sqlite_fixture_expect_fault(fixture, "the query \"ATTACH");
    assert_int_not_equal(access(path, F_OK), 0);
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect(&fixture->loader, "k", "v");
}

static bool make_backend(void *fixture, struct backend *backend, struct backend_fault *fault)
{
    return sqlite_backend_create(&((struct sqlite_fixture *)fixture)->options, backend, fault);
}

static void rule_20_a_backend_that_gets_no_memory_says_so_and_leaves_nothing(void **state)
{
    struct sqlite_fixture *fixture = *state;

    fixture->options.content_type = "text/plain";
    loader_expect_no_memory(make_backend, fixture, "sqlite: out of memory", 8);
}

/* ---- loads that fail --------------------------------------------------------------------------------------------- */

static void a_query_that_fails_at_some_keys_fails_for_those_alone(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_open(fixture, "SELECT CASE ?1 WHEN 'bad' THEN abs(-9223372036854775807 - length('a')) ELSE ?1 END");
    loader_expect_error(&fixture->loader, "bad", SLUICE_LOAD_FAILED, "/database\": integer overflow");
    loader_expect(&fixture->loader, "good", "good");
    loader_expect_error(&fixture->loader, "bad", SLUICE_LOAD_FAILED, "integer overflow");
}

static void a_table_that_goes_away_is_a_failure_until_it_is_back(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_insert(fixture, "k", "v");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    sqlite_fixture_run(fixture, "ALTER TABLE data RENAME TO away");
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "no such table: data");
    sqlite_fixture_run(fixture, "ALTER TABLE away RENAME TO data");
    loader_expect(&fixture->loader, "k", "v");
}

static void rule_20_a_load_that_sqlite_has_no_memory_for_is_a_failure(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_open(fixture, "SELECT CASE ?1 WHEN 'large' THEN length(randomblob(4000000)) ELSE ?1 END");
    loader_expect(&fixture->loader, "large", "4000000");
    loader_forget(&fixture->loader, "large");
    AWAIT(loader_stats(&fixture->loader).running == 0); /* what the first one took is given back by then */
    assert_true(sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1000000) >= 0);
    loader_expect_error(&fixture->loader, "large", SLUICE_LOAD_FAILED, "out of memory");
    loader_expect(&fixture->loader, "small", "small");
    sqlite3_hard_heap_limit64(0);
    loader_expect(&fixture->loader, "large", "4000000");
}

/* ---- another file ------------------------------------------------------------------------------------------------ */

static void move_other_into_place(struct sqlite_fixture *fixture)
{
    char path[LOADER_PATH_MAX];

    loader_path(&fixture->loader, "other", path);
    assert_int_equal(rename(path, fixture->database), 0);
}

static void a_database_that_is_replaced_is_opened_anew(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_insert(fixture, "k", "old");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect(&fixture->loader, "k", "old");
    sqlite_fixture_make_other(fixture, "other", "k", "new");
    move_other_into_place(fixture);
    loader_forget(&fixture->loader, "k");
    loader_expect(&fixture->loader, "k", "new");
}

static void a_database_that_is_taken_away_is_a_failure_until_it_is_back(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_open(fixture, VALUE_QUERY);
    assert_int_equal(unlink(fixture->database), 0);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "/database\": No such file or directory");
    assert_int_equal(mkfifo(fixture->database, 0644), 0);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "/database\": not a regular file");
    sqlite_fixture_make_other(fixture, "other", "k", "back");
    move_other_into_place(fixture);
    loader_expect(&fixture->loader, "k", "back");
}

static void a_database_that_is_overwritten_is_a_failure_until_it_is_replaced(void **state)
{
    struct sqlite_fixture *fixture = *state;
    char rubbish[8192];

    sqlite_fixture_insert(fixture, "k", "v");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect(&fixture->loader, "k", "v");
    loader_forget(&fixture->loader, "k");
    memset(rubbish, 'x', sizeof rubbish);
    loader_write(&fixture->loader, "database", rubbish, sizeof rubbish);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "file is not a database");
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "file is not a database");
    sqlite_fixture_make_other(fixture, "other", "k", "mended");
    move_other_into_place(fixture);
    loader_expect(&fixture->loader, "k", "mended");
}

/* As cp does it, and as a copy that broke off leaves it: the file stays the same one. */
static void a_database_that_is_overwritten_with_a_good_one_is_well_again(void **state)
{
    struct sqlite_fixture *fixture = *state;
    char path[LOADER_PATH_MAX], good[65536];
    size_t size;
    FILE *file;

    sqlite_fixture_make_other(fixture, "other", "k", "copied");
    loader_path(&fixture->loader, "other", path);
    file = fopen(path, "re");
    assert_non_null(file);
    size = fread(good, 1, sizeof good, file);
    assert_int_equal(fclose(file), 0);
    assert_in_range(size, 4096, sizeof good - 1);

    sqlite_fixture_insert(fixture, "k", "v");
    fixture->options.max_concurrent = 1;
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect(&fixture->loader, "k", "v");
    loader_forget(&fixture->loader, "k");
    loader_write(&fixture->loader, "database", good, 1000);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, NULL);
    loader_write(&fixture->loader, "database", good, size);
    loader_expect(&fixture->loader, "k", "copied");
}

static void a_database_without_the_table_put_in_its_place_is_a_failure_until_it_has_it(void **state)
{
    struct sqlite_fixture *fixture = *state;
    char path[LOADER_PATH_MAX];

    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_write_text(&fixture->loader, "empty", "");
    loader_path(&fixture->loader, "empty", path);
    assert_int_equal(rename(path, fixture->database), 0);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "no such table: data");
    sqlite_fixture_make_other(fixture, "database", "k", "v");
    loader_expect(&fixture->loader, "k", "v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(wrong_options_are_refused_with_words_for_each),
        SQLITE_TEST(what_is_no_database_is_refused_with_words_for_each),
        SQLITE_TEST(a_database_that_may_not_be_read_is_refused),
        SQLITE_TEST(a_wrong_query_is_refused_with_what_is_wrong_and_where),
        SQLITE_TEST(a_query_that_writes_is_refused),
        SQLITE_TEST(rule_20_a_backend_that_gets_no_memory_says_so_and_leaves_nothing),
        SQLITE_TEST(a_query_that_fails_at_some_keys_fails_for_those_alone),
        SQLITE_TEST(a_table_that_goes_away_is_a_failure_until_it_is_back),
        SQLITE_TEST(rule_20_a_load_that_sqlite_has_no_memory_for_is_a_failure),
        SQLITE_TEST(a_database_that_is_replaced_is_opened_anew),
        SQLITE_TEST(a_database_that_is_taken_away_is_a_failure_until_it_is_back),
        SQLITE_TEST(a_database_that_is_overwritten_is_a_failure_until_it_is_replaced),
        SQLITE_TEST(a_database_that_is_overwritten_with_a_good_one_is_well_again),
        SQLITE_TEST(a_database_without_the_table_put_in_its_place_is_a_failure_until_it_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
