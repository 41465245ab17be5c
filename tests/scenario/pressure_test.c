/* SPDX-License-Identifier: MIT */
/* pressure_test.c: a watcher shrinks its caches when there are signs of memory pressure, and gives back afterwards. */
#include "numbers.h"
#include "pressure_site.h"
#include "removals.h"

#include <unistd.h>

#define ENTRIES 1000

static void watch(struct pressure_site *site, struct sluice_cache *cache)
{
    assert_int_equal(sluice_pressure_watch(site->pressure, cache), SLUICE_OK);
}

/* A full cache, watched by the fake clock. */
static void open_watched(struct fixture *fixture, struct pressure_site *site)
{
    pressure_site_init(site, fixture);
    pressure_site_start(site);
    numbers_open_full(fixture, ENTRIES, fixture->options.shards);
    watch(site, fixture->cache);
    assert_int_equal(sluice_pressure_tick(site->pressure), SLUICE_NEVER);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
}

/* ---- signs ------------------------------------------------------------------------------------------------------- */

static void a_sign_shrinks_the_cache_to_its_share(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    open_watched(fixture, &site);
    uint64_t weight = fixture_stats(fixture).weight;

    pressure_site_stall(&site);
    pressure_site_stall(&site);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
    assert_int_equal(sluice_pressure_tick(site.pressure), 30000);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 2);
    assert_int_equal(fixture_stats(fixture).shrinks, 1);
    assert_int_equal(fixture_stats(fixture).shrunk, ENTRIES / 2);
    assert_int_equal(fixture_stats(fixture).limit, ENTRIES / 2);
    struct sluice_pressure_state seen = pressure_site_look(&site);
    assert_int_equal(seen.share_percent, 50);
    assert_int_equal(seen.signs, 1); /* whatever was written by then */
    assert_int_equal(seen.shrinks, 1);
    assert_int_equal(seen.entries, ENTRIES / 2);
    assert_int_equal(seen.weight, weight - fixture_stats(fixture).weight);
    assert_int_equal(sluice_pressure_tick(site.pressure), 30000);
    assert_int_equal(pressure_site_look(&site).signs, 1);
    pressure_site_fini(&site);
}

static void a_count_high_that_has_grown_is_a_sign_and_nothing_else_in_the_file_is(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    open_watched(fixture, &site);

    pressure_site_count(&site, 7, 100);
    assert_int_equal(sluice_pressure_tick(site.pressure), SLUICE_NEVER);
    scratch_write_text(&site.scratch, "memory.events", "");
    assert_int_equal(sluice_pressure_tick(site.pressure), SLUICE_NEVER);
    assert_int_equal(pressure_site_look(&site).signs, 0);
    pressure_site_count(&site, 8, 100);
    assert_int_equal(sluice_pressure_tick(site.pressure), 30000);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 2);
    fake_clock_advance(&fixture->clock, 5000);
    pressure_site_count(&site, 3, 0); /* another cgroup's */
    sluice_pressure_tick(site.pressure);
    assert_int_equal(pressure_site_look(&site).signs, 1);
    pressure_site_count(&site, 4, 0);
    sluice_pressure_tick(site.pressure);
    assert_int_equal(pressure_site_look(&site).signs, 2);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 4);
    pressure_site_fini(&site);
}

static void while_pressure_lasts_it_goes_down_at_a_pace_and_not_below_the_least_share(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned left[] = {50, 25, 12, 10, 10};
    struct pressure_site site;
    open_watched(fixture, &site);

    for (size_t i = 0; i < COUNT_OF(left); i++) {
        pressure_site_stall(&site);
        sluice_pressure_tick(site.pressure);
        assert_int_equal(pressure_site_look(&site).share_percent, left[i]);
        assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 100 * left[i]);
        pressure_site_stall(&site);
        pressure_site_advance(&site, fixture, 999);
        assert_int_equal(pressure_site_look(&site).share_percent, left[i]);
        assert_int_equal(pressure_site_look(&site).shrinks, i + 1);
        fake_clock_advance(&fixture->clock, 1);
    }
    assert_int_equal(pressure_site_look(&site).signs, 2 * COUNT_OF(left));
    pressure_site_fini(&site);
}

