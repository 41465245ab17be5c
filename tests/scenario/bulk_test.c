/* SPDX-License-Identifier: MIT */
/* bulk_test.c: a bulk get joins loads in flight, starts its own missing keys, in one call where the loader can, and
 * only then waits; every key has its own outcome (rule 14). */
#include "bulk_call.h"
#include "crowd.h"

static struct fixture *open_many(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.not_found_ttl_ms = 1000;
    fixture_open(fixture);
    return fixture;
}

static void rule_14_what_is_missing_is_loaded_in_one_call(void **state)
{
    struct fixture *fixture = open_many(state);

    for (int way = 0; way < WAYS; way++) {
        size_t base = 3 * (size_t)way;
        fixture_put(fixture, "hit", "value");
        struct bulk_call *bulk = bulk_park(fixture, (enum way)way, "a hit b c", 3);
        gated_loader_await_calls(fixture->loader, base + 3);
        assert_int_equal(gated_loader_batches(fixture->loader), way + 1);
        assert_int_equal(gated_loader_batch_size(fixture->loader, (size_t)way), 3);
        /* Each load has an ending of its own, in any order. */
        gated_loader_end(fixture->loader, base + 2, ENDING_FAILURE, "why");
        gated_loader_end(fixture->loader, base + 0, ENDING_VALUE, "A");
        assert_false(bulk_done(bulk));
        gated_loader_end(fixture->loader, base + 1, ENDING_NOT_FOUND, NULL);
        bulk_expect(bulk, 0, SLUICE_OK, "A");
        bulk_expect(bulk, 1, SLUICE_OK, "value");
        bulk_expect(bulk, 2, SLUICE_NOT_FOUND, NULL);
        bulk_expect(bulk, 3, SLUICE_LOAD_FAILED, "why");
        assert_int_equal(bulk->outcomes[0].source, SLUICE_SOURCE_LOAD);
        assert_int_equal(bulk->outcomes[1].source, SLUICE_SOURCE_HIT);
        bulk_free(bulk);
        sluice_invalidate_all(fixture->cache, NULL);
    }
    assert_int_equal(fixture_stats(fixture).gets, 8);
    assert_int_equal(fixture_stats(fixture).hits, 2);
}

static void rule_14_a_loader_that_takes_one_at_a_time_is_called_for_each(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    struct bulk_call *bulk = bulk_start(fixture, WAY_BLOCKING, "a b c", SLUICE_WAIT_FOREVER);
    bulk_expect(bulk, 0, SLUICE_OK, "a#1");
    bulk_expect(bulk, 1, SLUICE_OK, "b#1");
    bulk_expect(bulk, 2, SLUICE_OK, "c#1");
    bulk_free(bulk);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 3);
}

static void rule_14_a_loader_that_only_takes_many_is_called_with_one_too(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.loader.load = NULL;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    fixture_expect_get(fixture, "a", SLUICE_OK, "a#1", SLUICE_SOURCE_LOAD);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 0), 1);
}

static void rule_14_loads_in_flight_are_joined(void **state)
{
    struct fixture *fixture = open_many(state);

    struct crowd crowd;
    crowd_park(fixture, &crowd, 2, "a", WAY_ASYNC);                       /* call 0 */
    struct bulk_call *first = bulk_park(fixture, WAY_BLOCKING, "a b", 2); /* call 1 */
    gated_loader_await_calls(fixture->loader, 2);
    struct bulk_call *second = bulk_park(fixture, WAY_ASYNC, "b c a", 3); /* call 2 */
    struct call *single = call_park(fixture, WAY_ASYNC, "c", SLUICE_WAIT_FOREVER);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 3);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "A");
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "C");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    crowd_expect(&crowd, SLUICE_OK, "A");
    call_expect(single, SLUICE_OK, "C");
    bulk_expect(first, 0, SLUICE_OK, "A");
    bulk_expect(first, 1, SLUICE_OK, "B");
    bulk_expect(second, 0, SLUICE_OK, "B");
    bulk_expect(second, 1, SLUICE_OK, "C");
    bulk_expect(second, 2, SLUICE_OK, "A");
    assert_int_equal(first->outcomes[0].source, SLUICE_SOURCE_COALESCED);
    assert_int_equal(second->outcomes[1].source, SLUICE_SOURCE_LOAD);
    bulk_free(first);
    bulk_free(second);
    assert_int_equal(fixture_stats(fixture).loads, 3);
}

