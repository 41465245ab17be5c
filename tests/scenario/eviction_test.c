/* SPDX-License-Identifier: MIT */
/* eviction_test.c: the cache keeps within its maximum (rule 10), and what is used outlives what is only passed by. */
#include "crowd.h"
#include "numbers.h"
#include "random.h"
#include "storing.h"

#define ENTRIES 100

/* Whether the key is in the table, without being loaded; marks it as used if it is. */
static bool present(struct fixture *fixture, unsigned number)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    enum sluice_error error = sluice_get_if_present(fixture->cache, numbers_key(number), 6, &outcome);
    sluice_outcome_fini(&outcome);
    return error == SLUICE_OK;
}

static enum sluice_error put_size(struct fixture *fixture, unsigned number, size_t size)
{
    static const char bytes[65536];
    struct sluice_content content = SLUICE_CONTENT_INIT;
    content.data = bytes;
    content.size = size;
    return sluice_put(fixture->cache, numbers_key(number), 6, &content);
}

static void rule_10_never_more_entries_than_the_maximum(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned shards[] = {1, 2, 8, 0};

    for (size_t i = 0; i < COUNT_OF(shards); i++) {
        fixture->options.maximum_entries = ENTRIES;
        fixture->options.shards = shards[i];
        fixture_open(fixture);
        gated_loader_set_mode(fixture->loader, GATED_ANSWER);
        for (unsigned number = 0; number < 3 * ENTRIES; number++) {
            if (number % 2)
                assert_int_equal(put_size(fixture, number, number), SLUICE_OK);
            else
                assert_int_equal(call_start(fixture, WAY_ASYNC, numbers_key(number), 0)->outcome.error, SLUICE_OK);
            uint64_t stored = number + 1;
            assert_int_equal(fixture_stats(fixture).entries, stored < ENTRIES ? stored : ENTRIES);
        }
        assert_int_equal(fixture_stats(fixture).evicted, 2 * ENTRIES);
        fixture_destroy_cache(fixture);
    }
}

static void rule_10_never_more_weight_than_the_maximum(void **state)
{
    struct fixture *fixture = *state;
    struct random random;
    uint64_t seed = random_seed();
    random_init(&random, seed);
    fixture->options.maximum_weight = 100000;

    for (unsigned shards = 1; shards <= 16; shards *= 4) {
        fixture->options.shards = shards;
        fixture_open(fixture);
        uint64_t put = 0;
        for (unsigned number = 0; number < 1000; number++) {
            size_t size = random_below(&random, random_below(&random, 8) == 0 ? 60000 : 500);
            assert_int_equal(put_size(fixture, number, size), SLUICE_OK);
            put += size + 6 + SLUICE_ENTRY_OVERHEAD;
            uint64_t weight = fixture_stats(fixture).weight;
            if (weight > 100000)
                fail_msg("SLUICE_SEED=%ju: weight %ju after %u puts", (uintmax_t)seed, (uintmax_t)weight, number);
            if (put <= 100000)
                assert_int_equal(weight, put);
        }
        assert_true(fixture_stats(fixture).evicted > 0);
        fixture_destroy_cache(fixture);
    }
}

static void rule_10_key_value_media_type_etag_and_overhead_all_weigh(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_weight = 3 * (6 + 1000 + SLUICE_ENTRY_OVERHEAD);
    fixture->options.shards = 1;
    fixture_open(fixture);

    for (unsigned number = 0; number < 3; number++)
        assert_int_equal(put_size(fixture, number, 1000), SLUICE_OK);
    assert_int_equal(fixture_stats(fixture).weight, fixture->options.maximum_weight);
    assert_int_equal(fixture_stats(fixture).evicted, 0);
    /* One byte more, and it does not fit. */
    assert_int_equal(put_size(fixture, 2, 1001), SLUICE_OK);
    assert_int_equal(fixture_stats(fixture).evicted, 1);
    assert_false(present(fixture, 0));
    assert_true(present(fixture, 2));

    uint64_t before = fixture_stats(fixture).weight;
    const struct sluice_content content = {
        .data = "v", .size = 1, .ttl_ms = SLUICE_TTL_DEFAULT, .content_type = "text/plain", .etag = "\"tag\""};
    assert_int_equal(sluice_put(fixture->cache, "k", 1, &content), SLUICE_OK);
    assert_in_range(fixture_stats(fixture).weight - before, 2 + SLUICE_ENTRY_OVERHEAD + 10 + 5,
                    2 + SLUICE_ENTRY_OVERHEAD + 10 + 5 + 2);
}

