/* SPDX-License-Identifier: MIT */
/*
 * churn.c: a day of operations on one cache, by a clock of the program's own: does its memory stay what it was? A part
 * of tests/bench/memory.
 *
 *     library_churn HOURS GETS-AN-HOUR MAXIMUM-MIB
 *
 * Keys of 16 to 48 bytes, popularity falling with the fourth power of the rank over a set of keys that moves on by its
 * own size in eight hours. Values of 32 to 8,192 bytes, as many between 64 and 128 as between 128 and 256 and so on;
 * twice as large, or half, through the course of the day, so that the blocks of the morning do not fit the evening.
 * Each lives 5 to 120 minutes, so that about as many leave by time as for want of room; one get in a hundred is an
 * invalidation instead.
 *
 * Prints a line of name=value for each hour.
 */
#include "keys.h"
#include "resources.h"

#include "../measure.h"

#include <math.h>
#include <sluice/cache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOUR_MS = 3600000,
    TICK_MS = 100,
    KEYS_AT_ONCE = 150000,
    KEY_BYTES_MAX = 48,
    VALUE_BYTES_MAX = 16384,
    TTL_MS_MIN = 5 * 60000,
    TTL_MS_MAX = 120 * 60000,
};

struct day {
    struct sluice_cache *cache;
    int64_t now_ms;
    uint64_t draw;
    char data[VALUE_BYTES_MAX];
};

static double random_share(struct day *day)
{
    return (double)(keys_mix(day->draw++) >> 11) * 0x1p-53;
}

static int64_t now_ms(void *self)
{
    const struct day *day = self;

    return day->now_ms;
}

static void load(void *self, struct sluice_load *load)
{
    struct day *day = self;
    double of_day = 2 * M_PI * (double)day->now_ms / (24.0 * HOUR_MS);
    struct sluice_content content = SLUICE_CONTENT_INIT;

    content.data = day->data;
    content.size = (size_t)exp2(5 + 8 * random_share(day) - cos(of_day)); /* at most 2^14 */
    content.ttl_ms = TTL_MS_MIN + (int64_t)(random_share(day) * (TTL_MS_MAX - TTL_MS_MIN));
    sluice_load_complete(load, &content);
}

static void create(struct day *day, uint64_t maximum_bytes)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    enum sluice_error error;

    options.loader.load = load;
    options.loader.self = day;
    options.maximum_weight = maximum_bytes;
    options.clock.now_ms = now_ms;
    options.clock.self = day;
    error = sluice_cache_create(&options, &day->cache);
    if (error != SLUICE_OK) {
        fprintf(stderr, "cannot make a cache: %s\n", sluice_strerror(error));
        exit(1);
    }
}

/* The key of a popularity that is drawn, among those of this hour. */
static size_t draw_key(struct day *day, char key[KEY_BYTES_MAX])
{
    uint64_t moved = (uint64_t)day->now_ms * KEYS_AT_ONCE / (8 * (uint64_t)HOUR_MS);
    uint64_t number = moved + (uint64_t)(pow(random_share(day), 4) * KEYS_AT_ONCE);

    memset(key, '.', KEY_BYTES_MAX);
    keys_write(number, key);
    return KEYS_KEY_BYTES + keys_mix(number ^ 1) % (KEY_BYTES_MAX - KEYS_KEY_BYTES + 1);
}

static void operate(struct day *day)
{
    char key[KEY_BYTES_MAX];
    size_t key_size = draw_key(day, key);
    struct sluice_value *value;
    enum sluice_error error;

    if (random_share(day) < 0.01) {
        sluice_invalidate(day->cache, key, key_size, NULL);
        return;
    }
    error = sluice_get(day->cache, key, key_size, SLUICE_WAIT_FOREVER, &value);
    if (error != SLUICE_OK) {
        fprintf(stderr, "get: %s\n", sluice_strerror(error));
        exit(1);
    }
    sluice_value_unref(value);
}

static void live_hour(struct day *day, long operations)
{
    enum { TICKS = HOUR_MS / TICK_MS };
    long done = 0;

    for (long tick = 1; tick <= TICKS; tick++) {
        for (; done < operations * tick / TICKS; done++)
            operate(day);
        day->now_ms += TICK_MS;
        sluice_cache_tick(day->cache);
    }
}

static void print_hour(const struct day *day, long hour, const struct sluice_stats *before, int64_t began_bytes)
{
    struct resources resources = resources_now();
    struct sluice_stats stats;

    sluice_cache_stats(day->cache, &stats);
    printf("hour=%ld gets=%llu hits=%llu evicted=%llu expired=%llu entries=%llu weight=%llu resident_bytes=%lld\n",
           hour, (unsigned long long)(stats.gets - before->gets), (unsigned long long)(stats.hits - before->hits),
           (unsigned long long)(stats.evicted - before->evicted), (unsigned long long)(stats.expired - before->expired),
           (unsigned long long)stats.entries, (unsigned long long)stats.weight,
           (long long)(resources.resident_bytes - began_bytes));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct day day;
    struct sluice_stats before;
    int64_t began_bytes;

    if (argc != 4) {
        fprintf(stderr, "usage: %s HOURS GETS-AN-HOUR MAXIMUM-MIB\n", argv[0]);
        return 2;
    }
    long hours = measure_option_number("HOURS", argv[1], 1, 10000);
    long operations = measure_option_number("GETS-AN-HOUR", argv[2], 1, 1L << 30);
    long maximum_mib = measure_option_number("MAXIMUM-MIB", argv[3], 1, 1L << 20);

    memset(day.data, 'v', sizeof(day.data));
    began_bytes = resources_now().resident_bytes;
    create(&day, (uint64_t)maximum_mib << 20);
    for (long hour = 1; hour <= hours; hour++) {
        sluice_cache_stats(day.cache, &before);
        live_hour(&day, operations);
        print_hour(&day, hour, &before, began_bytes);
    }
    sluice_cache_destroy(day.cache);
    return 0;
}
