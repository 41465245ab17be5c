/* SPDX-License-Identifier: MIT */
/* stock.c: see stock.h. */
#include "stock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries that follow each other share their second tag: half the values of a tag were stored together, half were not.
 */
#define STOCK_TAG_RUN 250

static size_t first_tag(size_t entry)
{
    return entry % STOCK_TAGS;
}

static size_t second_tag(size_t entry)
{
    return entry / STOCK_TAG_RUN % STOCK_TAGS;
}

bool stock_has_tag(size_t entry, size_t tag)
{
    return first_tag(entry) == tag || second_tag(entry) == tag;
}

struct stock_tag stock_tag(size_t tag)
{
    struct stock_tag made;

    snprintf(made.name, sizeof(made.name), "tag-%zu", tag);
    return made;
}

static void write_digits(char *text, size_t size, size_t number)
{
    while (size > 0) {
        text[--size] = (char)('0' + number % 10);
        number /= 10;
    }
}

void stock_key(size_t entry, char key[STOCK_KEY_BYTES])
{
    write_digits(key, 3, entry % STOCK_PREFIXES);
    key[3] = '/';
    write_digits(key + 4, STOCK_KEY_BYTES - 4, entry);
}

/* What an entry's value is made of. */
struct goods {
    char data[STOCK_VALUE_BYTES];
    struct stock_tag tags[2];
    const char *names[2];
    struct sluice_content content;
};

static void make_goods(size_t entry, int64_t ttl_ms, struct goods *goods)
{
    memset(goods->data, 'a' + (int)(entry % 26), sizeof(goods->data));
    goods->tags[0] = stock_tag(first_tag(entry));
    goods->tags[1] = stock_tag(second_tag(entry));
    goods->names[0] = goods->tags[0].name;
    goods->names[1] = goods->tags[1].name;
    goods->content = (struct sluice_content){.data = goods->data,
                                             .size = sizeof(goods->data),
                                             .ttl_ms = ttl_ms,
                                             .tags = goods->names,
                                             .tags_count = 2,
                                             .refresh_ms = SLUICE_TTL_DEFAULT};
}

void stock_put(struct stock *stock, size_t entry, int64_t ttl_ms)
{
    char key[STOCK_KEY_BYTES];
    struct goods goods;
    enum sluice_error error;

    stock_key(entry, key);
    make_goods(entry, ttl_ms, &goods);
    error = sluice_put(stock->cache, key, sizeof(key), &goods.content);
    if (error != SLUICE_OK) {
        fprintf(stderr, "cannot put entry %zu: %s\n", entry, sluice_strerror(error));
        exit(1);
    }
}

static void load_one(void *self, struct sluice_load *load)
{
    char digits[STOCK_KEY_BYTES - 4 + 1] = {0};
    struct goods goods;

    (void)self;
    memcpy(digits, (const char *)sluice_load_key(load) + 4, sizeof(digits) - 1);
    make_goods(strtoul(digits, NULL, 10), SLUICE_TTL_DEFAULT, &goods);
    sluice_load_complete(load, &goods.content);
}

static void load_many(void *self, struct sluice_load *const *loads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        load_one(self, loads[i]);
    }
}

static void run_at_once(void *self, void (*task)(void *arg), void *arg)
{
    (void)self;
    task(arg);
}

static void count_removed(void *self, const struct sluice_removal *removal)
{
    struct stock *stock = self;

    (void)removal;
    atomic_fetch_add_explicit(&stock->left, 1, memory_order_relaxed);
}

void stock_create(struct stock *stock, size_t maximum, bool stale)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    enum sluice_error error;

    options.loader.load = load_one;
    options.loader.load_many = load_many;
    options.executor.run = run_at_once;
    options.maximum_entries = maximum;
    options.stale_while_revalidate_ms = stale ? SLUICE_NEVER : 0;
    options.listener.removed = count_removed;
    options.listener.self = stock;
    atomic_init(&stock->left, 0);
    error = sluice_cache_create(&options, &stock->cache);
    if (error != SLUICE_OK) {
        fprintf(stderr, "cannot make a cache: %s\n", sluice_strerror(error));
        exit(2);
    }
}

void stock_destroy(struct stock *stock)
{
    sluice_cache_destroy(stock->cache);
    stock->cache = NULL;
}

struct sluice_stats stock_stats(struct stock *stock)
{
    struct sluice_stats stats;

    sluice_cache_stats(stock->cache, &stats);
    return stats;
}
