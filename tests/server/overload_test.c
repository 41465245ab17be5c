/* SPDX-License-Identifier: MIT */
/*
 * overload_test.c: every bound of the server (rule 10): what is over it is refused at once, with its own answer, and
 * everything else is served as before.
 */
#include "site.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#define STORED  "sluice; fwd=miss; stored"
#define PATIENT "load_timeout = never\nwait_timeout = 1h\n"
#define OTHER   SITE_CACHE("other", "")

/* ---- a backend that hangs ---------------------------------------------------------------------------------------- */

/*
 * The backend of "c" hangs with two calls under way and three loads queued; "stored" was cached before. Returns those
 * five who wait for it.
 */
enum { RUNNING = 2, QUEUED = 3 };

static void hang_with_full_queue(struct site *site, struct client *waiting[RUNNING + QUEUED])
{
    char target[32];

    site_script(site, "/stored", "as before");
    scripted_backend_script(site->origin, NULL, &(struct scripted_answer){.body = "late", .held = true});
    site_start(site, SITE_CACHE_WITH("c", PATIENT, "max_concurrent = 2\nqueue_max = 3\ntimeout = 1h\n") OTHER);
    site_get(site, "/c/stored");
    site_expect(site, 200, "as before", STORED);
    for (size_t i = 0; i < RUNNING + QUEUED; i++) {
        snprintf(target, sizeof target, "/c/hangs-%zu", i);
        waiting[i] = site_send_get(site, target, NULL);
    }
    assert_true(scripted_backend_await_held(site->origin, RUNNING, CLIENT_MS_MAX));
    AWAIT(site_stat(site, "c", "waiters") == RUNNING + QUEUED);
}

static void rule_10_a_hanging_backend_with_its_queue_full_harms_nobody_else(void **state)
{
    enum { ROUNDS = 50 };
    struct site *site = *state;
    struct client *waiting[RUNNING + QUEUED], *joining;
    char target[32];

    hang_with_full_queue(site, waiting);
    for (int i = 0; i < ROUNDS; i++) {
        /* Each other key is refused at once: nothing that it could wait for will end before this loop. */
        snprintf(target, sizeof target, "/c/cold-%d", i);
        site_get(site, target);
        site_expect_problem(site, 503, "load-refused", NULL);
        site_expect_field(site, "Cache-Status", "sluice; fwd=miss; detail=load-refused");
        /* Hits of the same cache are served, and other caches too, hits and misses. */
        site_get(site, "/c/stored");
        site_expect(site, 200, "as before", "sluice; hit");
        snprintf(target, sizeof target, "/%d", i);
        site_script(site, target, "elsewhere");
        snprintf(target, sizeof target, "/other/%d", i);
        site_get(site, target);
        site_expect(site, 200, "elsewhere", STORED);
        site_get(site, target);
        site_expect(site, 200, "elsewhere", "sluice; hit");
    }
    assert_int_equal(ROUNDS, site_stat(site, "c", "loads_failed"));
    assert_int_equal(ROUNDS, site_stat(site, "c", "loads_refused"));
    assert_int_equal(RUNNING, scripted_backend_held(site->origin));
    /* Whoever wants what is being loaded may still wait for it. */
    joining = site_send_get(site, "/c/hangs-4", NULL);
    site_await_waiters(site, "c", "hangs-4", "current", 2);
    scripted_backend_open(site->origin);
    for (size_t i = 0; i < RUNNING + QUEUED; i++) {
        site_receive(site, waiting[i]);
        site_expect(site, 200, "late", STORED);
    }
    site_receive(site, joining);
    site_expect(site, 200, "late", "sluice; fwd=miss; collapsed");
    site_get(site, "/c/cold-0");
    site_expect(site, 200, "late", STORED);
    assert_int_equal(RUNNING + 1, scripted_backend_requests_at_once_max(site->origin)); /* and one for "other" */
}

/* ---- bounds of a cache ------------------------------------------------------------------------------------------- */

