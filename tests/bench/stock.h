/* SPDX-License-Identifier: MIT */
/*
 * stock.h: the cache that `bounds` measures: many entries with keys of 16 bytes, values of 64 bytes and two tags each.
 * Entries are known by number; key, prefix and tags follow from it.
 *
 * May be used by: tests/bench. Any thread, but for making it and giving it back. What can't be done ends the program.
 */
#ifndef BENCH_STOCK_H
#define BENCH_STOCK_H

#include <sluice/cache.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STOCK_KEY_BYTES = 16, STOCK_VALUE_BYTES = 64, STOCK_TAGS = 4000, STOCK_PREFIXES = 1000 };

struct stock {
    struct sluice_cache *cache;
    _Atomic uint64_t left; /* values that the listener was told of: their memory is given back right after */
};

/* An empty cache. Its loader answers every key at once, its executor runs at once. `stale`: keeps what has expired. */
void stock_create(struct stock *stock, size_t maximum, bool stale);
void stock_destroy(struct stock *stock);

/* The key of an entry: "PPP/NNNNNNNNNNNN", its number modulo STOCK_PREFIXES, and its number. Not terminated. */
void stock_key(size_t entry, char key[STOCK_KEY_BYTES]);

/* The name of a tag, and whether an entry has it. */
struct stock_tag {
    char name[16];
};
struct stock_tag stock_tag(size_t tag);
bool stock_has_tag(size_t entry, size_t tag);

/* Stores an entry; ttl_ms as in struct sluice_content. */
void stock_put(struct stock *stock, size_t entry, int64_t ttl_ms);

struct sluice_stats stock_stats(struct stock *stock);

#endif
