/* SPDX-License-Identifier: MIT */
/* wheel_test.c: the timing wheel against a model that looks at every timer. */
#include "wheel.h"

#include "test.h"

#include <stdlib.h>

#define TIMERS 200

static uint64_t random_state = 88172645463325252;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

struct alarm {
    struct timer timer;
    int64_t due_ms;
};

static int64_t alarm_due_ms(const void *self, const struct timer *timer)
{
    (void)self;
    return ((const struct alarm *)(const void *)timer)->due_ms;
}

static void alarms_init(struct wheel *wheel, int64_t now_ms)
{
    wheel_init(wheel, now_ms, alarm_due_ms, NULL);
}

static void alarm_start(struct wheel *wheel, struct alarm *alarm, int64_t due_ms)
{
    alarm->due_ms = due_ms;
    wheel_start(wheel, &alarm->timer);
}

static struct alarm *pop_some(struct wheel *wheel, unsigned *budget)
{
    return (struct alarm *)(void *)wheel_pop(wheel, budget);
}

static struct alarm *pop(struct wheel *wheel)
{
    unsigned budget = 1000000;

    return pop_some(wheel, &budget);
}

static void a_timer_is_due_at_its_millisecond_and_not_before(void **state)
{
    static const int64_t spans[] = {1,    2,      63,     64,       65,         4095,       4096,
                                    4097, 262143, 262144, 16777216, 1073741824, 68719476735};
    struct wheel wheel;
    struct alarm timer;

    (void)state;
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        int64_t start = (int64_t)(random_next() % 1000000007) - 500000000; /* a clock may stand below 0 */

        alarms_init(&wheel, start);
        timer_init(&timer.timer);
        alarm_start(&wheel, &timer, start + spans[i]);
        wheel_turn(&wheel, start + spans[i] - 1);
        assert_null(pop(&wheel));
        assert_true(timer_started(&timer.timer));
        wheel_turn(&wheel, start + spans[i]);
        assert_ptr_equal(pop(&wheel), &timer);
        assert_false(timer_started(&timer.timer));
    }
}

static void a_timer_farther_off_than_a_signed_number_counts_is_not_due_before(void **state)
{
    struct wheel wheel;
    struct alarm timer;

    (void)state;
    alarms_init(&wheel, INT64_MIN);
    timer_init(&timer.timer);
    alarm_start(&wheel, &timer, INT64_MAX / 2);
    wheel_turn(&wheel, INT64_MIN + 1000);
    assert_null(pop(&wheel));
    wheel_stop(&wheel, &timer.timer);
    assert_false(timer_started(&timer.timer));
}

static void an_instant_that_has_passed_is_due_at_once(void **state)
{
    struct wheel wheel;
    struct alarm timer;

    (void)state;
    alarms_init(&wheel, 1000);
    timer_init(&timer.timer);
    alarm_start(&wheel, &timer, 5);
    assert_int_equal(wheel_next_ms(&wheel), 1000);
    assert_ptr_equal(pop(&wheel), &timer);
}

static void a_span_beyond_the_wheel_waits_its_time(void **state)
{
    const int64_t far_ms = INT64_C(1) << 45; /* a thousand years; the wheel reaches two */
    struct wheel wheel;
    struct alarm timer;
    int64_t now_ms = 7;

    (void)state;
    alarms_init(&wheel, now_ms);
    timer_init(&timer.timer);
    alarm_start(&wheel, &timer, far_ms);
    while (now_ms < far_ms) {
        int64_t next_ms = wheel_next_ms(&wheel);

        assert_true(next_ms > now_ms && next_ms <= far_ms);
        now_ms = next_ms;
        wheel_turn(&wheel, now_ms);
        if (now_ms < far_ms)
            assert_null(pop(&wheel));
    }
    assert_ptr_equal(pop(&wheel), &timer);
}

