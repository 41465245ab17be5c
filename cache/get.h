/* SPDX-License-Identifier: MIT */
/*
 * get.h: what all gets share: each locks the key's shard, decides (hit, follow, lead, or refused), unlocks, and only
 * then calls what is not ours. The public gets: get_blocking.c, get_async.c.
 */
#ifndef CACHE_GET_H
#define CACHE_GET_H

#include "core.h"
#include "flight.h"
#include "waiter.h"

/* One get of one key under way. */
struct get {
    struct sluice_cache *cache;
    struct shard *shard;
    struct flight_plan plan; /* of the flight that it may start */
    int64_t timeout_ms;
    bool patient;               /* an old value is held: it may be taken once the patience is over */
    struct sluice_load *parent; /* the load on whose behalf it is made, held by the caller; or NULL */
    bool blocks;                /* the thread waits for it until its end */
    bool overtakes;          /* the flight that it has to call was begun by another call, and is in that one's chain */
    struct sluice_load *led; /* the flight whose loader this get has to call, with the reference of that call */
    struct sluice_load *refresh; /* likewise, in the background; this get was a hit */
    struct after after;
};

/* SLUICE_OK, or why not: the key's size is the one fault of a get that is seen before the shard is. */
enum sluice_error get_init(struct get *get, struct sluice_cache *cache, const struct sluice_request *request);

/* True for a hit, with the outcome; else *entry is the key's entry, if any. Counts hits only. */
bool get_look_locked(struct get *get, struct entry **entry, struct sluice_outcome *outcome) HOLDS_SHARD;

/* After the unlock of a hit: after_run(), which most of the time has nothing to do. */
void get_run_after_hit(struct get *get) FREE_OF_SHARD;

/* As get_run_after_hit(), and has the reload begin that the hit found due, if any; returns the outcome's error. */
enum sluice_error get_hit(struct get *get, const struct sluice_outcome *outcome) FREE_OF_SHARD;

/* A miss: parks the waiter, on the flight that there is or on one that it starts; or says why not. */
enum sluice_error get_park_locked(struct get *get, struct entry *entry, struct sluice_wait *waiter) HOLDS_SHARD;

/*
 * As get_park_locked() with a new asynchronous waiter of `refs` references, which has a reference of its flight. With
 * `timed` its time runs from now.
 */
enum sluice_error get_park_async_locked(struct get *get, struct entry *entry, sluice_callback *callback, void *arg,
                                        unsigned refs, bool timed, struct sluice_wait **waiter) HOLDS_SHARD;

/*
 * After the unlock, for a blocking waiter that has parked: calls the loader if this get has to, and waits for the
 * outcome. `held` is a reference of the flight that it parked on, since to others this get is parked already, and they
 * may destroy the cache; it is given back here.
 */
enum sluice_error get_wait(struct get *get, struct sluice_wait *waiter, struct sluice_load *held,
                           struct sluice_outcome *outcome) FREE_OF_SHARD;

/*
 * Whether the flight that this get has to call is called in the background: it is to wait for others (rule 15), or this
 * thread may have an answer before the load has.
 */
bool get_calls_later(const struct get *get);

/* Has a flight loaded in the background, or with the next batch. Takes over the reference of its call. */
void get_load_later(struct sluice_load *flight) FREE_OF_SHARD;

/*
 * Lets an asynchronous waiter leave, if it has no end yet: true. The caller then has the reference that was the
 * cache's, and nobody else will tell it.
 */
bool get_leave(struct sluice_wait *waiter, enum sluice_error why) FREE_OF_SHARD;

/*
 * After the unlock, for a waiter with a parent that has parked: true if it would wait for itself, and has left
 * therefore (rule 17); get->led is then NULL. Until it has been asked nothing may wait for it.
 */
bool get_is_circular(struct get *get, struct sluice_wait *waiter) FREE_OF_SHARD;

/* A get that is over before it looked: counted with the misses, so that rule 23's sums hold. Returns the error. */
enum sluice_error get_reject(struct sluice_cache *cache, enum sluice_error error,
                             struct sluice_outcome *outcome) FREE_OF_SHARD;

/* Makes an error the outcome, and returns it. */
enum sluice_error get_refuse(enum sluice_error error, struct sluice_outcome *outcome);

#endif
