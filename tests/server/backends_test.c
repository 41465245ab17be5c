/* SPDX-License-Identifier: MIT */
/*
 * backends_test.c: the sqlite and the file backend from end to end: what a key on the wire comes to, which bytes come
 * back, and that no key gets at what is not meant for it. Their failures are in backend_errors_test.c.
 */
#include "site.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORED "sluice; fwd=miss; stored"
#define BINARY "\0\r\n\xff\x80 a\0"

/* GET brings exactly these bytes, of this type. */
static void expect_bytes(struct site *site, const char *target, const void *bytes, size_t size, const char *type)
{
    site_get(site, target);
    if (site->answer.status != 200)
        fail_msg("%s: status %d: %s", target, site->answer.status, site->answer.body);
    assert_int_equal(size, site->answer.body_size);
    assert_memory_equal(bytes, site->answer.body, size);
    site_expect_field(site, "Content-Type", type);
}

static void expect_text(struct site *site, const char *target, const char *text)
{
    site_get(site, target);
    if (site->answer.status != 200)
        fail_msg("%s: status %d: %s", target, site->answer.status, site->answer.body);
    assert_string_equal(text, site->answer.body);
}

static void expect_none(struct site *site, const char *target)
{
    site_get(site, target);
    if (site->answer.status != 404)
        fail_msg("%s: status %d: %s", target, site->answer.status, site->answer.body);
    site_expect_problem(site, 404, "not-found", NULL);
}

/* ---- file -------------------------------------------------------------------------------------------------------- */

#define FILES(options) "cache \"f\" { value_size_max = 64KiB file { directory = \"${SCRATCH}/pages\" " options " } }\n"

static void write_page(struct site *site, const char *name, const void *bytes, size_t size)
{
    char path[SCRATCH_PATH_MAX];

    snprintf(path, sizeof path, "pages/%s", name);
    scratch_write(&site->scratch, path, bytes, size);
}

static void write_text(struct site *site, const char *name, const char *text)
{
    write_page(site, name, text, strlen(text));
}

/* A link in pages/. */
static void link_page(struct site *site, const char *name, const char *to)
{
    char path[SCRATCH_PATH_MAX], file[SCRATCH_PATH_MAX];

    snprintf(file, sizeof file, "pages/%s", name);
    scratch_path(&site->scratch, file, path);
    assert_return_code(symlink(to, path), errno);
}

static void files_are_given_byte_by_byte(void **state)
{
    static char large[64 << 10];
    struct site *site = *state;

    memset(large, 'l', sizeof large);
    scratch_make_directory(&site->scratch, "pages");
    write_page(site, "binary", BINARY, sizeof BINARY);
    write_page(site, "empty", "", 0);
    write_page(site, "large", large, sizeof large);
    site_start(site, FILES(""));
    expect_bytes(site, "/f/binary", BINARY, sizeof BINARY, "application/octet-stream");
    expect_bytes(site, "/f/binary", BINARY, sizeof BINARY, "application/octet-stream"); /* from the cache */
    site_expect_field(site, "Cache-Status", "sluice; hit");
    expect_bytes(site, "/f/empty", "", 0, "application/octet-stream");
    expect_bytes(site, "/f/large", large, sizeof large, "application/octet-stream");
}

static void a_file_over_the_limit_is_a_failure(void **state)
{
    static char larger[(64 << 10) + 1];
    struct site *site = *state;

    scratch_make_directory(&site->scratch, "pages");
    write_page(site, "larger", larger, sizeof larger);
    site_start(site, FILES(""));
    site_get(site, "/f/larger");
    site_expect_problem(site, 502, "value-too-large", "the file is larger than the limit of 65536 bytes");
}

static void the_type_of_files_is_the_one_that_is_set(void **state)
{
    struct site *site = *state;

    scratch_make_directory(&site->scratch, "pages");
    write_text(site, "page", "<p>");
    site_start(site, FILES("content_type = \"text/html; charset=utf-8\""));
    expect_bytes(site, "/f/page", "<p>", 3, "text/html; charset=utf-8");
}

