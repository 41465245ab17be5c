/* SPDX-License-Identifier: MIT */
/*
 * get_test.c: what GET and HEAD of a value answer: the bytes, and the headers of RFC 9110, 9111 and 9211 around them.
 */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR   "expire_after_write = 1h\n"

#define STORED "sluice; fwd=miss; stored"

/* A number that follows `prefix` in the text and is all that follows. */
static long number_after(const char *text, const char *prefix)
{
    char *end;
    long number;

    if (strncmp(text, prefix, strlen(prefix)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", text, prefix);
    number = strtol(text + strlen(prefix), &end, 10);
    if (end == text + strlen(prefix) || *end)
        fail_msg("no number after \"%s\" in \"%s\"", prefix, text);
    return number;
}

static void expect_no_field(struct site *site, const char *name)
{
    if (answer_field(&site->answer, name))
        fail_msg("there is a header %s: %s", name, answer_field(&site->answer, name));
}

/* A strong entity tag (RFC 9110, 8.8.3). */
static void expect_strong_etag(struct site *site)
{
    const char *etag = site_field(site, "ETag");
    size_t size = strlen(etag);

    if (size < 3 || etag[0] != '"' || strchr(etag + 1, '"') != etag + size - 1)
        fail_msg("not a strong entity tag: %s", etag);
}

/* What every answer with a value has, freshly loaded, of a cache whose entries live for an hour. */
static void expect_fresh(struct site *site)
{
    site_expect_field(site, "X-Content-Type-Options", "nosniff");
    site_expect_field(site, "Age", "0");
    assert_in_range(number_after(site_field(site, "Cache-Control"), "max-age="), 3599, 3600);
    expect_strong_etag(site);
    assert_non_null(strstr(site_field(site, "Date"), " GMT"));
    expect_no_field(site, "Connection");
}

static void a_miss_is_loaded_and_stored_and_the_next_get_hits(void **state)
{
    struct site *site = *state;
    char etag[128];

    scripted_backend_script(
        site->origin, "/k",
        &(struct scripted_answer){.headers = "Content-Type: text/plain; charset=utf-8\r\n", .body = "Ada"});
    site_start(site, SITE_CACHE("c", HOUR));
    site_get(site, "/c/k");
    site_expect(site, 200, "Ada", STORED);
    site_expect_field(site, "Content-Type", "text/plain; charset=utf-8");
    site_expect_field(site, "Content-Length", "3");
    expect_fresh(site);
    snprintf(etag, sizeof etag, "%s", site_field(site, "ETag"));

    site_get(site, "/c/k");
    assert_int_equal(200, site->answer.status);
    assert_string_equal("Ada", site->answer.body);
    site_expect_field(site, "Content-Type", "text/plain; charset=utf-8");
    site_expect_field(site, "Content-Length", "3");
    site_expect_field(site, "ETag", etag);
    assert_in_range(number_after(site_field(site, "Cache-Status"), "sluice; hit; ttl="), 3590, 3600);
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
}

static void age_grows_as_the_time_to_live_shrinks(void **state)
{
    struct site *site = *state;
    long age = 0;
    long ttl;

    site_script(site, "/k", "v");
    site_start(site, SITE_CACHE("c", "expire_after_write = 100s\n"));
    site_get(site, "/c/k");
    AWAIT((site_get(site, "/c/k"), age = number_after(site_field(site, "Age"), "")) >= 1);
    ttl = number_after(site_field(site, "Cache-Status"), "sluice; hit; ttl=");
    assert_int_equal(ttl, number_after(site_field(site, "Cache-Control"), "max-age="));
    assert_in_range(age + ttl, 98, 100); /* both are whole seconds, rounded down */
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
}

static void what_does_not_expire_is_to_be_asked_for_again_each_time(void **state)
{
    struct site *site = *state;

    site_script(site, "/k", "v");
    site_start(site, SITE_CACHE("c", ""));
    site_get(site, "/c/k");
    site_expect(site, 200, "v", STORED);
    site_expect_field(site, "Cache-Control", "no-cache");
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; hit");
    site_expect_field(site, "Cache-Control", "no-cache");
}

static void rule_13_what_is_not_stored_says_so(void **state)
{
    struct site *site = *state;

    site_script(site, "/k", "v");
    site_start(site, SITE_CACHE("c", "expire_after_write = 0\n"));
    for (size_t i = 1; i <= 2; i++) {
        site_get(site, "/c/k");
        site_expect(site, 200, "v", "sluice; fwd=miss");
        site_expect_field(site, "Cache-Control", "no-store");
        assert_int_equal(i, scripted_backend_requests(site->origin, "/k"));
    }
}

/* What the origin says of a value goes along with it; a weak tag is not good enough (RFC 9110, 8.8.1). */
static void etag_and_type_are_the_origins_or_made(void **state)
{
    struct site *site = *state;

    scripted_backend_script(
        site->origin, "/strong",
        &(struct scripted_answer){.headers = "ETag: \"v,1\"\r\nContent-Type: image/png\r\n", .body = "png"});
    scripted_backend_script(site->origin, "/weak",
                            &(struct scripted_answer){.headers = "ETag: W/\"v2\"\r\n", .body = "bytes"});
    site_script(site, "/other", "other bytes");
    site_start(site, SITE_CACHE("c", HOUR));
    site_get(site, "/c/strong");
    site_expect_field(site, "ETag", "\"v,1\"");
    site_expect_field(site, "Content-Type", "image/png");
    site_get(site, "/c/weak");
    expect_strong_etag(site);
    site_expect_field(site, "Content-Type", "application/octet-stream");
    char etag[128];
    snprintf(etag, sizeof etag, "%s", site_field(site, "ETag"));
    site_get(site, "/c/other");
    expect_strong_etag(site);
    assert_string_not_equal(etag, site_field(site, "ETag"));
}

static void head_is_get_without_the_body(void **state)
{
    static const char *const same[] = {"Content-Type", "Content-Length", "ETag", "X-Content-Type-Options"};
    struct site *site = *state;
    struct answer get = {0};

    site_script(site, "/k", "twelve bytes");
    site_start(site, SITE_CACHE("c", HOUR));
    site_request(site, "HEAD", "/c/k", NULL);
    site_expect(site, 200, "", STORED);
    site_expect_field(site, "Content-Length", "12");
    expect_fresh(site);
    client_request(site->daemon->data_port, "GET", "/c/k", NULL, &get);
    site_request(site, "HEAD", "/c/k", NULL);
    assert_int_equal(200, site->answer.status);
    for (size_t i = 0; i < COUNT_OF(same); i++)
        site_expect_field(site, same[i], answer_field(&get, same[i]));
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
    site_request(site, "HEAD", "/c/none", NULL);
    site_expect(site, 404, "", "sluice; fwd=miss; detail=not-found");
    site_expect_field(site, "Content-Type", "application/problem+json");
    assert_true(number_after(site_field(site, "Content-Length"), "") > 0);
    answer_fini(&get);
}

static void an_empty_value_is_a_value(void **state)
{
    struct site *site = *state;

    site_script(site, "/empty", "");
    site_start(site, SITE_CACHE("c", HOUR));
    site_get(site, "/c/empty");
    site_expect(site, 200, "", STORED);
    site_expect_field(site, "Content-Length", "0");
    expect_strong_etag(site);
}

static void rule_6_not_found_is_an_answer(void **state)
{
    struct site *site = *state;

    site_start(site, SITE_CACHE("forgets", HOUR) SITE_CACHE("remembers", "not_found_ttl = 100s\n"));
    scripted_backend_script(site->origin, "/gone", &(struct scripted_answer){.status = 410});
    for (size_t i = 1; i <= 2; i++) {
        site_get(site, "/forgets/none");
        site_expect_problem(site, 404, "not-found", NULL);
        site_expect_field(site, "Cache-Status", "sluice; fwd=miss; detail=not-found");
        assert_int_equal(i, scripted_backend_requests(site->origin, "/none"));
    }
    site_get(site, "/remembers/gone");
    site_expect_problem(site, 404, "not-found", NULL);
    site_expect_field(site, "Cache-Status", "sluice; fwd=miss; stored; detail=not-found");
    site_get(site, "/remembers/gone");
    site_expect_problem(site, 404, "not-found", NULL);
    if (strncmp(site_field(site, "Cache-Status"), "sluice; hit; ttl=", 17) != 0)
        fail_msg("%s is no hit", site_field(site, "Cache-Status"));
    assert_int_equal(1, scripted_backend_requests(site->origin, "/gone"));
    /* Nothing of it is a precondition's business (RFC 9110, 13.2.1). */
    site_request(site, "GET", "/remembers/gone", "If-None-Match: *\r\n");
    site_expect_problem(site, 404, "not-found", NULL);
}

/* ---- what the client wishes -------------------------------------------------------------------------------------- */

static void only_if_cached_never_loads(void **state)
{
    static const char *const wishes[] = {
        "Cache-Control: only-if-cached\r\n",
        "cache-control:ONLY-IF-CACHED\r\n",
        "Cache-Control: max-stale=\"a, b\", only-if-cached\r\n",
        "Cache-Control: max-age=0\r\nCache-Control: only-if-cached\r\n",
    };
    struct site *site = *state;

    site_script(site, "/k", "v");
    site_start(site, SITE_CACHE("c", ""));
    for (size_t i = 0; i < COUNT_OF(wishes); i++) {
        site_request(site, "GET", "/c/k", wishes[i]);
        site_expect_problem(site, 504, "not-cached", NULL);
        site_expect_field(site, "Cache-Status", "sluice; detail=not-cached");
    }
    assert_int_equal(0, scripted_backend_requests(site->origin, NULL));
    site_get(site, "/c/k");
    for (size_t i = 0; i < COUNT_OF(wishes); i++) {
        site_request(site, "GET", "/c/k", wishes[i]);
        site_expect(site, 200, "v", "sluice; hit");
    }
    site_request(site, "GET", "/c/other", "Cache-Control: only-if-cached-not\r\n");
    site_expect_problem(site, 404, "not-found", NULL);
}

/* Nor does it wait for a load that is in flight. */
static void only_if_cached_does_not_join_a_load(void **state)
{
    struct site *site = *state;
    struct client *parked;

    site_script_held(site, "/k", "v");
    site_start(site, SITE_CACHE("c", ""));
    parked = site_send_get(site, "/c/k", NULL);
    site_await_waiters(site, "c", "k", "current", 1);
    site_request(site, "GET", "/c/k", "Cache-Control: only-if-cached\r\n");
    site_expect_problem(site, 504, "not-cached", NULL);
    assert_int_equal(1, site_loads(site, "c", "k", "current").waiters);
    scripted_backend_open(site->origin);
    site_receive(site, parked);
    site_expect(site, 200, "v", STORED);
}

static void rule_7_a_preferred_wait_is_its_senders_own(void **state)
{
    static const char *const short_waits[] = {
        "Prefer: wait=0\r\n",
        "prefer:WAIT = \"0\"\r\n",
        "Prefer: respond-async, wait=0\r\n",
        "Prefer: respond-async\r\nPrefer: wait=0; a=b\r\n",
    };
    struct site *site = *state;
    struct client *patient, *second;

    site_script_held(site, "/k", "v");
    site_start(site, SITE_CACHE("c", "load_timeout = never\nwait_timeout = 1h\n"));
    patient = site_send_get(site, "/c/k", "Prefer: wait=3600\r\n");
    site_await_waiters(site, "c", "k", "current", 1);
    second = site_send_get(site, "/c/k", "Prefer: wait=1\r\n");
    for (size_t i = 0; i < COUNT_OF(short_waits); i++) {
        site_request(site, "GET", "/c/k", short_waits[i]);
        site_expect_problem(site, 504, "timed-out", NULL);
        site_expect_field(site, "Preference-Applied", "wait");
        site_expect_field(site, "Cache-Status", "sluice; detail=timed-out"); /* it did not even join */
    }
    site_receive(site, second);
    site_expect_problem(site, 504, "timed-out", "the load goes on");
    site_expect_field(site, "Cache-Status", "sluice; fwd=miss; collapsed; detail=timed-out");
    site_expect_field(site, "Preference-Applied", "wait");
    assert_int_equal(1, site_loads(site, "c", "k", "current").waiters);
    scripted_backend_open(site->origin);
    site_receive(site, patient);
    site_expect(site, 200, "v", STORED);
    site_expect_field(site, "Preference-Applied", "wait");
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
}

static void rule_7_a_get_that_does_not_wait_starts_the_load_all_the_same(void **state)
{
    struct site *site = *state;

    site_script_held(site, "/k", "v");
    site_start(site, SITE_CACHE("c", ""));
    site_request(site, "GET", "/c/k", "Prefer: wait=0\r\n");
    site_expect_problem(site, 504, "timed-out", "the load goes on");
    site_expect_field(site, "Cache-Status", "sluice; fwd=miss; detail=timed-out");
    scripted_backend_open(site->origin);
    site_await_idle(site);
    site_request(site, "GET", "/c/k", "Prefer: wait=0\r\n");
    site_expect(site, 200, "v", "sluice; hit");
}

/* A preference that can't be understood is as good as none (RFC 7240, 2). */
static void other_preferences_are_passed_over(void **state)
{
    static const char *const others[] = {
        "Prefer: wait=soon\r\n", "Prefer: wait=-1\r\n", "Prefer: wait\r\n", "Prefer: waiting=0\r\n", "Prefer:\r\n",
    };
    struct site *site = *state;

    site_script(site, "/k", "v");
    site_start(site, SITE_CACHE("c", "expire_after_write = 0\n"));
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        site_request(site, "GET", "/c/k", others[i]);
        site_expect(site, 200, "v", "sluice; fwd=miss");
        expect_no_field(site, "Preference-Applied");
    }
}

static void the_caches_own_wait_timeout_bounds_a_preferred_one(void **state)
{
    struct site *site = *state;

    site_script_held(site, "/k", "v");
    site_start(site, SITE_CACHE("c", "wait_timeout = 50ms\nload_timeout = never\n"));
    site_get(site, "/c/k");
    site_expect_problem(site, 504, "timed-out", "the load goes on");
    site_expect_field(site, "Cache-Status", "sluice; fwd=miss; detail=timed-out");
    site_request(site, "GET", "/c/k", "Prefer: wait=3600\r\n");
    site_expect_problem(site, 504, "timed-out", "the load goes on");
    scripted_backend_open(site->origin);
    site_await_idle(site);
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; hit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(a_miss_is_loaded_and_stored_and_the_next_get_hits),
        SITE_TEST(age_grows_as_the_time_to_live_shrinks),
        SITE_TEST(what_does_not_expire_is_to_be_asked_for_again_each_time),
        SITE_TEST(rule_13_what_is_not_stored_says_so),
        SITE_TEST(etag_and_type_are_the_origins_or_made),
        SITE_TEST(head_is_get_without_the_body),
        SITE_TEST(an_empty_value_is_a_value),
        SITE_TEST(rule_6_not_found_is_an_answer),
        SITE_TEST(only_if_cached_never_loads),
        SITE_TEST(only_if_cached_does_not_join_a_load),
        SITE_TEST(rule_7_a_preferred_wait_is_its_senders_own),
        SITE_TEST(rule_7_a_get_that_does_not_wait_starts_the_load_all_the_same),
        SITE_TEST(other_preferences_are_passed_over),
        SITE_TEST(the_caches_own_wait_timeout_bounds_a_preferred_one),
    };

    return cmocka_run_group_tests_name("get", tests, NULL, NULL);
}