static void rule_14_a_key_that_is_asked_for_twice_is_loaded_once(void **state)
{
    struct fixture *fixture = open_many(state);

    struct bulk_call *bulk = bulk_park(fixture, WAY_ASYNC, "a b a", 3);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "A");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    bulk_expect(bulk, 0, SLUICE_OK, "A");
    bulk_expect(bulk, 2, SLUICE_OK, "A");
    bulk_free(bulk);
}

static void rule_14_two_bulk_gets_in_opposite_orders_do_not_deadlock(void **state)
{
    struct fixture *fixture = open_many(state);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    for (int round = 0; round < 50; round++) {
        size_t base = 4 * (size_t)round;
        struct bulk_call *up = bulk_start(fixture, WAY_BLOCKING, "a b c d", SLUICE_WAIT_FOREVER);
        struct bulk_call *down = bulk_start(fixture, WAY_BLOCKING, "d c b a", SLUICE_WAIT_FOREVER);
        fixture_await_waiters(fixture, 8);
        for (size_t i = 0; i < 4; i++)
            gated_loader_end(fixture->loader, base + i, ENDING_VALUE, "value");
        for (size_t i = 0; i < 4; i++) {
            bulk_expect(up, i, SLUICE_OK, "value");
            bulk_expect(down, i, SLUICE_OK, "value");
        }
        bulk_free(up);
        bulk_free(down);
        assert_int_equal(fixture_stats(fixture).loads, base + 4);
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

static void rule_14_one_call_has_at_most_so_many_loads(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.batch_size_max = 2;
    fixture_open(fixture);

    struct bulk_call *bulk = bulk_park(fixture, WAY_ASYNC, "a b c d e", 5);
    assert_int_equal(gated_loader_batches(fixture->loader), 2);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 0), 2);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 1), 2);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 5); /* the last one by itself */
    gated_loader_open(fixture->loader);
    bulk_expect(bulk, 4, SLUICE_NOT_FOUND, NULL);
    bulk_free(bulk);
}

static void rule_14_a_hundred_keys_are_one_call(void **state)
{
    struct fixture *fixture = open_many(state);
    char keys[100 * 4 + 1];
    for (int i = 0; i < 100; i++)
        memcpy(&keys[4 * i], (const char[]){'k', (char)('0' + i / 10), (char)('0' + i % 10), ' '}, 4);
    keys[399] = '\0';

    struct bulk_call *bulk = bulk_park(fixture, WAY_ASYNC, keys, 100);
    assert_int_equal(gated_loader_batches(fixture->loader), 1);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 0), 100);
    gated_loader_open(fixture->loader);
    bulk_expect(bulk, 99, SLUICE_NOT_FOUND, NULL);
    bulk_free(bulk);
}

static void rule_14_hits_are_answered_at_once_and_none_is_no_matter(void **state)
{
    struct fixture *fixture = open_many(state);
    fixture_put(fixture, "a", "A");
    fixture_put(fixture, "b", "B");

    for (int way = 0; way < WAYS; way++) {
        struct bulk_call *bulk = bulk_start(fixture, (enum way)way, "a b", 0);
        bulk_expect(bulk, 1, SLUICE_OK, "B");
        assert_int_equal(bulk->error, SLUICE_OK);
        assert_null(bulk->handle);
        assert_false(bulk->parking_ran);
        bulk_free(bulk);
        struct bulk_call *none = bulk_start(fixture, (enum way)way, "", SLUICE_WAIT_FOREVER);
        AWAIT(bulk_done(none));
        assert_int_equal(none->error, SLUICE_OK);
        bulk_free(none);
    }
    assert_int_equal(fixture_stats(fixture).loads, 0);
}

static void many_keys_can_be_looked_for_without_loading(void **state)
{
    struct fixture *fixture = open_many(state);
    const struct sluice_key keys[] = {{"a", 1}, {"missing", 7}, {"", 0}, {"b", 1}};
    struct sluice_outcome outcomes[4];

    fixture_put(fixture, "a", "A");
    fixture_put(fixture, "b", "B");
    sluice_get_many_if_present(fixture->cache, keys, 4, outcomes);
    fixture_expect_outcome(&outcomes[0], SLUICE_OK, "A");
    fixture_expect_outcome(&outcomes[1], SLUICE_NOT_CACHED, NULL);
    fixture_expect_outcome(&outcomes[2], SLUICE_KEY_SIZE, NULL);
    fixture_expect_outcome(&outcomes[3], SLUICE_OK, "B");
    for (size_t i = 0; i < 4; i++)
        sluice_outcome_fini(&outcomes[i]);
    assert_int_equal(fixture_stats(fixture).loads, 0);
}

