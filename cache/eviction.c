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

struct entry *eviction_victim(struct eviction *eviction)
{
    struct entry *candidate = eviction->hand;

    if (TAILQ_EMPTY(&eviction->queue))
        return NULL;
    /* Ends: in the second round at the latest no mark is left. */
    for (;;) {
        if (candidate == NULL)
            candidate = TAILQ_LAST(&eviction->queue, entry_list);
        if (!candidate->visited)
            break;
        candidate->visited = false;
        candidate = eviction_newer(candidate);
    }
    eviction->hand = candidate;
    return candidate;
}
