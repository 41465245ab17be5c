/* SPDX-License-Identifier: MIT */
/*
 * shutdown_test.c: SIGTERM and SIGINT end sluiced in good order: nobody is let in any more, whoever was is answered,
 * idle connections are closed, and the exit status is 0.
 *
 * Where a test says drain_timeout = 1h, an end within PROCESS_MS_MAX shows that it was not waited for.
 */
#include "site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENT "expire_after_write = 1h\nload_timeout = never\nwait_timeout = 1h\n"
#define LED     "sluice; fwd=miss; stored"

/* Sends the signal, and waits until the server says that it has it. */
static void send_signal(struct site *site, int signal_number)
{
    daemon_signal(site->daemon, signal_number);
    daemon_await_log(site->daemon,
                     signal_number == SIGTERM ? "event=stopping signal=SIGTERM" : "event=stopping signal=SIGINT");
}

/* Waits for the end of the server, which has to be a good one, and to tell that it gave so many answers on the data
 * side. */
static void expect_good_end(struct site *site, size_t answers)
{
    char text[64];

    assert_int_equal(0, daemon_wait(site->daemon));
    daemon_await_log(site->daemon, "event=stopped answers=");
    snprintf(text, sizeof text, "event=stopped answers=%zu\n", answers);
    assert_int_equal(1, daemon_log_count(site->daemon, text));
    daemon_destroy(site->daemon);
    site->daemon = NULL;
}

/* Whether nobody listens there. */
static bool is_refused(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused;

    assert_return_code(fd, errno);
    refused = connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* The answer on this connection, then its end, which the answer told of. */
static void receive_last(struct site *site, struct client *client)
{
    if (!client_receive(client, ANSWER_TO_GET, &site->answer))
        fail_msg("the connection was ended without an answer");
    site_expect_field(site, "Connection", "close");
    client_await_end(client);
    client_close(client);
}

/* ---- those who wait ---------------------------------------------------------------------------------------------- */

static void expect_parked_are_answered(struct site *site, int signal_number)
{
    struct client *clients[4];
    unsigned port;

    site_script_held(site, "/k", "v");
    site_script_held(site, "/other", "w");
    site_start(site, "drain_timeout = 1h\n" SITE_CACHE("c", PATIENT));
    port = site->daemon->data_port;
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        clients[i] = site_send_get(site, i < 3 ? "/c/k" : "/c/other", NULL);
    site_await_waiters(site, "c", "k", "current", 3);
    site_await_waiters(site, "c", "other", "current", 1);
    send_signal(site, signal_number);
    AWAIT(is_refused(port));
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        assert_false(client_has_more(clients[i]));
    assert_int_equal(4, site_stat(site, "c", "waiters"));
    scripted_backend_open(site->origin);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        receive_last(site, clients[i]);
        assert_int_equal(200, site->answer.status);
        assert_string_equal(i < 3 ? "v" : "w", site->answer.body);
    }
    expect_good_end(site, 4);
}

static void sigterm_lets_loads_end_and_answers_everybody(void **state)
{
    expect_parked_are_answered(*state, SIGTERM);
}

static void sigint_does_the_same(void **state)
{
    expect_parked_are_answered(*state, SIGINT);
}

/* Parks two on an origin that never answers, stops, and expects that they are told so. */
static void expect_told_of_the_end(struct site *site, const char *drain_timeout)
{
    struct client *clients[2];
    char config[512];

    scripted_backend_script(site->origin, "/k", &(struct scripted_answer){.manner = SCRIPTED_HANG});
    snprintf(config, sizeof config, "drain_timeout = %s\n" SITE_CACHE_WITH("c", PATIENT, "timeout = 1h"),
             drain_timeout);
    site_start(site, config);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        clients[i] = site_send_get(site, "/c/k", NULL);
    site_await_waiters(site, "c", "k", "current", 2);
    send_signal(site, SIGTERM);
    daemon_await_log(site->daemon, "event=drain_timeout");
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        receive_last(site, clients[i]);
        site_expect_problem(site, 503, "closed", NULL);
    }
    expect_good_end(site, 2);
}

