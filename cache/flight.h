/* SPDX-License-Identifier: MIT */
/*
 * flight.h: a load in flight and those who wait for it. The loader sees it as its load handle, struct sluice_load.
 *
 * The invariant of coalescing: an entry has at most one flight, the current one; every get of the key that finds no
 * answer to give parks on that flight, or starts it, under the same lock under which an answer is published and the
 * flight unlinked (rules 1, 2).
 *
 *   CURRENT    linked from its entry; gets join it
 *   DETACHED   invalidated: unlinked; those that are parked, one at least, get its outcome; it is not stored (rule 3)
 *   OVER       its waiters are released; if the load still runs, its result will be dropped (rules 4, 8, 18)
 *
 *   CURRENT -> DETACHED   flight_detach_locked
 *   CURRENT -> OVER       flight_settle_locked: the load ended, a put came, the deadline passed; flight_abort_locked;
 *                         flight_detach_locked where nobody waits; flight_leave_locked by the last one, as an option
 *   DETACHED -> OVER      flight_finish, the deadline; flight_abort_locked; flight_leave_locked by the last one
 *
 * A load that ends with a value whose tag was invalidated meanwhile may have waiters that parked after that. They can't
 * be given the value: the flight goes on with a new load for them, and is as if it had just begun
 * (flight_restart_locked).
 *
 * References: one of the load until it is ended, one of the call of the loader, one of each asynchronous waiter. The
 * entry needs none: a load that has not ended keeps its flight, and one that ends unlinks it first.
 */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include "after.h"
#include "circle.h"
#include "shard.h"
#include "store.h"

#include <sluice/cache.h>

struct sluice_load {
    struct entry_shelf shelf; /* CURRENT: of the entry; covered by the shard's lock */
    _Atomic uint32_t refs;
    struct sluice_cache *cache; /* a reference */
    struct shard *shard;
    struct sluice_loader loader;
    struct circle_place circle;       /* covered by the circles' lock */
    struct sluice_value *old;         /* what was stored when the load began, for the loader; a reference, or NULL */
    uint64_t old_weight;              /* of that, which it keeps if it is renewed */
    struct sluice_load *chained;      /* the next one of those that are to be called together; their caller's own */
    STAILQ_ENTRY(sluice_load) queued; /* the first of a chain: in the queue of what is to be called in the background */
    bool again;                       /* this is not its first load; written when it goes on, read by its call */
    size_t chained_count;             /* the first of a chain in that queue: how many it has */
    struct {
        enum sluice_flight_state state;
        bool called;         /* the loader has been called, or the load dropped without */
        bool chained;        /* in the chain that it is to be called in, which has not come to it */
        bool ended;          /* it has ended the load */
        bool computes;       /* its loader is a computation (compute.c) */
        bool background;     /* it was not begun for a waiter */
        struct entry *entry; /* CURRENT: whose flight it is */
        struct waiter_queue waiters;
        size_t waiters_count;
        struct deadline deadline;
        int64_t started_ms;
        uint32_t born;        /* the last decree when it began */
        struct entry *record; /* for what is replaced, expired or evicted meanwhile; NULL if nothing was stored */
        TAILQ_ENTRY(sluice_load) link;     /* in the shard's list until the load has ended */
        TAILQ_ENTRY(sluice_load) unwanted; /* in a list of those whose loader is to be told; then a reference */
    } locked BY_SHARD;
    size_t key_size;
    unsigned char key[];
};

struct sluice_load *flight_ref(struct sluice_load *flight);
void flight_unref(struct sluice_load *flight) FREE_OF_SHARD;

/* What a flight is begun with. */
struct flight_plan {
    const void *key;
    size_t key_size;
    uint64_t hash;
    int64_t now_ms;
    const struct sluice_loader *loader;
    bool background; /* nobody is about to park on it */
};

/*
 * Starts a flight for a key that has none; `entry` is the key's entry or NULL, and what it has stored stays if it is of
 * any worth. After the unlock the caller has the load begin with call_load() or background_call(). Errors:
 * SLUICE_TOO_MANY_LOADS, SLUICE_NO_MEMORY.
 */
enum sluice_error flight_lead_locked(struct shard *shard, struct entry *entry, const struct flight_plan *plan,
                                     struct sluice_load **flight, struct after *after) HOLDS_SHARD SLUICE_CHECK_RESULT;

/* Whether anybody can still be given the result. */
static inline bool flight_is_wanted_locked(const struct sluice_load *flight) HOLDS_SHARD;
static inline bool flight_is_wanted_locked(const struct sluice_load *flight)
{
    return flight->locked.state != SLUICE_FLIGHT_OVER;
}

/* Parks a waiter at the end of the queue (rule 21). */
void flight_join_locked(struct sluice_load *flight, struct sluice_wait *waiter) HOLDS_SHARD;

/*
 * Moves the waiters of a load that has not ended to another flight of the key, in their order; those with a parent
 * stay, since circles are looked for through them.
 */
void flight_move_waiters_locked(struct sluice_load *from, struct sluice_load *to) HOLDS_SHARD;

/* Gives a parked waiter its deadline, and that of its patience (stale_at_ms). */
void flight_set_deadline_locked(struct sluice_load *flight, struct sluice_wait *waiter, int64_t due_ms,
                                struct after *after) HOLDS_SHARD;

/*
 * Lets a parked waiter leave (rule 7), alone: cancelled for `why` SLUICE_OK, else released with that error, which the
 * caller is to tell. If it was the last one the flight may be over (rule 9).
 */
void flight_leave_locked(struct sluice_load *flight, struct sluice_wait *waiter, enum sluice_error why,
                         struct after *after) HOLDS_SHARD;

/* A deadline of a waiter has come: it leaves, or takes a stale value. True: it has an end, and the caller is to tell
 * it. */
bool flight_ring_locked(struct sluice_load *flight, struct sluice_wait *waiter, int64_t now_ms,
                        struct after *after) HOLDS_SHARD;

/*
 * Detaches the current flight of an entry, and drops the entry with what is stored in it (rule 3); `soft`: only if
 * nothing is. True: the entry is gone.
 */
bool flight_detach_locked(struct sluice_load *flight, bool soft, struct after *after) HOLDS_SHARD;

/*
 * Ends a current flight with an answer: settles the entry with it, unlinks the flight and releases the waiters, in that
 * order (rules 2, 4). The load's reference is not given back: that is the part of flight_finish().
 */
void flight_settle_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms,
                          struct after *after) HOLDS_SHARD;

/*
 * The waiters of a flight that has been detached wait for another one of the key instead, first in its queue; those
 * that can't be moved are told that it failed. The flight is over.
 */
void flight_replace_locked(struct sluice_load *flight, struct sluice_load *successor, int64_t now_ms,
                           struct after *after) HOLDS_SHARD;

/* Ends a flight that is not over because the cache closes (rule 18). */
void flight_abort_locked(struct sluice_load *flight, struct after *after) HOLDS_SHARD;

/* The deadline of a load has passed: it is unlinked and its waiters released (rule 8). */
void flight_expire_locked(struct sluice_load *flight, int64_t now_ms, struct after *after) HOLDS_SHARD;

/*
 * The loader has ended the load. Takes over the answer's reference and the load's reference of the flight, which must
 * not be touched afterwards.
 */
void flight_finish(struct sluice_load *flight, struct answer *answer) FREE_OF_SHARD;

/* What belongs to a deadline that has come. */
struct sluice_load *flight_of_deadline(struct deadline *deadline);
struct sluice_wait *waiter_of_deadline(struct deadline *deadline);

#endif
