/* SPDX-License-Identifier: MIT */
/*
 * request_errors_test.c: requests that are wrong, or could be taken for two: each gets its own answer, the connection
 * is closed where nobody could say any more where the next request begins, and the server goes on serving.
 *
 * What follows a request that must be refused is a second one, for the key "smuggled": it must never be served.
 */
#include "site.h"

#include <stdio.h>

#define SMUGGLED "GET /c/smuggled HTTP/1.1\r\nHost: h\r\n\r\n" /* 37 bytes */

struct wrong {
    const char *request;
    int status;
    const char *word; /* NULL: libmicrohttpd answers by itself, with a page of its own */
};

static void start(struct site *site)
{
    site_script(site, "/k", "v");
    site_start(site, "header_size_max = 4KiB\n" SITE_CACHE("c", ""));
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; fwd=miss; stored");
}

/* Others are served as before, and the origin has seen nothing but what start() asked for. */
static void expect_unharmed(struct site *site)
{
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; hit");
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
}

static void expect_answer(struct site *site, struct client *client, const struct wrong *wrong)
{
    if (!client_receive(client, ANSWER_TO_GET, &site->answer))
        fail_msg("no answer to:\n%s", wrong->request);
    if (site->answer.status != wrong->status)
        fail_msg("status %d, not %d, for:\n%s", site->answer.status, wrong->status, wrong->request);
    if (wrong->word)
        site_expect_problem(site, wrong->status, wrong->word, NULL);
}

/* Each is answered, and its connection closed. */
static void expect_refused(struct site *site, const struct wrong *wrong, size_t count)
{
    start(site);
    for (size_t i = 0; i < count; i++) {
        struct client *client = client_open(site->daemon->data_port);

        client_sendf(client, "%s", wrong[i].request);
        expect_answer(site, client, &wrong[i]);
        site_expect_field(site, "Connection", "close");
        client_await_end(client);
        client_close(client);
    }
    expect_unharmed(site);
}

