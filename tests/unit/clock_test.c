/* SPDX-License-Identifier: MIT */
/* clock_test.c: spans and instants at their edges. */
#include "clock.h"

#include "test.h"

static void a_span_of_never_and_an_overflow_are_far(void **state)
{
    (void)state;
    assert_int_equal(clock_after_ms(5, 10), 15);
    assert_int_equal(clock_after_ms(5, 0), 5);
    assert_int_equal(clock_after_ms(5, SLUICE_NEVER), CLOCK_FAR);
    assert_int_equal(clock_after_ms(5, INT64_MAX), CLOCK_FAR);
}

static void what_is_left_is_never_negative(void **state)
{
    (void)state;
    assert_int_equal(clock_left_ms(10, 15), 5);
    assert_int_equal(clock_left_ms(15, 15), 0);
    assert_int_equal(clock_left_ms(20, 15), 0);
    assert_int_equal(clock_left_ms(20, CLOCK_FAR), SLUICE_NEVER);
    assert_int_equal(clock_left_ms(-2, INT64_MAX - 1), INT64_MAX);
}

static void an_age_is_never_negative(void **state)
{
    (void)state;
    assert_int_equal(clock_age_ms(15, 10), 5);
    assert_int_equal(clock_age_ms(10, 10), 0);
    assert_int_equal(clock_age_ms(10, 15), 0);
    assert_int_equal(clock_age_ms(INT64_MAX, -1), INT64_MAX);
    assert_int_equal(clock_age_ms(INT64_MIN, INT64_MAX), 0);
}

static int64_t noon(void *self)
{
    return *(int64_t *)self;
}

static void a_clock_of_the_callers_is_used(void **state)
{
    int64_t instant_ms = 43200000;
    struct sluice_clock clock = {.now_ms = noon, .self = &instant_ms};
    struct sluice_clock own = {.now_ms = NULL};
    int64_t before_ms = clock_now_ms(&own);

    (void)state;
    assert_int_equal(clock_now_ms(&clock), 43200000);
    assert_true(clock_now_ms(&own) >= before_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_of_never_and_an_overflow_are_far),
        cmocka_unit_test(what_is_left_is_never_negative),
        cmocka_unit_test(an_age_is_never_negative),
        cmocka_unit_test(a_clock_of_the_callers_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
