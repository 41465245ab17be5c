/* SPDX-License-Identifier: MIT */
/* table.c: see table.h. */
#include "table.h"

#include "entry.h"

struct entry *table_find(const struct table *table, const void *key, size_t key_size, uint64_t hash)
{
    struct entry *found = NULL;

    HASH_FIND_BYHASHVALUE(node, table->entries, key, (unsigned)key_size, (unsigned)hash, found);
    return found;
}

bool table_insert(struct table *table, struct entry *entry, uint64_t hash)
{
    bool inserted = true;

    HASH_ADD_KEYPTR_BYHASHVALUE(node, table->entries, entry->key, (unsigned)entry->key_size, (unsigned)hash, entry);
    return inserted;
}

void table_remove(struct table *table, struct entry *entry)
{
    HASH_DELETE(node, table->entries, entry);
}

uint32_t table_hash(const struct entry *entry)
{
    return entry->node.hashv;
}

struct entry *table_next(const struct entry *entry)
{
    return entry->node.next;
}

size_t table_count(const struct table *table)
{
    return HASH_CNT(node, table->entries);
}
