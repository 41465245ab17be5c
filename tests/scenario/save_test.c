/* SPDX-License-Identifier: MIT */
/* save_test.c: a cache's values are saved to a file and loaded from it: what comes back, and when it does not. */
#include "crowd.h"
#include "numbers.h"
#include "saved.h"

#define TTL_MS 1000

static struct sluice_saved save(struct fixture *fixture, uint64_t entries)
{
    struct sluice_saved what;
    enum sluice_error error = sluice_cache_save(fixture->cache, saved_path, &what);
    if (error != SLUICE_OK)
        fail_msg("not saved: %s", what.words);
    assert_int_equal(what.fault, SLUICE_SAVED_WELL);
    assert_string_equal(what.words, "");
    assert_int_equal(what.entries, entries);
    return what;
}

static struct sluice_saved load(struct fixture *fixture, uint64_t entries)
{
    struct sluice_saved what;
    enum sluice_error error = sluice_cache_load(fixture->cache, saved_path, &what);
    if (error != SLUICE_OK)
        fail_msg("not loaded: %s", what.words);
    assert_int_equal(what.entries, entries);
    return what;
}

static void put_full(struct fixture *fixture, const char *key, struct sluice_content content)
{
    assert_int_equal(sluice_put(fixture->cache, key, strlen(key), &content), SLUICE_OK);
}

static struct sluice_outcome look(struct fixture *fixture, const char *key)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    assert_int_equal(sluice_get_if_present(fixture->cache, key, strlen(key), &outcome), SLUICE_OK);
    return outcome;
}

static unsigned count_present(struct fixture *fixture, unsigned first, unsigned count)
{
    unsigned present = 0;
    for (unsigned i = first; i < first + count; i++) {
        char key[16];
        struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
        snprintf(key, sizeof key, "%u", i);
        present += sluice_get_if_present(fixture->cache, key, strlen(key), &outcome) == SLUICE_OK;
        sluice_outcome_fini(&outcome);
    }
    return present;
}

/* ---- what comes back --------------------------------------------------------------------------------------------- */

static void a_value_comes_back_with_all_that_it_had(void **state)
{
    struct fixture *fixture = *state;
    static const char *const tags[] = {"red", "green"};
    fixture_open(fixture);

    put_full(fixture, "full",
             (struct sluice_content){.data = "a\0b",
                                     .size = 3,
                                     .content_type = "text/plain",
                                     .etag = "\"v1\"",
                                     .ttl_ms = TTL_MS,
                                     .tags = tags,
                                     .tags_count = 2});
    put_full(fixture, "plain", (struct sluice_content){.ttl_ms = SLUICE_NEVER});
    fixture_advance(fixture, 100);
    struct sluice_saved saved = save(fixture, 2);
    fixture_reopen(fixture);
    fixture_advance(fixture, 50);
    struct sluice_saved loaded = load(fixture, 2);
    assert_int_equal(loaded.bytes, saved.bytes);
    assert_int_equal(loaded.age_ms, 50);

    struct sluice_outcome full = look(fixture, "full");
    assert_int_equal(sluice_value_size(full.value), 3);
    assert_memory_equal(sluice_value_data(full.value), "a\0b\0", 4);
    assert_string_equal(sluice_value_content_type(full.value), "text/plain");
    assert_string_equal(sluice_value_etag(full.value), "\"v1\"");
    assert_string_equal(sluice_value_tag(full.value, 0), "red");
    assert_string_equal(sluice_value_tag(full.value, 1), "green");
    assert_null(sluice_value_tag(full.value, 2));
    assert_int_equal(full.age_ms, 150);
    assert_int_equal(full.ttl_ms, TTL_MS - 150);
    sluice_outcome_fini(&full);

    struct sluice_outcome plain = look(fixture, "plain");
    assert_int_equal(sluice_value_size(plain.value), 0);
    assert_null(sluice_value_content_type(plain.value));
    assert_null(sluice_value_etag(plain.value));
    assert_null(sluice_value_tag(plain.value, 0));
    assert_int_equal(plain.ttl_ms, SLUICE_NEVER);
    sluice_outcome_fini(&plain);

    sluice_invalidate_tag(fixture->cache, "green", NULL);
    fixture_expect_absent(fixture, "full");
}

static void an_empty_cache_is_saved_and_loaded(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    save(fixture, 0);
    load(fixture, 0);
    assert_int_equal(fixture_stats(fixture).entries, 0);
}

