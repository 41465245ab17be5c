/* SPDX-License-Identifier: MIT */
/* pressure_policy_test.c: which share is left after which signs, and when it is given back, for all options. */
#include "pressure_policy.h"

#include "clock.h"
#include "test.h"

static struct pressure_policy policy_of(unsigned share_percent, unsigned share_percent_min, int64_t pace_ms,
                                        int64_t hold_ms)
{
    struct sluice_pressure_options options = SLUICE_PRESSURE_OPTIONS_INIT;
    struct pressure_policy policy;
    options.share_percent = share_percent;
    options.share_percent_min = share_percent_min;
    options.pace_ms = pace_ms;
    options.hold_ms = hold_ms;
    pressure_policy_init(&policy, &options);
    return policy;
}

static void without_a_sign_nothing_ever_happens(void **state)
{
    struct pressure_policy policy = policy_of(50, 10, 10, 100);
    (void)state;
    for (int64_t now_ms = 0; now_ms < 1000; now_ms += 10)
        assert_false(pressure_policy_rest(&policy, now_ms));
    assert_int_equal(pressure_policy_share(&policy), 100);
    assert_int_equal(pressure_policy_next_ms(&policy), CLOCK_FAR);
}

/* Signs without end go down step by step to the least share, and rest without end goes back the same way. */
static void every_pair_of_shares_goes_down_and_comes_back(void **state)
{
    (void)state;
    for (unsigned share = 1; share <= 99; share++)
        for (unsigned least = 1; least <= share; least++) {
            struct pressure_policy policy = policy_of(share, least, 10, 100);
            unsigned down[101] = {100}, steps = 0;
            int64_t now_ms = 0;
            while (pressure_policy_share(&policy) > least) {
                assert_true(pressure_policy_sign(&policy, now_ms += 10));
                down[++steps] = pressure_policy_share(&policy);
                assert_true(down[steps] < down[steps - 1]);
                assert_true(steps < 100);
            }
            assert_int_equal(down[1], share);
            assert_true(pressure_policy_sign(&policy, now_ms += 10));
            assert_int_equal(pressure_policy_share(&policy), least);
            while (steps > 0) {
                assert_int_equal(pressure_policy_next_ms(&policy), now_ms + 100);
                assert_false(pressure_policy_rest(&policy, now_ms + 99));
                assert_true(pressure_policy_rest(&policy, now_ms += 100));
                assert_int_equal(pressure_policy_share(&policy), down[--steps]);
            }
            assert_int_equal(pressure_policy_next_ms(&policy), CLOCK_FAR);
        }
}

static void a_hold_shorter_than_the_pace_gives_back_and_the_pace_still_counts(void **state)
{
    struct pressure_policy policy = policy_of(50, 10, 100, 10);
    (void)state;
    assert_true(pressure_policy_sign(&policy, 0));
    assert_true(pressure_policy_rest(&policy, 10));
    assert_int_equal(pressure_policy_share(&policy), 100);
    assert_false(pressure_policy_sign(&policy, 99));
    assert_int_equal(pressure_policy_share(&policy), 100);
    assert_int_equal(pressure_policy_next_ms(&policy), CLOCK_FAR);
    assert_true(pressure_policy_sign(&policy, 100));
    assert_int_equal(pressure_policy_share(&policy), 50);
}

static void the_end_of_time_is_no_instant(void **state)
{
    struct pressure_policy policy = policy_of(50, 10, 3600000, 86400000);
    (void)state;
    assert_true(pressure_policy_sign(&policy, INT64_MAX - 5));
    assert_int_equal(pressure_policy_next_ms(&policy), CLOCK_FAR);
    assert_false(pressure_policy_sign(&policy, INT64_MAX - 4));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_sign_nothing_ever_happens),
        cmocka_unit_test(every_pair_of_shares_goes_down_and_comes_back),
        cmocka_unit_test(a_hold_shorter_than_the_pace_gives_back_and_the_pace_still_counts),
        cmocka_unit_test(the_end_of_time_is_no_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
