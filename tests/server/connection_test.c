/* SPDX-License-Identifier: MIT */
/* connection_test.c: what goes over one connection: keep-alive, pipelining, HTTP/1.0, large values, clients that
 * dawdle. */
#include "site.h"

#include <stdlib.h>

#define LED "sluice; fwd=miss; stored"

static void receive(struct site *site, struct client *client)
{
    if (!client_receive(client, ANSWER_TO_GET, &site->answer))
        fail_msg("the connection was ended without an answer");
}

static void start(struct site *site)
{
    site_script(site, "/k", "v");
    site_start(site, SITE_CACHE("c", ""));
}

static void a_connection_serves_many_requests(void **state)
{
    enum { REQUESTS = 1000 };
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    for (int i = 0; i < REQUESTS; i++) {
        client_sendf(client, "GET /c/%s HTTP/1.1\r\nHost: h\r\n\r\n", i % 3 == 0 ? "none" : "k");
        receive(site, client);
        assert_int_equal(i % 3 == 0 ? 404 : 200, site->answer.status);
        assert_null(answer_field(&site->answer, "Connection"));
    }
    assert_int_equal(1, site_data_stat(site, "connections_accepted"));
    assert_int_equal(1, site_data_stat(site, "connections"));
    client_close(client);
    AWAIT(site_data_stat(site, "connections") == 0);
}

/* Also those behind one that is parked: in their order (RFC 9112, 9.3.2). */
static void pipelined_requests_are_answered_in_order(void **state)
{
    struct site *site = *state;
    struct client *client;

    start(site);
    site_script_held(site, "/slow", "slow");
    client = client_open(site->daemon->data_port);
    client_sendf(client, "GET /c/k HTTP/1.1\r\nHost: h\r\n\r\nGET /c/slow HTTP/1.1\r\nHost: h\r\n\r\n"
                         "HEAD /c/k HTTP/1.1\r\nHost: h\r\n\r\nGET /c/none HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET /c/k HTTP/1.1\r\nHost: h\r\n\r\n");
    receive(site, client);
    site_expect(site, 200, "v", LED);
    site_await_waiters(site, "c", "slow", "current", 1);
    assert_false(client_has_more(client));
    scripted_backend_open(site->origin);
    receive(site, client);
    site_expect(site, 200, "slow", LED);
    assert_true(client_receive(client, ANSWER_TO_HEAD, &site->answer));
    site_expect(site, 200, "", "sluice; hit");
    receive(site, client);
    site_expect_problem(site, 404, "not-found", NULL);
    receive(site, client);
    site_expect(site, 200, "v", "sluice; hit");
    client_close(client);
}

static void a_request_may_come_in_pieces(void **state)
{
    static const char request[] = "\r\nGET /c/k HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"other\"\r\n\r\n";
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        assert_false(client_has_more(client));
        client_send(client, request + i, 1);
    }
    receive(site, client);
    site_expect(site, 200, "v", LED);
    client_close(client);
}

static void connection_close_is_obeyed(void **state)
{
    static const char *const fields[] = {"Connection: close\r\n", "Connection: x-other, CLOSE\r\n"};
    struct site *site = *state;

    start(site);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct client *client = site_send_get(site, "/c/k", fields[i]);

        receive(site, client);
        assert_int_equal(200, site->answer.status);
        site_expect_field(site, "Connection", "close");
        client_await_end(client);
        client_close(client);
    }
}

static void http_1_0_is_served_and_closed_unless_asked_otherwise(void **state)
{
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    client_sendf(client, "GET /c/k HTTP/1.0\r\n\r\n"); /* no Host: it did not exist yet */
    receive(site, client);
    site_expect(site, 200, "v", LED);
    client_await_end(client);
    client_close(client);

    client = client_open(site->daemon->data_port);
    for (int i = 0; i < 2; i++) {
        client_sendf(client, "GET /c/k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        receive(site, client);
        site_expect(site, 200, "v", "sluice; hit");
        site_expect_field(site, "Connection", "Keep-Alive");
    }
    client_close(client);
}

/* Bytes that repeat nowhere near, so that a part which is lost or sent twice is seen. */
static char *make_large(size_t size)
{
    char *bytes = malloc(size + 1);

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)((i * 2654435761U) >> 24);
    bytes[size] = '\0';
    return bytes;
}

static void a_large_value_is_sent_whole(void **state)
{
    static const size_t sizes[] = {65536, (1 << 20) + 1, 8 << 20};
    struct site *site = *state;

    site_start(site, SITE_CACHE("c", ""));
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *large = make_large(sizes[i]);

        scripted_backend_script(site->origin, "/large",
                                &(struct scripted_answer){.body = large, .body_size = sizes[i]});
        for (int again = 0; again < 2; again++) {
            site_get(site, "/c/large");
            assert_int_equal(200, site->answer.status);
            assert_int_equal(sizes[i], site->answer.body_size);
            assert_memory_equal(large, site->answer.body, sizes[i]);
        }
        site_delete(site, "/c/large", 1, 0);
        free(large);
    }
}

