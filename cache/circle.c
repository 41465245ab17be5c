/* SPDX-License-Identifier: MIT */
/* circle.c: see circle.h. */
#include "circle.h"

#include "flight.h"
#include "waiter.h"

#include <stdlib.h>

static pthread_mutex_t circle_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t circle_searches; /* covered by the mutex */

static void circle_lock(void)
{
    must(pthread_mutex_lock(&circle_mutex) == 0);
}

static void circle_unlock(void)
{
    must(pthread_mutex_unlock(&circle_mutex) == 0);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

void circle_place_init(struct circle_place *place)
{
    LIST_INIT(&place->own.edges);
    place->own.own = true;
    place->own.seen = 0;
    place->node = &place->own;
}

void circle_place_fini(struct circle_place *place)
{
    circle_node_unref(place->node);
}

struct circle_node *circle_node_create(void)
{
    struct circle_node *node = malloc(sizeof *node);

    if (node == NULL)
        return NULL;
    atomic_init(&node->refs, 1);
    node->own = false;
    LIST_INIT(&node->edges);
    node->seen = 0;
    return node;
}

static struct circle_node *circle_node_ref(struct circle_node *node)
{
    if (!node->own)
        atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    return node;
}

void circle_node_unref(struct circle_node *node)
{
    uint32_t before;

    if (node == NULL || node->own)
        return;
    before = atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel);
    must(before > 0);
    if (before == 1)
        free(node);
}

void circle_join(struct sluice_load *const *flights, size_t count, struct circle_node *node)
{
    circle_lock();
    for (size_t i = 0; i < count; i++) {
        circle_node_unref(flights[i]->circle.node);
        flights[i]->circle.node = circle_node_ref(node);
    }
    circle_unlock();
}

void circle_part(struct sluice_load *flight)
{
    struct circle_node *before = flight->circle.node; /* whoever called the loader has set it, and nobody does now */

    if (before->own)
        return;
    circle_lock();
    flight->circle.node = &flight->circle.own;
    circle_unlock();
    circle_node_unref(before);
}

/* ---- edges ------------------------------------------------------------------------------------------------------- */

static struct circle_node *circle_node_at(struct circle_spot spot)
{
    return spot.node != NULL ? spot.node : spot.flight->circle.node;
}

static void circle_link(struct circle_edge *edge, struct circle_node *from, struct circle_spot to)
{
    edge->from = circle_node_ref(from);
    edge->to = to;
    LIST_INSERT_HEAD(&from->edges, edge, link);
}

/* The reference that the edge had, to be given back after the unlock; NULL: it was not linked. */
static struct circle_node *circle_unlink(struct circle_edge *edge)
{
    struct circle_node *from = edge->from;

    if (from != NULL)
        LIST_REMOVE(edge, link);
    edge->from = NULL;
    return from;
}

/* Puts a node on the list of what is to be explored, once a search. */
static void circle_find(struct circle_node *node, struct circle_node **unexplored)
{
    if (node->seen == circle_searches)
        return;
    node->seen = circle_searches;
    node->unexplored = *unexplored;
    *unexplored = node;
}

/* Whether one of two goals can be reached from `start` along the edges. */
static bool circle_reaches(struct circle_node *start, const struct circle_node *goal, const struct circle_node *other)
{
    struct circle_node *unexplored = NULL;

    circle_searches++;
    circle_find(start, &unexplored);
    while (unexplored != NULL) {
        struct circle_node *node = unexplored;
        struct circle_edge *edge;

        if (node == goal || node == other)
            return true;
        unexplored = node->unexplored;
        LIST_FOREACH(edge, &node->edges, link)
        {
            circle_find(circle_node_at(edge->to), &unexplored);
        }
    }
    return false;
}

bool circle_enter(struct sluice_wait *waiter, struct circle_spot parent, struct circle_spot thread)
{
    struct circle_spot to = {.flight = waiter->flight};
    bool closes = false;

    circle_lock();
    if (!waiter->circle.left) {
        struct circle_node *from = circle_node_at(parent);
        struct circle_node *beside = thread.flight != NULL ? circle_node_at(thread) : from;

        closes = circle_reaches(circle_node_at(to), from, beside);
        if (!closes) {
            circle_link(&waiter->circle.edge, from, to);
            if (beside != from)
                circle_link(&waiter->circle.beside, beside, to);
        }
    }
    circle_unlock();
    return closes;
}

void circle_leave(struct sluice_wait *waiter)
{
    struct circle_node *from, *beside;

    if (waiter->circle.parent == NULL)
        return;
    circle_lock();
    waiter->circle.left = true;
    from = circle_unlink(&waiter->circle.edge);
    beside = circle_unlink(&waiter->circle.beside);
    circle_unlock();
    circle_node_unref(from);
    circle_node_unref(beside);
}

void circle_descend(struct circle_edge *edge, struct circle_spot outer, struct circle_spot inner)
{
    circle_lock();
    circle_link(edge, circle_node_at(outer), inner);
    circle_unlock();
}

void circle_ascend(struct circle_edge *edge)
{
    struct circle_node *from;

    circle_lock();
    from = circle_unlink(edge);
    circle_unlock();
    circle_node_unref(from);
}
