/* SPDX-License-Identifier: MIT */
/*
 * scaling.c: what a lookup costs among few entries and among many: one side of tests/bench/scaling.
 *
 *     library_scaling SIDE ENTRIES
 *
 *     sluice   sluice_get() of keys of 16 bytes, values of 64
 *     uthash   HASH_FIND of the same, no lock
 *     array    an array of pointers to 64 bytes each: what the memory itself costs
 *
 * Fills the side, says "ready", and plays a round for each line with a number of lookups on its input. All entries are
 * as likely. Which one is next depends on what was read of the last one, so that no two lookups overlap: it is latency
 * that is measured. Answers with a line "operations=N wall_ns=N".
 */
#include "keys.h"

#include "../measure.h"

#include <sluice/cache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* Made with no more than a few instructions, and found nowhere in memory. */
struct key {
    uint64_t parts[2];
};

static inline struct key key_of(uint64_t number)
{
    return (struct key){{keys_mix(number), number}};
}

struct item {
    UT_hash_handle node;
    struct key key;
    char value[KEYS_VALUE_BYTES];
};

union body {
    struct sluice_cache *cache;
    struct item *items;
    char **objects;
};

struct side {
    const char *name;
    void (*create)(union body *body, size_t entries);
    unsigned char (*look)(const union body *body, uint64_t number); /* the first byte of its value */
};

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    return memory;
}

static _Noreturn void fail(const char *what, enum sluice_error error)
{
    fprintf(stderr, "%s: %s\n", what, sluice_strerror(error));
    exit(1);
}

static void load_nothing(void *self, struct sluice_load *load)
{
    (void)self;
    sluice_load_fail(load, "all keys are there");
}

static void create_sluice(union body *body, size_t entries)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    enum sluice_error error;

    options.loader.load = load_nothing;
    options.maximum_entries = entries + entries / 8;
    error = sluice_cache_create(&options, &body->cache);
    if (error != SLUICE_OK)
        fail("cannot make a cache", error);
    for (size_t number = 0; number < entries; number++) {
        struct sluice_content content = SLUICE_CONTENT_INIT;
        struct key key = key_of(number);
        char value[KEYS_VALUE_BYTES];

        keys_write_value(number, value);
        content.data = value;
        content.size = sizeof(value);
        error = sluice_put(body->cache, &key, sizeof(key), &content);
        if (error != SLUICE_OK)
            fail("put", error);
    }
}

static inline unsigned char look_sluice(const union body *body, uint64_t number)
{
    struct key key = key_of(number);
    struct sluice_value *value;
    enum sluice_error error = sluice_get(body->cache, &key, sizeof(key), SLUICE_WAIT_FOREVER, &value);

    if (error != SLUICE_OK)
        fail("get", error);

    unsigned char byte = *(const unsigned char *)sluice_value_data(value);

    sluice_value_unref(value);
    return byte;
}

static void create_uthash(union body *body, size_t entries)
{
    body->items = NULL;
    for (size_t number = 0; number < entries; number++) {
        struct item *item = allocate(sizeof(*item));

        item->key = key_of(number);
        keys_write_value(number, item->value);
        HASH_ADD(node, body->items, key, sizeof(item->key), item);
    }
}

static inline unsigned char look_uthash(const union body *body, uint64_t number)
{
    struct key key = key_of(number);
    const struct item *item;

    HASH_FIND(node, body->items, &key, sizeof(key), item);
    if (item == NULL) {
        fprintf(stderr, "a key is missing\n");
        exit(1);
    }
    return (unsigned char)item->value[0];
}

static void create_array(union body *body, size_t entries)
{
    body->objects = allocate(entries * sizeof(*body->objects));
    for (size_t number = 0; number < entries; number++) {
        body->objects[number] = allocate(KEYS_VALUE_BYTES);
        keys_write_value(number, body->objects[number]);
    }
}

static inline unsigned char look_array(const union body *body, uint64_t number)
{
    return (unsigned char)body->objects[number][0];
}

static const struct side sides[] = {
    {"sluice", create_sluice, look_sluice},
    {"uthash", create_uthash, look_uthash},
    {"array", create_array, look_array},
};

/* Returns 0 if every value was right. */
static unsigned play(const struct side *side, const union body *body, size_t entries, uint64_t *draw, long operations)
{
    unsigned wrong = 0;
    unsigned different = 0; /* always 0, which only the value can tell */

    for (long i = 0; i < operations; i++) {
        uint64_t number = (keys_mix((*draw)++ + different) >> 32) * entries >> 32;

        different = side->look(body, number) ^ (unsigned)(number & 127);
        wrong |= different;
    }
    return wrong;
}

int main(int argc, char **argv)
{
    const struct side *side = NULL;
    union body body;
    uint64_t draw = 1;
    char line[16];

    if (argc != 3) {
        fprintf(stderr, "usage: %s sluice|uthash|array ENTRIES\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        if (strcmp(sides[i].name, argv[1]) == 0)
            side = &sides[i];
    }
    if (side == NULL) {
        fprintf(stderr, "there is no side '%s'\n", argv[1]);
        return 2;
    }
    size_t entries = (size_t)measure_option_number("ENTRIES", argv[2], 1, 1L << 28);

    side->create(&body, entries);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        long operations = measure_option_number("a round", line, 1, 1L << 30);
        int64_t began_ns = measure_now_ns();

        if (play(side, &body, entries, &draw, operations) != 0) {
            fprintf(stderr, "%s gave wrong values\n", side->name);
            return 1;
        }
        printf("operations=%ld wall_ns=%lld\n", operations, (long long)(measure_now_ns() - began_ns));
        fflush(stdout);
    }
    return 0; /* what it holds goes with the process, which is quicker */
}
