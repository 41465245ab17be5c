/* SPDX-License-Identifier: MIT */
/* site.c: see site.h. */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

int site_setup(void **state)
{
    struct site *site = calloc(1, sizeof *site);

    assert_non_null(site);
    site->origin = scripted_backend_create();
    scratch_init(&site->scratch);
    *state = site;
    return 0;
}

int site_teardown(void **state)
{
    struct site *site = *state;

    scripted_backend_destroy(site->origin); /* loads that are still held fail now, and hold up no drain */
    client_close(site->admin);
    if (site->daemon)
        assert_int_equal(0, daemon_stop(site->daemon));
    scratch_fini(&site->scratch);
    answer_fini(&site->answer);
    json_decref(site->json);
    free(site);
    return 0;
}

void site_start(struct site *site, const char *config)
{
    assert_return_code(setenv("ORIGIN", scripted_backend_url(site->origin), 1), 0);
    assert_return_code(setenv("SCRATCH", site->scratch.directory, 1), 0);
    site->daemon = daemon_start(config);
    site->admin = client_open(site->daemon->admin_port);
}

void site_script(struct site *site, const char *path, const char *body)
{
    scripted_backend_script(site->origin, path, &(struct scripted_answer){.body = body});
}

void site_script_held(struct site *site, const char *path, const char *body)
{
    scripted_backend_script(site->origin, path, &(struct scripted_answer){.body = body, .held = true});
}

/* ---- the data side ----------------------------------------------------------------------------------------------- */

void site_request(struct site *site, const char *method, const char *target, const char *fields)
{
    client_request(site->daemon->data_port, method, target, fields, &site->answer);
}

void site_get(struct site *site, const char *target)
{
    site_request(site, "GET", target, NULL);
}

struct client *site_send_get(struct site *site, const char *target, const char *fields)
{
    struct client *client = client_open(site->daemon->data_port);

    client_sendf(client, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", target, fields ? fields : "");
    return client;
}

void site_receive(struct site *site, struct client *client)
{
    if (!client_receive(client, ANSWER_TO_GET, &site->answer))
        fail_msg("the connection was ended without an answer");
    client_close(client);
}

const char *site_field(struct site *site, const char *name)
{
    const char *value = answer_field(&site->answer, name);

    if (!value)
        fail_msg("an answer %d without the header %s: %s", site->answer.status, name, site->answer.body);
    return value;
}

void site_expect_field(struct site *site, const char *name, const char *value)
{
    const char *given = site_field(site, name);

    if (strcmp(given, value) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", name, given, value);
}

void site_expect(struct site *site, int status, const char *body, const char *cache_status)
{
    if (site->answer.status != status)
        fail_msg("status %d, not %d: %s", site->answer.status, status, site->answer.body);
    assert_string_equal(body, site->answer.body);
    site_expect_field(site, "Cache-Status", cache_status);
}

static json_t *parse(const struct answer *answer)
{
    json_error_t error;
    json_t *json = json_loadb(answer->body, answer->body_size, JSON_REJECT_DUPLICATES, &error);

    if (!json)
        fail_msg("not JSON, %s: %s", error.text, answer->body);
    return json;
}

void site_expect_problem(struct site *site, int status, const char *word, const char *detail)
{
    const char *type, *title, *given = NULL;
    char wanted[80];
    int given_status;

    if (site->answer.status != status)
        fail_msg("status %d, not %d: %s", site->answer.status, status, site->answer.body);
    site_expect_field(site, "Content-Type", "application/problem+json");
    site_expect_field(site, "Cache-Control", "no-store");
    json_decref(site->json);
    site->json = parse(&site->answer);
    if (json_unpack(site->json, "{s:s, s:s, s:i, s?s}", "type", &type, "title", &title, "status", &given_status,
                    "detail", &given) != 0)
        fail_msg("not a problem: %s", site->answer.body);
    snprintf(wanted, sizeof wanted, "urn:sluice:problem:%s", word);
    assert_string_equal(wanted, type);
    assert_int_equal(status, given_status);
    assert_true(strlen(title) > 0);
    if (detail && (!given || !strstr(given, detail)))
        fail_msg("\"%s\" is not in the detail \"%s\"", detail, given ? given : "");
    if (status == 503)
        site_expect_field(site, "Retry-After", "1");
}

/* ---- the admin side ---------------------------------------------------------------------------------------------- */

static void admin_request(struct site *site, const char *method, const char *target)
{
    struct answer answer = {0};

    client_sendf(site->admin, "%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method, target);
    if (!client_receive(site->admin, ANSWER_TO_GET, &answer) || answer.status != 200)
        fail_msg("%s %s: status %d: %s", method, target, answer.status, answer.body);
    json_decref(site->json);
    site->json = parse(&answer);
    answer_fini(&answer);
}

void site_delete(struct site *site, const char *target, int entries, int loads)
{
    int entries_gone, loads_detached;

    admin_request(site, "DELETE", target);
    if (json_unpack(site->json, "{s:i, s:i!}", "entries", &entries_gone, "loads", &loads_detached) != 0)
        fail_msg("DELETE %s does not tell its entries and loads", target);
    if (entries_gone != entries || loads_detached != loads)
        fail_msg("DELETE %s: %d entries and %d loads went, not %d and %d", target, entries_gone, loads_detached,
                 entries, loads);
}

/* The number that stands under these names. */
static size_t number(const json_t *object, const char *counter)
{
    const json_t *value = json_object_get(object, counter);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        fail_msg("no counter is called %s", counter);
    return (size_t)json_integer_value(value);
}

size_t site_stat(struct site *site, const char *cache, const char *counter)
{
    admin_request(site, "GET", "/stats");
    return number(json_object_get(json_object_get(site->json, "caches"), cache), counter);
}

size_t site_data_stat(struct site *site, const char *counter)
{
    admin_request(site, "GET", "/stats");
    return number(json_object_get(json_object_get(site->json, "http"), "data"), counter);
}

struct site_loads site_loads(struct site *site, const char *cache, const char *key, const char *state)
{
    struct site_loads found = {0};
    json_t *rows, *row;
    size_t i;
    int truncated;

    admin_request(site, "GET", "/inflight");
    if (json_unpack(site->json, "{s:o, s:b!}", "loads", &rows, "truncated", &truncated) != 0)
        fail_msg("/inflight has no loads in it");
    json_array_foreach(rows, i, row)
    {
        const char *row_cache, *row_key, *row_state;

        if (json_unpack(row, "{s:s, s:s, s:s}", "cache", &row_cache, "key", &row_key, "state", &row_state) != 0)
            fail_msg("/inflight has a load without cache, key or state");
        if (strcmp(row_cache, cache) != 0 || strcmp(row_key, key) != 0 || (state && strcmp(row_state, state) != 0))
            continue;
        found.loads++;
        found.waiters += number(row, "waiters");
    }
    return found;
}

void site_await_waiters(struct site *site, const char *cache, const char *key, const char *state, size_t waiters)
{
    AWAIT(site_loads(site, cache, key, state).waiters == waiters);
}

/* True: /inflight is empty. */
static bool is_idle(struct site *site)
{
    admin_request(site, "GET", "/inflight");
    return json_array_size(json_object_get(site->json, "loads")) == 0;
}

void site_await_idle(struct site *site)
{
    AWAIT(is_idle(site));
}
