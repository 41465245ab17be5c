/* SPDX-License-Identifier: MIT */
/*
 * restore.h: what happens to keys while a saved file is loaded, so that nothing of the file is stored that was
 * invalidated or became outdated meanwhile (rule 3). Each load of a file has a part in each shard; while it runs
 *
 *   a key that leaves the table, or is invalidated and not in it   is marked in the part, by its hash
 *   all of the shard is invalidated                                ends the part
 *   a prefix or a tag is invalidated                               is a decree, which is kept for the part, or ends it
 *
 * and what the part does not allow any more is not stored. A key that is in the table is not marked: it has an answer
 * or a load in flight, which the file does not replace. Marks are shared between keys: some are left out without need,
 * and no memory is asked for while a lock is held. Covered by the shard's lock.
 */
#ifndef CACHE_RESTORE_H
#define CACHE_RESTORE_H

#include "entry.h"
#include "lock.h"

#define RESTORE_MARKS 8192 /* in a part */

struct shard;
struct decrees;

struct restore {
    LIST_ENTRY(restore) link; /* the latest first */
    uint32_t born;            /* the last decree when it began */
    bool over;                /* it allows nothing more */
    uint64_t marks[RESTORE_MARKS / 64];
};

LIST_HEAD(restore_list, restore);

void restore_begin_locked(struct shard *shard, struct restore *restore) HOLDS_SHARD;
void restore_end_locked(struct restore *restore) HOLDS_SHARD;

/* A key with this hash leaves the table, or is invalidated. */
static inline void restore_mark(struct restore_list *restores, uint64_t hash)
{
    struct restore *restore;

    LIST_FOREACH(restore, restores, link)
    {
        restore->marks[hash % RESTORE_MARKS / 64] |= (uint64_t)1 << hash % 64;
    }
}

/* All keys of the shard are invalidated, or decrees can't be kept any longer. True: a part was not over before. */
bool restore_end_all(struct restore_list *restores);

/* Whether any part has decree `number` kept. */
bool restore_keeps(const struct restore_list *restores, uint32_t number);

/* Whether a bare entry that has a value may be stored for this part of the shard. */
bool restore_allows_locked(const struct shard *shard, const struct restore *restore, const struct entry *entry,
                           uint64_t hash) HOLDS_SHARD;

#endif
