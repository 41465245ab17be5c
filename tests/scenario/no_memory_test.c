/* SPDX-License-Identifier: MIT */
/*
 * no_memory_test.c: memory and threads run out (rule 20): every allocation of every call is refused once, alone and
 * with all that come after it. no_memory_life_test.c does the same over the whole life of a cache.
 *
 * Nothing asserts while an allocation is to be refused: what is seen is kept and looked at afterwards.
 */
#include "fault.h"
#include "fixture.h"
#include "pressure_site.h"
#include "sums.h"

/* ---- one call ---------------------------------------------------------------------------------------------------- */

/* What the callback of an asynchronous get was told. */
static struct told {
    unsigned times;
    enum sluice_error error;
} told;

static void hear(void *arg, const struct sluice_outcome *outcome)
{
    (void)arg;
    told.times++;
    told.error = outcome->error;
}

static enum sluice_error get_async(struct fixture *fixture, const char *key)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_wait *wait = NULL;
    struct sluice_async_get get = {
        .key = key, .key_size = strlen(key), .timeout_ms = SLUICE_WAIT_FOREVER, .callback = hear};
    told = (struct told){0, SLUICE_OK};
    enum sluice_error error = sluice_get_async(fixture->cache, &get, &outcome, &wait);
    sluice_wait_unref(wait);
    sluice_outcome_fini(&outcome);
    return error;
}

static enum sluice_error put(struct fixture *fixture, const char *key, const char *text)
{
    struct sluice_content content = {.data = text,
                                     .size = strlen(text),
                                     .ttl_ms = SLUICE_TTL_DEFAULT,
                                     .content_type = "text/plain",
                                     .etag = "\"etag\""};
    return sluice_put(fixture->cache, key, strlen(key), &content);
}

static void park(struct fixture *fixture)
{
    assert_int_equal(get_async(fixture, "key"), SLUICE_PARKED);
}

static void store(struct fixture *fixture)
{
    assert_int_equal(put(fixture, "key", "stored"), SLUICE_OK);
}

static void answer(struct fixture *fixture)
{
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);
}

static enum sluice_error run_get(struct fixture *fixture)
{
    struct sluice_value *value = NULL;
    enum sluice_error error = sluice_get(fixture->cache, "key", 3, SLUICE_WAIT_FOREVER, &value);
    sluice_value_unref(value);
    return error;
}

static enum sluice_error run_get_async(struct fixture *fixture)
{
    return get_async(fixture, "key");
}

/* The load ends inside the call: what came is what the callback was told. */
static enum sluice_error run_get_async_answered(struct fixture *fixture)
{
    enum sluice_error error = get_async(fixture, "key");
    return error == SLUICE_PARKED && told.times == 1 ? told.error : error;
}

static enum sluice_error run_put(struct fixture *fixture)
{
    return put(fixture, "key", "put");
}

static enum sluice_error run_complete(struct fixture *fixture)
{
    gated_loader_end(fixture->loader, gated_loader_calls_in_all(fixture->loader) - 1, ENDING_VALUE, "value");
    return told.error;
}

static enum sluice_error run_fail(struct fixture *fixture)
{
    gated_loader_end(fixture->loader, gated_loader_calls_in_all(fixture->loader) - 1, ENDING_FAILURE, "why");
    return told.error;
}

static bool visit_entry(void *arg, const struct sluice_entry_view *entry)
{
    (void)arg;
    return entry->key_size > 0;
}

static bool visit_flight(void *arg, const struct sluice_flight_view *flight)
{
    (void)arg;
    return flight->key_size > 0;
}

static enum sluice_error run_for_each(struct fixture *fixture)
{
    return sluice_cache_for_each(fixture->cache, visit_entry, NULL);
}

static enum sluice_error run_for_each_coldest(struct fixture *fixture)
{
    return sluice_cache_for_each_coldest(fixture->cache, 10, visit_entry, NULL);
}

