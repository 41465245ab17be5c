/* SPDX-License-Identifier: MIT */
/* loader_fixture.c: see loader_fixture.h. */
#include "loader_fixture.h"

#include "sums.h"

#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

/* ---- life -------------------------------------------------------------------------------------------------------- */

void loader_fixture_init(struct loader_fixture *fixture)
{
    scratch_init(&fixture->scratch);
    assert_int_equal(chmod(fixture->scratch.directory, 0755), 0);
    fixture->cache_options = (struct sluice_options)SLUICE_OPTIONS_INIT;
    fixture->outcome = (struct sluice_outcome)SLUICE_OUTCOME_INIT;
}

void loader_fixture_open(struct loader_fixture *fixture)
{
    fixture->cache_options.loader = fixture->backend.loader;
    assert_int_equal(sluice_cache_create(&fixture->cache_options, &fixture->cache), SLUICE_OK);
}

static void destroy_backend(struct loader_fixture *fixture)
{
    if (fixture->backend.kind != NULL)
        fixture->backend.destroy(fixture->backend.self);
    fixture->backend.kind = NULL;
}

static void destroy_cache(struct loader_fixture *fixture)
{
    if (fixture->cache == NULL)
        return;
    sums_assert_idle(fixture->cache);
    sluice_cache_destroy(fixture->cache);
    fixture->cache = NULL;
}

void loader_fixture_close(struct loader_fixture *fixture)
{
    if (fixture->cache != NULL)
        sluice_cache_close(fixture->cache);
    destroy_backend(fixture);
    destroy_cache(fixture);
}

void loader_fixture_close_backend_first(struct loader_fixture *fixture)
{
    destroy_backend(fixture);
    destroy_cache(fixture);
}

void loader_fixture_fini(struct loader_fixture *fixture)
{
    loader_be_nobody(false);
    loader_fixture_close(fixture);
    sluice_outcome_fini(&fixture->outcome);
    for (size_t i = 0; i < fixture->calls_count; i++) {
        assert_true(atomic_load(&fixture->calls[i].done));
        sluice_outcome_fini(&fixture->calls[i].outcome);
    }
    scratch_fini(&fixture->scratch);
}

/* ---- gets -------------------------------------------------------------------------------------------------------- */

/* This error, and this text as the value or within the reason. */
static void expect_outcome(const struct sluice_outcome *outcome, enum sluice_error error, const char *text)
{
    if (outcome->error != error)
        fail_msg("expected \"%s\", got \"%s\" (%s)", sluice_strerror(error), sluice_strerror(outcome->error),
                 sluice_outcome_reason(outcome));
    if (text == NULL)
        return;
    if (error == SLUICE_OK) {
        assert_string_equal(sluice_value_data(outcome->value), text);
        assert_int_equal(sluice_value_size(outcome->value), strlen(text));
    } else if (strstr(sluice_outcome_reason(outcome), text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, sluice_outcome_reason(outcome));
    }
}

enum sluice_error loader_get(struct loader_fixture *fixture, const void *key, size_t key_size)
{
    sluice_outcome_fini(&fixture->outcome);
    return sluice_get_outcome(fixture->cache, key, key_size, AWAIT_MS_MAX, &fixture->outcome);
}

void loader_expect(struct loader_fixture *fixture, const char *key, const char *text)
{
    (void)!loader_get(fixture, key, strlen(key));
    expect_outcome(&fixture->outcome, SLUICE_OK, text);
}

void loader_expect_bytes(struct loader_fixture *fixture, const void *key, size_t key_size, const void *bytes,
                         size_t size)
{
    (void)!loader_get(fixture, key, key_size);
    expect_outcome(&fixture->outcome, SLUICE_OK, NULL);
    assert_int_equal(sluice_value_size(fixture->outcome.value), size);
    assert_memory_equal(sluice_value_data(fixture->outcome.value), bytes, size);
}

void loader_expect_error(struct loader_fixture *fixture, const char *key, enum sluice_error error, const char *words)
{
    (void)!loader_get(fixture, key, strlen(key));
    expect_outcome(&fixture->outcome, error, words);
}

void loader_forget(struct loader_fixture *fixture, const char *key)
{
    sluice_invalidate(fixture->cache, key, strlen(key), NULL);
}

static void call_keep(void *arg, const struct sluice_outcome *outcome)
{
    struct loader_call *call = arg;

    call->outcome = *outcome;
    if (outcome->value != NULL)
        sluice_value_ref(outcome->value);
    if (outcome->reason != NULL)
        sluice_value_ref(outcome->reason);
    atomic_store(&call->done, true);
}

struct loader_call *loader_begin(struct loader_fixture *fixture, const char *key)
{
    struct loader_call *call = &fixture->calls[fixture->calls_count];
    struct sluice_async_get get = {
        .key = key, .key_size = strlen(key), .timeout_ms = SLUICE_WAIT_FOREVER, .callback = call_keep, .arg = call};
    struct sluice_outcome at_once;

    assert_true(fixture->calls_count < LOADER_CALLS_MAX);
    fixture->calls_count++;
    if (sluice_get_async(fixture->cache, &get, &at_once, NULL) != SLUICE_PARKED) {
        call->outcome = at_once;
        atomic_store(&call->done, true);
    }
    return call;
}

void loader_await(struct loader_call *call, enum sluice_error error, const char *text)
{
    AWAIT(atomic_load(&call->done));
    expect_outcome(&call->outcome, error, text);
}

struct backend_stats loader_stats(struct loader_fixture *fixture)
{
    struct backend_stats stats;

    fixture->backend.stats(fixture->backend.self, &stats);
    return stats;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

void loader_path(const struct loader_fixture *fixture, const char *name, char path[LOADER_PATH_MAX])
{
    scratch_path(&fixture->scratch, name, path);
}

void loader_write(const struct loader_fixture *fixture, const char *name, const void *bytes, size_t size)
{
    char path[LOADER_PATH_MAX];

    scratch_write(&fixture->scratch, name, bytes, size);
    loader_path(fixture, name, path);
    assert_int_equal(chmod(path, 0644), 0);
}

void loader_write_text(const struct loader_fixture *fixture, const char *name, const char *text)
{
    loader_write(fixture, name, text, strlen(text));
}

void loader_make_directory(const struct loader_fixture *fixture, const char *name)
{
    char path[LOADER_PATH_MAX];

    scratch_make_directory(&fixture->scratch, name);
    loader_path(fixture, name, path);
    assert_int_equal(chmod(path, 0755), 0);
}

void loader_be_nobody(bool nobody)
{
    /* Of this thread alone, unlike seteuid(); with it go root's leave to read everything. */
    setfsuid(nobody ? NOBODY : geteuid());
}