static void names_of_files_are_decoded_once(void **state)
{
    struct site *site = *state;

    scratch_make_directory(&site->scratch, "pages");
    scratch_make_directory(&site->scratch, "pages/dir");
    write_text(site, "dir/page.html", "nested");
    write_text(site, "two words", "blank");
    write_text(site, "h\xc3\xa9", "utf-8");
    write_text(site, "\xff", "no utf-8");
    write_text(site, "100%", "percent");
    write_text(site, "%41", "not A");
    write_text(site, "a+b", "plus");
    write_text(site, "what?", "mark");
    write_text(site, "...", "three dots");
    write_text(site, "..a", "dots and more");
    site_start(site, FILES(""));
    expect_text(site, "/f/dir/page.html", "nested");
    expect_text(site, "/f/dir%2Fpage%2ehtml", "nested"); /* the same key */
    site_expect_field(site, "Cache-Status", "sluice; hit");
    expect_text(site, "/f/two%20words", "blank");
    expect_text(site, "/f/h%C3%A9", "utf-8");
    expect_text(site, "/f/%ff", "no utf-8");
    expect_text(site, "/f/100%25", "percent");
    expect_text(site, "/f/%2541", "not A");
    expect_none(site, "/f/A");
    expect_text(site, "/f/a+b", "plus");
    expect_text(site, "/f/what%3F", "mark");
    expect_text(site, "/f/...", "three dots");
    expect_text(site, "/f/..a", "dots and more");
}

static void no_key_leads_out_of_the_directory(void **state)
{
    static const char *const targets[] = {
        "/f/..",
        "/f/.",
        "/f/../secret",
        "/f/..%2fsecret",
        "/f/%2e%2e/secret",
        "/f/%2e%2e%2fsecret",
        "/f/%2E%2E%2Fsecret",
        "/f/%252e%252e%252fsecret",
        "/f/dir/../../secret",
        "/f/dir/..%2f..%2fsecret",
        "/f/dir/../page",
        "/f/./page",
        "/f//page",
        "/f/page/",
        "/f/dir//page",
        "/f//etc/passwd",
        "/f/%2Fetc%2Fpasswd",
        "/f/..%5csecret",
        "/f/link-to-secret",
        "/f/link-to-etc/passwd",
        "/f/link-up/secret",
        "/f/link-inside",
        "/f/link-to-nothing",
        "/f/dir/link-to-secret",
    };
    struct site *site = *state;
    char secret[SCRATCH_PATH_MAX];

    scratch_make_directory(&site->scratch, "pages");
    scratch_make_directory(&site->scratch, "pages/dir");
    scratch_write_text(&site->scratch, "secret", "nobody's business");
    scratch_path(&site->scratch, "secret", secret);
    write_text(site, "page", "public");
    link_page(site, "link-to-secret", secret);
    link_page(site, "link-to-etc", "/etc");
    link_page(site, "link-up", "..");
    link_page(site, "link-inside", "page");
    link_page(site, "link-to-nothing", "nowhere");
    link_page(site, "dir/link-to-secret", "../../secret");
    site_start(site, FILES(""));
    for (size_t i = 0; i < COUNT_OF(targets); i++)
        expect_none(site, targets[i]);
    expect_text(site, "/f/page", "public");
}

static void what_is_no_regular_file_is_not_found(void **state)
{
    struct site *site = *state;
    char fifo[SCRATCH_PATH_MAX];

    scratch_make_directory(&site->scratch, "pages");
    scratch_make_directory(&site->scratch, "pages/dir");
    scratch_path(&site->scratch, "pages/fifo", fifo);
    assert_return_code(mkfifo(fifo, 0600), errno);
    write_text(site, "page", "public");
    site_start(site, FILES(""));
    expect_none(site, "/f/dir");
    expect_none(site, "/f/dir/");
    expect_none(site, "/f/fifo");
    expect_none(site, "/f/none");
    expect_none(site, "/f/none/page");
    expect_none(site, "/f/page/page");
    site_get(site, "/f/page%00");
    site_expect_problem(site, 400, "nul-in-key", "byte 4");
    site_get(site, "/f/page%00.html");
    site_expect_problem(site, 400, "nul-in-key", "byte 4");
    expect_text(site, "/f/page", "public");
}