static void rule_10_waiters_of_a_key_are_bounded(void **state)
{
    struct site *site = *state;
    struct client *waiting[3], *other;

    site_script_held(site, "/k", "v");
    site_script_held(site, "/l", "w");
    site_start(site, SITE_CACHE("c", PATIENT "waiters_per_key_max = 3\n"));
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        waiting[i] = site_send_get(site, "/c/k", NULL);
    site_await_waiters(site, "c", "k", "current", 3);
    site_get(site, "/c/k");
    site_expect_problem(site, 503, "too-many-waiters", NULL);
    other = site_send_get(site, "/c/l", NULL);
    site_await_waiters(site, "c", "l", "current", 1);
    assert_int_equal(1, site_stat(site, "c", "refused"));
    scripted_backend_open(site->origin);
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        site_receive(site, waiting[i]);
        assert_int_equal(200, site->answer.status);
    }
    site_receive(site, other);
    site_expect(site, 200, "w", STORED);
}

static void rule_10_waiters_of_a_cache_are_bounded(void **state)
{
    struct site *site = *state;
    struct client *waiting[4];

    site_script_held(site, "/k", "v");
    site_script_held(site, "/l", "w");
    site_script(site, "/m", "m");
    site_start(site, SITE_CACHE("c", PATIENT "waiters_max = 4\n") OTHER);
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        waiting[i] = site_send_get(site, i % 2 == 0 ? "/c/k" : "/c/l", NULL);
    AWAIT(site_stat(site, "c", "waiters") == 4);
    site_get(site, "/c/k");
    site_expect_problem(site, 503, "too-many-waiters", NULL);
    site_get(site, "/c/m");
    site_expect_problem(site, 503, "too-many-waiters", NULL);
    assert_int_equal(2, site_stat(site, "c", "refused"));
    assert_int_equal(0, scripted_backend_requests(site->origin, "/m"));
    site_get(site, "/other/m");
    site_expect(site, 200, "m", STORED);
    scripted_backend_open(site->origin);
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        site_receive(site, waiting[i]);
        assert_int_equal(200, site->answer.status);
    }
    site_get(site, "/c/m");
    site_expect(site, 200, "m", STORED);
}

