/* SPDX-License-Identifier: MIT */
/*
 * circle.h: who waits for whom among loads, so that a load that would wait for itself is refused at once (rule 17).
 *
 * A get that is made on behalf of a load, its parent, and parks on a flight is an edge from that load to the flight. It
 * is added after the get has parked and before anything waits for it, so that of the edges of a circle the last one to
 * be added finds it, and is taken out again. Loads that are loaded in one call of the loader are one node.
 *
 * One lock for the process, since circles may lead through several caches. It is taken by gets with a parent only, and
 * never together with a shard's.
 *
 * An edge lasts until its waiter is told. In the instant between a release and that, it may still be seen and close a
 * circle that is about to open: then a load is refused whose result nobody could be given any more.
 */
#ifndef CACHE_CIRCLE_H
#define CACHE_CIRCLE_H

#include "lock.h"

#include <sluice/cache.h>
#include <sys/queue.h>

struct sluice_wait;

/* Of a waiter: the edge. */
struct circle_edge {
    struct sluice_load *parent;   /* a reference; NULL: the get has no parent, and nothing else here is used */
    LIST_ENTRY(sluice_wait) link; /* of the parent's */
    bool linked;
    bool left; /* the waiter has been told, or left: an edge must not be added any more */
};

LIST_HEAD(circle_edges, sluice_wait);

/* Of a flight: the node. */
struct circle_node {
    struct circle_edges edges;      /* gets that are parked on its behalf */
    struct sluice_load *speaker;    /* the flight that stands for all of its call, a reference; or the flight itself */
    struct sluice_load *unexplored; /* of a search: the next one to be looked at */
    uint64_t seen;                  /* by which search last */
};

/* Adds the edge of a waiter that has a parent and has parked. True: it would close a circle, and is not added. */
bool circle_enter(struct sluice_wait *waiter) FREE_OF_SHARD;

/* The waiter has left its flight, and is about to be told. Without a parent nothing happens. */
void circle_leave(struct sluice_wait *waiter) FREE_OF_SHARD;

/* `flight` is about to be called together with `speaker`, or alone, by itself: what it was before is forgotten. */
void circle_join(struct sluice_load *flight, struct sluice_load *speaker) FREE_OF_SHARD;

#endif
