/* SPDX-License-Identifier: MIT */
/*
 * judge_rest_test.c: the judge is shown histories made by hand that break the rules of callbacks, removals and
 * counters, or nearly do; and logs that are not whole.
 */
#include "story.h"
#include "test.h"

static struct story story;

/* ---- rules 7 and 19 ---------------------------------------------------------------------------------------------- */

static void rule_7_is_broken_by_a_callback_after_the_cancel(void **state)
{
    (void)state;
    uint64_t get = story_get(&story, 1);
    story_parked(&story, get);
    story_cancel(&story, get);
    story_callback(&story, get, RECORD_COALESCED, story_whole_put(&story, 1, STORY_LONG));
    story_expect(&story, 7);
}

static void rule_19_is_broken_by_a_second_callback(void **state)
{
    (void)state;
    uint64_t get = story_get(&story, 0);
    story_parked(&story, get);
    uint64_t put = story_put(&story, 0, STORY_LONG);
    story_callback(&story, get, RECORD_COALESCED, put);
    story_callback(&story, get, RECORD_COALESCED, put);
    story_put_end(&story, put);
    story_expect(&story, 19);
}

static void rule_19_is_broken_by_a_callback_that_never_runs(void **state)
{
    (void)state;
    story_parked(&story, story_get(&story, 0));
    story_expect(&story, 19);
}

/* ---- rules 22 and 23 --------------------------------------------------------------------------------------------- */

static void rule_22_is_broken_by_a_value_that_never_leaves(void **state)
{
    (void)state;
    story.facts.listens = 1;
    story_whole_put(&story, 0, STORY_LONG);
    story_destroy(&story);
    story_expect(&story, 22);
}

static void rule_22_is_broken_by_a_value_that_leaves_twice(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_whole_invalidate(&story, 0);
    story_removed(&story, 0, value, RECORD_EXPLICIT);
    story_removed(&story, 0, value, RECORD_EXPLICIT);
    story_expect(&story, 22);
}

static void rule_22_is_broken_by_a_value_that_was_not_stored(void **state)
{
    (void)state;
    uint64_t value = story_whole_load(&story, 0, 0);
    story_removed(&story, 0, value, RECORD_REPLACED);
    story_expect(&story, 22);
}

static void rule_22_is_broken_by_a_cause_that_cannot_be(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, 5);
    story.now_ms += 4;
    uint64_t invalidate = story_invalidate(&story, 0);
    story_removed(&story, 0, value, RECORD_EXPIRED);
    story_invalidate_end(&story, invalidate);
    story_expect(&story, 22);
}

static void rule_22_is_broken_by_a_hit_of_what_has_left(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, 5);
    story.now_ms += 5;
    story_removed(&story, 0, value, RECORD_EXPIRED);
    story_hit(&story, 0, value);
    story_expect(&story, 22);
}

static void rule_22_holds_for_a_value_that_left_while_its_reload_renewed_it(void **state)
{
    (void)state;
    story.facts.listens = 1;
    uint64_t value = story_whole_put(&story, 0, 5);
    uint64_t get = story_get(&story, 0);
    story.now_ms += 5;
    uint64_t load = story_load(&story, 0, get, value);
    story_removed(&story, 0, value, RECORD_EXPIRED);
    story_finish_end(&story, story_finish(&story, load, RECORD_NOT_MODIFIED, STORY_LONG));
    story_get_end(&story, get, RECORD_LED, value);
    story_hit(&story, 0, value);
    story_whole_invalidate(&story, 0);
    story_removed(&story, 0, value, RECORD_EXPLICIT);
    story_destroy(&story);
    story_expect(&story, STORY_HOLDS);
}

static void rule_22_holds_if_the_listener_is_told_once_the_reload_has_renewed_the_value(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, 5);
    uint64_t get = story_get(&story, 0);
    story.now_ms += 5;
    uint64_t load = story_load(&story, 0, get, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_NOT_MODIFIED, STORY_LONG));
    story_removed(&story, 0, value, RECORD_EXPIRED);
    story_get_end(&story, get, RECORD_LED, value);
    story_hit(&story, 0, value);
    story_expect(&story, STORY_HOLDS);
}

static void rule_22_holds_if_all_leave_once(void **state)
{
    (void)state;
    story.facts.listens = 1;
    uint64_t first = story_whole_put(&story, 0, STORY_LONG);
    uint64_t second = story_put(&story, 0, STORY_LONG);
    story_removed(&story, 0, first, RECORD_REPLACED);
    story_put_end(&story, second);
    uint64_t destroy = story_tell(&story, (struct record){.kind = RECORD_DESTROY_BEGIN});
    story_removed(&story, 0, second, RECORD_EXPLICIT);
    story_tell(&story, (struct record){.kind = RECORD_DESTROY_END, .begin = destroy});
    story_expect(&story, STORY_HOLDS);
}

static void rule_23_is_broken_by_a_counter_that_differs(void **state)
{
    (void)state;
    story_hit(&story, 0, story_whole_put(&story, 0, STORY_LONG));
    story_counter(&story, RECORD_STAT_HITS, 2);
    story_expect(&story, 23);
}

