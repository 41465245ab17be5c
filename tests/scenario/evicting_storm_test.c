/* SPDX-License-Identifier: MIT */
/*
 * evicting_storm_test.c: threads put, invalidate and change the maximum, and so does the listener that is told of what
 * is evicted: every value is offered at most once and leaves exactly once (rule 22).
 */
#include "errand.h"
#include "fixture.h"
#include "random.h"

#include <sched.h>
#include <stdlib.h>

static unsigned put_back_calls;

static void put_back(void *self, const struct sluice_removal *removal)
{
    struct fixture *fixture = self;
    struct sluice_content content = SLUICE_CONTENT_INIT;
    content.data = sluice_value_data(removal->value);
    content.size = sluice_value_size(removal->value);
    put_back_calls++;
    if (sluice_put(fixture->cache, removal->key, removal->key_size, &content) != SLUICE_OK)
        abort();
}

static void rule_10_a_listener_that_puts_everything_back_ends_and_keeps_to_the_maximum(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.listener = (struct sluice_listener){.self = fixture, .evicting = put_back};
    fixture->options.maximum_entries = 2;
    fixture->options.shards = 1;
    fixture_open(fixture);

    fixture_put(fixture, "one", "1");
    fixture_put(fixture, "two", "2");
    put_back_calls = 0;
    fixture_put(fixture, "three", "3");
    assert_int_equal(put_back_calls, 1);
    fixture_expect_present(fixture, "one", SLUICE_OK, "1");
    assert_int_equal(fixture_stats(fixture).entries, 2);
}

#define PUTS    8000
#define THREADS 2

static struct sluice_cache *storm_cache;
static atomic_uint storm_next; /* each value is a number of its own */
static atomic_uchar storm_offered[THREADS * PUTS * 2], storm_removed[THREADS * PUTS * 2];

static void storm_put(const void *key, size_t key_size)
{
    char text[16];
    struct sluice_content content = SLUICE_CONTENT_INIT;
    content.data = text;
    content.size = (size_t)snprintf(text, sizeof text, "%u", atomic_fetch_add(&storm_next, 1));
    content.ttl_ms = content.size % 2 ? 5 : SLUICE_NEVER;
    if (sluice_put(storm_cache, key, key_size, &content) != SLUICE_OK)
        abort();
}

static unsigned number_of(const struct sluice_removal *removal)
{
    return (unsigned)strtoul(sluice_value_data(removal->value), NULL, 10);
}

/* Of 64 values, 8 have their key invalidated meanwhile, 8 put anew, and one has all the cache emptied. */
static void storm_evicting(void *self, const struct sluice_removal *removal)
{
    unsigned number = number_of(removal);
    (void)self;
    if (atomic_fetch_add(&storm_offered[number], 1) > 0)
        abort();
    if (number % 8 == 0)
        sluice_invalidate(storm_cache, removal->key, removal->key_size, NULL);
    else if (number % 8 == 1 && atomic_load(&storm_next) < THREADS * PUTS)
        storm_put(removal->key, removal->key_size);
    else if (number % 64 == 2)
        sluice_invalidate_all(storm_cache, NULL);
    else if (number % 8 == 3)
        sched_yield();
}

static void storm_removal(void *self, const struct sluice_removal *removal)
{
    (void)self;
    if (atomic_fetch_add(&storm_removed[number_of(removal)], 1) > 0)
        abort();
}

static void storm_run(void *arg)
{
    const unsigned *seed = arg;
    struct random random;
    random_init(&random, *seed);
    for (int i = 0; i < PUTS; i++) {
        char key[16];
        int size = snprintf(key, sizeof key, "%u", random_below(&random, 40));
        storm_put(key, (size_t)size);
        if (i % 100 == 0)
            sluice_invalidate_all(storm_cache, NULL);
        if (i % 50 == 0 && sluice_cache_set_maximum(storm_cache, i % 100 == 0 ? 5 : 20) != SLUICE_OK)
            abort();
    }
}

static void rule_22_every_value_leaves_once_while_all_is_changed_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_use_real_clock(fixture);
    fixture->options.listener = (struct sluice_listener){.removed = storm_removal, .evicting = storm_evicting};
    fixture->options.maximum_entries = 20;
    fixture->options.shards = 2;
    fixture_open(fixture);
    storm_cache = fixture->cache;

    static const unsigned seeds[THREADS] = {1, 2};
    struct errand *errands[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        errands[i] = errand_start(storm_run, (void *)(uintptr_t)&seeds[i]);
    for (size_t i = 0; i < THREADS; i++) {
        assert_true(errand_ended(errands[i]));
        errand_join(errands[i]);
    }
    assert_int_equal(sluice_cache_set_maximum(fixture->cache, 3), SLUICE_OK);
    assert_true(fixture_stats(fixture).entries <= 3);
    fixture_destroy_cache(fixture);
    unsigned offered = 0;
    for (unsigned number = 0; number < atomic_load(&storm_next); number++) {
        assert_int_equal(atomic_load(&storm_removed[number]), 1);
        offered += atomic_load(&storm_offered[number]);
    }
    assert_true(offered > 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_10_a_listener_that_puts_everything_back_ends_and_keeps_to_the_maximum),
        FIXTURE_TEST(rule_22_every_value_leaves_once_while_all_is_changed_at_once),
    };
    FIXTURE_MAIN(tests);
}
