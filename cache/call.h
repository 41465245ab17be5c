/* SPDX-License-Identifier: MIT */
/* call.h: the call of the loader, for one flight or for several at once, on this thread or in the background. */
#ifndef CACHE_CALL_H
#define CACHE_CALL_H

#include "circle.h"
#include "lock.h"

#include <sluice/cache.h>

/*
 * Flights of one cache and one loader that are to be loaded together, linked by their `chained`; each with the
 * reference of its call. The caller's own.
 */
struct call_chain {
    struct sluice_load *first; /* NULL: none */
    struct sluice_load *last;
    size_t count;
};

void call_chain_init(struct call_chain *chain);
void call_chain_add(struct call_chain *chain, struct sluice_load *flight);

/*
 * Calls the loader on this thread for a chain, in one call as far as it can; drops the loads whose result nobody can be
 * given any more. Takes over the references of the calls, and empties the chain.
 */
void call_load_chain(struct call_chain *chain) FREE_OF_SHARD;

/* As call_load_chain() for one flight. */
void call_load(struct sluice_load *flight) FREE_OF_SHARD;

/*
 * As call_load(), for a flight that is in somebody else's chain, and stays in it: whoever comes second finds that the
 * loader has been called. Takes over a reference.
 */
void call_overtake(struct sluice_load *flight) FREE_OF_SHARD;

/* Ends the loads of a chain with a refusal, but for those that others had called; takes over the references. */
void call_refuse_chain(struct call_chain *chain, const char *reason) FREE_OF_SHARD;

/* Whether flights with the cache's own loader wait for others before it is called (rule 15). */
bool call_is_batched(const struct sluice_cache *cache);

/* As call_load_chain(), in the background, or with the next batch. */
void call_load_later(struct call_chain *chain) FREE_OF_SHARD;

/* The load whose loader has been called on this thread and has not returned; NULL: none. Borrowed. */
struct sluice_load *call_current(void);

/*
 * Where a get on behalf of this load is made from, for circle_enter(): a call of the loader that is under way on this
 * thread for that one, even if the load has been ended in it and goes on with another; else wherever the load is.
 */
struct circle_spot call_spot(struct sluice_load *parent);

/* The innermost call of a loader that is under way on this thread; none: no flight. */
struct circle_spot call_here(void);

/* Which loader a thread is in, the calls of loaders around it included. On the stack of that thread. */
struct call_frame {
    struct circle_spot spot; /* of the first flight of its call */
    const struct call_frame *outer;
    bool entered;
};

/*
 * Until call_leave(), what this thread does counts as done within the loader of this flight, which is to be called
 * next: what it waits for, the load waits for (rule 17). With NULL, and within a loader, nothing changes: that one's
 * load waits too, and what is to be called next a get on its behalf calls.
 */
void call_enter(struct call_frame *frame, struct sluice_load *flight);
void call_leave(const struct call_frame *frame);

#endif
