/* SPDX-License-Identifier: MIT */
/*
 * invalidate_test.c: rule 3 over HTTP: an invalidation is final, and waits for nothing, even while what it takes away
 * is being loaded. The origin holds the loads, so that each test decides which of them ends when.
 */
#include "site.h"

#include <stdatomic.h>
#include <stdio.h>

#define PATIENT   "expire_after_write = 1h\nload_timeout = never\nwait_timeout = 1h\n"

#define STORED    "sluice; fwd=miss; stored"
#define COLLAPSED "sluice; fwd=miss; collapsed"
#define LED       "sluice; fwd=miss" /* and the value was not stored */

/* The first request for each path gets "old", and is held; the others get "new", at once or held as well. */
static void old_then_new(void *arg, const struct scripted_request *request, struct scripted_answer *answer)
{
    const atomic_bool *hold_new = arg;

    answer->body = request->number == 1 ? "old" : "new";
    answer->held = request->number == 1 || (hold_new && atomic_load(hold_new));
}

/* The requests for a path get "1", "2" and so on; as many of them as `arg` says are held, if it is not NULL. */
static void count_up(void *arg, const struct scripted_request *request, struct scripted_answer *answer)
{
    static char body[24]; /* the origin has one thread, and copies it */
    const size_t *held = arg;

    snprintf(body, sizeof body, "%zu", request->number);
    answer->body = body;
    answer->held = held && request->number <= *held;
}

/* A GET that is parked on a load which the origin holds. */
static struct client *park(struct site *site, const char *key, size_t waiters)
{
    char target[64];
    struct client *client;

    snprintf(target, sizeof target, "/c/%s", key);
    client = site_send_get(site, target, NULL);
    site_await_waiters(site, "c", key, "current", waiters);
    return client;
}

/* The origin has so many requests, and holds them. */
static void await_held(struct site *site, size_t count)
{
    assert_true(scripted_backend_await_held(site->origin, count, CLIENT_MS_MAX));
    assert_int_equal(count, scripted_backend_held(site->origin));
}

static void expect_hit(struct site *site, const char *target, const char *body)
{
    site_get(site, target);
    assert_int_equal(200, site->answer.status);
    assert_string_equal(body, site->answer.body);
    if (strncmp(site_field(site, "Cache-Status"), "sluice; hit", 11) != 0)
        fail_msg("%s is no hit: %s", target, site_field(site, "Cache-Status"));
}

static void rule_3_what_is_stored_is_gone(void **state)
{
    struct site *site = *state;

    scripted_backend_handle(site->origin, count_up, NULL);
    site_start(site, SITE_CACHE("c", PATIENT));
    site_get(site, "/c/k");
    site_expect(site, 200, "1", STORED);
    expect_hit(site, "/c/k", "1");
    site_delete(site, "/c/k", 1, 0);
    site_delete(site, "/c/k", 0, 0);
    site_get(site, "/c/k");
    site_expect(site, 200, "2", STORED);
    expect_hit(site, "/c/k", "2");
}

static void rule_3_the_parked_get_the_old_answer_and_the_next_get_loads_anew(void **state)
{
    struct site *site = *state;
    struct client *leader, *follower;

    scripted_backend_handle(site->origin, old_then_new, NULL);
    site_start(site, SITE_CACHE("c", PATIENT));
    leader = park(site, "k", 1);
    follower = park(site, "k", 2);
    await_held(site, 1);
    site_delete(site, "/c/k", 0, 1);
    assert_int_equal(1, scripted_backend_held(site->origin)); /* so it did not wait for the load */
    assert_int_equal(2, site_loads(site, "c", "k", "detached").waiters);
    assert_int_equal(0, site_loads(site, "c", "k", "current").loads);

    site_get(site, "/c/k");
    site_expect(site, 200, "new", STORED);
    expect_hit(site, "/c/k", "new");
    assert_false(client_has_more(leader) || client_has_more(follower));
    assert_int_equal(2, site_loads(site, "c", "k", "detached").waiters);

    scripted_backend_open(site->origin); /* the old load ends last */
    site_receive(site, leader);
    site_expect(site, 200, "old", LED);
    site_expect_field(site, "Cache-Control", "no-store");
    site_receive(site, follower);
    site_expect(site, 200, "old", COLLAPSED);
    site_expect_field(site, "Cache-Control", "no-store");
    site_await_idle(site);
    expect_hit(site, "/c/k", "new");
    assert_int_equal(2, scripted_backend_requests(site->origin, "/k"));
    assert_int_equal(1, site_stat(site, "c", "loads_detached"));
}