/* A value is not freed, or changed, under those who are still reading it. */
static void a_slow_reader_gets_the_value_that_he_began_with(void **state)
{
    enum { SIZE = 8 << 20 };
    struct site *site = *state;
    struct client *slow;
    char *large = make_large(SIZE);

    scripted_backend_script(site->origin, "/large", &(struct scripted_answer){.body = large, .body_size = SIZE});
    site_start(site, SITE_CACHE("c", ""));
    slow = site_send_get(site, "/c/large", NULL);
    AWAIT(site_stat(site, "c", "entries") == 1); /* its sockets hold far less than it: the rest is being sent */
    site_delete(site, "/c", 1, 0);
    site_script(site, "/large", "new");
    site_get(site, "/c/large");
    site_expect(site, 200, "new", LED);
    site_receive(site, slow);
    assert_int_equal(SIZE, site->answer.body_size);
    assert_memory_equal(large, site->answer.body, SIZE);
    free(large);
}

static void those_who_stop_in_the_middle_disturb_nobody(void **state)
{
    struct site *site = *state;
    struct client *half_request, *no_request, *half_answer;
    char *large = make_large(8 << 20);

    start(site);
    scripted_backend_script(site->origin, "/large", &(struct scripted_answer){.body = large, .body_size = 8 << 20});
    no_request = client_open(site->daemon->data_port);
    half_request = client_open(site->daemon->data_port);
    client_sendf(half_request, "GET /c/k HTTP/1.1\r\nHos");
    half_answer = site_send_get(site, "/c/large", NULL);
    AWAIT(site_stat(site, "c", "entries") == 1);
    site_get(site, "/c/k");
    site_expect(site, 200, "v", LED);
    client_close(no_request);
    client_reset(half_request);
    client_reset(half_answer);
    AWAIT(site_data_stat(site, "connections") == 0);
    free(large);
}

/*
 * They still read (RFC 9112, 9.6), and are answered all that they asked; then the connection ends, and is not kept
 * until the idle timeout.
 */
static void those_who_end_only_their_sending_side_are_answered(void **state)
{
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    client_sendf(client, "GET /c/k HTTP/1.1\r\nHost: h\r\n\r\nGET /c/none HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET /c/k HTTP/1.1\r\nHost: h\r\n\r\n");
    client_end_sending(client);
    receive(site, client);
    site_expect(site, 200, "v", LED);
    receive(site, client);
    site_expect_problem(site, 404, "not-found", NULL);
    receive(site, client);
    site_expect(site, 200, "v", "sluice; hit");
    client_await_end(client);
    client_close(client);

    site_script_held(site, "/slow", "slow");
    client = site_send_get(site, "/c/slow", NULL);
    client_end_sending(client);
    site_await_waiters(site, "c", "slow", "current", 1);
    scripted_backend_open(site->origin);
    receive(site, client);
    site_expect(site, 200, "slow", LED);
    client_await_end(client);
    client_close(client);
    AWAIT(site_data_stat(site, "connections") == 0);
}

/* Many that wait for one load are answered in one turn of their worker. */
static void all_who_wait_and_have_ended_their_sending_side_are_answered(void **state)
{
    struct client *clients[100];
    struct site *site = *state;

    start(site);
    site_script_held(site, "/slow", "slow");
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        clients[i] = site_send_get(site, "/c/slow", NULL);
        client_end_sending(clients[i]);
    }
    site_await_waiters(site, "c", "slow", "current", COUNT_OF(clients));
    scripted_backend_open(site->origin);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        receive(site, clients[i]);
        assert_int_equal(200, site->answer.status);
        assert_string_equal("slow", site->answer.body);
        client_await_end(clients[i]);
        client_close(clients[i]);
    }
    AWAIT(site_data_stat(site, "connections") == 0);
}

/* A connection that was parked is idle again afterwards, and serves on. */
static void who_was_parked_is_served_on(void **state)
{
    struct site *site = *state;
    struct client *client;

    start(site);
    client = client_open(site->daemon->data_port);
    for (int i = 0; i < 50; i++) {
        char path[16];
        snprintf(path, sizeof path, "/k%d", i);
        site_script(site, path, "v");
        client_sendf(client, "GET /c%s HTTP/1.1\r\nHost: h\r\n\r\n", path);
        receive(site, client);
        site_expect(site, 200, "v", LED);
    }
    client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(a_connection_serves_many_requests),
        SITE_TEST(pipelined_requests_are_answered_in_order),
        SITE_TEST(a_request_may_come_in_pieces),
        SITE_TEST(connection_close_is_obeyed),
        SITE_TEST(http_1_0_is_served_and_closed_unless_asked_otherwise),
        SITE_TEST(a_large_value_is_sent_whole),
        SITE_TEST(a_slow_reader_gets_the_value_that_he_began_with),
        SITE_TEST(those_who_stop_in_the_middle_disturb_nobody),
        SITE_TEST(those_who_end_only_their_sending_side_are_answered),
        SITE_TEST(all_who_wait_and_have_ended_their_sending_side_are_answered),
        SITE_TEST(who_was_parked_is_served_on),
    };

    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
