/* SPDX-License-Identifier: MIT */
/* http_test.c: the http backend with an origin that behaves: what is asked, and what each answer becomes. */
#include "http_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void a_value_comes_with_its_media_type_and_strong_etag(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/users/{key}");
    scripted_backend_script(
        fixture->origin, "/users/42",
        &(struct scripted_answer){
            .headers = "Content-Type: text/plain; charset=utf-8\r\nETag: \"v1\"\r\n", .body = "A\0a", .body_size = 3});
    assert_int_equal(SLUICE_OK, http_fixture_get(fixture, "42"));
    assert_int_equal(3, sluice_value_size(fixture->outcome.value));
    assert_memory_equal("A\0a", sluice_value_data(fixture->outcome.value), 3);
    assert_string_equal("text/plain; charset=utf-8", sluice_value_content_type(fixture->outcome.value));
    assert_string_equal("\"v1\"", sluice_value_etag(fixture->outcome.value));
    http_fixture_expect(fixture, "42", NULL);
    assert_int_equal(SLUICE_SOURCE_HIT, fixture->outcome.source);
    assert_int_equal(1, scripted_backend_requests(fixture->origin, NULL));
}

static void headers_that_cannot_be_passed_on_are_dropped(void **state)
{
    struct http_fixture *fixture = *state;
    char type[300];

    http_fixture_open(fixture, "/{key}");
    memset(type, 'a', sizeof type);
    memcpy(type, "Content-Type: a/", 16);
    memcpy(type + sizeof type - 3, "\r\n", 3);
    scripted_backend_script(fixture->origin, "/long", &(struct scripted_answer){.headers = type, .body = "x"});
    scripted_backend_script(
        fixture->origin, "/weak",
        &(struct scripted_answer){.headers = "ETag: W/\"v1\"\r\nContent-Type: a/\x01z\r\n", .body = "x"});
    scripted_backend_script(fixture->origin, "/list",
                            &(struct scripted_answer){.headers = "Content-Type: a, b c;;;\"\r\n", .body = "x"});
    http_fixture_expect(fixture, "long", "x");
    assert_null(sluice_value_content_type(fixture->outcome.value));
    assert_null(sluice_value_etag(fixture->outcome.value));
    http_fixture_expect(fixture, "list", "x");
    assert_null(sluice_value_content_type(fixture->outcome.value));
    http_fixture_expect(fixture, "weak", "x");
    assert_null(sluice_value_content_type(fixture->outcome.value));
    assert_null(sluice_value_etag(fixture->outcome.value));
}

static void a_key_of_any_bytes_is_percent_encoded_into_the_url(void **state)
{
    static const char KEY[] = "a/..b c\0\xc3\xa9%41?&#~";
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/x/{key}/y?z=1");
    http_fixture_answer(fixture, "/x/a%2F..b%20c%00%C3%A9%2541%3F%26%23~/y?z=1", "found");
    assert_int_equal(SLUICE_OK, http_fixture_get_bytes(fixture, KEY, sizeof KEY - 1));
}

static void a_key_can_stand_in_the_query(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/find?a=b&q={key}&c=d");
    http_fixture_answer(fixture, "/find?a=b&q=x%26c%3De&c=d", "found");
    http_fixture_expect(fixture, "x&c=e", "found");
}

static void a_key_that_could_lead_out_of_the_path_is_not_sent(void **state)
{
    static const char *const KEYS[] = {".", "..", "a/../b", "../../x", "..\\x"};
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/a/{key}");
    scripted_backend_script(fixture->origin, NULL, &(struct scripted_answer){.body = "secret"});
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        http_fixture_expect_failure(fixture, KEYS[i], SLUICE_LOAD_FAILED, "the key was not sent: ");
    assert_int_equal(0, scripted_backend_requests(fixture->origin, NULL));
    /* What is no dot once it is decoded goes out, and as it was meant. */
    http_fixture_answer(fixture, "/a/..%252F..", "one");
    http_fixture_answer(fixture, "/a/%252e%252e", "two");
    http_fixture_answer(fixture, "/a/...", "three");
    http_fixture_expect(fixture, "..%2F..", "one");
    http_fixture_expect(fixture, "%2e%2e", "two");
    http_fixture_expect(fixture, "...", "three");
}

