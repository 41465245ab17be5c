/* SPDX-License-Identifier: MIT */
/* table.c: see table.h. */
#include "table.h"

#include "entry.h"
#include "must.h"
#include "slab.h"

#include <stdlib.h>
#include <string.h>

#define LINE        64u
#define SLOTS       8u
#define SLOT_LAST   (SLOTS - 1)
#define FIRST       (1u << TABLE_FIRST_BITS)
#define TAG_SHIFT   48
#define BUCKETS_MAX (FIRST << (TABLE_SEGMENTS - 1))
#define SPLITS_MAX  2 /* one keeps pace with what comes; the other makes up for memory that was not there */

/*
 * A slot is 0, or an entry's address below its tag, which is not 0. The last slot may be an address without a tag: of
 * the next bucket of the chain, which has two entries at least. Within a chain no slot is empty before one that is not.
 */
struct table_bucket {
    uint64_t slots[SLOTS];
};

_Static_assert(sizeof(struct table_bucket) == LINE && SLOTS == 8, "a bucket is a line");

/* The first segment, and room for the table itself. */
struct table_first {
    _Alignas(LINE) struct table_aside aside;
    _Alignas(LINE) struct table_bucket buckets[FIRST];
};

/* ---- slots and chains -------------------------------------------------------------------------------------------- */

static uint64_t slot_tag(uint64_t hash)
{
    return (hash >> 32 & 0xffff) | 1;
}

static uint64_t slot_make(const struct entry *entry, uint64_t hash)
{
    uint64_t address = (uintptr_t)entry;

    must(address >> TAG_SHIFT == 0);
    return slot_tag(hash) << TAG_SHIFT | address;
}

/* What a slot leads to: an entry or, without a tag, a bucket. */
static void *slot_target(uint64_t slot)
{
    return (void *)(uintptr_t)(slot & ((UINT64_C(1) << TAG_SHIFT) - 1));
}

static struct table_bucket *bucket_next(const struct table_bucket *bucket)
{
    uint64_t last = bucket->slots[SLOT_LAST];

    return last >> TAG_SHIFT == 0 ? slot_target(last) : NULL;
}

/* How many entries a bucket has that is the last of its chain. */
static unsigned bucket_filled(const struct table_bucket *bucket)
{
    unsigned filled = 0;

    while (filled < SLOTS && bucket->slots[filled] != 0)
        filled++;
    return filled;
}

static struct table_bucket *chain_end(struct table_bucket *bucket)
{
    for (struct table_bucket *next; (next = bucket_next(bucket)) != NULL;)
        bucket = next;
    return bucket;
}

static unsigned chain_count(const struct table_bucket *bucket)
{
    unsigned count = 0;

    for (const struct table_bucket *next; (next = bucket_next(bucket)) != NULL; bucket = next)
        count += SLOT_LAST;
    return count + bucket_filled(bucket);
}

/* Entry `place` of a chain that has more. */
static struct entry *chain_entry(const struct table_bucket *bucket, unsigned place)
{
    for (const struct table_bucket *next; place >= SLOT_LAST && (next = bucket_next(bucket)) != NULL; bucket = next)
        place -= SLOT_LAST;
    return slot_target(bucket->slots[place]);
}

/* Makes `more` the chain's last bucket, behind a full one. */
static void chain_extend(struct table_bucket *end, struct table_bucket *more)
{
    memset(more, 0, sizeof *more);
    more->slots[0] = end->slots[SLOT_LAST];
    end->slots[SLOT_LAST] = (uintptr_t)more;
}

/* False: no memory. */
static bool chain_append(struct table_bucket *bucket, uint64_t slot)
{
    struct table_bucket *end = chain_end(bucket);
    unsigned filled = bucket_filled(end);

    if (filled == SLOTS) {
        struct table_bucket *more = slab_alloc(sizeof *more);

        if (more == NULL)
            return false;
        must((uintptr_t)more >> TAG_SHIFT == 0);
        chain_extend(end, more);
        end = more;
        filled = 1;
    }
    end->slots[filled] = slot;
    return true;
}

/* Takes the last entry's slot off a chain; 0: there was none. */
static uint64_t chain_pop(struct table_bucket *bucket)
{
    struct table_bucket *before = NULL, *end = bucket;
    unsigned filled;
    uint64_t slot;

    for (struct table_bucket *next; (next = bucket_next(end)) != NULL; end = next)
        before = end;
    filled = bucket_filled(end);
    if (filled == 0)
        return 0;
    slot = end->slots[filled - 1];
    end->slots[filled - 1] = 0;
    if (before != NULL && filled == 2) { /* the one that is left fits in the bucket before */
        before->slots[SLOT_LAST] = end->slots[0];
        slab_free(end, sizeof *end);
    }
    return slot;
}