static void rule_3_an_old_load_that_ends_first_is_not_stored_either(void **state)
{
    struct site *site = *state;
    struct client *parked;

    scripted_backend_handle(site->origin, old_then_new, NULL);
    site_start(site, SITE_CACHE("c", PATIENT));
    parked = park(site, "k", 1);
    site_delete(site, "/c/k", 0, 1);
    scripted_backend_open(site->origin);
    site_receive(site, parked);
    site_expect(site, 200, "old", LED);
    site_await_idle(site);
    assert_int_equal(0, site_stat(site, "c", "entries"));
    site_get(site, "/c/k");
    site_expect(site, 200, "new", STORED);
}

/* Both loads are let go at once, so that either may end first; over and over. */
static void rule_3_whichever_load_ends_first_each_waiter_gets_its_own(void **state)
{
    enum { ROUNDS = 50 };
    struct site *site = *state;
    atomic_bool hold_new = true;
    char key[16], target[24];

    scripted_backend_handle(site->origin, old_then_new, &hold_new);
    site_start(site, SITE_CACHE("c", PATIENT));
    for (int i = 0; i < ROUNDS; i++) {
        struct client *before, *after;

        scripted_backend_shut(site->origin);
        snprintf(key, sizeof key, "k%d", i);
        snprintf(target, sizeof target, "/c/%s", key);
        before = park(site, key, 1);
        await_held(site, 1);
        site_delete(site, target, 0, 1);
        after = park(site, key, 1);
        await_held(site, 2);
        scripted_backend_open(site->origin);
        site_receive(site, before);
        site_expect(site, 200, "old", LED);
        site_receive(site, after);
        site_expect(site, 200, "new", STORED);
        site_await_idle(site);
        expect_hit(site, target, "new");
        assert_int_equal(2, scripted_backend_requests(site->origin, target + 2));
    }
}

static void rule_3_several_detached_loads_of_a_key_touch_no_successor(void **state)
{
    struct site *site = *state;
    struct client *first, *second;
    size_t held = 2;

    scripted_backend_handle(site->origin, count_up, &held);
    site_start(site, SITE_CACHE("c", PATIENT));
    first = park(site, "k", 1);
    await_held(site, 1);
    site_delete(site, "/c/k", 0, 1);
    second = park(site, "k", 1);
    await_held(site, 2);
    site_delete(site, "/c/k", 0, 1);
    site_delete(site, "/c/k", 0, 0);
    assert_int_equal(2, site_loads(site, "c", "k", "detached").loads);
    site_get(site, "/c/k");
    site_expect(site, 200, "3", STORED);
    scripted_backend_open(site->origin);
    site_receive(site, first);
    site_expect(site, 200, "1", LED);
    site_receive(site, second);
    site_expect(site, 200, "2", LED);
    site_await_idle(site);
    expect_hit(site, "/c/k", "3");
    assert_int_equal(3, scripted_backend_requests(site->origin, "/k"));
}

static void rule_3_a_prefix_covers_loads_in_flight(void **state)
{
    struct site *site = *state;
    struct client *one, *two, *other;

    scripted_backend_handle(site->origin, old_then_new, NULL);
    site_start(site, SITE_CACHE("c", PATIENT));
    one = park(site, "user/1", 1);
    two = park(site, "user/2", 1);
    other = park(site, "item/1", 1);
    await_held(site, 3);
    site_delete(site, "/c?prefix=user%2F", 0, 2);
    assert_int_equal(3, scripted_backend_held(site->origin));
    site_get(site, "/c/user/1");
    site_expect(site, 200, "new", STORED);
    scripted_backend_open(site->origin);
    site_receive(site, one);
    site_expect(site, 200, "old", LED);
    site_receive(site, two);
    site_expect(site, 200, "old", LED);
    site_receive(site, other);
    site_expect(site, 200, "old", STORED);
    site_await_idle(site);
    expect_hit(site, "/c/user/1", "new");
    expect_hit(site, "/c/item/1", "old");
    site_get(site, "/c/user/2");
    site_expect(site, 200, "new", STORED);
    site_delete(site, "/c?prefix=user/", 2, 0);
    site_delete(site, "/c?prefix=nobody", 0, 0);
    expect_hit(site, "/c/item/1", "old");
}

