/* SPDX-License-Identifier: MIT */
/*
 * no_memory_removal_test.c: where memory runs out while a value is replaced, the listener misses nothing: either the
 * call fails and the value stays, or it has left and that was told, once (rules 20, 22). Broken by hand it fails: let
 * put_prepare() go on without the record that the listener is told with, or flight_create_locked() begin without one.
 */
#include "fault.h"
#include "fixture.h"
#include "removals.h"

static struct removals *removals;

static int setup(void **state)
{
    removals = removals_create();
    if (fixture_setup(state) != 0)
        return -1;
    ((struct fixture *)*state)->options.listener = removals_option(removals);
    return 0;
}

static int teardown(void **state)
{
    int whole = fixture_teardown(state);
    removals_destroy(removals);
    return whole;
}

static enum sluice_error put(struct fixture *fixture, const char *text)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    content.data = text;
    content.size = strlen(text);
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
        removals_expect(removals, "key", "old", SLUICE_REMOVED_REPLACED);
    removals_expect_none(removals);
    if (refused == 0)
        assert_false(is_old);
    fixture_destroy_cache(fixture);
    removals_expect(removals, "key", is_old ? "old" : "new", SLUICE_REMOVED_EXPLICIT);
    return refused > 0;
}

static void rule_20_a_put_without_memory_hides_no_removal(void **state)
{
    size_t nth = 1;
    while (replace(*state, put, nth))
        nth++;
    assert_in_range(nth, 3, 20); /* the value and the record, at least */
}

static void load_new(void *self, struct sluice_load *load)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    (void)self;
    content.data = "new";
    content.size = 3;
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
    while (replace(fixture, refresh, nth))
        nth++;
    assert_in_range(nth, 4, 20); /* the flight, its record and the value, at least */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rule_20_a_put_without_memory_hides_no_removal, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_20_a_load_without_memory_hides_no_removal, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
