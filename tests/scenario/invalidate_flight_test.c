/* SPDX-License-Identifier: MIT */
/* invalidate_flight_test.c: an invalidation during a load is final (rule 3). What it does to entries:
 * invalidate_entry_test.c. */
#include "crowd.h"
#include "errand.h"

/* A cache that would remember anything that it wrongly stored. */
static struct fixture *open_that_remembers_all(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 100000;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);
    return fixture;
}

/* Invalidates in this way while a load is held, which ends in that way before or after the one that follows it. */
static void play_one(struct fixture *fixture, enum invalidation how, enum ending ending, bool old_first)
{
    struct crowd old;
    crowd_park(fixture, &old, 4, "key", old_first ? WAY_BLOCKING : WAY_ASYNC);

    struct sluice_invalidated gone = fixture_invalidate(fixture, how, "key");
    assert_int_equal(gone.loads, 1);
    assert_int_equal(gone.entries, 0);
    assert_true(crowd_all_parked(&old));

    struct call *second = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    struct call *third = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2);

    if (old_first) {
        gated_loader_end(fixture->loader, 0, ending, "old");
        crowd_expect(&old, ending_error(ending), ending_text(ending, "old"));
        assert_false(call_done(second));
        assert_false(call_done(third));
        fixture_expect_absent(fixture, "key");
    }
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(second, SLUICE_OK, "new");
    call_expect(third, SLUICE_OK, "new");
    if (!old_first) {
        assert_true(crowd_all_parked(&old));
        gated_loader_end(fixture->loader, 0, ending, "old");
        crowd_expect(&old, ending_error(ending), ending_text(ending, "old"));
    }
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2);

    struct sluice_stats stats = fixture_stats(fixture);
    assert_int_equal(stats.loads_detached, 1);
    assert_int_equal(stats.loads_dropped, 0);
    assert_int_equal(stats.entries, 1);
}

static void rule_3_an_invalidated_flight_never_stores_nor_touches_its_successor(void **state)
{
    for (int how = 0; how < INVALIDATIONS; how++)
        for (int ending = 0; ending < ENDINGS; ending++)
            for (int old_first = 0; old_first <= 1; old_first++) {
                void *inner = NULL;
                assert_int_equal(fixture_setup(&inner), 0);
                play_one(open_that_remembers_all(&inner), (enum invalidation)how, (enum ending)ending, old_first == 1);
                assert_int_equal(fixture_teardown(&inner), 0);
            }
    (void)state;
}

static void rule_3_without_a_successor_nothing_is_stored_either(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);

    for (int how = 0; how < INVALIDATIONS; how++)
        for (int ending = 0; ending < ENDINGS; ending++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            struct crowd crowd;
            crowd_park(fixture, &crowd, 2, "key", WAY_ASYNC);
            fixture_invalidate(fixture, (enum invalidation)how, "key");
            gated_loader_end(fixture->loader, number, (enum ending)ending, "old");
            crowd_expect(&crowd, ending_error((enum ending)ending), ending_text((enum ending)ending, "old"));
            assert_false(crowd.calls[0]->outcome.stored);
            assert_false(crowd.calls[1]->outcome.stored);
            assert_int_equal(fixture_stats(fixture).entries, 0);
            assert_int_equal(fixture_stats(fixture).weight, 0);
            fixture_expect_absent(fixture, "key");
        }
}

