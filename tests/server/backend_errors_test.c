/* SPDX-License-Identifier: MIT */
/*
 * backend_errors_test.c: backends that are away, slow, broken or wrong: each gets its own clear answer and a line in
 * the log, while hits and other caches are served as before.
 */
#include "site.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#define STORED "sluice; fwd=miss; stored"

/* Those who must not notice: a cache of another backend. */
#define OTHER "cache \"other\" { expire_after_write = 0\n file { directory = \"${SCRATCH}\" } }\n"

/* Starts with a stored value in the cache "c", whose backend has one for "stored". */
static void start(struct site *site, const char *config)
{
    scratch_write_text(&site->scratch, "well", "well");
    site_script(site, "/stored", "as before");
    site_start(site, config);
    site_get(site, "/c/stored");
    site_expect(site, 200, "as before", STORED);
}

static void expect_others_served(struct site *site)
{
    site_get(site, "/c/stored");
    site_expect(site, 200, "as before", "sluice; hit");
    site_get(site, "/other/well");
    site_expect(site, 200, "well", "sluice; fwd=miss");
}

/* The latest answer says that its load failed, and so does the log; nothing of it was stored. */
static void expect_failed(struct site *site, int status, const char *word, const char *detail)
{
    char cache_status[80];

    site_expect_problem(site, status, word, detail);
    snprintf(cache_status, sizeof cache_status, "sluice; fwd=miss; detail=%s", word);
    site_expect_field(site, "Cache-Status", cache_status);
    daemon_await_log(site->daemon, "event=request_failed cache=c key=");
    expect_others_served(site);
}

/* ---- http -------------------------------------------------------------------------------------------------------- */

struct misbehaviour {
    struct scripted_answer answer;
    int status;
    const char *word;
    const char *detail;
};

static void an_origin_that_misbehaves_is_told_of(void **state)
{
    static const struct misbehaviour all[] = {
        {{.manner = SCRIPTED_RESET}, 502, "load-failed", "reset by peer"},
        {{.manner = SCRIPTED_CLOSE}, 502, "load-failed", "Empty reply"},
        {{.manner = SCRIPTED_SHORT, .body = "half"}, 502, "load-failed", "10 bytes remaining"},
        {{.manner = SCRIPTED_RAW, .body = "rubbish\r\n\r\n"}, 502, "load-failed", "HTTP/0.9"},
        {{.manner = SCRIPTED_RAW, .body = "HTTP/1.1 200 OK\r\nContent-Le"}, 502, "load-failed", "/ill"},
        {{.status = 500, .body = "not for the client"}, 502, "load-failed", "HTTP 500 from http://127.0.0.1:"},
        {{.status = 503}, 502, "load-failed", "HTTP 503 from"},
        {{.status = 400}, 502, "load-failed", "HTTP 400 from"},
        {{.status = 302, .headers = "Location: /stored\r\n"}, 502, "load-failed", "HTTP 302 from"},
        {{.status = 304}, 502, "load-failed", "HTTP 304 from"},
        {{.body = "more than fifteen bytes"}, 502, "value-too-large", "larger than 15 bytes"},
        {{.manner = SCRIPTED_HANG}, 504, "load-timed-out", "timed out"},
        {{.manner = SCRIPTED_STALL, .body = "never"}, 504, "load-timed-out", "timed out"},
    };
    struct site *site = *state;

    start(site, SITE_CACHE_WITH("c", "value_size_max = 15\n", "timeout = 300ms\n") OTHER);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        scripted_backend_script(site->origin, "/ill", &all[i].answer);
        site_get(site, "/c/ill");
        expect_failed(site, all[i].status, all[i].word, all[i].detail);
        assert_null(strstr(site->answer.body, "not for the client"));
    }
    site_script(site, "/ill", "cured");
    site_get(site, "/c/ill");
    site_expect(site, 200, "cured", STORED);
}

/* For a data side that strangers reach: what the backend said is the operator's to know. */
static void without_failure_details_the_log_alone_says_why(void **state)
{
    struct site *site = *state;

    start(site, "failure_details = false\n" SITE_CACHE_WITH("c", "key_size_max = 20\n", "") OTHER);
    scripted_backend_script(site->origin, "/an%20ill%22one", &(struct scripted_answer){.status = 500});
    site_get(site, "/c/an%20ill%22one");
    site_expect_problem(site, 502, "load-failed", NULL);
    assert_null(strstr(site->answer.body, "detail"));
    daemon_await_log(site->daemon, "event=request_failed cache=c key=\"an ill\\\"one\" status=502 "
                                   "problem=load-failed reason=\"HTTP 500 from http://127.0.0.1:");
    site_get(site, "/c/larger%20than%20twenty%20bytes");
    site_expect_problem(site, 414, "key-too-large", "key_size_max of cache \"c\" is 20 bytes");
    expect_others_served(site);
}