static void what_was_given_up_is_not_filled_again_until_it_is_given_back_step_by_step(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned back[] = {12, 25, 50, 100};
    struct pressure_site site;
    open_watched(fixture, &site);

    for (unsigned i = 0; i < 4; i++) {
        fake_clock_advance(&fixture->clock, 1000);
        pressure_site_stall(&site);
        assert_int_equal(sluice_pressure_tick(site.pressure), 30000);
    }
    assert_int_equal(pressure_site_look(&site).share_percent, 10);
    for (size_t i = 0; i < COUNT_OF(back); i++) {
        unsigned before = i == 0 ? 10 : back[i - 1];
        assert_int_equal(pressure_site_advance(&site, fixture, 29999), 1);
        numbers_put(fixture->cache, 0, ENTRIES);
        assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 100 * before);
        assert_int_equal(pressure_site_advance(&site, fixture, 1), back[i] == 100 ? SLUICE_NEVER : 30000);
        assert_int_equal(pressure_site_look(&site).share_percent, back[i]);
        numbers_put(fixture->cache, 0, ENTRIES);
        assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 100 * back[i]);
    }
    assert_int_equal(sluice_cache_share(fixture->cache), 100);
    pressure_site_fini(&site);
}

static void a_sign_within_the_pace_prolongs_the_hold(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    pressure_site_init(&site, fixture);
    site.options.pace_ms = 40000;
    pressure_site_start(&site);

    pressure_site_stall(&site);
    assert_int_equal(sluice_pressure_tick(site.pressure), 30000);
    pressure_site_stall(&site);
    assert_int_equal(pressure_site_advance(&site, fixture, 29999), 30000);
    assert_int_equal(pressure_site_advance(&site, fixture, 29999), 1);
    assert_int_equal(pressure_site_look(&site).share_percent, 50);
    assert_int_equal(pressure_site_advance(&site, fixture, 1), SLUICE_NEVER);
    assert_int_equal(pressure_site_look(&site).share_percent, 100);
    pressure_site_fini(&site);
}

static void a_file_of_events_that_is_removed_is_told_of(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    open_watched(fixture, &site);

    assert_true(pressure_site_look(&site).events_watched);
    assert_int_equal(unlink(site.events), 0);
    assert_int_equal(sluice_pressure_tick(site.pressure), SLUICE_NEVER);
    assert_false(pressure_site_look(&site).events_watched);
    assert_non_null(strstr(pressure_site_look(&site).events_words, "memory.events: is watched, but is gone since"));
    assert_true(pressure_site_look(&site).stall_watched);
    pressure_site_stall(&site);
    assert_int_equal(sluice_pressure_tick(site.pressure), 30000);
    pressure_site_fini(&site);
}

/* ---- caches ------------------------------------------------------------------------------------------------------ */

static struct sluice_cache *open_another(struct fixture *fixture)
{
    struct sluice_cache *cache;
    assert_int_equal(sluice_cache_create(&fixture->options, &cache), SLUICE_OK);
    numbers_put(cache, 0, ENTRIES);
    return cache;
}

static uint64_t entries_of(struct sluice_cache *cache)
{
    struct sluice_stats stats;
    sluice_cache_stats(cache, &stats);
    return stats.entries;
}

static void several_caches_give_and_one_that_comes_later_keeps_to_what_is_left(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    struct sluice_cache *others[3];
    open_watched(fixture, &site);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        others[i] = open_another(fixture);

    watch(&site, others[0]);
    watch(&site, others[1]);
    for (unsigned left = ENTRIES / 2; left >= ENTRIES / 4; left /= 2) {
        pressure_site_stall(&site);
        sluice_pressure_tick(site.pressure);
        assert_int_equal(fixture_stats(fixture).entries, left);
        assert_int_equal(entries_of(others[0]), left);
        assert_int_equal(entries_of(others[1]), left);
        assert_int_equal(entries_of(others[2]), ENTRIES);
        fake_clock_advance(&fixture->clock, 1000);
    }
    watch(&site, others[2]);
    assert_int_equal(entries_of(others[2]), ENTRIES / 4);
    assert_int_equal(sluice_cache_share(others[2]), 25);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        sluice_cache_destroy(others[i]); /* which its watcher then does without */
    pressure_site_stall(&site);
    sluice_pressure_tick(site.pressure);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 100 * 12);
    pressure_site_fini(&site);
}

