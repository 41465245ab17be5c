/* SPDX-License-Identifier: MIT */
/* options_test.c: each wrong option, and each wrong pair of them, is refused in words that name it. */
#include "fixture.h"

#define SPAN_MS_MAX       (INT64_MAX / 4)

#define EXPIRE_WORDS      "expire_after_write_ms must be at least 0, or SLUICE_NEVER"
#define ACCESS_WORDS      "expire_after_access_ms must be at least 1, or SLUICE_NEVER"
#define JITTER_WORDS      "expiry_jitter_percent must be 0 to 50"
#define NOT_FOUND_WORDS   "not_found_ttl_ms must be at least 0, or SLUICE_NEVER"
#define BACKOFF_WORDS     "failure_backoff_ms must be at least 0"
#define BACKOFF_MAX_WORDS "failure_backoff_max_ms must be at least 0"
#define BACKOFF_PAIR      "failure_backoff_ms must not be over failure_backoff_max_ms"
#define LOAD_WORDS        "load_timeout_ms must be at least 1, or SLUICE_NEVER"
#define REFRESH_WORDS     "refresh_after_write_ms must be at least 1, or SLUICE_NEVER"
#define EARLY_WORDS       "refresh_early_percent must be 0 to 10000"
#define REVALIDATE_WORDS  "stale_while_revalidate_ms must be at least 0, or SLUICE_NEVER"
#define IF_ERROR_WORDS    "stale_if_error_ms must be at least 0, or SLUICE_NEVER"
#define BACKGROUND_WORDS  "background_threads_max must be 1 to 64"
#define WAIT_WORDS        "stale_after_wait_ms must be at least 1, or SLUICE_NEVER"
#define WAIT_PAIR         "stale_after_wait_ms needs stale_if_error_ms"
#define WINDOW_WORDS      "batch_window_ms must be at least 0"
#define WINDOW_PAIR       "batch_window_ms needs a loader with load_many"
#define STALE_PAIR        "stale_if_error_ms must not be under stale_while_revalidate_ms, which would always come before it"
#define STALE_NEVER_PAIR  "stale_if_error_ms has no effect with a stale_while_revalidate_ms of SLUICE_NEVER"
#define BATCH_SIZE_WORDS  "batch_size_max must be at least 1"
#define KEY_WORDS         "key_size_max must be 1 to 65535"
#define VALUE_WORDS       "value_size_max must be 1 to 2147483647"
#define LOADS_WORDS       "loads_max must be at least 1"
#define PER_KEY_WORDS     "waiters_per_key_max must be at least 1"
#define WAITERS_WORDS     "waiters_max must be 1 to 2^30"
#define WEIGHT_WORDS      "maximum_weight must be at most 2^52"
#define SHARDS_WORDS      "shards must be a power of two up to 256, or 0"