static void rule_3_clearing_a_cache_covers_loads_in_flight_and_no_other_cache(void **state)
{
    struct site *site = *state;
    struct client *one, *two;

    scripted_backend_handle(site->origin, old_then_new, NULL);
    site_start(site, SITE_CACHE("c", PATIENT) SITE_CACHE_WITH("other", PATIENT, "max_concurrent = 1"));
    one = park(site, "1", 1);
    two = park(site, "2", 1);
    await_held(site, 2);
    site_get(site, "/other/1");
    site_expect(site, 200, "new", STORED);
    site_delete(site, "/c", 0, 2);
    assert_int_equal(2, scripted_backend_held(site->origin));
    site_get(site, "/c/1");
    site_expect(site, 200, "new", STORED);
    scripted_backend_open(site->origin);
    site_receive(site, one);
    site_expect(site, 200, "old", LED);
    site_receive(site, two);
    site_expect(site, 200, "old", LED);
    site_await_idle(site);
    expect_hit(site, "/c/1", "new");
    site_get(site, "/c/2");
    site_expect(site, 200, "new", STORED);
    site_delete(site, "/c", 2, 0);
    site_delete(site, "/c", 0, 0);
    expect_hit(site, "/other/1", "new");
}

static void rule_3_an_invalidated_failure_or_not_found_is_asked_for_again(void **state)
{
    struct site *site = *state;

    site_start(site, SITE_CACHE("c", PATIENT "not_found_ttl = 1h\nfailure_backoff = 1h\nfailure_backoff_max = 1h"));
    site_get(site, "/c/none");
    site_expect_problem(site, 404, "not-found", NULL);
    scripted_backend_script(site->origin, "/ill", &(struct scripted_answer){.status = 500});
    site_get(site, "/c/ill");
    site_expect_problem(site, 502, "load-failed", "HTTP 500");
    site_script(site, "/none", "some");
    site_script(site, "/ill", "well");
    site_get(site, "/c/none");
    site_expect_problem(site, 404, "not-found", NULL);
    site_get(site, "/c/ill");
    site_expect_problem(site, 502, "load-failed", "HTTP 500");
    site_delete(site, "/c/none", 1, 0);
    site_delete(site, "/c/ill", 1, 0);
    site_get(site, "/c/none");
    site_expect(site, 200, "some", STORED);
    site_get(site, "/c/ill");
    site_expect(site, 200, "well", STORED);
}

/* A herd parks, the key is invalidated, a second herd comes: each herd has one load and one answer. */
static void rule_3_a_herd_on_each_side_of_an_invalidation(void **state)
{
    enum { HERD = 300 };
    static const char request[] = "GET /c/k HTTP/1.1\r\nHost: h\r\n\r\n";
    struct site *site = *state;
    struct herd *before, *after;
    atomic_bool hold_new = true;

    scripted_backend_handle(site->origin, old_then_new, &hold_new);
    site_start(site, SITE_CACHE("c", PATIENT));
    before = herd_send(site->daemon->data_port, HERD, request);
    site_await_waiters(site, "c", "k", "current", HERD);
    await_held(site, 1);
    site_delete(site, "/c/k", 0, 1);
    after = herd_send(site->daemon->data_port, HERD, request);
    site_await_waiters(site, "c", "k", "current", HERD);
    assert_int_equal(HERD, site_loads(site, "c", "k", "detached").waiters);
    await_held(site, 2);
    scripted_backend_open(site->origin);
    herd_receive(before);
    herd_receive(after);
    assert_int_equal(1, herd_count(before, 200, "old", LED));
    assert_int_equal(HERD - 1, herd_count(before, 200, "old", COLLAPSED));
    assert_int_equal(1, herd_count(after, 200, "new", STORED));
    assert_int_equal(HERD - 1, herd_count(after, 200, "new", COLLAPSED));
    assert_int_equal(2, scripted_backend_requests(site->origin, NULL));
    expect_hit(site, "/c/k", "new");
    herd_close(before);
    herd_close(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(rule_3_what_is_stored_is_gone),
        SITE_TEST(rule_3_the_parked_get_the_old_answer_and_the_next_get_loads_anew),
        SITE_TEST(rule_3_an_old_load_that_ends_first_is_not_stored_either),
        SITE_TEST(rule_3_whichever_load_ends_first_each_waiter_gets_its_own),
        SITE_TEST(rule_3_several_detached_loads_of_a_key_touch_no_successor),
        SITE_TEST(rule_3_a_prefix_covers_loads_in_flight),
        SITE_TEST(rule_3_clearing_a_cache_covers_loads_in_flight_and_no_other_cache),
        SITE_TEST(rule_3_an_invalidated_failure_or_not_found_is_asked_for_again),
        SITE_TEST(rule_3_a_herd_on_each_side_of_an_invalidation),
    };

    return cmocka_run_group_tests_name("invalidate", tests, NULL, NULL);
}
