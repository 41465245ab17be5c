/* SPDX-License-Identifier: MIT */
/* snapshot_test.c: iteration over what is stored and over what is in flight, while others change it. */
#include "crowd.h"
#include "errand.h"
#include "numbers.h"

#include <stdlib.h>

#define SEEN_MAX 256

/* What a visit saw. Keys are strings of up to 15 bytes. */
struct seen {
    size_t count;
    size_t stop_after; /* 0: never */
    char keys[SEEN_MAX][16];
    struct sluice_entry_view entries[SEEN_MAX]; /* a reference of each value is kept */
    struct sluice_flight_view flights[SEEN_MAX];
    void (*change)(void *arg); /* or NULL: called in each visit */
    void *arg;
};

static struct seen *seen_create(void)
{
    struct seen *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    return seen;
}

static void seen_destroy(struct seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        sluice_value_unref(seen->entries[i].value);
    free(seen);
}

static bool see(struct seen *seen, const void *key, size_t key_size)
{
    if (seen->count == SEEN_MAX || key_size >= sizeof seen->keys[0])
        abort();
    if (seen->change != NULL)
        seen->change(seen->arg);
    memcpy(seen->keys[seen->count], key, key_size); /* after the change: it is the snapshot's own */
    seen->count++;
    return seen->count != seen->stop_after;
}

static bool see_entry(void *arg, const struct sluice_entry_view *entry)
{
    struct seen *seen = arg;
    seen->entries[seen->count] = *entry;
    if (entry->value != NULL)
        sluice_value_ref(entry->value);
    return see(seen, entry->key, entry->key_size);
}

static bool see_flight(void *arg, const struct sluice_flight_view *flight)
{
    struct seen *seen = arg;
    seen->flights[seen->count] = *flight;
    return see(seen, flight->key, flight->key_size);
}

static struct seen *see_entries(struct fixture *fixture)
{
    struct seen *seen = seen_create();
    assert_int_equal(sluice_cache_for_each(fixture->cache, see_entry, seen), SLUICE_OK);
    return seen;
}

static struct seen *see_flights(struct fixture *fixture)
{
    struct seen *seen = seen_create();
    assert_int_equal(sluice_cache_for_each_flight(fixture->cache, see_flight, seen), SLUICE_OK);
    return seen;
}

/* The number of the one visit of this key. */
static size_t visit_of(const struct seen *seen, const char *key)
{
    size_t found = SEEN_MAX;
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->keys[i], key) == 0) {
            if (found != SEEN_MAX)
                fail_msg("\"%s\" was visited twice", key);
            found = i;
        }
    if (found == SEEN_MAX)
        fail_msg("\"%s\" was not visited", key);
    return found;
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static void each_entry_is_visited_once_with_all_there_is_to_know(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 5000;
    fixture->options.failure_backoff_ms = 5000;
    fixture_open(fixture);

    fixture_put_ttl(fixture, "dies", "in time", 1000);
    fixture_put(fixture, "lives", "for ever");
    call_park(fixture, WAY_ASYNC, "nothing", SLUICE_WAIT_FOREVER);
    call_park(fixture, WAY_ASYNC, "fails", SLUICE_WAIT_FOREVER);
    call_park(fixture, WAY_ASYNC, "flies", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, "why");
    fixture_advance(fixture, 400);

    struct seen *seen = see_entries(fixture);
    assert_int_equal(seen->count, 4); /* what is in flight is not stored */
    const struct sluice_entry_view *dies = &seen->entries[visit_of(seen, "dies")];
    assert_int_equal(dies->error, SLUICE_OK);
    assert_string_equal(sluice_value_data(dies->value), "in time");
    assert_int_equal(dies->age_ms, 400);
    assert_int_equal(dies->ttl_ms, 600);
    assert_int_equal(seen->entries[visit_of(seen, "lives")].ttl_ms, SLUICE_NEVER);
    const struct sluice_entry_view *nothing = &seen->entries[visit_of(seen, "nothing")];
    assert_int_equal(nothing->error, SLUICE_NOT_FOUND);
    assert_null(nothing->value);
    assert_int_equal(nothing->ttl_ms, 4600);
    assert_int_equal(seen->entries[visit_of(seen, "fails")].error, SLUICE_LOAD_FAILED);
    seen_destroy(seen);
}

