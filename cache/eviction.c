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

/* The entry that the hand comes to next, round and round. */
static struct entry *eviction_next(const struct eviction *eviction, const struct entry *entry)
{
    struct entry *newer = entry == NULL ? NULL : eviction_newer(entry);

    return newer != NULL ? newer : TAILQ_LAST(&eviction->queue, entry_list);
}

struct entry *eviction_victim(struct eviction *eviction, unsigned *looks)
{
    struct entry *candidate = eviction->hand != NULL ? eviction->hand : eviction_next(eviction, NULL);

    for (; candidate != NULL && candidate->visited && *looks > 0; (*looks)--) {
        candidate->visited = false;
        candidate = eviction_next(eviction, candidate);
    }
    eviction->hand = candidate;
    return candidate;
}

/* ---- the order --------------------------------------------------------------------------------------------------- */

/* The entry that the hand comes to next, or came from. */
static struct entry *eviction_beside(const struct eviction *eviction, const struct entry *entry, enum eviction_end from)
{
    struct entry *older;

    if (from == EVICTION_COLDEST)
        return eviction_next(eviction, entry);
    older = TAILQ_NEXT(entry, order);
    return older != NULL ? older : TAILQ_FIRST(&eviction->queue);
}

/*
 * In its first round the hand takes what is not marked, and clears the marks of the rest, which it takes in the second:
 * both from where it stands now. From the hot end both the rounds and their steps go the other way.
 */
void eviction_walk_init(struct eviction_walk *walk, const struct eviction *eviction, enum eviction_end from)
{
    struct entry *hand = eviction->hand != NULL ? eviction->hand : TAILQ_LAST(&eviction->queue, entry_list);

    walk->eviction = eviction;
    walk->from = from;
    walk->begin = hand;
    if (hand != NULL && from == EVICTION_HOTTEST)
        walk->begin = eviction_beside(eviction, hand, from);
    walk->next = walk->begin;
    walk->visited = from == EVICTION_HOTTEST;
    walk->last_round = false;
}

/* The next entry to be looked at; NULL: both rounds are over. */
static struct entry *eviction_walk_look(struct eviction_walk *walk)
{
    struct entry *entry = walk->next;

    if (entry == NULL && !walk->last_round) {
        entry = walk->begin;
        walk->visited = !walk->visited;
        walk->last_round = true;
    }
    if (entry != NULL) {
        walk->next = eviction_beside(walk->eviction, entry, walk->from);
        if (walk->next == walk->begin)
            walk->next = NULL;
    }
    return entry;
}

struct entry *eviction_walk_next(struct eviction_walk *walk)
{
    struct entry *entry;

    do {
        entry = eviction_walk_look(walk);
    } while (entry != NULL && entry->visited != walk->visited);
    return entry;
}
