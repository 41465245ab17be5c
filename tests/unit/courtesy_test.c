/* SPDX-License-Identifier: MIT */
/* courtesy_test.c: how much of its time a worker gives away at most. */
#include "courtesy.h"

#include "test.h"

#define SECOND_US   1000000

#define LONG_AGO_US (100 * (int64_t)SECOND_US)

/* A worker that has not yielded for long. */
static struct courtesy rested(int64_t now_us)
{
    struct courtesy courtesy = {0};

    assert_true(courtesy_is_due(&courtesy, now_us, 1));
    assert_int_equal(COURTESY_CREDIT_US_MAX, courtesy.credit_us);
    return courtesy;
}

static int64_t free_us(unsigned answered)
{
    return COURTESY_FREE_US + (int64_t)answered * COURTESY_WORTH_US;
}

static void a_yield_that_is_worth_its_time_costs_nothing(void **state)
{
    int64_t now_us = LONG_AGO_US;
    struct courtesy courtesy = rested(now_us);

    (void)state;
    for (unsigned answered = 1; answered <= COURTESY_WORTH_MAX; answered++) {
        courtesy_took(&courtesy, free_us(answered));
        assert_true(courtesy_is_due(&courtesy, now_us, answered));
        assert_int_equal(COURTESY_CREDIT_US_MAX, courtesy.credit_us);
    }
    courtesy_took(&courtesy, free_us(7) + 30);
    assert_true(courtesy_is_due(&courtesy, now_us, 7));
    assert_int_equal(COURTESY_CREDIT_US_MAX - 30, courtesy.credit_us);
    assert_true(courtesy_is_due(&courtesy, now_us, 7)); /* it is paid for once */
    assert_int_equal(COURTESY_CREDIT_US_MAX - 30, courtesy.credit_us);
    courtesy_took(&courtesy, free_us(COURTESY_WORTH_MAX) + 50);
    assert_true(courtesy_is_due(&courtesy, now_us, 100000));
    assert_int_equal(COURTESY_CREDIT_US_MAX - 80, courtesy.credit_us);
}

/* Beside somebody who keeps the processor for 4 ms each time, for a minute. */
static void what_is_lost_is_a_small_share_of_the_time(void **state)
{
    int64_t end_us = LONG_AGO_US + 60 * SECOND_US;
    int64_t now_us = LONG_AGO_US;
    int64_t lost_us = 0;
    struct courtesy courtesy = rested(now_us);

    (void)state;
    while (now_us < end_us) {
        if (courtesy_is_due(&courtesy, now_us, 1)) {
            courtesy_took(&courtesy, 4000);
            lost_us += 4000 - free_us(1);
            now_us += 4000;
        }
        now_us += 50; /* and some work */
    }
    assert_in_range(lost_us, SECOND_US, 60 * SECOND_US / COURTESY_SHARE + COURTESY_CREDIT_US_MAX + 4000);
}

static void it_begins_again_once_half_is_earned(void **state)
{
    int64_t now_us = LONG_AGO_US;
    int64_t half_us = COURTESY_CREDIT_US_MAX / 2 * COURTESY_SHARE;
    struct courtesy courtesy = rested(now_us);

    (void)state;
    courtesy_took(&courtesy, COURTESY_CREDIT_US_MAX + free_us(1));
    assert_false(courtesy_is_due(&courtesy, now_us, 1));
    assert_int_equal(0, courtesy.credit_us);
    assert_false(courtesy_is_due(&courtesy, now_us + half_us - COURTESY_SHARE, 1));
    assert_true(courtesy_is_due(&courtesy, now_us + half_us, 1));
    assert_int_equal(COURTESY_CREDIT_US_MAX / 2, courtesy.credit_us);
}

static void what_is_earned_in_small_steps_is_not_lost(void **state)
{
    int64_t now_us = LONG_AGO_US;
    struct courtesy courtesy = rested(now_us);

    (void)state;
    courtesy_took(&courtesy, COURTESY_CREDIT_US_MAX / 2 + free_us(1));
    for (int64_t i = 0; i <= 1000; i++)
        assert_true(courtesy_is_due(&courtesy, now_us + i * (COURTESY_SHARE + COURTESY_SHARE / 2), 1));
    assert_int_equal(COURTESY_CREDIT_US_MAX / 2 + 1500, courtesy.credit_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_yield_that_is_worth_its_time_costs_nothing),
        cmocka_unit_test(what_is_lost_is_a_small_share_of_the_time),
        cmocka_unit_test(it_begins_again_once_half_is_earned),
        cmocka_unit_test(what_is_earned_in_small_steps_is_not_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
