/* SPDX-License-Identifier: MIT */
/* invalidate_entry_test.c: what an invalidation takes of the entries that are stored, and what it says it took (rule
 * 3). */
#include "call.h"

static void rule_3_a_key_is_gone_and_counted_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int how = 0; how < INVALIDATIONS; how++) {
        fixture_put(fixture, "key", "value");
        struct sluice_invalidated gone = fixture_invalidate(fixture, (enum invalidation)how, "key");
        assert_int_equal(gone.entries, 1);
        assert_int_equal(gone.loads, 0);
        fixture_expect_absent(fixture, "key");
        assert_int_equal(fixture_stats(fixture).entries, 0);
        assert_int_equal(fixture_stats(fixture).weight, 0);
        gone = fixture_invalidate(fixture, (enum invalidation)how, "key");
        assert_int_equal(gone.entries, 0);
        assert_int_equal(gone.loads, 0);
    }
    assert_int_equal(fixture_stats(fixture).invalidated, INVALIDATIONS);
}

static void rule_3_the_next_get_loads_again(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    fixture_expect_get(fixture, "key", SLUICE_OK, "key#1", SLUICE_SOURCE_LOAD);
    for (int how = 0; how < INVALIDATIONS; how++) {
        char text[16];
        snprintf(text, sizeof text, "key#%d", how + 2);
        fixture_invalidate(fixture, (enum invalidation)how, "key");
        fixture_expect_get(fixture, "key", SLUICE_OK, text, SLUICE_SOURCE_LOAD);
        fixture_expect_get(fixture, "key", SLUICE_OK, text, SLUICE_SOURCE_HIT);
    }
}

static void rule_3_a_list_takes_each_of_its_keys_and_no_other(void **state)
{
    static const struct sluice_key keys[] = {{"a", 1}, {"c", 1}, {"unknown", 7}, {"a", 1}, {"e", 1}};
    static const char *const all[] = {"a", "b", "c", "d", "e"};
    struct fixture *fixture = *state;
    struct sluice_invalidated gone = {99, 99};
    fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        fixture_put(fixture, all[i], "value");

    sluice_invalidate_keys(fixture->cache, NULL, 0, &gone);
    assert_int_equal(gone.entries, 0);
    assert_int_equal(gone.loads, 0);
    struct call *call = call_park(fixture, WAY_ASYNC, "unknown", SLUICE_WAIT_FOREVER);
    sluice_invalidate_keys(fixture->cache, keys, COUNT_OF(keys), &gone);
    assert_int_equal(gone.entries, 3);
    assert_int_equal(gone.loads, 1);
    fixture_expect_absent(fixture, "a");
    fixture_expect_present(fixture, "b", SLUICE_OK, "value");
    fixture_expect_absent(fixture, "c");
    fixture_expect_present(fixture, "d", SLUICE_OK, "value");
    fixture_expect_absent(fixture, "e");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    call_expect(call, SLUICE_OK, "old");
}

static void put_bytes(struct fixture *fixture, const char *key, size_t key_size)
{
    const struct sluice_content content = {.data = "value", .size = 5, .ttl_ms = SLUICE_TTL_DEFAULT};
    assert_int_equal(sluice_put(fixture->cache, key, key_size, &content), SLUICE_OK);
}

static bool present_bytes(struct fixture *fixture, const char *key, size_t key_size)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    enum sluice_error error = sluice_get_if_present(fixture->cache, key, key_size, &outcome);
    sluice_outcome_fini(&outcome);
    return error == SLUICE_OK;
}

static void rule_3_a_prefix_is_compared_byte_by_byte(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_invalidated gone;
    fixture_open(fixture);
    put_bytes(fixture, "a\0b", 3);
    put_bytes(fixture, "a\0bc", 4);
    put_bytes(fixture, "a\0", 2);
    put_bytes(fixture, "a", 1);
    put_bytes(fixture, "ab", 2);
    put_bytes(fixture, "ba\0b", 4);

    sluice_invalidate_prefix(fixture->cache, "a\0b", 3, &gone);
    assert_int_equal(gone.entries, 2);
    assert_false(present_bytes(fixture, "a\0b", 3));
    assert_false(present_bytes(fixture, "a\0bc", 4));
    assert_true(present_bytes(fixture, "a\0", 2));
    assert_true(present_bytes(fixture, "a", 1));
    assert_true(present_bytes(fixture, "ab", 2));
    assert_true(present_bytes(fixture, "ba\0b", 4));
}