static void a_file_that_changes_is_seen_after_its_invalidation(void **state)
{
    struct site *site = *state;
    char path[SCRATCH_PATH_MAX], old_etag[128], fields[256];

    scratch_make_directory(&site->scratch, "pages");
    write_text(site, "page", "old");
    site_start(site, FILES(""));
    expect_text(site, "/f/page", "old");
    snprintf(old_etag, sizeof old_etag, "%s", site_field(site, "ETag"));
    write_text(site, "page", "new");
    expect_text(site, "/f/page", "old");
    site_expect_field(site, "Cache-Status", "sluice; hit");
    site_delete(site, "/f/page", 1, 0);
    snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", old_etag);
    site_request(site, "GET", "/f/page", fields);
    site_expect(site, 200, "new", STORED);
    snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", site_field(site, "ETag"));
    site_request(site, "GET", "/f/page", fields);
    assert_int_equal(304, site->answer.status);
    /* A file that goes is served from the cache until then, and one that comes is seen at once: nothing was stored. */
    scratch_path(&site->scratch, "pages/page", path);
    assert_return_code(unlink(path), errno);
    expect_text(site, "/f/page", "new");
    site_delete(site, "/f?prefix=pa", 1, 0);
    expect_none(site, "/f/page");
    write_text(site, "page", "again");
    expect_text(site, "/f/page", "again");
}

/* ---- sqlite ------------------------------------------------------------------------------------------------------ */

#define TABLE "CREATE TABLE t (key TEXT PRIMARY KEY, value, type TEXT);"

