/* SPDX-License-Identifier: MIT */
/*
 * eviction.h: which entry goes when the cache is full. The seam behind which the policy may change: a shard tells what
 * is stored, hit and taken away, and asks for a victim.
 *
 * The policy is SIEVE: one queue in order of storing; a hit sets a mark, so that it moves nothing; a hand goes from the
 * oldest towards the newest, clears marks, and evicts the first entry without one. How many marks it clears in one
 * search is bounded.
 *
 * Not thread-safe: covered by the shard's lock. Allocates nothing.
 */
#ifndef CACHE_EVICTION_H
#define CACHE_EVICTION_H

#include "entry.h"

struct eviction {
    struct entry_list queue; /* newest first */
    struct entry *hand;      /* where the next search begins; NULL: at the oldest */
};

void eviction_init(struct eviction *eviction);
void eviction_stored(struct eviction *eviction, struct entry *entry);
void eviction_removed(struct eviction *eviction, struct entry *entry);

static inline void eviction_hit(struct entry *entry)
{
    if (!entry->visited) /* a hot entry's line stays clean */
        entry->visited = true;
}

/*
 * The entry to go next, still stored; NULL: there is none. Each entry that its mark saves costs one of *looks. When
 * none is left, the one that the hand has come to goes, marked or not: where all has been hit a search would else look
 * at all of it. That costs hardly a hit: for each one that goes though marked, as many marked ones as it had looks
 * stay.
 */
struct entry *eviction_victim(struct eviction *eviction, unsigned *looks);

enum eviction_end { EVICTION_COLDEST, EVICTION_HOTTEST };

/*
 * A walk over the entries in the order in which they would go if nothing were stored or hit meanwhile, and no search
 * ran out of looks; from one end.
 */
struct eviction_walk {
    const struct eviction *eviction;
    enum eviction_end from;
    struct entry *begin; /* of a round; NULL: there are no entries */
    struct entry *next;  /* to be looked at; NULL: the round is over */
    bool visited;        /* what this round takes: the marked ones, or the others */
    bool last_round;
};

/* Nothing may be stored, hit or removed while it is used. */
void eviction_walk_init(struct eviction_walk *walk, const struct eviction *eviction, enum eviction_end from);

/* The next entry; NULL: there are no more. */
struct entry *eviction_walk_next(struct eviction_walk *walk);

#endif
