/* SPDX-License-Identifier: MIT */
/* keys_test.c: keys are bytes, any of them, within a limit (rule 10). */
#include "fixture.h"

#include <stdlib.h>

static enum sluice_error put_key(struct fixture *fixture, const void *key, size_t size, const char *text)
{
    const struct sluice_content content = {.data = text, .size = strlen(text), .ttl_ms = SLUICE_TTL_DEFAULT};
    return sluice_put(fixture->cache, key, size, &content);
}

/* What the key holds: its text, to be freed, or NULL. */
static char *text_of(struct fixture *fixture, const void *key, size_t size)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    char *text = NULL;
    if (sluice_get_if_present(fixture->cache, key, size, &outcome) == SLUICE_OK) {
        text = strdup(sluice_value_data(outcome.value));
        assert_non_null(text);
    }
    sluice_outcome_fini(&outcome);
    return text;
}

static void expect_text(struct fixture *fixture, const void *key, size_t size, const char *expected)
{
    char *text = text_of(fixture, key, size);
    if (expected == NULL) {
        assert_null(text);
    } else {
        assert_non_null(text);
        assert_string_equal(text, expected);
    }
    free(text);
}

static void a_key_may_hold_any_byte(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (unsigned byte = 0; byte < 256; byte++) {
        const unsigned char key[3] = {'k', (unsigned char)byte, 'y'};
        char text[8];
        snprintf(text, sizeof text, "%u", byte);
        assert_int_equal(put_key(fixture, key, sizeof key, text), SLUICE_OK);
        assert_int_equal(put_key(fixture, &key[1], 1, text), SLUICE_OK);
    }
    assert_int_equal(fixture_stats(fixture).entries, 2 * 256);
    for (unsigned byte = 0; byte < 256; byte++) {
        const unsigned char key[3] = {'k', (unsigned char)byte, 'y'};
        char text[8];
        snprintf(text, sizeof text, "%u", byte);
        expect_text(fixture, key, sizeof key, text);
        expect_text(fixture, &key[1], 1, text);
    }
}

static void keys_that_differ_only_behind_a_nul_are_different_keys(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    assert_int_equal(put_key(fixture, "a", 1, "a"), SLUICE_OK);
    assert_int_equal(put_key(fixture, "a\0", 2, "a0"), SLUICE_OK);
    assert_int_equal(put_key(fixture, "a\0b", 3, "a0b"), SLUICE_OK);
    assert_int_equal(put_key(fixture, "a\0c", 3, "a0c"), SLUICE_OK);
    expect_text(fixture, "a", 1, "a");
    expect_text(fixture, "a\0", 2, "a0");
    expect_text(fixture, "a\0b", 3, "a0b");
    expect_text(fixture, "a\0c", 3, "a0c");

    struct sluice_invalidated gone;
    sluice_invalidate(fixture->cache, "a\0b", 3, &gone);
    assert_int_equal(gone.entries, 1);
    expect_text(fixture, "a\0b", 3, NULL);
    expect_text(fixture, "a\0c", 3, "a0c");
    sluice_invalidate_prefix(fixture->cache, "a\0", 2, &gone);
    assert_int_equal(gone.entries, 2);
    expect_text(fixture, "a", 1, "a");
}

static void a_load_of_a_key_with_a_nul_is_told_all_of_it(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    struct sluice_outcome outcome;
    assert_int_equal(sluice_get_outcome(fixture->cache, "x\0y", 3, 0, &outcome), SLUICE_TIMED_OUT);
    char key[8] = "........";
    assert_int_equal(gated_loader_key(fixture->loader, 0, key, sizeof key), 3);
    assert_memory_equal(key, "x\0y.", 4);
    assert_int_equal(sluice_get_outcome(fixture->cache, "x\0z", 3, 0, &outcome), SLUICE_TIMED_OUT);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "of z");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "of y");
    expect_text(fixture, "x\0y", 3, "of y");
    expect_text(fixture, "x\0z", 3, "of z");
}

static void never_called(void *arg, const struct sluice_outcome *outcome)
{
    (void)outcome;
    *(bool *)arg = true;
}

/* Every call that takes a key refuses one of this size at once, and the loader never hears of it. */
static void expect_refused(struct fixture *fixture, const void *key, size_t size)
{
    struct sluice_outcome outcome;
    struct sluice_value *value = NULL;
    struct sluice_invalidated gone = {99, 99};
    struct sluice_stats before = fixture_stats(fixture);
    bool called = false;
    const struct sluice_async_get get = {
        .key = key, .key_size = size, .timeout_ms = SLUICE_WAIT_FOREVER, .callback = never_called, .arg = &called};

    assert_int_equal(sluice_get(fixture->cache, key, size, 0, &value), SLUICE_KEY_SIZE);
    assert_null(value);
    assert_int_equal(sluice_get_outcome(fixture->cache, key, size, 0, &outcome), SLUICE_KEY_SIZE);
    fixture_expect_outcome(&outcome, SLUICE_KEY_SIZE, NULL);
    assert_int_equal(outcome.source, SLUICE_SOURCE_NONE);
    assert_int_equal(sluice_get_if_present(fixture->cache, key, size, &outcome), SLUICE_KEY_SIZE);
    assert_int_equal(sluice_get_async(fixture->cache, &get, &outcome, NULL), SLUICE_KEY_SIZE);
    assert_int_equal(put_key(fixture, key, size, "value"), SLUICE_KEY_SIZE);
    sluice_invalidate(fixture->cache, key, size, &gone);
    assert_int_equal(gone.entries + gone.loads, 0);

    struct sluice_stats after = fixture_stats(fixture);
    assert_false(called);
    assert_int_equal(after.gets, before.gets + 4);
    assert_int_equal(after.refused, before.refused + 4);
    assert_int_equal(after.loads, before.loads);
    assert_int_equal(after.puts, before.puts);
    assert_int_equal(after.entries, before.entries);
}

static void rule_10_an_empty_key_and_one_over_the_limit_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const size_t limits[] = {1, 16, 4096, 65535};
    char *key = calloc(1, 65536);
    assert_non_null(key);

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        fixture->options.key_size_max = limits[i];
        fixture_open(fixture);
        assert_int_equal(put_key(fixture, key, limits[i], "longest"), SLUICE_OK);
        expect_text(fixture, key, limits[i], "longest");
        expect_refused(fixture, key, limits[i] + 1);
        expect_refused(fixture, key, 0);
        expect_refused(fixture, NULL, 0);
        expect_text(fixture, key, limits[i], "longest");
        fixture_destroy_cache(fixture);
    }
    free(key);
}

static void a_key_is_copied_by_the_call(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    char key[] = "key";
    struct sluice_outcome outcome;
    assert_int_equal(put_key(fixture, key, 3, "put"), SLUICE_OK);
    memcpy(key, "yek", 3);
    assert_int_equal(sluice_get_outcome(fixture->cache, key, 3, 0, &outcome), SLUICE_TIMED_OUT);
    memcpy(key, "###", 3);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "loaded");
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
    fixture_expect_present(fixture, "yek", SLUICE_OK, "loaded");
    fixture_expect_absent(fixture, "###");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_key_may_hold_any_byte),
        FIXTURE_TEST(keys_that_differ_only_behind_a_nul_are_different_keys),
        FIXTURE_TEST(a_load_of_a_key_with_a_nul_is_told_all_of_it),
        FIXTURE_TEST(rule_10_an_empty_key_and_one_over_the_limit_are_refused),
        FIXTURE_TEST(a_key_is_copied_by_the_call),
    };
    FIXTURE_MAIN(tests);
}