static void rule_14_a_bound_refuses_the_keys_that_are_over_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.loads_max = 2;
    fixture->options.key_size_max = 4;
    fixture_open(fixture);

    struct bulk_call *bulk = bulk_park(fixture, WAY_ASYNC, "a large b c", 2);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "A");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    bulk_expect(bulk, 0, SLUICE_OK, "A");
    bulk_expect(bulk, 1, SLUICE_KEY_SIZE, NULL);
    bulk_expect(bulk, 2, SLUICE_OK, "B");
    bulk_expect(bulk, 3, SLUICE_TOO_MANY_LOADS, NULL);
    bulk_free(bulk);
    assert_int_equal(fixture_stats(fixture).refused, 2);
}

static void rule_14_a_load_within_a_bulk_is_overtaken_like_any_other(void **state)
{
    struct fixture *fixture = open_many(state);

    struct bulk_call *bulk = bulk_park(fixture, WAY_BLOCKING, "put gone stays", 3);
    gated_loader_await_calls(fixture->loader, 3);
    fixture_put(fixture, "put", "by put");
    fixture_invalidate(fixture, INVALIDATION_KEY, "gone");
    for (size_t i = 0; i < 3; i++)
        gated_loader_end(fixture->loader, i, ENDING_VALUE, "loaded");
    bulk_expect(bulk, 0, SLUICE_OK, "by put");
    bulk_expect(bulk, 1, SLUICE_OK, "loaded");
    bulk_expect(bulk, 2, SLUICE_OK, "loaded");
    bulk_free(bulk);
    fixture_expect_present(fixture, "put", SLUICE_OK, "by put");
    fixture_expect_absent(fixture, "gone");
    fixture_expect_present(fixture, "stays", SLUICE_OK, "loaded");
}