/* One option with a value of its own, the others as they are by default. */
static const struct change {
    size_t offset;
    size_t size; /* of the member */
    int64_t value;
    const char *fault; /* NULL: valid */
} changes[] = {
#define CHANGE(member, value, fault)                                                                                   \
    {                                                                                                                  \
        offsetof(struct sluice_options, member), sizeof(((struct sluice_options *)NULL)->member), value, fault         \
    }
    CHANGE(expire_after_write_ms, -2, EXPIRE_WORDS),
    CHANGE(expire_after_write_ms, SPAN_MS_MAX + 1, EXPIRE_WORDS),
    CHANGE(expire_after_write_ms, 0, NULL),
    CHANGE(expire_after_write_ms, SLUICE_NEVER, NULL),
    CHANGE(expire_after_write_ms, SPAN_MS_MAX, NULL),
    CHANGE(expire_after_access_ms, -2, ACCESS_WORDS),
    CHANGE(expire_after_access_ms, 0, ACCESS_WORDS),
    CHANGE(expire_after_access_ms, SPAN_MS_MAX + 1, ACCESS_WORDS),
    CHANGE(expire_after_access_ms, 1, NULL),
    CHANGE(expire_after_access_ms, SPAN_MS_MAX, NULL),
    CHANGE(expiry_jitter_percent, 51, JITTER_WORDS),
    CHANGE(expiry_jitter_percent, UINT32_MAX, JITTER_WORDS),
    CHANGE(expiry_jitter_percent, 50, NULL),
    CHANGE(not_found_ttl_ms, -2, NOT_FOUND_WORDS),
    CHANGE(not_found_ttl_ms, SPAN_MS_MAX + 1, NOT_FOUND_WORDS),
    CHANGE(not_found_ttl_ms, SLUICE_NEVER, NULL),
    CHANGE(failure_backoff_ms, SLUICE_NEVER, BACKOFF_WORDS),
    CHANGE(failure_backoff_ms, SPAN_MS_MAX + 1, BACKOFF_WORDS),
    CHANGE(failure_backoff_ms, 65536, BACKOFF_PAIR),
    CHANGE(failure_backoff_max_ms, SLUICE_NEVER, BACKOFF_MAX_WORDS),
    CHANGE(failure_backoff_max_ms, SPAN_MS_MAX + 1, BACKOFF_MAX_WORDS),
    CHANGE(failure_backoff_max_ms, 0, NULL),
    CHANGE(load_timeout_ms, -2, LOAD_WORDS),
    CHANGE(load_timeout_ms, 0, LOAD_WORDS),
    CHANGE(load_timeout_ms, SPAN_MS_MAX + 1, LOAD_WORDS),
    CHANGE(load_timeout_ms, 1, NULL),
    CHANGE(refresh_after_write_ms, -2, REFRESH_WORDS),
    CHANGE(refresh_after_write_ms, 0, REFRESH_WORDS),
    CHANGE(refresh_after_write_ms, SPAN_MS_MAX + 1, REFRESH_WORDS),
    CHANGE(refresh_after_write_ms, 1, NULL),
    CHANGE(refresh_early_percent, 10001, EARLY_WORDS),
    CHANGE(refresh_early_percent, UINT32_MAX, EARLY_WORDS),
    CHANGE(refresh_early_percent, 10000, NULL),
    CHANGE(stale_while_revalidate_ms, -2, REVALIDATE_WORDS),
    CHANGE(stale_while_revalidate_ms, SPAN_MS_MAX + 1, REVALIDATE_WORDS),
    CHANGE(stale_while_revalidate_ms, SLUICE_NEVER, NULL),
    CHANGE(stale_if_error_ms, -2, IF_ERROR_WORDS),
    CHANGE(stale_if_error_ms, SPAN_MS_MAX + 1, IF_ERROR_WORDS),
    CHANGE(stale_if_error_ms, SLUICE_NEVER, NULL),
    CHANGE(stale_after_wait_ms, -2, WAIT_WORDS),
    CHANGE(stale_after_wait_ms, 0, WAIT_WORDS),
    CHANGE(stale_after_wait_ms, SPAN_MS_MAX + 1, WAIT_WORDS),
    CHANGE(stale_after_wait_ms, 1, WAIT_PAIR),
    CHANGE(batch_window_ms, -1, WINDOW_WORDS),
    CHANGE(batch_window_ms, 1, WINDOW_PAIR),
    CHANGE(batch_size_max, 0, BATCH_SIZE_WORDS),
    CHANGE(batch_size_max, 1, NULL),
    CHANGE(background_threads_max, 0, BACKGROUND_WORDS),
    CHANGE(background_threads_max, 65, BACKGROUND_WORDS),
    CHANGE(background_threads_max, 1, NULL),
    CHANGE(background_threads_max, 64, NULL),
    CHANGE(key_size_max, 0, KEY_WORDS),
    CHANGE(key_size_max, 65536, KEY_WORDS),
    CHANGE(key_size_max, 1, NULL),
    CHANGE(key_size_max, 65535, NULL),
    CHANGE(value_size_max, 0, VALUE_WORDS),
    CHANGE(value_size_max, INT64_C(2147483648), VALUE_WORDS),
    CHANGE(value_size_max, 1, NULL),
    CHANGE(value_size_max, 2147483647, NULL),
    CHANGE(loads_max, 0, LOADS_WORDS),
    CHANGE(loads_max, 1, NULL),
    CHANGE(waiters_per_key_max, 0, PER_KEY_WORDS),
    CHANGE(waiters_per_key_max, 1, NULL),
    CHANGE(waiters_max, 0, WAITERS_WORDS),
    CHANGE(waiters_max, (1 << 30) + 1, WAITERS_WORDS),
    CHANGE(waiters_max, 1, NULL),
    CHANGE(waiters_max, 1 << 30, NULL),
    CHANGE(shards, 3, SHARDS_WORDS),
    CHANGE(shards, 512, SHARDS_WORDS),
    CHANGE(shards, 1, NULL),
    CHANGE(shards, 256, NULL),
    CHANGE(maximum_entries, 1, NULL),
    CHANGE(maximum_weight, 1, NULL),
    CHANGE(maximum_weight, INT64_C(1) << 52, NULL),
    CHANGE(maximum_weight, (INT64_C(1) << 52) + 1, WEIGHT_WORDS),
    CHANGE(maximum_weight, -1, WEIGHT_WORDS),
#undef CHANGE
};

