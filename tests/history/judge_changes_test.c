/* SPDX-License-Identifier: MIT */
/*
 * judge_changes_test.c: the judge is shown histories made by hand of what callers do to a key besides gets and plain
 * puts: puts on a condition, computations, times to live, loads that are abandoned; one that breaks a rule and one that
 * nearly does.
 */
#include "story.h"
#include "test.h"

static struct story story;

/* ---- rule 4: puts on a condition --------------------------------------------------------------------------------- */

static void rule_4_is_broken_by_a_put_if_absent_over_what_is_there(void **state)
{
    (void)state;
    story_whole_put(&story, 0, STORY_LONG);
    story_put_end(&story, story_put_if(&story, 0, RECORD_IF_ABSENT, 0));
    story_expect(&story, 4);
}

static void rule_4_is_broken_by_a_put_if_present_that_finds_nothing(void **state)
{
    (void)state;
    story_whole_put(&story, 0, STORY_LONG);
    story_put_refused(&story, story_put_if(&story, 0, RECORD_IF_PRESENT, 0));
    story_expect(&story, 4);
}

static void rule_4_is_broken_by_a_put_over_another_value_than_it_expects(void **state)
{
    (void)state;
    uint64_t first = story_whole_put(&story, 0, STORY_LONG);
    story_whole_put(&story, 0, STORY_LONG);
    story_put_end(&story, story_put_if(&story, 0, RECORD_IF_SAME, first));
    story_expect(&story, 4);
}

static void rule_4_is_broken_by_the_value_of_a_put_that_was_refused(void **state)
{
    (void)state;
    uint64_t put = story_put_if(&story, 0, RECORD_IF_ABSENT, 0);
    story_put_refused(&story, put);
    story_hit(&story, 0, put);
    story_expect(&story, 4);
}

static void rule_3_is_broken_by_what_a_refused_put_says_to_be_there(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_whole_invalidate(&story, 0);
    uint64_t peek = story_get_as(&story, 0, RECORD_PEEK);
    story_put_refused(&story, story_put_if(&story, 0, RECORD_IF_ABSENT, 0));
    story_get_end(&story, peek, RECORD_HIT, value);
    story_expect(&story, 3);
}

static void rule_4_holds_for_puts_that_heed_their_condition(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    uint64_t peek = story_get_as(&story, 0, RECORD_PEEK);
    story_put_refused(&story, story_put_if(&story, 0, RECORD_IF_ABSENT, 0));
    story_get_end(&story, peek, RECORD_HIT, value);
    uint64_t next = story_put_if(&story, 0, RECORD_IF_SAME, value);
    story_put_end(&story, next);
    story_hit(&story, 0, next);
    story_expect(&story, STORY_HOLDS);
}

static void rule_4_holds_for_a_put_if_absent_while_another_call_can_have_taken_the_value(void **state)
{
    (void)state;
    story_whole_put(&story, 0, STORY_LONG);
    uint64_t put = story_put_if(&story, 0, RECORD_IF_ABSENT, 0);
    uint64_t invalidate = story_invalidate(&story, 0);
    story_put_end(&story, put);
    story_invalidate_end(&story, invalidate);
    story_expect(&story, STORY_HOLDS);
}

static void rule_2_is_broken_by_a_miss_after_a_refused_put(void **state)
{
    (void)state;
    story_whole_load(&story, 0, STORY_LONG);
    story_put_refused(&story, story_put_if(&story, 0, RECORD_IF_ABSENT, 0));
    story_get_fails(&story, story_get(&story, 0), RECORD_NOT_CACHED);
    story_expect(&story, 2);
}

/* ---- computations ------------------------------------------------------------------------------------------------ */

/* A value is computed from what is there; the load is under way. */
static uint64_t computing(uint64_t old)
{
    return story_load(&story, 0, story_get_as(&story, 0, RECORD_COMPUTE), old);
}

static void rule_11_is_broken_by_a_computation_that_does_not_find_what_is_there(void **state)
{
    (void)state;
    story_whole_put(&story, 0, STORY_LONG);
    uint64_t load = computing(0);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_expect(&story, 11);
}

static void rule_1_is_broken_by_two_computations_at_once(void **state)
{
    (void)state;
    uint64_t first = computing(0), second = computing(0);
    story_finish_end(&story, story_finish(&story, first, RECORD_FAILURE, 0));
    story_get_fails(&story, first - 1, RECORD_FAILED);
    story_finish_end(&story, story_finish(&story, second, RECORD_FAILURE, 0));
    story_get_fails(&story, second - 1, RECORD_FAILED);
    story_expect(&story, 1);
}

