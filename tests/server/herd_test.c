/* SPDX-License-Identifier: MIT */
/*
 * herd_test.c: thousands who ask for one cold key at the same time, over HTTP: one load, an answer for everybody, and
 * no thread for anybody. The origin holds the load until all are seen to be parked.
 */
#include "site.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>

#define COLD_REQUEST "GET /c/cold HTTP/1.1\r\nHost: h\r\n\r\n"

/* Nobody is to run out of time, however slow the build is. */
#define PATIENT   "expire_after_write = 1h\nload_timeout = never\nwait_timeout = 1h\n"

#define STORED    "sluice; fwd=miss; stored"
#define COLLAPSED "sluice; fwd=miss; collapsed"

/* Threads of the server now. */
static size_t count_threads(const struct site *site)
{
    char path[64];
    size_t count = 0;
    const struct dirent *entry;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%d/task", (int)daemon_pid(site->daemon));
    tasks = opendir(path);
    assert_non_null(tasks);
    while ((entry = readdir(tasks)))
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

/* Descriptors for so many connections, here and (inherited) in the server, and some for everything else. */
static void raise_descriptors(size_t connections)
{
    rlim_t wanted = connections + 1024;
    struct rlimit limit;

    assert_return_code(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur >= wanted)
        return;
    limit = (struct rlimit){wanted, limit.rlim_max > wanted ? limit.rlim_max : wanted};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail_msg("this test needs %lu descriptors, and may not have them", (unsigned long)wanted);
}

static void expect_one_load_for(struct site *site, size_t count)
{
    size_t threads;
    struct herd *herd;

    raise_descriptors(count);
    site_script_held(site, "/cold", "worth the wait");
    site_start(site, "connections_max = 20000\n" SITE_CACHE("c", PATIENT));
    threads = count_threads(site);
    herd = herd_send(site->daemon->data_port, count, COLD_REQUEST);
    site_await_waiters(site, "c", "cold", "current", count);
    assert_int_equal(count, site_data_stat(site, "parked"));
    assert_true(scripted_backend_await_held(site->origin, 1, CLIENT_MS_MAX));
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
    assert_int_equal(threads, count_threads(site));
    scripted_backend_open(site->origin);
    herd_receive(herd);
    assert_int_equal(count, herd_count(herd, 200, "worth the wait", NULL));
    assert_int_equal(1, herd_count(herd, 200, NULL, STORED));
    assert_int_equal(count - 1, herd_count(herd, 200, NULL, COLLAPSED));
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
    assert_int_equal(threads, count_threads(site));
    assert_int_equal(1, site_stat(site, "c", "loads"));
    assert_int_equal(count, site_stat(site, "c", "misses"));
    assert_int_equal(count - 1, site_stat(site, "c", "coalesced"));
    herd_close(herd);
}

static void rule_1_a_thousand_gets_of_a_cold_key_are_one_load(void **state)
{
    expect_one_load_for(*state, 1000);
}

static void rule_1_ten_thousand_gets_of_a_cold_key_are_one_load(void **state)
{
    expect_one_load_for(*state, 10000);
}

static void several_keys_share_nothing(void **state)
{
    enum { KEYS = 10, HERD = 100 };
    struct site *site = *state;
    struct herd *herds[KEYS];
    char text[64];

    scripted_backend_script(site->origin, NULL, &(struct scripted_answer){.body = "v", .held = true});
    site_start(site, SITE_CACHE("c", PATIENT));
    for (int i = 0; i < KEYS; i++) {
        snprintf(text, sizeof text, "GET /c/%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
        herds[i] = herd_send(site->daemon->data_port, HERD, text);
    }
    AWAIT(site_stat(site, "c", "waiters") == KEYS * HERD);
    assert_true(scripted_backend_await_held(site->origin, KEYS, CLIENT_MS_MAX));
    assert_int_equal(KEYS, scripted_backend_requests(site->origin, NULL));
    scripted_backend_open(site->origin);
    for (int i = 0; i < KEYS; i++) {
        herd_receive(herds[i]);
        assert_int_equal(1, herd_count(herds[i], 200, "v", STORED));
        assert_int_equal(HERD - 1, herd_count(herds[i], 200, "v", COLLAPSED));
        herd_close(herds[i]);
    }
    assert_int_equal(KEYS, scripted_backend_requests(site->origin, NULL));
}

static void rule_5_a_failure_is_shared_by_all_who_wait(void **state)
{
    struct site *site = *state;
    struct herd *herd;

    scripted_backend_script(site->origin, "/cold", &(struct scripted_answer){.status = 500, .held = true});
    site_start(site, SITE_CACHE("c", PATIENT));
    herd = herd_send(site->daemon->data_port, 500, COLD_REQUEST);
    site_await_waiters(site, "c", "cold", "current", 500);
    scripted_backend_open(site->origin);
    herd_receive(herd);
    assert_int_equal(1, herd_count(herd, 502, NULL, "sluice; fwd=miss; detail=load-failed"));
    assert_int_equal(499, herd_count(herd, 502, NULL, "sluice; fwd=miss; collapsed; detail=load-failed"));
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
    assert_int_equal(1, site_stat(site, "c", "loads_failed"));
    herd_close(herd);
}

static void those_who_hang_up_disturb_nobody(void **state)
{
    struct site *site = *state;
    struct herd *leaving, *staying;

    site_script_held(site, "/cold", "v");
    site_start(site, SITE_CACHE("c", PATIENT));
    leaving = herd_send(site->daemon->data_port, 200, COLD_REQUEST); /* the leader is one of them */
    site_await_waiters(site, "c", "cold", "current", 200);
    staying = herd_send(site->daemon->data_port, 200, COLD_REQUEST);
    site_await_waiters(site, "c", "cold", "current", 400);
    herd_close(leaving);
    scripted_backend_open(site->origin);
    herd_receive(staying);
    assert_int_equal(200, herd_count(staying, 200, "v", COLLAPSED));
    assert_int_equal(1, scripted_backend_requests(site->origin, NULL));
    herd_close(staying);
    AWAIT(site_data_stat(site, "connections") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(rule_1_a_thousand_gets_of_a_cold_key_are_one_load),
        SITE_TEST(rule_1_ten_thousand_gets_of_a_cold_key_are_one_load),
        SITE_TEST(several_keys_share_nothing),
        SITE_TEST(rule_5_a_failure_is_shared_by_all_who_wait),
        SITE_TEST(those_who_hang_up_disturb_nobody),
    };

    return cmocka_run_group_tests_name("herd", tests, NULL, NULL);
}