static void expired_entries_are_left_out_before_they_are_freed(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    fixture_put_ttl(fixture, "dies", "value", 1000);
    fixture_put(fixture, "lives", "value");
    fake_clock_advance(&fixture->clock, 1000);
    struct seen *seen = see_entries(fixture);
    assert_int_equal(seen->count, 1);
    assert_string_equal(seen->keys[0], "lives");
    assert_int_equal(fixture_stats(fixture).entries, 2);
    seen_destroy(seen);
}

static void iteration_over_nothing_visits_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct seen *entries = see_entries(fixture), *flights = see_flights(fixture);
    assert_int_equal(entries->count + flights->count, 0);
    seen_destroy(entries);
    seen_destroy(flights);
}

static void a_visit_may_stop_the_iteration(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 4;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 100);

    static const size_t stops[] = {1, 7, 60};
    for (size_t i = 0; i < COUNT_OF(stops); i++) {
        struct seen *seen = seen_create();
        seen->stop_after = stops[i];
        assert_int_equal(sluice_cache_for_each(fixture->cache, see_entry, seen), SLUICE_OK);
        assert_int_equal(seen->count, stops[i]);
        seen_destroy(seen);
    }
}

static void clear_and_put(void *arg)
{
    struct fixture *fixture = arg;
    sluice_invalidate_all(fixture->cache, NULL);
    sluice_cache_tick(fixture->cache);
    fixture_put(fixture, "new", "value");
}

static void rule_19_a_visit_may_change_the_cache_and_sees_the_snapshot(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 100);

    struct seen *seen = seen_create();
    seen->change = clear_and_put;
    seen->arg = fixture;
    assert_int_equal(sluice_cache_for_each(fixture->cache, see_entry, seen), SLUICE_OK);
    assert_int_equal(seen->count, 100);
    for (unsigned i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        assert_string_equal(sluice_value_data(seen->entries[visit_of(seen, key)].value), key);
    }
    assert_int_equal(fixture_stats(fixture).entries, 1);
    seen_destroy(seen);
}

/* ---- while others change it -------------------------------------------------------------------------------------- */

struct stir {
    struct fixture *fixture;
    atomic_bool stop;
};

/* Changes keys of its own and leaves those of the test alone. */
static void stir(void *arg)
{
    struct stir *stir = arg;
    struct sluice_content content = SLUICE_CONTENT_INIT;
    for (unsigned i = 0; !atomic_load(&stir->stop) && errand_goes_on(); i++) {
        char key[16];
        int size = snprintf(key, sizeof key, "stirred %u", i % 50);
        if (sluice_put(stir->fixture->cache, key, (size_t)size, &content) != SLUICE_OK)
            abort();
        if (i % 7 == 0)
            sluice_invalidate_prefix(stir->fixture->cache, "stirred", 7, NULL);
    }
}

static void what_stays_is_visited_exactly_once_whatever_changes_around_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 2;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 100);

    struct stir around = {.fixture = fixture};
    atomic_init(&around.stop, false);
    struct errand *errand = errand_start(stir, &around);
    for (int round = 0; round < 200; round++) {
        struct seen *seen = see_entries(fixture);
        for (unsigned i = 0; i < 100; i += 9) {
            char key[16];
            snprintf(key, sizeof key, "%u", i);
            assert_string_equal(sluice_value_data(seen->entries[visit_of(seen, key)].value), key);
        }
        assert_in_range(seen->count, 100, 150);
        seen_destroy(seen);
    }
    atomic_store(&around.stop, true);
    assert_true(errand_ended(errand));
    errand_join(errand);
}

/* ---- loads in flight --------------------------------------------------------------------------------------------- */

