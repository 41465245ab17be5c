/* SPDX-License-Identifier: MIT */
/*
 * evicting_test.c: a listener that is told of a value before the cache gives it up, for a second tier: what others can
 * do with the value meanwhile, and that `removed` is told once whatever they do (rule 22).
 */
#include "call.h"
#include "errand.h"
#include "removals.h"

#include <stdlib.h>

/* What is told, and what is to be done within the first call of `evicting`. */
static struct tier {
    struct fixture *fixture;
    struct removals *offered, *removed;
    void (*inside)(struct fixture *fixture, const struct sluice_removal *removal);
    unsigned calls;
} tier;

static void tier_evicting(void *self, const struct sluice_removal *removal)
{
    struct tier *own = self;
    removals_option(own->offered).removed(own->offered, removal);
    if (own->calls++ == 0 && own->inside != NULL)
        own->inside(own->fixture, removal);
}

static void tier_removed(void *self, const struct sluice_removal *removal)
{
    struct tier *own = self;
    removals_option(own->removed).removed(own->removed, removal);
}

static int setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    struct fixture *fixture = *state;
    tier = (struct tier){.fixture = fixture, .offered = removals_create(), .removed = removals_create()};
    fixture->options.listener =
        (struct sluice_listener){.removed = tier_removed, .self = &tier, .evicting = tier_evicting};
    fixture->options.maximum_entries = 2;
    fixture->options.shards = 1;
    return 0;
}

static int teardown(void **state)
{
    int whole = fixture_teardown(state);
    removals_destroy(tier.offered);
    removals_destroy(tier.removed);
    return whole;
}

#define EVICTING_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Two entries; a third one will have the first leave, with `inside` done before it has. */
static void open_full(struct fixture *fixture, void (*inside)(struct fixture *, const struct sluice_removal *))
{
    fixture_open(fixture);
    fixture_put(fixture, "one", "1");
    fixture_put(fixture, "two", "2");
    tier.inside = inside;
    tier.calls = 0;
}

static void expect_offered_one(void)
{
    removals_expect(tier.offered, "one", "1", SLUICE_REMOVED_SIZE);
    removals_expect_none(tier.offered);
}

/* The count of what is stored is whole: the maximum is reached by two more, and passed by none. */
static void expect_maximum_kept(struct fixture *fixture)
{
    for (unsigned i = 0; i < 6; i++) {
        char key[16];
        snprintf(key, sizeof key, "later %u", i);
        fixture_put(fixture, key, "value");
    }
    assert_int_equal(fixture_stats(fixture).entries, 2);
    assert_int_equal(fixture_stats(fixture).weight, 2 * (7 + 5 + SLUICE_ENTRY_OVERHEAD));
}

/* ---- for size ---------------------------------------------------------------------------------------------------- */

static struct {
    enum sluice_error error;
    bool is_one;
    struct sluice_stats stats;
    size_t removed;
} seen;

static void look_elsewhere(void *arg)
{
    struct fixture *fixture = arg;
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    seen.error = sluice_get_if_present(fixture->cache, "one", 3, &outcome);
    seen.is_one = seen.error == SLUICE_OK && strcmp(sluice_value_data(outcome.value), "1") == 0;
    sluice_outcome_fini(&outcome);
    sluice_cache_stats(fixture->cache, &seen.stats);
    seen.removed = tier.removed->count;
}

static void inside_look(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    assert_true(errand_run_elsewhere(look_elsewhere, fixture));
}

static void rule_22_until_it_returns_others_are_given_the_value(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, inside_look);

    fixture_put(fixture, "three", "3");
    assert_true(seen.is_one);
    assert_int_equal(seen.removed, 0);
    assert_int_equal(seen.stats.entries, 3);
    assert_int_equal(seen.stats.evicted, 0);
    expect_offered_one();
    removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_SIZE);
    removals_expect_none(tier.removed);
    fixture_expect_absent(fixture, "one");
    assert_int_equal(fixture_stats(fixture).entries, 2);
    assert_int_equal(fixture_stats(fixture).evicted, 1);
    expect_maximum_kept(fixture);
}

static void put_elsewhere(void *arg)
{
    struct fixture *fixture = arg;
    struct sluice_content content = {.data = "4", .size = 1, .ttl_ms = SLUICE_TTL_DEFAULT};
    seen.error = sluice_put(fixture->cache, "four", 4, &content);
}