static void rule_10_loads_of_a_cache_are_bounded(void **state)
{
    struct site *site = *state;
    struct client *waiting[2];

    site_script_held(site, "/k", "v");
    site_script_held(site, "/l", "w");
    site_script(site, "/m", "m");
    site_start(site, SITE_CACHE("c", PATIENT "loads_max = 2\n"));
    waiting[0] = site_send_get(site, "/c/k", NULL);
    waiting[1] = site_send_get(site, "/c/l", NULL);
    AWAIT(site_stat(site, "c", "loads_in_flight") == 2);
    site_get(site, "/c/m");
    site_expect_problem(site, 503, "too-many-loads", NULL);
    assert_int_equal(0, scripted_backend_requests(site->origin, "/m"));
    scripted_backend_open(site->origin);
    site_receive(site, waiting[0]);
    site_receive(site, waiting[1]);
    site_await_idle(site);
    site_get(site, "/c/m");
    site_expect(site, 200, "m", STORED);
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

static void connections_over_the_limit_are_closed_and_counted(void **state)
{
    enum { LIMIT = 5, OVER = 3 };
    struct site *site = *state;
    struct client *within[LIMIT], *over[OVER];

    site_script(site, "/k", "v");
    site_start(site, "connections_max = 5\nidle_timeout = 1h\n" OTHER);
    for (size_t i = 0; i < LIMIT; i++)
        within[i] = client_open(site->daemon->data_port);
    AWAIT(site_data_stat(site, "connections") == LIMIT);
    for (size_t i = 0; i < OVER; i++) {
        over[i] = client_open(site->daemon->data_port);
        client_await_end(over[i]);
        client_close(over[i]);
    }
    assert_int_equal(OVER, site_data_stat(site, "connections_refused"));
    assert_int_equal(LIMIT, site_data_stat(site, "connections_accepted"));
    daemon_await_log(site->daemon, "level=warning event=connection_refused side=data cause=\"connections_max is "
                                   "reached\"");
    /* Those within are served, and where one leaves another may come. */
    for (size_t i = 0; i < LIMIT; i++) {
        client_sendf(within[i], "GET /other/k HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_true(client_receive(within[i], ANSWER_TO_GET, &site->answer));
        assert_int_equal(200, site->answer.status);
    }
    client_close(within[0]);
    AWAIT(site_data_stat(site, "connections") == LIMIT - 1);
    site_get(site, "/other/k");
    site_expect(site, 200, "v", "sluice; hit");
    for (size_t i = 1; i < LIMIT; i++)
        client_close(within[i]);
}

/* The admin side has the same idle_timeout, which the connection that the site keeps may have met. */
static void reopen_admin(struct site *site)
{
    client_close(site->admin);
    site->admin = client_open(site->daemon->admin_port);
}

static void idle_timeout_closes_who_is_silent(void **state)
{
    struct site *site = *state;
    struct client *fresh, *used, *halfway, *parked;

    site_script(site, "/k", "v");
    site_script_held(site, "/slow", "slow");
    site_start(site, "idle_timeout = 2s\n" SITE_CACHE("c", PATIENT));
    parked = site_send_get(site, "/c/slow", NULL);
    site_await_waiters(site, "c", "slow", "current", 1);
    fresh = client_open(site->daemon->data_port);
    halfway = client_open(site->daemon->data_port);
    client_sendf(halfway, "GET /c/k HTTP/1.1\r\nHost: h\r\nX-Half: ");
    used = site_send_get(site, "/c/k", NULL);
    assert_true(client_receive(used, ANSWER_TO_GET, &site->answer));
    client_await_end(fresh);
    client_await_end(used);
    client_skip_to_end(halfway);
    reopen_admin(site);
    AWAIT(site_data_stat(site, "connections") == 1);
    /* Who waits for a load is silent too, and is not closed for that. */
    assert_false(client_has_more(parked));
    scripted_backend_open(site->origin);
    site_receive(site, parked);
    site_expect(site, 200, "slow", STORED);
    client_close(fresh);
    client_close(used);
    client_close(halfway);
}

/* Requests that never come to their end: in the first line, in the headers, in a body that nobody will take. */
static const char *const drips[] = {
    "GET /c/",
    "GET /c/k HTTP/1.1\r\nHost: h\r\nX-Slow: ",
    "POST /c/k HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n",
};

static void a_request_that_comes_byte_by_byte_for_ever_is_cut_off(void **state)
{
    struct site *site = *state;
    struct client *clients[COUNT_OF(drips)];
    struct pollfd ends[COUNT_OF(drips)];
    int64_t start_ms;
    size_t left = COUNT_OF(drips);

    site_script(site, "/k", "v");
    site_start(site, "idle_timeout = 2s\n" SITE_CACHE("c", PATIENT));
    start_ms = await_now_ms();
    for (size_t i = 0; i < COUNT_OF(drips); i++) {
        clients[i] = client_open(site->daemon->data_port);
        client_sendf(clients[i], "%s", drips[i]);
        ends[i] = (struct pollfd){.fd = client_fd(clients[i]), .events = POLLIN};
    }
    while (left > 0) {
        assert_true(poll(ends, COUNT_OF(drips), 100) >= 0);
        if (await_now_ms() - start_ms > CLIENT_MS_MAX)
            fail_msg("a request may come byte by byte for ever");
        for (size_t i = 0; i < COUNT_OF(drips); i++) {
            if (ends[i].fd >= 0 && ends[i].revents == 0) {
                (void)send(ends[i].fd, "x", 1, MSG_NOSIGNAL); /* an end that comes now is seen in the next turn */
            } else if (ends[i].fd >= 0) {
                client_skip_to_end(clients[i]);
                client_close(clients[i]);
                ends[i].fd = -1;
                left--;
                assert_true(await_now_ms() - start_ms >= 4000); /* twice the timeout: to be slow is no fault */
            }
        }
    }
    reopen_admin(site);
    AWAIT(site_data_stat(site, "connections") == 0);
    site_get(site, "/c/k");
    site_expect(site, 200, "v", STORED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(rule_10_a_hanging_backend_with_its_queue_full_harms_nobody_else),
        SITE_TEST(rule_10_waiters_of_a_key_are_bounded),
        SITE_TEST(rule_10_waiters_of_a_cache_are_bounded),
        SITE_TEST(rule_10_loads_of_a_cache_are_bounded),
        SITE_TEST(connections_over_the_limit_are_closed_and_counted),
        SITE_TEST(idle_timeout_closes_who_is_silent),
        SITE_TEST(a_request_that_comes_byte_by_byte_for_ever_is_cut_off),
    };

    return cmocka_run_group_tests_name("overload", tests, NULL, NULL);
}
