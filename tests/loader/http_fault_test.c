/* SPDX-License-Identifier: MIT */
/*
 * http_fault_test.c: the http backend with options that are wrong and an origin that misbehaves: each gets its own
 * words, and the next load goes well again.
 */
#include "http_fixture.h"

#include <stdlib.h>

/* Long enough for a load that is answered, short enough to wait for. */
enum { SHORT_TIMEOUT_MS = 300 };

static void expect_fault(const struct http_backend_options *options, const char *words)
{
    struct backend backend = {0};
    struct backend_fault fault = {""};

    if (http_backend_create(options, &backend, &fault))
        fail_msg("%s is taken", options->url);
    assert_null(backend.kind);
    if (!strstr(fault.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, fault.text);
    if (strstr(fault.text, "secret"))
        fail_msg("a password in \"%s\"", fault.text);
}

static void wrong_options_are_refused_with_words_for_each(void **state)
{
    static const struct http_backend_options GOOD = {"http://h/{key}", 1, 0, 1, 1, 1, false, SLUICE_NEVER};
    struct http_backend_options options;

    (void)state;
#define EXPECT_FAULT(field, value, words) (options = GOOD, options.field = (value), expect_fault(&options, words))
    EXPECT_FAULT(max_concurrent, 0, "max_concurrent must be 1 to");
    EXPECT_FAULT(queue_max, SIZE_MAX, "out of memory for a queue of 18446744073709551615 loads");
    EXPECT_FAULT(body_size_max, 0, "must be at least 1 byte");
    EXPECT_FAULT(timeout_ms, 0, "timeout must be 1 to 2147483647 ms");
    EXPECT_FAULT(timeout_ms, SLUICE_NEVER, "timeout must be 1 to 2147483647 ms");
    EXPECT_FAULT(timeout_ms, INT64_C(1) << 31, "timeout must be 1 to 2147483647 ms");
    EXPECT_FAULT(connect_timeout_ms, 0, "connect_timeout must be 1 to 2147483647 ms");
    EXPECT_FAULT(ttl_max_ms, -7, "the longest time to live");
    EXPECT_FAULT(url, "file:///etc/{key}", "does not begin with http:// or https://");
    EXPECT_FAULT(url, "http://h/", "has no {key} in it");
    EXPECT_FAULT(url, "http://me:secret@h:99999/{key}", "url http://h:99999/KEY: Port number");
    EXPECT_FAULT(url, "http://me:secret@h h/{key}", "url http://h h/KEY: ");
    EXPECT_FAULT(url, "http://[::1/{key}", "url http://[::1/KEY: ");
    EXPECT_FAULT(url, "http://h/a b/{key}", "url http://h/a b/KEY: ");
#undef EXPECT_FAULT
}

/* One load that meets this answer comes to that; the next one, well answered, goes well. */
static void expect_misbehaviour(struct http_fixture *fixture, const struct scripted_answer *answer,
                                enum sluice_error error, const char *words)
{
    http_fixture_open(fixture, "/{key}");
    http_fixture_answer(fixture, "/well", "well");
    scripted_backend_script(fixture->origin, "/ill", answer);
    http_fixture_expect_failure(fixture, "ill", error, words);
    if (words)
        assert_non_null(strstr(sluice_outcome_reason(&fixture->outcome), scripted_backend_url(fixture->origin)));
    assert_int_equal(0, http_fixture_stats(fixture).running);
    http_fixture_expect(fixture, "well", "well");
}

static void a_refused_connection_is_a_failure(void **state)
{
    struct http_fixture *fixture = *state;

    scripted_backend_refuse(fixture->origin, true);
    http_fixture_open(fixture, "/{key}");
    http_fixture_answer(fixture, "/k", "back");
    http_fixture_expect_failure(fixture, "k", SLUICE_LOAD_FAILED, "Failed to connect to 127.0.0.1");
    scripted_backend_refuse(fixture->origin, false);
    http_fixture_expect(fixture, "k", "back");
}

static void a_host_that_has_no_address_is_a_failure(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "http://me:secret@no-such-host.invalid/{key}");
    http_fixture_expect_failure(fixture, "k", SLUICE_LOAD_FAILED, "Could not resolve host: no-such-host.invalid");
    assert_null(strstr(sluice_outcome_reason(&fixture->outcome), "secret"));
}

