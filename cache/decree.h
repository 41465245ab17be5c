/* SPDX-License-Identifier: MIT */
/*
 * decree.h: invalidations of a prefix or a tag that hold at once for all entries of a shard, and are carried out in the
 * background: the call costs the same however many entries there are (rule 3).
 *
 * A shard numbers its decrees. An entry knows up to which of them it has been looked at (`conforms`); a get that finds
 * one behind the last decree looks at it then. A sweep looks at the others, a batch at a time, and a decree that all
 * entries have been held against is forgotten. A tag's is kept longer where a load is current that began before it: the
 * load may bring a value with the tag.
 *
 *   ISSUED      waits for a sweep to begin     sweep_issue_locked
 *   SWEPT FOR   a sweep goes through the entries that were there when it began
 *   KEPT        of a tag: the sweep is over, older loads are on
 *   FORGOTTEN   sweep_forget_locked
 *
 * Any is kept where a saved file is being loaded (restore.h). At most DECREES_MAX are pending; whoever comes over that
 * sweeps on first. If they are kept for old loads, the oldest is lost: those loads are then taken to bring whatever tag
 * it had. Not thread-safe: covered by the shard's lock, except a decree's count.
 *
 * What holding an entry against the decrees costs does not grow with the tags that are pending: each decree leads to
 * the one before it that has a tag of the same hash, and each prefix to the prefix before it. Only prefixes are gone
 * through.
 */
#ifndef CACHE_DECREE_H
#define CACHE_DECREE_H

#include "entry.h"
#include "table.h"

#include <stdatomic.h>

#define DECREES_FEW 32   /* there is room for so many at once; both are powers of two */
#define DECREES_MAX 1024 /* and for so many where there is memory */

/* One for all shards, each of which holds a reference. Immutable, but for the counts. */
struct decree {
    _Atomic uint32_t refs;
    _Atomic size_t entries; /* that were taken away, or made stale, for it so far */
    bool is_tag;            /* else a prefix of keys */
    bool soft;              /* values become stale instead of going */
    int64_t now_ms;         /* when */
    const void *pattern;
    size_t size;
};

/*
 * A place for a pending decree. A number that leads on may be of one that was forgotten long ago, or be no decree's: a
 * chain ends at the first number that is not below the one before it, or not pending.
 */
struct decree_slot {
    struct decree *decree;
    uint32_t hash;    /* of its tag */
    uint32_t earlier; /* the number of the one before it in its chain */
};

/* The decrees of a shard: those with numbers `forgotten` + 1 to `last`; numbers wrap. */
struct decrees {
    uint64_t seed;             /* of the tags' hashes */
    struct decree_slot *slots; /* by number, modulo `room` */
    uint32_t *newest;          /* by a tag's hash, modulo `room`: the last of its chain */
    uint32_t newest_prefix;    /* the last prefix */
    uint32_t prefixes;         /* that are pending */
    uint32_t room;
    uint32_t last;
    uint32_t forgotten;
    uint32_t swept;         /* all entries conform up to this one */
    uint32_t lost;          /* the last one that was forgotten though loads were on that it may concern */
    uint32_t target;        /* of the sweep that is on: it makes them conform up to this one */
    bool sweeping;          /* a sweep is on */
    struct table_walk walk; /* where it goes on */
    struct decree_slot few_slots[DECREES_FEW];
    uint32_t few_newest[DECREES_FEW];
};

/* A copy, with its pattern, that has `refs` references; NULL: no memory. */
struct decree *decree_copy(const struct decree *decree, unsigned refs);
void decree_unref(struct decree *decree);

/* Whether it concerns an entry that has something stored. */
bool decree_concerns(const struct decree *decree, const struct entry *entry);

void decrees_init(struct decrees *decrees, uint64_t seed);

/* Gives back all references. */
void decrees_fini(struct decrees *decrees);

static inline uint32_t decrees_pending(const struct decrees *decrees)
{
    return decrees->last - decrees->forgotten;
}

/* Whether there is no room for another one: DECREES_MAX are pending, or there is no memory for more. */
bool decrees_full(struct decrees *decrees);

static inline struct decree *decrees_get(const struct decrees *decrees, uint32_t number)
{
    return decrees->slots[number % decrees->room].decree;
}

/* Whether decree `number` came after `since`; both of this shard, neither long forgotten. */
static inline bool decrees_after(uint32_t number, uint32_t since)
{
    return (int32_t)(number - since) > 0;
}

/* What may be concerned by decrees after number `since`. */
struct decree_question {
    uint32_t since;
    bool hard;                        /* only by those that are not soft */
    const struct entry *entry;        /* by prefixes of its key; NULL: by tags only */
    const struct sluice_value *value; /* by its tags; NULL: by prefixes only */
};

/* The oldest pending decree that concerns it, and its number; NULL: there is none. */
struct decree *decrees_find(const struct decrees *decrees, const struct decree_question *question, uint32_t *number);

/* Adds one, taking over a reference; there must be room. */
void decrees_add(struct decrees *decrees, struct decree *decree);

/* Forgets the oldest one, and returns it for its reference to be given back after the unlock. */
struct decree *decrees_forget(struct decrees *decrees);

#endif
