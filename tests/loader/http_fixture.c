/* SPDX-License-Identifier: MIT */
/* http_fixture.c: origin, http backend and cache for a test. See http_fixture.h. */
#include "http_fixture.h"

#include "sums.h"

#include <stdio.h>
#include <stdlib.h>

/* Far over what anything here takes: it is there so that nothing hangs. */
enum { FOREVER_MS = 60000 };

int http_fixture_setup(void **state)
{
    struct http_fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->calls = calloc(HTTP_CALLS_MAX, sizeof *fixture->calls);
    assert_non_null(fixture->calls);
    fixture->origin = scripted_backend_create();
    fixture->options = (struct http_backend_options){
        .max_concurrent = 8,
        .queue_max = 8,
        .body_size_max = 1 << 20,
        .timeout_ms = FOREVER_MS,
        .connect_timeout_ms = FOREVER_MS,
        .ttl_max_ms = SLUICE_NEVER,
    };
    fixture->cache_options = (struct sluice_options)SLUICE_OPTIONS_INIT;
    fixture->outcome = (struct sluice_outcome)SLUICE_OUTCOME_INIT;
    *state = fixture;
    return 0;
}

void http_fixture_open(struct http_fixture *fixture, const char *path)
{
    struct backend_fault fault = {""};

    snprintf(fixture->url, sizeof fixture->url, "%s%s", path[0] == '/' ? scripted_backend_url(fixture->origin) : "",
             path);
    fixture->options.url = fixture->url;
    if (!http_backend_create(&fixture->options, &fixture->backend, &fault))
        fail_msg("%s", fault.text);
    assert_string_equal("http", fixture->backend.kind);
    fixture->cache_options.loader = fixture->backend.loader;
    assert_int_equal(SLUICE_OK, sluice_cache_create(&fixture->cache_options, &fixture->cache));
}

void http_fixture_close(struct http_fixture *fixture)
{
    if (!fixture->cache)
        return;
    sluice_cache_close(fixture->cache);
    fixture->backend.destroy(fixture->backend.self);
    sums_assert_idle(fixture->cache);
    sluice_cache_destroy(fixture->cache);
    fixture->backend.kind = NULL;
    fixture->cache = NULL;
}

int http_fixture_teardown(void **state)
{
    struct http_fixture *fixture = *state;

    http_fixture_close(fixture);
    sluice_outcome_fini(&fixture->outcome);
    for (size_t i = 0; i < fixture->calls_count; i++) {
        assert_true(atomic_load(&fixture->calls[i].done));
        sluice_outcome_fini(&fixture->calls[i].outcome);
    }
    scripted_backend_destroy(fixture->origin);
    free(fixture->calls);
    free(fixture);
    return 0;
}

void http_fixture_answer(struct http_fixture *fixture, const char *path, const char *body)
{
    scripted_backend_script(fixture->origin, path, &(struct scripted_answer){.body = body});
}

enum sluice_error http_fixture_get_bytes(struct http_fixture *fixture, const void *key, size_t key_size)
{
    sluice_outcome_fini(&fixture->outcome);
    return sluice_get_outcome(fixture->cache, key, key_size, FOREVER_MS, &fixture->outcome);
}

enum sluice_error http_fixture_get(struct http_fixture *fixture, const char *key)
{
    return http_fixture_get_bytes(fixture, key, strlen(key));
}

/* This error, and this text as the value or within the reason. */
static void expect_outcome(const struct sluice_outcome *outcome, enum sluice_error error, const char *text)
{
    if (outcome->error != error)
        fail_msg("%s: %s", sluice_strerror(outcome->error), sluice_outcome_reason(outcome));
    if (!text)
        return;
    if (error == SLUICE_OK) {
        assert_int_equal(strlen(text), sluice_value_size(outcome->value));
        assert_memory_equal(text, sluice_value_data(outcome->value), strlen(text));
    } else if (!strstr(sluice_outcome_reason(outcome), text)) {
        fail_msg("\"%s\" is not in \"%s\"", text, sluice_outcome_reason(outcome));
    }
}

void http_fixture_expect_failure(struct http_fixture *fixture, const char *key, enum sluice_error error,
                                 const char *words)
{
    http_fixture_get(fixture, key);
    expect_outcome(&fixture->outcome, error, words);
}

void http_fixture_expect(struct http_fixture *fixture, const char *key, const char *value)
{
    http_fixture_get(fixture, key);
    expect_outcome(&fixture->outcome, SLUICE_OK, value);
}

static void on_outcome(void *arg, const struct sluice_outcome *outcome)
{
    struct http_call *call = arg;

    call->outcome = *outcome;
    if (outcome->value)
        sluice_value_ref(outcome->value);
    if (outcome->reason)
        sluice_value_ref(outcome->reason);
    atomic_store(&call->done, true);
}

struct http_call *http_fixture_begin(struct http_fixture *fixture, const char *key)
{
    struct http_call *call = &fixture->calls[fixture->calls_count];
    struct sluice_async_get get = {.key = key, .key_size = strlen(key), .timeout_ms = FOREVER_MS};
    struct sluice_outcome at_once = SLUICE_OUTCOME_INIT;

    assert_true(fixture->calls_count < HTTP_CALLS_MAX);
    fixture->calls_count++;
    get.callback = on_outcome;
    get.arg = call;
    if (sluice_get_async(fixture->cache, &get, &at_once, NULL) != SLUICE_PARKED) {
        call->outcome = at_once;
        atomic_store(&call->done, true);
    }
    return call;
}

void http_fixture_await(struct http_call *call, enum sluice_error error, const char *text)
{
    AWAIT(atomic_load(&call->done));
    expect_outcome(&call->outcome, error, text);
}

struct backend_stats http_fixture_stats(struct http_fixture *fixture)
{
    struct backend_stats stats;

    fixture->backend.stats(fixture->backend.self, &stats);
    return stats;
}