static void dots_in_the_query_lead_nowhere(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/find?q={key}");
    http_fixture_answer(fixture, "/find?q=..%2F..", "found");
    http_fixture_expect(fixture, "../..", "found");
}

static void the_longest_key_there_can_be_is_sent_whole(void **state)
{
    enum { KEY_SIZE = 65535 };
    struct http_fixture *fixture = *state;
    char *key = malloc(KEY_SIZE), *head;

    assert_non_null(key);
    memset(key, '/', KEY_SIZE);
    fixture->cache_options.key_size_max = KEY_SIZE;
    http_fixture_open(fixture, "/{key}");
    scripted_backend_script(fixture->origin, NULL, &(struct scripted_answer){.body = "long"});
    assert_int_equal(SLUICE_OK, http_fixture_get_bytes(fixture, key, KEY_SIZE));
    head = scripted_backend_last_head(fixture->origin);
    assert_int_equal(strlen("GET /") + 3 * KEY_SIZE, strcspn(head + 4, " ") + 4);
    free(head);
    free(key);
}

static void the_request_says_who_asks_and_wants_no_coding(void **state)
{
    struct http_fixture *fixture = *state;
    char *head;

    http_fixture_open(fixture, "/{key}");
    http_fixture_answer(fixture, "/k", "x");
    http_fixture_expect(fixture, "k", "x");
    head = scripted_backend_last_head(fixture->origin);
    assert_non_null(strstr(head, "GET /k HTTP/1.1\r\n"));
    assert_non_null(strstr(head, "\r\nUser-Agent: sluice/" SLUICE_VERSION "\r\n"));
    assert_non_null(strstr(head, "\r\nAccept-Encoding: identity\r\n"));
    assert_null(strstr(head, "\r\nAuthorization:"));
    free(head);
}

static void user_and_password_of_the_url_are_sent_and_never_shown(void **state)
{
    struct http_fixture *fixture = *state;
    char url[128], *head;

    snprintf(url, sizeof url, "http://ada:secret@127.0.0.1:%u/{key}?t=token", scripted_backend_port(fixture->origin));
    http_fixture_open(fixture, url);
    scripted_backend_script(fixture->origin, NULL, &(struct scripted_answer){.status = 500});
    snprintf(url, sizeof url, "HTTP 500 from http://127.0.0.1:%u/a%%20b", scripted_backend_port(fixture->origin));
    http_fixture_expect_failure(fixture, "a b", SLUICE_LOAD_FAILED, url);
    assert_string_equal(url, sluice_outcome_reason(&fixture->outcome));
    head = scripted_backend_last_head(fixture->origin);
    assert_non_null(strstr(head, "GET /a%20b?t=token HTTP/1.1\r\n"));
    assert_non_null(strstr(head, "\r\nAuthorization: Basic YWRhOnNlY3JldA==\r\n"));
    free(head);

    scripted_backend_refuse(fixture->origin, true);
    http_fixture_expect_failure(fixture, "refused", SLUICE_LOAD_FAILED, "Failed to connect");
    assert_null(strstr(sluice_outcome_reason(&fixture->outcome), "secret"));
    assert_null(strstr(sluice_outcome_reason(&fixture->outcome), "token"));
}

static void status_404_and_410_are_not_found(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/{key}");
    scripted_backend_script(fixture->origin, "/a", &(struct scripted_answer){.status = 404, .body = "no such user"});
    scripted_backend_script(fixture->origin, "/b", &(struct scripted_answer){.status = 410});
    assert_int_equal(SLUICE_NOT_FOUND, http_fixture_get(fixture, "a"));
    assert_int_equal(SLUICE_NOT_FOUND, http_fixture_get(fixture, "b"));
}

static void every_other_status_is_a_failure_that_names_it(void **state)
{
    static const int STATUSES[] = {206, 300, 301, 302, 304, 307, 400, 401, 403, 408, 429, 500, 502, 503, 504, 599};
    struct http_fixture *fixture = *state;
    char key[8], words[32];

    http_fixture_open(fixture, "/{key}");
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++) {
        snprintf(key, sizeof key, "%d", STATUSES[i]);
        snprintf(words, sizeof words, "HTTP %d from http://", STATUSES[i]);
        scripted_backend_script(
            fixture->origin, NULL,
            &(struct scripted_answer){.status = STATUSES[i], .headers = "Location: /ok\r\n", .body = "why"});
        http_fixture_expect_failure(fixture, key, SLUICE_LOAD_FAILED, words);
    }
    assert_int_equal(0, scripted_backend_requests(fixture->origin, "/ok"));
}

