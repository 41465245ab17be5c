/* SPDX-License-Identifier: MIT */
/*
 * judge_life_test.c: the judge is shown histories made by hand of a cache that is closed or destroyed while it is
 * waited for, of values that come to another cache with a file, and of a listener that is told before a value leaves.
 */
#include "story.h"
#include "test.h"

static struct story story;

/* ---- rule 18 ----------------------------------------------------------------------------------------------------- */

/* A get leads, and another one has parked. */
static uint64_t waited_for(uint64_t *waiter)
{
    uint64_t load = story_load(&story, 0, story_get(&story, 0), 0);

    *waiter = story_get(&story, 0);
    story_parked(&story, *waiter);
    return load;
}

static void told_closed(uint64_t waiter)
{
    story_tell(
        &story,
        (struct record){.kind = RECORD_CALLBACK, .begin = waiter, .error = RECORD_CLOSED, .source = RECORD_COALESCED});
}

static void rule_18_holds_for_waiters_that_are_told_once_and_a_load_that_ends_late(void **state)
{
    (void)state;
    uint64_t waiter, load = waited_for(&waiter);
    uint64_t destroy = story_tell(&story, (struct record){.kind = RECORD_DESTROY_BEGIN});
    told_closed(waiter);
    story_get_fails(&story, load - 1, RECORD_CLOSED);
    story_tell(&story, (struct record){.kind = RECORD_DESTROY_END, .begin = destroy});
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_expect(&story, STORY_HOLDS);
}

static void rule_19_is_broken_by_a_waiter_that_the_destruction_forgets(void **state)
{
    (void)state;
    uint64_t waiter, load = waited_for(&waiter);
    story_destroy(&story);
    story_get_fails(&story, load - 1, RECORD_CLOSED);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_expect(&story, 19);
}

static void rule_19_is_broken_by_a_waiter_that_is_told_again_by_the_late_load(void **state)
{
    (void)state;
    uint64_t waiter, load = waited_for(&waiter);
    story_close(&story);
    told_closed(waiter);
    story_get_fails(&story, load - 1, RECORD_CLOSED);
    story_finish_end(&story, story_finish(&story, load, RECORD_FAILURE, 0));
    story_tell(&story, (struct record){.kind = RECORD_CALLBACK, .begin = waiter, .error = RECORD_FAILED});
    story_expect(&story, 19);
}

static void rule_18_is_broken_by_a_waiter_that_is_given_the_late_load(void **state)
{
    (void)state;
    uint64_t waiter, load = waited_for(&waiter);
    story_close(&story);
    story_get_fails(&story, load - 1, RECORD_CLOSED);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_callback(&story, waiter, RECORD_COALESCED, load);
    story_expect(&story, 18);
}

static void rule_18_holds_for_a_waiter_that_had_its_value_before_and_is_told_late(void **state)
{
    (void)state;
    uint64_t waiter, load = waited_for(&waiter);
    uint64_t finish = story_finish(&story, load, RECORD_VALUE, STORY_LONG);
    story_close(&story);
    story_callback(&story, waiter, RECORD_COALESCED, load);
    story_finish_end(&story, finish);
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_expect(&story, STORY_HOLDS);
}

static void rule_18_is_broken_by_a_hit_after_the_close(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_close(&story);
    story_hit(&story, 0, value);
    story_expect(&story, 18);
}

static void rule_18_is_broken_by_a_put_after_the_close(void **state)
{
    (void)state;
    story_close(&story);
    story_whole_put(&story, 0, STORY_LONG);
    story_expect(&story, 18);
}

static void rule_18_is_broken_by_a_load_that_begins_after_the_close(void **state)
{
    (void)state;
    story_close(&story);
    uint64_t load = story_load(&story, 0, story_get(&story, 0), 0);
    story_finish_end(&story, story_finish(&story, load, RECORD_FAILURE, 0));
    story_get_fails(&story, load - 1, RECORD_CLOSED);
    story_expect(&story, 18);
}

static void rule_18_is_broken_by_a_get_that_is_told_of_a_close_that_was_not(void **state)
{
    (void)state;
    story_get_fails(&story, story_get(&story, 0), RECORD_CLOSED);
    story_expect(&story, 18);
}

static void rule_18_holds_for_calls_that_are_refused(void **state)
{
    (void)state;
    story_whole_put(&story, 0, STORY_LONG);
    story_close(&story);
    story_get_fails(&story, story_get(&story, 0), RECORD_CLOSED);
    story_tell(&story, (struct record){
                           .kind = RECORD_PUT_END, .begin = story_put(&story, 0, STORY_LONG), .error = RECORD_CLOSED});
    story_set_ttl(&story, 0, 5, RECORD_CLOSED);
    story_expect(&story, STORY_HOLDS);
}

/* ---- rule 3: a file ---------------------------------------------------------------------------------------------- */

