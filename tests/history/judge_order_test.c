/* SPDX-License-Identifier: MIT */
/*
 * judge_order_test.c: the judge is shown histories made by hand, in which the order of calls breaks rules 1 to 4, or
 * nearly does: what overlaps is not to be called wrong.
 */
#include "story.h"
#include "test.h"

static struct story story;

/* ---- rule 1 ------------------------------------------------------------------------------------------------------ */

/* A get leads, and its load does not end. */
static uint64_t loading(unsigned key)
{
    return story_load(&story, key, story_get(&story, key), 0);
}

static void end_load_and_get(uint64_t get, uint64_t load)
{
    story_finish_end(&story, story_finish(&story, load, RECORD_FAILURE, 0));
    story_get_fails(&story, get, RECORD_FAILED);
}

static void rule_1_is_broken_by_two_loads_at_once(void **state)
{
    (void)state;
    uint64_t first = loading(0), second = loading(0);
    end_load_and_get(first - 1, first);
    end_load_and_get(second - 1, second);
    story_expect(&story, 1);
}

static void rule_1_holds_for_two_keys(void **state)
{
    (void)state;
    uint64_t first = loading(0), second = loading(1);
    end_load_and_get(first - 1, first);
    end_load_and_get(second - 1, second);
    story_expect(&story, STORY_HOLDS);
}

static void rule_1_holds_if_an_invalidation_can_have_parted_them(void **state)
{
    (void)state;
    uint64_t first = loading(0);
    uint64_t invalidate = story_invalidate(&story, 0);
    uint64_t second = loading(0);
    story_invalidate_end(&story, invalidate);
    end_load_and_get(first - 1, first);
    end_load_and_get(second - 1, second);
    story_expect(&story, STORY_HOLDS);
}

static void rule_1_holds_if_the_detached_flight_is_told_to_its_loader_late(void **state)
{
    (void)state;
    uint64_t get = story_get(&story, 0);
    story_whole_invalidate(&story, 0);
    uint64_t first = story_load(&story, 0, get, 0);
    uint64_t second = loading(0);
    end_load_and_get(get, first);
    end_load_and_get(second - 1, second);
    story_expect(&story, STORY_HOLDS);
}

static void rule_1_holds_if_the_first_can_have_run_over_its_deadline(void **state)
{
    (void)state;
    story.facts.load_timeout_ms = 5;
    uint64_t first = loading(0);
    story.now_ms += 5;
    uint64_t second = loading(0);
    end_load_and_get(first - 1, first);
    end_load_and_get(second - 1, second);
    story_expect(&story, STORY_HOLDS);
}

/* ---- rule 2 ------------------------------------------------------------------------------------------------------ */

static void rule_2_is_broken_by_a_load_of_what_was_loaded(void **state)
{
    (void)state;
    story_whole_load(&story, 0, STORY_LONG);
    story_whole_load(&story, 0, STORY_LONG);
    story_expect(&story, 2);
}

static void rule_2_is_broken_by_a_load_between_a_flight_and_its_value(void **state)
{
    (void)state;
    uint64_t first = loading(0);
    uint64_t get = story_get(&story, 0);
    uint64_t finish = story_finish(&story, first, RECORD_VALUE, STORY_LONG);
    uint64_t second = story_load(&story, 0, get, 0);
    story_finish_end(&story, finish);
    end_load_and_get(get, second);
    story_get_end(&story, first - 1, RECORD_LED, first);
    story_expect(&story, 2);
}

static void rule_2_is_broken_by_a_load_of_what_was_given(void **state)
{
    (void)state;
    story_put_end(&story, story_put(&story, 0, 0)); /* brings nothing that stays */
    uint64_t put = story_put(&story, 0, RECORD_NEVER);
    uint64_t other = story_put(&story, 0, RECORD_NEVER); /* which of the two stays is not certain */
    story_put_end(&story, put);
    story_put_end(&story, other);
    story_hit(&story, 0, put);
    uint64_t load = loading(0);
    end_load_and_get(load - 1, load);
    story_expect(&story, 2);
}

static void rule_2_is_broken_by_a_miss_of_what_was_loaded(void **state)
{
    (void)state;
    story_whole_load(&story, 0, STORY_LONG);
    story_get_fails(&story, story_get(&story, 0), RECORD_NOT_CACHED);
    story_expect(&story, 2);
}

static void rule_2_holds_near_the_end_of_the_time_to_live(void **state)
{
    (void)state;
    story_whole_load(&story, 0, 100);
    story.now_ms += 51;
    story_whole_load(&story, 0, 100);
    story_expect(&story, STORY_HOLDS);
}

static void rule_2_holds_if_another_call_can_have_taken_the_value(void **state)
{
    (void)state;
    story_whole_load(&story, 0, STORY_LONG);
    uint64_t invalidate = story_invalidate(&story, 0);
    story_whole_load(&story, 0, STORY_LONG);
    story_invalidate_end(&story, invalidate);
    story_whole_load(&story, 0, STORY_LONG); /* the value before may be gone too: its load began before the end */
    story_expect(&story, STORY_HOLDS);
}

