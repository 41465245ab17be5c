/* SPDX-License-Identifier: MIT */
/*
 * flight.h: a load in flight and those who wait for it. The loader sees it as its load handle, struct sluice_load.
 *
 * The invariant of coalescing: an entry has at most one flight, the current one; every get of the key that finds no
 * answer to give parks on that flight, or starts it, under the same lock under which an answer is published and the
 * flight unlinked (rules 1, 2).
 *
 *   CURRENT    linked from its entry; gets join it
 *   DETACHED   invalidated: unlinked; those already parked still get its outcome, which is not stored (rule 3)
 *   OVER       its waiters are released; if the load still runs, its result will be dropped (rules 4, 8, 18)
 *
 *   CURRENT -> DETACHED   flight_detach_locked
 *   CURRENT -> OVER       flight_settle_locked: the load ended, a put came, the deadline passed; or flight_abort_locked
 *   DETACHED -> OVER      flight_finish, the deadline; or flight_abort_locked
 *
 * References: one of the load until it is ended, one of the call of the loader, one of each asynchronous waiter. The
 * entry needs none: a load that has not ended keeps its flight, and one that ends unlinks it first.
 */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include "after.h"
#include "shard.h"
#include "store.h"

#include <sluice/cache.h>

struct sluice_load {
    _Atomic uint32_t refs;
    struct sluice_cache *cache; /* a reference */
    struct shard *shard;
    struct sluice_value *old;        /* what was stored when the load began, for the loader; a reference, or NULL */
    TAILQ_ENTRY(sluice_load) queued; /* in the queue of what is to be loaded in the background */
    struct {
        enum sluice_flight_state state;
        bool ended;          /* the loader has ended the load */
        struct entry *entry; /* CURRENT: whose flight it is */
        struct waiter_queue waiters;
        size_t waiters_count;
        struct deadline deadline;
        int64_t started_ms;
        struct entry *record; /* for what is replaced, expired or evicted meanwhile; NULL if nothing was stored */
        TAILQ_ENTRY(sluice_load) link; /* in the shard's list until the load has ended */
    } locked BY_SHARD;
    size_t key_size;
    unsigned char key[];
};

struct sluice_load *flight_ref(struct sluice_load *flight);
void flight_unref(struct sluice_load *flight) FREE_OF_SHARD;

/*
 * Starts a flight for a key that has none; `entry` is the key's entry or NULL, and what it has stored stays if it is of
 * any worth. After the unlock the caller has the load begin with flight_call() or background_call(). Errors:
 * SLUICE_TOO_MANY_LOADS, SLUICE_NO_MEMORY.
 */
enum sluice_error flight_lead_locked(struct shard *shard, struct entry *entry, const void *key, size_t key_size,
                                     uint64_t hash, int64_t now_ms, struct sluice_load **flight,
                                     struct after *after) HOLDS_SHARD SLUICE_CHECK_RESULT;

/* Calls the loader on this thread; takes over the reference of its call. */
void flight_call(struct sluice_load *flight) FREE_OF_SHARD;

/* Whether anybody can still be given the result. */
bool flight_is_wanted_locked(const struct sluice_load *flight) HOLDS_SHARD;

/* If nobody can be given the result any more, the flight is over: true. */
bool flight_give_up_locked(struct sluice_load *flight) HOLDS_SHARD;

/* Parks a waiter at the end of the queue (rule 21). */
void flight_join_locked(struct sluice_load *flight, struct sluice_wait *waiter) HOLDS_SHARD;

/* Gives a parked waiter a deadline. */
void flight_set_deadline_locked(struct sluice_load *flight, struct sluice_wait *waiter, int64_t due_ms,
                                struct after *after) HOLDS_SHARD;

/* Lets a parked waiter leave (rule 7): cancelled, or with SLUICE_TIMED_OUT to be told by the caller. */
void flight_leave_locked(struct sluice_load *flight, struct sluice_wait *waiter, enum waiter_state state) HOLDS_SHARD;

/* Detaches the current flight of an entry, and drops the entry with what is stored in it (rule 3). */
void flight_detach_locked(struct sluice_load *flight, struct after *after) HOLDS_SHARD;

/*
 * Ends a current flight with an answer: settles the entry with it, unlinks the flight and releases the waiters, in that
 * order (rules 2, 4). The load's reference is not given back: that is the part of flight_finish().
 */
void flight_settle_locked(struct sluice_load *flight, const struct answer *answer, int64_t now_ms,
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
