/* SPDX-License-Identifier: MIT */
/* removal_test.c: the listener is told exactly once of every stored value that leaves, and why (rule 22). */
#include "crowd.h"
#include "errand.h"
#include "removals.h"

#include <stdlib.h>

static void load(struct fixture *fixture, const char *key, enum ending ending, const char *text)
{
    size_t number = gated_loader_calls_in_all(fixture->loader);
    struct call *call = call_park(fixture, WAY_ASYNC, key, SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, number, ending, text);
    call_await(call);
}

static void rule_22_invalidations_are_explicit(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    for (int how = 0; how < INVALIDATIONS; how++) {
        fixture_put(fixture, "key", "value");
        fixture_invalidate(fixture, (enum invalidation)how, "key");
        sluice_cache_tick(fixture->cache); /* which buries what an invalidation of all took */
        removals_expect(removals_told, "key", "value", SLUICE_REMOVED_EXPLICIT);
        removals_expect_none(removals_told);
    }
}

static void rule_22_all_that_one_clear_took_is_told_also_when_another_follows_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture_open(fixture);
    for (int i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        fixture_put(fixture, "one", text);
        fixture_put(fixture, "two", text);
        sluice_invalidate_all(fixture->cache, NULL);
    }
    sluice_cache_tick(fixture->cache);
    for (int i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        removals_expect_among(removals_told, 2, "one", text, SLUICE_REMOVED_EXPLICIT);
        removals_expect(removals_told, "two", text, SLUICE_REMOVED_EXPLICIT);
    }
    removals_expect_none(removals_told);
}

static void rule_22_what_a_put_or_a_load_takes_the_place_of_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "key", "first");
    fixture_put(fixture, "key", "second");
    removals_expect(removals_told, "key", "first", SLUICE_REMOVED_REPLACED);
    fixture_put_ttl(fixture, "key", "not stored", 0);
    removals_expect(removals_told, "key", "second", SLUICE_REMOVED_REPLACED);

    fixture_put(fixture, "key", "third");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "fourth");
    removals_expect(removals_told, "key", "third", SLUICE_REMOVED_REPLACED);
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_end(fixture->loader, 1, ENDING_NOT_FOUND, NULL);
    removals_expect(removals_told, "key", "fourth", SLUICE_REMOVED_REPLACED);

    fixture_put(fixture, "key", "fifth");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 3);
    fixture_put(fixture, "key", "sixth"); /* over the reload */
    removals_expect(removals_told, "key", "fifth", SLUICE_REMOVED_REPLACED);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "late");
    removals_expect_none(removals_told);
}

static void rule_22_a_value_that_is_kept_or_renewed_has_not_left(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 2);
    gated_loader_renew(fixture->loader, 1, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    removals_expect_none(removals_told);
}

/* What has left and is then found to hold is stored anew: it was told of once for each time that it leaves. */
static void rule_22_a_value_that_left_and_is_renewed_is_stored_again_and_leaves_again(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 1;
    fixture->options.shards = 1;
    fixture_open(fixture);

    for (size_t evicted = 0; evicted <= 1; evicted++) {
        fixture_put_ttl(fixture, "key", "value", 100);
        assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
        gated_loader_await_calls(fixture->loader, evicted + 1);
        if (evicted)
            fixture_put(fixture, "other", "one");
        else
            fixture_advance(fixture, 100);
        removals_expect(removals_told, "key", "value", evicted ? SLUICE_REMOVED_SIZE : SLUICE_REMOVED_EXPIRED);
        struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        gated_loader_renew(fixture->loader, evicted, SLUICE_NEVER, SLUICE_NEVER);
        call_expect(call, SLUICE_OK, "value");
        assert_true(call->outcome.stored);
        if (evicted)
            removals_expect(removals_told, "other", "one", SLUICE_REMOVED_SIZE);
        removals_expect_none(removals_told);
        assert_int_equal(fixture_stats(fixture).entries, 1);
        fixture_expect_present(fixture, "key", SLUICE_OK, "value");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        removals_expect(removals_told, "key", "value", SLUICE_REMOVED_EXPLICIT);
        removals_expect_none(removals_told);
    }
}