static void inside_put_elsewhere(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    assert_true(errand_run_elsewhere(put_elsewhere, fixture));
}

static void nobody_evicts_more_in_the_place_of_what_is_leaving(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, inside_put_elsewhere);

    fixture_put(fixture, "three", "3");
    assert_int_equal(seen.error, SLUICE_OK);
    removals_expect(tier.removed, "two", "2", SLUICE_REMOVED_SIZE); /* for four, whose put returned first */
    removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_SIZE);
    removals_expect_none(tier.removed);
    assert_int_equal(tier.offered->count, 2);
    fixture_expect_present(fixture, "three", SLUICE_OK, "3");
    fixture_expect_present(fixture, "four", SLUICE_OK, "4");
    expect_maximum_kept(fixture);
}

static void inside_replace(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    fixture_put(fixture, "one", "new");
}

static void rule_22_what_is_replaced_meanwhile_stays_and_the_old_value_was_replaced(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, inside_replace);

    fixture_put(fixture, "three", "3");
    expect_offered_one(); /* and not of two, which the listener's own put evicts */
    removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_REPLACED);
    removals_expect(tier.removed, "two", "2", SLUICE_REMOVED_SIZE);
    removals_expect_none(tier.removed);
    fixture_expect_present(fixture, "one", SLUICE_OK, "new");
    fixture_expect_present(fixture, "three", SLUICE_OK, "3");
    expect_maximum_kept(fixture);
}

static enum invalidation inside_how;
static bool inside_tick;

static void inside_invalidate(struct fixture *fixture, const struct sluice_removal *removal)
{
    assert_int_equal(removal->key_size, 3);
    assert_memory_equal(removal->key, "one", 3);
    fixture_invalidate(fixture, inside_how, "one");
    if (inside_tick)
        sluice_cache_tick(fixture->cache);
    assert_memory_equal(removal->key, "one", 3); /* still to be read */
    assert_string_equal(sluice_value_data(removal->value), "1");
}

static void expect_all_removed(void)
{
    removals_expect_among(tier.removed, 3, "one", "1", SLUICE_REMOVED_EXPLICIT);
    removals_expect_among(tier.removed, 2, "two", "2", SLUICE_REMOVED_EXPLICIT);
    removals_expect(tier.removed, "three", "3", SLUICE_REMOVED_EXPLICIT);
    removals_expect_none(tier.removed);
}

static void rule_22_what_is_invalidated_meanwhile_leaves_for_that_once(void **state)
{
    struct fixture *fixture = *state;

    for (int how = 0; how < INVALIDATIONS; how++)
        for (int tick = 0; tick <= 1; tick++) {
            inside_how = (enum invalidation)how;
            inside_tick = tick;
            open_full(fixture, inside_invalidate);
            fixture_put(fixture, "three", "3");
            sluice_cache_tick(fixture->cache);
            expect_offered_one();
            if (how == INVALIDATION_ALL) {
                expect_all_removed();
            } else {
                removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_EXPLICIT);
                removals_expect_none(tier.removed);
            }
            assert_int_equal(fixture_stats(fixture).evicted, 0);
            expect_maximum_kept(fixture);
            fixture_destroy_cache(fixture);
            tier.removed->expected = tier.removed->count;
            tier.offered->expected = tier.offered->count;
        }
}

static void rule_3_what_is_invalidated_already_is_not_offered(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, NULL);

    fixture_invalidate(fixture, INVALIDATION_PREFIX, "one");
    fixture_put(fixture, "three", "3");
    fixture_put(fixture, "four", "4");
    removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_EXPLICIT);
    removals_expect(tier.offered, "two", "2", SLUICE_REMOVED_SIZE);
    removals_expect_none(tier.offered);
    expect_maximum_kept(fixture);
}

static void inside_put_again_after_all_is_gone(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    sluice_invalidate_all(fixture->cache, NULL);
    fixture_put(fixture, "one", "new");
}

static void rule_22_a_new_entry_of_the_key_is_not_taken_for_the_one_that_was_leaving(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, inside_put_again_after_all_is_gone);

    fixture_put(fixture, "three", "3");
    fixture_expect_present(fixture, "one", SLUICE_OK, "new");
    sluice_cache_tick(fixture->cache);
    expect_all_removed();
    expect_maximum_kept(fixture);
}

