/* SPDX-License-Identifier: MIT */
/* tag_test.c: a tag is invalidated like any other selection (rule 3): what is stored with it goes, and a load that
 * began before may bring it to nobody who came after, though nobody could know of its tags. */
#include "bulk_call.h"
#include "crowd.h"
#include "removals.h"

static const char *const red[] = {"red"};
static const char *const red_and_blue[] = {"blue", "red"};

static void put_tagged(struct fixture *fixture, const char *key, const char *text, const char *const *tags,
                       size_t count)
{
    const struct sluice_content content = fixture_content_tagged(text, tags, count);
    assert_int_equal(sluice_put(fixture->cache, key, strlen(key), &content), SLUICE_OK);
}

static void end_tagged(struct fixture *fixture, size_t number, const char *text)
{
    const struct sluice_content content = fixture_content_tagged(text, red_and_blue, 2);
    gated_loader_end_with(fixture->loader, number, &content);
}

/* Carried out at once where `counted`, else later: it must not matter. */
static void invalidate_red(struct fixture *fixture, bool counted, size_t entries)
{
    struct sluice_invalidated gone = {99, 99};
    sluice_invalidate_tag(fixture->cache, "red", counted ? &gone : NULL);
    if (counted) {
        assert_int_equal(gone.entries, entries);
        assert_int_equal(gone.loads, 0);
    }
}

static void rule_3_all_that_has_the_tag_goes_and_nothing_else(void **state)
{
    static const char *const reddish[] = {"redd", "re", "blue"};
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture_open(fixture);

    for (int counted = 0; counted <= 1; counted++)
        for (int ticked = 0; ticked <= 1; ticked++) {
            put_tagged(fixture, "one", "1", red, 1);
            put_tagged(fixture, "both", "2", red_and_blue, 2);
            put_tagged(fixture, "neither", "3", reddish, 3);
            fixture_put(fixture, "red", "4");
            invalidate_red(fixture, counted == 1, 2);
            if (ticked)
                sluice_cache_tick(fixture->cache);
            fixture_expect_absent(fixture, "one");
            fixture_expect_absent(fixture, "both");
            removals_expect_among(removals_told, 2, "one", "1", SLUICE_REMOVED_EXPLICIT);
            removals_expect(removals_told, "both", "2", SLUICE_REMOVED_EXPLICIT);
            fixture_expect_present(fixture, "neither", SLUICE_OK, "3");
            fixture_expect_present(fixture, "red", SLUICE_OK, "4");
            sluice_cache_tick(fixture->cache);
            assert_int_equal(fixture_stats(fixture).entries, 2);
            put_tagged(fixture, "one", "after", red, 1); /* what comes after it is not its matter */
            sluice_cache_tick(fixture->cache);
            fixture_expect_present(fixture, "one", SLUICE_OK, "after");
            removals_expect_none(removals_told);

            fixture_invalidate(fixture, INVALIDATION_ALL, "key");
            sluice_cache_tick(fixture->cache);
            removals_expect_among(removals_told, 3, "neither", "3", SLUICE_REMOVED_EXPLICIT);
            removals_expect_among(removals_told, 2, "red", "4", SLUICE_REMOVED_EXPLICIT);
            removals_expect(removals_told, "one", "after", SLUICE_REMOVED_EXPLICIT);
        }
    assert_int_equal(fixture_stats(fixture).invalidated, 4 * 5);
    assert_int_equal(fixture_stats(fixture).weight, 0);
}

static void rule_3_a_value_tells_its_tags(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    put_tagged(fixture, "key", "value", red_and_blue, 2);
    struct sluice_value *value;
    assert_int_equal(sluice_get(fixture->cache, "key", 3, 0, &value), SLUICE_OK);
    assert_string_equal(sluice_value_tag(value, 0), "blue");
    assert_string_equal(sluice_value_tag(value, 1), "red");
    assert_null(sluice_value_tag(value, 2));
    sluice_value_unref(value);
}

static void tags_that_are_none_are_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    char longest[257];
    memset(longest, 't', 256);
    longest[256] = '\0';
    const char *tags[65];
    for (size_t i = 0; i < 65; i++)
        tags[i] = &longest[1];
    struct sluice_content content = fixture_content_tagged("value", tags, 64);
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_OK);
    content.tags_count = 65;
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_INVALID);
    content.tags_count = 2;
    tags[1] = longest;
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_INVALID);
    tags[1] = "";
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_INVALID);
    tags[1] = NULL;
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_INVALID);
    content.tags = NULL;
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_INVALID);
}

/* ---- loads in flight --------------------------------------------------------------------------------------------- */