static void a_stopped_timer_is_forgotten(void **state)
{
    struct wheel wheel;
    struct alarm one, two;

    (void)state;
    alarms_init(&wheel, 0);
    timer_init(&one.timer);
    timer_init(&two.timer);
    alarm_start(&wheel, &one, 100);
    alarm_start(&wheel, &two, 100);
    wheel_stop(&wheel, &one.timer);
    wheel_stop(&wheel, &one.timer); /* nothing happens */
    wheel_turn(&wheel, 100);
    assert_ptr_equal(pop(&wheel), &two);
    assert_null(pop(&wheel));
    assert_int_equal(wheel_next_ms(&wheel), INT64_MAX);
}

static void the_budget_bounds_what_is_looked_at(void **state)
{
    struct wheel wheel;
    struct alarm timers[10];
    unsigned budget = 4, popped = 0;

    (void)state;
    alarms_init(&wheel, 0);
    for (size_t i = 0; i < 10; i++) {
        timer_init(&timers[i].timer);
        alarm_start(&wheel, &timers[i], 50);
    }
    wheel_turn(&wheel, 60);
    while (pop_some(&wheel, &budget) != NULL)
        popped++;
    assert_int_equal(popped, 4);
    assert_int_equal(wheel_next_ms(&wheel), 60); /* the rest is due now */
    while (pop(&wheel) != NULL)
        popped++;
    assert_int_equal(popped, 10);
}

/* The earliest instant of all started timers, found the slow way. */
static int64_t model_next_ms(const struct alarm *timers)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < TIMERS; i++) {
        if (timer_started(&timers[i].timer) && timers[i].due_ms < next_ms)
            next_ms = timers[i].due_ms;
    }
    return next_ms;
}

static void fires_what_a_model_fires(void **state)
{
    static struct alarm timers[TIMERS];
    struct wheel wheel;
    int64_t now_ms = 1234567;

    (void)state;
    alarms_init(&wheel, now_ms);
    for (size_t i = 0; i < TIMERS; i++)
        timer_init(&timers[i].timer);
    for (unsigned step = 0; step < 200000; step++) {
        struct alarm *timer = &timers[random_next() % TIMERS];
        unsigned what = random_next() % 8;

        if (what < 4 && !timer_started(&timer->timer)) {
            alarm_start(&wheel, timer, now_ms + (int64_t)(random_next() >> (random_next() % 40 + 24)));
        } else if (what == 4) {
            wheel_stop(&wheel, &timer->timer);
        } else if (what == 5) {
            struct alarm *due;

            now_ms += (int64_t)(random_next() >> (random_next() % 30 + 34));
            wheel_turn(&wheel, now_ms);
            while ((due = pop(&wheel)) != NULL)
                assert_true(due->due_ms <= now_ms);
            assert_true(model_next_ms(timers) > now_ms); /* none was left behind */
            assert_true(wheel_next_ms(&wheel) <= model_next_ms(timers));
        }
    }
}

/* Its instant is asked for anew when its time comes: what was put off meanwhile is not due, and was not moved for it.
 */
static void a_timer_that_was_put_off_is_due_at_its_new_time(void **state)
{
    struct alarm timer;
    struct wheel wheel;

    (void)state;
    alarms_init(&wheel, 0);
    timer_init(&timer.timer);
    alarm_start(&wheel, &timer, 100);
    timer.due_ms = 5000;
    wheel_turn(&wheel, 200);
    assert_null(pop(&wheel));
    assert_true(timer_started(&timer.timer));
    wheel_turn(&wheel, 4999);
    assert_null(pop(&wheel));
    wheel_turn(&wheel, 5000);
    assert_ptr_equal(pop(&wheel), &timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_that_was_put_off_is_due_at_its_new_time),
        cmocka_unit_test(a_timer_is_due_at_its_millisecond_and_not_before),
        cmocka_unit_test(a_timer_farther_off_than_a_signed_number_counts_is_not_due_before),
        cmocka_unit_test(an_instant_that_has_passed_is_due_at_once),
        cmocka_unit_test(a_span_beyond_the_wheel_waits_its_time),
        cmocka_unit_test(a_stopped_timer_is_forgotten),
        cmocka_unit_test(the_budget_bounds_what_is_looked_at),
        cmocka_unit_test(fires_what_a_model_fires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
