/* SPDX-License-Identifier: MIT */
/*
 * judge_many_test.c: the judge is shown histories made by hand of what concerns many at once: bulk gets, calls of the
 * loader for several loads, and invalidations that make values stale or concern those that were chosen.
 */
#include "story.h"
#include "test.h"

static struct story story;

/* ---- bulk gets --------------------------------------------------------------------------------------------------- */

/* Two gets of a bulk have parked: key 0 follows a load, and key 1 had a value. */
static void park_bulk(uint64_t bulk[2], uint64_t *load, uint64_t *value)
{
    *value = story_whole_put(&story, 1, STORY_LONG);
    *load = story_load(&story, 0, story_get(&story, 0), 0);
    for (unsigned i = 0; i < 2; i++)
        bulk[i] = story_get_as(&story, i, RECORD_BULK_ASYNC);
    for (unsigned i = 0; i < 2; i++)
        story_parked(&story, bulk[i]);
}

static void all_holds_for_a_bulk_that_waits_for_one_of_its_keys(void **state)
{
    (void)state;
    uint64_t bulk[2], load, value;
    park_bulk(bulk, &load, &value);
    uint64_t finish = story_finish(&story, load, RECORD_VALUE, STORY_LONG);
    story_callback(&story, bulk[0], RECORD_COALESCED, load);
    story_callback(&story, bulk[1], RECORD_HIT, value);
    story_finish_end(&story, finish);
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_expect(&story, STORY_HOLDS);
}

static void rule_4_is_broken_by_a_bulk_that_misses_what_is_there(void **state)
{
    (void)state;
    uint64_t bulk[2], load, value;
    park_bulk(bulk, &load, &value);
    story_finish_end(&story, story_finish(&story, load, RECORD_FAILURE, 0));
    story_get_fails(&story, load - 1, RECORD_FAILED);
    story_tell(&story, (struct record){.kind = RECORD_CALLBACK, .begin = bulk[0], .error = RECORD_FAILED});
    story_tell(&story, (struct record){.kind = RECORD_CALLBACK, .begin = bulk[1], .error = RECORD_TIMED_OUT});
    story_expect(&story, 4);
}

static void rule_3_is_broken_by_a_bulk_that_is_given_what_was_invalidated(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_whole_invalidate(&story, 0);
    uint64_t get = story_get_as(&story, 0, RECORD_BULK);
    story_get_end(&story, get, RECORD_HIT, value);
    story_expect(&story, 3);
}