static void a_reset_connection_is_a_failure(void **state)
{
    expect_misbehaviour(*state, &(struct scripted_answer){.manner = SCRIPTED_RESET}, SLUICE_LOAD_FAILED,
                        "Connection reset by peer");
}

static void a_connection_closed_without_a_word_is_a_failure(void **state)
{
    expect_misbehaviour(*state, &(struct scripted_answer){.manner = SCRIPTED_CLOSE}, SLUICE_LOAD_FAILED,
                        "Empty reply from server");
}

/* ---- kept connections that the origin gives up just then --------------------------------------------------------- */

/* The first request for a path is met in this manner, the others are answered; those for "/warm" all. */
static void give_up_first(void *arg, const struct scripted_request *request, struct scripted_answer *answer)
{
    const enum scripted_manner *manner = arg;

    answer->body = request->path;
    if (request->number == 1 && strcmp(request->path, "/warm") != 0)
        answer->manner = *manner;
}

/* More of them than the tries that curl has in all. */
static void expect_given_up_connections_to_be_replaced(struct http_fixture *fixture, enum scripted_manner manner)
{
    enum { TIMES = 12 };

    http_fixture_open(fixture, "/{key}");
    scripted_backend_handle(fixture->origin, give_up_first, &manner);
    http_fixture_expect(fixture, "warm", "/warm");
    for (char key[] = "a"; key[0] < 'a' + TIMES; key[0]++) {
        char path[] = {'/', key[0], '\0'};

        http_fixture_expect(fixture, key, path);
        assert_int_equal(2, scripted_backend_requests(fixture->origin, path));
    }
    assert_int_equal(1 + TIMES, scripted_backend_connections(fixture->origin));
}

static void a_kept_connection_that_is_closed_is_replaced_however_often(void **state)
{
    expect_given_up_connections_to_be_replaced(*state, SCRIPTED_CLOSE);
}

static void a_kept_connection_that_is_reset_is_replaced_however_often(void **state)
{
    expect_given_up_connections_to_be_replaced(*state, SCRIPTED_RESET);
}

static void a_request_that_is_reset_on_a_new_connection_too_is_a_failure(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/{key}");
    http_fixture_answer(fixture, "/warm", "warm");
    scripted_backend_script(fixture->origin, "/k", &(struct scripted_answer){.manner = SCRIPTED_RESET});
    http_fixture_expect(fixture, "warm", "warm");
    http_fixture_expect_failure(fixture, "k", SLUICE_LOAD_FAILED, "Connection reset by peer");
    assert_int_equal(2, scripted_backend_requests(fixture->origin, "/k"));
}

static void an_answer_that_has_begun_is_not_asked_for_again(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/{key}");
    http_fixture_answer(fixture, "/warm", "warm");
    scripted_backend_script(fixture->origin, "/k", &(struct scripted_answer){.manner = SCRIPTED_SHORT, .body = "half"});
    http_fixture_expect(fixture, "warm", "warm");
    http_fixture_expect_failure(fixture, "k", SLUICE_LOAD_FAILED, "10 bytes remaining to read");
    assert_int_equal(1, scripted_backend_requests(fixture->origin, "/k"));
}

/* ---- answers that are none --------------------------------------------------------------------------------------- */

static void a_short_answer_is_a_failure(void **state)
{
    expect_misbehaviour(*state, &(struct scripted_answer){.manner = SCRIPTED_SHORT, .body = "half"}, SLUICE_LOAD_FAILED,
                        "10 bytes remaining to read");
}