static void a_cache_has_one_watcher_and_its_share_is_the_watchers(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site, other;
    open_watched(fixture, &site);
    pressure_site_init(&other, fixture);
    pressure_site_start(&other);

    assert_int_equal(sluice_pressure_watch(site.pressure, fixture->cache), SLUICE_INVALID);
    assert_int_equal(sluice_pressure_watch(other.pressure, fixture->cache), SLUICE_INVALID);
    assert_int_equal(sluice_cache_set_share(fixture->cache, 60, NULL), SLUICE_INVALID);
    assert_int_equal(sluice_cache_share(fixture->cache), 100);
    pressure_site_stall(&other);
    sluice_pressure_tick(other.pressure);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
    sluice_pressure_unwatch(fixture->cache);
    sluice_pressure_unwatch(fixture->cache);
    assert_int_equal(sluice_cache_set_share(fixture->cache, 60, NULL), SLUICE_OK);
    assert_int_equal(sluice_pressure_watch(other.pressure, fixture->cache), SLUICE_OK);
    assert_int_equal(sluice_cache_share(fixture->cache), 50);
    pressure_site_fini(&other);
    pressure_site_fini(&site);
}

/* A listener of one cache that ticks another's watcher, and then lets its own go. */
struct ticking {
    struct pressure_site *site;
    struct sluice_cache *cache;
    unsigned calls;
};

static void tick_and_let_go(void *self, const struct sluice_removal *removal)
{
    struct ticking *ticking = self;
    (void)removal;
    if (ticking->calls++ > 0 || ticking->cache == NULL) /* it leaves before the other watcher is there */
        return;
    pressure_site_stall(ticking->site);
    sluice_pressure_tick(ticking->site->pressure);
    sluice_pressure_unwatch(ticking->cache); /* would wait for this very call to end */
}

static void rule_19_a_listener_may_tick_another_watcher_and_let_its_cache_go(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site, inner;
    struct ticking ticking = {.site = &inner};
    fixture->options.shards = 1;
    fixture->options.listener = (struct sluice_listener){.removed = tick_and_let_go, .self = &ticking};
    open_watched(fixture, &site);
    pressure_site_init(&inner, fixture);
    pressure_site_start(&inner);
    ticking.cache = fixture->cache;
    struct sluice_options plain = fixture->options;
    struct sluice_cache *other;
    plain.listener.removed = NULL;
    assert_int_equal(sluice_cache_create(&plain, &other), SLUICE_OK);
    numbers_put(other, 0, ENTRIES);
    watch(&inner, other);

    pressure_site_stall(&site);
    sluice_pressure_tick(site.pressure);
    assert_true(ticking.calls > 0);
    assert_int_equal(entries_of(other), ENTRIES / 2);
    assert_int_equal(sluice_cache_share(fixture->cache), 100);
    ticking.calls = 1;
    sluice_cache_destroy(other);
    fixture_destroy_cache(fixture);
    pressure_site_fini(&inner);
    pressure_site_fini(&site);
}

static void a_cache_that_is_let_go_keeps_to_its_whole_maximum_again(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    open_watched(fixture, &site);

    for (int stop = 0; stop <= 1; stop++) {
        pressure_site_stall(&site);
        sluice_pressure_tick(site.pressure);
        assert_int_equal(sluice_cache_share(fixture->cache), 50);
        if (stop) {
            sluice_pressure_stop(site.pressure);
            site.pressure = NULL;
        } else {
            sluice_pressure_unwatch(fixture->cache);
        }
        assert_int_equal(sluice_cache_share(fixture->cache), 100);
        numbers_put(fixture->cache, 0, ENTRIES);
        assert_int_equal(fixture_stats(fixture).entries, ENTRIES);
        if (!stop)
            watch(&site, fixture->cache);
    }
    pressure_site_fini(&site);
}