/* A load ends with a value; `held_ms` pass between the record of that and the return. A later get finds nothing. */
static void miss_after_an_end_that_took(int64_t held_ms)
{
    story.facts.load_timeout_ms = 5;
    uint64_t load = loading(0);
    uint64_t finish = story_finish(&story, load, RECORD_VALUE, STORY_LONG);
    story.now_ms += held_ms;
    story_finish_end(&story, finish);
    story_get_fails(&story, load - 1, RECORD_FAILED);
    story_get_fails(&story, story_get(&story, 0), RECORD_FAILED);
}

static void rule_2_is_broken_by_a_miss_of_what_was_loaded_before_the_deadline(void **state)
{
    (void)state;
    miss_after_an_end_that_took(3);
    story_expect(&story, 2);
}

static void rule_2_holds_if_the_deadline_can_have_passed_while_the_load_ended(void **state)
{
    (void)state;
    miss_after_an_end_that_took(4); /* the clock's milliseconds are cut off: it may be five */
    story_expect(&story, STORY_HOLDS);
}

/* As above, and before the return a get leads another load. */
static void load_during_an_end_that_takes(int64_t held_ms)
{
    story.facts.load_timeout_ms = 5;
    uint64_t first = loading(0);
    uint64_t finish = story_finish(&story, first, RECORD_VALUE, STORY_LONG);
    story.now_ms += held_ms;
    uint64_t second = loading(0);
    story_finish_end(&story, finish);
    end_load_and_get(second - 1, second);
    story_get_fails(&story, first - 1, RECORD_FAILED);
}

static void rule_2_is_broken_by_a_load_while_another_ends_before_the_deadline(void **state)
{
    (void)state;
    load_during_an_end_that_takes(3);
    story_expect(&story, 2);
}

static void rule_2_holds_for_a_load_if_the_deadline_can_have_passed_while_another_ends(void **state)
{
    (void)state;
    load_during_an_end_that_takes(4);
    story_expect(&story, STORY_HOLDS);
}

static void rule_2_is_not_judged_where_the_cache_evicts(void **state)
{
    (void)state;
    story.facts.evicts = 1;
    story.facts.rules = 1u << 2;
    story_whole_load(&story, 0, STORY_LONG);
    story_whole_load(&story, 0, STORY_LONG);
    story_expect_missing(&story, 2);
}

/* ---- rule 3 ------------------------------------------------------------------------------------------------------ */

static void rule_3_is_broken_by_a_hit_of_what_was_put_before(void **state)
{
    (void)state;
    uint64_t put = story_whole_put(&story, 0, STORY_LONG);
    story_whole_invalidate(&story, 0);
    story_hit(&story, 0, put);
    story_expect(&story, 3);
}

static void rule_3_is_broken_by_a_load_that_began_before(void **state)
{
    (void)state;
    uint64_t load = loading(0);
    story_whole_invalidate(&story, 0);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load); /* it had joined before: this is right */
    story_hit(&story, 0, load);
    story_expect(&story, 3);
}

static void rule_3_is_broken_by_a_not_found_of_before(void **state)
{
    (void)state;
    uint64_t load = loading(0);
    story_finish_end(&story, story_finish(&story, load, RECORD_NOTHING, 0));
    story_get_fails(&story, load - 1, RECORD_NOT_FOUND);
    story_whole_invalidate(&story, 0);
    story_tell(&story, (struct record){.kind = RECORD_GET_END,
                                       .begin = story_get(&story, 0),
                                       .error = RECORD_NOT_FOUND,
                                       .source = RECORD_HIT});
    story_expect(&story, 3);
}

static void rule_3_holds_for_a_get_that_began_before_the_return(void **state)
{
    (void)state;
    uint64_t put = story_whole_put(&story, 0, STORY_LONG);
    uint64_t invalidate = story_invalidate(&story, 0);
    uint64_t get = story_get(&story, 0);
    story_invalidate_end(&story, invalidate);
    story_get_end(&story, get, RECORD_HIT, put);
    story_expect(&story, STORY_HOLDS);
}

static void rule_3_holds_for_a_put_that_overlaps(void **state)
{
    (void)state;
    uint64_t put = story_put(&story, 0, STORY_LONG);
    uint64_t invalidate = story_invalidate(&story, 0);
    story_put_end(&story, put);
    story_invalidate_end(&story, invalidate);
    story_hit(&story, 0, put);
    story_expect(&story, STORY_HOLDS);
}

/* ---- rule 4 ------------------------------------------------------------------------------------------------------ */

static void rule_4_is_broken_by_a_hit_of_what_was_before(void **state)
{
    (void)state;
    uint64_t load = story_whole_load(&story, 0, STORY_LONG);
    story_put_end(&story, story_put(&story, 0, 0));
    story_hit(&story, 0, load);
    story_expect(&story, 4);
}

static void rule_4_is_broken_by_a_put_that_is_not_seen(void **state)
{
    (void)state;
    story_whole_put(&story, 0, STORY_LONG);
    story_get_fails(&story, story_get(&story, 0), RECORD_NOT_CACHED);
    story_expect(&story, 4);
}