static enum sluice_error run_for_each_flight(struct fixture *fixture)
{
    return sluice_cache_for_each_flight(fixture->cache, visit_flight, NULL);
}

static void expect_nothing(struct fixture *fixture)
{
    fixture_expect_absent(fixture, "key");
    assert_int_equal(fixture_stats(fixture).entries, 0);
    assert_int_equal(fixture_stats(fixture).weight, 0);
}

static void expect_stored(struct fixture *fixture)
{
    fixture_expect_present(fixture, "key", SLUICE_OK, "stored");
}

/* The one that was parked before waits on, and its load is wanted. */
static void expect_parked(struct fixture *fixture)
{
    assert_int_equal(fixture_stats(fixture).waiters, 1);
    assert_int_equal(fixture_stats(fixture).loads_in_flight, 1);
    assert_true(gated_loader_wanted(fixture->loader, gated_loader_calls_in_all(fixture->loader) - 1));
}

static const struct attempt {
    const char *name;
    void (*prepare)(struct fixture *fixture); /* NULL: nothing */
    enum sluice_error (*run)(struct fixture *fixture);
    enum sluice_error success;
    enum sluice_error failure;
    size_t allocations_min; /* that it is known to make: else this test would prove nothing */
    void (*expect)(struct fixture *fixture);
} attempts[] = {
    {"get", answer, run_get, SLUICE_OK, SLUICE_NO_MEMORY, 3, expect_nothing},
    {"get_async that leads", NULL, run_get_async, SLUICE_PARKED, SLUICE_NO_MEMORY, 3, expect_nothing},
    {"get_async answered within", answer, run_get_async_answered, SLUICE_OK, SLUICE_NO_MEMORY, 4, expect_nothing},
    {"get_async that follows", park, run_get_async, SLUICE_PARKED, SLUICE_NO_MEMORY, 1, expect_parked},
    {"put of a new key", NULL, run_put, SLUICE_OK, SLUICE_NO_MEMORY, 3, expect_nothing},
    {"put that replaces", store, run_put, SLUICE_OK, SLUICE_NO_MEMORY, 1, expect_stored},
    {"put over a load in flight", park, run_put, SLUICE_OK, SLUICE_NO_MEMORY, 1, expect_parked},
    {"load_complete", park, run_complete, SLUICE_OK, SLUICE_NO_MEMORY, 1, expect_nothing},
    /* Without the memory for its reason a failure is still that failure. */
    {"load_fail", park, run_fail, SLUICE_LOAD_FAILED, SLUICE_LOAD_FAILED, 1, expect_nothing},
    {"for_each", store, run_for_each, SLUICE_OK, SLUICE_NO_MEMORY, 1, expect_stored},
    {"for_each_coldest", store, run_for_each_coldest, SLUICE_OK, SLUICE_NO_MEMORY, 2, expect_stored},
    {"for_each_flight", park, run_for_each_flight, SLUICE_OK, SLUICE_NO_MEMORY, 1, expect_parked},
};

/* The cache does its work as if nothing had been. */
static void expect_whole(struct fixture *fixture)
{
    struct sluice_stats stats = fixture_stats(fixture);
    assert_true(sums_hold(&stats));
    gated_loader_open(fixture->loader);
    sums_assert_idle(fixture->cache);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    assert_int_equal(run_get(fixture), SLUICE_OK);
    store(fixture);
    expect_stored(fixture);
    assert_int_equal(fixture_stats(fixture).entries, 1);
    assert_int_equal(run_for_each(fixture), SLUICE_OK);
    fixture_invalidate(fixture, INVALIDATION_ALL, "key");
    expect_nothing(fixture);
    sums_assert_idle(fixture->cache);
}

