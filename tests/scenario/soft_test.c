/* SPDX-License-Identifier: MIT */
/* soft_test.c: a soft invalidation makes values stale: they are given on purpose only, as the options for stale values
 * allow it, and marked so (rule 12); of loads in flight it is as final as any other (rule 3). */
#include "crowd.h"

enum softness { SOFT_KEY, SOFT_PREFIX, SOFT_TAG, SOFT_ALL };

#define SOFTNESSES 4

/* Carried out at once where `counted`, else when somebody comes by it. */
static struct sluice_invalidated soften(struct fixture *fixture, enum softness how, bool counted)
{
    static const struct sluice_key key = {"key", 3};
    static const struct sluice_key patterns[SOFTNESSES] = {{NULL, 0}, {"ke", 2}, {"tag", 3}, {NULL, 0}};
    static const enum sluice_selection selections[SOFTNESSES] = {SLUICE_SELECT_KEYS, SLUICE_SELECT_PREFIX,
                                                                 SLUICE_SELECT_TAG, SLUICE_SELECT_ALL};
    const struct sluice_invalidation what = {
        .select = selections[how], .keys = &key, .count = 1, .pattern = patterns[how], .soft = true};
    struct sluice_invalidated gone = {1, 0};
    sluice_invalidate_by(fixture->cache, &what, counted ? &gone : NULL);
    return gone;
}

static void put_tagged(struct fixture *fixture, const char *key, const char *text)
{
    static const char *const tags[] = {"tag"};
    const struct sluice_content content = fixture_content_tagged(text, tags, 1);
    assert_int_equal(sluice_put(fixture->cache, key, strlen(key), &content), SLUICE_OK);
}

static void rule_12_a_soft_invalidation_makes_stale(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.stale_while_revalidate_ms = 1000;
    fixture->options.refresh_after_write_ms = 500;
    fixture_open(fixture);

    for (int how = 0; how < SOFTNESSES; how++)
        for (int counted = 0; counted <= 1; counted++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            put_tagged(fixture, "key", "old");
            assert_int_equal(soften(fixture, (enum softness)how, counted == 1).entries, 1);
            fixture_expect_stale(fixture, "key", "old");
            gated_loader_await_calls(fixture->loader, number + 1);
            fixture_expect_stale(fixture, "key", "old");
            assert_string_equal(sluice_value_data(gated_loader_old_value(fixture->loader, number)), "old");
            gated_loader_end(fixture->loader, number, ENDING_VALUE, "new");
            fixture_expect_present(fixture, "key", SLUICE_OK, "new");
            sluice_cache_tick(fixture->cache);
            fixture_expect_present(fixture, "key", SLUICE_OK, "new");
            assert_int_equal(fixture_stats(fixture).invalidated, 2 * how + counted + 1);
        }
}

