/* SPDX-License-Identifier: MIT */
/* sqlite_test.c: the sqlite backend with a database that is well: how the key goes in, and what each row becomes. */
#include "sqlite_fixture.h"

#include <stdio.h>
#include <string.h>

/* ---- the key ----------------------------------------------------------------------------------------------------- */

static void the_key_is_bound_and_never_pasted(void **state)
{
    static const char *const KEYS[] = {
        "plain",    "' OR '1'='1", "'; DROP TABLE data; --",
        "\"",       "?1",          "%",
        "_",        "a\nb",        "\\' OR 1;",
        "NULL",     "x'00'",       "--",
        "\xc3\xa9", "?; SELECT 1", ":key*",
        " ",
    };
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_open(fixture, VALUE_QUERY);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        loader_expect_error(&fixture->loader, KEYS[i], SLUICE_NOT_FOUND, NULL);
        sqlite_fixture_insert(fixture, KEYS[i], KEYS[i]);
        loader_expect(&fixture->loader, KEYS[i], KEYS[i]);
    }
}

static void a_key_is_text_where_it_is_utf8_without_a_nul_and_else_a_blob(void **state)
{
    static const struct {
        const char *key;
        size_t size;
        const char *seen;
    } CASES[] = {
        {"a", 1, "text 61"},
        {"12", 2, "text 3132"}, /* no number */
        {"\xc3\xa9", 2, "text C3A9"},
        {"\xf0\x9f\x98\x80", 4, "text F09F9880"},
        {"\xff", 1, "blob FF"},
        {"a\0b", 3, "blob 610062"},
        {"\0", 1, "blob 00"},
        {"\xe2\x82", 2, "blob E282"},              /* cut off */
        {"\xc0\xaf", 2, "blob C0AF"},              /* not the shortest form */
        {"\xed\xa0\x80", 3, "blob EDA080"},        /* a surrogate */
        {"\xf4\x90\x80\x80", 4, "blob F4908080"},  /* past the last character */
        {"\xc3\xa9\xc3", 3, "blob C3A9C3"},        /* all of it, not what begins well */
        {"a\xe2\x82\xac\0", 5, "blob 61E282AC00"}, /* a NUL at the end is part of the key */
        {"\xef\xbb\xbf"
         "a",
         4, "text EFBBBF61"}, /* a byte order mark is left alone */
    };
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_open(fixture, "SELECT typeof(?1) || ' ' || hex(?1)");
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        loader_expect_bytes(&fixture->loader, CASES[i].key, CASES[i].size, CASES[i].seen, strlen(CASES[i].seen));
}

static void a_blob_key_finds_the_row_of_that_blob(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_run(fixture, "INSERT INTO data (key, value) VALUES (x'00ff', 'blob'), (x'6b', 'blob k')");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect_bytes(&fixture->loader, "\0\xff", 2, "blob", 4);
    loader_expect_error(&fixture->loader, "k", SLUICE_NOT_FOUND, NULL); /* the text: another key to SQLite */
}

static void the_parameter_may_have_a_name_and_stand_in_more_than_one_place(void **state)
{
    static const char *const QUERIES[] = {"SELECT ?", "SELECT ?1 WHERE ?1 = ?1", "SELECT :key WHERE :key <> ''",
                                          "SELECT @key", "SELECT $key"};
    struct sqlite_fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(QUERIES); i++) {
        sqlite_fixture_open(fixture, QUERIES[i]);
        loader_expect(&fixture->loader, "k", "k");
        loader_fixture_close(&fixture->loader);
    }
}

static void blanks_comments_and_semicolons_after_the_query_are_no_statement(void **state)
{
    static const char *const QUERIES[] = {"SELECT ?;", "SELECT ? ; ; ", "SELECT ?; -- the end", "/* a */ SELECT ?;\n\n",
                                          "SELECT ?; /* b */ ;"};
    struct sqlite_fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(QUERIES); i++) {
        sqlite_fixture_open(fixture, QUERIES[i]);
        loader_expect(&fixture->loader, "k", "k");
        loader_fixture_close(&fixture->loader);
    }
}

/* ---- the value --------------------------------------------------------------------------------------------------- */