static void thousands_of_values_in_many_shards_come_back(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 16;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 5000);
    save(fixture, 5000);
    fixture->options.shards = 2;
    fixture_reopen(fixture);
    load(fixture, 5000);
    assert_int_equal(count_present(fixture, 0, 5000), 5000);
    assert_int_equal(fixture_stats(fixture).entries, 5000);
    assert_int_equal(fixture_stats(fixture).puts, 0);
}

static void a_value_larger_than_any_buffer_comes_back(void **state)
{
    struct fixture *fixture = *state;
    static char bytes[300000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    fixture_open(fixture);
    put_full(fixture, "big", (struct sluice_content){.data = bytes, .size = sizeof bytes, .ttl_ms = SLUICE_NEVER});
    save(fixture, 1);
    fixture_reopen(fixture);
    load(fixture, 1);
    struct sluice_outcome big = look(fixture, "big");
    assert_int_equal(sluice_value_size(big.value), sizeof bytes);
    assert_memory_equal(sluice_value_data(big.value), bytes, sizeof bytes);
    sluice_outcome_fini(&big);
}

static void not_founds_failures_and_loads_in_flight_are_not_saved(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 5000;
    fixture->options.failure_backoff_ms = 5000;
    fixture_open(fixture);
    call_park(fixture, WAY_ASYNC, "nothing", SLUICE_WAIT_FOREVER);
    call_park(fixture, WAY_ASYNC, "fails", SLUICE_WAIT_FOREVER);
    call_park(fixture, WAY_ASYNC, "flies", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, "why");
    assert_int_equal(fixture_stats(fixture).entries, 2);
    save(fixture, 0);
}

static void rule_3_what_was_invalidated_is_not_saved(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "gone 1", "value");
    fixture_put(fixture, "gone 2", "value");
    fixture_put(fixture, "stays", "value");
    sluice_invalidate_prefix(fixture->cache, "gone", 4, NULL);
    save(fixture, 1);
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

static void the_time_between_counts(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put_ttl(fixture, "dies", "value", TTL_MS);
    fixture_put_ttl(fixture, "lives", "value", TTL_MS + 1);
    save(fixture, 2);
    fixture_reopen(fixture);
    fixture_advance(fixture, TTL_MS);
    assert_int_equal(load(fixture, 1).expired, 1);
    fixture_expect_absent(fixture, "dies");
    fixture_expect_present(fixture, "lives", SLUICE_OK, "value");
    fixture_advance(fixture, 1);
    assert_int_equal(fixture_stats(fixture).entries, 0); /* its timer came */
    fixture_expect_absent(fixture, "lives");
}

static void what_expired_before_is_not_saved(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put_ttl(fixture, "dies", "value", TTL_MS);
    fake_clock_advance(&fixture->clock, TTL_MS);
    save(fixture, 0);
}

static void rule_12_what_is_stale_comes_back_as_far_as_the_loading_cache_allows(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.stale_while_revalidate_ms = 500;
    fixture_open(fixture);
    fixture_put_ttl(fixture, "stale", "old", TTL_MS);
    fixture_advance(fixture, TTL_MS + 100);
    save(fixture, 1);

    fixture->options.stale_while_revalidate_ms = 100; /* over by now */
    fixture_reopen(fixture);
    assert_int_equal(load(fixture, 0).expired, 1);

    fixture->options.stale_while_revalidate_ms = 201;
    fixture_reopen(fixture);
    fixture_advance(fixture, 100);
    load(fixture, 1);
    fixture_expect_stale(fixture, "stale", "old");
    gated_loader_await_calls(fixture->loader, 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    fixture_expect_present(fixture, "stale", SLUICE_OK, "new");
}

static void rule_11_the_refresh_time_comes_back(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    put_full(fixture, "key",
             (struct sluice_content){.data = "old", .size = 3, .ttl_ms = SLUICE_NEVER, .refresh_ms = 300});
    fixture_advance(fixture, 100);
    save(fixture, 1);
    fixture_reopen(fixture);
    fixture_advance(fixture, 100);
    load(fixture, 1);
    fixture_advance(fixture, 99);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    assert_int_equal(fixture_stats(fixture).loads, 0);
    fixture_advance(fixture, 1);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    gated_loader_await_calls(fixture->loader, 1);
    assert_string_equal(sluice_value_data(gated_loader_old_value(fixture->loader, 0)), "old");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
}

static void what_nobody_reads_expires_as_if_the_cache_had_gone_on(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_access_ms = TTL_MS;
    fixture_open(fixture);
    fixture_put(fixture, "read", "value");
    fixture_put(fixture, "unread", "value");
    fixture_advance(fixture, 500);
    fixture_expect_present(fixture, "read", SLUICE_OK, "value");
    fixture_advance(fixture, 100);
    save(fixture, 2);
    fixture_reopen(fixture);
    fixture_advance(fixture, 400);
    assert_int_equal(load(fixture, 1).expired, 1);
    fixture_advance(fixture, 499);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    fixture_advance(fixture, 1);
    fixture_expect_absent(fixture, "read");
}

static void a_wall_clock_that_was_set_back_lengthens_no_life(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put_ttl(fixture, "key", "value", TTL_MS);
    fixture_advance(fixture, 400);
    save(fixture, 1);
    fixture_reopen(fixture);
    atomic_fetch_sub(&fixture->clock.wall_ms, 3600000);
    assert_int_equal(load(fixture, 1).age_ms, 0);
    struct sluice_outcome outcome = look(fixture, "key");
    assert_int_equal(outcome.ttl_ms, TTL_MS - 400);
    assert_int_equal(outcome.age_ms, 400);
    sluice_outcome_fini(&outcome);
}

static void a_file_from_far_ahead_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_saved what;
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");
    save(fixture, 1);
    fixture_reopen(fixture);
    atomic_fetch_sub(&fixture->clock.wall_ms, INT64_C(86400001));
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_FUTURE);
    assert_int_equal(fixture_stats(fixture).entries, 0);
    atomic_fetch_add(&fixture->clock.wall_ms, 1);
    load(fixture, 1);
}

