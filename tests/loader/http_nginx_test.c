/* SPDX-License-Identifier: MIT */
/* http_nginx_test.c: the http backend in front of a real nginx. */
#include "nginx_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void a_file_comes_with_its_media_type_and_etag(void **state)
{
    struct nginx_fixture *fixture = *state;
    struct sluice_value *value;

    loader_write_text(&fixture->loader, "files/page.txt", "a page");
    loader_write_text(&fixture->loader, "files/data.json", "{}");
    loader_write_text(&fixture->loader, "files/empty.txt", "");
    nginx_fixture_open(fixture, "/files/{key}");
    loader_expect(&fixture->loader, "page.txt", "a page");
    value = fixture->loader.outcome.value;
    assert_string_equal(sluice_value_content_type(value), "text/plain");
    assert_non_null(sluice_value_etag(value));
    assert_int_equal(sluice_value_etag(value)[0], '"');
    loader_expect(&fixture->loader, "data.json", "{}");
    assert_string_equal(sluice_value_content_type(fixture->loader.outcome.value), "application/json");
    loader_expect(&fixture->loader, "empty.txt", "");
}

static void a_key_of_odd_characters_finds_the_file_of_that_name(void **state)
{
    static const char *const KEYS[] = {"a b",  "100%",     "%41",  "q?x=1&y=2", "#top",     "a+b",
                                       "a&b;", "\xc3\xa9", "\xff", "\"'<>\\^`", "k:\t\x01", "~-._"};
    struct nginx_fixture *fixture = *state;
    char name[64];

    loader_make_directory(&fixture->loader, "files/sub");
    loader_write_text(&fixture->loader, "files/sub/k", "below");
    nginx_fixture_open(fixture, "/files/{key}");
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        snprintf(name, sizeof name, "files/%s", KEYS[i]);
        loader_write_text(&fixture->loader, name, KEYS[i]);
        loader_expect(&fixture->loader, KEYS[i], KEYS[i]);
    }
    loader_expect(&fixture->loader, "sub/k", "below");
    /* nginx does not take it. */
    (void)!loader_get(&fixture->loader, "k\0", 2);
    assert_int_equal(fixture->loader.outcome.error, SLUICE_LOAD_FAILED);
}

/* nginx decodes "%2F" and takes ".." out then: with "/files/..%2Fk" it is asked for "/k". */
static void a_key_leads_to_nothing_outside_of_the_path(void **state)
{
    struct nginx_fixture *fixture = *state;
    char *answer, *log;

    loader_write_text(&fixture->loader, "files/secret", "secret");
    loader_make_directory(&fixture->loader, "files/sub");
    answer = nginx_fixture_ask(fixture, "/files/sub/..%2Fsecret", "X: y");
    assert_non_null(strstr(answer, "secret"));
    free(answer);
    nginx_fixture_open(fixture, "/files/sub/{key}");
    loader_expect_error(&fixture->loader, "../secret", SLUICE_LOAD_FAILED, "the key was not sent: ");
    loader_expect_error(&fixture->loader, "..", SLUICE_LOAD_FAILED, "the key was not sent: ");
    loader_expect_error(&fixture->loader, "x/../../secret", SLUICE_LOAD_FAILED, "the key was not sent: ");
    loader_expect_error(&fixture->loader, "..%2Fsecret", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "%2e%2e/secret", SLUICE_NOT_FOUND, NULL);
    log = nginx_fixture_log(fixture, 3);
    assert_null(strstr(log, "/files/sub/.. "));
    free(log);
}

static void a_chunked_answer_is_put_together(void **state)
{
    enum { SIZE = 500000 };
    struct nginx_fixture *fixture = *state;
    char *bytes = nginx_fixture_bytes(SIZE), *log;

    nginx_fixture_write(fixture, "k", SIZE);
    nginx_fixture_open(fixture, "/chunked/{key}");
    loader_expect_bytes(&fixture->loader, "k", 1, bytes, SIZE);
    log = nginx_fixture_log(fixture, 1);
    assert_string_equal(log, "/chunked/k 200 accept=identity coding=- transfer=chunked\n");
    free(log);
    free(bytes);
}

static void no_coding_is_asked_for_and_none_is_got(void **state)
{
    enum { SIZE = 20000 };
    struct nginx_fixture *fixture = *state;
    char *bytes = nginx_fixture_bytes(SIZE), *answer, *log;

    /* Who asks for it is given it: */
    nginx_fixture_write(fixture, "page.txt", SIZE);
    answer = nginx_fixture_ask(fixture, "/files/page.txt", "Accept-Encoding: gzip");
    assert_non_null(strstr(answer, "\r\nContent-Encoding: gzip\r\n"));
    free(answer);

    nginx_fixture_open(fixture, "/files/{key}");
    loader_expect_bytes(&fixture->loader, "page.txt", 8, bytes, SIZE);
    log = nginx_fixture_log(fixture, 2);
    assert_non_null(strstr(log, "\n/files/page.txt 200 accept=identity coding=- transfer=-\n"));
    free(log);
    free(bytes);
}

