/* SPDX-License-Identifier: MIT */
/* eviction.c: see eviction.h. */
#include "eviction.h"

void eviction_init(struct eviction *eviction)
{
    TAILQ_INIT(&eviction->queue);
    eviction->hand = NULL;
}

void eviction_stored(struct eviction *eviction, struct entry *entry)
{
    entry->visited = false;
    TAILQ_INSERT_HEAD(&eviction->queue, entry, order);
}

static struct entry *eviction_newer(const struct entry *entry)
{
    return TAILQ_PREV(entry, entry_list, order);
}

void eviction_removed(struct eviction *eviction, struct entry *entry)
{
    if (eviction->hand == entry)
        eviction->hand = eviction_newer(entry);
    TAILQ_REMOVE(&eviction->queue, entry, order);
}

struct entry *eviction_victim(struct eviction *eviction, unsigned *looks)
{
    struct entry *candidate = eviction->hand, *victim = NULL;

    if (TAILQ_EMPTY(&eviction->queue))
        return NULL;
    /* With looks enough it ends: in the second round at the latest no mark is left. */
    while (victim == NULL && *looks > 0) {
        if (candidate == NULL)
            candidate = TAILQ_LAST(&eviction->queue, entry_list);
        (*looks)--;
        if (candidate->visited) {
            candidate->visited = false;
            candidate = eviction_newer(candidate);
        } else {
            victim = candidate;
        }
    }
    eviction->hand = candidate;
    return victim;
}