static void all_holds_for_a_computation_over_a_fresh_value(void **state)
{
    (void)state;
    story.facts.backoff_ms = 5;
    uint64_t value =
        story_tell(&story, (struct record){.kind = RECORD_PUT_BEGIN, .keys = 1, .ttl_ms = STORY_LONG, .refresh_ms = 1});
    story_put_end(&story, value);
    uint64_t load = computing(value);
    story_hit(&story, 0, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_FAILURE, 0));
    story_get_fails(&story, load - 1, RECORD_FAILED);
    story.now_ms += 1; /* a computation that failed puts off no reload */
    uint64_t get = story_get(&story, 0);
    story_get_end(&story, get, RECORD_HIT, value);
    story_finish_end(&story, story_finish(&story, story_load(&story, 0, get, value), RECORD_FAILURE, 0));
    story_counter(&story, RECORD_STAT_GETS, 2); /* it is none */
    story_counter(&story, RECORD_STAT_LOADS, 2);
    story_counter(&story, RECORD_STAT_LOADS_FAILED, 2);
    story_expect(&story, STORY_HOLDS);
}

/* ---- rule 12: times to live -------------------------------------------------------------------------------------- */

static void rule_12_is_broken_by_a_value_past_its_new_time(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_set_ttl(&story, 0, 5, RECORD_OK);
    story.now_ms += 6;
    story_hit(&story, 0, value);
    story_expect(&story, 12);
}

static void rule_12_is_broken_by_a_fresh_value_whose_time_cannot_be_changed(void **state)
{
    (void)state;
    story_whole_put(&story, 0, STORY_LONG);
    story_set_ttl(&story, 0, 5, RECORD_NOT_CACHED);
    story_expect(&story, 12);
}

static void rule_4_is_broken_by_a_miss_within_a_time_that_was_made_longer(void **state)
{
    (void)state;
    story_whole_put(&story, 0, 100);
    story_set_ttl(&story, 0, STORY_LONG, RECORD_OK);
    story.now_ms += 200;
    story_get_fails(&story, story_get(&story, 0), RECORD_NOT_CACHED);
    story_expect(&story, 4);
}

static void rule_12_holds_for_a_time_that_was_made_longer(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, 100);
    story_set_ttl(&story, 0, STORY_LONG, RECORD_OK);
    story.now_ms += 200;
    story_hit(&story, 0, value);
    story_expect(&story, STORY_HOLDS);
}

static void rule_22_holds_for_a_value_that_expires_by_its_new_time(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    uint64_t other = story_put(&story, 0, STORY_LONG); /* which one is there is not certain from here on */
    story_set_ttl(&story, 0, 5, RECORD_OK);
    story_put_end(&story, other);
    story.now_ms += 5;
    story_removed(&story, 0, value, RECORD_EXPIRED);
    story_expect(&story, STORY_HOLDS);
}

/* ---- rule 8: loads that are abandoned ---------------------------------------------------------------------------- */

/* A get leads and another one has parked; then the load is abandoned. */
static uint64_t abandoned(enum record_abandon how, uint64_t *waiter)
{
    uint64_t load = story_load(&story, 0, story_get(&story, 0), 0);

    *waiter = story_get(&story, 0);
    story_parked(&story, *waiter);
    story_abandon_end(&story, story_abandon(&story, 0, how), RECORD_OK);
    story_get_fails(&story, load - 1, RECORD_FAILED);
    return load;
}

static void rule_8_is_broken_by_the_result_of_a_load_that_was_given_up(void **state)
{
    (void)state;
    uint64_t waiter, load = abandoned(RECORD_GIVEN_UP, &waiter);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_callback(&story, waiter, RECORD_COALESCED, load);
    story_expect(&story, 8);
}

static void rule_8_is_broken_by_a_waiter_that_waits_on_after_its_load_was_given_up(void **state)
{
    (void)state;
    uint64_t waiter, load = abandoned(RECORD_GIVEN_UP, &waiter);
    story_callback(&story, waiter, RECORD_COALESCED, story_whole_load(&story, 0, STORY_LONG));
    story_finish_end(&story, story_finish(&story, load, RECORD_FAILURE, 0));
    story_expect(&story, 8);
}

static void rule_8_is_broken_by_the_first_result_of_a_load_that_was_restarted(void **state)
{
    (void)state;
    uint64_t waiter, load = abandoned(RECORD_RESTARTED, &waiter);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_callback(&story, waiter, RECORD_COALESCED, load);
    story_expect(&story, 8);
}