/* ---- bounds of the loading cache --------------------------------------------------------------------------------- */

static void what_is_over_the_bounds_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "key", "four");
    fixture_put(fixture, "long key", "four");
    fixture_put(fixture, "big", "fives");
    save(fixture, 3);
    fixture->options.key_size_max = 3;
    fixture->options.value_size_max = 4;
    fixture_reopen(fixture);
    assert_int_equal(load(fixture, 1).too_large, 2);
    fixture_expect_present(fixture, "key", SLUICE_OK, "four");
    assert_int_equal(fixture_stats(fixture).entries, 1);
}

static void a_smaller_cache_keeps_the_hottest(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 4;
    fixture->options.maximum_entries = 4000;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 2000);
    assert_int_equal(count_present(fixture, 500, 500), 500); /* hit: these are hot */
    save(fixture, 2000);

    fixture->options.maximum_entries = 500;
    fixture_reopen(fixture);
    assert_int_equal(load(fixture, 500).no_room, 1500);
    assert_int_equal(fixture_stats(fixture).evicted, 0);
    assert_true(count_present(fixture, 500, 500) >= 490); /* those of one class of heat are told apart by their place */
}

static void what_is_loaded_hot_is_evicted_last(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture->options.maximum_entries = 1000;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 1000);
    assert_int_equal(count_present(fixture, 0, 100), 100);
    save(fixture, 1000);
    fixture_reopen(fixture);
    load(fixture, 1000);
    numbers_put_themselves(fixture->cache, 1000, 900);
    assert_int_equal(fixture_stats(fixture).evicted, 900);
    assert_int_equal(count_present(fixture, 0, 100), 100);
}

static void what_is_in_the_cache_does_not_give_way(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 100;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 0, 100);
    save(fixture, 100);
    fixture_reopen(fixture);
    numbers_put_themselves(fixture->cache, 1000, 60);
    assert_int_equal(load(fixture, 40).no_room, 60);
    assert_int_equal(count_present(fixture, 1000, 60), 60);
    assert_int_equal(fixture_stats(fixture).evicted, 0);
}

static void a_cache_bounded_by_weight_takes_what_fits(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    numbers_put_themselves(fixture->cache, 100, 100);
    save(fixture, 100);
    fixture->options.maximum_weight = 10 * (SLUICE_ENTRY_OVERHEAD + 6) + 5;
    fixture_reopen(fixture);
    assert_int_equal(load(fixture, 10).no_room, 90);
    assert_int_equal(fixture_stats(fixture).weight, 10 * (SLUICE_ENTRY_OVERHEAD + 6));
}

static uint64_t weigh_size(void *self, const void *key, size_t key_size, const struct sluice_value *value)
{
    (void)self, (void)key, (void)key_size;
    return sluice_value_size(value);
}