static void a_chunked_answer_that_breaks_off_is_a_failure(void **state)
{
    expect_misbehaviour(
        *state,
        &(struct scripted_answer){.manner = SCRIPTED_RAW,
                                  .body = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nvalue\r\n"},
        SLUICE_LOAD_FAILED, "");
}

/* What has come of the head says 200 or 404: neither an empty value nor a not-found may be made of that. */
static void a_head_that_breaks_off_is_a_failure(void **state)
{
    static const char *const HEADS[] = {
        "HTTP/1.1 200 OK\r\nContent-Len",
        "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 204 No Content\r\n",
        "HTTP/1.1 404 Not Found\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n",
    };
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/{key}");
    http_fixture_answer(fixture, "/well", "well");
    for (size_t i = 0; i < COUNT_OF(HEADS); i++) {
        scripted_backend_script(fixture->origin, "/ill",
                                &(struct scripted_answer){.manner = SCRIPTED_RAW, .body = HEADS[i]});
        http_fixture_expect_failure(fixture, "ill", SLUICE_LOAD_FAILED,
                                    "the connection was closed within the answer's head (http://");
    }
    http_fixture_expect(fixture, "well", "well");
}

static void garbage_is_a_failure(void **state)
{
    expect_misbehaviour(*state, &(struct scripted_answer){.manner = SCRIPTED_RAW, .body = "\x01\x02 rubbish\r\n\r\n"},
                        SLUICE_LOAD_FAILED, "HTTP/0.9");
}

/* The load that meets this answer times out, and when its time is over: not before, not at some other timeout. */
static void expect_time_out(struct http_fixture *fixture, const struct scripted_answer *answer)
{
    static const char WORDS[] = "timed out after ";
    const char *words;

    fixture->options.timeout_ms = SHORT_TIMEOUT_MS;
    expect_misbehaviour(fixture, answer, SLUICE_LOAD_TIMED_OUT, NULL);
    http_fixture_expect_failure(fixture, "ill", SLUICE_LOAD_TIMED_OUT, scripted_backend_url(fixture->origin));
    words = strstr(sluice_outcome_reason(&fixture->outcome), WORDS);
    assert_non_null(words);
    /* curl counts whole milliseconds from within one. */
    assert_in_range(strtol(words + sizeof WORDS - 1, NULL, 10), SHORT_TIMEOUT_MS - 1, 10 * SHORT_TIMEOUT_MS);
}

static void a_hanging_origin_times_the_load_out(void **state)
{
    expect_time_out(*state, &(struct scripted_answer){.manner = SCRIPTED_HANG});
}

static void an_answer_that_stalls_times_the_load_out(void **state)
{
    expect_time_out(*state, &(struct scripted_answer){.manner = SCRIPTED_STALL, .body = "never"});
}

static void a_dripping_answer_times_the_load_out(void **state)
{
    expect_time_out(*state, &(struct scripted_answer){.drip_ms = 20, .body = "slow"});
}

static void an_answer_that_is_late_but_in_time_is_a_value(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/{key}");
    scripted_backend_script(fixture->origin, "/late", &(struct scripted_answer){.delay_ms = 50, .body = "late"});
    scripted_backend_script(fixture->origin, "/drip", &(struct scripted_answer){.drip_ms = 1, .body = "drop"});
    http_fixture_expect(fixture, "late", "late");
    http_fixture_expect(fixture, "drip", "drop");
}

static void a_body_over_the_limit_is_a_failure_as_soon_as_its_length_is_told(void **state)
{
    struct http_fixture *fixture = *state;

    /* Only what the head says can end this load: the body never comes. */
    char body[101];

    memset(body, 'x', sizeof body);
    fixture->options.body_size_max = 100;
    http_fixture_open(fixture, "/{key}");
    scripted_backend_script(
        fixture->origin, "/k",
        &(struct scripted_answer){.manner = SCRIPTED_STALL, .body = body, .body_size = sizeof body});
    http_fixture_expect_failure(fixture, "k", SLUICE_VALUE_TOO_LARGE, "the answer is larger than 100 bytes (http://");
}

static void a_body_over_the_limit_without_a_length_is_broken_off(void **state)
{
    struct http_fixture *fixture = *state;

    fixture->options.body_size_max = 4;
    expect_misbehaviour(fixture, &(struct scripted_answer){.manner = SCRIPTED_CHUNKED, .body = "12345"},
                        SLUICE_VALUE_TOO_LARGE, "the answer is larger than 4 bytes (http://");
}

static void a_coding_that_was_not_asked_for_is_a_failure(void **state)
{
    static const struct {
        const char *headers, *words;
    } CASES[] = {
        {"Content-Encoding: gzip\r\n", "a content coding that was not asked for, gzip (http://"},
        {"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n", "not asked for, gzip (http://"},
        {"Content-Encoding:\r\nContent-Encoding: identity\r\ncontent-encoding: br\r\n", "not asked for, br (http://"},
        {"Content-Encoding: identity, gzip\r\n", "not asked for, identity, gzip (http://"},
    };
    struct http_fixture *fixture = *state;

    http_fixture_open(fixture, "/{key}");
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        scripted_backend_script(fixture->origin, "/k",
                                &(struct scripted_answer){.headers = CASES[i].headers, .body = "\x1f\x8b"});
        http_fixture_expect_failure(fixture, "k", SLUICE_LOAD_FAILED, CASES[i].words);
    }
    scripted_backend_script(
        fixture->origin, "/k",
        &(struct scripted_answer){.headers = "Content-Encoding: identity\r\nContent-Encoding: , Identity\r\n",
                                  .body = "plain"});
    http_fixture_expect(fixture, "k", "plain");
}

