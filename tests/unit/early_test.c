/* SPDX-License-Identifier: MIT */
/* early_test.c: the logarithm against libm's, and how often a hit finds a reload due, with a fixed seed. */
#include "early.h"

#include "test.h"

#include <math.h>

static double minus_log(uint64_t bits)
{
    return (double)early_minus_log(bits) / (double)EARLY_ONE;
}

static void expect_near(double is, double should, double within)
{
    if (fabs(is - should) > within)
        fail_msg("%.9f is not within %g of %.9f", is, within, should);
}

static void the_logarithm_of_known_values(void **state)
{
    (void)state;
    expect_near(minus_log(UINT64_MAX), 0, 0);
    expect_near(minus_log((UINT64_C(1) << 63) - 1), 0.6931471806, 1e-6);
    expect_near(minus_log((UINT64_C(1) << 62) - 1), 1.3862943611, 1e-6);
    expect_near(minus_log((UINT64_C(3) << 62) - 1), 0.2876820724, 1e-6);
    expect_near(minus_log(0), 44.3614195558, 1e-6); /* the largest */
}

static void the_logarithm_is_libm_s(void **state)
{
    struct chance chance;

    (void)state;
    chance_init(&chance, 1);
    for (int i = 0; i < 1000000; i++) {
        uint64_t bits = chance_next(&chance) >> (i % 64);

        expect_near(minus_log(bits), -log(((double)bits + 1) / 18446744073709551616.0), 2e-6);
    }
}

/* Due with a probability of exp(-left / (cost * beta)). */
static void hits_find_a_reload_due_as_often_as_the_paper_says(void **state)
{
    enum { DRAWS = 100000 };
    static const struct {
        uint32_t cost_ms;
        unsigned percent;
        int64_t left_ms;
    } cases[] = {
        {1000, 100, 1},
        {1000, 100, 500},
        {1000, 100, 1000},
        {1000, 100, 3000},
        {1000, 50, 500},
        {100, 1000, 2000},
        {10, 10000, 1000},
        {4000000, 25, 1500000},
        {1000, 1, 10},
        {3, 100, 2},
        {UINT32_MAX, 10000, INT64_C(429496729500)},
    };
    struct chance chance;

    (void)state;
    chance_init(&chance, 20150801);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double probability = exp(-(double)cases[i].left_ms / ((double)cases[i].cost_ms * cases[i].percent / 100));
        int due = 0;

        for (int j = 0; j < DRAWS; j++)
            due += early_is_due(cases[i].cost_ms, cases[i].percent, cases[i].left_ms, &chance);
        expect_near((double)due / DRAWS, probability, 0.006);
    }
}

static void where_no_draw_could_make_it_due_none_is_made(void **state)
{
    struct chance chance, untouched;

    (void)state;
    chance_init(&chance, 7);
    untouched = chance;
    assert_false(early_is_due(0, 100, 1, &chance));
    assert_false(early_is_due(1000, 0, 1, &chance));
    assert_false(early_is_due(1000, 100, 45001, &chance));
    assert_false(early_is_due(UINT32_MAX, 10000, INT64_MAX, &chance));
    assert_true(chance.state == untouched.state);
    (void)early_is_due(1000, 100, 45000, &chance);
    assert_false(chance.state == untouched.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_logarithm_of_known_values),
        cmocka_unit_test(the_logarithm_is_libm_s),
        cmocka_unit_test(hits_find_a_reload_due_as_often_as_the_paper_says),
        cmocka_unit_test(where_no_draw_could_make_it_due_none_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