static void the_loading_caches_weigher_weighs(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "pinned", "");
    fixture_put(fixture, "light", "123");
    fixture_put(fixture, "heavy", "12345678901");
    save(fixture, 3);
    fixture->options.maximum_weight = 10;
    fixture->options.weigher.weigh = weigh_size;
    fixture_reopen(fixture);
    assert_int_equal(load(fixture, 2).no_room, 1);
    assert_int_equal(fixture_stats(fixture).weight, 3);
    fixture_put(fixture, "filler", "1234567890"); /* takes all there is to be had */
    fixture_expect_present(fixture, "pinned", SLUICE_OK, "");
    fixture_expect_absent(fixture, "light");
}

static void what_is_pinned_comes_back_where_the_rest_has_no_room(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture_open(fixture);
    fixture_put(fixture, "pinned", "");
    fixture_put(fixture, "old", "12345");
    fixture_put(fixture, "new", "12345"); /* hotter than both */
    save(fixture, 3);
    fixture->options.maximum_weight = 5;
    fixture->options.weigher.weigh = weigh_size;
    fixture_reopen(fixture);
    assert_int_equal(load(fixture, 2).no_room, 1);
    fixture_expect_present(fixture, "pinned", SLUICE_OK, "");
    fixture_expect_present(fixture, "new", SLUICE_OK, "12345");
}

/* ---- the cache that is loaded into ------------------------------------------------------------------------------- */

static void keys_that_have_an_answer_or_a_load_keep_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 5000;
    fixture_open(fixture);
    static const char *const keys[] = {"stored", "nothing", "flies", "free"};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        fixture_put(fixture, keys[i], "of the file");
    save(fixture, 4);
    fixture_reopen(fixture);
    fixture_put(fixture, "stored", "newer");
    call_park(fixture, WAY_ASYNC, "nothing", SLUICE_WAIT_FOREVER);
    struct call *call = call_park(fixture, WAY_ASYNC, "flies", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);

    assert_int_equal(load(fixture, 1).present, 3);
    fixture_expect_present(fixture, "stored", SLUICE_OK, "newer");
    fixture_expect_present(fixture, "nothing", SLUICE_NOT_FOUND, NULL);
    fixture_expect_present(fixture, "free", SLUICE_OK, "of the file");
    assert_false(call_done(call));
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "loaded");
    call_expect(call, SLUICE_OK, "loaded");
    fixture_expect_present(fixture, "flies", SLUICE_OK, "loaded");
}

static void rule_18_a_closed_cache_is_saved_but_not_loaded(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_saved what;
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");
    sluice_cache_close(fixture->cache);
    save(fixture, 1);
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, &what), SLUICE_CLOSED);
    fixture_reopen(fixture);
    sluice_cache_close(fixture->cache);
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, NULL), SLUICE_CLOSED);
    assert_int_equal(fixture_stats(fixture).entries, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_value_comes_back_with_all_that_it_had),
        FIXTURE_TEST(an_empty_cache_is_saved_and_loaded),
        FIXTURE_TEST(thousands_of_values_in_many_shards_come_back),
        FIXTURE_TEST(a_value_larger_than_any_buffer_comes_back),
        FIXTURE_TEST(not_founds_failures_and_loads_in_flight_are_not_saved),
        FIXTURE_TEST(rule_3_what_was_invalidated_is_not_saved),
        FIXTURE_TEST(the_time_between_counts),
        FIXTURE_TEST(what_expired_before_is_not_saved),
        FIXTURE_TEST(rule_12_what_is_stale_comes_back_as_far_as_the_loading_cache_allows),
        FIXTURE_TEST(rule_11_the_refresh_time_comes_back),
        FIXTURE_TEST(what_nobody_reads_expires_as_if_the_cache_had_gone_on),
        FIXTURE_TEST(a_wall_clock_that_was_set_back_lengthens_no_life),
        FIXTURE_TEST(a_file_from_far_ahead_is_refused),
        FIXTURE_TEST(what_is_over_the_bounds_is_left_out),
        FIXTURE_TEST(a_smaller_cache_keeps_the_hottest),
        FIXTURE_TEST(what_is_loaded_hot_is_evicted_last),
        FIXTURE_TEST(what_is_in_the_cache_does_not_give_way),
        FIXTURE_TEST(a_cache_bounded_by_weight_takes_what_fits),
        FIXTURE_TEST(the_loading_caches_weigher_weighs),
        FIXTURE_TEST(what_is_pinned_comes_back_where_the_rest_has_no_room),
        FIXTURE_TEST(keys_that_have_an_answer_or_a_load_keep_it),
        FIXTURE_TEST(rule_18_a_closed_cache_is_saved_but_not_loaded),
    };
    SAVED_MAIN(tests);
}
