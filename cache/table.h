/* SPDX-License-Identifier: MIT */
/*
 * table.h: the table of a shard: key to entry. The one file that includes uthash.h.
 *
 * Not thread-safe: covered by the shard's lock. Entries belong to the caller; the table links them.
 */
#ifndef CACHE_TABLE_H
#define CACHE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A failed allocation is an answer here; uthash's own way would be to end the process. */
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) (inserted = false)
#include <uthash.h>

struct entry;

struct table {
    struct entry *entries; /* uthash's head: also the first in order of insertion; NULL: empty */
};

/* The entry of a key, or NULL. `hash` is hash_key() of it. */
struct entry *table_find(const struct table *table, const void *key, size_t key_size, uint64_t hash);

/* Links an entry whose key is not in the table. False: no memory, nothing changed. */
bool table_insert(struct table *table, struct entry *entry, uint64_t hash);

/* Unlinks an entry of this table. Iteration with table_next() may go on from its successor, taken before. */
void table_remove(struct table *table, struct entry *entry);

/* The lower bits of the hash of an entry's key, as it was given to table_insert(). */
uint32_t table_hash(const struct entry *entry);

/* The entry after this one in order of insertion, or NULL. */
struct entry *table_next(const struct entry *entry);

size_t table_count(const struct table *table);

#endif