static void rule_3_holds_also_when_nobody_waits_any_more(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_true(call_cancel(call));
    assert_int_equal(fixture_invalidate(fixture, INVALIDATION_KEY, "key").loads, 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    fixture_expect_absent(fixture, "key");
}

static void rule_3_a_flight_is_detached_once(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);

    struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(fixture_invalidate(fixture, INVALIDATION_KEY, "key").loads, 1);
    for (int how = 0; how < INVALIDATIONS; how++)
        assert_int_equal(fixture_invalidate(fixture, (enum invalidation)how, "key").loads, 0);
    assert_int_equal(fixture_stats(fixture).loads_detached, 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    call_expect(call, SLUICE_OK, "old");
}

static void rule_3_of_three_flights_in_a_row_only_the_last_stores(void **state)
{
    static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const char *const texts[3] = {"first", "second", "third"};
    struct fixture *fixture = open_that_remembers_all(state);

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        size_t base = gated_loader_calls_in_all(fixture->loader);
        struct call *calls[3];
        for (size_t flight = 0; flight < 3; flight++) {
            calls[flight] = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
            assert_int_equal(gated_loader_calls_in_all(fixture->loader), base + flight + 1);
            if (flight < 2)
                assert_int_equal(fixture_invalidate(fixture, INVALIDATION_KEY, "key").loads, 1);
        }
        for (size_t step = 0; step < 3; step++) {
            size_t flight = orders[i][step];
            gated_loader_end(fixture->loader, base + flight, ENDING_VALUE, texts[flight]);
            call_expect(calls[flight], SLUICE_OK, texts[flight]);
        }
        fixture_expect_present(fixture, "key", SLUICE_OK, "third");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_3_a_put_after_the_invalidation_is_not_overwritten(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);

    for (int ending = 0; ending < ENDINGS; ending++) {
        struct crowd crowd;
        crowd_park(fixture, &crowd, 2, "key", WAY_BLOCKING);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        fixture_put(fixture, "key", "put");
        assert_true(crowd_all_parked(&crowd)); /* theirs is the detached flight: a put completes the current one */
        gated_loader_end(fixture->loader, (size_t)ending, (enum ending)ending, "old");
        crowd_expect(&crowd, ending_error((enum ending)ending), ending_text((enum ending)ending, "old"));
        fixture_expect_present(fixture, "key", SLUICE_OK, "put");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_3_an_invalidation_after_a_put_takes_the_put_value_too(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);

    struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    fixture_put(fixture, "key", "put");
    call_expect(call, SLUICE_OK, "put");
    assert_int_equal(fixture_invalidate(fixture, INVALIDATION_KEY, "key").entries, 1);
    struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    assert_false(call_done(next));
    fixture_expect_absent(fixture, "key");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(next, SLUICE_OK, "new");
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
}

static void rule_3_returns_while_a_loader_holds_its_thread(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    for (int how = 0; how < INVALIDATIONS; how++) {
        size_t base = (size_t)how * 2;
        struct call *old = call_start(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        gated_loader_await_calls(fixture->loader, base + 1);
        assert_int_equal(fixture_invalidate(fixture, (enum invalidation)how, "key").loads, 1);
        struct call *next = call_start(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        gated_loader_await_calls(fixture->loader, base + 2);
        gated_loader_end(fixture->loader, base + 1, ENDING_VALUE, "new");
        call_expect(next, SLUICE_OK, "new");
        gated_loader_end(fixture->loader, base, ENDING_VALUE, "old");
        call_expect(old, SLUICE_OK, "old");
        fixture_expect_present(fixture, "key", SLUICE_OK, "new");
        fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    }
}

static void rule_3_spares_the_flights_of_other_keys(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);
    struct sluice_invalidated gone;

    struct call *call = call_park(fixture, WAY_ASYNC, "users/1", SLUICE_WAIT_FOREVER);
    sluice_invalidate(fixture->cache, "users/", 6, &gone);
    assert_int_equal(gone.loads, 0);
    sluice_invalidate_prefix(fixture->cache, "users/10", 8, &gone);
    assert_int_equal(gone.loads, 0);
    sluice_invalidate_prefix(fixture->cache, "sers/", 5, &gone);
    assert_int_equal(gone.loads, 0);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(call, SLUICE_OK, "value");
    fixture_expect_present(fixture, "users/1", SLUICE_OK, "value");
}

static void rule_3_covers_a_load_that_began_after_an_earlier_clear(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);

    fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    struct call *stays = call_park(fixture, WAY_ASYNC, "stays", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(stays, SLUICE_OK, "value");
    fixture_expect_present(fixture, "stays", SLUICE_OK, "value"); /* the clear was before the load began */
    struct call *goes = call_park(fixture, WAY_ASYNC, "goes", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "value");
    call_expect(goes, SLUICE_OK, "value");
    fixture_expect_absent(fixture, "goes");
    fixture_expect_absent(fixture, "stays");
}

/* ---- a loader and a callback that invalidate what they are about ------------------------------------------------- */

static struct sluice_cache *own_cache;

static void load_and_invalidate_first(void *self, struct sluice_load *load)
{
    const struct sluice_content content = {.data = "old", .size = 3, .ttl_ms = SLUICE_TTL_DEFAULT};
    size_t *loads_gone = self;
    struct sluice_invalidated gone;
    sluice_invalidate(own_cache, sluice_load_key(load), sluice_load_key_size(load), &gone);
    *loads_gone += gone.loads;
    sluice_load_complete(load, &content);
}

static void rule_3_a_loader_may_invalidate_its_own_key(void **state)
{
    struct fixture *fixture = *state;
    static size_t loads_gone;
    loads_gone = 0;
    fixture->options.loader = (struct sluice_loader){.load = load_and_invalidate_first, .self = &loads_gone};
    fixture_open(fixture);
    own_cache = fixture->cache;

    struct sluice_value *value = NULL;
    assert_int_equal(sluice_get(fixture->cache, "key", 3, SLUICE_WAIT_FOREVER, &value), SLUICE_OK);
    assert_string_equal(sluice_value_data(value), "old");
    sluice_value_unref(value);
    assert_int_equal(loads_gone, 1);
    fixture_expect_absent(fixture, "key");
}

static void invalidate_inside(void *arg, const struct sluice_outcome *outcome)
{
    struct fixture *fixture = arg;
    (void)outcome;
    sluice_invalidate(fixture->cache, "key", 3, NULL);
}

static void rule_3_an_invalidation_from_a_callback_spares_those_that_wait_behind_it(void **state)
{
    struct fixture *fixture = open_that_remembers_all(state);

    struct call *first = call_start_spec(fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                                      .key = "key",
                                                                      .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                      .inside = invalidate_inside,
                                                                      .arg = fixture});
    struct call *behind = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    call_expect(first, SLUICE_OK, "old");
    call_expect(behind, SLUICE_OK, "old");
    fixture_expect_absent(fixture, "key");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_3_an_invalidated_flight_never_stores_nor_touches_its_successor),
        FIXTURE_TEST(rule_3_without_a_successor_nothing_is_stored_either),
        FIXTURE_TEST(rule_3_holds_also_when_nobody_waits_any_more),
        FIXTURE_TEST(rule_3_a_flight_is_detached_once),
        FIXTURE_TEST(rule_3_of_three_flights_in_a_row_only_the_last_stores),
        FIXTURE_TEST(rule_3_a_put_after_the_invalidation_is_not_overwritten),
        FIXTURE_TEST(rule_3_an_invalidation_after_a_put_takes_the_put_value_too),
        FIXTURE_TEST(rule_3_returns_while_a_loader_holds_its_thread),
        FIXTURE_TEST(rule_3_spares_the_flights_of_other_keys),
        FIXTURE_TEST(rule_3_covers_a_load_that_began_after_an_earlier_clear),
        FIXTURE_TEST(rule_3_a_loader_may_invalidate_its_own_key),
        FIXTURE_TEST(rule_3_an_invalidation_from_a_callback_spares_those_that_wait_behind_it),
    };
    FIXTURE_MAIN(tests);
}
