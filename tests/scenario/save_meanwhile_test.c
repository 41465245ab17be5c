/* SPDX-License-Identifier: MIT */
/*
 * save_meanwhile_test.c: what happens to a key while a saved file is loaded: invalidation is final, and what is newer
 * wins (rules 3, 4). A load of a file reads the wall clock once, with no lock held, after it has begun and before it
 * stores anything: there these tests do what happens meanwhile.
 */
#include "crowd.h"
#include "errand.h"
#include "saved.h"

#include <stdlib.h>

/* What the wall clock does when it is read next; NULL: nothing. */
static void (*_Atomic meanwhile)(struct fixture *fixture);
static struct fixture *its_fixture;

static int64_t wall_ms(void *self)
{
    struct fake_clock *clock = self;
    void (*now)(struct fixture *) = atomic_exchange(&meanwhile, NULL);
    if (now != NULL)
        now(its_fixture);
    return atomic_load(&clock->wall_ms);
}

static const char *const keys[] = {"a 1", "a 2", "b 1", "b 2"};

/* Saves the four keys, "a 1" and "b 1" with the tag "odd", and opens an empty cache. */
static struct fixture *open_saved(void **state)
{
    struct fixture *fixture = *state;
    static const char *const tags[] = {"odd"};
    fixture->options.clock.wall_ms = wall_ms;
    fixture->options.stale_while_revalidate_ms = SLUICE_NEVER;
    fixture->options.shards = 2;
    its_fixture = fixture;
    fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const struct sluice_content content = {
            .data = "old", .size = 3, .ttl_ms = SLUICE_NEVER, .tags = tags, .tags_count = i % 2 == 0};
        assert_int_equal(sluice_put(fixture->cache, keys[i], 3, &content), SLUICE_OK);
    }
    assert_int_equal(sluice_cache_save(fixture->cache, saved_path, NULL), SLUICE_OK);
    fixture_reopen(fixture);
    return fixture;
}

static struct sluice_saved load_while(struct fixture *fixture, void (*what_happens)(struct fixture *fixture))
{
    struct sluice_saved what;
    meanwhile = what_happens;
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, &what), SLUICE_OK);
    assert_null(meanwhile);
    return what;
}

/* Checks that exactly the keys whose letters are set in `mask` have come back. */
static void expect_restored(struct fixture *fixture, const char *mask)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (mask[i] == 'x')
            fixture_expect_present(fixture, keys[i], SLUICE_OK, "old");
        else
            fixture_expect_absent(fixture, keys[i]);
    }
}

static void invalidate_key(struct fixture *fixture)
{
    sluice_invalidate(fixture->cache, "a 1", 3, NULL);
}

static void invalidate_prefix(struct fixture *fixture)
{
    sluice_invalidate_prefix(fixture->cache, "a", 1, NULL);
}

static void invalidate_prefix_counted(struct fixture *fixture)
{
    struct sluice_invalidated gone;
    sluice_invalidate_prefix(fixture->cache, "a", 1, &gone);
    sluice_cache_tick(fixture->cache); /* which forgets what needs not be kept */
}

static void invalidate_tag(struct fixture *fixture)
{
    sluice_invalidate_tag(fixture->cache, "odd", NULL);
    sluice_cache_tick(fixture->cache);
}

static void invalidate_all(struct fixture *fixture)
{
    sluice_invalidate_all(fixture->cache, NULL);
}

static void invalidate_softly(struct fixture *fixture)
{
    const struct sluice_invalidation what = {.select = SLUICE_SELECT_PREFIX, .pattern = {"a", 1}, .soft = true};
    sluice_invalidate_by(fixture->cache, &what, NULL);
}

static void invalidate_all_softly(struct fixture *fixture)
{
    const struct sluice_invalidation what = {.select = SLUICE_SELECT_ALL, .soft = true};
    sluice_invalidate_by(fixture->cache, &what, NULL);
}

static void invalidate_more_than_is_kept(struct fixture *fixture)
{
    sluice_invalidate_prefix(fixture->cache, "a", 1, NULL);
    for (int i = 0; i < 1100; i++) {
        sluice_invalidate_prefix(fixture->cache, "other", 5, NULL);
        sluice_cache_tick(fixture->cache);
    }
}