static void a_body_can_be_as_large_as_the_limit_and_no_larger(void **state)
{
    enum { SIZE = 3000000 };
    static const char *const PATHS[] = {"/files/{key}", "/chunked/{key}"};
    struct nginx_fixture *fixture = *state;
    char *bytes = nginx_fixture_bytes(SIZE);

    nginx_fixture_write(fixture, "fits", SIZE);
    nginx_fixture_write(fixture, "over", SIZE + 1);
    fixture->options.body_size_max = SIZE;
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        nginx_fixture_open(fixture, PATHS[i]);
        loader_expect_bytes(&fixture->loader, "fits", 4, bytes, SIZE);
        loader_expect_error(&fixture->loader, "over", SLUICE_VALUE_TOO_LARGE,
                            "the answer is larger than 3000000 bytes (http://");
        loader_forget(&fixture->loader, "fits");
        loader_expect_bytes(&fixture->loader, "fits", 4, bytes, SIZE);
        loader_fixture_close(&fixture->loader);
    }
    free(bytes);
}

/* ---- other statuses ---------------------------------------------------------------------------------------------- */

static void status_404_and_410_are_not_found(void **state)
{
    struct nginx_fixture *fixture = *state;
    char *log;

    fixture->loader.cache_options.not_found_ttl_ms = 60000;
    nginx_fixture_open(fixture, "/{key}");
    for (int i = 0; i < 2; i++) {
        loader_expect_error(&fixture->loader, "status/410", SLUICE_NOT_FOUND, NULL);
        loader_expect_error(&fixture->loader, "files/none", SLUICE_NOT_FOUND, NULL);
    }
    log = nginx_fixture_log(fixture, 2); /* both are remembered */
    assert_non_null(strstr(log, " 404 "));
    assert_non_null(strstr(log, " 410 "));
    free(log);
}

static void other_statuses_are_failures_and_redirects_are_not_followed(void **state)
{
    static const unsigned STATUSES[] = {500, 503, 301, 302, 307, 308};
    struct nginx_fixture *fixture = *state;
    char key[8], words[96], *log;

    loader_write_text(&fixture->loader, "files/target", "not to be found");
    nginx_fixture_open(fixture, "/status/{key}");
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++) {
        snprintf(key, sizeof key, "%u", STATUSES[i]);
        snprintf(words, sizeof words, "HTTP %u from http://127.0.0.1:%u/status/%u", STATUSES[i], fixture->port,
                 STATUSES[i]);
        loader_expect_error(&fixture->loader, key, SLUICE_LOAD_FAILED, words);
        assert_string_equal(sluice_outcome_reason(&fixture->loader.outcome), words);
    }
    log = nginx_fixture_log(fixture, COUNT_OF(STATUSES));
    assert_null(strstr(log, "target"));
    free(log);
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

/* A load of "CONNECTION REQUESTS". */
static void load_count(struct nginx_fixture *fixture, unsigned number, unsigned *connection, unsigned *requests)
{
    char key[16];

    snprintf(key, sizeof key, "%u", number);
    loader_expect(&fixture->loader, key, NULL);
    /* NOLINTNEXTLINE(cert-err34-c) small numbers of nginx's */
    assert_int_equal(sscanf(sluice_value_data(fixture->loader.outcome.value), "%u %u", connection, requests), 2);
}

static void one_connection_serves_load_after_load(void **state)
{
    struct nginx_fixture *fixture = *state;
    unsigned first, connection, requests;

    nginx_fixture_open(fixture, "/count/{key}");
    load_count(fixture, 0, &first, &requests);
    assert_int_equal(requests, 1);
    for (unsigned i = 1; i < 50; i++) {
        load_count(fixture, i, &connection, &requests);
        assert_int_equal(connection, first);
        assert_int_equal(requests, i + 1);
    }
}

static void a_failure_or_a_not_found_does_not_cost_the_connection(void **state)
{
    struct nginx_fixture *fixture = *state;
    char first[32];

    nginx_fixture_open(fixture, "/{key}");
    loader_expect(&fixture->loader, "count/a", NULL);
    snprintf(first, sizeof first, "%s", (const char *)sluice_value_data(fixture->loader.outcome.value));
    *strchr(first, ' ') = '\0';
    loader_expect_error(&fixture->loader, "files/none", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "status/503", SLUICE_LOAD_FAILED, NULL);
    loader_expect_error(&fixture->loader, "status/301", SLUICE_LOAD_FAILED, NULL);
    strcat(first, " 5");
    loader_expect(&fixture->loader, "count/b", first);
}