static void execute(struct site *site, const char *statements)
{
    char path[SCRATCH_PATH_MAX], *error = NULL;
    sqlite3 *database;

    scratch_path(&site->scratch, "db", path);
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &database));
    sqlite3_busy_timeout(database, CLIENT_MS_MAX);
    if (sqlite3_exec(database, statements, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", statements, error);
    sqlite3_close(database);
}

#define QUERY(query, options)                                                                                          \
    "cache \"s\" { sqlite { database = \"${SCRATCH}/db\" query = \"" query "\" " options " } }\n"

static void values_of_a_database_are_given_byte_by_byte(void **state)
{
    struct site *site = *state;

    execute(site, TABLE "INSERT INTO t (key, value, type) VALUES"
                        " ('text', 'h\xc3\xa9', NULL), ('blob', x'000d0aff80206100', NULL), ('empty', '', NULL),"
                        " ('empty blob', x'', NULL), ('number', 42, NULL), ('real', 1.5, NULL), ('null', NULL, NULL),"
                        " ('css', 'p{}', 'text/css');");
    site_start(site, QUERY("SELECT value, type FROM t WHERE key = ?", "content_type = \"text/plain\""));
    expect_bytes(site, "/s/text", "h\xc3\xa9", 3, "text/plain");
    expect_bytes(site, "/s/blob", "\0\r\n\xff\x80 a\0", 8, "text/plain");
    expect_bytes(site, "/s/empty", "", 0, "text/plain");
    expect_bytes(site, "/s/empty%20blob", "", 0, "text/plain");
    expect_bytes(site, "/s/number", "42", 2, "text/plain");
    expect_bytes(site, "/s/real", "1.5", 3, "text/plain");
    expect_bytes(site, "/s/css", "p{}", 3, "text/css");
    expect_bytes(site, "/s/css", "p{}", 3, "text/css"); /* from the cache */
    site_expect_field(site, "Cache-Status", "sluice; hit");
    expect_none(site, "/s/null");
    expect_none(site, "/s/none");
}

static void a_key_is_a_value_and_never_a_part_of_the_query(void **state)
{
    static const char *const none[] = {
        "/s/'",
        "/s/%22",
        "/s/a'%20OR%20'1'='1",
        "/s/a%22%20OR%20%221%22=%221",
        "/s/1%20OR%201=1",
        "/s/a';%20DROP%20TABLE%20t;%20--",
        "/s/a'/*",
        "/s/%25",
        "/s/_",
        "/s/A",
        "/s/%3F1",
    };
    struct site *site = *state;

    execute(site, TABLE "INSERT INTO t (key, value) VALUES ('a', 'A'), ('O''Brien', 'quote'),"
                        " ('\"''; DROP TABLE t; --', 'SQL'), ('a/b', 'slash'), ('', 'nothing');");
    site_start(site, QUERY("SELECT value FROM t WHERE key = ?", ""));
    for (size_t i = 0; i < COUNT_OF(none); i++)
        expect_none(site, none[i]);
    expect_text(site, "/s/a", "A");
    expect_text(site, "/s/O'Brien", "quote");
    expect_text(site, "/s/O%27Brien", "quote");
    expect_text(site, "/s/%22%27%3B%20DROP%20TABLE%20t%3B%20--", "SQL");
    expect_text(site, "/s/a/b", "slash");
    site_get(site, "/s/");
    site_expect_problem(site, 400, "empty-key", NULL);
    site_get(site, "/s/a%00");
    site_expect_problem(site, 400, "nul-in-key", NULL);
}

static void a_key_that_is_no_text_is_bound_as_a_blob(void **state)
{
    struct site *site = *state;

    execute(site, "CREATE TABLE t (key, value); INSERT INTO t VALUES (x'ff01', 'blob'), ('42', 'text');");
    site_start(site, QUERY("SELECT value FROM t WHERE key = ?", ""));
    expect_text(site, "/s/%ff%01", "blob");
    expect_text(site, "/s/42", "text");
    expect_none(site, "/s/%ff%02");
}

static void a_row_that_changes_is_seen_after_its_invalidation(void **state)
{
    struct site *site = *state;

    execute(site, TABLE "INSERT INTO t (key, value) VALUES ('k', 'old');");
    site_start(site, QUERY("SELECT value FROM t WHERE key = ?", ""));
    expect_text(site, "/s/k", "old");
    execute(site, "UPDATE t SET value = 'new';");
    expect_text(site, "/s/k", "old");
    site_expect_field(site, "Cache-Status", "sluice; hit");
    site_delete(site, "/s/k", 1, 0);
    expect_text(site, "/s/k", "new");
    expect_none(site, "/s/l");
    execute(site, "INSERT INTO t (key, value) VALUES ('l', 'there'); DELETE FROM t WHERE key = 'k';");
    expect_text(site, "/s/l", "there");
    site_delete(site, "/s", 2, 0);
    expect_none(site, "/s/k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(files_are_given_byte_by_byte),
        SITE_TEST(a_file_over_the_limit_is_a_failure),
        SITE_TEST(the_type_of_files_is_the_one_that_is_set),
        SITE_TEST(names_of_files_are_decoded_once),
        SITE_TEST(no_key_leads_out_of_the_directory),
        SITE_TEST(what_is_no_regular_file_is_not_found),
        SITE_TEST(a_file_that_changes_is_seen_after_its_invalidation),
        SITE_TEST(values_of_a_database_are_given_byte_by_byte),
        SITE_TEST(a_key_is_a_value_and_never_a_part_of_the_query),
        SITE_TEST(a_key_that_is_no_text_is_bound_as_a_blob),
        SITE_TEST(a_row_that_changes_is_seen_after_its_invalidation),
    };

    return cmocka_run_group_tests_name("backends", tests, NULL, NULL);
}