/* ---- buckets ----------------------------------------------------------------------------------------------------- */

static struct table_bucket *table_bucket(const struct table *table, uint32_t index)
{
    unsigned segment = 32 - TABLE_FIRST_BITS - (unsigned)__builtin_clz(index | (FIRST - 1));
    uint32_t begin = (FIRST / 2 << segment) & ~(FIRST - 1);

    return &table->segments[segment][index - begin];
}

/* The bucket of a hash; there must be buckets. */
static struct table_bucket *table_home(const struct table *table, uint64_t hash)
{
    uint32_t index = (uint32_t)hash & table->mask;

    return table_bucket(table, index < table->buckets ? index : index & table->mask >> 1);
}

/* The number of the segment that begins with a bucket; 0: none does, or the first. */
static unsigned segment_that_begins(uint32_t index)
{
    if (index < FIRST || (index & (index - 1)) != 0)
        return 0;
    return 32 - TABLE_FIRST_BITS - (unsigned)__builtin_clz(index);
}

/* ---- growing ----------------------------------------------------------------------------------------------------- */

/* A chain that is being filled anew, from its first bucket. */
struct refill {
    struct table_bucket *end;
    unsigned filled;
};

static void refill_add(struct refill *refill, uint64_t slot, struct table_bucket **spare)
{
    if (refill->filled == SLOTS) {
        struct table_bucket *more = *spare;

        *spare = slot_target(more->slots[0]);
        chain_extend(refill->end, more);
        refill->end = more;
        refill->filled = 1;
    }
    refill->end->slots[refill->filled++] = slot;
}

/*
 * Spreads the entries of a bucket over it and a new one, by one more bit of their hashes; the order in each is kept.
 * The chain's own buckets suffice: when a bucket is read, it is spare, and what has been read has never filled more.
 */
static void table_split(struct table_bucket *old, struct table_bucket *new, uint32_t bit)
{
    struct table_bucket current = *old, *next, *spare = NULL;
    struct refill stay = {old, 0}, move = {new, 0};

    memset(old, 0, sizeof *old);
    memset(new, 0, sizeof *new);
    for (;;) {
        unsigned count;

        next = bucket_next(&current);
        count = next != NULL ? SLOT_LAST : bucket_filled(&current);
        for (unsigned i = 0; i < count; i++) {
            const struct entry *entry = slot_target(current.slots[i]);

            refill_add((entry->hash & bit) != 0 ? &move : &stay, current.slots[i], &spare);
        }
        if (next == NULL)
            break;
        current = *next;
        next->slots[0] = (uintptr_t)spare;
        spare = next;
    }
    while (spare != NULL) {
        next = slot_target(spare->slots[0]);
        slab_free(spare, sizeof *spare);
        spare = next;
    }
}

/* One more bucket. False: no memory, nothing changed. */
static bool table_grow(struct table *table)
{
    uint32_t half = (table->mask >> 1) + 1;
    unsigned segment = segment_that_begins(table->buckets);

    if (table->buckets == BUCKETS_MAX)
        return false;
    if (segment > 0 && table->segments[segment] == NULL) {
        /* As many buckets as there are. They are not cleared: each is when a bucket is split into it. */
        table->segments[segment] = aligned_alloc(LINE, table->buckets * sizeof(struct table_bucket));
        if (table->segments[segment] == NULL)
            return false;
    }
    table_split(table_bucket(table, table->buckets - half), table_bucket(table, table->buckets), half);
    table->buckets++;
    if (table->buckets > table->mask)
        table->mask = 2 * table->mask + 1;
    return true;
}

