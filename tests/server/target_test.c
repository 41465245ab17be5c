/* SPDX-License-Identifier: MIT */
/*
 * target_test.c: which key a request target names. What the origin is asked for shows it: it is sent the key, with all
 * but letters, digits and "-._~" percent-encoded.
 */
#include "site.h"

#include <stdio.h>

/* Answers each path with itself. */
static void echo(void *arg, const struct scripted_request *request, struct scripted_answer *answer)
{
    (void)arg;
    answer->body = request->path;
}

static void start(struct site *site)
{
    scripted_backend_handle(site->origin, echo, NULL);
    site_start(site, SITE_CACHE("c", "key_size_max = 32\n"));
}

struct target {
    const char *target;
    const char *key; /* as the origin is sent it */
};

static void expect_keys(struct site *site, const struct target *targets, size_t count)
{
    char path[128];

    start(site);
    for (size_t i = 0; i < count; i++) {
        site_get(site, targets[i].target);
        snprintf(path, sizeof path, "/%s", targets[i].key);
        if (site->answer.status != 200 || strcmp(site->answer.body, path) != 0)
            fail_msg("GET %s: %d %s, where the key is %s", targets[i].target, site->answer.status, site->answer.body,
                     targets[i].key);
    }
}

static void the_key_is_the_rest_of_the_path_percent_decoded_once(void **state)
{
    static const struct target targets[] = {
        {"/c/plain", "plain"},
        {"/c/a-b._~", "a-b._~"},
        {"/c/a/b/c", "a%2Fb%2Fc"},
        {"/c/a%2Fb%2fd", "a%2Fb%2Fd"},
        {"/c/%41%6c%6C", "All"},
        {"/c/%2541", "%2541"}, /* once: the key is "%41" */
        {"/c/a%20b", "a%20b"},
        {"/c/a+b", "a%2Bb"}, /* a plus is a plus */
        {"/c/%C3%A9", "%C3%A9"},
        {"/c/\xc3\xa9\xc3\xa8", "%C3%A9%C3%A8"},
        {"/c/%FF%fe", "%FF%FE"}, /* keys are bytes, not text */
        {"/c/%0A%7f", "%0A%7F"},
        {"/c/a%3Fb%23", "a%3Fb%23"},
        {"/c/a:b@c;d=e,f&g", "a%3Ab%40c%3Bd%3De%2Cf%26g"},
        {"/%63/encoded", "encoded"},
        {"http://elsewhere:80/c/absolute", "absolute"}, /* RFC 9112, 3.2.2 */
    };

    expect_keys(*state, targets, COUNT_OF(targets));
}

/* Slashes mean nothing here. */
static void slashes_are_left_as_they_are(void **state)
{
    static const struct target targets[] = {
        {"/c//", "%2F"}, {"/c//x", "%2Fx"}, {"/c/x/", "x%2F"}, {"/c/...", "..."}, {"/c/.x/y.", ".x%2Fy."},
    };

    expect_keys(*state, targets, COUNT_OF(targets));
}

/* Nor do dots; but an origin that resolves them could be led out of its url, so the http backend does not send them. */
static void a_key_that_could_lead_out_of_the_url_is_not_sent(void **state)
{
    static const char *const targets[] = {"/c/a/../b", "/c/%2e%2e", "/c/./x", "/c/..%2F..%2Fx"};
    struct site *site = *state;

    start(site);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        site_get(site, targets[i]);
        site_expect_problem(site, 502, "load-failed", "could lead out of the url");
    }
    assert_int_equal(0, scripted_backend_requests(site->origin, NULL));
}

static void two_ways_to_write_a_key_are_one_entry(void **state)
{
    static const char *const same[] = {"/c/a/%C3%A9", "/c/a%2F\xc3\xa9", "/c/%61%2f%c3%a9", "http://h/c/a/%C3%A9"};
    struct site *site = *state;

    start(site);
    site_get(site, same[0]);
    assert_string_equal("sluice; fwd=miss; stored", site_field(site, "Cache-Status"));
    for (size_t i = 1; i < COUNT_OF(same); i++) {
        site_get(site, same[i]);
        site_expect(site, 200, "/a%2F%C3%A9", "sluice; hit");
    }
    site_delete(site, "/c/%61%2F%c3%a9", 1, 0);
}

