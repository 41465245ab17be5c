/* SPDX-License-Identifier: MIT */
/* hits_sluice.c: every way to get a resident key from libsluice, through its public calls. See hits.h. */
#include "hits.h"

#include <sluice/cache.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANY = 32 };

static _Noreturn void fail(const char *what, enum sluice_error error)
{
    fprintf(stderr, "%s: %s\n", what, sluice_strerror(error));
    exit(1);
}

static void load_nothing(void *self, struct sluice_load *load)
{
    (void)self;
    (void)load;
    fprintf(stderr, "a key was to be loaded, though all are there\n");
    exit(1);
}

static void *create(const struct hits_stock *stock)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache;
    enum sluice_error error;

    options.loader.load = load_nothing;
    options.maximum_entries = stock->room;
    options.expire_after_write_ms = stock->expire_ms < 0 ? SLUICE_NEVER : stock->expire_ms;
    error = sluice_cache_create(&options, &cache);
    if (error != SLUICE_OK)
        fail("cannot make a cache", error);
    for (size_t number = 0; number < stock->count; number++) {
        char value[KEYS_VALUE_BYTES];
        struct sluice_content content = SLUICE_CONTENT_INIT;

        keys_write_value(number, value);
        content.data = value;
        content.size = sizeof(value);
        error = sluice_put(cache, keys_at(stock->keys, number), KEYS_KEY_BYTES, &content);
        if (error != SLUICE_OK)
            fail("put", error);
    }
    return cache;
}

static void destroy(void *cache)
{
    sluice_cache_destroy(cache);
}

static uint64_t count_hits(void *cache)
{
    struct sluice_stats stats;

    sluice_cache_stats(cache, &stats);
    return stats.hits;
}

static inline uint64_t first_byte(const struct sluice_value *value)
{
    return *(const unsigned char *)sluice_value_data(value);
}

static uint64_t run_get(void *cache, const char *keys, const uint32_t *numbers, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        struct sluice_value *value;
        enum sluice_error error =
            sluice_get(cache, keys_at(keys, numbers[i]), KEYS_KEY_BYTES, SLUICE_WAIT_FOREVER, &value);

        if (error != SLUICE_OK)
            fail("get", error);
        sum += first_byte(value);
        sluice_value_unref(value);
    }
    return sum;
}

static uint64_t run_if_present(void *cache, const char *keys, const uint32_t *numbers, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        struct sluice_outcome outcome;
        enum sluice_error error = sluice_get_if_present(cache, keys_at(keys, numbers[i]), KEYS_KEY_BYTES, &outcome);

        if (error != SLUICE_OK)
            fail("get_if_present", error);
        sum += first_byte(outcome.value);
        sluice_outcome_fini(&outcome);
    }
    return sum;
}

static void never_called(void *arg, const struct sluice_outcome *outcome)
{
    (void)arg;
    fail("get_async parked", outcome->error);
}

static uint64_t run_async(void *cache, const char *keys, const uint32_t *numbers, size_t count)
{
    struct sluice_async_get get = {
        .key_size = KEYS_KEY_BYTES, .timeout_ms = SLUICE_WAIT_FOREVER, .callback = never_called};
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        struct sluice_outcome outcome;
        enum sluice_error error;

        get.key = keys_at(keys, numbers[i]);
        error = sluice_get_async(cache, &get, &outcome, NULL);
        if (error != SLUICE_OK)
            fail("get_async", error);
        sum += first_byte(outcome.value);
        sluice_outcome_fini(&outcome);
    }
    return sum;
}

static uint64_t run_many(void *cache, const char *keys, const uint32_t *numbers, size_t count)
{
    struct sluice_outcome outcomes[MANY];
    struct sluice_key wanted[MANY];
    uint64_t sum = 0;

    for (size_t done = 0; done < count;) {
        size_t some = count - done < MANY ? count - done : MANY;

        for (size_t i = 0; i < some; i++)
            wanted[i] = (struct sluice_key){keys_at(keys, numbers[done + i]), KEYS_KEY_BYTES};
        sluice_get_many_if_present(cache, wanted, some, outcomes);
        for (size_t i = 0; i < some; i++) {
            if (outcomes[i].error != SLUICE_OK)
                fail("get_many_if_present", outcomes[i].error);
            sum += first_byte(outcomes[i].value);
            sluice_outcome_fini(&outcomes[i]);
        }
        done += some;
    }
    return sum;
}

#define SIDE(name, words, run)                                                                                         \
    {                                                                                                                  \
        name, words, 64, create, run, count_hits, destroy                                                              \
    }

const struct hits_side hits_sides_sluice[] = {
    SIDE("sluice", "sluice_get(), value referenced and given back", run_get),
    SIDE("sluice-if-present", "sluice_get_if_present()", run_if_present),
    SIDE("sluice-async", "sluice_get_async(), answered at once", run_async),
    SIDE("sluice-many", "sluice_get_many_if_present(), 32 keys a call", run_many),
    {0},
};