static void inside_expire(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    fixture_advance(fixture, 100);
}

static void rule_22_what_expires_meanwhile_has_expired_and_is_not_offered_again(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put_ttl(fixture, "one", "1", 100);
    fixture_put(fixture, "two", "2");
    tier.inside = inside_expire;

    fixture_put(fixture, "three", "3");
    expect_offered_one();
    removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_EXPIRED);
    removals_expect_none(tier.removed);
    assert_int_equal(fixture_stats(fixture).evicted, 0);
    expect_maximum_kept(fixture);
}

/* ---- under a reload ---------------------------------------------------------------------------------------------- */

static void inside_reload(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
}

static void inside_renew(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
}

static void open_reloading(struct fixture *fixture, void (*inside)(struct fixture *, const struct sluice_removal *))
{
    open_full(fixture, inside);
    assert_int_equal(sluice_refresh(fixture->cache, "one", 3), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    fixture_put(fixture, "three", "3");
    expect_offered_one();
}

static void rule_22_a_reload_that_ends_meanwhile_replaces_the_value(void **state)
{
    struct fixture *fixture = *state;
    open_reloading(fixture, inside_reload);

    fixture_expect_present(fixture, "one", SLUICE_OK, "new");
    removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_REPLACED);
    removals_expect(tier.removed, "two", "2", SLUICE_REMOVED_SIZE);
    removals_expect_none(tier.removed);
    expect_maximum_kept(fixture);
}

static void rule_22_a_renewal_does_not_keep_what_is_leaving(void **state)
{
    struct fixture *fixture = *state;
    open_reloading(fixture, inside_renew);

    fixture_expect_absent(fixture, "one");
    removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_SIZE);
    removals_expect_none(tier.removed);
    expect_maximum_kept(fixture);
}

static void rule_22_a_reload_outlasts_the_leaving_of_its_old_value(void **state)
{
    struct fixture *fixture = *state;
    open_reloading(fixture, NULL);

    removals_expect(tier.removed, "one", "1", SLUICE_REMOVED_SIZE);
    removals_expect_none(tier.removed);
    fixture_expect_absent(fixture, "one");
    assert_int_equal(fixture_stats(fixture).loads_in_flight, 1);
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    fixture_expect_present(fixture, "one", SLUICE_OK, "1");
    removals_expect(tier.removed, "two", "2", SLUICE_REMOVED_SIZE);
    expect_maximum_kept(fixture);
    assert_int_equal(tier.offered->count, tier.removed->count); /* stored anew, it was offered anew */
}

static void destroy(void *arg)
{
    fixture_destroy_cache(arg);
}

static void inside_destroy(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    assert_true(errand_run_elsewhere(destroy, fixture));
}

static void rule_18_the_cache_is_destroyed_while_a_load_that_has_ended_evicts(void **state)
{
    struct fixture *fixture = *state;
    open_full(fixture, inside_destroy);

    struct call *call = call_park(fixture, WAY_ASYNC, "three", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "3");
    call_expect(call, SLUICE_OK, "3");
    expect_offered_one();
    expect_all_removed();
}

/* ---- many -------------------------------------------------------------------------------------------------------- */

static void rule_22_all_that_a_lowered_maximum_evicts_is_offered_and_leaves(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned shards = 1; shards <= 16; shards *= 4) {
        fixture->options.shards = shards;
        fixture->options.maximum_entries = 200;
        fixture_open(fixture);
        size_t before = tier.removed->count;
        for (unsigned number = 0; number < 300; number++) {
            char key[16];
            snprintf(key, sizeof key, "%u", number);
            fixture_put(fixture, key, key);
            assert_int_equal(fixture_stats(fixture).entries, number < 200 ? number + 1 : 200);
        }
        assert_int_equal(tier.removed->count - before, 100);
        assert_int_equal(sluice_cache_set_maximum(fixture->cache, 50), SLUICE_OK);
        assert_int_equal(fixture_stats(fixture).entries, 50);
        assert_int_equal(tier.removed->count - before, 250);
        assert_int_equal(tier.offered->count, tier.removed->count);
        fixture_destroy_cache(fixture);
        assert_int_equal(tier.removed->count - before, 300);
        tier.offered->count = tier.removed->count = 0;
    }
}