static void a_key_of_the_greatest_size_is_taken_decoded(void **state)
{
    struct site *site = *state;
    char target[128] = "/c/";

    start(site);
    for (int i = 0; i < 32; i++)
        strcat(target, "%2F");
    site_get(site, target);
    assert_int_equal(200, site->answer.status);
    strcat(target, "x");
    site_get(site, target);
    site_expect_problem(site, 414, "key-too-large", "key_size_max of cache \"c\" is 32 bytes");
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
}

struct refused {
    const char *target;
    int status;
    const char *word;
    const char *detail;
};

static void what_names_no_value_is_told_why(void **state)
{
    static const struct refused targets[] = {
        {"/c/a%", 400, "bad-target", "the % at byte 4 is not followed by two hex digits"},
        {"/c/a%2", 400, "bad-target", "the % at byte 4"},
        {"/c/%zz", 400, "bad-target", "the % at byte 3"},
        {"/c/%2", 400, "bad-target", "%25"},
        {"/%/a", 400, "bad-target", "the % at byte 1"},
        {"/c/a#b", 400, "bad-target", "byte 4 is 0x23, which must be percent-encoded as %23"},
        {"/c/a\x01", 400, "bad-target", "byte 4 is 0x01"},
        {"/c/a\x7f", 400, "bad-target", "byte 4 is 0x7f"},
        {"/c/a b", 400, "bad-target", "byte 4 is 0x20"},
        {"/c/a%00b", 400, "nul-in-key", "byte 1 of the decoded key is NUL"},
        {"/c/%00", 400, "nul-in-key", "byte 0"},
        {"/c/", 400, "empty-key", "/c/{key}"},
        {"/c", 400, "empty-key", "/c/{key}"},
        {"/c/k?", 400, "unknown-parameter", "%3F"},
        {"/c/k?v=1", 400, "unknown-parameter", "%3F"},
        {"/c?x", 400, "unknown-parameter", "/c/{key}"},
        {"/c?key=a", 400, "unknown-parameter", "/c/{key}"},
        {"/nobody/k", 404, "unknown-cache", "no cache is called \"nobody\""},
        {"/C/k", 404, "unknown-cache", "no cache is called \"C\""},
        {"/nobody", 404, "unknown-cache", "nobody"},
        {"//c/k", 404, "unknown-cache", "no cache is called \"\""},
        {"/c%2Fk", 404, "unknown-cache", "no cache is called \"c/k\""},
        {"/%FF/k", 404, "unknown-cache", "%FF"},
        {"/stats", 404, "unknown-cache", "stats"},
        {"/", 404, "unknown-resource", "/{cache}/{key}"},
        {"*", 404, "unknown-resource", "/{cache}/{key}"},
        {"c/k", 404, "unknown-resource", "/{cache}/{key}"},
        {"http://h", 404, "unknown-resource", "/{cache}/{key}"},
        {"http://h?/c/k", 404, "unknown-resource", "/{cache}/{key}"},
    };
    struct site *site = *state;

    start(site);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        print_message("GET %s\n", targets[i].target);
        site_get(site, targets[i].target);
        site_expect_problem(site, targets[i].status, targets[i].word, targets[i].detail);
    }
    assert_int_equal(0, scripted_backend_requests(site->origin, NULL));
    site_get(site, "/c/k");
    assert_int_equal(200, site->answer.status);
}

/* Whatever of the target a problem repeats, it stays JSON and one line of bounded length. */
static void a_long_unknown_name_is_cut(void **state)
{
    struct site *site = *state;
    char target[600] = "/";

    start(site);
    memset(target + 1, 'n', 500);
    strcat(target, "/k");
    site_get(site, target);
    site_expect_problem(site, 404, "unknown-cache", "nnnn");
    assert_true(site->answer.body_size < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(the_key_is_the_rest_of_the_path_percent_decoded_once),
        SITE_TEST(slashes_are_left_as_they_are),
        SITE_TEST(a_key_that_could_lead_out_of_the_url_is_not_sent),
        SITE_TEST(two_ways_to_write_a_key_are_one_entry),
        SITE_TEST(a_key_of_the_greatest_size_is_taken_decoded),
        SITE_TEST(what_names_no_value_is_told_why),
        SITE_TEST(a_long_unknown_name_is_cut),
    };

    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