static void every_type_of_value_has_its_bytes(void **state)
{
    static const struct {
        const char *literal;
        const char *bytes;
        size_t size;
    } CASES[] = {
        {"'text'", "text", 4},
        {"''", "", 0},
        {"CAST(x'610062' AS TEXT)", "a\0b", 3},
        {"x'00ff00'", "\0\xff\0", 3},
        {"x''", "", 0},
        {"42", "42", 2},
        {"-9223372036854775807 - 1", "-9223372036854775808", 20},
        {"1.5", "1.5", 3},
        {"-2.0", "-2.0", 4},
        {"1e300", "1.0e+300", 8},
        {"char(233, 8364, 128512)", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9},
    };
    struct sqlite_fixture *fixture = *state;
    char sql[128], key[8];

    sqlite_fixture_open(fixture, VALUE_QUERY);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        snprintf(sql, sizeof sql, "INSERT INTO data (key, value) VALUES ('%zu', %s)", i, CASES[i].literal);
        sqlite_fixture_run(fixture, sql);
        snprintf(key, sizeof key, "%zu", i);
        loader_expect_bytes(&fixture->loader, key, strlen(key), CASES[i].bytes, CASES[i].size);
    }
}

static void rule_6_null_and_no_row_are_not_found(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct sluice_stats stats;

    sqlite_fixture_run(fixture, "INSERT INTO data (key, value) VALUES ('null', NULL)");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect_error(&fixture->loader, "null", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "none", SLUICE_NOT_FOUND, NULL);
    sluice_cache_stats(fixture->loader.cache, &stats);
    assert_int_equal(stats.loads_not_found, 2);
    assert_int_equal(stats.loads_failed, 0);
}

static void of_more_rows_the_first_is_the_value(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_insert(fixture, "a", "first");
    sqlite_fixture_insert(fixture, "b", "second");
    sqlite_fixture_insert(fixture, "c", "third");
    sqlite_fixture_open(fixture, "SELECT value FROM data WHERE key >= ? ORDER BY key");
    loader_expect(&fixture->loader, "b", "second");
    loader_expect(&fixture->loader, "a", "first");
    loader_expect_error(&fixture->loader, "d", SLUICE_NOT_FOUND, NULL);
}

static void text_of_a_utf16_database_is_given_in_utf8(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_run(fixture, "DROP TABLE data; VACUUM; PRAGMA encoding = 'UTF-16le'; VACUUM;"
                                "CREATE TABLE data (key PRIMARY KEY, value, type)");
    sqlite_fixture_insert(fixture, "\xc3\xa9", "\xe2\x82\xac");
    sqlite_fixture_run(fixture, "UPDATE data SET type = 'text/plain'");
    sqlite_fixture_open(fixture, "SELECT value, type FROM data WHERE key = ?");
    loader_expect(&fixture->loader, "\xc3\xa9", "\xe2\x82\xac");
    assert_string_equal(sluice_value_content_type(fixture->loader.outcome.value), "text/plain");
}

static void rule_10_a_value_over_the_limit_is_given_to_nobody(void **state)
{
    struct sqlite_fixture *fixture = *state;

    fixture->loader.cache_options.value_size_max = 1000;
    fixture->options.value_size_max = 1000;
    sqlite_fixture_open(fixture, "SELECT zeroblob(?)");
    assert_int_equal(loader_get(&fixture->loader, "1000", 4), SLUICE_OK);
    assert_int_equal(sluice_value_size(fixture->loader.outcome.value), 1000);
    loader_expect_error(&fixture->loader, "1001", SLUICE_VALUE_TOO_LARGE, "the value is larger than the limit of ");
    loader_expect_error(&fixture->loader, "2000000000", SLUICE_VALUE_TOO_LARGE, "the value is larger than the limit");
    assert_int_equal(loader_get(&fixture->loader, "999", 3), SLUICE_OK);
}

