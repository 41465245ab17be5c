/* SPDX-License-Identifier: MIT */
/*
 * no_memory_life_test.c: any allocation in the whole life of a cache may be refused (rule 20). The life holds every
 * kind of call; it is lived again and again, each time with another allocation refused, alone and with all that come
 * after it.
 *
 * Nothing asserts while an allocation is to be refused: what is seen is kept and looked at afterwards.
 */
#include "fault.h"
#include "fixture.h"
#include "sums.h"

#define LIFE_KEYS    24
#define LIFE_ENTRIES 18 /* too few for all of them */

/* What the callback of an asynchronous get was told. */
struct told {
    unsigned times;
    enum sluice_error error;
};

struct life {
    struct fixture *fixture;
    size_t done;   /* calls that succeeded */
    size_t failed; /* calls that had no memory */
    const char *wrong;
};

/* One more call: anything but what it should come to, or no memory, is wrong. */
static void life_step(struct life *life, const char *step, enum sluice_error error, enum sluice_error expected)
{
    if (error == expected)
        life->done++;
    else if (error == SLUICE_NO_MEMORY)
        life->failed++;
    else
        life->wrong = step;
}

/* Puts one half of the keys and loads the other. */
static void life_store(struct life *life)
{
    struct sluice_cache *cache = life->fixture->cache;
    char key[16];
    for (unsigned i = 0; i < LIFE_KEYS; i++) {
        int size = snprintf(key, sizeof key, "%c/%u", i % 2 ? 'a' : 'b', i);
        if (i % 4 < 2) {
            struct sluice_content content = {
                .data = key, .size = (size_t)size, .ttl_ms = SLUICE_TTL_DEFAULT, .content_type = "text/plain"};
            life_step(life, "put", sluice_put(cache, key, (size_t)size, &content), SLUICE_OK);
            continue;
        }
        struct sluice_value *value = NULL;
        life_step(life, "get", sluice_get(cache, key, (size_t)size, 0, &value), SLUICE_OK);
        sluice_value_unref(value);
    }
}

static void hear(void *arg, const struct sluice_outcome *outcome)
{
    struct told *told = arg;
    told->times++;
    told->error = outcome->error;
}

static enum sluice_error get_async(struct sluice_cache *cache, struct told *told)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_wait *wait = NULL;
    struct sluice_async_get get = {.key = "flight", .key_size = 6, .timeout_ms = 1000, .callback = hear, .arg = told};
    enum sluice_error error = sluice_get_async(cache, &get, &outcome, &wait);
    sluice_wait_unref(wait);
    sluice_outcome_fini(&outcome);
    return error;
}

static bool life_visit_flight(void *arg, const struct sluice_flight_view *flight)
{
    struct life *life = arg;
    if (flight->key_size != 6 || memcmp(flight->key, "flight", 6) != 0 || flight->waiters > 2)
        life->wrong = "a load in flight";
    return true;
}

/* Ends the load of those who got a place on it; each is told once. */
static void life_land(struct life *life, enum ending ending, const struct told *told, const bool *parked)
{
    gated_loader_end(life->fixture->loader, gated_loader_calls_in_all(life->fixture->loader) - 1, ending, "text");
    for (int i = 0; i < 2; i++) {
        if (told[i].times != parked[i])
            life->wrong = "the number of callbacks";
        if (parked[i])
            life_step(life, "callback", told[i].error, ending_error(ending));
    }
}

/* An asynchronous get that leads and one that follows; the load ends in each way, also after an invalidation. */
static void life_fly(struct life *life)
{
    struct sluice_cache *cache = life->fixture->cache;
    gated_loader_set_mode(life->fixture->loader, GATED_HOLD);
    for (int ending = 0; ending < ENDINGS; ending++)
        for (int detached = 0; detached <= 1; detached++) {
            struct told told[2] = {{0, SLUICE_OK}, {0, SLUICE_OK}};
            bool parked[2];
            for (int i = 0; i < 2; i++) {
                enum sluice_error error = get_async(cache, &told[i]);
                life_step(life, "get_async", error, SLUICE_PARKED);
                parked[i] = error == SLUICE_PARKED;
            }
            life_step(life, "for_each_flight", sluice_cache_for_each_flight(cache, life_visit_flight, life), SLUICE_OK);
            if (detached)
                sluice_invalidate(cache, "flight", 6, NULL);
            if (parked[0] || parked[1])
                life_land(life, (enum ending)ending, told, parked);
            sluice_invalidate(cache, "flight", 6, NULL);
        }
    gated_loader_set_mode(life->fixture->loader, GATED_ANSWER);
}