/* The cache is destroyed, and another one loads the file. */
static void go_over(void)
{
    story_destroy(&story);
    story_create(&story);
    story_warm(&story);
}

static void all_holds_for_a_value_that_comes_with_the_file(void **state)
{
    (void)state;
    story.facts.listens = 1;
    story_create(&story);
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_save(&story);
    story_whole_invalidate(&story, 0); /* later than the save: this is as it is documented */
    story_removed(&story, 0, value, RECORD_EXPLICIT);
    go_over();
    story_hit(&story, 0, value);
    story_destroy(&story);
    story_removed(&story, 0, value, RECORD_EXPLICIT);
    story_expect(&story, STORY_HOLDS);
}

static void rule_3_is_broken_by_a_file_with_what_was_invalidated_before_the_save(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_whole_invalidate(&story, 0);
    story_save(&story);
    go_over();
    story_hit(&story, 0, value);
    story_expect(&story, 3);
}

static void rule_3_is_broken_by_a_file_with_a_load_that_was_invalidated_before_it_ended(void **state)
{
    (void)state;
    uint64_t load = story_load(&story, 0, story_get(&story, 0), 0);
    story_whole_invalidate(&story, 0);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_save(&story);
    go_over();
    story_hit(&story, 0, load);
    story_expect(&story, 3);
}

static void rule_3_is_broken_by_a_file_that_makes_fresh_what_was_stale(void **state)
{
    (void)state;
    story.facts.stale_ms = 10;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_invalidate_end(&story, story_invalidate_as(&story, 0, RECORD_KEY, true));
    story_save(&story);
    go_over();
    story_hit(&story, 0, value);
    story_expect(&story, 3);
}

static void rule_3_is_broken_by_a_value_of_the_file_that_was_invalidated_since(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_save(&story);
    go_over();
    story_whole_invalidate(&story, 0);
    story_hit(&story, 0, value);
    story_expect(&story, 3);
}

/* What is chosen is chosen among what is stored: what the file brings later is not concerned. */
static void rule_3_holds_for_a_value_of_the_file_that_could_not_be_chosen(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_save(&story);
    story_destroy(&story);
    story_create(&story);
    story_invalidate_end(&story, story_invalidate_as(&story, 0, RECORD_CHOSEN, false));
    story_warm(&story);
    story_hit(&story, 0, value);
    story_expect(&story, STORY_HOLDS);
}

static void rule_3_is_broken_by_a_value_of_the_file_that_was_chosen_since(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_save(&story);
    go_over();
    story_invalidate_end(&story, story_invalidate_as(&story, 0, RECORD_CHOSEN, false));
    story_hit(&story, 0, value);
    story_expect(&story, 3);
}

/* Its time to live is made 5 ms before or after the save; it is given 60 ms later, by the next cache. */
static void give_late(bool before)
{
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);

    if (before)
        story_set_ttl(&story, 0, 5, RECORD_OK);
    story_save(&story);
    if (!before)
        story_set_ttl(&story, 0, 5, RECORD_OK);
    go_over();
    story.now_ms += 60;
    story_hit(&story, 0, value);
}

static void rule_12_is_broken_by_a_file_with_what_has_expired(void **state)
{
    (void)state;
    give_late(true);
    story_expect(&story, 12);
}

static void rule_12_holds_for_a_file_that_was_saved_before_the_time_was_changed(void **state)
{
    (void)state;
    give_late(false);
    story_expect(&story, STORY_HOLDS);
}

static void rule_4_is_broken_by_a_file_with_what_had_been_replaced(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_whole_put(&story, 0, STORY_LONG);
    story_save(&story);
    go_over();
    story_hit(&story, 0, value);
    story_expect(&story, 4);
}

static void a_value_of_later_than_the_save_is_found(void **state)
{
    (void)state;
    story_save(&story);
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    go_over();
    story_hit(&story, 0, value);
    story_expect(&story, 0);
}

static void rule_22_is_broken_by_a_value_that_does_not_leave_the_first_cache(void **state)
{
    (void)state;
    story.facts.listens = 1;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_save(&story);
    go_over();
    story_hit(&story, 0, value);
    story_expect(&story, 22);
}

static void rule_23_is_judged_of_each_cache(void **state)
{
    (void)state;
    story_hit(&story, 0, story_whole_put(&story, 0, STORY_LONG));
    story_counter(&story, RECORD_STAT_GETS, 2);
    go_over();
    story_expect(&story, 23);
}

/* ---- rule 22: told beforehand ------------------------------------------------------------------------------------ */

static void rule_22_holds_for_a_value_that_is_evicted(void **state)
{
    (void)state;
    story.facts.evicts = 1;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_evicting(&story, 0, value, RECORD_SIZE);
    story_hit(&story, 0, value); /* it is within reach until the listener has returned */
    story_removed(&story, 0, value, RECORD_SIZE);
    story_expect(&story, STORY_HOLDS);
}