static void change_apply(const struct change *change, struct sluice_options *options)
{
    void *member = (char *)options + change->offset;
    unsigned narrow = (unsigned)change->value;
    if (change->size == sizeof narrow)
        memcpy(member, &narrow, sizeof narrow);
    else if (change->size == sizeof change->value)
        memcpy(member, &change->value, sizeof change->value);
    else
        fail_msg("a member of %zu bytes", change->size);
}

/* These options are refused in these words, or taken (NULL). */
static void expect_fault(const struct sluice_options *options, const char *words)
{
    struct sluice_cache *cache = NULL;
    const char *fault = sluice_options_fault(options);
    enum sluice_error error = sluice_cache_create(options, &cache);

    if (words == NULL) {
        assert_null(fault);
        assert_int_equal(error, SLUICE_OK);
        assert_non_null(cache);
    } else {
        assert_non_null(fault);
        assert_string_equal(fault, words);
        assert_int_equal(error, SLUICE_INVALID);
        assert_null(cache);
    }
    sluice_cache_destroy(cache);
}

static void each_option_is_refused_outside_its_bounds_and_taken_at_them(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct sluice_options options = fixture->options;
        change_apply(&changes[i], &options);
        expect_fault(&options, changes[i].fault);
    }
}

static void the_defaults_are_valid_but_for_the_loader_that_is_missing(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_options options = SLUICE_OPTIONS_INIT;

    expect_fault(&options, "loader.load or loader.load_many is required");
    options.loader = fixture->options.loader;
    expect_fault(&options, NULL);
}

static void two_maximums_are_refused(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.maximum_entries = 10;
    fixture->options.maximum_weight = 10000;
    expect_fault(&fixture->options, "maximum_entries and maximum_weight can't both be set");
}

static uint64_t weigh_one(void *self, const void *key, size_t key_size, const struct sluice_value *value)
{
    (void)self, (void)key, (void)key_size, (void)value;
    return 1;
}

static void a_weigher_needs_a_maximum_for_its_weights(void **state)
{
    struct fixture *fixture = *state;
    static const char words[] = "weigher needs maximum_weight, which is what its weights count against";

    fixture->options.weigher.weigh = weigh_one;
    expect_fault(&fixture->options, words);
    fixture->options.maximum_entries = 10;
    expect_fault(&fixture->options, words);
    fixture->options.maximum_entries = 0;
    fixture->options.maximum_weight = 10;
    expect_fault(&fixture->options, NULL);
}

static void a_first_backoff_is_at_most_the_cap_of_them(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.failure_backoff_ms = 10;
    fixture->options.failure_backoff_max_ms = 9;
    expect_fault(&fixture->options, BACKOFF_PAIR);
    fixture->options.failure_backoff_max_ms = 10;
    expect_fault(&fixture->options, NULL);
}

static void stale_if_error_is_refused_where_a_reload_behind_the_get_always_comes_first(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.stale_while_revalidate_ms = 10;
    fixture->options.stale_if_error_ms = 9;
    expect_fault(&fixture->options, STALE_PAIR);
    fixture->options.stale_if_error_ms = 10;
    expect_fault(&fixture->options, NULL);
    fixture->options.stale_while_revalidate_ms = SLUICE_NEVER;
    expect_fault(&fixture->options, STALE_NEVER_PAIR);
    fixture->options.stale_if_error_ms = SLUICE_NEVER;
    expect_fault(&fixture->options, NULL);
    fixture->options.stale_if_error_ms = 0;
    expect_fault(&fixture->options, NULL);
    fixture->options.stale_while_revalidate_ms = 10;
    expect_fault(&fixture->options, NULL);
}

static void options_are_copied_by_create(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.key_size_max = 3;
    fixture_open(fixture);

    memset(&fixture->options, 0, sizeof fixture->options);
    fixture_put(fixture, "key", "value");
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_option_is_refused_outside_its_bounds_and_taken_at_them),
        FIXTURE_TEST(the_defaults_are_valid_but_for_the_loader_that_is_missing),
        FIXTURE_TEST(two_maximums_are_refused),
        FIXTURE_TEST(a_weigher_needs_a_maximum_for_its_weights),
        FIXTURE_TEST(a_first_backoff_is_at_most_the_cap_of_them),
        FIXTURE_TEST(stale_if_error_is_refused_where_a_reload_behind_the_get_always_comes_first),
        FIXTURE_TEST(options_are_copied_by_create),
    };
    FIXTURE_MAIN(tests);
}