static void rule_10_what_outweighs_the_whole_cache_is_given_but_not_stored(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_weight = 1000;
    fixture_open(fixture);

    char text[900];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    fixture_put(fixture, "small", "value");
    const struct sluice_content heavy = {.data = text, .size = strlen(text), .ttl_ms = SLUICE_TTL_DEFAULT};
    assert_int_equal(sluice_put(fixture->cache, "heavy", 5, &heavy), SLUICE_VALUE_TOO_LARGE);

    struct crowd crowd;
    crowd_park(fixture, &crowd, 4, "heavy", WAY_BLOCKING);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, text);
    crowd_expect(&crowd, SLUICE_OK, text);
    for (size_t i = 0; i < crowd.count; i++)
        assert_false(crowd.calls[i]->outcome.stored);
    fixture_expect_absent(fixture, "heavy");
    fixture_expect_present(fixture, "small", SLUICE_OK, "value");
    assert_int_equal(fixture_stats(fixture).evicted, 0);
}

static void rule_10_remembered_not_founds_and_failures_take_their_place_too(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 10;
    fixture->options.not_found_ttl_ms = SLUICE_NEVER;
    fixture->options.failure_backoff_ms = 60000;
    fixture_open(fixture);

    for (unsigned number = 0; number < 40; number++) {
        call_park(fixture, WAY_ASYNC, numbers_key(number), SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, number, number % 2 ? ENDING_NOT_FOUND : ENDING_FAILURE, "why");
        assert_in_range(fixture_stats(fixture).entries, 1, 10);
    }
    assert_int_equal(fixture_stats(fixture).evicted, 30);
}

/* ---- which entry goes -------------------------------------------------------------------------------------------- */

static void what_is_used_survives_a_scan_of_what_is_not(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = ENTRIES;
    fixture->options.shards = 1;
    fixture_open(fixture);

    /* A tenth of the cache is used again and again; ten times the cache's size is passed through, each key once. */
    for (unsigned number = 0; number < ENTRIES; number++)
        assert_int_equal(put_size(fixture, number, 1), SLUICE_OK);
    for (unsigned scanned = 0; scanned < 10 * ENTRIES; scanned++) {
        if (scanned % (ENTRIES / 2) == 0)
            for (unsigned number = 0; number < ENTRIES / 10; number++)
                assert_true(present(fixture, number));
        assert_int_equal(put_size(fixture, ENTRIES + scanned, 1), SLUICE_OK);
    }
    for (unsigned number = 0; number < ENTRIES / 10; number++)
        assert_true(present(fixture, number));
    assert_int_equal(fixture_stats(fixture).evicted, 10 * ENTRIES);
}

static void without_use_the_oldest_goes_first(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 10;
    fixture->options.shards = 1;
    fixture_open(fixture);

    for (unsigned number = 0; number < 15; number++)
        assert_int_equal(put_size(fixture, number, 1), SLUICE_OK);
    for (unsigned number = 0; number < 15; number++)
        assert_int_equal(present(fixture, number), number >= 5);
}

static void what_has_just_been_stored_is_not_what_goes(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 3;
    fixture->options.shards = 1;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    for (unsigned number = 0; number < 40; number++) {
        if (number % 2)
            assert_int_equal(put_size(fixture, number, 1), SLUICE_OK);
        else
            assert_int_equal(call_start(fixture, WAY_ASYNC, numbers_key(number), 0)->outcome.error, SLUICE_OK);
        assert_true(present(fixture, number));
        for (unsigned other = 0; other <= number; other++) /* all that is left has been used by the next round */
            (void)present(fixture, other);
    }
}

/* ---- the bound under load ---------------------------------------------------------------------------------------- */

#define THREADS 2
#define STORES  20000 /* of each */

static void rule_10_the_maximum_holds_while_several_threads_store(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned shards = 1; shards <= 8; shards *= 8) {
        fixture->options.maximum_entries = ENTRIES;
        fixture->options.shards = shards;
        fixture_open(fixture);
        struct storing *storing = storing_start(fixture, THREADS, 10 * ENTRIES, STORES);
        /* With one shard nobody ever sees more; with several, what a call that has not returned yet may be over by. */
        uint64_t most = 0;
        int64_t start_ms = await_now_ms();
        while (fixture_stats(fixture).puts < THREADS * STORES && await_again(start_ms)) {
            uint64_t entries = fixture_stats(fixture).entries;
            most = entries > most ? entries : most;
        }
        storing_join(storing);
        if (shards == 1)
            assert_in_range(most, 1, ENTRIES);
        assert_in_range(fixture_stats(fixture).entries, 1, ENTRIES);
        fixture_destroy_cache(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_10_never_more_entries_than_the_maximum),
        FIXTURE_TEST(rule_10_never_more_weight_than_the_maximum),
        FIXTURE_TEST(rule_10_key_value_media_type_etag_and_overhead_all_weigh),
        FIXTURE_TEST(rule_10_what_outweighs_the_whole_cache_is_given_but_not_stored),
        FIXTURE_TEST(rule_10_remembered_not_founds_and_failures_take_their_place_too),
        FIXTURE_TEST(what_is_used_survives_a_scan_of_what_is_not),
        FIXTURE_TEST(without_use_the_oldest_goes_first),
        FIXTURE_TEST(what_has_just_been_stored_is_not_what_goes),
        FIXTURE_TEST(rule_10_the_maximum_holds_while_several_threads_store),
    };
    FIXTURE_MAIN(tests);
}