/* The hit that finds the invalidation has nothing else to do after it, since there may be no other load. */
static void a_reload_that_a_soft_invalidation_makes_unwanted_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.stale_while_revalidate_ms = 1000;
    fixture->options.loads_max = 1;
    fixture_open(fixture);

    for (int how = 0; how < SOFTNESSES; how++) {
        put_tagged(fixture, "key", "old");
        assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
        gated_loader_await_calls(fixture->loader, (size_t)how + 1);
        (void)soften(fixture, (enum softness)how, false);
        fixture_expect_stale(fixture, "key", "old");
        assert_int_equal(gated_loader_unwanted(fixture->loader), how + 1);
        gated_loader_end(fixture->loader, (size_t)how, ENDING_VALUE, "late");
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

static void rule_12_the_window_counts_from_the_invalidation(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.stale_while_revalidate_ms = 100;
    fixture_open(fixture);

    for (int how = 0; how < SOFTNESSES; how++) {
        put_tagged(fixture, "key", "old");
        put_tagged(fixture, "other", "old");
        (void)soften(fixture, (enum softness)how, false);
        fake_clock_advance(&fixture->clock, 99);
        fixture_expect_stale(fixture, "key", "old");
        gated_loader_await_calls(fixture->loader, (size_t)how + 1);
        fake_clock_advance(&fixture->clock, 1);
        fixture_expect_absent(fixture, "key");
        gated_loader_end(fixture->loader, (size_t)how, ENDING_FAILURE, "why");
        sluice_cache_tick(fixture->cache);
        /* "other" is another key; a tag and all of them take it along. */
        assert_int_equal(fixture_stats(fixture).entries, how == SOFT_KEY || how == SOFT_PREFIX);
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

static void rule_12_without_a_window_a_soft_invalidation_is_a_hard_one(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 1000;
    fixture_open(fixture);

    for (int how = 0; how < SOFTNESSES; how++)
        for (int counted = 0; counted <= 1; counted++) {
            put_tagged(fixture, "key", "old");
            assert_int_equal(soften(fixture, (enum softness)how, counted == 1).entries, 1);
            fixture_expect_absent(fixture, "key");
            sluice_cache_tick(fixture->cache);
            assert_int_equal(fixture_stats(fixture).entries, 0);
        }
}

static void rule_12_not_founds_are_never_stale(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 1000;
    fixture->options.stale_while_revalidate_ms = 1000;
    fixture_open(fixture);

    static const enum softness hows[] = {SOFT_KEY, SOFT_PREFIX, SOFT_ALL}; /* they have no tags */
    for (size_t i = 0; i < COUNT_OF(hows); i++) {
        struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, i, ENDING_NOT_FOUND, NULL);
        call_expect(call, SLUICE_NOT_FOUND, NULL);
        (void)soften(fixture, hows[i], false);
        fixture_expect_absent(fixture, "key");
    }
}

static void rule_3_a_soft_invalidation_detaches_loads_in_flight(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.stale_while_revalidate_ms = 1000;
    fixture_open(fixture);

    static const enum softness hows[] = {SOFT_KEY, SOFT_PREFIX, SOFT_ALL};
    for (size_t i = 0; i < COUNT_OF(hows); i++) {
        struct call *old = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
        struct sluice_invalidated gone = soften(fixture, hows[i], true);
        assert_int_equal(gone.loads, 1);
        assert_int_equal(gone.entries, 0);
        struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, 2 * i, ENDING_VALUE, "old");
        call_expect(old, SLUICE_OK, "old");
        fixture_expect_absent(fixture, "key");
        gated_loader_end(fixture->loader, 2 * i + 1, ENDING_VALUE, "new");
        call_expect(next, SLUICE_OK, "new");
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

static void rule_11_a_soft_invalidation_detaches_a_reload_and_keeps_the_old_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.stale_while_revalidate_ms = 1000;
    fixture_open(fixture);

    for (int how = 0; how < SOFTNESSES; how++)
        for (int counted = 0; counted <= 1; counted++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            put_tagged(fixture, "key", "old");
            assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
            gated_loader_await_calls(fixture->loader, number + 1);
            struct sluice_invalidated gone = soften(fixture, (enum softness)how, counted == 1);
            assert_int_equal(gone.entries, 1);
            gated_loader_end(fixture->loader, number, ENDING_VALUE, "overtaken");
            fixture_expect_stale(fixture, "key", "old");
            gated_loader_await_calls(fixture->loader, number + 2);
            gated_loader_end(fixture->loader, number + 1, ENDING_VALUE, "new");
            fixture_expect_present(fixture, "key", SLUICE_OK, "new");
        }
}

static void rule_12_a_failed_load_after_a_soft_invalidation_gives_the_old_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.stale_if_error_ms = 1000;
    fixture_open(fixture);

    put_tagged(fixture, "key", "old");
    (void)soften(fixture, SOFT_TAG, false);
    struct call *call = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_FAILURE, "why");
    call_expect_stale(call, "old", "why");
    fixture_invalidate(fixture, INVALIDATION_KEY, "key"); /* and a hard one after it takes it away */
    fixture_expect_absent(fixture, "key");
}

/* ---- in place of a failure --------------------------------------------------------------------------------------- */

#define TTL_MS   100
#define STALE_MS 1000

/* A value that has expired, and a get that waits for its reload, which is detached softly; the number of its call. */
static size_t detach_waited_for(struct fixture *fixture, enum softness how, struct call **call)
{
    size_t number = gated_loader_calls_in_all(fixture->loader);
    put_tagged(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(soften(fixture, how, true).entries, 1);
    assert_false(call_done(*call));
    return number;
}

static void rule_12_a_detached_load_that_fails_gives_the_softly_invalidated_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_if_error_ms = STALE_MS;
    fixture_open(fixture);

    for (int how = 0; how < SOFTNESSES; how++)
        for (int ending = ENDING_FAILURE; ending < ENDINGS; ending++) {
            struct call *call;
            uint64_t stale = fixture_stats(fixture).stale;
            size_t number = detach_waited_for(fixture, (enum softness)how, &call);
            gated_loader_end(fixture->loader, number, (enum ending)ending, "why");
            call_expect_stale(call, "old", "why");
            assert_int_equal(fixture_stats(fixture).stale, stale + 1);
            struct call *next = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER); /* no back-off for that */
            gated_loader_end(fixture->loader, number + 1, ENDING_VALUE, "new");
            call_expect(next, SLUICE_OK, "new");
            fixture_invalidate(fixture, INVALIDATION_KEY, "key");
        }
}

static void rule_12_a_detached_load_over_its_deadline_gives_that_value_and_so_does_lost_patience(void **state)
{
    struct fixture *fixture = *state;
    struct call *call;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_if_error_ms = STALE_MS;
    fixture->options.load_timeout_ms = 50;
    fixture_open(fixture);

    size_t number = detach_waited_for(fixture, SOFT_KEY, &call);
    fixture_advance(fixture, 50);
    call_expect_stale(call, "old", NULL);
    gated_loader_end(fixture->loader, number, ENDING_VALUE, "late");

    fixture->options.load_timeout_ms = SLUICE_NEVER;
    fixture->options.stale_after_wait_ms = 20;
    fixture_reopen(fixture);
    number = detach_waited_for(fixture, SOFT_KEY, &call);
    fixture_advance(fixture, 20);
    call_expect_stale(call, "old", NULL);
    gated_loader_end(fixture->loader, number, ENDING_VALUE, "late");
    fixture_expect_absent(fixture, "key");
}