static void rule_3_a_load_of_before_brings_its_tag_to_those_who_waited_and_is_not_stored(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int ticked = 0; ticked <= 1; ticked++) {
        struct crowd crowd;
        crowd_park(fixture, &crowd, 3, "key", ticked ? WAY_BLOCKING : WAY_ASYNC);
        invalidate_red(fixture, ticked == 1, 0);
        if (ticked)
            sluice_cache_tick(fixture->cache); /* nothing is left to sweep: the decree is kept for the load */
        end_tagged(fixture, (size_t)ticked, "old");
        crowd_expect(&crowd, SLUICE_OK, "old");
        assert_false(crowd.calls[0]->outcome.stored);
        fixture_expect_absent(fixture, "key");
        assert_int_equal(fixture_stats(fixture).loads_detached, ticked + 1);
    }
}

static void rule_3_who_has_parked_since_is_served_by_another_load(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int late_ways = 0; late_ways < WAYS; late_ways++) {
        size_t base = 3 * (size_t)late_ways;
        struct crowd early, late, later;
        crowd_park(fixture, &early, 3, "key", WAY_BLOCKING);
        invalidate_red(fixture, false, 0);
        crowd_park(fixture, &late, 3, "key", (enum way)late_ways);
        invalidate_red(fixture, true, 0);
        crowd_park(fixture, &later, 2, "key", (enum way)late_ways);
        assert_int_equal(gated_loader_calls_in_all(fixture->loader), base + 1); /* its tags are not known yet */
        end_tagged(fixture, base, "first");
        crowd_expect(&early, SLUICE_OK, "first");
        assert_true(crowd_all_parked(&late));
        gated_loader_await_calls(fixture->loader, base + 2);
        struct call *latest = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        assert_int_equal(fixture_stats(fixture).loads, base + 2);

        /* The same again: the second load began after both, and is invalidated in its turn. */
        invalidate_red(fixture, false, 0);
        struct call *last = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        end_tagged(fixture, base + 1, "second");
        crowd_expect(&late, SLUICE_OK, "second");
        crowd_expect(&later, SLUICE_OK, "second");
        call_expect(latest, SLUICE_OK, "second");
        assert_false(call_done(last));
        fixture_expect_absent(fixture, "key");
        end_tagged(fixture, base + 2, "third");
        call_expect(last, SLUICE_OK, "third");
        fixture_expect_present(fixture, "key", SLUICE_OK, "third");
        struct sluice_stats stats = fixture_stats(fixture);
        assert_int_equal(stats.loads, base + 3);
        assert_int_equal(stats.loads_completed, base + 3);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_3_a_load_that_brings_another_tag_serves_all(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *early = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    sluice_invalidate_tag(fixture->cache, "green", NULL);
    struct call *late = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    end_tagged(fixture, 0, "value");
    call_expect(early, SLUICE_OK, "value");
    call_expect(late, SLUICE_OK, "value");
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
}

static void rule_3_a_load_that_fails_has_no_tags(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 1000;
    fixture_open(fixture);

    for (int ending = ENDING_NOT_FOUND; ending < ENDINGS; ending++) {
        size_t number = gated_loader_calls_in_all(fixture->loader);
        struct call *early = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        invalidate_red(fixture, true, 0);
        struct call *late = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, number, (enum ending)ending, "text");
        call_expect(early, ending_error((enum ending)ending), ending_text((enum ending)ending, "text"));
        call_expect(late, ending_error((enum ending)ending), ending_text((enum ending)ending, "text"));
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

/* Who has parked between the invalidations of the tag and of the key waits for a detached load that may not serve him.
 */
static void rule_3_a_load_detached_since_serves_those_who_parked_after_the_tag_by_another(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int how = 0; how < INVALIDATIONS; how++) {
        size_t base = 3 * (size_t)how;
        struct call *early = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        invalidate_red(fixture, how % 2 == 0, 0);
        struct call *late = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        fixture_invalidate(fixture, (enum invalidation)how, "key");
        struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER); /* a flight of its own */
        end_tagged(fixture, base, "old");
        call_expect(early, SLUICE_OK, "old");
        gated_loader_await_calls(fixture->loader, base + 3);
        assert_false(call_done(late));
        end_tagged(fixture, base + 2, "for the late one");
        call_expect(late, SLUICE_OK, "for the late one");
        fixture_expect_absent(fixture, "key");
        end_tagged(fixture, base + 1, "next");
        call_expect(next, SLUICE_OK, "next");
        fixture_expect_present(fixture, "key", SLUICE_OK, "next");
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

static void rule_4_a_put_serves_those_who_wait_for_another_load(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *early = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    invalidate_red(fixture, false, 0);
    struct crowd late;
    crowd_park(fixture, &late, 2, "key", WAY_BLOCKING);
    end_tagged(fixture, 0, "old");
    call_expect(early, SLUICE_OK, "old");
    gated_loader_await_calls(fixture->loader, 2);
    fixture_put(fixture, "key", "put");
    crowd_expect(&late, SLUICE_OK, "put");
    end_tagged(fixture, 1, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
}

static void rule_7_who_waits_for_another_load_may_leave(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.load_timeout_ms = 100;
    fixture_open(fixture);

    struct call *early = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    invalidate_red(fixture, false, 0);
    struct call *cancelled = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    struct call *timed_out = call_park(fixture, WAY_BLOCKING, "key", 70);
    struct call *stays = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, 50);
    end_tagged(fixture, 0, "old");
    call_expect(early, SLUICE_OK, "old");
    gated_loader_await_calls(fixture->loader, 2);
    assert_true(call_cancel(cancelled));
    fixture_advance(fixture, 50);
    call_expect(timed_out, SLUICE_TIMED_OUT, NULL);
    assert_false(call_done(stays)); /* the second load has a deadline of its own */
    fixture_advance(fixture, 50);
    call_expect(stays, SLUICE_LOAD_TIMED_OUT, NULL);
    end_tagged(fixture, 1, "late");
}

static void rule_18_the_close_ends_those_who_wait_for_another_load(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct call *early = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    invalidate_red(fixture, false, 0);
    struct call *late = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    end_tagged(fixture, 0, "old");
    call_expect(early, SLUICE_OK, "old");
    gated_loader_await_calls(fixture->loader, 2);
    sluice_cache_close(fixture->cache);
    call_expect(late, SLUICE_CLOSED, NULL);
    end_tagged(fixture, 1, "late");
}

static void rule_3_of_a_bulk_get_only_the_keys_that_have_the_tag_are_loaded_again(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture_open(fixture);

    struct bulk_call *early = bulk_park(fixture, WAY_BLOCKING, "a b", 2);
    gated_loader_await_calls(fixture->loader, 2);
    invalidate_red(fixture, false, 0);
    struct bulk_call *late = bulk_park(fixture, WAY_ASYNC, "a b", 2);
    end_tagged(fixture, 0, "old");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    bulk_expect(early, 0, SLUICE_OK, "old");
    bulk_expect(early, 1, SLUICE_OK, "B");
    gated_loader_await_calls(fixture->loader, 3);
    assert_false(bulk_done(late));
    end_tagged(fixture, 2, "new");
    bulk_expect(late, 0, SLUICE_OK, "new");
    bulk_expect(late, 1, SLUICE_OK, "B");
    bulk_free(early);
    bulk_free(late);
}

/* ---- reloads ----------------------------------------------------------------------------------------------------- */

static void rule_11_an_invalidated_tag_does_not_reappear_through_a_reload(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    /* Found by nobody, by a get, by the timer, or by the call: before the reload ends. */
    for (int found = 0; found < 4; found++)
        for (int ending = 0; ending < ENDINGS; ending++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            put_tagged(fixture, "key", "old", red, 1);
            assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
            gated_loader_await_calls(fixture->loader, number + 1);
            invalidate_red(fixture, found == 3, 1);
            if (found == 1)
                fixture_expect_absent(fixture, "key");
            if (found == 2)
                sluice_cache_tick(fixture->cache);
            gated_loader_end(fixture->loader, number, (enum ending)ending, "reappeared");
            fixture_expect_absent(fixture, "key");
            assert_int_equal(fixture_stats(fixture).entries, 0);
        }
}

static void rule_11_a_reload_that_brings_an_invalidated_tag_is_not_stored(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    fixture_put(fixture, "key", "untagged");
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    invalidate_red(fixture, true, 0);
    end_tagged(fixture, 0, "old");
    fixture_expect_present(fixture, "key", SLUICE_OK, "untagged"); /* which was not invalidated */
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    end_tagged(fixture, 1, "new");
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
}

static void rule_11_a_value_whose_tag_was_invalidated_is_not_renewed(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    put_tagged(fixture, "key", "old", red, 1);
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    invalidate_red(fixture, false, 0);
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    fixture_expect_absent(fixture, "key");
}

/* Two wait for the reload of an expired value, the second since the tag `red` was invalidated; they need two loads. */
static void reload_twice(struct fixture *fixture, const char *const *tags, bool left)
{
    put_tagged(fixture, "key", "old", tags, 1);
    fixture_advance(fixture, 100);
    struct call *early = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_non_null(gated_loader_old_value(fixture->loader, 0));
    if (left)
        fixture_advance(fixture, 1000); /* the entry has nothing stored any more */
    invalidate_red(fixture, false, 0);
    struct call *late = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    end_tagged(fixture, 0, "first");
    call_expect(early, SLUICE_OK, "first");
    gated_loader_await_calls(fixture->loader, 2);
    assert_false(call_done(late));
}

static void rule_11_an_old_value_that_has_left_is_not_renewed_once_its_tag_is_invalidated(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 100;
    fixture->options.stale_if_error_ms = 1000;
    fixture_open(fixture);

    reload_twice(fixture, red, true);
    assert_null(gated_loader_old_value(fixture->loader, 1));
}

static void rule_11_an_old_value_of_another_tag_is_for_the_next_load_too(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 100;
    fixture->options.stale_if_error_ms = 1000;
    fixture_open(fixture);

    reload_twice(fixture, red_and_blue, false);
    assert_non_null(gated_loader_old_value(fixture->loader, 1));
}

static void rule_12_a_value_whose_tag_was_invalidated_is_not_given_as_stale(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 100;
    fixture->options.stale_if_error_ms = 1000;
    fixture->options.load_timeout_ms = 50;
    fixture_open(fixture);

    /* The load fails, or runs over its deadline, before anybody has looked at the entry. */
    for (int late = 0; late <= 1; late++) {
        put_tagged(fixture, "key", "old", red, 1);
        fixture_advance(fixture, 100);
        struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        invalidate_red(fixture, false, 0);
        if (late)
            fixture_advance(fixture, 50);
        gated_loader_end(fixture->loader, (size_t)late, ENDING_FAILURE, "why");
        call_expect(call, late ? SLUICE_LOAD_TIMED_OUT : SLUICE_LOAD_FAILED, late ? NULL : "why");
        fixture_expect_absent(fixture, "key");
    }
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

static void rule_10_any_number_of_tags_can_be_invalidated_with_loads_in_flight(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture_open(fixture);
    static const char *const tags[] = {"tag 0"};

    /* Nobody ticks: what is over the bound is done by the calls. A load of before the first holds them all. */
    struct call *oldest = call_park(fixture, WAY_ASYNC, "oldest", SLUICE_WAIT_FOREVER);
    for (int i = 0; i < 1500; i++) {
        char key[32], tag[32];
        snprintf(key, sizeof key, "key %d", i);
        snprintf(tag, sizeof tag, "tag %d", i);
        put_tagged(fixture, key, "value", (const char *const[]){tag}, 1);
        put_tagged(fixture, "tag 0 again", "value", tags, 1);
        sluice_invalidate_tag(fixture->cache, tag, NULL);
        fixture_expect_absent(fixture, key);
        if (i == 0)
            fixture_expect_absent(fixture, "tag 0 again");
        else
            fixture_expect_present(fixture, "tag 0 again", SLUICE_OK, "value");
    }
    const struct sluice_content content = fixture_content_tagged("old", tags, 1);
    gated_loader_end_with(fixture->loader, 0, &content); /* whose tag nobody remembers any more */
    call_expect(oldest, SLUICE_OK, "old");
    fixture_expect_absent(fixture, "oldest");
    sluice_cache_tick(fixture->cache);
    assert_int_equal(fixture_stats(fixture).entries, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        REMOVALS_TEST(rule_3_all_that_has_the_tag_goes_and_nothing_else),
        FIXTURE_TEST(rule_3_a_value_tells_its_tags),
        FIXTURE_TEST(tags_that_are_none_are_refused),
        FIXTURE_TEST(rule_3_a_load_of_before_brings_its_tag_to_those_who_waited_and_is_not_stored),
        FIXTURE_TEST(rule_3_who_has_parked_since_is_served_by_another_load),
        FIXTURE_TEST(rule_3_a_load_that_brings_another_tag_serves_all),
        FIXTURE_TEST(rule_3_a_load_that_fails_has_no_tags),
        FIXTURE_TEST(rule_3_a_load_detached_since_serves_those_who_parked_after_the_tag_by_another),
        FIXTURE_TEST(rule_4_a_put_serves_those_who_wait_for_another_load),
        FIXTURE_TEST(rule_7_who_waits_for_another_load_may_leave),
        FIXTURE_TEST(rule_18_the_close_ends_those_who_wait_for_another_load),
        FIXTURE_TEST(rule_3_of_a_bulk_get_only_the_keys_that_have_the_tag_are_loaded_again),
        FIXTURE_TEST(rule_11_an_invalidated_tag_does_not_reappear_through_a_reload),
        FIXTURE_TEST(rule_11_a_reload_that_brings_an_invalidated_tag_is_not_stored),
        FIXTURE_TEST(rule_11_a_value_whose_tag_was_invalidated_is_not_renewed),
        FIXTURE_TEST(rule_11_an_old_value_that_has_left_is_not_renewed_once_its_tag_is_invalidated),
        FIXTURE_TEST(rule_11_an_old_value_of_another_tag_is_for_the_next_load_too),
        FIXTURE_TEST(rule_12_a_value_whose_tag_was_invalidated_is_not_given_as_stale),
        FIXTURE_TEST(rule_10_any_number_of_tags_can_be_invalidated_with_loads_in_flight),
    };
    FIXTURE_MAIN(tests);
}
