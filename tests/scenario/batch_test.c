/* SPDX-License-Identifier: MIT */
/* batch_test.c: separate misses are loaded in one call, within a window and a size (rule 15). */
#include "bulk_call.h"
#include "crowd.h"

#include <stdlib.h>

#define WINDOW_MS 10

static struct fixture *open_batching(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.batch_window_ms = WINDOW_MS;
    fixture->options.batch_size_max = 4;
    fixture_open(fixture);
    return fixture;
}

/*
 * Begins a get that blocks, the first one of its batch, whose window has begun then. Of a later one it can't be seen
 * when its thread has brought it into the batch.
 */
static struct call *start_first(struct fixture *fixture, const char *key)
{
    struct call *call = call_start(fixture, WAY_BLOCKING, key, SLUICE_WAIT_FOREVER);
    AWAIT(sluice_cache_tick(fixture->cache) == WINDOW_MS);
    return call;
}

static struct call *start(struct fixture *fixture, const char *key)
{
    return call_start(fixture, WAY_ASYNC, key, SLUICE_WAIT_FOREVER);
}

static void rule_15_misses_within_the_window_are_one_call(void **state)
{
    struct fixture *fixture = open_batching(state);

    struct call *a = start_first(fixture, "a");
    struct call *also_a = call_start(fixture, WAY_BLOCKING, "a", SLUICE_WAIT_FOREVER); /* coalesced, as ever */
    fixture_await_waiters(fixture, 2);
    fixture_advance(fixture, WINDOW_MS - 1);
    struct call *b = start(fixture, "b");
    assert_int_equal(sluice_cache_tick(fixture->cache), 1);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
    fixture_advance(fixture, 1);
    gated_loader_await_calls(fixture->loader, 2);
    assert_int_equal(gated_loader_batches(fixture->loader), 1);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 0), 2);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    call_expect(a, SLUICE_LOAD_FAILED, "why");
    call_expect(also_a, SLUICE_LOAD_FAILED, "why");
    call_expect(b, SLUICE_OK, "B");
    assert_int_equal(a->outcome.source, SLUICE_SOURCE_LOAD);
    assert_int_equal(fixture_stats(fixture).loads, 2);
}

static void rule_15_a_full_batch_does_not_wait(void **state)
{
    struct fixture *fixture = open_batching(state);

    struct call *calls[5];
    static const char *const keys[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        calls[i] = i == 0 ? start_first(fixture, keys[i]) : start(fixture, keys[i]);
    gated_loader_await_calls(fixture->loader, 4);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 0), 4);
    fixture_advance(fixture, WINDOW_MS); /* the fifth began a batch of its own */
    gated_loader_await_calls(fixture->loader, 5);
    assert_int_equal(gated_loader_batches(fixture->loader), 1);
    gated_loader_open(fixture->loader);
    for (size_t i = 0; i < 5; i++)
        call_expect(calls[i], SLUICE_NOT_FOUND, NULL);
}

static void rule_15_the_real_clock_ends_the_window(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.batch_window_ms = WINDOW_MS;
    fixture_use_real_clock(fixture);
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    struct call *calls[4];
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        calls[i] = call_start(fixture, (enum way)(i % 2), "key", SLUICE_WAIT_FOREVER);
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        call_expect(calls[i], SLUICE_OK, "key#1");
}

static void rule_15_refreshes_are_batched_too_and_bulk_gets_are_not_put_off(void **state)
{
    struct fixture *fixture = open_batching(state);

    assert_int_equal(sluice_refresh(fixture->cache, "a", 1), SLUICE_OK);
    assert_int_equal(sluice_refresh(fixture->cache, "b", 1), SLUICE_OK);
    struct bulk_call *bulk = bulk_park(fixture, WAY_ASYNC, "a c d", 3);
    gated_loader_await_calls(fixture->loader, 2);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 0), 2); /* c and d; a is on its way */
    fixture_advance(fixture, WINDOW_MS);
    gated_loader_await_calls(fixture->loader, 4);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 1), 2);
    gated_loader_open(fixture->loader);
    bulk_expect(bulk, 0, SLUICE_NOT_FOUND, NULL);
    bulk_free(bulk);
}

static void rule_15_a_refresh_may_fill_the_batch_that_gets_wait_for(void **state)
{
    struct fixture *fixture = open_batching(state);

    struct call *calls[3];
    static const char *const keys[] = {"a", "b", "c"};
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        calls[i] = i == 0 ? start_first(fixture, keys[i]) : start(fixture, keys[i]);
    assert_int_equal(sluice_refresh(fixture->cache, "d", 1), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 4);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 0), 4);
    gated_loader_open(fixture->loader);
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        call_expect(calls[i], SLUICE_NOT_FOUND, NULL);
}

static void rule_15_what_is_overtaken_in_the_window_is_not_loaded(void **state)
{
    struct fixture *fixture = open_batching(state);

    struct call *detached = start_first(fixture, "detached"); /* somebody waits for it all the same */
    struct call *put = start(fixture, "put");
    struct call *stays = start(fixture, "stays");
    fixture_put(fixture, "put", "value");
    call_expect(put, SLUICE_OK, "value");
    fixture_invalidate(fixture, INVALIDATION_KEY, "detached");
    fixture_advance(fixture, WINDOW_MS);
    gated_loader_await_calls(fixture->loader, 2);
    assert_int_equal(gated_loader_calls(fixture->loader, "put"), 0);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "loaded");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "loaded");
    call_expect(stays, SLUICE_OK, "loaded");
    call_expect(detached, SLUICE_OK, "loaded");
    fixture_expect_present(fixture, "stays", SLUICE_OK, "loaded");
    fixture_expect_absent(fixture, "detached");
    assert_int_equal(fixture_stats(fixture).loads_dropped, 1);
}

