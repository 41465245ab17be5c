/* SPDX-License-Identifier: MIT */
/*
 * judge_time_test.c: the judge is shown histories made by hand that break the rules of reloads, stale values and values
 * that are not to be stored, or nearly do.
 */
#include "story.h"
#include "test.h"

static struct story story;

/* ---- rule 11 ----------------------------------------------------------------------------------------------------- */

#define REFRESH_MS 10

/* A put value of which a reload is due after REFRESH_MS. */
static uint64_t put_with_refresh(void)
{
    uint64_t put = story_tell(
        &story, (struct record){.kind = RECORD_PUT_BEGIN, .keys = 1, .ttl_ms = STORY_LONG, .refresh_ms = REFRESH_MS});

    story_put_end(&story, put);
    return put;
}

/* A get is given the value, and starts its reload. */
static uint64_t reload(uint64_t old)
{
    uint64_t get = story_get(&story, 0);

    story_get_end(&story, get, RECORD_HIT, old);
    return story_load(&story, 0, get, old);
}

static void rule_11_holds_for_a_reload_in_time(void **state)
{
    (void)state;
    uint64_t value = put_with_refresh();
    story.now_ms += REFRESH_MS;
    uint64_t load = reload(value);
    story_hit(&story, 0, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_hit(&story, 0, load);
    story_expect(&story, STORY_HOLDS);
}

static void rule_2_is_broken_by_a_reload_before_its_time(void **state)
{
    (void)state;
    uint64_t value = put_with_refresh();
    story.now_ms += REFRESH_MS - 1;
    uint64_t load = reload(value);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_expect(&story, 2);
}

static void rule_11_is_broken_by_a_get_that_waits_for_the_reload(void **state)
{
    (void)state;
    uint64_t value = put_with_refresh();
    story.now_ms += REFRESH_MS;
    uint64_t load = reload(value);
    uint64_t get = story_get(&story, 0);
    story_parked(&story, get);
    uint64_t finish = story_finish(&story, load, RECORD_VALUE, STORY_LONG);
    story_callback(&story, get, RECORD_COALESCED, load);
    story_finish_end(&story, finish);
    story_expect(&story, 11);
}

static void rule_1_is_broken_by_a_second_reload(void **state)
{
    (void)state;
    uint64_t value = put_with_refresh();
    story.now_ms += REFRESH_MS;
    uint64_t first = reload(value), second = reload(value);
    story_finish_end(&story, story_finish(&story, first, RECORD_VALUE, STORY_LONG));
    story_finish_end(&story, story_finish(&story, second, RECORD_VALUE, STORY_LONG));
    story_expect(&story, 1);
}

static void rule_11_is_broken_by_a_value_that_comes_back_through_a_reload(void **state)
{
    (void)state;
    uint64_t value = put_with_refresh();
    story.now_ms += REFRESH_MS;
    uint64_t load = reload(value);
    story_whole_invalidate(&story, 0);
    story_finish_end(&story, story_finish(&story, load, RECORD_VALUE, STORY_LONG));
    story_hit(&story, 0, load);
    story_expect(&story, 11);
}

static void rule_11_is_broken_by_an_old_value_that_was_invalidated(void **state)
{
    (void)state;
    uint64_t value = put_with_refresh();
    story_whole_invalidate(&story, 0);
    uint64_t get = story_get(&story, 0);
    uint64_t load = story_load(&story, 0, get, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_NOTHING, 0));
    story_get_fails(&story, get, RECORD_NOT_FOUND);
    story_expect(&story, 11);
}

static void rule_11_is_broken_by_a_reload_without_the_old_value(void **state)
{
    (void)state;
    uint64_t value = put_with_refresh();
    story.now_ms += REFRESH_MS;
    uint64_t get = story_get(&story, 0);
    story_get_end(&story, get, RECORD_HIT, value);
    story_finish_end(&story, story_finish(&story, story_load(&story, 0, get, 0), RECORD_FAILURE, 0));
    story_expect(&story, 11);
}

