/* SPDX-License-Identifier: MIT */
/*
 * no_memory_removal_test.c: where memory runs out while a value is replaced, the listener misses nothing: either the
 * call fails and the value stays, or it has left and that was told, once (rules 20, 22). Broken by hand it fails: let
 * put_prepare() go on without the record that the listener is told with, or flight_create_locked() begin without one.
 */
#include "fault.h"
#include "fixture.h"
#include "removals.h"

#define ALLOCATIONS_MAX 20 /* of a call: fewer, in fact */

static enum sluice_error put(struct fixture *fixture, const char *text)
{
    const struct sluice_content content = fixture_content(text);
    return sluice_put(fixture->cache, "key", 3, &content);
}

/* Loaded on this thread, with the value "new". */
static enum sluice_error refresh(struct fixture *fixture, const char *text)
{
    (void)text;
    return sluice_refresh(fixture->cache, "key", 3);
}

/* With the nth allocation refused, the value "old" is replaced. False: there is no such allocation any more. */
static bool replace(struct fixture *fixture, enum sluice_error (*call)(struct fixture *fixture, const char *text),
                    size_t nth)
{
    struct sluice_outcome outcome;
    fixture_open(fixture);
    assert_int_equal(put(fixture, "old"), SLUICE_OK);
    fault_arm(nth, FAULT_THIS_THREAD, false);
    (void)!call(fixture, "new");
    size_t refused = fault_disarm();

    assert_int_equal(sluice_get_if_present(fixture->cache, "key", 3, &outcome), SLUICE_OK);
    bool is_old = memcmp(sluice_value_data(outcome.value), "old", 3) == 0;
    sluice_outcome_fini(&outcome);
    if (!is_old)
        removals_expect(removals_told, "key", "old", SLUICE_REMOVED_REPLACED);
    removals_expect_none(removals_told);
    if (refused == 0)
        assert_false(is_old);
    fixture_destroy_cache(fixture);
    removals_expect(removals_told, "key", is_old ? "old" : "new", SLUICE_REMOVED_EXPLICIT);
    return refused > 0;
}

static void rule_20_a_put_without_memory_hides_no_removal(void **state)
{
    size_t nth = 1;
    while (replace(*state, put, nth) && nth < ALLOCATIONS_MAX)
        nth++;
    assert_in_range(nth, 3, ALLOCATIONS_MAX - 1); /* the value and the record, at least */
}

static void load_new(void *self, struct sluice_load *load)
{
    const struct sluice_content content = fixture_content("new");
    (void)self;
    sluice_load_complete(load, &content);
}

static void run_at_once(void *self, void (*task)(void *arg), void *arg)
{
    (void)self;
    task(arg);
}

static void rule_20_a_load_without_memory_hides_no_removal(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = (struct sluice_loader){.load = load_new};
    fixture->options.executor = (struct sluice_executor){.run = run_at_once};
    size_t nth = 1;
    while (replace(fixture, refresh, nth) && nth < ALLOCATIONS_MAX)
        nth++;
    assert_in_range(nth, 4, ALLOCATIONS_MAX - 1); /* the flight, its record and the value, at least */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        REMOVALS_TEST(rule_20_a_put_without_memory_hides_no_removal),
        REMOVALS_TEST(rule_20_a_load_without_memory_hides_no_removal),
    };
    FIXTURE_MAIN(tests);
}