static void rule_22_is_broken_by_a_value_that_is_offered_twice(void **state)
{
    (void)state;
    story.facts.evicts = 1;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_evicting(&story, 0, value, RECORD_SIZE);
    story_evicting(&story, 0, value, RECORD_SIZE);
    story_expect(&story, 22);
}

static void rule_22_is_broken_by_a_value_that_is_offered_once_it_has_left(void **state)
{
    (void)state;
    story.facts.evicts = 1;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_removed(&story, 0, value, RECORD_SIZE);
    story_evicting(&story, 0, value, RECORD_SIZE);
    story_expect(&story, 22);
}

static void rule_22_holds_for_a_value_that_others_take_before_it_is_offered(void **state)
{
    (void)state;
    story.facts.evicts = 1;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    uint64_t invalidate = story_invalidate(&story, 0);
    story_removed(&story, 0, value, RECORD_EXPLICIT);
    story_evicting(&story, 0, value, RECORD_SIZE);
    story_invalidate_end(&story, invalidate);
    story_expect(&story, STORY_HOLDS);
}

static void rule_22_is_broken_by_a_value_that_is_offered_and_stays(void **state)
{
    (void)state;
    story.facts.evicts = story.facts.listens = 1;
    uint64_t load = story_load(&story, 0, story_get(&story, 0), 0);
    uint64_t other = story_put(&story, 0, STORY_LONG); /* so that it is not certain otherwise that the load is stored */
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_evicting(&story, 0, load, RECORD_SIZE);
    story_put_end(&story, other);
    story_removed(&story, 0, other, RECORD_SIZE);
    story_destroy(&story);
    story_expect(&story, 22);
}

static void rule_22_is_broken_by_an_offer_of_what_others_take(void **state)
{
    (void)state;
    story_evicting(&story, 0, story_whole_put(&story, 0, STORY_LONG), RECORD_REPLACED);
    story_expect(&story, 22);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY_TEST(rule_18_holds_for_waiters_that_are_told_once_and_a_load_that_ends_late, story),
        STORY_TEST(rule_19_is_broken_by_a_waiter_that_the_destruction_forgets, story),
        STORY_TEST(rule_19_is_broken_by_a_waiter_that_is_told_again_by_the_late_load, story),
        STORY_TEST(rule_18_is_broken_by_a_waiter_that_is_given_the_late_load, story),
        STORY_TEST(rule_18_holds_for_a_waiter_that_had_its_value_before_and_is_told_late, story),
        STORY_TEST(rule_18_is_broken_by_a_hit_after_the_close, story),
        STORY_TEST(rule_18_is_broken_by_a_put_after_the_close, story),
        STORY_TEST(rule_18_is_broken_by_a_load_that_begins_after_the_close, story),
        STORY_TEST(rule_18_is_broken_by_a_get_that_is_told_of_a_close_that_was_not, story),
        STORY_TEST(rule_18_holds_for_calls_that_are_refused, story),
        STORY_TEST(all_holds_for_a_value_that_comes_with_the_file, story),
        STORY_TEST(rule_3_is_broken_by_a_file_with_what_was_invalidated_before_the_save, story),
        STORY_TEST(rule_3_is_broken_by_a_file_with_a_load_that_was_invalidated_before_it_ended, story),
        STORY_TEST(rule_3_is_broken_by_a_file_that_makes_fresh_what_was_stale, story),
        STORY_TEST(rule_3_is_broken_by_a_value_of_the_file_that_was_invalidated_since, story),
        STORY_TEST(rule_3_holds_for_a_value_of_the_file_that_could_not_be_chosen, story),
        STORY_TEST(rule_3_is_broken_by_a_value_of_the_file_that_was_chosen_since, story),
        STORY_TEST(rule_12_is_broken_by_a_file_with_what_has_expired, story),
        STORY_TEST(rule_12_holds_for_a_file_that_was_saved_before_the_time_was_changed, story),
        STORY_TEST(rule_4_is_broken_by_a_file_with_what_had_been_replaced, story),
        STORY_TEST(a_value_of_later_than_the_save_is_found, story),
        STORY_TEST(rule_22_is_broken_by_a_value_that_does_not_leave_the_first_cache, story),
        STORY_TEST(rule_23_is_judged_of_each_cache, story),
        STORY_TEST(rule_22_holds_for_a_value_that_is_evicted, story),
        STORY_TEST(rule_22_is_broken_by_a_value_that_is_offered_twice, story),
        STORY_TEST(rule_22_is_broken_by_a_value_that_is_offered_once_it_has_left, story),
        STORY_TEST(rule_22_holds_for_a_value_that_others_take_before_it_is_offered, story),
        STORY_TEST(rule_22_is_broken_by_a_value_that_is_offered_and_stays, story),
        STORY_TEST(rule_22_is_broken_by_an_offer_of_what_others_take, story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
