/* SPDX-License-Identifier: MIT */
/* fixture.c: see fixture.h. */
#include "fixture.h"

#include "call.h"
#include "sums.h"

#include <stdio.h>
#include <stdlib.h>

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    fixture->loader = gated_loader_create();
    fake_clock_init(&fixture->clock);
    fixture->options = (struct sluice_options)SLUICE_OPTIONS_INIT;
    fixture->options.loader = gated_loader_option(fixture->loader);
    fixture->options.clock = fake_clock_option(&fixture->clock);
    *state = fixture;
    return 0;
}

/* Every call must have come to its end exactly once: an outcome, or a cancel that said true. */
static bool calls_are_whole(struct fixture *fixture)
{
    for (struct call *call = fixture->calls; call != NULL; call = call->next) {
        if (!call_finish(call)) {
            fprintf(stderr, "a get of \"%s\" never came back\n", call->spec.key);
            return false;
        }
    }
    for (struct call *call = fixture->calls; call != NULL; call = call->next) {
        unsigned ends = atomic_load(&call->outcomes) + call->cancelled;
        if (ends != 1) {
            fprintf(stderr, "a get of \"%s\" had %u ends instead of one\n", call->spec.key, ends);
            return false;
        }
        if (call->wait != NULL && !atomic_load(&call->parking_ran)) {
            fprintf(stderr, "a get of \"%s\" parked and was not told before\n", call->spec.key);
            return false;
        }
    }
    return true;
}

static bool cache_is_whole(struct fixture *fixture)
{
    struct sluice_stats stats = fixture_stats(fixture);
    bool whole = sums_hold(&stats);
    if (stats.waiters != 0 || stats.loads_in_flight != 0) {
        fprintf(stderr, "%ju waiters and %ju loads are left\n", (uintmax_t)stats.waiters,
                (uintmax_t)stats.loads_in_flight);
        whole = false;
    }
    return whole;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    gated_loader_open(fixture->loader);
    if (!calls_are_whole(fixture))
        return -1; /* threads may still be in there: better a leak than a crash that hides the cause */
    bool whole = fixture->cache == NULL || cache_is_whole(fixture);
    sluice_cache_destroy(fixture->cache);
    while (fixture->calls != NULL) {
        struct call *call = fixture->calls;
        fixture->calls = call->next;
        call_free(call);
    }
    gated_loader_destroy(fixture->loader);
    free(fixture);
    return whole ? 0 : -1;
}

void fixture_open(struct fixture *fixture)
{
    assert_null(fixture->cache);
    assert_int_equal(sluice_cache_create(&fixture->options, &fixture->cache), SLUICE_OK);
}

void fixture_use_real_clock(struct fixture *fixture)
{
    fixture->options.clock = (struct sluice_clock){.now_ms = NULL};
}

void fixture_destroy_cache(struct fixture *fixture)
{
    struct sluice_cache *cache = fixture->cache;
    fixture->cache = NULL;
    sluice_cache_destroy(cache);
}

void fixture_reopen(struct fixture *fixture)
{
    sums_assert_idle(fixture->cache);
    fixture_destroy_cache(fixture);
    fixture_open(fixture);
}

int64_t fixture_advance(struct fixture *fixture, int64_t ms)
{
    fake_clock_advance(&fixture->clock, ms);
    return sluice_cache_tick(fixture->cache);
}

struct sluice_stats fixture_stats(struct fixture *fixture)
{
    struct sluice_stats stats;
    sluice_cache_stats(fixture->cache, &stats);
    return stats;
}

void fixture_await_waiters(struct fixture *fixture, uint64_t count)
{
    AWAIT(fixture_stats(fixture).waiters == count);
}

struct sluice_content fixture_content_tagged(const char *text, const char *const *tags, size_t count)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    content.data = text;
    content.size = strlen(text);
    content.tags = tags;
    content.tags_count = count;
    return content;
}

struct sluice_content fixture_content(const char *text)
{
    return fixture_content_tagged(text, NULL, 0);
}

void fixture_put_ttl(struct fixture *fixture, const char *key, const char *text, int64_t ttl_ms)
{
    struct sluice_content content = fixture_content(text);
    content.ttl_ms = ttl_ms;
    assert_int_equal(sluice_put(fixture->cache, key, strlen(key), &content), SLUICE_OK);
}

