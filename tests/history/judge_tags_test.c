/* SPDX-License-Identifier: MIT */
/*
 * judge_tags_test.c: the judge is shown histories made by hand in which a tag is invalidated: it concerns the values
 * that have it, and nothing else. A load in flight goes on until it ends.
 */
#include "story.h"
#include "test.h"

static struct story story;

#define TAG   1
#define OTHER 2

static void invalidate_tag(uint8_t tags)
{
    story_invalidate_end(&story, story_invalidate_tag(&story, 0, tags));
}

static uint64_t put(uint8_t tags)
{
    uint64_t value =
        story_tell(&story, (struct record){.kind = RECORD_PUT_BEGIN, .keys = 1, .ttl_ms = STORY_LONG, .tags = tags});

    story_put_end(&story, value);
    return value;
}

static void finish(uint64_t load, enum record_finish how, uint8_t tags)
{
    story_finish_end(&story, story_tell(&story, (struct record){.kind = RECORD_FINISH_BEGIN,
                                                                .begin = load,
                                                                .how = (uint8_t)how,
                                                                .ttl_ms = STORY_LONG,
                                                                .tags = tags}));
}

/* ---- what is stored ---------------------------------------------------------------------------------------------- */

static void rule_3_is_broken_by_a_hit_of_what_was_put_with_the_tag(void **state)
{
    (void)state;
    uint64_t value = put(TAG | OTHER);
    invalidate_tag(TAG);
    story_hit(&story, 0, value);
    story_expect(&story, 3);
}

static void rule_3_holds_for_a_value_without_the_tag(void **state)
{
    (void)state;
    uint64_t value = put(OTHER);
    invalidate_tag(TAG);
    story_hit(&story, 0, value);
    story_expect(&story, STORY_HOLDS);
}

static void rule_3_holds_for_what_is_put_afterwards(void **state)
{
    (void)state;
    invalidate_tag(TAG);
    story_hit(&story, 0, put(TAG));
    story_expect(&story, STORY_HOLDS);
}

static void rule_3_holds_for_a_get_that_began_before_the_return(void **state)
{
    (void)state;
    uint64_t value = put(TAG);
    uint64_t invalidate = story_invalidate_tag(&story, 0, TAG);
    uint64_t get = story_get(&story, 0);
    story_invalidate_end(&story, invalidate);
    story_get_end(&story, get, RECORD_HIT, value);
    story_expect(&story, STORY_HOLDS);
}

static void rule_3_holds_for_a_not_found_which_has_no_tags(void **state)
{
    (void)state;
    uint64_t get = story_get(&story, 0);
    finish(story_load(&story, 0, get, 0), RECORD_NOTHING, 0);
    story_get_fails(&story, get, RECORD_NOT_FOUND);
    invalidate_tag(TAG);
    story_tell(&story, (struct record){.kind = RECORD_GET_END,
                                       .begin = story_get(&story, 0),
                                       .error = RECORD_NOT_FOUND,
                                       .source = RECORD_HIT});
    story_expect(&story, STORY_HOLDS);
}

static void rule_11_is_broken_by_an_old_value_of_the_tag(void **state)
{
    (void)state;
    uint64_t value = put(TAG);
    invalidate_tag(TAG);
    uint64_t get = story_get(&story, 0);
    finish(story_load(&story, 0, get, value), RECORD_FAILURE, 0);
    story_get_fails(&story, get, RECORD_FAILED);
    story_expect(&story, 11);
}

/* ---- loads in flight --------------------------------------------------------------------------------------------- */

/* A get leads, the tag is invalidated, another get joins, and the load brings a value with these tags. */
static uint64_t load_while_invalidated(uint8_t tags, uint64_t *early, uint64_t *late)
{
    *early = story_get(&story, 0);
    uint64_t load = story_load(&story, 0, *early, 0);
    invalidate_tag(TAG);
    *late = story_get(&story, 0);
    story_parked(&story, *late);
    finish(load, RECORD_VALUE, tags);
    story_get_end(&story, *early, RECORD_LED, load); /* it had joined before: this is right */
    return load;
}

static void rule_3_is_broken_by_a_waiter_of_later_that_is_given_the_load(void **state)
{
    (void)state;
    uint64_t early, late;
    uint64_t load = load_while_invalidated(TAG, &early, &late);
    story_callback(&story, late, RECORD_COALESCED, load);
    story_expect(&story, 3);
}

static void rule_3_holds_for_a_waiter_of_later_if_the_load_brings_no_such_tag(void **state)
{
    (void)state;
    uint64_t early, late;
    uint64_t load = load_while_invalidated(OTHER, &early, &late);
    story_callback(&story, late, RECORD_COALESCED, load);
    story_hit(&story, 0, load);
    story_expect(&story, STORY_HOLDS);
}

static void rule_22_is_broken_by_a_load_that_brought_an_invalidated_tag_and_was_stored(void **state)
{
    (void)state;
    uint64_t early, late;
    uint64_t load = load_while_invalidated(TAG, &early, &late);
    story_removed(&story, 0, load, RECORD_EXPLICIT);
    story_expect(&story, 22);
}

/* The flight goes on with another load, in the background, which is no refresh. */
static void go_on(uint64_t refreshes)
{
    uint64_t early, late;

    load_while_invalidated(TAG, &early, &late);
    uint64_t again =
        story_tell(&story, (struct record){.kind = RECORD_LOAD_BEGIN, .keys = 1, .how = RECORD_BACKGROUND});
    finish(again, RECORD_VALUE, TAG);
    story_callback(&story, late, RECORD_COALESCED, again);
    story_hit(&story, 0, again);
    story_tell(&story, (struct record){.kind = RECORD_STATS, .how = RECORD_STAT_REFRESHES, .value = refreshes});
}

static void all_holds_if_the_flight_goes_on_with_another_load(void **state)
{
    (void)state;
    go_on(0);
    story_expect(&story, STORY_HOLDS);
}

static void rule_23_is_broken_by_more_refreshes_than_loads_in_the_background(void **state)
{
    (void)state;
    go_on(2);
    story_expect(&story, 23);
}

/* ---- the log ----------------------------------------------------------------------------------------------------- */

static void an_invalidation_of_no_tag_is_refused(void **state)
{
    (void)state;
    invalidate_tag(0);
    story_expect_refused(&story, "record 1 (invalidate): tags 0x0");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY_TEST(rule_3_is_broken_by_a_hit_of_what_was_put_with_the_tag, story),
        STORY_TEST(rule_3_holds_for_a_value_without_the_tag, story),
        STORY_TEST(rule_3_holds_for_what_is_put_afterwards, story),
        STORY_TEST(rule_3_holds_for_a_get_that_began_before_the_return, story),
        STORY_TEST(rule_3_holds_for_a_not_found_which_has_no_tags, story),
        STORY_TEST(rule_11_is_broken_by_an_old_value_of_the_tag, story),
        STORY_TEST(rule_3_is_broken_by_a_waiter_of_later_that_is_given_the_load, story),
        STORY_TEST(rule_3_holds_for_a_waiter_of_later_if_the_load_brings_no_such_tag, story),
        STORY_TEST(rule_22_is_broken_by_a_load_that_brought_an_invalidated_tag_and_was_stored, story),
        STORY_TEST(all_holds_if_the_flight_goes_on_with_another_load, story),
        STORY_TEST(rule_23_is_broken_by_more_refreshes_than_loads_in_the_background, story),
        STORY_TEST(an_invalidation_of_no_tag_is_refused, story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