static void an_origin_that_has_none_is_no_failure(void **state)
{
    struct site *site = *state;

    start(site, SITE_CACHE("c", "") OTHER);
    for (int status = 404; status <= 410; status += 6) {
        scripted_backend_script(site->origin, "/none", &(struct scripted_answer){.status = status});
        site_get(site, "/c/none");
        site_expect_problem(site, 404, "not-found", NULL);
    }
    assert_int_equal(2, site_stat(site, "c", "loads_not_found"));
    assert_int_equal(0, site_stat(site, "c", "loads_failed"));
    assert_int_equal(0, daemon_log_count(site->daemon, "request_failed"));
    expect_others_served(site);
}

static void an_origin_that_is_away_is_missed_until_it_is_back(void **state)
{
    struct site *site = *state;

    start(site, SITE_CACHE("c", "") OTHER);
    site_script(site, "/k", "back");
    scripted_backend_refuse(site->origin, true);
    site_get(site, "/c/k");
    expect_failed(site, 502, "load-failed", "Failed to connect to 127.0.0.1");
    scripted_backend_refuse(site->origin, false);
    site_get(site, "/c/k");
    site_expect(site, 200, "back", STORED);
}

/* The load's own deadline, which counts whatever the backend does; a late answer is not stored. */
static void rule_8_a_load_that_takes_too_long_is_given_up_for_all_who_wait(void **state)
{
    struct site *site = *state;
    struct client *leader, *follower;

    start(site, SITE_CACHE("c", "load_timeout = 3s\nwait_timeout = 1h\n") OTHER);
    site_script_held(site, "/k", "late");
    leader = site_send_get(site, "/c/k", NULL);
    assert_true(scripted_backend_await_held(site->origin, 1, CLIENT_MS_MAX));
    follower = site_send_get(site, "/c/k", NULL);
    site_await_waiters(site, "c", "k", NULL, 2);
    site_receive(site, leader);
    expect_failed(site, 504, "load-timed-out", NULL);
    site_receive(site, follower);
    site_expect_problem(site, 504, "load-timed-out", NULL);
    assert_int_equal(1, scripted_backend_requests(site->origin, "/k"));
    scripted_backend_open(site->origin);
    site_await_idle(site);
    site_script(site, "/k", "in time");
    site_get(site, "/c/k");
    site_expect(site, 200, "in time", STORED);
}

/* Rule 10: what the backend can't take is refused at once; the hung call keeps its place (rule 8). */
static void a_backend_that_hangs_with_its_queue_full_refuses_at_once(void **state)
{
    struct site *site = *state;
    struct client *running, *queued;

    start(site, SITE_CACHE_WITH("c", "load_timeout = never\nwait_timeout = 1h\n",
                                "max_concurrent = 1\nqueue_max = 1\ntimeout = 1h\n") OTHER);
    site_script_held(site, "/1", "one");
    site_script_held(site, "/2", "two");
    running = site_send_get(site, "/c/1", NULL);
    assert_true(scripted_backend_await_held(site->origin, 1, CLIENT_MS_MAX));
    queued = site_send_get(site, "/c/2", NULL);
    site_await_waiters(site, "c", "2", "current", 1);
    for (int i = 0; i < 3; i++) {
        site_get(site, "/c/3");
        site_expect_problem(site, 503, "load-refused", NULL);
        expect_others_served(site);
    }
    scripted_backend_open(site->origin);
    site_receive(site, running);
    site_expect(site, 200, "one", STORED);
    site_receive(site, queued);
    site_expect(site, 200, "two", STORED);
    assert_int_equal(0, scripted_backend_requests(site->origin, "/3"));
    site_script(site, "/3", "three");
    site_get(site, "/c/3");
    site_expect(site, 200, "three", STORED);
}

/* ---- sqlite ------------------------------------------------------------------------------------------------------ */

#define SQLITE_CACHE(query)                                                                                            \
    "cache \"c\" { sqlite { database = \"${SCRATCH}/db\"\n timeout = 300ms\n query = \"" query "\" } }\n"

#define MAKE_TABLE                                                                                                     \
    "CREATE TABLE t(key TEXT PRIMARY KEY, value);"                                                                     \
    "INSERT INTO t VALUES('stored', 'as before'), ('k', 'v'), ('null', NULL);"

static sqlite3 *open_database(struct site *site)
{
    char path[SCRATCH_PATH_MAX];
    sqlite3 *database;

    scratch_path(&site->scratch, "db", path);
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &database));
    sqlite3_busy_timeout(database, CLIENT_MS_MAX); /* the server may still be ending the query that it has answered */
    return database;
}