static void what_could_be_taken_for_two_requests_is_refused(void **state)
{
#define GET "GET /c/k HTTP/1.1\r\nHost: h\r\n"
    static const struct wrong wrong[] = {
        {GET "Transfer-Encoding: chunked\r\nContent-Length: 37\r\n\r\n0\r\n\r\n" SMUGGLED, 400, "transfer-encoding"},
        {GET "Content-Length: 37\r\nTransfer-Encoding: chunked\r\n\r\n" SMUGGLED, 400, "transfer-encoding"},
        {GET "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED, 400, "transfer-encoding"},
        {GET "Transfer-Encoding: identity\r\n\r\n" SMUGGLED, 400, "transfer-encoding"},
        {GET "Transfer-Encoding: x-unknown, chunked\r\n\r\n" SMUGGLED, 400, "transfer-encoding"},
        {GET "Transfer-Encoding:\r\n\r\n" SMUGGLED, 400, "transfer-encoding"},
        {"GET /c/k HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" SMUGGLED, 400, "transfer-encoding"},
        {GET "Content-Length: 0\r\nContent-Length: 37\r\n\r\n" SMUGGLED, 400, "header-repeated"},
        {GET "Content-Length: 37\r\nContent-Length: 37\r\n\r\n" SMUGGLED, 400, "header-repeated"},
        {GET "Host: other\r\n\r\n" SMUGGLED, 400, "header-repeated"},
        {GET "Content-Length : 37\r\n\r\n" SMUGGLED, 400, "header-malformed"}, /* RFC 9112, 5.1 */
        {GET "Content-Length\t: 37\r\n\r\n" SMUGGLED, 400, "header-malformed"},
        {GET "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED, 400, "header-malformed"},
        {GET "Content-Length:\r\n 37\r\n\r\n" SMUGGLED, 400, "header-malformed"}, /* RFC 9112, 5.2 */
        {GET "Content-Length: 3\r\n\t7\r\nX: y\r\n\r\n" SMUGGLED, 400, "header-malformed"},
        {GET "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" SMUGGLED, 400, "header-malformed"},
        {GET "X: y\rContent-Length: 37\r\n\r\n" SMUGGLED, 400, "header-malformed"}, /* RFC 9110, 5.5 */
        {GET "a b: c\r\n\r\n" SMUGGLED, 400, "header-malformed"},
        {GET "(a): c\r\n\r\n" SMUGGLED, 400, "header-malformed"},
        {GET ": c\r\n\r\n" SMUGGLED, 400, "header-malformed"},
        {GET "no colon\r\n\r\n" SMUGGLED, 400, NULL},
    };
#undef GET

    expect_refused(*state, wrong, COUNT_OF(wrong));
}

static void a_body_is_refused(void **state)
{
    static const struct wrong wrong[] = {
        {"GET /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 37\r\n\r\n" SMUGGLED, 400, "body-not-allowed"},
        {"DELETE /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", 400, "body-not-allowed"},
        {"GET /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 37\r\nExpect: 100-continue\r\n\r\n", 400, "body-not-allowed"},
        {"GET /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" SMUGGLED, 413, "body-too-large"},
    };

    expect_refused(*state, wrong, COUNT_OF(wrong));
}

static void a_host_is_needed_and_has_to_be_one(void **state)
{
    static const struct wrong wrong[] = {
        {"GET /c/k HTTP/1.1\r\n\r\n" SMUGGLED, 400, "host-missing"},
        {"GET /c/k HTTP/1.1\r\nX-Host: h\r\n\r\n", 400, "host-missing"},
        {"POST /c/k HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400, "host-missing"},
        {"GET http://h/c/k HTTP/1.1\r\n\r\n", 400, "host-missing"},
        {"GET /c/k HTTP/1.2\r\n\r\n", 400, "host-missing"},
        {"GET /c/k HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "host-invalid"}, /* RFC 9112, 3.2 */
        {"GET /c/k HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "host-invalid"},
        {"GET /c/k HTTP/1.1\r\nHost: a\"\r\n\r\n", 400, "host-invalid"},
        {"GET /c/k HTTP/1.0\r\nHost: user@h\r\n\r\n", 400, "host-invalid"},
    };

    expect_refused(*state, wrong, COUNT_OF(wrong));
}

/* A NUL byte ends strings for the parser: what stands behind it must not be lost in silence (RFC 9110, 5.5). */
static void a_nul_byte_hides_nothing(void **state)
{
#define HOST        "Host: h\r\n"
#define BYTES(text) text, sizeof(text) - 1
    static const struct nul_request {
        const char *bytes;
        size_t size;
        const char *word;
    } all[] = {
        {BYTES("GET /c/k\0x HTTP/1.1\r\n" HOST "\r\n"), "bad-target"},
        {BYTES("GET\0 /c/k HTTP/1.1\r\n" HOST "\r\n"), "bad-target"},
        {BYTES("GET /c\0/k HTTP/1.1\r\n" HOST "\r\n" SMUGGLED), "bad-target"},
        {BYTES("GET /c/k HTTP/1.1\r\n" HOST "X: y\0Content-Length: 37\r\n\r\n" SMUGGLED), "header-malformed"},
        {BYTES("GET /c/k HTTP/1.1\r\n" HOST "Content-Length: 0\0"
               "37\r\n\r\n" SMUGGLED),
         "header-malformed"},
        {BYTES("GET /c/k HTTP/1.1\r\n" HOST "\0Content-Length: 37\r\n\r\n" SMUGGLED), "header-malformed"},
        {BYTES("GET /c/k HTTP/1.1\r\n" HOST "\0\r\n" SMUGGLED), "header-malformed"},
        {BYTES("GET /c/k HTTP/1.1\r\n" HOST "X\0Y: z\r\n\r\n" SMUGGLED), NULL},
    };
    struct site *site = *state;

    start(site);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        const struct wrong wrong = {"one with a NUL byte", 400, all[i].word};
        struct client *client = client_open(site->daemon->data_port);

        print_message("%zu\n", i);
        client_send(client, all[i].bytes, all[i].size);
        expect_answer(site, client, &wrong);
        client_await_end(client);
        client_close(client);
    }
    client_send(site->admin, BYTES("DELETE /c\0/k HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(client_receive(site->admin, ANSWER_TO_GET, &site->answer));
    site_expect_problem(site, 400, "bad-target", NULL);
    client_close(site->admin);
    site->admin = NULL;
    expect_unharmed(site);
#undef BYTES
#undef HOST
}

/* Without a body there is nothing to wait for, whatever comes behind it. */
static void who_expects_100_continue_is_answered(void **state)
{
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    client_sendf(client,
                 "GET /c/k HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\nGET /c/k HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_receive(client, ANSWER_TO_GET, &site->answer));
    site_expect(site, 200, "v", "sluice; hit");
    client_close(client);
    expect_unharmed(site);

    site_script_held(site, "/cold", "late");
    client = site_send_get(site, "/c/cold", "Expect: 100-continue\r\n");
    site_await_waiters(site, "c", "cold", "current", 1);
    scripted_backend_open(site->origin);
    site_receive(site, client);
    site_expect(site, 200, "late", "sluice; fwd=miss; stored");
}

/* These do not come as far as to a handler of ours. */
static void what_is_no_request_is_refused(void **state)
{
    static const struct wrong wrong[] = {
        {"GET /c/k\r\n\r\n" SMUGGLED, 400, NULL},
        {"GET /c/k http/1.1\r\nHost: h\r\n\r\n" SMUGGLED, 400, NULL},
        {"GET /c/k HTTP/1.10\r\nHost: h\r\n\r\n" SMUGGLED, 400, NULL},
        {"GET /c/k HTTP/2.0\r\nHost: h\r\n\r\n" SMUGGLED, 505, NULL},
        {"GET /c/k HTTP/0.9\r\nHost: h\r\n\r\n" SMUGGLED, 505, NULL},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, NULL}, /* HTTP/2 without an upgrade */
    };

    expect_refused(*state, wrong, COUNT_OF(wrong));
}

/* libmicrohttpd sees to these by itself, and sends the head of its answer twice over: only the first one is looked at.
 */
static void a_content_length_that_is_no_number_is_refused(void **state)
{
    static const char *const lengths[] = {"37x", "x", "-1", "+37", "0x25", "37, 37", "", "3 7"};
    struct site *site = *state;

    start(site);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct client *client = client_open(site->daemon->data_port);

        client_sendf(client, "GET /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: %s\r\n\r\n" SMUGGLED, lengths[i]);
        expect_answer(site, client, &(struct wrong){lengths[i], 400, NULL});
        site_expect_field(site, "Connection", "close");
        client_skip_to_end(client);
        client_close(client);
    }
    expect_unharmed(site);
}

static void what_is_not_even_text_is_hung_up_on(void **state)
{
    static const char hello[] = "\x16\x03\x01\x00\x05\x01\x00\x00\x01\r\n\r\n"; /* the beginning of TLS */
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    client_send(client, hello, sizeof hello - 1);
    client_await_end(client);
    client_close(client);
    expect_unharmed(site);
}

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

/* A GET with a head of exactly that size, most of it in one header or, if `in_target`, in the target. */
static void send_head_of(struct client *client, size_t size, bool in_target)
{
    static const char before[] = "GET /c/k HTTP/1.1\r\nHost: h\r\nX: ", after[] = "\r\n\r\n";
    static const char before_target[] = "GET /c/k", after_target[] = " HTTP/1.1\r\nHost: h\r\n\r\n";
    const char *begin = in_target ? before_target : before;
    const char *end = in_target ? after_target : after;
    char head[16384];
    size_t filled = size - strlen(end);

    assert_true(size < sizeof head);
    memset(head, 'x', size);
    memcpy(head, begin, strlen(begin));
    memcpy(head + filled, end, strlen(end));
    client_send(client, head, size);
}

struct head {
    size_t size;
    bool in_target;
    int status;
    const char *word; /* NULL: of libmicrohttpd's own, past the memory that a connection has */
};

static void a_head_over_its_limit_is_refused(void **state)
{
    static const struct head heads[] = {
        {4096, false, 200, NULL},
        {4097, false, 431, "header-too-large"},
        {6000, false, 431, "header-too-large"},
        {12000, false, 431, NULL},
        {1054, true, 414, "key-too-large"}, /* a key of 1,025 bytes: the limit of the cache */
        {4096, true, 414, "key-too-large"},
        {4097, true, 431, "header-too-large"},
        {6000, true, 431, "header-too-large"},
        {12000, true, 414, NULL},
    };
    struct site *site = *state;

    start(site);
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct client *client = client_open(site->daemon->data_port);
        const struct wrong wrong = {"a long head", heads[i].status, heads[i].word};

        print_message("%zu bytes, %s\n", heads[i].size, heads[i].in_target ? "in the target" : "in a header");
        send_head_of(client, heads[i].size, heads[i].in_target);
        expect_answer(site, client, &wrong);
        if (heads[i].size > 4096)
            client_await_end(client);
        client_close(client);
    }
    expect_unharmed(site);
}

/* Each of them takes memory, small as it may be. */
static void many_headers_are_refused(void **state)
{
    enum { HEADERS = 600 };
    struct site *site = *state;
    struct client *client;
    char head[64 + HEADERS * 6];

    start(site);
    client = client_open(site->daemon->data_port);
    strcpy(head, "GET /c/k HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < HEADERS; i++)
        strcat(head, "X: y\r\n");
    client_sendf(client, "%s\r\n", head);
    expect_answer(site, client, &(struct wrong){"600 headers", 431, NULL});
    client_skip_to_end(client);
    client_close(client);
    expect_unharmed(site);
}

/* ---- methods ----------------------------------------------------------------------------------------------------- */

/* The connection goes on: it is clear where the next request begins. */
static void other_methods_are_told_which_there_are(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"};
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        client_sendf(client, "%s /c/k HTTP/1.1\r\nHost: h\r\n\r\n", methods[i]);
        expect_answer(site, client, &(struct wrong){methods[i], 405, "method-not-allowed"});
        site_expect_field(site, "Allow", "GET, HEAD");
        assert_null(answer_field(&site->answer, "Connection"));
    }
    client_sendf(client, "POST /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 37\r\n\r\n" SMUGGLED);
    expect_answer(site, client, &(struct wrong){"POST", 405, "method-not-allowed"});
    client_sendf(client, "GET /c/k HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_answer(site, client, &(struct wrong){"GET", 200, NULL});
    client_close(client);
    expect_unharmed(site);
}

static void a_body_of_another_method_is_not_waited_for(void **state)
{
    static const struct wrong wrong[] = {
        {"POST /c/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 37\r\n\r\n" SMUGGLED, 405,
         "method-not-allowed"},
        {"PUT /c/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 405, "method-not-allowed"},
        {"PUT /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" SMUGGLED, 405, "method-not-allowed"},
        {"PUT /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", 405,
         "method-not-allowed"},
        {"POST /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 37\r\n\r\n" SMUGGLED, 400,
         "header-repeated"},
    };

    expect_refused(*state, wrong, COUNT_OF(wrong));
}

/* ---- and after all of it ----------------------------------------------------------------------------------------- */

/* What is wrong with a target says nothing against the connection. */
static void a_wrong_target_leaves_the_connection_open(void **state)
{
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    client_sendf(client, "GET /c/%%zz HTTP/1.1\r\nHost: h\r\n\r\nGET /nobody/k HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET /c/k HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_answer(site, client, &(struct wrong){"/c/%zz", 400, "bad-target"});
    expect_answer(site, client, &(struct wrong){"/nobody/k", 404, "unknown-cache"});
    expect_answer(site, client, &(struct wrong){"/c/k", 200, NULL});
    client_close(client);
    expect_unharmed(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(what_could_be_taken_for_two_requests_is_refused),
        SITE_TEST(a_body_is_refused),
        SITE_TEST(a_host_is_needed_and_has_to_be_one),
        SITE_TEST(a_nul_byte_hides_nothing),
        SITE_TEST(who_expects_100_continue_is_answered),
        SITE_TEST(what_is_no_request_is_refused),
        SITE_TEST(a_content_length_that_is_no_number_is_refused),
        SITE_TEST(what_is_not_even_text_is_hung_up_on),
        SITE_TEST(a_head_over_its_limit_is_refused),
        SITE_TEST(many_headers_are_refused),
        SITE_TEST(other_methods_are_told_which_there_are),
        SITE_TEST(a_body_of_another_method_is_not_waited_for),
        SITE_TEST(a_wrong_target_leaves_the_connection_open),
    };

    return cmocka_run_group_tests_name("request_errors", tests, NULL, NULL);
}
