/* SPDX-License-Identifier: MIT */
/* pressure_thread_test.c: the watcher's own thread, and what others may do while it is at a cache. */
#include "errand.h"
#include "numbers.h"
#include "pressure_site.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define ENTRIES 1000

static void open_watched(struct fixture *fixture, struct pressure_site *site)
{
    pressure_site_start(site);
    numbers_open_full(fixture, ENTRIES, 0);
    assert_int_equal(sluice_pressure_watch(site->pressure, fixture->cache), SLUICE_OK);
}

static void the_thread_acts_on_signs_of_both_kinds(void **state)
{
    struct fixture *fixture = *state;

    for (int events = 0; events <= 1; events++) {
        struct pressure_site site;
        pressure_site_init_threaded(&site, fixture);
        open_watched(fixture, &site);
        if (events)
            pressure_site_count(&site, 8, 0);
        else
            pressure_site_stall(&site);
        AWAIT(pressure_site_look(&site).entries == ENTRIES / 2);
        assert_int_equal(fixture_stats(fixture).entries, ENTRIES / 2);
        fixture_destroy_cache(fixture);
        pressure_site_fini(&site);
    }
}

static void the_thread_gives_back_by_itself(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    pressure_site_init_threaded(&site, fixture);
    site.options.hold_ms = 1;
    open_watched(fixture, &site);

    pressure_site_stall(&site);
    AWAIT(pressure_site_look(&site).shrinks == 1);
    AWAIT(pressure_site_look(&site).share_percent == 100);
    assert_int_equal(sluice_cache_share(fixture->cache), 100);
    pressure_site_fini(&site);
}

/* ---- the watcher at work ----------------------------------------------------------------------------------------- */

static struct {
    atomic_bool entered, open; /* the listener, and the gate that holds it */
    struct fixture *fixture;
    struct sluice_cache *cache;
    bool left_before_back; /* the listener had returned when the call did */
    atomic_bool left;
} gate;

static void hold_at_gate(void *self, const struct sluice_removal *removal)
{
    (void)self;
    if (removal->cause != SLUICE_REMOVED_SIZE || atomic_exchange(&gate.entered, true))
        return;
    for (int64_t start_ms = await_now_ms(); !atomic_load(&gate.open) && await_again(start_ms);)
        ;
    atomic_store(&gate.left, true);
}

static void unwatch_at_gate(void *arg)
{
    (void)arg;
    sluice_pressure_unwatch(gate.cache);
    gate.left_before_back = atomic_load(&gate.left);
}

static void destroy_at_gate(void *arg)
{
    (void)arg;
    gate.fixture->cache = NULL; /* whatever becomes of the test: nobody destroys it again */
    sluice_cache_destroy(gate.cache);
    gate.left_before_back = atomic_load(&gate.left);
}

static void unwatch_and_watch_at_gate(void *arg)
{
    struct pressure_site *other = arg;
    sluice_pressure_unwatch(gate.cache);
    gate.left_before_back = atomic_load(&gate.left) && sluice_pressure_watch(other->pressure, gate.cache) == SLUICE_OK;
}

/* `call` is made while the watcher is in the listener: the cache is let go at once, but the call waits. */
static void expect_call_waits(struct fixture *fixture, struct pressure_site *site, void (*call)(void *arg), void *arg)
{
    memset(&gate, 0, sizeof gate);
    fixture->options.listener.removed = hold_at_gate;
    open_watched(fixture, site);
    gate.fixture = fixture;
    gate.cache = fixture->cache;
    pressure_site_stall(site);
    AWAIT(atomic_load(&gate.entered));
    assert_int_equal(sluice_cache_share(fixture->cache), 50);
    struct errand *errand = errand_start(call, arg);
    AWAIT(sluice_cache_share(gate.cache) == 100);
    assert_true(errand_waits(errand));
    atomic_store(&gate.open, true);
    assert_true(errand_ended(errand));
    errand_join(errand);
    assert_true(gate.left_before_back);
}

static void rule_18_who_lets_a_cache_go_waits_until_the_watcher_is_done_with_it(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    pressure_site_init_threaded(&site, fixture);
    expect_call_waits(fixture, &site, unwatch_at_gate, NULL);
    fixture_destroy_cache(fixture);
    pressure_site_fini(&site);
}

static void rule_18_destroying_a_watched_cache_waits_until_the_watcher_is_done_with_it(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    pressure_site_init_threaded(&site, fixture);
    expect_call_waits(fixture, &site, destroy_at_gate, NULL);
    /* It goes on without the cache; a sign within the pace is none. */
    AWAIT(pressure_site_look(&site).shrinks >= 2 || (pressure_site_stall(&site), false));
    pressure_site_fini(&site);
}