/* A reload fails; another begins `pause_ms` later. */
static void reload_after(int64_t pause_ms)
{
    story.facts.backoff_ms = 5;
    uint64_t value = put_with_refresh();
    story.now_ms += REFRESH_MS;
    story_finish_end(&story, story_finish(&story, reload(value), RECORD_FAILURE, 0));
    story_hit(&story, 0, value);
    story.now_ms += pause_ms;
    story_finish_end(&story, story_finish(&story, reload(value), RECORD_FAILURE, 0));
}

static void rule_11_is_broken_by_a_reload_too_soon_after_a_failed_one(void **state)
{
    (void)state;
    reload_after(4);
    story_expect(&story, 11);
}

static void rule_11_holds_for_a_reload_after_the_back_off(void **state)
{
    (void)state;
    reload_after(5);
    story_expect(&story, STORY_HOLDS);
}

static void rule_11_holds_for_a_reload_after_one_that_was_asked_for_and_failed(void **state)
{
    (void)state;
    story.facts.backoff_ms = 5;
    uint64_t value = story_whole_put(&story, 0, STORY_LONG); /* no reload is due by itself */
    uint64_t refresh = story_tell(&story, (struct record){.kind = RECORD_REFRESH_BEGIN, .keys = 1});
    uint64_t load = story_load(&story, 0, refresh, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_FAILURE, 0));
    story_tell(&story, (struct record){.kind = RECORD_REFRESH_END, .begin = refresh});
    story.now_ms += 5;
    story_finish_end(&story, story_finish(&story, reload(value), RECORD_FAILURE, 0));
    story_expect(&story, STORY_HOLDS);
}

/* A reload that is asked for is never called; later another one begins, before the value is due for one. */
static void reload_after_one_that_was_not_called(void)
{
    uint64_t value = put_with_refresh();

    story_tell(&story,
               (struct record){.kind = RECORD_REFRESH_END,
                               .begin = story_tell(&story, (struct record){.kind = RECORD_REFRESH_BEGIN, .keys = 1})});
    story.now_ms += REFRESH_MS - 1;
    story_finish_end(&story, story_finish(&story, reload(value), RECORD_FAILURE, 0));
}

static void rule_2_is_broken_by_a_reload_before_its_time_also_after_one_that_was_asked_for(void **state)
{
    (void)state;
    reload_after_one_that_was_not_called();
    story_expect(&story, 2);
}

static void rule_2_holds_for_a_reload_before_its_time_if_the_one_that_was_asked_for_can_have_met_its_deadline(
    void **state)
{
    (void)state;
    story.facts.load_timeout_ms = 5;
    reload_after_one_that_was_not_called();
    story_expect(&story, STORY_HOLDS);
}

static void rule_11_is_broken_by_a_failed_reload_that_takes_the_value(void **state)
{
    (void)state;
    uint64_t value = put_with_refresh();
    story.now_ms += REFRESH_MS;
    story_finish_end(&story, story_finish(&story, reload(value), RECORD_FAILURE, 0));
    story_get_fails(&story, story_get(&story, 0), RECORD_NOT_CACHED);
    story_expect(&story, 11);
}

static void a_value_that_is_renewed_lives_anew(void **state)
{
    (void)state;
    uint64_t value = story_tell(
        &story, (struct record){.kind = RECORD_PUT_BEGIN, .keys = 1, .ttl_ms = 100, .refresh_ms = REFRESH_MS});
    story_put_end(&story, value);
    story.now_ms += REFRESH_MS;
    story_finish_end(&story, story_finish(&story, reload(value), RECORD_NOT_MODIFIED, STORY_LONG));
    story.now_ms += 100;
    story_hit(&story, 0, value); /* past its first time to live */
    story_whole_load(&story, 0, STORY_LONG);
    story_expect(&story, 2);
}

static void a_get_that_has_a_stale_value_renewed_is_given_it_as_stale(void **state)
{
    (void)state;
    story.facts.stale_ms = 10;
    uint64_t value = story_whole_put(&story, 0, 5);
    story.now_ms += 6;
    uint64_t get = story_get(&story, 0);
    uint64_t load = story_load(&story, 0, get, value);
    story_finish_end(&story, story_finish(&story, load, RECORD_NOT_MODIFIED, STORY_LONG));
    story_tell(&story,
               (struct record){.kind = RECORD_GET_END, .begin = get, .source = RECORD_HIT, .stale = 1, .value = value});
    story_expect(&story, STORY_HOLDS);
}