static void every_success_is_a_value_with_204_an_empty_one(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/{key}");
    scripted_backend_script(fixture->origin, "/200", &(struct scripted_answer){.status = 200});
    scripted_backend_script(fixture->origin, "/203", &(struct scripted_answer){.status = 203, .body = "x"});
    scripted_backend_script(fixture->origin, "/204", &(struct scripted_answer){.status = 204});
    http_fixture_expect(fixture, "200", "");
    http_fixture_expect(fixture, "203", "x");
    http_fixture_expect(fixture, "204", "");
}

static void interim_answers_and_trailers_are_passed_over(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/{key}");
    scripted_backend_script(
        fixture->origin, "/k",
        &(struct scripted_answer){.manner = SCRIPTED_RAW,
                                  .body = "HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\n\r\n"
                                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"right\"\r\n\r\n"
                                          "5\r\nvalue\r\n0\r\nETag: \"late\"\r\n\r\n"});
    http_fixture_expect(fixture, "k", "value");
    assert_string_equal("\"right\"", sluice_value_etag(fixture->outcome.value));
}

static void a_value_can_be_as_large_as_the_limit(void **state)
{
    enum { SIZE = 5 << 20 };
    struct http_fixture *fixture = *state;
    char *body = malloc(SIZE);

    assert_non_null(body);
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)(i * 2654435761u >> 24);
    fixture->options.body_size_max = SIZE;
    http_fixture_open(fixture, "/{key}");
    scripted_backend_script(fixture->origin, "/a", &(struct scripted_answer){.body = body, .body_size = SIZE});
    scripted_backend_script(fixture->origin, "/b",
                            &(struct scripted_answer){.manner = SCRIPTED_CHUNKED, .body = body, .body_size = SIZE});
    for (const char *key = "ab"; *key; key++) {
        assert_int_equal(SLUICE_OK, http_fixture_get_bytes(fixture, key, 1));
        assert_int_equal(SIZE, sluice_value_size(fixture->outcome.value));
        assert_memory_equal(body, sluice_value_data(fixture->outcome.value), SIZE);
    }
    free(body);
}

/* Loads a value that comes with these headers, and tells the time to live that it got. */
static int64_t ttl_of(struct http_fixture *fixture, const char *key, const char *headers)
{
    scripted_backend_script(fixture->origin, NULL, &(struct scripted_answer){.headers = headers, .body = "x"});
    http_fixture_expect(fixture, key, "x");
    return fixture->outcome.ttl_ms;
}

static void cache_control_shortens_the_time_to_live_where_it_is_respected(void **state)
{
    struct http_fixture *fixture = *state;

    fixture->options.respect_cache_control = true;
    fixture->options.ttl_max_ms = 1000000;
    fixture->cache_options.expire_after_write_ms = 1000000;
    http_fixture_open(fixture, "/{key}");
    assert_in_range(ttl_of(fixture, "a", "Cache-Control: max-age=600\r\n"), 500000, 600000);
    assert_in_range(ttl_of(fixture, "b", "Cache-Control: max-age=600\r\ncache-control: s-maxage=300\r\n"), 200000,
                    300000);
    assert_in_range(ttl_of(fixture, "c", "Cache-Control: max-age=600\r\nAge: 400\r\n"), 100000, 200000);
    assert_in_range(ttl_of(fixture, "d", "Cache-Control: max-age=9999999\r\n"), 900000, 1000000);
    assert_in_range(ttl_of(fixture, "e", ""), 900000, 1000000);
    assert_int_equal(0, ttl_of(fixture, "f", "Cache-Control: max-age=600\r\nCache-Control: private\r\n"));
    assert_false(fixture->outcome.stored);
    assert_int_equal(0, ttl_of(fixture, "f", "Cache-Control: no-store\r\n"));
    assert_int_equal(2, scripted_backend_requests(fixture->origin, "/f"));
}

