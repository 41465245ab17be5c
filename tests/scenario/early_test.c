/* SPDX-License-Identifier: MIT */
/* early_test.c: hits near a value's expiry have it loaded anew, the sooner the longer its load took (rule 11). */
#include "call.h"

#define TTL_MS    1000
#define COST_MS   10
#define DRAW_MOST 45 /* times the cost: so early no draw makes a reload due */
#define HITS      2000

static struct fixture *open_early(void **state, unsigned percent)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.refresh_early_percent = percent;
    fixture_open(fixture);
    return fixture;
}

/* Has call `number` of the loader bring "old", after a time. */
static void load_old(struct fixture *fixture, size_t number, int64_t cost_ms)
{
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, cost_ms);
    gated_loader_end(fixture->loader, number, ENDING_VALUE, "old");
    call_expect(call, SLUICE_OK, "old");
}

/* Hits until one has started a load more than `loads`; false: none of HITS did. */
static bool hit_until_reload(struct fixture *fixture, uint64_t loads)
{
    for (int i = 0; i < HITS && fixture_stats(fixture).loads == loads; i++)
        fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    return fixture_stats(fixture).loads > loads;
}

static void rule_11_a_hit_near_the_expiry_starts_one_reload(void **state)
{
    struct fixture *fixture = open_early(state, 100);

    load_old(fixture, 0, COST_MS);
    fixture_advance(fixture, TTL_MS - DRAW_MOST * COST_MS - 1);
    assert_false(hit_until_reload(fixture, 1)); /* too far away for any draw */
    fixture_advance(fixture, DRAW_MOST * COST_MS);
    assert_true(hit_until_reload(fixture, 1)); /* of ten hits nine */
    for (int i = 0; i < 10; i++)
        fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    gated_loader_await_calls(fixture->loader, 2);
    assert_int_equal(fixture_stats(fixture).refreshes, 1);
    assert_string_equal(sluice_value_data(gated_loader_old_value(fixture->loader, 1)), "old");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    fixture_advance(fixture, 1);
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
    assert_int_equal(fixture_stats(fixture).loads, 2); /* that load took no time */
}

static void rule_11_a_dear_load_begins_earlier(void **state)
{
    struct fixture *fixture = open_early(state, 100);

    load_old(fixture, 0, TTL_MS);
    assert_true(hit_until_reload(fixture, 1)); /* at once: of three hits one */
    gated_loader_await_calls(fixture->loader, 2);
}

static void rule_11_the_option_weighs_the_cost(void **state)
{
    struct fixture *fixture = open_early(state, 10000);

    load_old(fixture, 0, COST_MS);
    assert_true(hit_until_reload(fixture, 1));
    gated_loader_await_calls(fixture->loader, 2);
}

static void rule_11_what_was_put_cost_nothing(void **state)
{
    struct fixture *fixture = open_early(state, 10000);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS - 1);
    assert_false(hit_until_reload(fixture, 0));
    /* Nor does a put that overtakes a dear load. */
    struct call *call = call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, TTL_MS);
    fixture_put(fixture, "other", "put");
    call_expect(call, SLUICE_OK, "put");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    for (int i = 0; i < HITS; i++)
        fixture_expect_present(fixture, "other", SLUICE_OK, "put");
    assert_int_equal(fixture_stats(fixture).loads, 1);
}

static void rule_11_without_the_option_or_an_expiry_none_is_early(void **state)
{
    struct fixture *fixture = open_early(state, 0);

    load_old(fixture, 0, TTL_MS);
    fixture_advance(fixture, TTL_MS - 1);
    assert_false(hit_until_reload(fixture, 1));
    fixture_destroy_cache(fixture);

    fixture->options.expire_after_write_ms = SLUICE_NEVER;
    fixture->options.refresh_early_percent = 10000;
    fixture_open(fixture);
    load_old(fixture, 1, TTL_MS);
    assert_false(hit_until_reload(fixture, 1));
}

static void rule_11_an_early_reload_that_failed_is_backed_off_from(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 400;
    open_early(state, 10000);

    load_old(fixture, 0, TTL_MS);
    assert_true(hit_until_reload(fixture, 1));
    gated_loader_await_calls(fixture->loader, 2);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, "why");
    fixture_advance(fixture, 299);
    assert_false(hit_until_reload(fixture, 2));
    fixture_advance(fixture, 101);
    assert_true(hit_until_reload(fixture, 2));
    gated_loader_await_calls(fixture->loader, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_11_a_hit_near_the_expiry_starts_one_reload),
        FIXTURE_TEST(rule_11_a_dear_load_begins_earlier),
        FIXTURE_TEST(rule_11_the_option_weighs_the_cost),
        FIXTURE_TEST(rule_11_what_was_put_cost_nothing),
        FIXTURE_TEST(rule_11_without_the_option_or_an_expiry_none_is_early),
        FIXTURE_TEST(rule_11_an_early_reload_that_failed_is_backed_off_from),
    };
    FIXTURE_MAIN(tests);
}