static void rule_10_a_value_over_the_limit_is_not_built_in_memory(void **state)
{
    enum { SIZE_MAX_BYTES = 3000000, FAR_OVER = 200000000 };
    struct sqlite_fixture *fixture = *state;
    char key[16];

    fixture->loader.cache_options.value_size_max = SIZE_MAX_BYTES;
    fixture->options.value_size_max = SIZE_MAX_BYTES;
    fixture->options.max_concurrent = 1;
    sqlite_fixture_open(fixture, "SELECT randomblob(?)");
    snprintf(key, sizeof key, "%d", SIZE_MAX_BYTES);
    for (int round = 0; round < 2; round++) {
        loader_expect(&fixture->loader, key, NULL);
        assert_int_equal(sluice_value_size(fixture->loader.outcome.value), SIZE_MAX_BYTES);
        sqlite3_memory_highwater(1);
        snprintf(key, sizeof key, "%d", FAR_OVER);
        loader_expect_error(&fixture->loader, key, SLUICE_VALUE_TOO_LARGE, "the value is larger than the limit");
        assert_in_range(sqlite3_memory_highwater(0), 0, 4 * SIZE_MAX_BYTES);
        snprintf(key, sizeof key, "%d", SIZE_MAX_BYTES);
        loader_forget(&fixture->loader, key);
    }
}

/* Twice the bytes in the database, and it stands in one row with others and goes through a sorter. */
static void a_value_of_the_largest_size_is_brought_from_utf_16_and_a_wide_row(void **state)
{
    enum { SIZE_MAX_BYTES = 2000000 };
    struct sqlite_fixture *fixture = *state;

    fixture->options.value_size_max = SIZE_MAX_BYTES;
    sqlite_fixture_run(fixture, "DROP TABLE data; VACUUM; PRAGMA encoding = 'UTF-16le'; VACUUM;"
                                "CREATE TABLE data (key PRIMARY KEY, value, type)");
    sqlite_fixture_run(fixture, "INSERT INTO data VALUES ('k', printf('%.*c', 2000000, 'v'), zeroblob(1000000))");
    sqlite_fixture_open(fixture, "SELECT value FROM data WHERE key >= ? ORDER BY length(type)");
    loader_expect(&fixture->loader, "k", NULL);
    assert_int_equal(sluice_value_size(fixture->loader.outcome.value), SIZE_MAX_BYTES);
}

/* ---- the media type ---------------------------------------------------------------------------------------------- */

static void the_media_type_is_that_of_the_second_column_or_else_of_the_options(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_run(fixture,
                       "INSERT INTO data VALUES ('own', 'v', 'text/html; charset=utf-8'), ('none', 'v', NULL)");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect(&fixture->loader, "own", "v");
    assert_null(sluice_value_content_type(fixture->loader.outcome.value));
    loader_fixture_close(&fixture->loader);

    fixture->options.content_type = "application/json";
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect(&fixture->loader, "own", "v");
    assert_string_equal(sluice_value_content_type(fixture->loader.outcome.value), "application/json");
    loader_fixture_close(&fixture->loader);

    sqlite_fixture_open(fixture, "SELECT value, type FROM data WHERE key = ?");
    loader_expect(&fixture->loader, "own", "v");
    assert_string_equal(sluice_value_content_type(fixture->loader.outcome.value), "text/html; charset=utf-8");
    loader_expect(&fixture->loader, "none", "v");
    assert_string_equal(sluice_value_content_type(fixture->loader.outcome.value), "application/json");
}

static void a_second_column_that_is_no_media_type_is_a_failure(void **state)
{
    static const char *const LITERALS[] = {"''",
                                           "'a' || char(10) || 'b'",
                                           "CAST(x'746578740061' AS TEXT)",
                                           "char(233)",
                                           "x'ff'",
                                           "'a/' || printf('%.254c', 'a')",
                                           "5",
                                           "'not a type'"};
    struct sqlite_fixture *fixture = *state;
    char sql[128], key[8];

    sqlite_fixture_open(fixture, "SELECT value, type FROM data WHERE key = ?");
    for (size_t i = 0; i < COUNT_OF(LITERALS); i++) {
        snprintf(sql, sizeof sql, "INSERT INTO data VALUES ('%zu', 'v', %s)", i, LITERALS[i]);
        sqlite_fixture_run(fixture, sql);
        snprintf(key, sizeof key, "%zu", i);
        loader_expect_error(&fixture->loader, key, SLUICE_LOAD_FAILED, "second column is not a media type");
    }
    sqlite_fixture_run(fixture, "INSERT INTO data VALUES ('long', 'v', 'a/' || printf('%.253c', 'a'))");
    loader_expect(&fixture->loader, "long", "v");
    assert_int_equal(strlen(sluice_value_content_type(fixture->loader.outcome.value)), 255);
}