static void execute(struct site *site, const char *statements)
{
    sqlite3 *database = open_database(site);

    assert_int_equal(SQLITE_OK, sqlite3_exec(database, statements, NULL, NULL, NULL));
    sqlite3_close(database);
}

static void remove_database(struct site *site)
{
    char path[SCRATCH_PATH_MAX];

    scratch_path(&site->scratch, "db", path);
    assert_return_code(unlink(path), 0);
}

static void a_table_that_goes_is_missed_until_it_is_back(void **state)
{
    struct site *site = *state;

    execute(site, MAKE_TABLE);
    start(site, SQLITE_CACHE("SELECT value FROM t WHERE key = ?") OTHER);
    execute(site, "DROP TABLE t");
    site_get(site, "/c/k");
    expect_failed(site, 502, "load-failed", "no such table: t");
    execute(site, MAKE_TABLE);
    site_get(site, "/c/k");
    site_expect(site, 200, "v", STORED);
    site_get(site, "/c/null");
    site_expect_problem(site, 404, "not-found", NULL);
    site_get(site, "/c/none");
    site_expect_problem(site, 404, "not-found", NULL);
}

static void a_database_that_goes_is_missed_until_it_is_back(void **state)
{
    struct site *site = *state;

    execute(site, MAKE_TABLE);
    start(site, SQLITE_CACHE("SELECT value FROM t WHERE key = ?") OTHER);
    remove_database(site);
    site_get(site, "/c/k");
    expect_failed(site, 502, "load-failed", "No such file or directory");
    scratch_write_text(&site->scratch, "db",
                       "this is something else, and not a database at all, long as it may be: "
                       "a file of that kind begins with other words");
    site_get(site, "/c/k");
    expect_failed(site, 502, "load-failed", "file is not a database");
    remove_database(site);
    execute(site, MAKE_TABLE);
    site_get(site, "/c/k");
    site_expect(site, 200, "v", STORED);
}

static void a_locked_database_is_waited_for_no_longer_than_the_timeout(void **state)
{
    struct site *site = *state;
    sqlite3 *writer;

    execute(site, MAKE_TABLE);
    start(site, SQLITE_CACHE("SELECT value FROM t WHERE key = ?") OTHER);
    writer = open_database(site);
    assert_int_equal(SQLITE_OK, sqlite3_exec(writer, "BEGIN EXCLUSIVE", NULL, NULL, NULL));
    site_get(site, "/c/k");
    expect_failed(site, 504, "load-timed-out", "no answer within 300 ms; ");
    assert_int_equal(SQLITE_OK, sqlite3_exec(writer, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_close(writer);
    site_get(site, "/c/k");
    site_expect(site, 200, "v", STORED);
}

static void a_query_without_an_end_is_broken_off(void **state)
{
    struct site *site = *state;

    execute(site, MAKE_TABLE);
    start(site,
          SQLITE_CACHE("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                       "SELECT value FROM t WHERE key = ?1 AND (key = 'stored' OR (SELECT max(i) FROM n) > 0)") OTHER);
    site_get(site, "/c/k");
    expect_failed(site, 504, "load-timed-out", "no answer within 300 ms; ");
}

/* A query that is right, and goes wrong over some rows only. */
static void a_row_that_makes_the_query_fail_is_told_of(void **state)
{
    struct site *site = *state;

    execute(site, "CREATE TABLE t(key, value, type);"
                  "INSERT INTO t VALUES('stored', 'as before', 'text/plain'), ('bad', '{', NULL),"
                  "('type', 'v', 'text/' || char(10))");
    start(site, SQLITE_CACHE("SELECT iif(key = 'bad', json(value), value), type FROM t WHERE key = ?") OTHER);
    site_get(site, "/c/bad");
    expect_failed(site, 502, "load-failed", "malformed JSON");
    site_get(site, "/c/type");
    expect_failed(site, 502, "load-failed", "the query's second column is not a media type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(an_origin_that_misbehaves_is_told_of),
        SITE_TEST(without_failure_details_the_log_alone_says_why),
        SITE_TEST(an_origin_that_has_none_is_no_failure),
        SITE_TEST(an_origin_that_is_away_is_missed_until_it_is_back),
        SITE_TEST(rule_8_a_load_that_takes_too_long_is_given_up_for_all_who_wait),
        SITE_TEST(a_backend_that_hangs_with_its_queue_full_refuses_at_once),
        SITE_TEST(a_table_that_goes_is_missed_until_it_is_back),
        SITE_TEST(a_database_that_goes_is_missed_until_it_is_back),
        SITE_TEST(a_locked_database_is_waited_for_no_longer_than_the_timeout),
        SITE_TEST(a_query_without_an_end_is_broken_off),
        SITE_TEST(a_row_that_makes_the_query_fail_is_told_of),
    };

    return cmocka_run_group_tests_name("backend_errors", tests, NULL, NULL);
}