static void rule_15_a_wait_may_be_over_before_the_window_is(void **state)
{
    struct fixture *fixture = open_batching(state);

    struct call *blocking = call_start(fixture, WAY_BLOCKING, "a", WINDOW_MS / 2);
    AWAIT(sluice_cache_tick(fixture->cache) == WINDOW_MS / 2); /* its time has begun */
    struct call *async = call_start(fixture, WAY_ASYNC, "b", WINDOW_MS / 2);
    fixture_expect_get(fixture, "c", SLUICE_TIMED_OUT, NULL, SLUICE_SOURCE_LOAD);
    fixture_advance(fixture, WINDOW_MS / 2);
    call_expect(blocking, SLUICE_TIMED_OUT, NULL);
    call_expect(async, SLUICE_TIMED_OUT, NULL);
    AWAIT(sluice_cache_tick(fixture->cache) == WINDOW_MS / 2);
    fixture_advance(fixture, WINDOW_MS / 2);
    gated_loader_await_calls(fixture->loader, 3); /* the loads go on */
}

static void rule_15_a_call_with_its_own_loader_is_not_batched(void **state)
{
    struct fixture *fixture = open_batching(state);
    struct gated_loader *own = gated_loader_create();

    struct call *call = call_start_spec(
        fixture, &(struct call_spec){.way = WAY_ASYNC, .key = "a", .timeout_ms = SLUICE_WAIT_FOREVER, .loader = own});
    assert_int_equal(gated_loader_calls_in_all(own), 1);
    gated_loader_end(own, 0, ENDING_VALUE, "own");
    call_expect(call, SLUICE_OK, "own");
    gated_loader_destroy(own);
}

static void rule_18_the_close_drops_what_waits_for_a_batch(void **state)
{
    struct fixture *fixture = open_batching(state);

    struct call *blocking = start_first(fixture, "a");
    struct call *async = start(fixture, "b");
    sluice_cache_close(fixture->cache);
    call_expect(blocking, SLUICE_CLOSED, NULL);
    call_expect(async, SLUICE_CLOSED, NULL);
    fixture_destroy_cache(fixture);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
}

/* ---- with every background thread in a load ---------------------------------------------------------------------- */

static struct sluice_cache *nested_cache;

/* Key "a" takes the value of key "b", which waits in the queue behind it; others are themselves. */
static void load_many_nested(void *self, struct sluice_load *const *loads, size_t count)
{
    struct gated_loader *started = self;
    for (size_t i = 0; i < count; i++) {
        struct sluice_content content = SLUICE_CONTENT_INIT;
        struct sluice_value *value = NULL;
        content.data = "leaf";
        content.size = 4;
        if (memcmp(sluice_load_key(loads[i]), "a", 1) == 0) {
            gated_loader_await_calls(started, 1); /* until "b" is in flight */
            if (sluice_get(nested_cache, "b", 1, SLUICE_WAIT_FOREVER, &value) != SLUICE_OK)
                abort();
            content.data = sluice_value_data(value);
            content.size = sluice_value_size(value);
        }
        sluice_load_complete(loads[i], &content);
        sluice_value_unref(value);
    }
}

static void rule_17_a_load_may_wait_for_one_that_no_thread_is_left_for(void **state)
{
    struct fixture *fixture = *state;
    struct gated_loader *started = gated_loader_create(); /* its one call says that "b" is in flight */
    fixture->options.loader = (struct sluice_loader){.load_many = load_many_nested, .self = started};
    fixture->options.batch_window_ms = WINDOW_MS;
    fixture->options.batch_size_max = 1;
    fixture->options.background_threads_max = 1;
    fixture_open(fixture);
    nested_cache = fixture->cache;

    struct call *a = start(fixture, "a"); /* has the one thread there is */
    assert_int_equal(sluice_refresh(fixture->cache, "b", 1), SLUICE_OK);
    struct sluice_outcome outcome;
    const struct sluice_loader signal = gated_loader_option(started);
    const struct sluice_request other = {.key = "signal", .key_size = 6, .timeout_ms = 0, .loader = &signal};
    assert_int_equal(sluice_get_request(fixture->cache, &other, &outcome), SLUICE_TIMED_OUT);
    call_expect(a, SLUICE_OK, "leaf");
    gated_loader_open(started);
    AWAIT(fixture_stats(fixture).loads_in_flight == 0);
    assert_int_equal(fixture_stats(fixture).loads, 3);
    fixture_destroy_cache(fixture);
    gated_loader_destroy(started);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_15_misses_within_the_window_are_one_call),
        FIXTURE_TEST(rule_15_a_full_batch_does_not_wait),
        FIXTURE_TEST(rule_15_the_real_clock_ends_the_window),
        FIXTURE_TEST(rule_15_refreshes_are_batched_too_and_bulk_gets_are_not_put_off),
        FIXTURE_TEST(rule_15_a_refresh_may_fill_the_batch_that_gets_wait_for),
        FIXTURE_TEST(rule_15_what_is_overtaken_in_the_window_is_not_loaded),
        FIXTURE_TEST(rule_15_a_wait_may_be_over_before_the_window_is),
        FIXTURE_TEST(rule_15_a_call_with_its_own_loader_is_not_batched),
        FIXTURE_TEST(rule_18_the_close_drops_what_waits_for_a_batch),
        FIXTURE_TEST(rule_17_a_load_may_wait_for_one_that_no_thread_is_left_for),
    };
    FIXTURE_MAIN(tests);
}
