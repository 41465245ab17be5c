/* SPDX-License-Identifier: MIT */
/* restore.c: see restore.h. */
#include "restore.h"

#include "shard.h"

#include <string.h>

void restore_begin_locked(struct shard *shard, struct restore *restore)
{
    restore->born = shard->locked.decrees.last;
    restore->over = false;
    memset(restore->marks, 0, sizeof restore->marks);
    LIST_INSERT_HEAD(&shard->locked.restores, restore, link);
}

void restore_end_locked(struct restore *restore)
{
    LIST_REMOVE(restore, link);
}

bool restore_end_all(struct restore_list *restores)
{
    struct restore *restore;
    bool ended = false;

    LIST_FOREACH(restore, restores, link)
    {
        ended = ended || !restore->over;
        restore->over = true;
    }
    return ended;
}

bool restore_keeps(const struct restore_list *restores, uint32_t number)
{
    const struct restore *restore;

    LIST_FOREACH(restore, restores, link)
    {
        if (!restore->over && decrees_after(number, restore->born))
            return true;
    }
    return false;
}

bool restore_allows_locked(const struct shard *shard, const struct restore *restore, const struct entry *entry,
                           uint64_t hash)
{
    const struct decree_question question = {.since = restore->born, .entry = entry, .value = entry->value};
    uint32_t number;

    if (restore->over || (restore->marks[hash % RESTORE_MARKS / 64] >> hash % 64 & 1) != 0)
        return false;
    return decrees_find(&shard->locked.decrees, &question, &number) == NULL;
}