static void rule_22_what_expires_is_told_whoever_finds_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 100;
    fixture_open(fixture);
    fixture_put(fixture, "key", "ticked");
    fixture_advance(fixture, 100);
    removals_expect(removals_told, "key", "ticked", SLUICE_REMOVED_EXPIRED);

    fixture_put(fixture, "key", "found");
    fake_clock_advance(&fixture->clock, 100);
    fixture_expect_absent(fixture, "key");
    removals_expect(removals_told, "key", "found", SLUICE_REMOVED_EXPIRED);

    fixture_put(fixture, "key", "refreshing");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    fixture_advance(fixture, 100);
    removals_expect(removals_told, "key", "refreshing", SLUICE_REMOVED_EXPIRED);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    removals_expect_none(removals_told);

    fake_clock_advance(&fixture->clock, 100);
    load(fixture, "key", ENDING_VALUE, "new"); /* found by the get that leads */
    removals_expect(removals_told, "key", "value", SLUICE_REMOVED_EXPIRED);
    removals_expect_none(removals_told);
}

static void rule_22_a_value_whose_time_ends_during_a_load_that_fails_has_expired(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 100;
    fixture_open(fixture);
    fixture_put(fixture, "key", "old");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    fake_clock_advance(&fixture->clock, 100);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    removals_expect(removals_told, "key", "old", SLUICE_REMOVED_EXPIRED);
    removals_expect_none(removals_told);
    assert_int_equal(fixture_stats(fixture).expired, 1);
}

static void rule_22_what_is_evicted_leaves_for_its_size(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 2;
    fixture->options.shards = 1;
    fixture_open(fixture);
    fixture_put(fixture, "one", "1");
    fixture_put(fixture, "two", "2");
    fixture_put(fixture, "three", "3");
    removals_expect(removals_told, "one", "1", SLUICE_REMOVED_SIZE);
    removals_expect_none(removals_told);
}

static void rule_22_not_founds_and_failures_are_no_values(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 100;
    fixture->options.failure_backoff_ms = 100;
    fixture_open(fixture);
    load(fixture, "missing", ENDING_NOT_FOUND, NULL);
    load(fixture, "failed", ENDING_FAILURE, "why");
    assert_int_equal(fixture_stats(fixture).entries, 2);
    fixture_put(fixture, "missing", "value");
    fixture_put(fixture, "failed", "value");
    fixture_invalidate(fixture, INVALIDATION_KEY, "missing");
    removals_expect(removals_told, "missing", "value", SLUICE_REMOVED_EXPLICIT);
    load(fixture, "failed twice", ENDING_FAILURE, "why");
    fixture_advance(fixture, 100);
    load(fixture, "failed twice", ENDING_FAILURE, "why");
    fixture_invalidate(fixture, INVALIDATION_KEY, "failed twice");
    removals_expect_none(removals_told);
}

static void rule_22_what_is_not_stored_does_not_leave(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 0;
    fixture_open(fixture);
    load(fixture, "key", ENDING_VALUE, "value");
    fixture_put(fixture, "key", "value");
    struct call *call = call_park(fixture, WAY_ASYNC, "detached", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_KEY, "detached");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "value");
    call_await(call);
    removals_expect_none(removals_told);
}

static void rule_22_what_is_stored_at_the_end_leaves_with_the_cache(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");
    fixture_put(fixture, "refreshing", "old");
    assert_int_equal(sluice_refresh(fixture->cache, "refreshing", 10), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    sluice_cache_close(fixture->cache);
    removals_expect_none(removals_told);
    fixture_invalidate(fixture, INVALIDATION_KEY, "refreshing");
    removals_expect(removals_told, "refreshing", "old", SLUICE_REMOVED_EXPLICIT);
    fixture_destroy_cache(fixture);
    removals_expect(removals_told, "key", "value", SLUICE_REMOVED_EXPLICIT);
    removals_expect_none(removals_told);
}

static struct sluice_cache *called_from_listener;

static void call_the_cache(void *self, const struct sluice_removal *removal)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    size_t *calls = self;
    if ((*calls)++ > 0)
        return;
    content.data = "again";
    content.size = 5;
    assert_int_equal(sluice_put(called_from_listener, removal->key, removal->key_size, &content), SLUICE_OK);
    sluice_invalidate(called_from_listener, removal->key, removal->key_size, NULL);
}

