/* SPDX-License-Identifier: MIT */
/*
 * clear_test.c: an invalidation of all costs no step for an entry, and covers loads in flight (rule 16). The cost is
 * counted in what the calling thread gives back to the system: every entry is memory of its own.
 */
#include "crowd.h"
#include "fault.h"

#define ENTRIES 5000

static void put_many(struct fixture *fixture)
{
    char key[32];
    for (unsigned i = 0; i < ENTRIES; i++) {
        snprintf(key, sizeof key, "key %u", i);
        fixture_put(fixture, key, "value");
    }
}

static size_t allocations_and_frees(void)
{
    struct fault_counts counts = fault_counts();
    return counts.allocations + counts.frees;
}

static void rule_16_no_entry_is_touched_by_the_call(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    put_many(fixture);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);

    size_t before = allocations_and_frees();
    struct sluice_invalidated gone = fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    assert_int_equal(allocations_and_frees(), before);
    assert_int_equal(gone.entries, ENTRIES);
    assert_int_equal(gone.loads, 0);
    assert_int_equal(fixture_stats(fixture).entries, 0);
    assert_int_equal(fixture_stats(fixture).weight, 0);
    assert_int_equal(fixture_stats(fixture).invalidated, ENTRIES);
    fixture_expect_absent(fixture, "key 0");

    /* The memory is given back by who does what is due. */
    before = fault_counts().frees;
    assert_int_equal(sluice_cache_tick(fixture->cache), SLUICE_NEVER);
    assert_in_range(fault_counts().frees - before, 2 * ENTRIES, 2 * ENTRIES + 1024); /* entry and value; tables */
}

static void rule_16_cleared_again_and_again_before_anything_was_given_back(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 1000;
    fixture_open(fixture);
    for (unsigned round = 0; round < 5; round++) {
        put_many(fixture);
        assert_int_equal(fixture_stats(fixture).entries, 1000);
        assert_int_equal(fixture_invalidate(fixture, INVALIDATION_ALL, "key").entries, 1000);
    }
    assert_int_equal(fixture_invalidate(fixture, INVALIDATION_ALL, "key").entries, 0);
    sluice_cache_tick(fixture->cache);
    put_many(fixture);
    assert_int_equal(fixture_stats(fixture).entries, 1000);
}

static void rule_16_covers_loads_in_flight(void **state)
{
    struct fixture *fixture = *state;
    static const char *const keys[] = {"a", "b", "c", "d"};
    struct crowd old[COUNT_OF(keys)], new[COUNT_OF(keys)];
    fixture_open(fixture);
    put_many(fixture);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        crowd_park(fixture, &old[i], 4, keys[i], (enum way)(i % WAYS));
    struct sluice_invalidated gone = fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    assert_int_equal(gone.entries, ENTRIES);
    assert_int_equal(gone.loads, COUNT_OF(keys));
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        crowd_park(fixture, &new[i], 4, keys[i], (enum way)(i % WAYS));
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2 * COUNT_OF(keys));

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        gated_loader_end(fixture->loader, COUNT_OF(keys) + i, ENDING_VALUE, "new");
        crowd_expect(&new[i], SLUICE_OK, "new");
        assert_true(crowd_all_parked(&old[i]));
        gated_loader_end(fixture->loader, i, ENDING_VALUE, "old");
        crowd_expect(&old[i], SLUICE_OK, "old");
        fixture_expect_present(fixture, keys[i], SLUICE_OK, "new");
    }
    assert_int_equal(fixture_stats(fixture).loads_detached, COUNT_OF(keys));
}

static void rule_16_a_flight_is_detached_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(fixture_invalidate(fixture, INVALIDATION_ALL, "key").loads, 1);
    assert_int_equal(fixture_invalidate(fixture, INVALIDATION_ALL, "key").loads, 0);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    call_expect(call, SLUICE_OK, "old");
    fixture_expect_absent(fixture, "key");
}

static void rule_16_the_timer_thread_gives_the_memory_back(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_value *value;
    fixture_use_real_clock(fixture);
    fixture_open(fixture);
    put_many(fixture);
    assert_int_equal(sluice_get(fixture->cache, "key 1", 5, 0, &value), SLUICE_OK);
    size_t before = fault_frees_of_all();
    assert_int_equal(fixture_invalidate(fixture, INVALIDATION_ALL, "key").entries, ENTRIES);
    AWAIT(fault_frees_of_all() - before >= 2 * ENTRIES - 1);
    assert_string_equal(sluice_value_data(value), "value"); /* what is still held is not taken away */
    sluice_value_unref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_16_no_entry_is_touched_by_the_call),
        FIXTURE_TEST(rule_16_cleared_again_and_again_before_anything_was_given_back),
        FIXTURE_TEST(rule_16_covers_loads_in_flight),
        FIXTURE_TEST(rule_16_a_flight_is_detached_once),
        FIXTURE_TEST(rule_16_the_timer_thread_gives_the_memory_back),
    };
    FIXTURE_MAIN(tests);
}
