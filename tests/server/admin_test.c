/* SPDX-License-Identifier: MIT */
/*
 * admin_test.c: the admin side: who is let in, what DELETE does and tells, what is wrong with a request, and that the
 * two sides do not do each other's work. What it shows is in views_test.c.
 */
#include "site.h"

#include <stdio.h>

#define STORED "sluice; fwd=miss; stored"

/* A request to the admin side on a connection of its own. The answer is in the site until the next one. */
static void admin(struct site *site, const char *method, const char *target, const char *fields)
{
    client_request(site->daemon->admin_port, method, target, fields, &site->answer);
}

/* Puts the value of this key in the cache "c". */
static void store(struct site *site, const char *target)
{
    site_get(site, target);
    site_expect(site, 200, "v", STORED);
}

/* Starts with a cache "c" whose origin has the value "v" for every key. */
static void start(struct site *site, const char *options)
{
    char config[512];

    scripted_backend_script(site->origin, NULL, &(struct scripted_answer){.body = "v"});
    snprintf(config, sizeof config, "%s\n" SITE_CACHE("c", "expire_after_write = never"), options);
    site_start(site, config);
}

static void start_with_token(struct site *site)
{
    scratch_write_text(&site->scratch, "token", "s3cret\n");
    start(site, "admin_token_file = \"${SCRATCH}/token\"");
}

/* ---- who is let in ----------------------------------------------------------------------------------------------- */

static void without_the_token_nothing_is_told_or_done(void **state)
{
    static const struct {
        const char *fields;
        bool has_token;
    } wrong[] = {
        {NULL, false},
        {"Authorization: Bearer\r\n", false},
        {"Authorization: Bearer \r\n", false},
        {"Authorization: Bearer wrong\r\n", true},
        {"Authorization: Bearer s3cre\r\n", true},
        {"Authorization: Bearer s3crets\r\n", true},
        {"Authorization: Bearer s3cret s3cret\r\n", true},
        {"Authorization: Bearer S3CRET\r\n", true},
        {"Authorization: Bearers3cret\r\n", false},
        {"Authorization: Basic s3cret\r\n", false},
        {"Authorization: s3cret\r\n", false},
        {"X-Authorization: Bearer s3cret\r\n", false},
        {"Authorization: Bearer wrong\r\nAuthorization: Bearer s3cret\r\n", true},
    };
    static const struct {
        const char *method;
        const char *target;
    } requests[] = {{"DELETE", "/c/k"},  {"DELETE", "/c"},     {"DELETE", "/c?prefix=k"}, {"GET", "/stats"},
                    {"GET", "/metrics"}, {"GET", "/inflight"}, {"POST", "/stats"},        {"GET", "/nowhere"}};
    struct site *site = *state;

    start_with_token(site);
    store(site, "/c/k");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        for (size_t j = 0; j < COUNT_OF(requests); j++) {
            admin(site, requests[j].method, requests[j].target, wrong[i].fields);
            site_expect_problem(site, 401, "unauthorized",
                                wrong[i].has_token ? "the token is not the one of admin_token_file"
                                                   : "there is no header Authorization: Bearer");
            site_expect_field(site, "WWW-Authenticate",
                              wrong[i].has_token ? "Bearer realm=\"sluice admin\", error=\"invalid_token\""
                                                 : "Bearer realm=\"sluice admin\"");
        }
    }
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; hit");
}

static void with_the_token_everything_is(void **state)
{
    static const char *const right[] = {"Authorization: Bearer s3cret\r\n", "authorization: bearer s3cret\r\n",
                                        "Authorization: Bearer   s3cret\r\n"};
    struct site *site = *state;

    start_with_token(site);
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        store(site, "/c/k");
        admin(site, "DELETE", "/c/k", right[i]);
        assert_int_equal(200, site->answer.status);
        assert_string_equal("{\"entries\":1,\"loads\":0}\n", site->answer.body);
        admin(site, "GET", "/stats", right[i]);
        assert_int_equal(200, site->answer.status);
    }
}

static void probes_need_no_token(void **state)
{
    struct site *site = *state;

    start_with_token(site);
    admin(site, "GET", "/healthz", NULL);
    assert_int_equal(200, site->answer.status);
    admin(site, "GET", "/readyz", NULL);
    assert_int_equal(200, site->answer.status);
}

