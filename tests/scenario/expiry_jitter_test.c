/* SPDX-License-Identifier: MIT */
/* expiry_jitter_test.c: what is stored together does not expire together (expiry_jitter_percent). */
#include "call.h"

#define TTL_MS  100000
#define PERCENT 20
#define LEAST   (TTL_MS / 100 * (100 - PERCENT))
#define VALUES  1000

static struct fixture *open_with_jitter(void **state, int64_t ttl_ms, unsigned shards)
{
    struct fixture *fixture = *state;
    fixture->options.expire_after_write_ms = ttl_ms;
    fixture->options.expiry_jitter_percent = PERCENT;
    fixture->options.shards = shards;
    fixture_open(fixture);
    return fixture;
}

/* How the times to live of what is stored lie. */
struct spread {
    int64_t least_ms, most_ms, sum_ms;
    int values, equal_to_last;
    int64_t last_ms;
};

static bool spread_add(void *arg, const struct sluice_entry_view *entry)
{
    struct spread *spread = arg;
    int64_t ttl_ms = entry->ttl_ms;

    spread->least_ms = spread->values == 0 || ttl_ms < spread->least_ms ? ttl_ms : spread->least_ms;
    spread->most_ms = ttl_ms > spread->most_ms ? ttl_ms : spread->most_ms;
    spread->equal_to_last += spread->values > 0 && ttl_ms == spread->last_ms;
    spread->sum_ms += ttl_ms;
    spread->last_ms = ttl_ms;
    spread->values++;
    return true;
}

static struct spread spread_of(struct fixture *fixture)
{
    struct spread spread = {0};
    assert_int_equal(sluice_cache_for_each(fixture->cache, spread_add, &spread), SLUICE_OK);
    return spread;
}

/* All within the share, and spread over it: of a thousand, some come near each end, and the mean is in the middle. */
static void expect_spread(const struct spread *spread, int64_t ttl_ms)
{
    int64_t span_ms = ttl_ms / 100 * PERCENT;

    assert_int_equal(spread->values, VALUES);
    assert_in_range(spread->least_ms, ttl_ms - span_ms, ttl_ms - span_ms + span_ms / 20);
    assert_in_range(spread->most_ms, ttl_ms - span_ms / 20, ttl_ms);
    assert_in_range(spread->sum_ms / VALUES, ttl_ms - span_ms * 6 / 10, ttl_ms - span_ms * 4 / 10);
    assert_true(spread->equal_to_last < VALUES / 20);
}

static void times_to_live_are_spread_over_the_share(void **state)
{
    for (unsigned shards = 1; shards <= 16; shards *= 16) {
        struct fixture *fixture = open_with_jitter(state, TTL_MS, shards);
        char key[16];

        for (int i = 0; i < VALUES; i++) {
            snprintf(key, sizeof key, "%d", i);
            fixture_put(fixture, key, "value");
        }
        struct spread spread = spread_of(fixture);
        expect_spread(&spread, TTL_MS);
        fixture_advance(fixture, LEAST - 1);
        assert_int_equal(fixture_stats(fixture).entries, VALUES);
        fixture_advance(fixture, TTL_MS / 100 * PERCENT / 2);
        assert_in_range(fixture_stats(fixture).entries, VALUES / 4, VALUES * 3 / 4);
        fixture_advance(fixture, TTL_MS / 100 * PERCENT / 2 + 1);
        assert_int_equal(fixture_stats(fixture).entries, 0);
        fixture_destroy_cache(fixture);
    }
}

static void the_own_time_of_a_value_is_shortened_too(void **state)
{
    struct fixture *fixture = open_with_jitter(state, SLUICE_NEVER, 0);
    char key[16];

    for (int i = 0; i < VALUES; i++) {
        snprintf(key, sizeof key, "%d", i);
        fixture_put_ttl(fixture, key, "value", 10 * TTL_MS);
    }
    struct spread spread = spread_of(fixture);
    expect_spread(&spread, 10 * TTL_MS);
}

static void loaded_and_renewed_values_are_told_their_time(void **state)
{
    struct fixture *fixture = open_with_jitter(state, TTL_MS, 0);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(call, SLUICE_OK, "value");
    assert_in_range(call->outcome.ttl_ms, LEAST, TTL_MS);
    assert_int_equal(call->outcome.ttl_ms, spread_of(fixture).sum_ms);

    int64_t first_ms = call->outcome.ttl_ms;
    size_t changed = 0;
    for (size_t i = 1; i <= 10; i++) {
        assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
        gated_loader_await_calls(fixture->loader, i + 1);
        gated_loader_renew(fixture->loader, i, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
        int64_t ttl_ms = spread_of(fixture).sum_ms;
        assert_in_range(ttl_ms, LEAST, TTL_MS);
        changed += ttl_ms != first_ms;
    }
    assert_true(changed > 0); /* drawn anew */
}

static void what_has_no_end_or_no_span_stays_as_it_is(void **state)
{
    struct fixture *fixture = open_with_jitter(state, SLUICE_NEVER, 0);

    fixture_put(fixture, "for ever", "value");
    assert_int_equal(spread_of(fixture).sum_ms, SLUICE_NEVER);
    sluice_invalidate_all(fixture->cache, NULL);
    for (int i = 0; i < 100; i++) {
        fixture_put_ttl(fixture, "key", "value", 1); /* is stored, and to be given for its millisecond */
        fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    }
    fixture_put_ttl(fixture, "key", "value", 0);
    fixture_expect_absent(fixture, "key");
}

static void not_founds_are_remembered_for_their_whole_time(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.not_found_ttl_ms = TTL_MS;
    open_with_jitter(state, SLUICE_NEVER, 0);

    for (size_t i = 0; i < 20; i++) {
        struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        gated_loader_end(fixture->loader, i, ENDING_NOT_FOUND, NULL);
        call_expect(call, SLUICE_NOT_FOUND, NULL);
        assert_int_equal(call->outcome.ttl_ms, TTL_MS);
        fixture_advance(fixture, TTL_MS);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(times_to_live_are_spread_over_the_share),
        FIXTURE_TEST(the_own_time_of_a_value_is_shortened_too),
        FIXTURE_TEST(loaded_and_renewed_values_are_told_their_time),
        FIXTURE_TEST(what_has_no_end_or_no_span_stays_as_it_is),
        FIXTURE_TEST(not_founds_are_remembered_for_their_whole_time),
    };
    FIXTURE_MAIN(tests);
}