static void a_cache_goes_from_one_watcher_to_another(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site, other;
    pressure_site_init_threaded(&site, fixture);
    pressure_site_init_threaded(&other, fixture);
    pressure_site_start(&other);
    expect_call_waits(fixture, &site, unwatch_and_watch_at_gate, &other);
    numbers_put(fixture->cache, 0, ENTRIES);
    pressure_site_stall(&other);
    AWAIT(pressure_site_look(&other).shrinks == 1 && fixture_stats(fixture).entries == ENTRIES / 2);
    fixture_destroy_cache(fixture);
    pressure_site_fini(&site);
    pressure_site_fini(&other);
}

static void unwatch_once(void *self, const struct sluice_removal *removal)
{
    (void)removal;
    if (gate.cache == NULL)
        return; /* it leaves before the cache was watched */
    sluice_pressure_unwatch(gate.cache);
    atomic_store((atomic_bool *)self, true);
}

static void rule_19_a_listener_on_the_watchers_thread_may_let_its_cache_go(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    static atomic_bool told;
    atomic_store(&told, false);
    gate.cache = NULL;
    pressure_site_init_threaded(&site, fixture);
    fixture->options.listener = (struct sluice_listener){.removed = unwatch_once, .self = &told};
    open_watched(fixture, &site);
    gate.cache = fixture->cache;

    pressure_site_stall(&site);
    AWAIT(atomic_load(&told));
    sluice_pressure_unwatch(fixture->cache);
    assert_int_equal(sluice_cache_share(fixture->cache), 100);
    assert_in_range(fixture_stats(fixture).entries, ENTRIES / 2, ENTRIES - 1);
    fixture_destroy_cache(fixture);
    pressure_site_fini(&site);
}

/* ---- all at once ------------------------------------------------------------------------------------------------- */

#define LIVES 60

static atomic_bool storming;

/* A cache's life under a watcher, again and again. */
static void live_under_watch(void *arg)
{
    struct pressure_site *site = arg;
    struct gated_loader *loader = gated_loader_create();
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    options.loader = gated_loader_option(loader);
    options.maximum_entries = 200;
    for (unsigned life = 0; life < LIVES; life++) {
        struct sluice_cache *cache;
        if (sluice_cache_create(&options, &cache) != SLUICE_OK ||
            sluice_pressure_watch(site->pressure, cache) != SLUICE_OK)
            abort();
        for (unsigned number = 0; number < 400; number++) {
            struct sluice_content content = SLUICE_CONTENT_INIT;
            if (sluice_put(cache, &number, sizeof number, &content) != SLUICE_OK ||
                sluice_cache_set_maximum(cache, 100 + number) != SLUICE_OK)
                abort();
            if (number == 300 && life % 3 == 0)
                sluice_pressure_unwatch(cache);
        }
        sluice_cache_destroy(cache);
    }
    gated_loader_destroy(loader);
}

static void press_on(void *arg)
{
    struct pressure_site *site = arg;
    while (atomic_load(&storming) && errand_goes_on()) {
        if (write(site->writer, "!", 1) != 1 && errno != EAGAIN)
            abort();
        sched_yield();
    }
}

static void caches_come_and_go_while_signs_come(void **state)
{
    struct fixture *fixture = *state;
    struct errand *lives[2], *signs;
    struct pressure_site site;
    pressure_site_init_threaded(&site, fixture);
    site.options.hold_ms = 2;
    pressure_site_start(&site);

    atomic_store(&storming, true);
    signs = errand_start(press_on, &site);
    for (size_t i = 0; i < COUNT_OF(lives); i++)
        lives[i] = errand_start(live_under_watch, &site);
    for (size_t i = 0; i < COUNT_OF(lives); i++) {
        assert_true(errand_ended(lives[i]));
        errand_join(lives[i]);
    }
    atomic_store(&storming, false);
    assert_true(errand_ended(signs));
    errand_join(signs);
    assert_true(pressure_site_look(&site).shrinks > 0);
    pressure_site_fini(&site);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_thread_acts_on_signs_of_both_kinds),
        FIXTURE_TEST(the_thread_gives_back_by_itself),
        FIXTURE_TEST(rule_18_who_lets_a_cache_go_waits_until_the_watcher_is_done_with_it),
        FIXTURE_TEST(rule_18_destroying_a_watched_cache_waits_until_the_watcher_is_done_with_it),
        FIXTURE_TEST(a_cache_goes_from_one_watcher_to_another),
        FIXTURE_TEST(rule_19_a_listener_on_the_watchers_thread_may_let_its_cache_go),
        FIXTURE_TEST(caches_come_and_go_while_signs_come),
    };
    FIXTURE_MAIN(tests);
}
