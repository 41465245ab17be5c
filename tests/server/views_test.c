/* SPDX-License-Identifier: MIT */
/*
 * views_test.c: what the admin side shows: loads in flight, statistics as JSON and for Prometheus, probes. The numbers
 * are held against what was done, against each other (rule 23), and the two forms against one another.
 */
#include "site.h"

#include "prometheus.h"

#include <sluice/cache.h>
#include <stdio.h>

#define STORED  "sluice; fwd=miss; stored"
#define PATIENT "load_timeout = never\nwait_timeout = 1h\n"

/* GET on the admin side, over the connection that the site keeps. */
static void view(struct site *site, const char *target)
{
    client_sendf(site->admin, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    assert_true(client_receive(site->admin, ANSWER_TO_GET, &site->answer));
    assert_int_equal(200, site->answer.status);
    site_expect_field(site, "Cache-Control", "no-store");
}

/* Likewise; the answer is JSON, which is in the site until the next one. */
static void view_json(struct site *site, const char *target)
{
    json_error_t error;

    view(site, target);
    site_expect_field(site, "Content-Type", "application/json");
    json_decref(site->json);
    site->json = json_loadb(site->answer.body, site->answer.body_size, JSON_REJECT_DUPLICATES, &error);
    if (!site->json)
        fail_msg("not JSON, %s: %s", error.text, site->answer.body);
}

/* ---- loads in flight --------------------------------------------------------------------------------------------- */

/* A load in flight, as it is to be shown. */
struct expected_load {
    const char *cache;
    const char *key;
    const char *encoding;
    int waiters;
    const char *state;
};

/* Takes one load that is as expected out of those that /inflight shows; there must be one. */
static void take_load(json_t *loads, const struct expected_load *expected)
{
    for (size_t i = 0; i < json_array_size(loads); i++) {
        const char *cache, *key, *encoding, *backend, *state;
        int age_ms, waiters;

        assert_int_equal(0, json_unpack(json_array_get(loads, i), "{s:s, s:s, s:s, s:i, s:i, s:s, s:s!}", "cache",
                                        &cache, "key", &key, "encoding", &encoding, "age_ms", &age_ms, "waiters",
                                        &waiters, "backend", &backend, "state", &state));
        assert_string_equal("http", backend);
        assert_in_range(age_ms, 0, CLIENT_MS_MAX);
        if (strcmp(cache, expected->cache) != 0 || strcmp(key, expected->key) != 0 ||
            strcmp(encoding, expected->encoding) != 0 || waiters != expected->waiters ||
            strcmp(state, expected->state) != 0)
            continue;
        json_array_remove(loads, i);
        return;
    }
    fail_msg("no %s load of \"%s\" with %d waiters in \"%s\"", expected->state, expected->key, expected->waiters,
             expected->cache);
}

/* What /inflight shows is this and nothing else. */
static void expect_loads(struct site *site, const struct expected_load *expected, size_t count)
{
    json_t *loads;
    int truncated;

    view_json(site, "/inflight");
    assert_int_equal(0, json_unpack(site->json, "{s:o, s:b!}", "loads", &loads, "truncated", &truncated));
    assert_false(truncated);
    assert_int_equal(count, json_array_size(loads));
    for (size_t i = 0; i < count; i++)
        take_load(loads, &expected[i]);
}

static void inflight_shows_each_load_with_those_who_wait(void **state)
{
    static const char *const targets[] = {"/a/plain",  "/a/plain",       "/a/plain", "/a/two%20words%2F%22%5C%3C",
                                          "/a/%C3%A9", "/a/%ff%01%7e/A", "/b/plain"};
    static const struct expected_load expected[] = {
        {"a", "plain", "utf-8", 3, "current"},    {"a", "two words/\"\\<", "utf-8", 1, "current"},
        {"a", "\xc3\xa9", "utf-8", 1, "current"}, {"a", "%FF%01~%2FA", "percent", 1, "current"},
        {"b", "plain", "utf-8", 1, "current"},
    };
    static const struct expected_load detached[] = {{"a", "plain", "utf-8", 3, "detached"},
                                                    {"a", "plain", "utf-8", 1, "current"}};
    struct site *site = *state;
    struct client *clients[COUNT_OF(targets)], *later;

    scripted_backend_script(site->origin, NULL, &(struct scripted_answer){.body = "v", .held = true});
    site_start(site, SITE_CACHE("a", PATIENT) SITE_CACHE("b", PATIENT));
    expect_loads(site, NULL, 0);
    for (size_t i = 0; i < COUNT_OF(targets); i++)
        clients[i] = site_send_get(site, targets[i], NULL);
    AWAIT(site_stat(site, "a", "waiters") == 6 && site_stat(site, "b", "waiters") == 1);
    expect_loads(site, expected, COUNT_OF(expected));

    site_delete(site, "/a/plain", 0, 1);
    later = site_send_get(site, "/a/plain", NULL);
    AWAIT(site_stat(site, "a", "waiters") == 7);
    view_json(site, "/inflight");
    for (size_t i = 0; i < COUNT_OF(detached); i++)
        take_load(json_object_get(site->json, "loads"), &detached[i]);
    assert_int_equal(4, json_array_size(json_object_get(site->json, "loads")));

    scripted_backend_open(site->origin);
    for (size_t i = 0; i < COUNT_OF(targets); i++)
        site_receive(site, clients[i]);
    site_receive(site, later);
    site_await_idle(site);
    expect_loads(site, NULL, 0);
}

/* The age of the only load in flight. */
static int64_t only_age_ms(struct site *site)
{
    view_json(site, "/inflight");
    return json_integer_value(json_object_get(json_array_get(json_object_get(site->json, "loads"), 0), "age_ms"));
}

static void age_of_a_load_grows(void **state)
{
    struct site *site = *state;
    struct client *client;

    site_script_held(site, "/k", "v");
    site_start(site, SITE_CACHE("c", PATIENT));
    client = site_send_get(site, "/c/k", NULL);
    site_await_waiters(site, "c", "k", "current", 1);
    AWAIT(only_age_ms(site) >= 50);
    AWAIT(only_age_ms(site) >= 100);
    scripted_backend_open(site->origin);
    site_receive(site, client);
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */

/*
 * On "c": 2 misses that bring a value, 3 hits; a not-found; a failure; a load that is detached, then one that two wait
 * for and is left in flight, as is the one before it. On "other": nothing.
 */
static void do_something_of_everything(struct site *site, struct client *waiting[3])
{
    site_script(site, "/1", "one");
    site_script(site, "/2", "two");
    scripted_backend_script(site->origin, "/none", &(struct scripted_answer){.status = 404});
    scripted_backend_script(site->origin, "/bad", &(struct scripted_answer){.status = 500});
    site_script_held(site, "/held", "h");
    site_start(site, SITE_CACHE_WITH("c", PATIENT, "max_concurrent = 7\nqueue_max = 9\n") SITE_CACHE("other", ""));
    for (int i = 0; i < 4; i++)
        site_get(site, "/c/1");
    site_get(site, "/c/2");
    site_get(site, "/c/none");
    site_get(site, "/c/bad");
    waiting[0] = site_send_get(site, "/c/held", NULL);
    site_await_waiters(site, "c", "held", "current", 1);
    site_delete(site, "/c/held", 0, 1);
    waiting[1] = site_send_get(site, "/c/held", NULL);
    waiting[2] = site_send_get(site, "/c/held", NULL);
    site_await_waiters(site, "c", "held", "current", 2);
    site_get(site, "/c/");        /* refused before the cache */
    site_get(site, "/nowhere/k"); /* likewise */
}

struct expected_number {
    const char *name;
    uint64_t value;
};

static const struct expected_number expected_of_c[] = {
    {"gets", 10},           {"hits", 3},
    {"misses", 7},          {"coalesced", 1},
    {"refused", 0},         {"waits_timed_out", 0},
    {"loads", 6},           {"loads_completed", 2},
    {"loads_failed", 1},    {"loads_refused", 0},
    {"loads_not_found", 1}, {"loads_dropped", 0},
    {"loads_detached", 1},  {"loads_in_flight", 2},
    {"waiters", 3},         {"entries", 2},
    {"evicted", 0},         {"puts", 0},
    {"waits_cancelled", 0}, {"loads_timed_out", 0},
    {"invalidated", 0},
};

/* Rule 23. */
static void expect_sums(const json_t *cache)
{
#define NUMBER(name) json_integer_value(json_object_get(cache, #name))
    assert_int_equal(NUMBER(gets), NUMBER(hits) + NUMBER(misses));
    assert_int_equal(NUMBER(loads), NUMBER(loads_completed) + NUMBER(loads_failed) + NUMBER(loads_not_found) +
                                        NUMBER(loads_dropped) + NUMBER(loads_in_flight));
    /* Each miss here led a load or joined one: none was refused. */
    assert_int_equal(NUMBER(misses), NUMBER(loads) + NUMBER(coalesced));
#undef NUMBER
}

static void rule_23_stats_tell_what_was_done_and_add_up(void **state)
{
    struct site *site = *state;
    struct client *waiting[3];
    json_t *cache, *other, *answers, *data;
    const char *version, *kind;
    int uptime_ms, running, running_max, queued, queued_max;

    do_something_of_everything(site, waiting);
    view_json(site, "/stats");
    assert_int_equal(0, json_unpack(site->json, "{s:s, s:i, s:{s:o, s:o!}, s:{s:o, s:o!}!}", "version", &version,
                                    "uptime_ms", &uptime_ms, "caches", "c", &cache, "other", &other, "http", "data",
                                    &data, "admin", &answers));
    assert_string_equal(SLUICE_VERSION, version);
    assert_in_range(uptime_ms, 0, 600000);
    for (size_t i = 0; i < COUNT_OF(expected_of_c); i++)
        if (json_integer_value(json_object_get(cache, expected_of_c[i].name)) != (json_int_t)expected_of_c[i].value)
            fail_msg("%s is not %d in %s", expected_of_c[i].name, (int)expected_of_c[i].value, site->answer.body);
    /* Of two entries: overhead, one byte of key, three of value, and the value's media type and tag. */
    assert_in_range(json_integer_value(json_object_get(cache, "weight")), 2 * (SLUICE_ENTRY_OVERHEAD + 4),
                    2 * (SLUICE_ENTRY_OVERHEAD + 4 + 64));
    expect_sums(cache);
    assert_int_equal(0, json_integer_value(json_object_get(other, "gets")));
    expect_sums(other);
    assert_int_equal(0, json_unpack(json_object_get(cache, "backend"), "{s:s, s:i, s:i, s:i, s:i!}", "kind", &kind,
                                    "running", &running, "running_max", &running_max, "queued", &queued, "queued_max",
                                    &queued_max));
    assert_string_equal("http", kind);
    assert_int_equal(2, running);
    assert_int_equal(7, running_max);
    assert_int_equal(0, queued);
    assert_int_equal(9, queued_max);
    /* 5 values; none, c/ and nowhere; bad. */
    answers = json_object_get(data, "answers");
    assert_int_equal(5, json_integer_value(json_object_get(answers, "2xx")));
    assert_int_equal(3, json_integer_value(json_object_get(answers, "4xx")));
    assert_int_equal(1, json_integer_value(json_object_get(answers, "5xx")));
    assert_int_equal(3, json_integer_value(json_object_get(data, "parked")));
    assert_int_equal(12, json_integer_value(json_object_get(data, "connections_accepted")));

    scripted_backend_open(site->origin);
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        site_receive(site, waiting[i]);
    site_await_idle(site);
    view_json(site, "/stats");
    cache = json_object_get(json_object_get(site->json, "caches"), "c");
    expect_sums(cache);
    assert_int_equal(4, json_integer_value(json_object_get(cache, "loads_completed")));
    assert_int_equal(3, json_integer_value(json_object_get(cache, "entries"))); /* the detached one was not stored */
    assert_int_equal(0, json_integer_value(json_object_get(cache, "waiters")));
}

/* ---- Prometheus -------------------------------------------------------------------------------------------------- */

/* Each number of the cache in /stats is the same in /metrics. */
static void expect_same_numbers(const struct prometheus *metrics, const json_t *cache, const char *name)
{
    char sample[128];

#define EXPECT_SAME(field, end)                                                                                        \
    snprintf(sample, sizeof sample, "sluice_" #field end "{cache=\"%s\"}", name);                                      \
    assert_int_equal(json_integer_value(json_object_get(cache, #field)), prometheus_value(metrics, sample));
#define EXPECT_TOTAL(field, text) EXPECT_SAME(field, "_total")
#define EXPECT_LEVEL(field, text) EXPECT_SAME(field, "")
    SLUICE_STATS(EXPECT_TOTAL, EXPECT_LEVEL)
#undef EXPECT_LEVEL
#undef EXPECT_TOTAL
#undef EXPECT_SAME
}

static void metrics_are_valid_and_the_same_as_the_stats(void **state)
{
    struct site *site = *state;
    struct client *waiting[3];
    struct prometheus metrics = {0};
    uint64_t asked;

    do_something_of_everything(site, waiting);
    view(site, "/metrics");
    site_expect_field(site, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    prometheus_parse(&metrics, site->answer.body);
    view_json(site, "/stats");
    expect_same_numbers(&metrics, json_object_get(json_object_get(site->json, "caches"), "c"), "c");
    expect_same_numbers(&metrics, json_object_get(json_object_get(site->json, "caches"), "other"), "other");
    assert_int_equal(10, prometheus_value(&metrics, "sluice_gets_total{cache=\"c\"}"));
    assert_int_equal(1, prometheus_value(&metrics, "sluice_build_info{version=\"" SLUICE_VERSION "\"}"));
    assert_int_equal(2, prometheus_value(&metrics, "sluice_backend_running{cache=\"c\",backend=\"http\"}"));
    assert_int_equal(7, prometheus_value(&metrics, "sluice_backend_running_max{cache=\"c\",backend=\"http\"}"));
    assert_int_equal(9, prometheus_value(&metrics, "sluice_backend_queued_max{cache=\"c\",backend=\"http\"}"));
    assert_int_equal(5, prometheus_value(&metrics, "sluice_http_answers_total{side=\"data\",class=\"2xx\"}"));
    assert_int_equal(3, prometheus_value(&metrics, "sluice_http_answers_total{side=\"data\",class=\"4xx\"}"));
    assert_int_equal(3, prometheus_value(&metrics, "sluice_http_parked{side=\"data\"}"));
    assert_int_equal(0, prometheus_value(&metrics, "sluice_http_connections_refused_total{side=\"data\"}"));
    assert_int_equal(1, prometheus_value(&metrics, "sluice_http_connections{side=\"admin\"}"));
    /* Between two looks a counter only grows: here by the two views themselves. */
    asked = prometheus_value(&metrics, "sluice_http_answers_total{side=\"admin\",class=\"2xx\"}");
    view(site, "/metrics");
    prometheus_parse(&metrics, site->answer.body);
    assert_int_equal(asked + 2, prometheus_value(&metrics, "sluice_http_answers_total{side=\"admin\",class=\"2xx\"}"));
    prometheus_fini(&metrics);
    scripted_backend_open(site->origin);
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        site_receive(site, waiting[i]);
}

/* ---- probes ------------------------------------------------------------------------------------------------------ */

/* Readiness at the end is seen to in shutdown_test.c. */
static void probes_say_a_word(void **state)
{
    struct site *site = *state;

    site_start(site, SITE_CACHE("c", ""));
    view(site, "/healthz");
    assert_string_equal("ok\n", site->answer.body);
    site_expect_field(site, "Content-Type", "text/plain; charset=utf-8");
    view(site, "/readyz");
    assert_string_equal("ready\n", site->answer.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(inflight_shows_each_load_with_those_who_wait),
        SITE_TEST(age_of_a_load_grows),
        SITE_TEST(rule_23_stats_tell_what_was_done_and_add_up),
        SITE_TEST(metrics_are_valid_and_the_same_as_the_stats),
        SITE_TEST(probes_say_a_word),
    };

    return cmocka_run_group_tests_name("views", tests, NULL, NULL);
}