/* The body of an error is no value: whatever its size, the status alone counts. */
static void the_body_of_an_error_is_not_held_against_it(void **state)
{
    enum { SIZE = 3 << 20 };
    static const struct {
        const char *key;
        int status;
        enum scripted_manner manner;
        enum sluice_error error;
    } CASES[] = {
        {"a", 404, SCRIPTED_ANSWER, SLUICE_NOT_FOUND},
        {"b", 404, SCRIPTED_CHUNKED, SLUICE_NOT_FOUND},
        {"c", 500, SCRIPTED_ANSWER, SLUICE_LOAD_FAILED},
        {"d", 500, SCRIPTED_CHUNKED, SLUICE_LOAD_FAILED},
    };
    struct http_fixture *fixture = *state;
    char *body = calloc(1, SIZE);

    assert_non_null(body);
    fixture->options.body_size_max = 100;
    http_fixture_open(fixture, "/{key}");
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        scripted_backend_script(
            fixture->origin, NULL,
            &(struct scripted_answer){
                .manner = CASES[i].manner, .status = CASES[i].status, .body = body, .body_size = SIZE});
        http_fixture_expect_failure(fixture, CASES[i].key, CASES[i].error,
                                    CASES[i].status == 500 ? "HTTP 500 from " : NULL);
    }
    free(body);
}

static void everybody_who_waits_gets_the_one_failure(void **state)
{
    struct http_fixture *fixture = *state;
    struct http_call *calls[10];

    http_fixture_open(fixture, "/{key}");
    scripted_backend_script(fixture->origin, "/k", &(struct scripted_answer){.status = 503, .held = true});
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        calls[i] = http_fixture_begin(fixture, "k");
    assert_true(scripted_backend_await_held(fixture->origin, 1, AWAIT_MS_MAX));
    scripted_backend_open(fixture->origin);
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        http_fixture_await(calls[i], SLUICE_LOAD_FAILED, "HTTP 503 from ");
    assert_int_equal(1, scripted_backend_requests(fixture->origin, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused_with_words_for_each),
        HTTP_TEST(a_refused_connection_is_a_failure),
        HTTP_TEST(a_host_that_has_no_address_is_a_failure),
        HTTP_TEST(a_reset_connection_is_a_failure),
        HTTP_TEST(a_connection_closed_without_a_word_is_a_failure),
        HTTP_TEST(a_kept_connection_that_is_closed_is_replaced_however_often),
        HTTP_TEST(a_kept_connection_that_is_reset_is_replaced_however_often),
        HTTP_TEST(a_request_that_is_reset_on_a_new_connection_too_is_a_failure),
        HTTP_TEST(an_answer_that_has_begun_is_not_asked_for_again),
        HTTP_TEST(a_short_answer_is_a_failure),
        HTTP_TEST(a_chunked_answer_that_breaks_off_is_a_failure),
        HTTP_TEST(a_head_that_breaks_off_is_a_failure),
        HTTP_TEST(garbage_is_a_failure),
        HTTP_TEST(a_hanging_origin_times_the_load_out),
        HTTP_TEST(an_answer_that_stalls_times_the_load_out),
        HTTP_TEST(a_dripping_answer_times_the_load_out),
        HTTP_TEST(an_answer_that_is_late_but_in_time_is_a_value),
        HTTP_TEST(a_body_over_the_limit_is_a_failure_as_soon_as_its_length_is_told),
        HTTP_TEST(a_body_over_the_limit_without_a_length_is_broken_off),
        HTTP_TEST(a_coding_that_was_not_asked_for_is_a_failure),
        HTTP_TEST(the_body_of_an_error_is_not_held_against_it),
        HTTP_TEST(everybody_who_waits_gets_the_one_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