/* Without a token there are those whom a web page in a browser of this machine could send. */
static void without_a_token_web_pages_are_kept_out(void **state)
{
    static const struct {
        const char *host;
        const char *origin; /* a line, or NULL */
        int status;
    } cases[] = {
        {"localhost", NULL, 200},
        {"LocalHost:8081", NULL, 200},
        {"127.0.0.1:8081", NULL, 200},
        {"[::1]:8081", NULL, 200},
        {"127.0.0.1:8081", "Origin: http://127.0.0.1:8081\r\n", 200},
        {"evil.example", NULL, 403},
        {"localhost.evil.example", NULL, 403},
        {"127.0.0.1.evil.example", NULL, 403},
        {"127.0.0.1:8081", "Origin: http://evil.example\r\n", 403},
        {"127.0.0.1:8081", "Origin: http://127.0.0.1:8082\r\n", 403},
        {"127.0.0.1:8081", "Origin: null\r\n", 403},
    };
    struct site *site = *state;

    start(site, "");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct client *client = client_open(site->daemon->admin_port);

        store(site, "/c/k");
        client_sendf(client, "DELETE /c HTTP/1.1\r\nHost: %s\r\n%s\r\n", cases[i].host,
                     cases[i].origin ? cases[i].origin : "");
        assert_true(client_receive(client, ANSWER_TO_GET, &site->answer));
        if (cases[i].status == 403)
            site_expect_problem(site, 403, "foreign-origin", NULL);
        else
            assert_int_equal(200, site->answer.status);
        site_get(site, "/c/k");
        site_expect(site, 200, "v", cases[i].status == 403 ? "sluice; hit" : STORED);
        client_close(client);
        site_delete(site, "/c", 1, 0);
    }
}

/* ---- invalidation ------------------------------------------------------------------------------------------------ */

static void delete_tells_how_many_went(void **state)
{
    static const char *const stored[] = {"/c/a", "/c/a%2Fb", "/c/a/c", "/c/ab", "/c/b%20c", "/c/%C3%A9"};
    struct site *site = *state;

    start(site, "");
    for (size_t i = 0; i < COUNT_OF(stored); i++)
        store(site, stored[i]);
    admin(site, "DELETE", "/c/none", NULL);
    assert_int_equal(200, site->answer.status);
    assert_string_equal("{\"entries\":0,\"loads\":0}\n", site->answer.body);
    site_expect_field(site, "Content-Type", "application/json");
    site_expect_field(site, "Cache-Control", "no-store");
    site_delete(site, "/c/b%20c", 1, 0);
    site_delete(site, "/c/b%20c", 0, 0);
    site_delete(site, "/c/%c3%a9", 1, 0);      /* however it is encoded */
    site_delete(site, "/c/a/b", 1, 0);         /* likewise */
    site_delete(site, "/c?prefix=a%2f", 1, 0); /* a/c */
    site_delete(site, "/c?prefix=a", 2, 0);    /* a, ab */
    site_delete(site, "/c", 0, 0);
    assert_int_equal(6, site_stat(site, "c", "invalidated"));
    for (size_t i = 0; i < COUNT_OF(stored); i++)
        store(site, stored[i]);
    site_delete(site, "/c", 6, 0);
}

static void delete_tells_how_many_loads_were_detached(void **state)
{
    static const char *const targets[] = {"/c/a", "/c/ab", "/c/b"};
    struct site *site = *state;
    struct client *waiting[COUNT_OF(targets)];

    scripted_backend_script(site->origin, NULL, &(struct scripted_answer){.body = "v", .held = true});
    site_start(site, SITE_CACHE("c", ""));
    for (size_t i = 0; i < COUNT_OF(targets); i++)
        waiting[i] = site_send_get(site, targets[i], NULL);
    AWAIT(site_stat(site, "c", "waiters") == COUNT_OF(targets));
    site_delete(site, "/c/a", 0, 1);
    site_delete(site, "/c?prefix=a", 0, 1); /* of those that are not detached yet */
    site_delete(site, "/c", 0, 1);
    site_delete(site, "/c", 0, 0);
    assert_int_equal(3, site_stat(site, "c", "loads_detached"));
    scripted_backend_open(site->origin);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        site_receive(site, waiting[i]);
        site_expect(site, 200, "v", "sluice; fwd=miss");
    }
}

/* ---- what is wrong with a request -------------------------------------------------------------------------------- */