static void rule_7_each_wait_of_a_bulk_has_the_deadline(void **state)
{
    struct fixture *fixture = open_many(state);

    for (int way = 0; way < WAYS; way++) {
        size_t base = 2 * (size_t)way;
        struct bulk_call *bulk = bulk_start(fixture, (enum way)way, "a b", 10);
        gated_loader_await_calls(fixture->loader, base + 2);
        gated_loader_end(fixture->loader, base, ENDING_VALUE, "A");
        if (way == WAY_BLOCKING)
            AWAIT(sluice_cache_tick(fixture->cache) == 10); /* counts from the loader's return */
        fixture_advance(fixture, 9);
        assert_false(bulk_done(bulk));
        fixture_advance(fixture, 1);
        bulk_expect(bulk, 0, SLUICE_OK, "A");
        bulk_expect(bulk, 1, SLUICE_TIMED_OUT, NULL);
        bulk_free(bulk);
        gated_loader_end(fixture->loader, base + 1, ENDING_VALUE, "B");
        fixture_expect_present(fixture, "b", SLUICE_OK, "B");
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

static void rule_7_a_bulk_that_does_not_wait_takes_what_its_loader_brings_at_once(void **state)
{
    struct fixture *fixture = open_many(state);

    for (int way = 0; way < WAYS; way++) {
        gated_loader_set_mode(fixture->loader, GATED_HOLD);
        struct bulk_call *held = bulk_start(fixture, (enum way)way, "a b", 0);
        bulk_expect(held, 0, SLUICE_TIMED_OUT, NULL);
        bulk_expect(held, 1, SLUICE_TIMED_OUT, NULL);
        bulk_free(held);
        struct bulk_call *joined = bulk_start(fixture, (enum way)way, "a", 0);
        bulk_expect(joined, 0, SLUICE_TIMED_OUT, NULL);
        bulk_free(joined);
        gated_loader_open(fixture->loader);
        struct bulk_call *answered = bulk_start(fixture, (enum way)way, "c d", 0);
        bulk_expect(answered, 1, SLUICE_OK, way == 0 ? "d#1" : "d#2");
        bulk_free(answered);
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

static void rule_7_cancelling_a_bulk_leaves_all_its_flights(void **state)
{
    struct fixture *fixture = open_many(state);

    struct bulk_call *bulk = bulk_park(fixture, WAY_ASYNC, "a b", 2);
    struct call *other = call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B"); /* has arrived already */
    assert_true(sluice_bulk_cancel(bulk->handle));
    assert_false(sluice_bulk_cancel(bulk->handle));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "A");
    call_expect(other, SLUICE_OK, "A");
    assert_false(bulk_done(bulk));
    assert_int_equal(fixture_stats(fixture).waits_cancelled, 1);
    bulk_free(bulk);

    struct bulk_call *done = bulk_park(fixture, WAY_ASYNC, "c", 1);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "C");
    assert_true(bulk_done(done));
    assert_false(sluice_bulk_cancel(done->handle));
    bulk_free(done);
}

static void rule_18_the_close_ends_a_bulk(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);

    for (int way = 0; way < WAYS; way++) {
        size_t base = gated_loader_calls_in_all(fixture->loader);
        fixture_open(fixture);
        fixture_put(fixture, "hit", "value");
        struct bulk_call *bulk = bulk_park(fixture, (enum way)way, "a hit b", 2);
        gated_loader_await_calls(fixture->loader, base + 2);
        gated_loader_end(fixture->loader, base, ENDING_VALUE, "A");
        assert_false(bulk_done(bulk));
        sluice_cache_close(fixture->cache);
        bulk_expect(bulk, 0, SLUICE_OK, "A"); /* which it had before */
        bulk_expect(bulk, 1, SLUICE_OK, "value");
        bulk_expect(bulk, 2, SLUICE_CLOSED, NULL);
        bulk_free(bulk);
        struct bulk_call *late = bulk_start(fixture, (enum way)way, "a", SLUICE_WAIT_FOREVER);
        bulk_expect(late, 0, SLUICE_CLOSED, NULL);
        bulk_free(late);
        gated_loader_end(fixture->loader, base + 1, ENDING_VALUE, "late");
        fixture_destroy_cache(fixture);
    }
}

static void rule_11_reloads_that_a_bulk_finds_due_are_one_call(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.refresh_after_write_ms = 100;
    fixture_open(fixture);

    fixture_put(fixture, "a", "A");
    fixture_put(fixture, "b", "B");
    fixture_advance(fixture, 100);
    struct bulk_call *bulk = bulk_start(fixture, WAY_ASYNC, "a b", 0);
    bulk_expect(bulk, 0, SLUICE_OK, "A");
    bulk_expect(bulk, 1, SLUICE_OK, "B");
    bulk_free(bulk);
    gated_loader_await_calls(fixture->loader, 2);
    assert_int_equal(gated_loader_batches(fixture->loader), 1);

    const struct sluice_key keys[] = {{"c", 1}, {"a", 1}, {"d", 1}, {"", 0}};
    assert_int_equal(sluice_refresh_many(fixture->cache, keys, 4), SLUICE_KEY_SIZE); /* the others are begun */
    gated_loader_await_calls(fixture->loader, 4);
    assert_int_equal(gated_loader_batches(fixture->loader), 2);
    assert_int_equal(gated_loader_batch_size(fixture->loader, 1), 2);
}

static void rule_17_loads_of_one_call_wait_as_one(void **state)
{
    struct fixture *fixture = open_many(state);

    /* "a" and "b" are loaded in one call: what either waits for, both do. */
    struct bulk_call *bulk = bulk_park(fixture, WAY_ASYNC, "a b", 2);
    struct call *other = call_park(fixture, WAY_ASYNC, "c", SLUICE_WAIT_FOREVER); /* call 2 */
    struct bulk_call *own =
        bulk_start_for(fixture, WAY_ASYNC, "b a", SLUICE_WAIT_FOREVER, gated_loader_load(fixture->loader, 0));
    bulk_expect(own, 0, SLUICE_CIRCULAR, NULL);
    bulk_expect(own, 1, SLUICE_CIRCULAR, NULL);
    bulk_free(own);
    struct bulk_call *waits =
        bulk_start_for(fixture, WAY_ASYNC, "c", SLUICE_WAIT_FOREVER, gated_loader_load(fixture->loader, 1));
    assert_false(bulk_done(waits));
    struct bulk_call *closes =
        bulk_start_for(fixture, WAY_ASYNC, "a d", SLUICE_WAIT_FOREVER, gated_loader_load(fixture->loader, 2));
    assert_false(bulk_done(closes)); /* "d" is another matter */
    gated_loader_end(fixture->loader, 3, ENDING_VALUE, "D");
    bulk_expect(closes, 0, SLUICE_CIRCULAR, NULL);
    bulk_expect(closes, 1, SLUICE_OK, "D");
    bulk_free(closes);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "C");
    bulk_expect(waits, 0, SLUICE_OK, "C");
    call_expect(other, SLUICE_OK, "C");
    bulk_free(waits);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "A");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    bulk_expect(bulk, 0, SLUICE_OK, "A");
    bulk_free(bulk);
}