/* ---- beside others that use the database ------------------------------------------------------------------------- */

static void each_load_sees_what_was_committed_before_it(void **state)
{
    struct sqlite_fixture *fixture = *state;

    fixture->options.max_concurrent = 1;
    sqlite_fixture_insert(fixture, "k", "old");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect(&fixture->loader, "k", "old");
    sqlite_fixture_run(fixture, "UPDATE data SET value = 'new'");
    loader_expect(&fixture->loader, "k", "old");
    loader_forget(&fixture->loader, "k");
    loader_expect(&fixture->loader, "k", "new");

    /* The query is prepared anew by itself when the table has changed. */
    sqlite_fixture_run(fixture, "ALTER TABLE data ADD COLUMN more; UPDATE data SET value = 'newer'");
    loader_forget(&fixture->loader, "k");
    loader_expect(&fixture->loader, "k", "newer");
}

static void nothing_of_the_database_is_locked_between_loads(void **state)
{
    struct sqlite_fixture *fixture = *state;

    /* Several rows: the query stands in the midst of them when the load ends. */
    sqlite_fixture_insert(fixture, "a", "1");
    sqlite_fixture_insert(fixture, "b", "2");
    sqlite_fixture_open(fixture, "SELECT value FROM data WHERE key >= ? ORDER BY key");
    loader_expect(&fixture->loader, "a", "1");
    sqlite3_busy_timeout(fixture->writer, 0);
    AWAIT(loader_stats(&fixture->loader).running == 0);
    sqlite_fixture_run(fixture, "BEGIN EXCLUSIVE; UPDATE data SET value = '3'; COMMIT");
}

static void a_database_in_wal_mode_is_read_beside_a_writer(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_run(fixture, "PRAGMA journal_mode = WAL");
    sqlite_fixture_insert(fixture, "k", "old");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    sqlite_fixture_run(fixture, "BEGIN IMMEDIATE; UPDATE data SET value = 'new'");
    loader_expect(&fixture->loader, "k", "old");
    sqlite_fixture_run(fixture, "COMMIT");
    loader_forget(&fixture->loader, "k");
    loader_expect(&fixture->loader, "k", "new");
}

static void a_database_that_may_not_be_written_is_read(void **state)
{
    struct sqlite_fixture *fixture = *state;

    sqlite_fixture_insert(fixture, "k", "v");
    loader_be_nobody(true);
    sqlite_fixture_open(fixture, VALUE_QUERY);
    loader_expect(&fixture->loader, "k", "v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(the_key_is_bound_and_never_pasted),
        SQLITE_TEST(a_key_is_text_where_it_is_utf8_without_a_nul_and_else_a_blob),
        SQLITE_TEST(a_blob_key_finds_the_row_of_that_blob),
        SQLITE_TEST(the_parameter_may_have_a_name_and_stand_in_more_than_one_place),
        SQLITE_TEST(blanks_comments_and_semicolons_after_the_query_are_no_statement),
        SQLITE_TEST(every_type_of_value_has_its_bytes),
        SQLITE_TEST(rule_6_null_and_no_row_are_not_found),
        SQLITE_TEST(of_more_rows_the_first_is_the_value),
        SQLITE_TEST(text_of_a_utf16_database_is_given_in_utf8),
        SQLITE_TEST(rule_10_a_value_over_the_limit_is_given_to_nobody),
        SQLITE_TEST(rule_10_a_value_over_the_limit_is_not_built_in_memory),
        SQLITE_TEST(a_value_of_the_largest_size_is_brought_from_utf_16_and_a_wide_row),
        SQLITE_TEST(the_media_type_is_that_of_the_second_column_or_else_of_the_options),
        SQLITE_TEST(a_second_column_that_is_no_media_type_is_a_failure),
        SQLITE_TEST(each_load_sees_what_was_committed_before_it),
        SQLITE_TEST(nothing_of_the_database_is_locked_between_loads),
        SQLITE_TEST(a_database_in_wal_mode_is_read_beside_a_writer),
        SQLITE_TEST(a_database_that_may_not_be_written_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