static void rule_22_a_listener_may_call_the_cache(void **state)
{
    struct fixture *fixture = *state;
    size_t calls = 0;
    fixture->options.listener = (struct sluice_listener){.removed = call_the_cache, .self = &calls};
    fixture_open(fixture);
    called_from_listener = fixture->cache;
    fixture_put(fixture, "key", "value");
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    assert_int_equal(calls, 2);
    fixture_expect_absent(fixture, "key");
}

/* What a listener was given that got the key whose loader its own thread was about to call. */
static struct {
    struct fixture *fixture;
    enum sluice_error error;
    unsigned calls;
} asking;

static void get_the_key(void *self, const struct sluice_removal *removal)
{
    struct sluice_value *value = NULL;
    (void)self;
    if (removal->cause != SLUICE_REMOVED_EXPIRED)
        return;
    asking.calls++;
    asking.error = sluice_get(asking.fixture->cache, removal->key, removal->key_size, SLUICE_WAIT_FOREVER, &value);
    sluice_value_unref(value);
}

static void get_elsewhere(void *arg)
{
    struct sluice_value *value = NULL;
    if (sluice_get(((struct fixture *)arg)->cache, "key", 3, SLUICE_WAIT_FOREVER, &value) != SLUICE_OK)
        abort();
    sluice_value_unref(value);
}

static void refresh_elsewhere(void *arg)
{
    if (sluice_refresh(((struct fixture *)arg)->cache, "key", 3) != SLUICE_OK)
        abort();
}

static void rule_17_a_listener_that_waits_for_the_load_that_waits_for_it_is_refused(void **state)
{
    struct fixture *fixture = *state;

    for (int refresh = 0; refresh <= 1; refresh++) {
        asking.fixture = fixture;
        asking.calls = 0;
        fixture->options.listener = (struct sluice_listener){.removed = get_the_key};
        fixture_open(fixture);
        gated_loader_set_mode(fixture->loader, GATED_ANSWER);
        fixture_put_ttl(fixture, "key", "old", 100);
        fake_clock_advance(&fixture->clock, 100);
        assert_true(errand_run_elsewhere(refresh ? refresh_elsewhere : get_elsewhere, fixture));
        assert_int_equal(asking.calls, 1);
        assert_int_equal(asking.error, SLUICE_CIRCULAR);
        AWAIT(fixture_stats(fixture).loads_in_flight == 0);
        fixture_destroy_cache(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        REMOVALS_TEST(rule_22_invalidations_are_explicit),
        REMOVALS_TEST(rule_22_all_that_one_clear_took_is_told_also_when_another_follows_at_once),
        REMOVALS_TEST(rule_22_what_a_put_or_a_load_takes_the_place_of_is_replaced),
        REMOVALS_TEST(rule_22_a_value_that_is_kept_or_renewed_has_not_left),
        REMOVALS_TEST(rule_22_a_value_that_left_and_is_renewed_is_stored_again_and_leaves_again),
        REMOVALS_TEST(rule_22_what_expires_is_told_whoever_finds_it),
        REMOVALS_TEST(rule_22_a_value_whose_time_ends_during_a_load_that_fails_has_expired),
        REMOVALS_TEST(rule_22_what_is_evicted_leaves_for_its_size),
        REMOVALS_TEST(rule_22_not_founds_and_failures_are_no_values),
        REMOVALS_TEST(rule_22_what_is_not_stored_does_not_leave),
        REMOVALS_TEST(rule_22_what_is_stored_at_the_end_leaves_with_the_cache),
        REMOVALS_TEST(rule_22_a_listener_may_call_the_cache),
        FIXTURE_TEST(rule_17_a_listener_that_waits_for_the_load_that_waits_for_it_is_refused),
    };
    FIXTURE_MAIN(tests);
}