/* Makes the attempt with its nth allocation refused. False: it makes fewer. */
static bool attempt_fails(struct fixture *fixture, const struct attempt *attempt, size_t nth, bool lasting)
{
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_HOLD);
    told = (struct told){0, SLUICE_OK};
    if (attempt->prepare != NULL)
        attempt->prepare(fixture);

    fault_arm(nth, FAULT_THIS_THREAD, lasting);
    enum sluice_error error = attempt->run(fixture);
    size_t refused = fault_disarm();

    enum sluice_error expected = refused > 0 ? attempt->failure : attempt->success;
    if (error != expected)
        fail_msg("%s, allocation %zu refused: \"%s\" instead of \"%s\"", attempt->name, nth, sluice_strerror(error),
                 sluice_strerror(expected));
    if (refused > 0) {
        attempt->expect(fixture);
        assert_in_range(told.times, 0, 1);
    }
    expect_whole(fixture);
    fixture_destroy_cache(fixture);
    return refused > 0;
}

static void rule_20_no_memory_fails_that_one_call_and_leaves_the_cache_whole(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture->options.loads_max = 1; /* so that a place that is not given back is missed */
    fixture->options.waiters_max = 2;

    for (size_t i = 0; i < COUNT_OF(attempts); i++)
        for (int lasting = 0; lasting <= 1; lasting++) {
            size_t nth = 1;
            while (attempt_fails(fixture, &attempts[i], nth, lasting))
                nth++;
            if (nth - 1 < attempts[i].allocations_min)
                fail_msg("%s makes only %zu allocations", attempts[i].name, nth - 1);
        }
}

/* A call of several loads has memory of its own; without it they are loaded one by one. */
static void rule_20_without_memory_a_bulk_get_gives_each_key_its_value_or_says_so(void **state)
{
    static const struct sluice_key keys[] = {{"a", 1}, {"b", 1}};
    struct fixture *fixture = *state;
    size_t refused = 1, split = 0;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    for (size_t nth = 1; refused > 0 && nth < 50; nth++) {
        struct sluice_outcome outcomes[2];
        size_t batches = gated_loader_batches(fixture->loader);
        fault_arm(nth, FAULT_THIS_THREAD, false);
        enum sluice_error error = sluice_get_many(fixture->cache, keys, 2, SLUICE_WAIT_FOREVER, outcomes);
        refused = fault_disarm();
        size_t found = 0;
        for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
            assert_true(outcomes[i].error == SLUICE_OK || outcomes[i].error == SLUICE_NO_MEMORY);
            found += outcomes[i].error == SLUICE_OK;
            sluice_outcome_fini(&outcomes[i]);
        }
        assert_true(error == SLUICE_OK || found == 0);
        split += found == 2 && gated_loader_batches(fixture->loader) == batches;
        sluice_invalidate_all(fixture->cache, NULL);
        sums_assert_idle(fixture->cache);
    }
    assert_int_equal(refused, 0);
    assert_int_equal(split, 1);
}

static void rule_20_a_load_without_memory_is_not_held_against_the_backend(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.failure_backoff_ms = 1000;
    fixture_open(fixture);

    park(fixture);
    fault_arm(1, FAULT_THIS_THREAD, false);
    enum sluice_error error = run_complete(fixture);
    assert_int_equal(fault_disarm(), 1);
    assert_int_equal(error, SLUICE_NO_MEMORY);
    assert_int_equal(fixture_stats(fixture).loads_failed, 1);
    fixture_expect_absent(fixture, "key");
    park(fixture);
    assert_int_equal(run_complete(fixture), SLUICE_OK);
}

#define GROWTH_KEYS 2000

static void rule_20_a_table_that_cannot_grow_refuses_the_entry_and_grows_later(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    fixture_open(fixture);

    size_t refused_most = 0;
    for (unsigned i = 0; i < GROWTH_KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        enum sluice_error error = SLUICE_NO_MEMORY;
        size_t nth;
        for (nth = 1; error == SLUICE_NO_MEMORY; nth++) {
            assert_int_equal(fixture_stats(fixture).entries, i);
            fault_arm(nth, FAULT_THIS_THREAD, false);
            error = put(fixture, key, key);
            fault_disarm();
        }
        assert_int_equal(error, SLUICE_OK);
        if (i > 0 && nth > refused_most)
            refused_most = nth;
        fixture_expect_present(fixture, key, SLUICE_OK, key);
    }
    assert_true(refused_most > 3 + 1); /* value, entry, and the table once at least */
    for (unsigned i = 0; i < GROWTH_KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        fixture_expect_present(fixture, key, SLUICE_OK, key);
    }
}