static void rule_23_is_broken_by_more_loads_than_were_called_and_dropped(void **state)
{
    (void)state;
    story_whole_load(&story, 0, STORY_LONG);
    story_counter(&story, RECORD_STAT_LOADS, 3);
    story_counter(&story, RECORD_STAT_LOADS_COMPLETED, 1);
    story_counter(&story, RECORD_STAT_LOADS_DROPPED, 1);
    story_expect(&story, 23);
}

static void rule_23_is_broken_by_loads_that_do_not_add_up(void **state)
{
    (void)state;
    story_whole_load(&story, 0, STORY_LONG);
    story_counter(&story, RECORD_STAT_LOADS, 1);
    story_counter(&story, RECORD_STAT_LOADS_COMPLETED, 0);
    story_counter(&story, RECORD_STAT_LOADS_FAILED, 0);
    story_counter(&story, RECORD_STAT_LOADS_NOT_FOUND, 0);
    story_counter(&story, RECORD_STAT_LOADS_DROPPED, 0);
    story_expect(&story, 23);
}

static void rule_23_holds_if_all_is_counted(void **state)
{
    (void)state;
    story_hit(&story, 0, story_whole_load(&story, 0, STORY_LONG));
    story_counter(&story, RECORD_STAT_GETS, 2);
    story_counter(&story, RECORD_STAT_HITS, 1);
    story_counter(&story, RECORD_STAT_MISSES, 1);
    story_counter(&story, RECORD_STAT_LOADS, 1);
    story_counter(&story, RECORD_STAT_LOADS_COMPLETED, 1);
    story_counter(&story, RECORD_STAT_LOADS_FAILED, 0);
    story_counter(&story, RECORD_STAT_LOADS_NOT_FOUND, 0);
    story_counter(&story, RECORD_STAT_LOADS_DROPPED, 0);
    story_expect(&story, STORY_HOLDS);
}

/* ---- values of nobody, logs that are not whole, rules that are not judged ---------------------------------------- */

static void a_value_of_another_key_is_found(void **state)
{
    (void)state;
    story_hit(&story, 1, story_whole_put(&story, 0, STORY_LONG));
    story_expect(&story, 0);
}

static void a_call_without_an_end_is_refused(void **state)
{
    (void)state;
    story_put(&story, 0, STORY_LONG);
    story_expect_refused(&story, "record 1 (put): has no end");
}

static void a_second_end_is_refused(void **state)
{
    (void)state;
    uint64_t put = story_whole_put(&story, 0, STORY_LONG);
    story_put_end(&story, put);
    story_expect_refused(&story, "record 3 (put returned): a second end of 1");
}

static void an_end_of_something_else_is_refused(void **state)
{
    (void)state;
    story_get_end(&story, story_whole_put(&story, 0, STORY_LONG), RECORD_HIT, 1);
    story_expect_refused(&story, "record 3 (get returned): goes on with 1, which is no such thing");
}

static void a_missing_record_is_refused(void **state)
{
    (void)state;
    story_whole_put(&story, 0, STORY_LONG);
    story.last++;
    story_whole_put(&story, 0, STORY_LONG);
    story_expect_refused(&story, "record number 5 of 4");
}

static void a_word_that_is_none_is_refused(void **state)
{
    (void)state;
    story_tell(&story, (struct record){.kind = RECORD_KINDS});
    story_expect_refused(&story, "record 1: kind");
}

static void a_rule_that_is_never_judged_is_missed(void **state)
{
    (void)state;
    story.facts.rules = 1u << 3 | 1u << 4;
    story_hit(&story, 0, story_whole_put(&story, 0, STORY_LONG));
    story_expect_missing(&story, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY_TEST(rule_7_is_broken_by_a_callback_after_the_cancel, story),
        STORY_TEST(rule_19_is_broken_by_a_second_callback, story),
        STORY_TEST(rule_19_is_broken_by_a_callback_that_never_runs, story),
        STORY_TEST(rule_22_is_broken_by_a_value_that_never_leaves, story),
        STORY_TEST(rule_22_is_broken_by_a_value_that_leaves_twice, story),
        STORY_TEST(rule_22_is_broken_by_a_value_that_was_not_stored, story),
        STORY_TEST(rule_22_is_broken_by_a_cause_that_cannot_be, story),
        STORY_TEST(rule_22_is_broken_by_a_hit_of_what_has_left, story),
        STORY_TEST(rule_22_holds_for_a_value_that_left_while_its_reload_renewed_it, story),
        STORY_TEST(rule_22_holds_if_the_listener_is_told_once_the_reload_has_renewed_the_value, story),
        STORY_TEST(rule_22_holds_if_all_leave_once, story),
        STORY_TEST(rule_23_is_broken_by_a_counter_that_differs, story),
        STORY_TEST(rule_23_is_broken_by_more_loads_than_were_called_and_dropped, story),
        STORY_TEST(rule_23_is_broken_by_loads_that_do_not_add_up, story),
        STORY_TEST(rule_23_holds_if_all_is_counted, story),
        STORY_TEST(a_value_of_another_key_is_found, story),
        STORY_TEST(a_call_without_an_end_is_refused, story),
        STORY_TEST(a_second_end_is_refused, story),
        STORY_TEST(an_end_of_something_else_is_refused, story),
        STORY_TEST(a_missing_record_is_refused, story),
        STORY_TEST(a_word_that_is_none_is_refused, story),
        STORY_TEST(a_rule_that_is_never_judged_is_missed, story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
