/* SPDX-License-Identifier: MIT */
/*
 * growth.c: the slowest puts while a cache fills, which is when its tables grow: a part of tests/bench/memory.
 *
 *     library_growth ENTRIES
 *
 * Prints a line of name=value. Each put is timed by the clock on the wall and by its thread's processor time, which
 * what else the machine does has no part in.
 */
#include "keys.h"

#include "../measure.h"

#include <sluice/cache.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOW_NS 1000000

struct slowest {
    int64_t wall_ns;
    int64_t cpu_ns;
    size_t wall_entry;
    size_t cpu_entry;
    size_t wall_slow; /* puts that took longer than SLOW_NS */
    size_t cpu_slow;
};

static void load_nothing(void *self, struct sluice_load *load)
{
    (void)self;
    sluice_load_not_found(load);
}

static void put(struct sluice_cache *cache, size_t number, struct slowest *slowest)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    char value[KEYS_VALUE_BYTES];
    char key[KEYS_KEY_BYTES];

    keys_write(number, key);
    keys_write_value(number, value);
    content.data = value;
    content.size = sizeof(value);

    int64_t cpu_ns = measure_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    int64_t wall_ns = measure_now_ns();
    enum sluice_error error = sluice_put(cache, key, sizeof(key), &content);

    wall_ns = measure_now_ns() - wall_ns;
    cpu_ns = measure_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
    if (error != SLUICE_OK) {
        fprintf(stderr, "put: %s\n", sluice_strerror(error));
        exit(1);
    }
    slowest->wall_slow += wall_ns > SLOW_NS;
    slowest->cpu_slow += cpu_ns > SLOW_NS;
    if (wall_ns > slowest->wall_ns) {
        slowest->wall_ns = wall_ns;
        slowest->wall_entry = number;
    }
    if (cpu_ns > slowest->cpu_ns) {
        slowest->cpu_ns = cpu_ns;
        slowest->cpu_entry = number;
    }
}

int main(int argc, char **argv)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct slowest slowest = {0};
    struct sluice_cache *cache;

    if (argc != 2) {
        fprintf(stderr, "usage: %s ENTRIES\n", argv[0]);
        return 2;
    }
    size_t entries = (size_t)measure_option_number("ENTRIES", argv[1], 1, 1L << 28);

    options.loader.load = load_nothing;
    options.maximum_entries = entries + entries / 8;
    if (sluice_cache_create(&options, &cache) != SLUICE_OK) {
        fprintf(stderr, "cannot make a cache\n");
        return 1;
    }

    int64_t began_ns = measure_now_ns();

    for (size_t number = 0; number < entries; number++)
        put(cache, number, &slowest);
    printf("fill_ns=%lld slowest_wall_ns=%lld slowest_wall_entry=%zu slowest_cpu_ns=%lld slowest_cpu_entry=%zu "
           "wall_over_1ms=%zu cpu_over_1ms=%zu\n",
           (long long)(measure_now_ns() - began_ns), (long long)slowest.wall_ns, slowest.wall_entry,
           (long long)slowest.cpu_ns, slowest.cpu_entry, slowest.wall_slow, slowest.cpu_slow);
    sluice_cache_destroy(cache);
    return 0;
}