/* ---- rules 12 and 13 --------------------------------------------------------------------------------------------- */

static void rule_12_is_broken_by_a_value_past_its_time(void **state)
{
    (void)state;
    uint64_t value = story_whole_put(&story, 0, 5);
    story.now_ms += 6;
    story_hit(&story, 0, value);
    story_expect(&story, 12);
}

/* A value of 5 ms is given, marked as stale, `past_ms` past its time. */
static void give_stale(int64_t past_ms)
{
    story.facts.stale_ms = 10;
    uint64_t value = story_whole_put(&story, 0, 5);
    story.now_ms += 5 + past_ms;
    story_tell(
        &story,
        (struct record){
            .kind = RECORD_GET_END, .begin = story_get(&story, 0), .source = RECORD_HIT, .stale = 1, .value = value});
}

static void rule_12_holds_for_a_value_that_is_marked(void **state)
{
    (void)state;
    give_stale(10);
    story_expect(&story, STORY_HOLDS);
}

static void rule_12_is_broken_by_a_stale_value_past_the_times_for_that(void **state)
{
    (void)state;
    give_stale(11);
    story_expect(&story, 12);
}

static void rule_13_is_broken_by_a_hit(void **state)
{
    (void)state;
    uint64_t get = story_get(&story, 0);
    uint64_t value = story_put(&story, 0, 0);
    story_get_end(&story, get, RECORD_HIT, value);
    story_put_end(&story, value);
    story_expect(&story, 13);
}

static void rule_13_is_broken_by_a_get_that_began_later(void **state)
{
    (void)state;
    uint64_t load = story_whole_load(&story, 0, 0);
    story_get_end(&story, story_get(&story, 0), RECORD_COALESCED, load);
    story_expect(&story, 13);
}

static void rule_13_holds_for_a_get_that_had_joined(void **state)
{
    (void)state;
    uint64_t get = story_get(&story, 0);
    uint64_t load = story_whole_load(&story, 0, 0);
    story_get_end(&story, get, RECORD_COALESCED, load);
    story_expect(&story, STORY_HOLDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY_TEST(rule_11_holds_for_a_reload_in_time, story),
        STORY_TEST(rule_2_is_broken_by_a_reload_before_its_time, story),
        STORY_TEST(rule_11_is_broken_by_a_get_that_waits_for_the_reload, story),
        STORY_TEST(rule_1_is_broken_by_a_second_reload, story),
        STORY_TEST(rule_11_is_broken_by_a_value_that_comes_back_through_a_reload, story),
        STORY_TEST(rule_11_is_broken_by_an_old_value_that_was_invalidated, story),
        STORY_TEST(rule_11_is_broken_by_a_reload_without_the_old_value, story),
        STORY_TEST(rule_11_is_broken_by_a_reload_too_soon_after_a_failed_one, story),
        STORY_TEST(rule_11_holds_for_a_reload_after_the_back_off, story),
        STORY_TEST(rule_11_holds_for_a_reload_after_one_that_was_asked_for_and_failed, story),
        STORY_TEST(rule_2_is_broken_by_a_reload_before_its_time_also_after_one_that_was_asked_for, story),
        STORY_TEST(rule_2_holds_for_a_reload_before_its_time_if_the_one_that_was_asked_for_can_have_met_its_deadline,
                   story),
        STORY_TEST(rule_11_is_broken_by_a_failed_reload_that_takes_the_value, story),
        STORY_TEST(a_value_that_is_renewed_lives_anew, story),
        STORY_TEST(a_get_that_has_a_stale_value_renewed_is_given_it_as_stale, story),
        STORY_TEST(rule_12_is_broken_by_a_value_past_its_time, story),
        STORY_TEST(rule_12_holds_for_a_value_that_is_marked, story),
        STORY_TEST(rule_12_is_broken_by_a_stale_value_past_the_times_for_that, story),
        STORY_TEST(rule_13_is_broken_by_a_hit, story),
        STORY_TEST(rule_13_is_broken_by_a_get_that_began_later, story),
        STORY_TEST(rule_13_holds_for_a_get_that_had_joined, story),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
