/* SPDX-License-Identifier: MIT */
/*
 * circle.h: who waits for whom among loads, so that a load that would wait for itself is refused at once (rule 17).
 *
 * The nodes are calls of the loader: loads that are loaded in one call wait for each other. There are two kinds of
 * edges. A get that is made on behalf of a load, its parent, and parks on a flight is one from the call that loads the
 * parent to the one that loads the flight; if it blocks, and its thread is in another call of the loader, a second one
 * leads from that. And a call that is made from within another, on its thread, is one from the outer to the inner one,
 * as long as it lasts: the outer one goes on when the inner one has returned.
 *
 * A get's edge is added after the get has parked and before anything waits for it, so that of the edges of a circle the
 * last one to be added finds it, and is taken out again. A call's never closes one: nothing is done within the inner
 * call before it is there.
 *
 * A flight has a node of its own for its first load. Several that are called together share one that is made for the
 * call, and so has a flight that goes on with another load a new one: what its earlier call waits for, and who shared
 * that, does not concern it. A load that ends leaves what it shared.
 *
 * One lock for the process, since circles may lead through several caches. It is taken by gets with a parent and by
 * calls and ends of loads that share a node, and never together with a shard's.
 *
 * An edge lasts until its waiter is told. In the instant between a release and that, it may still be seen and close a
 * circle that is about to open: then a load is refused whose result nobody could be given any more.
 */
#ifndef CACHE_CIRCLE_H
#define CACHE_CIRCLE_H

#include "lock.h"

#include <sluice/cache.h>
#include <stdatomic.h>
#include <sys/queue.h>

struct sluice_wait;

/* Where a load is: at a node, or, with NULL, wherever the flight is when it is asked for. No flight: nowhere. Borrowed.
 */
struct circle_spot {
    struct sluice_load *flight;
    struct circle_node *node;
};

struct circle_edge {
    LIST_ENTRY(circle_edge) link; /* of its node's edges */
    struct circle_node *from;     /* a reference, or a flight's own; NULL: not linked */
    struct circle_spot to;
};

LIST_HEAD(circle_edges, circle_edge);

/* A call of the loader. */
struct circle_node {
    _Atomic uint32_t refs;          /* not of a flight's own: one of each flight, edge, and of who made it */
    bool own;                       /* a flight's, and in its memory */
    struct circle_edges edges;      /* to what this call waits for */
    struct circle_node *unexplored; /* of a search: the next one to be looked at */
    uint64_t seen;                  /* by which search last */
};

/* Of a flight. */
struct circle_place {
    struct circle_node own;
    struct circle_node *node; /* where it is: its own, or a reference of another */
};

/* Of a waiter. */
struct circle_wait {
    struct sluice_load *parent; /* a reference; NULL: the get has no parent, and nothing else here is used */
    struct circle_edge edge;    /* from the parent's call */
    struct circle_edge beside;  /* from another one, in which its thread is */
    bool left;                  /* the waiter has been told, or left: an edge must not be added any more */
};

void circle_place_init(struct circle_place *place);
void circle_place_fini(struct circle_place *place);

/* A node for a call, with one reference; NULL: no memory. */
struct circle_node *circle_node_create(void);

/* NULL is allowed. */
void circle_node_unref(struct circle_node *node);

/* These flights are about to be called together, as `node`. */
void circle_join(struct sluice_load *const *flights, size_t count, struct circle_node *node) FREE_OF_SHARD;

/* The flight's load has ended, and may be followed by another: those it was called with are nothing to it any more. */
void circle_part(struct sluice_load *flight) FREE_OF_SHARD;

/*
 * Adds the edges of a waiter that has a parent and has parked: from where the parent's load is, and from the call in
 * which its thread is about to wait, if there is such a one. True: they would close a circle, and are not added.
 */
bool circle_enter(struct sluice_wait *waiter, struct circle_spot parent, struct circle_spot thread) FREE_OF_SHARD;

/* The waiter has left its flight, and is about to be told. Without a parent nothing happens. */
void circle_leave(struct sluice_wait *waiter) FREE_OF_SHARD;

/* Adds the edge of a call within another, until circle_ascend(). The edge is the caller's own. */
void circle_descend(struct circle_edge *edge, struct circle_spot outer, struct circle_spot inner) FREE_OF_SHARD;
void circle_ascend(struct circle_edge *edge) FREE_OF_SHARD;

#endif