static void rule_4_is_broken_by_the_result_of_an_overtaken_load(void **state)
{
    (void)state;
    uint64_t load = loading(0);
    story_whole_put(&story, 0, STORY_LONG);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_expect(&story, 4);
}

static void rule_4_holds_for_the_result_of_a_load_that_was_detached_before(void **state)
{
    (void)state;
    uint64_t load = loading(0);
    story_whole_invalidate(&story, 0);
    story_whole_put(&story, 0, STORY_LONG);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_expect(&story, STORY_HOLDS);
}

static void rule_4_is_broken_by_a_put_that_lets_wait_on(void **state)
{
    (void)state;
    uint64_t load = loading(0);
    uint64_t waiter = story_get(&story, 0);
    story_parked(&story, waiter);
    story_whole_put(&story, 0, STORY_LONG);
    uint64_t put = story_put(&story, 0, STORY_LONG);
    story_callback(&story, waiter, RECORD_COALESCED, put);
    story_put_end(&story, put);
    end_load_and_get(load - 1, load);
    story_expect(&story, 4);
}

static void rule_4_is_broken_by_a_put_after_which_one_can_still_cancel(void **state)
{
    (void)state;
    uint64_t load = loading(0);
    uint64_t waiter = story_get(&story, 0);
    story_parked(&story, waiter);
    story_whole_put(&story, 0, STORY_LONG);
    story_tell(&story, (struct record){
                           .kind = RECORD_CANCEL_END,
                           .begin = story_tell(&story, (struct record){.kind = RECORD_CANCEL_BEGIN, .begin = waiter})});
    end_load_and_get(load - 1, load);
    story_expect(&story, 4);
}

static void rule_4_holds_for_waiters_that_are_given_the_put(void **state)
{
    (void)state;
    uint64_t load = loading(0);
    uint64_t waiter = story_get(&story, 0);
    story_parked(&story, waiter);
    uint64_t put = story_put(&story, 0, STORY_LONG);
    story_callback(&story, waiter, RECORD_COALESCED, put);
    story_put_end(&story, put);
    story_hit(&story, 0, put);
    end_load_and_get(load - 1, load);
    story_hit(&story, 0, put);
    story_expect(&story, STORY_HOLDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY_TEST(rule_1_is_broken_by_two_loads_at_once, story),
        STORY_TEST(rule_1_holds_for_two_keys, story),
        STORY_TEST(rule_1_holds_if_an_invalidation_can_have_parted_them, story),
        STORY_TEST(rule_1_holds_if_the_detached_flight_is_told_to_its_loader_late, story),
        STORY_TEST(rule_1_holds_if_the_first_can_have_run_over_its_deadline, story),
        STORY_TEST(rule_2_is_broken_by_a_load_of_what_was_loaded, story),
        STORY_TEST(rule_2_is_broken_by_a_load_between_a_flight_and_its_value, story),
        STORY_TEST(rule_2_is_broken_by_a_load_of_what_was_given, story),
        STORY_TEST(rule_2_is_broken_by_a_miss_of_what_was_loaded, story),
        STORY_TEST(rule_2_holds_near_the_end_of_the_time_to_live, story),
        STORY_TEST(rule_2_holds_if_another_call_can_have_taken_the_value, story),
        STORY_TEST(rule_2_is_broken_by_a_miss_of_what_was_loaded_before_the_deadline, story),
        STORY_TEST(rule_2_holds_if_the_deadline_can_have_passed_while_the_load_ended, story),
        STORY_TEST(rule_2_is_broken_by_a_load_while_another_ends_before_the_deadline, story),
        STORY_TEST(rule_2_holds_for_a_load_if_the_deadline_can_have_passed_while_another_ends, story),
        STORY_TEST(rule_2_is_not_judged_where_the_cache_evicts, story),
        STORY_TEST(rule_3_is_broken_by_a_hit_of_what_was_put_before, story),
        STORY_TEST(rule_3_is_broken_by_a_load_that_began_before, story),
        STORY_TEST(rule_3_is_broken_by_a_not_found_of_before, story),
        STORY_TEST(rule_3_holds_for_a_get_that_began_before_the_return, story),
        STORY_TEST(rule_3_holds_for_a_put_that_overlaps, story),
        STORY_TEST(rule_4_is_broken_by_a_hit_of_what_was_before, story),
        STORY_TEST(rule_4_is_broken_by_a_put_that_is_not_seen, story),
        STORY_TEST(rule_4_is_broken_by_the_result_of_an_overtaken_load, story),
        STORY_TEST(rule_4_holds_for_the_result_of_a_load_that_was_detached_before, story),
        STORY_TEST(rule_4_is_broken_by_a_put_that_lets_wait_on, story),
        STORY_TEST(rule_4_is_broken_by_a_put_after_which_one_can_still_cancel, story),
        STORY_TEST(rule_4_holds_for_waiters_that_are_given_the_put, story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