static void rule_18_a_closed_cache_still_gives(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    open_watched(fixture, &site);

    sluice_cache_close(fixture->cache);
    pressure_site_stall(&site);
    sluice_pressure_tick(site.pressure);
    assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 2);
    pressure_site_fini(&site);
}

static void rule_22_what_pressure_takes_leaves_for_size_once(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    fixture->options.shards = 1;
    open_watched(fixture, &site);

    pressure_site_stall(&site);
    sluice_pressure_tick(site.pressure);
    for (unsigned number = 0; number < ENTRIES / 2; number++)
        removals_expect(removals_told, numbers_key(number), "value", SLUICE_REMOVED_SIZE);
    removals_expect_none(removals_told);
    pressure_site_fini(&site);
}

/* ---- giving back ------------------------------------------------------------------------------------------------- */

static struct {
    struct sluice_cache *cache;
    struct sluice_pressure *pressure;
    unsigned calls;
    uint64_t entries;
} given;

static void hear_give_back(void *self)
{
    struct sluice_pressure_state seen;
    assert_ptr_equal(self, &given);
    given.calls++;
    given.entries = entries_of(given.cache);
    sluice_pressure_look(given.pressure, &seen); /* no lock is held */
}

static void memory_is_given_back_after_each_step_that_evicted(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    memset(&given, 0, sizeof given);
    pressure_site_init(&site, fixture);
    site.options.give_back = hear_give_back;
    site.options.self = &given;
    pressure_site_start(&site);
    fixture->options.maximum_entries = ENTRIES;
    fixture_open(fixture);
    numbers_put(fixture->cache, 0, ENTRIES / 2);
    watch(&site, fixture->cache);
    given.cache = fixture->cache;
    given.pressure = site.pressure;

    pressure_site_stall(&site);
    sluice_pressure_tick(site.pressure);
    assert_int_equal(pressure_site_look(&site).shrinks, 1);
    assert_int_equal(given.calls, 0); /* half was all that there was */
    pressure_site_stall(&site);
    pressure_site_advance(&site, fixture, 1000);
    assert_int_equal(given.calls, 1);
    assert_int_equal(given.entries, ENTRIES / 4);
    pressure_site_advance(&site, fixture, 30000);
    assert_int_equal(given.calls, 1);
    pressure_site_fini(&site);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_sign_shrinks_the_cache_to_its_share),
        FIXTURE_TEST(a_count_high_that_has_grown_is_a_sign_and_nothing_else_in_the_file_is),
        FIXTURE_TEST(while_pressure_lasts_it_goes_down_at_a_pace_and_not_below_the_least_share),
        FIXTURE_TEST(what_was_given_up_is_not_filled_again_until_it_is_given_back_step_by_step),
        FIXTURE_TEST(a_sign_within_the_pace_prolongs_the_hold),
        FIXTURE_TEST(a_file_of_events_that_is_removed_is_told_of),
        FIXTURE_TEST(several_caches_give_and_one_that_comes_later_keeps_to_what_is_left),
        FIXTURE_TEST(a_cache_has_one_watcher_and_its_share_is_the_watchers),
        FIXTURE_TEST(rule_19_a_listener_may_tick_another_watcher_and_let_its_cache_go),
        FIXTURE_TEST(a_cache_that_is_let_go_keeps_to_its_whole_maximum_again),
        FIXTURE_TEST(rule_18_a_closed_cache_still_gives),
        REMOVALS_TEST(rule_22_what_pressure_takes_leaves_for_size_once),
        FIXTURE_TEST(memory_is_given_back_after_each_step_that_evicted),
    };
    FIXTURE_MAIN(tests);
}