static void expires_and_vary_shorten_it_too(void **state)
{
    static const char DATE[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    struct http_fixture *fixture = *state;
    char headers[256];

    fixture->options.respect_cache_control = true;
    fixture->options.ttl_max_ms = 1000000;
    fixture->cache_options.expire_after_write_ms = 1000000;
    http_fixture_open(fixture, "/{key}");
    snprintf(headers, sizeof headers, "%sExpires: Sun, 06 Nov 1994 08:59:37 GMT\r\n", DATE);
    assert_in_range(ttl_of(fixture, "a", headers), 500000, 600000);
    snprintf(headers, sizeof headers, "%sExpires: Sunday, 06-Nov-94 08:59:37 GMT\r\nAge: 400\r\n", DATE);
    assert_in_range(ttl_of(fixture, "b", headers), 100000, 200000);
    snprintf(headers, sizeof headers, "%sExpires: 0\r\nCache-Control: max-age=300\r\n", DATE);
    assert_in_range(ttl_of(fixture, "c", headers), 200000, 300000);
    /* Without a date: from now on. */
    assert_in_range(ttl_of(fixture, "d", "Expires: Fri, 31 Dec 2100 23:59:59 GMT\r\n"), 900000, 1000000);
    assert_int_equal(0, ttl_of(fixture, "e", "Expires: Sun, 06 Nov 1994 08:59:37 GMT\r\n"));
    assert_int_equal(0, ttl_of(fixture, "f", "Expires: 0\r\n"));
    assert_int_equal(0, ttl_of(fixture, "g", "Expires: -1\r\n"));
    assert_int_equal(0, ttl_of(fixture, "h", "Expires:\r\n"));
    assert_int_equal(0, ttl_of(fixture, "i", "Cache-Control: max-age=600\r\nVary: Accept\r\nVary: *\r\n"));
    assert_false(fixture->outcome.stored);
    assert_in_range(ttl_of(fixture, "j", "Vary: Accept-Encoding\r\n"), 900000, 1000000);
}

static void cache_control_is_left_aside_where_it_is_not_respected(void **state)
{
    struct http_fixture *fixture = *state;

    fixture->cache_options.expire_after_write_ms = 1000000;
    http_fixture_open(fixture, "/{key}");
    assert_in_range(ttl_of(fixture, "a", "Cache-Control: no-store\r\n"), 900000, 1000000);
    assert_in_range(ttl_of(fixture, "b", "Cache-Control: max-age=1\r\n"), 900000, 1000000);
    assert_in_range(ttl_of(fixture, "c", "Expires: 0\r\nVary: *\r\n"), 900000, 1000000);
}

static void a_proxy_of_the_environment_is_not_used(void **state)
{
    struct http_fixture *fixture = *state;
    struct scripted_backend *proxy = scripted_backend_create();

    assert_int_equal(0, setenv("http_proxy", scripted_backend_url(proxy), 1));
    assert_int_equal(0, setenv("ALL_PROXY", scripted_backend_url(proxy), 1));
    http_fixture_open(fixture, "/{key}");
    http_fixture_answer(fixture, "/k", "straight");
    http_fixture_expect(fixture, "k", "straight");
    assert_int_equal(0, scripted_backend_connections(proxy));
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    scripted_backend_destroy(proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_value_comes_with_its_media_type_and_strong_etag),
        HTTP_TEST(headers_that_cannot_be_passed_on_are_dropped),
        HTTP_TEST(a_key_of_any_bytes_is_percent_encoded_into_the_url),
        HTTP_TEST(a_key_can_stand_in_the_query),
        HTTP_TEST(a_key_that_could_lead_out_of_the_path_is_not_sent),
        HTTP_TEST(dots_in_the_query_lead_nowhere),
        HTTP_TEST(the_longest_key_there_can_be_is_sent_whole),
        HTTP_TEST(the_request_says_who_asks_and_wants_no_coding),
        HTTP_TEST(user_and_password_of_the_url_are_sent_and_never_shown),
        HTTP_TEST(status_404_and_410_are_not_found),
        HTTP_TEST(every_other_status_is_a_failure_that_names_it),
        HTTP_TEST(every_success_is_a_value_with_204_an_empty_one),
        HTTP_TEST(interim_answers_and_trailers_are_passed_over),
        HTTP_TEST(a_value_can_be_as_large_as_the_limit),
        HTTP_TEST(cache_control_shortens_the_time_to_live_where_it_is_respected),
        HTTP_TEST(expires_and_vary_shorten_it_too),
        HTTP_TEST(cache_control_is_left_aside_where_it_is_not_respected),
        HTTP_TEST(a_proxy_of_the_environment_is_not_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