/* ---- what needs no memory ---------------------------------------------------------------------------------------- */

static void count_told(void *self, const struct sluice_removal *removal)
{
    size_t *count = self;
    *count += removal->key_size > 0;
}

static void rule_20_what_cannot_fail_does_without_memory(void **state)
{
    struct fixture *fixture = *state;
    size_t told_of = 0;
    fixture->options.listener =
        (struct sluice_listener){.removed = count_told, .self = &told_of, .evicting = count_told};
    fixture->options.expire_after_write_ms = 10;
    fixture_open(fixture);

    for (int how = 0; how < INVALIDATIONS; how++) {
        struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
        struct sluice_stats stats;
        store(fixture);
        assert_int_equal(put(fixture, "other", "entry"), SLUICE_OK);

        fault_arm(1, FAULT_THIS_THREAD, true);
        enum sluice_error hit = sluice_get_if_present(fixture->cache, "key", 3, &outcome);
        sluice_outcome_fini(&outcome);
        enum sluice_error set = sluice_set_ttl(fixture->cache, "key", 3, 10);
        struct sluice_invalidated gone = fixture_invalidate(fixture, (enum invalidation)how, "key");
        enum sluice_error lowered = sluice_cache_set_maximum(fixture->cache, 1); /* nothing fits: all is evicted */
        enum sluice_error raised = sluice_cache_set_maximum(fixture->cache, 1 << 20);
        fake_clock_advance(&fixture->clock, 11);
        sluice_cache_tick(fixture->cache);
        sluice_cache_stats(fixture->cache, &stats);
        assert_int_equal(fault_disarm(), how == INVALIDATION_PREFIX); /* for the decree, which is carried out at once */

        assert_int_equal(hit, SLUICE_OK);
        assert_int_equal(set, SLUICE_OK);
        assert_int_equal(lowered, SLUICE_OK);
        assert_int_equal(raised, SLUICE_OK);
        assert_int_equal(gone.entries, how == INVALIDATION_ALL ? 2 : 1);
        assert_int_equal(stats.entries, 0);
        assert_int_equal(told_of, how == INVALIDATION_ALL ? 2 : 3); /* of an eviction twice, of others once */
        told_of = 0;
    }
}

static void rule_20_closing_with_a_load_in_flight_asks_for_no_memory(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    assert_int_equal(put(fixture, "other", "entry"), SLUICE_OK);
    park(fixture);

    fault_arm(1, FAULT_THIS_THREAD, true);
    fixture_destroy_cache(fixture);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    assert_int_equal(fault_disarm(), 0);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.error, SLUICE_CLOSED);
}

/* ---- create ------------------------------------------------------------------------------------------------------ */

/* The nth allocation of a create is refused. False: it makes fewer. */
static bool create_fails(struct fixture *fixture, size_t nth, bool lasting)
{
    fault_arm(nth, FAULT_THIS_THREAD, lasting);
    enum sluice_error error = sluice_cache_create(&fixture->options, &fixture->cache);
    size_t refused = fault_disarm();

    assert_int_equal(error, refused > 0 ? SLUICE_NO_MEMORY : SLUICE_OK);
    assert_int_equal(fixture->cache == NULL, refused > 0);
    if (refused == 0)
        fixture_destroy_cache(fixture);
    return refused > 0;
}

static void rule_20_create_without_memory_is_refused(void **state)
{
    struct fixture *fixture = *state;

    for (int real = 0; real <= 1; real++) {
        if (real)
            fixture_use_real_clock(fixture);
        for (int lasting = 0; lasting <= 1; lasting++) {
            size_t nth = 1;
            while (create_fails(fixture, nth, lasting))
                nth++;
            assert_true(nth > 2);
        }
    }
}