static void who_still_waits_after_drain_timeout_gets_503(void **state)
{
    expect_told_of_the_end(*state, "200ms");
}

static void without_a_drain_timeout_everybody_gets_503_at_once(void **state)
{
    expect_told_of_the_end(*state, "0");
}

static void a_load_that_nobody_waits_for_is_not_waited_for(void **state)
{
    struct site *site = *state;

    scripted_backend_script(site->origin, "/k", &(struct scripted_answer){.manner = SCRIPTED_HANG});
    site_start(site, "drain_timeout = 1h\n" SITE_CACHE_WITH("c", PATIENT, "timeout = 1h"));
    site_request(site, "GET", "/c/k", "Prefer: wait=0\r\n");
    site_expect_problem(site, 504, "timed-out", NULL);
    assert_int_equal(1, site_loads(site, "c", "k", "current").loads);
    send_signal(site, SIGTERM);
    expect_good_end(site, 1);
}

/* ---- a signal that does not end it ------------------------------------------------------------------------------- */

static void sighup_is_told_to_change_nothing(void **state)
{
    struct site *site = *state;

    site_script(site, "/k", "v");
    site_start(site, "drain_timeout = 1h\n" SITE_CACHE("c", PATIENT));
    daemon_signal(site->daemon, SIGHUP);
    daemon_await_log(site->daemon,
                     "level=warning event=signal_ignored signal=SIGHUP reason=\"the configuration is read "
                     "at start only; restart to apply a change\"\n");
    client_request(site->daemon->data_port, "GET", "/c/k", NULL, &site->answer);
    site_expect(site, 200, "v", LED);
    send_signal(site, SIGTERM);
    expect_good_end(site, 1);
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

static void idle_connections_are_closed(void **state)
{
    struct site *site = *state;
    struct client *used, *fresh, *halfway;

    site_script(site, "/k", "v");
    site_start(site, "drain_timeout = 1h\nidle_timeout = 1h\n" SITE_CACHE("c", PATIENT));
    fresh = client_open(site->daemon->data_port);
    halfway = client_open(site->daemon->data_port);
    client_sendf(halfway, "GET /c/k HTTP/1.1\r\nHo");
    used = site_send_get(site, "/c/k", NULL);
    assert_true(client_receive(used, ANSWER_TO_GET, &site->answer));
    site_expect(site, 200, "v", LED);
    assert_null(answer_field(&site->answer, "Connection"));
    AWAIT(site_data_stat(site, "connections") == 3);
    send_signal(site, SIGTERM);
    client_await_end(used);
    client_await_end(fresh);
    client_await_end(halfway);
    client_close(used);
    client_close(fresh);
    client_close(halfway);
    expect_good_end(site, 1);
}

enum { LARGE = 8 << 20 }; /* more than the sockets' buffers take */

/* A client that has asked for a large value and reads nothing of it yet: the answer is under way. */
static struct client *ask_for_a_large_value(struct site *site, const char *config)
{
    char *large = malloc(LARGE);
    struct client *client;

    assert_non_null(large);
    memset(large, 'x', LARGE);
    scripted_backend_script(site->origin, "/large", &(struct scripted_answer){.body = large, .body_size = LARGE});
    free(large);
    site_start(site, config);
    client = site_send_get(site, "/c/large", NULL);
    AWAIT(site_stat(site, "c", "loads_completed") == 1 && site_data_stat(site, "parked") == 0);
    return client;
}

static void an_answer_that_is_under_way_is_sent_to_its_end(void **state)
{
    struct site *site = *state;
    struct client *client = ask_for_a_large_value(site, "drain_timeout = 1h\n" SITE_CACHE("c", PATIENT));

    send_signal(site, SIGTERM);
    AWAIT(is_refused(site->daemon->data_port));
    assert_true(client_receive(client, ANSWER_TO_GET, &site->answer));
    assert_int_equal(200, site->answer.status);
    assert_int_equal(LARGE, site->answer.body_size);
    client_await_end(client);
    client_close(client);
    expect_good_end(site, 1);
}

static void who_never_takes_his_answer_is_cut_off(void **state)
{
    struct site *site = *state;
    struct client *client = ask_for_a_large_value(site, "drain_timeout = 0\n" SITE_CACHE("c", PATIENT));

    send_signal(site, SIGTERM);
    daemon_await_log(site->daemon, "event=connections_cut connections=1\n");
    expect_good_end(site, 1);
    client_skip_to_end(client);
    client_close(client);
}

/* ---- the admin side ---------------------------------------------------------------------------------------------- */

static void ask_admin(struct site *site, const char *target)
{
    client_request(site->daemon->admin_port, "GET", target, NULL, &site->answer);
}

static void while_it_drains_it_is_not_ready_but_alive(void **state)
{
    struct site *site = *state;
    struct client *client;

    site_script_held(site, "/k", "v");
    site_start(site, "drain_timeout = 1h\n" SITE_CACHE("c", PATIENT));
    ask_admin(site, "/readyz");
    assert_int_equal(200, site->answer.status);
    assert_string_equal("ready\n", site->answer.body);
    client = site_send_get(site, "/c/k", NULL);
    site_await_waiters(site, "c", "k", "current", 1);
    send_signal(site, SIGTERM);
    AWAIT(is_refused(site->daemon->data_port)); /* readiness goes first */
    ask_admin(site, "/readyz");
    assert_int_equal(503, site->answer.status);
    assert_string_equal("draining\n", site->answer.body);
    ask_admin(site, "/healthz");
    assert_int_equal(200, site->answer.status);
    /* Operators may help: what hangs can be looked at, and invalidated. */
    site_delete(site, "/c/k", 0, 1);
    assert_int_equal(1, site_loads(site, "c", "k", "detached").waiters);
    scripted_backend_open(site->origin);
    receive_last(site, client);
    assert_string_equal("v", site->answer.body);
    expect_good_end(site, 1);
}

/* ---- impatience -------------------------------------------------------------------------------------------------- */

static void a_second_signal_ends_it_at_once(void **state)
{
    static const int signals[][2] = {{SIGTERM, SIGTERM}, {SIGINT, SIGINT}, {SIGTERM, SIGINT}};
    struct site *site = *state;

    site_script_held(site, "/k", "v");
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        struct client *client;

        site_start(site, "drain_timeout = 1h\n" SITE_CACHE("c", PATIENT));
        client = site_send_get(site, "/c/k", NULL);
        site_await_waiters(site, "c", "k", "current", 1);
        send_signal(site, signals[i][0]);
        daemon_signal(site->daemon, signals[i][1]);
        assert_int_equal(-signals[i][1], daemon_wait(site->daemon));
        daemon_destroy(site->daemon);
        site->daemon = NULL;
        client_close(site->admin);
        site->admin = NULL;
        client_await_end(client);
        client_close(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(sigterm_lets_loads_end_and_answers_everybody),
        SITE_TEST(sigint_does_the_same),
        SITE_TEST(sighup_is_told_to_change_nothing),
        SITE_TEST(who_still_waits_after_drain_timeout_gets_503),
        SITE_TEST(without_a_drain_timeout_everybody_gets_503_at_once),
        SITE_TEST(a_load_that_nobody_waits_for_is_not_waited_for),
        SITE_TEST(idle_connections_are_closed),
        SITE_TEST(an_answer_that_is_under_way_is_sent_to_its_end),
        SITE_TEST(who_never_takes_his_answer_is_cut_off),
        SITE_TEST(while_it_drains_it_is_not_ready_but_alive),
        SITE_TEST(a_second_signal_ends_it_at_once),
    };

    return cmocka_run_group_tests_name("shutdown", tests, NULL, NULL);
}