static void rule_3_an_empty_prefix_is_every_key(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_invalidated gone;
    fixture_open(fixture);
    for (int i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        fixture_put(fixture, key, "value");
    }
    struct call *call = call_park(fixture, WAY_ASYNC, "in flight", SLUICE_WAIT_FOREVER);

    sluice_invalidate_prefix(fixture->cache, NULL, 0, &gone);
    assert_int_equal(gone.entries, 500);
    assert_int_equal(gone.loads, 1);
    assert_int_equal(fixture_stats(fixture).entries, 0);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "old");
    call_expect(call, SLUICE_OK, "old");
    fixture_expect_absent(fixture, "in flight");
}

static void rule_3_what_is_remembered_besides_values_goes_too(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = 1000;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    for (int how = 0; how < INVALIDATIONS; how++)
        for (int ending = ENDING_NOT_FOUND; ending <= ENDING_FAILURE; ending++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
            gated_loader_end(fixture->loader, number, (enum ending)ending, "why");
            call_await(call);
            assert_int_equal(fixture_stats(fixture).entries, 1);
            assert_int_equal(fixture_invalidate(fixture, (enum invalidation)how, "key").entries, 1);
            fixture_expect_absent(fixture, "key");
        }
}

static void rule_3_expired_entries_are_counted_as_gone(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = 100;
    fixture_open(fixture);

    for (int how = 0; how < INVALIDATIONS; how++) {
        fixture_put(fixture, "key", "value");
        fake_clock_advance(&fixture->clock, 200); /* expired, and not yet reclaimed: there was no tick */
        assert_int_equal(fixture_invalidate(fixture, (enum invalidation)how, "key").entries, 1);
        assert_int_equal(fixture_stats(fixture).entries, 0);
    }
}

static void rule_3_never_fails_whatever_the_key(void **state)
{
    static char huge[70000];
    struct fixture *fixture = *state;
    struct sluice_invalidated gone = {99, 99};
    fixture->options.key_size_max = 8;
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");

    sluice_invalidate(fixture->cache, huge, sizeof huge, &gone);
    assert_int_equal(gone.entries, 0);
    assert_int_equal(gone.loads, 0);
    sluice_invalidate(fixture->cache, "", 0, &gone);
    assert_int_equal(gone.entries, 0);
    sluice_invalidate_prefix(fixture->cache, huge, sizeof huge, &gone);
    assert_int_equal(gone.entries, 0);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    sluice_invalidate(fixture->cache, "key", 3, NULL);
    sluice_invalidate_keys(fixture->cache, &(struct sluice_key){"key", 3}, 1, NULL);
    sluice_invalidate_prefix(fixture->cache, "k", 1, NULL);
    sluice_invalidate_all(fixture->cache, NULL);
    fixture_expect_absent(fixture, "key");
}

static void rule_3_a_value_put_after_it_stays(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int how = 0; how < INVALIDATIONS; how++) {
        fixture_put(fixture, "key", "before");
        fixture_invalidate(fixture, (enum invalidation)how, "key");
        fixture_put(fixture, "key", "after");
        fixture_advance(fixture, 10000); /* what a clear left behind is reclaimed here; not this */
        fixture_expect_present(fixture, "key", SLUICE_OK, "after");
        assert_int_equal(fixture_stats(fixture).entries, 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_3_a_key_is_gone_and_counted_once),
        FIXTURE_TEST(rule_3_the_next_get_loads_again),
        FIXTURE_TEST(rule_3_a_list_takes_each_of_its_keys_and_no_other),
        FIXTURE_TEST(rule_3_a_prefix_is_compared_byte_by_byte),
        FIXTURE_TEST(rule_3_an_empty_prefix_is_every_key),
        FIXTURE_TEST(rule_3_what_is_remembered_besides_values_goes_too),
        FIXTURE_TEST(rule_3_expired_entries_are_counted_as_gone),
        FIXTURE_TEST(rule_3_never_fails_whatever_the_key),
        FIXTURE_TEST(rule_3_a_value_put_after_it_stays),
    };
    FIXTURE_MAIN(tests);
}