static void a_load_in_flight_shows_its_key_age_waiters_and_state(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct crowd many, detached;
    crowd_park(fixture, &detached, 2, "detached", WAY_ASYNC);
    fixture_advance(fixture, 250);
    crowd_park(fixture, &many, 5, "many", WAY_ASYNC);
    call_park(fixture, WAY_ASYNC, "put over", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_KEY, "detached");
    fixture_put(fixture, "put over", "value");
    fixture_advance(fixture, 100);

    struct seen *seen = see_flights(fixture);
    assert_int_equal(seen->count, 3);
    const struct sluice_flight_view *view = &seen->flights[visit_of(seen, "many")];
    assert_int_equal(view->age_ms, 100);
    assert_int_equal(view->waiters, 5);
    assert_int_equal(view->state, SLUICE_FLIGHT_CURRENT);
    view = &seen->flights[visit_of(seen, "detached")];
    assert_int_equal(view->age_ms, 350);
    assert_int_equal(view->waiters, 2);
    assert_int_equal(view->state, SLUICE_FLIGHT_DETACHED);
    view = &seen->flights[visit_of(seen, "put over")];
    assert_int_equal(view->age_ms, 100);
    assert_int_equal(view->waiters, 0);
    assert_int_equal(view->state, SLUICE_FLIGHT_OVER);
    seen_destroy(seen);

    assert_true(call_cancel(many.calls[0]));
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "late");
    seen = see_flights(fixture);
    assert_int_equal(seen->count, 1);
    assert_int_equal(seen->flights[visit_of(seen, "many")].waiters, 4);
    seen_destroy(seen);
}

static void rule_8_a_load_past_its_deadline_is_seen_until_it_ends(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.load_timeout_ms = 100;
    fixture_open(fixture);

    call_park(fixture, WAY_ASYNC, "hangs", SLUICE_WAIT_FOREVER);
    fixture_advance(fixture, 5000);
    struct seen *seen = see_flights(fixture);
    assert_int_equal(seen->count, 1);
    assert_int_equal(seen->flights[0].state, SLUICE_FLIGHT_OVER);
    assert_int_equal(seen->flights[0].age_ms, 5000);
    assert_int_equal(seen->flights[0].waiters, 0);
    seen_destroy(seen);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    seen = see_flights(fixture);
    assert_int_equal(seen->count, 0);
    seen_destroy(seen);
}

static void each_state_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(sluice_flight_state_name(SLUICE_FLIGHT_CURRENT), "current");
    assert_string_equal(sluice_flight_state_name(SLUICE_FLIGHT_DETACHED), "detached");
    assert_string_equal(sluice_flight_state_name(SLUICE_FLIGHT_OVER), "over");
}

static void end_all(void *arg)
{
    struct fixture *fixture = arg;
    gated_loader_open(fixture->loader);
}

static void rule_19_a_visit_of_the_loads_may_end_them(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture_open(fixture);

    struct call *calls[] = {call_park(fixture, WAY_ASYNC, "one", SLUICE_WAIT_FOREVER),
                            call_park(fixture, WAY_BLOCKING, "two", SLUICE_WAIT_FOREVER)};
    struct seen *seen = seen_create();
    seen->change = end_all;
    seen->arg = fixture;
    assert_int_equal(sluice_cache_for_each_flight(fixture->cache, see_flight, seen), SLUICE_OK);
    assert_int_equal(seen->count, 2);
    visit_of(seen, "one");
    visit_of(seen, "two");
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        call_expect(calls[i], SLUICE_NOT_FOUND, NULL);
    seen_destroy(seen);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_entry_is_visited_once_with_all_there_is_to_know),
        FIXTURE_TEST(expired_entries_are_left_out_before_they_are_freed),
        FIXTURE_TEST(iteration_over_nothing_visits_nothing),
        FIXTURE_TEST(a_visit_may_stop_the_iteration),
        FIXTURE_TEST(rule_19_a_visit_may_change_the_cache_and_sees_the_snapshot),
        FIXTURE_TEST(what_stays_is_visited_exactly_once_whatever_changes_around_it),
        FIXTURE_TEST(a_load_in_flight_shows_its_key_age_waiters_and_state),
        FIXTURE_TEST(rule_8_a_load_past_its_deadline_is_seen_until_it_ends),
        FIXTURE_TEST(each_state_has_a_word),
        FIXTURE_TEST(rule_19_a_visit_of_the_loads_may_end_them),
    };
    FIXTURE_MAIN(tests);
}