/* What they came to. */
static enum sluice_error from_listener[2];

/* Gets the key that the bulk get has led before, and the one that it leads now. */
static void get_from_listener(void *self, const struct sluice_removal *removal)
{
    struct fixture *fixture = self;
    static const char *const keys[] = {"a", "b"};
    if (removal->cause != SLUICE_REMOVED_EXPIRED)
        return;
    for (size_t i = 0; i < 2; i++) {
        struct sluice_value *value;
        from_listener[i] = sluice_get(fixture->cache, keys[i], 1, SLUICE_WAIT_FOREVER, &value);
        if (from_listener[i] == SLUICE_OK)
            sluice_value_unref(value);
    }
}

static void rule_17_a_listener_does_not_wait_for_the_bulk_that_it_is_called_from(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.listener = (struct sluice_listener){.removed = get_from_listener, .self = fixture};
    fixture->options.expire_after_write_ms = 100;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    for (int way = 0; way < WAYS; way++) {
        fixture_put(fixture, "b", "old");
        fake_clock_advance(&fixture->clock, 100);
        struct bulk_call *bulk = bulk_start(fixture, (enum way)way, "a b", SLUICE_WAIT_FOREVER);
        bulk_expect(bulk, 0, SLUICE_OK, way == 0 ? "a#1" : "a#2");
        bulk_expect(bulk, 1, SLUICE_OK, way == 0 ? "b#1" : "b#2");
        bulk_free(bulk);
        assert_int_equal(from_listener[0], SLUICE_OK);
        assert_int_equal(from_listener[1], SLUICE_CIRCULAR);
        sluice_invalidate_all(fixture->cache, NULL);
    }
    fixture_destroy_cache(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_14_what_is_missing_is_loaded_in_one_call),
        FIXTURE_TEST(rule_14_a_loader_that_takes_one_at_a_time_is_called_for_each),
        FIXTURE_TEST(rule_14_a_loader_that_only_takes_many_is_called_with_one_too),
        FIXTURE_TEST(rule_14_loads_in_flight_are_joined),
        FIXTURE_TEST(rule_14_a_key_that_is_asked_for_twice_is_loaded_once),
        FIXTURE_TEST(rule_14_two_bulk_gets_in_opposite_orders_do_not_deadlock),
        FIXTURE_TEST(rule_14_one_call_has_at_most_so_many_loads),
        FIXTURE_TEST(rule_14_a_hundred_keys_are_one_call),
        FIXTURE_TEST(rule_14_hits_are_answered_at_once_and_none_is_no_matter),
        FIXTURE_TEST(many_keys_can_be_looked_for_without_loading),
        FIXTURE_TEST(rule_14_a_bound_refuses_the_keys_that_are_over_it),
        FIXTURE_TEST(rule_14_a_load_within_a_bulk_is_overtaken_like_any_other),
        FIXTURE_TEST(rule_7_each_wait_of_a_bulk_has_the_deadline),
        FIXTURE_TEST(rule_7_a_bulk_that_does_not_wait_takes_what_its_loader_brings_at_once),
        FIXTURE_TEST(rule_7_cancelling_a_bulk_leaves_all_its_flights),
        FIXTURE_TEST(rule_18_the_close_ends_a_bulk),
        FIXTURE_TEST(rule_11_reloads_that_a_bulk_finds_due_are_one_call),
        FIXTURE_TEST(rule_17_loads_of_one_call_wait_as_one),
        FIXTURE_TEST(rule_17_a_listener_does_not_wait_for_the_bulk_that_it_is_called_from),
    };
    FIXTURE_MAIN(tests);
}