static void rule_22_is_broken_by_a_load_that_was_given_up_and_stored(void **state)
{
    (void)state;
    uint64_t waiter, load = abandoned(RECORD_GIVEN_UP, &waiter);
    story_tell(&story, (struct record){.kind = RECORD_CALLBACK, .begin = waiter, .error = RECORD_FAILED});
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_removed(&story, 0, load, RECORD_REPLACED);
    story_expect(&story, 22);
}

/* The second load is begun by the restart, and serves those who had parked. */
static void all_holds_for_waiters_that_are_served_by_the_second_load(void **state)
{
    (void)state;
    uint64_t first = story_load(&story, 0, story_get(&story, 0), 0);
    uint64_t restart = story_abandon(&story, 0, RECORD_RESTARTED);
    uint64_t second = story_load(&story, 0, restart, 0);
    story_abandon_end(&story, restart, RECORD_OK);
    uint64_t finish = story_finish(&story, second, RECORD_VALUE, STORY_LONG);
    story_get_end(&story, first - 1, RECORD_LED, second);
    story_finish_end(&story, finish);
    story_finish_end(&story, story_finish(&story, first, RECORD_VALUE, STORY_LONG));
    story_hit(&story, 0, second);
    story_expect(&story, STORY_HOLDS);
}

static void rule_8_holds_for_a_load_that_could_not_be_restarted(void **state)
{
    (void)state;
    uint64_t load = story_load(&story, 0, story_get(&story, 0), 0);
    story_abandon_end(&story, story_abandon(&story, 0, RECORD_RESTARTED), RECORD_REFUSED);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load); /* it goes on for those who had parked */
    story_expect(&story, STORY_HOLDS);
}

/* A computation is not restarted: what it brings is stored in place of what it began from. */
static void rule_8_holds_for_a_computation_that_goes_on(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_hit(&story, 0, value);
    uint64_t load = story_load(&story, 0, story_get_as(&story, 0, RECORD_COMPUTE), value);
    story_abandon_end(&story, story_abandon(&story, 0, RECORD_RESTARTED), RECORD_UNCHANGED);
    uint64_t finish = story_finish(&story, load, RECORD_VALUE, STORY_LONG);
    story_removed(&story, 0, value, RECORD_REPLACED);
    story_finish_end(&story, finish);
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_hit(&story, 0, load);
    story_expect(&story, STORY_HOLDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY_TEST(rule_4_is_broken_by_a_put_if_absent_over_what_is_there, story),
        STORY_TEST(rule_4_is_broken_by_a_put_if_present_that_finds_nothing, story),
        STORY_TEST(rule_4_is_broken_by_a_put_over_another_value_than_it_expects, story),
        STORY_TEST(rule_4_is_broken_by_the_value_of_a_put_that_was_refused, story),
        STORY_TEST(rule_3_is_broken_by_what_a_refused_put_says_to_be_there, story),
        STORY_TEST(rule_4_holds_for_puts_that_heed_their_condition, story),
        STORY_TEST(rule_4_holds_for_a_put_if_absent_while_another_call_can_have_taken_the_value, story),
        STORY_TEST(rule_2_is_broken_by_a_miss_after_a_refused_put, story),
        STORY_TEST(rule_11_is_broken_by_a_computation_that_does_not_find_what_is_there, story),
        STORY_TEST(rule_1_is_broken_by_two_computations_at_once, story),
        STORY_TEST(all_holds_for_a_computation_over_a_fresh_value, story),
        STORY_TEST(rule_12_is_broken_by_a_value_past_its_new_time, story),
        STORY_TEST(rule_12_is_broken_by_a_fresh_value_whose_time_cannot_be_changed, story),
        STORY_TEST(rule_4_is_broken_by_a_miss_within_a_time_that_was_made_longer, story),
        STORY_TEST(rule_12_holds_for_a_time_that_was_made_longer, story),
        STORY_TEST(rule_22_holds_for_a_value_that_expires_by_its_new_time, story),
        STORY_TEST(rule_8_is_broken_by_the_result_of_a_load_that_was_given_up, story),
        STORY_TEST(rule_8_is_broken_by_a_waiter_that_waits_on_after_its_load_was_given_up, story),
        STORY_TEST(rule_8_is_broken_by_the_first_result_of_a_load_that_was_restarted, story),
        STORY_TEST(rule_22_is_broken_by_a_load_that_was_given_up_and_stored, story),
        STORY_TEST(all_holds_for_waiters_that_are_served_by_the_second_load, story),
        STORY_TEST(rule_8_holds_for_a_load_that_could_not_be_restarted, story),
        STORY_TEST(rule_8_holds_for_a_computation_that_goes_on, story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
