/* SPDX-License-Identifier: MIT */
/*
 * table.h: the table of a shard: key to entry, by linear hashing. It grows a bucket at a time: an entry that comes has
 * at most two buckets split, so that no call pays for the size of the table, and nothing is ever moved as a whole.
 *
 * A bucket is one line of 64 bytes: eight slots, each the address of an entry with 16 bits of its key's hash above it,
 * the tag, so that of eight entries only those are read whose tag fits. Where more than eight come to a bucket, the
 * last slot leads to a further one. Bits 0 to 30 of a hash choose the bucket, 32 to 47 are the tag; above those are the
 * bits that choose the shard. With TABLE_FILL entries a bucket, a hit reads 1.07 lines of buckets, and an entry takes
 * 14.5 bytes of them (more entries a bucket: 13.3 bytes with 6, but 1.12 lines; fewer: 16.8 bytes with 4, 1.03 lines).
 *
 * Buckets lie in segments, of which each is as large as all before it: their addresses never change. The memory of a
 * new segment is not touched before its buckets are needed. Where there is none, the buckets become fuller meanwhile.
 *
 * Tags need addresses of at most 48 bits, which is what programs have on Linux with x86-64 (47), arm64 (48, with
 * neither wider addresses nor tags asked for), riscv64 and loongarch64 (up to 48), and on all with 32 bits.
 *
 * Not thread-safe: covered by the shard's lock. Entries belong to the caller; the table leads to them.
 */
#ifndef CACHE_TABLE_H
#define CACHE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define TABLE_FILL       5  /* entries a bucket, on average, over which the table grows */
#define TABLE_FIRST_BITS 3  /* the first segment has 8 buckets */
#define TABLE_SEGMENTS   29 /* with the last of them 2^31 buckets */

struct entry;
struct table_bucket;

struct table {
    uint32_t buckets; /* in use; 0: no memory is held */
    uint32_t mask;    /* the bits of a hash that choose one, where there are so many: 2^n - 1, at least `buckets` */
    size_t count;
    struct table_bucket *segments[TABLE_SEGMENTS];
};

void table_init(struct table *table);

/* The entry of a key, or NULL. `hash` is hash_key() of it. */
struct entry *table_find(const struct table *table, const void *key, size_t key_size, uint64_t hash);

/* Links an entry whose key is not in the table. False: no memory, nothing changed. */
bool table_insert(struct table *table, struct entry *entry, uint64_t hash);

/* Unlinks an entry of this table. */
void table_remove(struct table *table, struct entry *entry);

/* Whether this very entry is in the table. Its memory must be there, whether or not it is in any. */
bool table_has(const struct table *table, const struct entry *entry);

/* The lower bits of the hash of an entry's key, as it was given to table_insert(). */
uint32_t table_hash(const struct entry *entry);

static inline size_t table_count(const struct table *table)
{
    return table->count;
}

/* ---- all entries ------------------------------------------------------------------------------------------------- */

/*
 * A walk over the entries, in no order that means anything. What is in the table from its beginning to its end comes up
 * at least once, whatever is inserted and removed meanwhile; it may come up again, if the table grows meanwhile.
 */
struct table_walk {
    uint32_t bucket; /* all before it have been walked */
    uint32_t left;   /* entries of this one that have not come up; TABLE_WALK_ALL: none has yet */
};

#define TABLE_WALK_ALL UINT32_MAX
#define TABLE_WALK_INIT                                                                                                \
    {                                                                                                                  \
        0, TABLE_WALK_ALL                                                                                              \
    }

/* The next entry; NULL: there is no more. */
struct entry *table_walk_next(const struct table *table, struct table_walk *walk);

/* As table_walk_next(), but NULL also when *budget is used up, of which each bucket that is left behind costs one. */
struct entry *table_walk_some(const struct table *table, struct table_walk *walk, unsigned *budget);

static inline bool table_walk_is_over(const struct table *table, const struct table_walk *walk)
{
    return walk->bucket >= table->buckets;
}

/* ---- the end of a table ------------------------------------------------------------------------------------------ */

/* All that was in a table, in the table's own memory. */
struct table_aside {
    STAILQ_ENTRY(table_aside) link; /* the owner's */
    struct table table;
};

STAILQ_HEAD(table_asides, table_aside);

/* Empties a table in constant time: what was in it is the caller's now, to be drained and freed. NULL: nothing was. */
struct table_aside *table_move_aside(struct table *table);

/*
 * Takes any entry out of a table that is for nothing else any more, and gives back memory of buckets as it goes. NULL:
 * nothing is left, or *budget is used up, of which each bucket costs one.
 */
struct entry *table_drain(struct table *table, unsigned *budget);

/* Frees the memory of a table that is empty, and so a struct table_aside too. */
void table_fini(struct table *table);

#endif