static void a_wrong_delete_invalidates_nothing_and_says_why(void **state)
{
    static const struct {
        const char *target;
        int status;
        const char *word;
        const char *detail;
    } wrong[] = {
        {"/nowhere", 404, "unknown-cache", "\"nowhere\""},
        {"/nowhere/k", 404, "unknown-cache", "\"nowhere\""},
        {"/", 404, "unknown-resource", "/{cache}"},
        {"/c/", 400, "empty-key", "DELETE /c clears the cache"},
        {"/c?", 400, "unknown-parameter", "exactly one prefix="},
        {"/c?prefix", 400, "unknown-parameter", "exactly one prefix="},
        {"/c?prefix=", 400, "unknown-parameter", "the prefix is empty"},
        {"/c?prefix=a&prefix=b", 400, "unknown-parameter", "exactly one prefix="},
        {"/c?prefix=a&", 400, "unknown-parameter", "exactly one prefix="},
        {"/c?suffix=k", 400, "unknown-parameter", "exactly one prefix="},
        {"/c/k?prefix=k", 400, "unknown-parameter", "a ? in a key is written %3F"},
        {"/c/k%", 400, "bad-target", "two hex digits"},
        {"/c/k%zz", 400, "bad-target", "two hex digits"},
        {"/c?prefix=%k", 400, "bad-target", "two hex digits"},
        {"/c/k%00", 400, "nul-in-key", "byte 1"},
        {"/c?prefix=k%00", 400, "nul-in-key", "byte 1"},
    };
    struct site *site = *state;

    start(site, "");
    store(site, "/c/k");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        admin(site, "DELETE", wrong[i].target, NULL);
        site_expect_problem(site, wrong[i].status, wrong[i].word, wrong[i].detail);
    }
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; hit");
    assert_int_equal(0, site_stat(site, "c", "invalidated"));
}

/* ---- methods, sides ---------------------------------------------------------------------------------------------- */

static void other_methods_are_told_which_there_are(void **state)
{
    static const char *const views[] = {"/stats", "/metrics", "/inflight", "/healthz", "/readyz"};
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "OPTIONS", "PATCH"};
    struct site *site = *state;

    start(site, "");
    store(site, "/c/k");
    for (size_t i = 0; i < COUNT_OF(views); i++) {
        admin(site, "DELETE", views[i], NULL);
        site_expect_problem(site, 405, "method-not-allowed", "DELETE is not one of: GET, HEAD");
        site_expect_field(site, "Allow", "GET, HEAD");
        admin(site, "GET", views[i], NULL);
        assert_int_equal(200, site->answer.status);
        admin(site, "HEAD", views[i], NULL);
        assert_int_equal(200, site->answer.status);
        assert_int_equal(0, site->answer.body_size);
    }
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        admin(site, methods[i], "/c/k", NULL);
        assert_int_equal(405, site->answer.status);
        site_expect_field(site, "Allow", "DELETE");
    }
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; hit");
}

static void the_sides_do_not_do_each_others_work(void **state)
{
    static const char *const paths[] = {"/stats", "/metrics", "/inflight", "/healthz", "/readyz"};
    struct site *site = *state;

    start(site, "");
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        site_get(site, paths[i]);
        site_expect_problem(site, 404, "unknown-cache", NULL);
    }
    site_get(site, "/");
    site_expect_problem(site, 404, "unknown-resource", NULL);
    store(site, "/c/k");
    site_request(site, "DELETE", "/c/k", NULL);
    site_expect_problem(site, 405, "method-not-allowed", NULL);
    site_expect_field(site, "Allow", "GET, HEAD");
    site_request(site, "DELETE", "/c", NULL);
    site_expect_problem(site, 405, "method-not-allowed", NULL);
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; hit");
    /* Values are not given away on the admin side, and nothing is loaded there. */
    admin(site, "GET", "/c/k", NULL);
    site_expect_problem(site, 405, "method-not-allowed", NULL);
    assert_int_equal(2, site_stat(site, "c", "gets"));
}

static void what_is_not_there_is_told(void **state)
{
    struct site *site = *state;

    start(site, "");
    admin(site, "GET", "/", NULL);
    site_expect_problem(site, 404, "unknown-resource", "/stats");
    admin(site, "GET", "/nowhere", NULL);
    site_expect_problem(site, 404, "unknown-cache", "nowhere");
    admin(site, "GET", "/stats/", NULL);
    site_expect_problem(site, 404, "unknown-cache", "stats");
    admin(site, "GET", "/stats?pretty", NULL);
    site_expect_problem(site, 400, "unknown-parameter", "/stats takes no query");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(without_the_token_nothing_is_told_or_done),
        SITE_TEST(with_the_token_everything_is),
        SITE_TEST(probes_need_no_token),
        SITE_TEST(without_a_token_web_pages_are_kept_out),
        SITE_TEST(delete_tells_how_many_went),
        SITE_TEST(delete_tells_how_many_loads_were_detached),
        SITE_TEST(a_wrong_delete_invalidates_nothing_and_says_why),
        SITE_TEST(other_methods_are_told_which_there_are),
        SITE_TEST(the_sides_do_not_do_each_others_work),
        SITE_TEST(what_is_not_there_is_told),
    };

    return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