/* What is given is what was stored, or loaded for that key. */
static bool life_visit(void *arg, const struct sluice_entry_view *entry)
{
    struct life *life = arg;
    if (entry->error != SLUICE_OK || sluice_value_size(entry->value) < entry->key_size ||
        memcmp(sluice_value_data(entry->value), entry->key, entry->key_size) != 0)
        life->wrong = "a value";
    return true;
}

static void life_look(struct life *life)
{
    struct sluice_stats stats;
    sluice_cache_stats(life->fixture->cache, &stats);
    if (!sums_hold(&stats) || stats.waiters != 0 || stats.loads_in_flight != 0 || stats.entries > LIFE_ENTRIES)
        life->wrong = "the counters";
    life_step(life, "for_each", sluice_cache_for_each(life->fixture->cache, life_visit, life), SLUICE_OK);
}

static void life_live(struct life *life)
{
    struct fixture *fixture = life->fixture;
    enum sluice_error error = sluice_cache_create(&fixture->options, &fixture->cache);
    life_step(life, "create", error, SLUICE_OK);
    if (error != SLUICE_OK)
        return;
    for (int how = 0; how < INVALIDATIONS; how++) {
        life_store(life);
        life_look(life);
        fixture_invalidate(fixture, (enum invalidation)how, how == INVALIDATION_PREFIX ? "a/0" : "a/199");
        life_fly(life);
        life_look(life);
        fake_clock_advance(&fixture->clock, 50);
        sluice_cache_tick(fixture->cache);
    }
    fake_clock_advance(&fixture->clock, 100);
    sluice_cache_tick(fixture->cache);
    struct sluice_stats stats;
    sluice_cache_stats(fixture->cache, &stats);
    if (stats.entries != 0 || stats.weight != 0)
        life->wrong = "what is left";
    fixture_destroy_cache(fixture);
}

/* Lives with the nth allocation refused; false: it makes fewer. */
static bool life_fails(struct fixture *fixture, size_t nth, bool lasting, struct life *life)
{
    struct gated_loader *loader = gated_loader_create(); /* a new one each time: they count their calls to a bound */
    struct sluice_loader before = fixture->options.loader;
    struct gated_loader *kept = fixture->loader;
    fixture->loader = loader;
    fixture->options.loader = gated_loader_option(loader);
    gated_loader_set_mode(loader, GATED_ANSWER);

    *life = (struct life){.fixture = fixture};
    fault_arm(nth, FAULT_THIS_THREAD, lasting);
    life_live(life);
    size_t refused = fault_disarm();

    gated_loader_destroy(loader);
    fixture->loader = kept;
    fixture->options.loader = before;
    if (life->wrong != NULL)
        fail_msg("allocation %zu refused: %s went wrong", nth, life->wrong);
    return refused > 0;
}

static void rule_20_any_allocation_of_a_whole_life_may_fail(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = LIFE_ENTRIES;
    fixture->options.expire_after_write_ms = 100;
    fixture->options.shards = 2;

    for (int lasting = 0; lasting <= 1; lasting++) {
        struct life life;
        size_t nth = 1;
        while (life_fails(fixture, nth, lasting, &life)) {
            /* A load that brings nothing for want of memory fails for both who wait. */
            if (!lasting)
                assert_in_range(life.failed, 0, 2);
            nth++;
        }
        assert_int_equal(life.failed, 0);
        assert_true(nth > 4 * LIFE_KEYS);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_20_any_allocation_of_a_whole_life_may_fail),
    };
    FIXTURE_MAIN(tests);
}