/* The first buckets. False: no memory. */
static bool table_begin(struct table *table)
{
    struct table_first *first = aligned_alloc(LINE, sizeof *first);

    if (first == NULL)
        return false;
    memset(first->buckets, 0, sizeof first->buckets);
    table->segments[0] = first->buckets;
    table->buckets = FIRST;
    table->mask = 2 * FIRST - 1;
    return true;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

void table_init(struct table *table)
{
    memset(table, 0, sizeof *table);
}

/* Bit i: the tag fits in slot i. Written out, and without a branch: which slot it is can't be predicted. */
static unsigned bucket_match(const struct table_bucket *bucket, uint64_t tag)
{
#define SLOT_MATCH(i) ((unsigned)(bucket->slots[i] >> TAG_SHIFT == tag) << (i))
    return SLOT_MATCH(0) | SLOT_MATCH(1) | SLOT_MATCH(2) | SLOT_MATCH(3) | SLOT_MATCH(4) | SLOT_MATCH(5) |
           SLOT_MATCH(6) | SLOT_MATCH(7);
#undef SLOT_MATCH
}

struct entry *table_find(const struct table *table, const void *key, size_t key_size, uint64_t hash)
{
    const struct table_bucket *bucket;
    uint64_t tag = slot_tag(hash);

    if (table->buckets == 0)
        return NULL;
    for (bucket = table_home(table, hash); bucket != NULL; bucket = bucket_next(bucket)) {
        for (unsigned match = bucket_match(bucket, tag); match != 0; match &= match - 1) {
            struct entry *entry = slot_target(bucket->slots[__builtin_ctz(match)]);

            if (entry->key_size == key_size && memcmp(entry->key, key, key_size) == 0)
                return entry;
        }
    }
    return NULL;
}

bool table_insert(struct table *table, struct entry *entry, uint64_t hash)
{
    if (table->buckets == 0 && !table_begin(table))
        return false;
    if (!chain_append(table_home(table, hash), slot_make(entry, hash)))
        return false;
    entry->hash = (uint32_t)hash;
    table->count++;
    for (unsigned i = 0; i < SPLITS_MAX && table->count / TABLE_FILL >= table->buckets; i++) {
        if (!table_grow(table))
            break; /* the next one that comes tries again */
    }
    return true;
}

/* Where an entry's slot is, or NULL. */
static uint64_t *table_slot(const struct table *table, const struct entry *entry)
{
    if (table->buckets == 0)
        return NULL;
    for (struct table_bucket *bucket = table_home(table, entry->hash); bucket != NULL; bucket = bucket_next(bucket)) {
        for (unsigned i = 0; i < SLOTS; i++) {
            if (bucket->slots[i] >> TAG_SHIFT != 0 && slot_target(bucket->slots[i]) == entry)
                return &bucket->slots[i];
        }
    }
    return NULL;
}

void table_remove(struct table *table, struct entry *entry)
{
    uint64_t *slot = table_slot(table, entry);
    uint64_t last;

    must(slot != NULL);
    /* The last one of the chain takes its place. */
    last = chain_pop(table_home(table, entry->hash));
    if (slot_target(last) != entry)
        *table_slot(table, entry) = last;
    table->count--;
}

bool table_has(const struct table *table, const struct entry *entry)
{
    return table_slot(table, entry) != NULL;
}

uint32_t table_hash(const struct entry *entry)
{
    return entry->hash;
}

/* ---- all entries ------------------------------------------------------------------------------------------------- */

/*
 * Within a bucket from its end to its beginning: what is removed has the last one take its place, which has come up
 * already, and a split moves what stays towards the beginning, and the rest to a bucket that is still to come.
 */
struct entry *table_walk_some(const struct table *table, struct table_walk *walk, unsigned *budget)
{
    while (!table_walk_is_over(table, walk) && *budget > 0) {
        const struct table_bucket *bucket = table_bucket(table, walk->bucket);
        unsigned count = chain_count(bucket);

        if (walk->left > count)
            walk->left = count;
        if (walk->left > 0)
            return chain_entry(bucket, --walk->left);
        walk->bucket++;
        walk->left = TABLE_WALK_ALL;
        --*budget;
    }
    return NULL;
}

struct entry *table_walk_next(const struct table *table, struct table_walk *walk)
{
    struct entry *entry;

    do {
        unsigned budget = UINT32_MAX;

        entry = table_walk_some(table, walk, &budget);
    } while (entry == NULL && !table_walk_is_over(table, walk));
    return entry;
}

/* ---- the end of a table ------------------------------------------------------------------------------------------ */

static struct table_first *table_first(const struct table *table)
{
    return (struct table_first *)(void *)((char *)table->segments[0] - offsetof(struct table_first, buckets));
}

struct table_aside *table_move_aside(struct table *table)
{
    struct table_aside *aside;

    if (table->buckets == 0)
        return NULL;
    aside = &table_first(table)->aside;
    aside->table = *table;
    table_init(table);
    return aside;
}

struct entry *table_drain(struct table *table, unsigned *budget)
{
    for (; table->buckets > 0 && *budget > 0; --*budget) {
        uint64_t slot = chain_pop(table_bucket(table, table->buckets - 1));
        unsigned segment;

        if (slot != 0) {
            table->count--;
            return slot_target(slot);
        }
        table->buckets--;
        segment = segment_that_begins(table->buckets);
        if (segment > 0) {
            free(table->segments[segment]);
            table->segments[segment] = NULL;
        }
    }
    return NULL;
}

void table_fini(struct table *table)
{
    must(table->count == 0);
    if (table->segments[0] == NULL)
        return;
    for (unsigned segment = 1; segment < TABLE_SEGMENTS; segment++)
        free(table->segments[segment]);
    free(table_first(table));
}
