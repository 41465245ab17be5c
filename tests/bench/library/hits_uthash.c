/* SPDX-License-Identifier: MIT */
/*
 * hits_uthash.c: what a lookup costs where nothing is shared, bounded or counted: uthash, with its own hash (Jenkins's)
 * or with the one that libsluice hashes keys with, and the least that two threads need, a mutex. See hits.h.
 */
#define XXH_INLINE_ALL
#include "hits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <xxhash.h>

#define SEED UINT64_C(0x5eed5eed5eed5eed)

struct item {
    UT_hash_handle node;
    char key[KEYS_KEY_BYTES];
    char value[KEYS_VALUE_BYTES];
};

struct items {
    struct item *head;
    pthread_mutex_t lock;
};

static unsigned hash_xxh3(const char *key)
{
    return (unsigned)XXH3_64bits_withSeed(key, KEYS_KEY_BYTES, SEED);
}

static struct items *create_with(const struct hits_stock *stock, bool xxh3)
{
    struct items *items = calloc(1, sizeof(*items));

    if (items == NULL)
        abort();
    pthread_mutex_init(&items->lock, NULL);
    for (size_t number = 0; number < stock->count; number++) {
        struct item *item = malloc(sizeof(*item));

        if (item == NULL)
            abort();
        memcpy(item->key, keys_at(stock->keys, number), KEYS_KEY_BYTES);
        keys_write_value(number, item->value);
        if (xxh3)
            HASH_ADD_BYHASHVALUE(node, items->head, key, KEYS_KEY_BYTES, hash_xxh3(item->key), item);
        else
            HASH_ADD(node, items->head, key, KEYS_KEY_BYTES, item);
    }
    return items;
}

static void *create_jenkins(const struct hits_stock *stock)
{
    return create_with(stock, false);
}

static void *create_xxh3(const struct hits_stock *stock)
{
    return create_with(stock, true);
}

static void destroy(void *self)
{
    struct items *items = self;
    struct item *item;
    struct item *next;

    HASH_ITER(node, items->head, item, next)
    {
        HASH_DELETE(node, items->head, item);
        free(item);
    }
    pthread_mutex_destroy(&items->lock);
    free(items);
}

static uint64_t count_nothing(void *self)
{
    (void)self;
    return 0;
}

static inline const struct item *must_find(const struct item *item)
{
    if (item == NULL) {
        fprintf(stderr, "a key is missing\n");
        exit(1);
    }
    return item;
}

static uint64_t run_jenkins(void *self, const char *keys, const uint32_t *numbers, size_t count)
{
    const struct items *items = self;
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        const struct item *item;

        HASH_FIND(node, items->head, keys_at(keys, numbers[i]), KEYS_KEY_BYTES, item);
        sum += (unsigned char)must_find(item)->value[0];
    }
    return sum;
}

static uint64_t run_xxh3(void *self, const char *keys, const uint32_t *numbers, size_t count)
{
    const struct items *items = self;
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        const char *key = keys_at(keys, numbers[i]);
        const struct item *item;

        HASH_FIND_BYHASHVALUE(node, items->head, key, KEYS_KEY_BYTES, hash_xxh3(key), item);
        sum += (unsigned char)must_find(item)->value[0];
    }
    return sum;
}

static uint64_t run_mutex(void *self, const char *keys, const uint32_t *numbers, size_t count)
{
    struct items *items = self;
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        const char *key = keys_at(keys, numbers[i]);
        unsigned hash = hash_xxh3(key);
        char value[KEYS_VALUE_BYTES];
        const struct item *item;

        pthread_mutex_lock(&items->lock);
        HASH_FIND_BYHASHVALUE(node, items->head, key, KEYS_KEY_BYTES, hash, item);
        memcpy(value, must_find(item)->value, sizeof(value));
        pthread_mutex_unlock(&items->lock);
        sum += (unsigned char)value[0];
    }
    return sum;
}

const struct hits_side hits_sides_uthash[] = {
    {"uthash", "uthash with its own hash, no lock", 1, create_jenkins, run_jenkins, count_nothing, destroy},
    {"uthash-xxh3", "uthash with XXH3, no lock", 1, create_xxh3, run_xxh3, count_nothing, destroy},
    {"mutex-uthash", "uthash with XXH3 under one mutex, value copied", 64, create_xxh3, run_mutex, count_nothing,
     destroy},
    {0},
};