static void rule_3_what_is_invalidated_meanwhile_is_not_restored(void **state)
{
    static const struct {
        void (*meanwhile)(struct fixture *fixture);
        const char *restored;
    } cases[] = {
        {NULL, "xxxx"},
        {invalidate_key, "-xxx"},
        {invalidate_prefix, "--xx"},
        {invalidate_prefix_counted, "--xx"},
        {invalidate_tag, "-x-x"},
        {invalidate_all, "----"},
        {invalidate_softly, "--xx"},
        {invalidate_all_softly, "----"},
        {invalidate_more_than_is_kept, "----"},
    };
    struct fixture *fixture = open_saved(state);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sluice_saved what = load_while(fixture, cases[i].meanwhile);
        expect_restored(fixture, cases[i].restored);
        assert_int_equal(what.entries + what.changed, 4);
        /* That was for this load of the file alone. */
        fixture_reopen(fixture);
        load_while(fixture, NULL);
        expect_restored(fixture, "xxxx");
        fixture_reopen(fixture);
    }
}

static void rule_3_what_was_invalidated_before_is_put_anew(void **state)
{
    struct fixture *fixture = open_saved(state);

    invalidate_key(fixture);
    invalidate_prefix(fixture);
    invalidate_tag(fixture);
    invalidate_all_softly(fixture);
    load_while(fixture, NULL);
    expect_restored(fixture, "xxxx");
    sluice_cache_tick(fixture->cache);
    expect_restored(fixture, "xxxx");
}

static void rule_3_what_is_restored_can_be_invalidated(void **state)
{
    struct fixture *fixture = open_saved(state);

    for (int how = 0; how < INVALIDATIONS; how++) {
        load_while(fixture, NULL);
        fixture_invalidate(fixture, (enum invalidation)how, "a 1");
        fixture_expect_absent(fixture, "a 1");
        fixture_reopen(fixture);
    }
}

static void put_and_take_away(struct fixture *fixture)
{
    fixture_put_ttl(fixture, "a 1", "newer", 10);
    fixture_put_ttl(fixture, "a 2", "newer", 0); /* takes away what is there */
    fixture_advance(fixture, 10 + 5000);
    fixture_put(fixture, "b 1", "newer");
}

static void rule_4_a_put_meanwhile_wins_even_if_its_value_has_left_again(void **state)
{
    struct fixture *fixture = *state;
    open_saved(state);
    fixture->options.stale_while_revalidate_ms = 0;
    fixture_reopen(fixture);

    struct sluice_saved what = load_while(fixture, put_and_take_away);
    fixture_expect_absent(fixture, "a 1");
    fixture_expect_absent(fixture, "a 2");
    fixture_expect_present(fixture, "b 1", SLUICE_OK, "newer");
    fixture_expect_present(fixture, "b 2", SLUICE_OK, "old");
    assert_int_equal(what.changed, 2);
    assert_int_equal(what.present, 1);
}

static void put_and_leave_to_be_found(struct fixture *fixture)
{
    static const char *const tags[] = {"new"};
    const struct sluice_content content = {
        .data = "newer", .size = 5, .ttl_ms = SLUICE_NEVER, .tags = tags, .tags_count = 1};
    fixture_put_ttl(fixture, "a 1", "newer", 10);
    assert_int_equal(sluice_put(fixture->cache, "a 2", 3, &content), SLUICE_OK);
    fake_clock_advance(&fixture->clock, 10);
    sluice_invalidate_tag(fixture->cache, "new", NULL);
}

static void rule_4_a_put_meanwhile_wins_even_if_nobody_has_noticed_that_its_value_is_gone(void **state)
{
    struct fixture *fixture = *state;
    open_saved(state);
    fixture->options.stale_while_revalidate_ms = 0;
    fixture->options.shards = 1;
    fixture_reopen(fixture);

    load_while(fixture, put_and_leave_to_be_found);
    expect_restored(fixture, "--xx");
}

static void find_nothing(struct fixture *fixture)
{
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
}

static void a_load_that_ends_meanwhile_is_newer(void **state)
{
    struct fixture *fixture = open_saved(state);

    struct call *call = call_park(fixture, WAY_ASYNC, "a 1", SLUICE_WAIT_FOREVER);
    assert_int_equal(load_while(fixture, find_nothing).changed, 1);
    call_expect(call, SLUICE_NOT_FOUND, NULL); /* which is not remembered */
    expect_restored(fixture, "-xxx");
}

static void close_it(struct fixture *fixture)
{
    sluice_cache_close(fixture->cache);
}

static void rule_18_a_close_meanwhile_ends_it(void **state)
{
    struct fixture *fixture = open_saved(state);

    meanwhile = close_it;
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, NULL), SLUICE_CLOSED);
    assert_int_equal(fixture_stats(fixture).entries, 0);
}