void fixture_put(struct fixture *fixture, const char *key, const char *text)
{
    fixture_put_ttl(fixture, key, text, SLUICE_TTL_DEFAULT);
}

void fixture_expect_outcome(const struct sluice_outcome *outcome, enum sluice_error error, const char *text)
{
    if (outcome->error != error)
        fail_msg("expected \"%s\", got \"%s\"", sluice_strerror(error), sluice_strerror(outcome->error));
    struct sluice_value *bytes = error == SLUICE_OK ? outcome->value : outcome->reason;
    struct sluice_value *none = error == SLUICE_OK ? outcome->reason : outcome->value;
    assert_null(none);
    if (text == NULL) {
        assert_null(bytes);
        return;
    }
    assert_non_null(bytes);
    assert_string_equal(sluice_value_data(bytes), text);
    assert_int_equal(sluice_value_size(bytes), strlen(text));
}

void fixture_expect_stale_outcome(const struct sluice_outcome *outcome, const char *text, const char *reason)
{
    assert_int_equal(outcome->error, SLUICE_OK);
    assert_string_equal(sluice_value_data(outcome->value), text);
    assert_true(outcome->stale);
    assert_true(outcome->stored);
    assert_int_equal(outcome->ttl_ms, 0);
    if (reason == NULL)
        assert_null(outcome->reason);
    else
        assert_string_equal(sluice_outcome_reason(outcome), reason);
}

void fixture_expect_present(struct fixture *fixture, const char *key, enum sluice_error error, const char *text)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    assert_int_equal(sluice_get_if_present(fixture->cache, key, strlen(key), &outcome), error);
    fixture_expect_outcome(&outcome, error, text);
    assert_int_equal(outcome.source, error == SLUICE_NOT_CACHED ? SLUICE_SOURCE_NONE : SLUICE_SOURCE_HIT);
    assert_false(outcome.stale);
    sluice_outcome_fini(&outcome);
}

void fixture_expect_stale(struct fixture *fixture, const char *key, const char *text)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    assert_int_equal(sluice_get_if_present(fixture->cache, key, strlen(key), &outcome), SLUICE_OK);
    fixture_expect_stale_outcome(&outcome, text, NULL);
    assert_int_equal(outcome.source, SLUICE_SOURCE_HIT);
    sluice_outcome_fini(&outcome);
}

void fixture_expect_absent(struct fixture *fixture, const char *key)
{
    fixture_expect_present(fixture, key, SLUICE_NOT_CACHED, NULL);
}

int64_t fixture_ttl_of_hit(struct fixture *fixture, const char *key)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;

    assert_int_equal(sluice_get_if_present(fixture->cache, key, strlen(key), &outcome), SLUICE_OK);
    int64_t ttl_ms = outcome.ttl_ms;
    sluice_outcome_fini(&outcome);
    return ttl_ms;
}

void fixture_expect_get(struct fixture *fixture, const char *key, enum sluice_error error, const char *text,
                        enum sluice_source source)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    assert_int_equal(sluice_get_outcome(fixture->cache, key, strlen(key), 0, &outcome), error);
    fixture_expect_outcome(&outcome, error, text);
    assert_int_equal(outcome.source, source);
    sluice_outcome_fini(&outcome);
}

struct sluice_invalidated fixture_invalidate(struct fixture *fixture, enum invalidation how, const char *key)
{
    struct sluice_invalidated gone = {99, 99};
    struct sluice_key keys[2] = {{"another key", 11}, {key, strlen(key)}};

    switch (how) {
    case INVALIDATION_KEY:
        sluice_invalidate(fixture->cache, key, strlen(key), &gone);
        break;
    case INVALIDATION_KEYS:
        sluice_invalidate_keys(fixture->cache, keys, 2, &gone);
        break;
    case INVALIDATION_PREFIX:
        sluice_invalidate_prefix(fixture->cache, key, strlen(key) - 1, &gone);
        break;
    case INVALIDATION_ALL:
        sluice_invalidate_all(fixture->cache, &gone);
        break;
    }
    return gone;
}