static void rule_20_create_without_a_thread_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_use_real_clock(fixture);

    fault_refuse_threads(true);
    enum sluice_error error = sluice_cache_create(&fixture->options, &fixture->cache);
    fault_refuse_threads(false);
    assert_int_equal(error, SLUICE_NO_THREAD);
    assert_null(fixture->cache);
    fixture_open(fixture);
    store(fixture);
    expect_stored(fixture);
}

/* ---- watching for memory pressure -------------------------------------------------------------------------------- */

static enum sluice_error start_watcher(const struct pressure_site *site, struct sluice_pressure **pressure)
{
    struct sluice_pressure_fault fault;
    return sluice_pressure_start(&site->options, pressure, &fault);
}

static void rule_20_a_watcher_without_memory_or_a_thread_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct sluice_clock own = {NULL, NULL, NULL};
    struct sluice_pressure *pressure = NULL;
    struct pressure_site site;
    pressure_site_init(&site, fixture);
    site.options.clock = own;

    size_t open_before = pressure_site_open_files();
    fault_arm(1, FAULT_THIS_THREAD, true);
    enum sluice_error error = start_watcher(&site, &pressure);
    assert_int_equal(fault_disarm(), 1);
    assert_int_equal(error, SLUICE_NO_MEMORY);
    fault_refuse_threads(true);
    error = start_watcher(&site, &pressure);
    fault_refuse_threads(false);
    assert_int_equal(error, SLUICE_NO_THREAD);
    assert_null(pressure);
    assert_int_equal(pressure_site_open_files(), open_before);
    pressure_site_fini(&site);
}

static void rule_20_shrinking_asks_for_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    fixture->options.maximum_entries = 100;
    pressure_site_init(&site, fixture);
    pressure_site_start(&site);
    fixture_open(fixture);
    for (char key[] = "a"; key[0] <= 'z'; key[0]++)
        fixture_put(fixture, key, "value");
    pressure_site_stall(&site);

    fault_arm(1, FAULT_THIS_THREAD, true);
    enum sluice_error errors[] = {
        sluice_pressure_watch(site.pressure, fixture->cache),
        sluice_cache_shrink(fixture->cache, 20, NULL),
        sluice_cache_set_maximum(fixture->cache, 30),
    };
    sluice_pressure_tick(site.pressure);
    sluice_pressure_unwatch(fixture->cache);
    enum sluice_error share = sluice_cache_set_share(fixture->cache, 10, NULL);
    assert_int_equal(fault_disarm(), 0);
    for (size_t i = 0; i < COUNT_OF(errors); i++)
        assert_int_equal(errors[i], SLUICE_OK);
    assert_int_equal(share, SLUICE_OK);
    assert_int_equal(fixture_stats(fixture).entries, 3);
    pressure_site_fini(&site);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_20_no_memory_fails_that_one_call_and_leaves_the_cache_whole),
        FIXTURE_TEST(rule_20_without_memory_a_bulk_get_gives_each_key_its_value_or_says_so),
        FIXTURE_TEST(rule_20_a_load_without_memory_is_not_held_against_the_backend),
        FIXTURE_TEST(rule_20_a_table_that_cannot_grow_refuses_the_entry_and_grows_later),
        FIXTURE_TEST(rule_20_what_cannot_fail_does_without_memory),
        FIXTURE_TEST(rule_20_closing_with_a_load_in_flight_asks_for_no_memory),
        FIXTURE_TEST(rule_20_create_without_memory_is_refused),
        FIXTURE_TEST(rule_20_create_without_a_thread_is_refused),
        FIXTURE_TEST(rule_20_a_watcher_without_memory_or_a_thread_is_refused),
        FIXTURE_TEST(rule_20_shrinking_asks_for_no_memory),
    };
    FIXTURE_MAIN(tests);
}