static void rule_19_is_broken_by_a_bulk_that_is_told_of_one_key_only(void **state)
{
    (void)state;
    uint64_t bulk[2], load, value;
    park_bulk(bulk, &load, &value);
    story_callback(&story, bulk[1], RECORD_HIT, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_expect(&story, 19);
}

static void rule_7_is_broken_by_a_bulk_that_is_told_after_it_was_cancelled(void **state)
{
    (void)state;
    uint64_t bulk[2], load, value;
    park_bulk(bulk, &load, &value);
    story_cancel(&story, bulk[0]);
    story_cancel(&story, bulk[1]);
    story_callback(&story, bulk[1], RECORD_HIT, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_expect(&story, 7);
}

/* A bulk of two is cancelled; what the cache counted for them is not in the log. */
static void count_cancelled(uint64_t hits, uint64_t misses)
{
    uint64_t bulk[2], load, value;

    park_bulk(bulk, &load, &value);
    story_cancel(&story, bulk[0]);
    story_cancel(&story, bulk[1]);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_counter(&story, RECORD_STAT_GETS, 3);
    story_counter(&story, RECORD_STAT_HITS, hits);
    story_counter(&story, RECORD_STAT_MISSES, misses);
}

static void rule_23_holds_whatever_a_cancelled_bulk_was_counted_as(void **state)
{
    (void)state;
    count_cancelled(1, 2);
    story_expect(&story, STORY_HOLDS);
}

static void rule_23_is_broken_by_hits_and_misses_that_are_not_the_gets(void **state)
{
    (void)state;
    count_cancelled(1, 1);
    story_expect(&story, 23);
}

/* ---- rule 15 ----------------------------------------------------------------------------------------------------- */

/* Three loads in one call, where `most` are allowed. */
static void load_three(uint8_t most)
{
    uint64_t loads[3];

    story.facts.together_max = most;
    for (unsigned key = 0; key < 3; key++)
        loads[key] = story_tell(&story, (struct record){.kind = RECORD_LOAD_BEGIN,
                                                        .keys = (uint16_t)(1u << key),
                                                        .how = RECORD_BACKGROUND,
                                                        .together = 3});
    for (unsigned key = 0; key < 3; key++)
        story_finish_end(&story, story_finish(&story, loads[key], RECORD_VALUE, STORY_LONG));
}

static void rule_15_is_broken_by_a_call_for_too_many_loads(void **state)
{
    (void)state;
    load_three(2);
    story_expect(&story, 15);
}

static void rule_15_holds_for_a_call_for_as_many_as_may_be(void **state)
{
    (void)state;
    load_three(3);
    story_expect(&story, STORY_HOLDS);
}

/* ---- rule 3: soft, and of what is chosen ------------------------------------------------------------------------- */

static void invalidate_softly(void)
{
    story_invalidate_end(&story, story_invalidate_as(&story, 0, RECORD_KEY, true));
}

static void rule_3_is_broken_by_a_fresh_hit_of_what_was_softly_invalidated(void **state)
{
    (void)state;
    story.facts.stale_ms = 10;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    invalidate_softly();
    story_hit(&story, 0, value);
    story_expect(&story, 3);
}

static void rule_3_is_broken_by_a_stale_hit_where_no_stale_values_are_given(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    invalidate_softly();
    story_get_stale(&story, story_get(&story, 0), value);
    story_expect(&story, 3);
}

static void rule_3_is_broken_by_the_result_of_a_load_that_was_softly_detached(void **state)
{
    (void)state;
    story.facts.stale_ms = 10;
    uint64_t load = story_load(&story, 0, story_get(&story, 0), 0);
    invalidate_softly();
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_get_stale(&story, story_get(&story, 0), load); /* it was not stored, and not as stale either */
    story_expect(&story, 3);
}

static void rule_3_holds_for_a_stale_hit_and_for_what_renews_the_value(void **state)
{
    (void)state;
    story.facts.stale_ms = 10;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    invalidate_softly();
    uint64_t get = story_get(&story, 0);
    story_get_stale(&story, get, value);
    uint64_t load = story_load(&story, 0, get, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_NOT_MODIFIED, STORY_LONG));
    story_hit(&story, 0, value);
    story_expect(&story, STORY_HOLDS);
}

static void rule_3_is_broken_by_a_hit_of_what_was_chosen(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG);
    story_invalidate_end(&story, story_invalidate_as(&story, 0, RECORD_CHOSEN, false));
    story_hit(&story, 0, value);
    story_expect(&story, 3);
}

static void rule_3_holds_for_a_load_in_flight_that_could_not_be_chosen(void **state)
{
    (void)state;
    uint64_t load = story_load(&story, 0, story_get(&story, 0), 0);
    story_invalidate_end(&story, story_invalidate_as(&story, 0, RECORD_CHOSEN, false));
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_get_end(&story, load - 1, RECORD_LED, load);
    story_hit(&story, 0, load);
    story_expect(&story, STORY_HOLDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY_TEST(all_holds_for_a_bulk_that_waits_for_one_of_its_keys, story),
        STORY_TEST(rule_4_is_broken_by_a_bulk_that_misses_what_is_there, story),
        STORY_TEST(rule_3_is_broken_by_a_bulk_that_is_given_what_was_invalidated, story),
        STORY_TEST(rule_19_is_broken_by_a_bulk_that_is_told_of_one_key_only, story),
        STORY_TEST(rule_7_is_broken_by_a_bulk_that_is_told_after_it_was_cancelled, story),
        STORY_TEST(rule_23_holds_whatever_a_cancelled_bulk_was_counted_as, story),
        STORY_TEST(rule_23_is_broken_by_hits_and_misses_that_are_not_the_gets, story),
        STORY_TEST(rule_15_is_broken_by_a_call_for_too_many_loads, story),
        STORY_TEST(rule_15_holds_for_a_call_for_as_many_as_may_be, story),
        STORY_TEST(rule_3_is_broken_by_a_fresh_hit_of_what_was_softly_invalidated, story),
        STORY_TEST(rule_3_is_broken_by_a_stale_hit_where_no_stale_values_are_given, story),
        STORY_TEST(rule_3_is_broken_by_the_result_of_a_load_that_was_softly_detached, story),
        STORY_TEST(rule_3_holds_for_a_stale_hit_and_for_what_renews_the_value, story),
        STORY_TEST(rule_3_is_broken_by_a_hit_of_what_was_chosen, story),
        STORY_TEST(rule_3_holds_for_a_load_in_flight_that_could_not_be_chosen, story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