static void rule_12_a_restart_gives_the_old_value_to_those_that_it_can_not_move(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_if_error_ms = STALE_MS;
    fixture_open(fixture);

    struct call *parent = call_park(fixture, WAY_ASYNC, "parent", SLUICE_WAIT_FOREVER);
    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, TTL_MS);
    struct call_spec spec = {.way = WAY_ASYNC, .key = "key", .timeout_ms = SLUICE_WAIT_FOREVER};
    spec.parent = gated_loader_load(fixture->loader, 0);
    struct call *child = call_start_spec(fixture, &spec);
    gated_loader_await_calls(fixture->loader, 2);
    assert_int_equal(sluice_load_restart(fixture->cache, "key", 3), SLUICE_OK);
    call_expect_stale(child, "old", NULL);
    for (size_t number = 0; number < 3; number++)
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "value");
    call_expect(parent, SLUICE_OK, "value");
}

static void rule_12_what_else_the_key_has_by_then_is_not_given(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.stale_if_error_ms = STALE_MS;
    fixture_open(fixture);

    for (int what = 0; what < 3; what++) {
        struct call *call;
        size_t number = detach_waited_for(fixture, SOFT_PREFIX, &call);
        if (what == 0)
            sluice_invalidate_prefix(fixture->cache, "ke", 2, NULL); /* which nobody has come by yet */
        else if (what == 1)
            fixture_put(fixture, "key", "put");
        else
            fake_clock_advance(&fixture->clock, STALE_MS);
        gated_loader_end(fixture->loader, number, ENDING_FAILURE, "why");
        call_expect(call, SLUICE_LOAD_FAILED, "why");
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

/* ---- chosen by the caller ---------------------------------------------------------------------------------------- */

static bool has_even_size(void *arg, const struct sluice_entry_view *entry)
{
    ++*(size_t *)arg;
    return entry->error == SLUICE_OK && sluice_value_size(entry->value) % 2 == 0;
}

static void rule_3_entries_can_be_chosen_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_invalidated gone;
    size_t seen = 0;
    fixture_open(fixture);

    fixture_put(fixture, "one", "1");
    fixture_put(fixture, "two", "22");
    fixture_put(fixture, "four", "4444");
    assert_int_equal(sluice_refresh(fixture->cache, "four", 4), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    assert_int_equal(sluice_invalidate_if(fixture->cache, has_even_size, &seen, &gone), SLUICE_OK);
    assert_int_equal(seen, 3);
    assert_int_equal(gone.entries, 2);
    assert_int_equal(gone.loads, 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "reappeared");
    fixture_expect_present(fixture, "one", SLUICE_OK, "1");
    fixture_expect_absent(fixture, "two");
    fixture_expect_absent(fixture, "four");
}

static struct fixture *chooser_fixture;

static bool replaces_and_chooses(void *arg, const struct sluice_entry_view *entry)
{
    (void)arg;
    (void)entry;
    fixture_put(chooser_fixture, "key", "put meanwhile");
    return true;
}

static void rule_3_what_has_replaced_the_chosen_value_is_spared(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_invalidated gone;
    fixture_open(fixture);
    chooser_fixture = fixture;
    fixture_put(fixture, "key", "value");
    assert_int_equal(sluice_invalidate_if(fixture->cache, replaces_and_chooses, NULL, &gone), SLUICE_OK);
    assert_int_equal(gone.entries, 0);
    fixture_expect_present(fixture, "key", SLUICE_OK, "put meanwhile");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_12_a_soft_invalidation_makes_stale),
        FIXTURE_TEST(a_reload_that_a_soft_invalidation_makes_unwanted_is_told_so),
        FIXTURE_TEST(rule_12_the_window_counts_from_the_invalidation),
        FIXTURE_TEST(rule_12_without_a_window_a_soft_invalidation_is_a_hard_one),
        FIXTURE_TEST(rule_12_not_founds_are_never_stale),
        FIXTURE_TEST(rule_3_a_soft_invalidation_detaches_loads_in_flight),
        FIXTURE_TEST(rule_11_a_soft_invalidation_detaches_a_reload_and_keeps_the_old_value),
        FIXTURE_TEST(rule_12_a_failed_load_after_a_soft_invalidation_gives_the_old_value),
        FIXTURE_TEST(rule_12_a_detached_load_that_fails_gives_the_softly_invalidated_value),
        FIXTURE_TEST(rule_12_a_detached_load_over_its_deadline_gives_that_value_and_so_does_lost_patience),
        FIXTURE_TEST(rule_12_a_restart_gives_the_old_value_to_those_that_it_can_not_move),
        FIXTURE_TEST(rule_12_what_else_the_key_has_by_then_is_not_given),
        FIXTURE_TEST(rule_3_entries_can_be_chosen_one_by_one),
        FIXTURE_TEST(rule_3_what_has_replaced_the_chosen_value_is_spared),
    };
    FIXTURE_MAIN(tests);
}