static void load_again(struct fixture *fixture)
{
    struct sluice_saved what;
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, &what), SLUICE_OK);
    assert_int_equal(what.entries, 4);
    invalidate_tag(fixture);
}

static void two_loads_of_files_keep_what_each_needs(void **state)
{
    struct fixture *fixture = open_saved(state);

    struct sluice_saved what = load_while(fixture, load_again);
    assert_int_equal(what.entries, 0);
    assert_int_equal(what.changed, 2);
    assert_int_equal(what.present, 2);
    expect_restored(fixture, "-x-x");
}

static void put_two_others(struct fixture *fixture)
{
    fixture_put(fixture, "c 1", "new");
    fixture_put(fixture, "c 2", "new");
}

static void what_is_put_meanwhile_does_not_give_way(void **state)
{
    ((struct fixture *)*state)->options.maximum_entries = COUNT_OF(keys);
    struct fixture *fixture = open_saved(state);

    struct sluice_saved what = load_while(fixture, put_two_others);
    assert_int_equal(what.entries, 2);
    assert_int_equal(what.no_room, 2);
    fixture_expect_present(fixture, "c 1", SLUICE_OK, "new");
    fixture_expect_present(fixture, "c 2", SLUICE_OK, "new");
}

static void give_little_room(struct fixture *fixture)
{
    assert_int_equal(sluice_cache_set_share(fixture->cache, 20, NULL), SLUICE_OK);
}

static void rule_10_a_share_that_is_set_meanwhile_is_kept_to(void **state)
{
    ((struct fixture *)*state)->options.maximum_entries = 10;
    struct fixture *fixture = open_saved(state);

    struct sluice_saved what = load_while(fixture, give_little_room);
    assert_int_equal(what.entries, 2);
    assert_int_equal(what.no_room, 2);
    assert_int_equal(fixture_stats(fixture).entries, 2);
    assert_int_equal(fixture_stats(fixture).evicted, 0);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

#define ROUNDS 30

static void save_rounds(void *arg)
{
    struct fixture *fixture = arg;
    for (int i = 0; i < ROUNDS; i++)
        if (sluice_cache_save(fixture->cache, saved_path, NULL) != SLUICE_OK)
            abort();
}

static void load_rounds(void *arg)
{
    struct fixture *fixture = arg;
    for (int i = 0; i < ROUNDS; i++)
        if (sluice_cache_load(fixture->cache, saved_path, NULL) != SLUICE_OK)
            abort();
}

static void saves_loads_and_changes_at_the_same_time_are_safe(void **state)
{
    struct fixture *fixture = open_saved(state);
    void (*const work[])(void *) = {save_rounds, save_rounds, load_rounds, load_rounds};
    struct errand *errands[COUNT_OF(work)];

    load_while(fixture, NULL);
    for (size_t i = 0; i < COUNT_OF(work); i++)
        errands[i] = errand_start(work[i], fixture);
    for (int i = 0; i < 10 * ROUNDS; i++) {
        fixture_put(fixture, "a 1", "new");
        fixture_invalidate(fixture, (enum invalidation)(i % INVALIDATIONS), "a 1");
        sluice_invalidate_tag(fixture->cache, "odd", NULL);
        fixture_put(fixture, "c", "c");
        fixture_expect_present(fixture, "c", SLUICE_OK, "c");
    }
    for (size_t i = 0; i < COUNT_OF(work); i++) {
        assert_true(errand_ended(errands[i]));
        errand_join(errands[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_3_what_is_invalidated_meanwhile_is_not_restored),
        FIXTURE_TEST(rule_3_what_was_invalidated_before_is_put_anew),
        FIXTURE_TEST(rule_3_what_is_restored_can_be_invalidated),
        FIXTURE_TEST(rule_4_a_put_meanwhile_wins_even_if_its_value_has_left_again),
        FIXTURE_TEST(rule_4_a_put_meanwhile_wins_even_if_nobody_has_noticed_that_its_value_is_gone),
        FIXTURE_TEST(a_load_that_ends_meanwhile_is_newer),
        FIXTURE_TEST(rule_18_a_close_meanwhile_ends_it),
        FIXTURE_TEST(two_loads_of_files_keep_what_each_needs),
        FIXTURE_TEST(what_is_put_meanwhile_does_not_give_way),
        FIXTURE_TEST(rule_10_a_share_that_is_set_meanwhile_is_kept_to),
        FIXTURE_TEST(saves_loads_and_changes_at_the_same_time_are_safe),
    };
    SAVED_MAIN(tests);
}
