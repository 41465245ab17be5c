/* SPDX-License-Identifier: MIT */
/*
 * kept_test.c: a worker keeps the answers that it has just sent, and nobody can tell: not after an invalidation, not
 * from another form of the same value, not in a drain. Each test asks on one connection, and so one worker, within the
 * second for which an answer is kept.
 */
#include "http.h"
#include "site.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR "expire_after_write = 1h\n"

static void send_get(struct client *client, const char *method, const char *fields)
{
    client_sendf(client, "%s /c/k HTTP/1.1\r\nHost: h\r\n%s\r\n", method, fields);
}

static void receive(struct site *site, struct client *client, enum answer_to to)
{
    assert_true(client_receive(client, to, &site->answer));
}

static void ask(struct site *site, struct client *client, const char *fields)
{
    send_get(client, "GET", fields);
    receive(site, client, ANSWER_TO_GET);
}

/* The n-th request for a path gets "value n". */
static void count_up(void *arg, const struct scripted_request *request, struct scripted_answer *answer)
{
    static char body[32]; /* the origin has one thread, and copies it */

    (void)arg;
    snprintf(body, sizeof body, "value %zu", request->number);
    answer->body = body;
}

static void rule_3_an_invalidated_value_is_not_sent_again(void **state)
{
    struct site *site = *state;
    struct client *client;

    scripted_backend_handle(site->origin, count_up, NULL);
    site_start(site, "workers = 1\n" SITE_CACHE("c", HOUR));
    client = client_open(site->daemon->data_port);
    for (int i = 1; i <= 100; i++) {
        char body[32];
        snprintf(body, sizeof body, "value %d", i);
        for (int again = 0; again < 3; again++) {
            ask(site, client, "");
            assert_int_equal(200, site->answer.status);
            assert_string_equal(body, site->answer.body);
        }
        site_delete(site, "/c/k", 1, 0);
    }
    client_close(client);
}

/* Asks for each form of the value many times over, in turn: each gets its own answer, whoever was before it. */
static void each_form_of_a_value_has_its_own_answer(void **state)
{
    struct site *site = *state;
    struct client *client;
    char match[160];

    site_script(site, "/k", "v");
    site_start(site, "workers = 1\n" SITE_CACHE("c", ""));
    client = client_open(site->daemon->data_port);
    ask(site, client, "");
    site_expect(site, 200, "v", "sluice; fwd=miss; stored");
    snprintf(match, sizeof match, "If-None-Match: %s\r\n", site_field(site, "ETag"));
    for (int i = 0; i < 50; i++) {
        ask(site, client, "");
        site_expect(site, 200, "v", "sluice; hit");
        assert_null(answer_field(&site->answer, "Preference-Applied"));
        ask(site, client, match);
        site_expect(site, 304, "", "sluice; hit");
        ask(site, client, "Prefer: wait=1\r\n");
        site_expect(site, 200, "v", "sluice; hit");
        site_expect_field(site, "Preference-Applied", "wait");
        send_get(client, "HEAD", "");
        receive(site, client, ANSWER_TO_HEAD);
        site_expect(site, 200, "", "sluice; hit");
        site_expect_field(site, "Content-Length", "1");
        assert_null(answer_field(&site->answer, "Connection"));
    }
    client_close(client);
}

static void who_asks_for_the_end_of_the_connection_gets_it(void **state)
{
    struct site *site = *state;
    struct client *client;

    site_script(site, "/k", "v");
    site_start(site, "workers = 1\n" SITE_CACHE("c", ""));
    client = client_open(site->daemon->data_port);
    for (int i = 0; i < 3; i++)
        ask(site, client, "");
    ask(site, client, "Connection: close\r\n");
    site_expect(site, 200, "v", "sluice; hit");
    site_expect_field(site, "Connection", "close");
    client_await_end(client);
    client_close(client);
    site_get(site, "/c/k");
    site_expect(site, 200, "v", "sluice; hit");
}

static void in_a_drain_a_hot_value_closes_its_connection_too(void **state)
{
    struct site *site = *state;
    struct client *hot, *parked;

    site_script(site, "/k", "v");
    site_script_held(site, "/held", "late");
    site_start(site, "workers = 1\n" SITE_CACHE("c", ""));
    hot = client_open(site->daemon->data_port);
    parked = site_send_get(site, "/c/held", NULL);
    site_await_waiters(site, "c", "held", "current", 1);
    for (int i = 0; i < 3; i++)
        ask(site, hot, "");
    daemon_signal(site->daemon, SIGTERM);
    daemon_await_log(site->daemon, "event=stopping");
    do /* the log line comes before the drain begins */
        ask(site, hot, "");
    while (!answer_field(&site->answer, "Connection"));
    site_expect(site, 200, "v", "sluice; hit");
    site_expect_field(site, "Connection", "close");
    client_await_end(hot);
    client_close(hot);
    scripted_backend_open(site->origin);
    site_receive(site, parked);
    site_expect(site, 200, "late", "sluice; fwd=miss; stored");
    assert_int_equal(0, daemon_wait(site->daemon));
    daemon_destroy(site->daemon);
    site->daemon = NULL;
}

/* ---- the HTTP server alone, in this process ---------------------------------------------------------------------- */

static atomic_int released;

static void on_release(void *arg)
{
    (void)arg;
    atomic_fetch_add(&released, 1);
}

static void answer_the_same(void *self, struct http_request *request)
{
    const struct http_answer_key key = {.what = self};

    if (http_request_answer_again(request, &key))
        return;
    http_request_answer(
        request, &(struct http_answer){.status = 200, .body = "v", .size = 1, .release = on_release, .key = &key});
}

/* It holds the value, which may be gone from the cache long since; so it must not wait for the next request with that.
 */
static void what_is_kept_is_let_go_though_nobody_asks(void **state)
{
    static char self;
    const struct http_options options = {
        .side = "data",
        .listen = "127.0.0.1:0",
        .workers = 1,
        .connections_max = 10,
        .header_size_max = 4096,
        .idle_timeout_ms = 3600000,
        .handler = {.handle = answer_the_same, .self = &self},
    };
    struct site *site = *state;
    struct http_server *server;
    struct http_fault fault;
    struct client *client;
    const char *colon;

    atomic_store(&released, 0);
    assert_true(http_server_create(&options, &server, &fault));
    assert_true(http_server_start(server, &fault));
    colon = strrchr(http_server_address(server), ':');
    assert_non_null(colon);
    client = client_open((unsigned)strtoul(colon + 1, NULL, 10));
    for (int i = 0; i < 5; i++)
        ask(site, client, "");
    AWAIT(atomic_load(&released) >= 1);
    http_server_stop_accepting(server);
    http_server_stop(server);
    http_server_destroy(server);
    client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(rule_3_an_invalidated_value_is_not_sent_again),
        SITE_TEST(each_form_of_a_value_has_its_own_answer),
        SITE_TEST(who_asks_for_the_end_of_the_connection_gets_it),
        SITE_TEST(in_a_drain_a_hot_value_closes_its_connection_too),
        SITE_TEST(what_is_kept_is_let_go_though_nobody_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