static void loads_at_once_share_as_many_connections_as_set(void **state)
{
    enum { LOADS = 40, CONNECTIONS = 4 };
    struct nginx_fixture *fixture = *state;
    struct loader_call *calls[LOADS];
    unsigned seen[CONNECTIONS], count = 0, requests_in_all = 0;
    char keys[LOADS][8];

    fixture->options.max_concurrent = CONNECTIONS;
    nginx_fixture_open(fixture, "/count/{key}");
    for (size_t i = 0; i < LOADS; i++) {
        snprintf(keys[i], sizeof keys[i], "%zu", i);
        calls[i] = loader_begin(&fixture->loader, keys[i]);
    }
    for (size_t i = 0; i < LOADS; i++) {
        unsigned connection, requests, at = 0;

        loader_await(calls[i], SLUICE_OK, NULL);
        /* NOLINTNEXTLINE(cert-err34-c) small numbers of nginx's */
        assert_int_equal(sscanf(sluice_value_data(calls[i]->outcome.value), "%u %u", &connection, &requests), 2);
        requests_in_all += requests == 1;
        while (at < count && seen[at] != connection)
            at++;
        if (at == count) {
            assert_true(count < CONNECTIONS);
            seen[count++] = connection;
        }
    }
    assert_int_equal(requests_in_all, count); /* each connection has had one first request */
}

static void a_connection_that_nginx_ends_is_replaced_without_a_failure(void **state)
{
    struct nginx_fixture *fixture = *state;
    unsigned connection, last = 0, requests;

    nginx_fixture_open(fixture, "/three/{key}");
    for (unsigned i = 0; i < 30; i++) {
        load_count(fixture, i, &connection, &requests);
        assert_int_equal(requests, i % 3 + 1);
        if (i % 3 == 0)
            assert_int_not_equal(connection, last);
        else
            assert_int_equal(connection, last);
        last = connection;
    }
    loader_fixture_close(&fixture->loader);

    nginx_fixture_open(fixture, "/close/{key}");
    for (unsigned i = 0; i < 10; i++) {
        load_count(fixture, i, &connection, &requests);
        assert_int_equal(requests, 1);
        assert_int_not_equal(connection, last);
        last = connection;
    }
}

/* ---- nginx's own life -------------------------------------------------------------------------------------------- */

static void a_reload_of_nginx_costs_no_load(void **state)
{
    struct nginx_fixture *fixture = *state;
    int64_t start_ms = await_now_ms();
    char key[24];

    nginx_fixture_open(fixture, "/generation/{key}");
    loader_expect(&fixture->loader, "first", "1");
    nginx_fixture_reload(fixture);
    for (unsigned i = 0;; i++) {
        snprintf(key, sizeof key, "%u", i);
        loader_expect(&fixture->loader, key, NULL);
        if (strcmp(sluice_value_data(fixture->loader.outcome.value), "2") == 0)
            break;
        if (!await_again(start_ms))
            fail_msg("nginx has not taken its second configuration");
    }
}

static void a_worker_of_nginx_that_dies_costs_no_later_load(void **state)
{
    struct nginx_fixture *fixture = *state;
    char first[24];
    pid_t worker;

    nginx_fixture_open(fixture, "/pid/{key}");
    loader_expect(&fixture->loader, "a", NULL);
    snprintf(first, sizeof first, "%s", (const char *)sluice_value_data(fixture->loader.outcome.value));
    worker = (pid_t)strtol(first, NULL, 10);
    assert_true(worker > 1 && worker != fixture->pid);
    assert_int_equal(kill(worker, SIGKILL), 0);
    AWAIT(kill(worker, 0) != 0 && errno == ESRCH);
    loader_expect(&fixture->loader, "b", NULL);
    assert_string_not_equal(sluice_value_data(fixture->loader.outcome.value), first);
}

static void an_nginx_that_has_ended_is_a_failure(void **state)
{
    struct nginx_fixture *fixture = *state;

    nginx_fixture_open(fixture, "/count/{key}");
    loader_expect(&fixture->loader, "a", NULL);
    nginx_fixture_stop(fixture);
    loader_expect_error(&fixture->loader, "b", SLUICE_LOAD_FAILED, "Failed to connect to 127.0.0.1");
    loader_expect(&fixture->loader, "a", NULL); /* what is stored is served as before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NGINX_TEST(a_file_comes_with_its_media_type_and_etag),
        NGINX_TEST(a_key_of_odd_characters_finds_the_file_of_that_name),
        NGINX_TEST(a_key_leads_to_nothing_outside_of_the_path),
        NGINX_TEST(a_chunked_answer_is_put_together),
        NGINX_TEST(no_coding_is_asked_for_and_none_is_got),
        NGINX_TEST(a_body_can_be_as_large_as_the_limit_and_no_larger),
        NGINX_TEST(status_404_and_410_are_not_found),
        NGINX_TEST(other_statuses_are_failures_and_redirects_are_not_followed),
        NGINX_TEST(one_connection_serves_load_after_load),
        NGINX_TEST(a_failure_or_a_not_found_does_not_cost_the_connection),
        NGINX_TEST(loads_at_once_share_as_many_connections_as_set),
        NGINX_TEST(a_connection_that_nginx_ends_is_replaced_without_a_failure),
        NGINX_TEST(a_reload_of_nginx_costs_no_load),
        NGINX_TEST(a_worker_of_nginx_that_dies_costs_no_later_load),
        NGINX_TEST(an_nginx_that_has_ended_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