static void not_founds_are_evicted_without_a_word(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = SLUICE_NEVER;
    fixture_open(fixture);

    for (unsigned i = 0; i < 3; i++) {
        struct call *call = call_park(fixture, WAY_ASYNC, i == 0 ? "a" : i == 1 ? "b" : "c", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, i, ENDING_NOT_FOUND, NULL);
        call_await(call);
    }
    assert_int_equal(fixture_stats(fixture).evicted, 1);
    removals_expect_none(tier.offered);
    removals_expect_none(tier.removed);
}

/* ---- expired ----------------------------------------------------------------------------------------------------- */

static size_t loads_before;

static void inside_count_loads(struct fixture *fixture, const struct sluice_removal *removal)
{
    (void)removal;
    loads_before = gated_loader_calls_in_all(fixture->loader);
}

static void rule_22_a_get_that_finds_it_expired_tells_before_it_calls_the_loader(void **state)
{
    struct fixture *fixture = *state;

    for (int way = 0; way <= WAYS; way++) {
        fixture_open(fixture);
        gated_loader_set_mode(fixture->loader, GATED_ANSWER);
        size_t calls = gated_loader_calls_in_all(fixture->loader);
        fixture_put_ttl(fixture, "key", "old", 100);
        fake_clock_advance(&fixture->clock, 100);
        tier.inside = inside_count_loads;
        tier.calls = 0;
        loads_before = SIZE_MAX;
        if (way < WAYS)
            call_await(call_start(fixture, (enum way)way, "key", SLUICE_WAIT_FOREVER));
        else
            assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
        gated_loader_await_calls(fixture->loader, calls + 1);
        assert_int_equal(loads_before, calls);
        removals_expect(tier.offered, "key", "old", SLUICE_REMOVED_EXPIRED);
        removals_expect_none(tier.offered);
        removals_expect(tier.removed, "key", "old", SLUICE_REMOVED_EXPIRED);
        removals_expect_none(tier.removed);
        AWAIT(fixture_stats(fixture).loads_in_flight == 0);
        fixture_destroy_cache(fixture);
        tier.removed->expected = tier.removed->count;
    }
}

static void rule_22_what_the_timer_finds_expired_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    fixture_put_ttl(fixture, "key", "value", 100);
    fixture_put_ttl(fixture, "replaced", "value", 100);
    fixture_put_ttl(fixture, "replaced", "late", 0);
    fixture_advance(fixture, 100);
    removals_expect(tier.offered, "key", "value", SLUICE_REMOVED_EXPIRED);
    removals_expect_none(tier.offered);
    removals_expect(tier.removed, "replaced", "value", SLUICE_REMOVED_REPLACED);
    removals_expect(tier.removed, "key", "value", SLUICE_REMOVED_EXPIRED);
    removals_expect_none(tier.removed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        EVICTING_TEST(rule_22_until_it_returns_others_are_given_the_value),
        EVICTING_TEST(nobody_evicts_more_in_the_place_of_what_is_leaving),
        EVICTING_TEST(rule_22_what_is_replaced_meanwhile_stays_and_the_old_value_was_replaced),
        EVICTING_TEST(rule_22_what_is_invalidated_meanwhile_leaves_for_that_once),
        EVICTING_TEST(rule_3_what_is_invalidated_already_is_not_offered),
        EVICTING_TEST(rule_22_a_new_entry_of_the_key_is_not_taken_for_the_one_that_was_leaving),
        EVICTING_TEST(rule_22_what_expires_meanwhile_has_expired_and_is_not_offered_again),
        EVICTING_TEST(rule_22_a_reload_that_ends_meanwhile_replaces_the_value),
        EVICTING_TEST(rule_22_a_renewal_does_not_keep_what_is_leaving),
        EVICTING_TEST(rule_22_a_reload_outlasts_the_leaving_of_its_old_value),
        EVICTING_TEST(rule_18_the_cache_is_destroyed_while_a_load_that_has_ended_evicts),
        EVICTING_TEST(rule_22_all_that_a_lowered_maximum_evicts_is_offered_and_leaves),
        EVICTING_TEST(not_founds_are_evicted_without_a_word),
        EVICTING_TEST(rule_22_a_get_that_finds_it_expired_tells_before_it_calls_the_loader),
        EVICTING_TEST(rule_22_what_the_timer_finds_expired_is_told_once),
    };
    FIXTURE_MAIN(tests);
}
