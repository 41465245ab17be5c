/* SPDX-License-Identifier: MIT */
/* conditional_test.c: If-None-Match and 304 (RFC 9110, 13.1.2 and 15.4.5). */
#include "site.h"

#include <stdio.h>

#define ETAG "\"v1\""

static void start(struct site *site)
{
    scripted_backend_script(
        site->origin, "/k",
        &(struct scripted_answer){.headers = "ETag: " ETAG "\r\nContent-Type: text/plain\r\n", .body = "value"});
    site_start(site, SITE_CACHE("c", "expire_after_write = 1h\n"));
}

/* A GET with these header lines brings a 304, or all of the value. */
static void expect_match(struct site *site, const char *fields, bool matches)
{
    site_request(site, "GET", "/c/k", fields);
    if (site->answer.status != (matches ? 304 : 200))
        fail_msg("status %d with %s", site->answer.status, fields);
    assert_string_equal(matches ? "" : "value", site->answer.body);
    site_expect_field(site, "ETag", ETAG);
}

static void what_matches_is_not_sent_again(void **state)
{
    static const char *const matching[] = {
        "If-None-Match: \"v1\"\r\n",
        "If-None-Match: *\r\n",
        "If-None-Match:   *  \r\n",
        "If-None-Match: W/\"v1\"\r\n",
        "If-None-Match: \"v0\", \"v1\"\r\n",
        "If-None-Match: \"v1\",\"v2\"\r\n",
        "If-None-Match: \"v0\" , W/\"v1\" , \"v2\"\r\n",
        "If-None-Match: , ,\"v1\",\r\n",
        "If-None-Match: \"a,b\", \"v1\"\r\n",
        "If-None-Match: \"\", \"v1\"\r\n",
        "If-None-Match: \"v0\"\r\nIf-None-Match: \"v1\"\r\n",
        "if-none-match:\"v1\"\r\n",
    };

    start(*state);
    for (size_t i = 0; i < COUNT_OF(matching); i++)
        expect_match(*state, matching[i], true);
}

static void what_does_not_match_is_sent(void **state)
{
    static const char *const others[] = {
        "If-None-Match: \"v2\"\r\n",
        "If-None-Match: \"V1\"\r\n",
        "If-None-Match: \"v1 \"\r\n",
        "If-None-Match: \"v0\", W/\"v2\"\r\n",
        "If-None-Match: v1\r\n",
        "If-None-Match: \"v1\r\n",
        "If-None-Match: w/\"v1\"\r\n",
        "If-None-Match: \"a, \"v1\", b\"\r\n",
        "If-None-Match: \"v1\" v2\r\n",
        "If-None-Match: \"v0\" \"v1\"\r\n",
        "If-None-Match: \"*\"\r\n",
        "If-None-Match:\r\n",
        "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n",
    };

    start(*state);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        expect_match(*state, others[i], false);
}

static void a_304_has_the_headers_that_a_cache_needs_and_no_others(void **state)
{
    static const char *const absent[] = {"Content-Type", "X-Content-Type-Options", "Content-Encoding"};
    struct site *site = *state;

    start(site);
    site_get(site, "/c/k");
    site_request(site, "GET", "/c/k", "If-None-Match: " ETAG "\r\n");
    assert_int_equal(304, site->answer.status);
    site_expect_field(site, "ETag", ETAG);
    site_expect_field(site, "Age", "0");
    assert_non_null(strstr(site_field(site, "Cache-Control"), "max-age="));
    assert_non_null(strstr(site_field(site, "Cache-Status"), "sluice; hit; ttl="));
    assert_non_null(site_field(site, "Date"));
    for (size_t i = 0; i < COUNT_OF(absent); i++)
        assert_null(answer_field(&site->answer, absent[i]));
}

static void head_is_answered_with_304_as_get_is(void **state)
{
    struct site *site = *state;

    start(site);
    site_request(site, "HEAD", "/c/k", "If-None-Match: " ETAG "\r\n");
    site_expect(site, 304, "", "sluice; fwd=miss; stored");
    site_request(site, "HEAD", "/c/k", "If-None-Match: \"v2\"\r\n");
    assert_int_equal(200, site->answer.status);
    site_expect_field(site, "Content-Length", "5");
}

/* The origin is asked for the value whatever the client has: others will want it. */
static void those_who_wait_for_a_load_are_answered_each_by_his_own_condition(void **state)
{
    struct site *site = *state;
    struct client *has_it, *has_another;

    start(site);
    scripted_backend_script(site->origin, "/k",
                            &(struct scripted_answer){.headers = "ETag: " ETAG "\r\n", .body = "value", .held = true});
    has_it = site_send_get(site, "/c/k", "If-None-Match: " ETAG "\r\n");
    site_await_waiters(site, "c", "k", "current", 1);
    has_another = site_send_get(site, "/c/k", "If-None-Match: \"v0\"\r\n");
    site_await_waiters(site, "c", "k", "current", 2);
    scripted_backend_open(site->origin);
    site_receive(site, has_it);
    site_expect(site, 304, "", "sluice; fwd=miss; stored");
    site_receive(site, has_another);
    site_expect(site, 200, "value", "sluice; fwd=miss; collapsed");
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
}

/* On one connection, so that a body too much would be seen as the beginning of the next answer. */
static void a_304_leaves_the_connection_usable(void **state)
{
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    for (int i = 0; i < 3; i++) {
        client_sendf(client, "GET /c/k HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n");
        assert_true(client_receive(client, ANSWER_TO_GET, &site->answer));
        assert_int_equal(304, site->answer.status);
        client_sendf(client, "GET /c/k HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_true(client_receive(client, ANSWER_TO_GET, &site->answer));
        assert_int_equal(200, site->answer.status);
        assert_string_equal("value", site->answer.body);
    }
    client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(what_matches_is_not_sent_again),
        SITE_TEST(what_does_not_match_is_sent),
        SITE_TEST(a_304_has_the_headers_that_a_cache_needs_and_no_others),
        SITE_TEST(head_is_answered_with_304_as_get_is),
        SITE_TEST(those_who_wait_for_a_load_are_answered_each_by_his_own_condition),
        SITE_TEST(a_304_leaves_the_connection_usable),
    };

    return cmocka_run_group_tests_name("conditional", tests, NULL, NULL);
}
