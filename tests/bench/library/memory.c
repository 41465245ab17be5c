/* SPDX-License-Identifier: MIT */
/*
 * memory.c: what a cache takes, by the process, by malloc, and block by block: a part of tests/bench/memory.
 *
 *     library_memory fill ENTRIES     that many puts of keys of 16 bytes and values of 64
 *     library_memory parked GETS      that many asynchronous gets that wait for one load
 *
 * Prints name=value lines: what the memory grew by. A line "block=..." tells of the blocks of one size that were held
 * in the end and not before.
 */
#include "heap.h"
#include "keys.h"
#include "resources.h"

#include "../measure.h"

#include <sluice/cache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(enum sluice_error error, enum sluice_error wanted, const char *what)
{
    if (error != wanted) {
        fprintf(stderr, "%s: %s\n", what, sluice_strerror(error));
        exit(1);
    }
}

/* Taken twice, so that nothing that is read between counts. */
struct snapshot {
    struct heap heap;
    struct resources resources;
};

static void look(struct snapshot *snapshot)
{
    heap_look(&snapshot->heap);
    snapshot->resources = resources_now();
}

static void print_growth(const struct snapshot *before, const struct snapshot *after)
{
    int64_t counted = 0;

    for (size_t i = 0; i < HEAP_SIZES; i++) {
        const struct heap_size *now = &after->heap.sizes[i];
        int64_t blocks = now->blocks - before->heap.sizes[i].blocks;
        int64_t bytes = now->bytes - before->heap.sizes[i].bytes;

        counted += bytes;
        if (bytes > 0 && blocks > 0)
            printf("block=%lld held=%lld bytes=%lld requested=%.1f\n", (long long)(bytes / blocks), (long long)blocks,
                   (long long)bytes, (double)now->requested / (double)now->made);
    }
    printf("resident_bytes=%lld\nused_bytes=%lld\nsystem_bytes=%lld\ncounted_bytes=%lld\n",
           (long long)(after->resources.resident_bytes - before->resources.resident_bytes),
           (long long)(after->resources.used_bytes - before->resources.used_bytes),
           (long long)(after->resources.system_bytes - before->resources.system_bytes), (long long)counted);
}

static struct sluice_load *held;

static void load_later(void *self, struct sluice_load *load)
{
    (void)self;
    held = load;
}

static struct sluice_cache *create(size_t room)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache;

    options.loader.load = load_later;
    options.maximum_entries = room;
    options.expire_after_write_ms = (int64_t)3600 * 1000;
    must(sluice_cache_create(&options, &cache), SLUICE_OK, "cannot make a cache");
    return cache;
}

static void put(struct sluice_cache *cache, size_t number)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    char value[KEYS_VALUE_BYTES];
    char key[KEYS_KEY_BYTES];

    keys_write(number, key);
    keys_write_value(number, value);
    content.data = value;
    content.size = sizeof(value);
    must(sluice_put(cache, key, sizeof(key), &content), SLUICE_OK, "put");
}

/* The cache itself, empty, does not count as an entry's. */
static void fill(size_t entries)
{
    static struct snapshot before;
    static struct snapshot after;
    struct sluice_cache *cache = create(entries + entries / 8);

    look(&before);
    for (size_t number = 0; number < entries; number++)
        put(cache, number);
    look(&after);
    print_growth(&before, &after);
    sluice_cache_destroy(cache);
}

static size_t told;

static void count_told(void *arg, const struct sluice_outcome *outcome)
{
    (void)arg;
    must(outcome->error, SLUICE_OK, "a parked get");
    told++;
}

static void park(size_t gets)
{
    static struct snapshot before;
    static struct snapshot after;
    struct sluice_cache *cache = create(1000);
    struct sluice_async_get get = {
        .key = "key", .key_size = 3, .timeout_ms = (int64_t)3600 * 1000, .callback = count_told};
    struct sluice_content content = {.data = "value", .size = 5, .ttl_ms = SLUICE_NEVER};
    struct sluice_outcome outcome;

    /* The first one brings the load with it, which is not the others' cost. */
    must(sluice_get_async(cache, &get, &outcome, NULL), SLUICE_PARKED, "get_async");
    look(&before);
    for (size_t i = 0; i < gets; i++)
        must(sluice_get_async(cache, &get, &outcome, NULL), SLUICE_PARKED, "get_async");
    look(&after);
    print_growth(&before, &after);
    sluice_load_complete(held, &content);
    if (told != gets + 1) {
        fprintf(stderr, "%zu of %zu gets were told\n", told, gets + 1);
        exit(1);
    }
    sluice_cache_destroy(cache);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "fill") == 0) {
        fill((size_t)measure_option_number("ENTRIES", argv[2], 1, 1L << 28));
    } else if (argc == 3 && strcmp(argv[1], "parked") == 0) {
        park((size_t)measure_option_number("GETS", argv[2], 1, 60000));
    } else {
        fprintf(stderr, "usage: %s fill ENTRIES | parked GETS\n", argv[0]);
        return 2;
    }
    return 0;
}
