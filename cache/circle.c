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

/* Puts a node on the list of what is to be explored, once a search. */
static void circle_find(struct circle_node *node, struct circle_node **unexplored)
{
    if (node->seen == circle_searches)
        return;
    node->seen = circle_searches;
    node->unexplored = *unexplored;
    *unexplored = node;
}

/* Whether `goal` can be reached from `start` along the edges. */
static bool circle_reaches(struct circle_node *start, const struct circle_node *goal)
{
    struct circle_node *unexplored = NULL;

    circle_searches++;
    circle_find(start, &unexplored);
    while (unexplored != NULL) {
        struct circle_node *node = unexplored;
        struct sluice_wait *edge;

        if (node == goal)
            return true;
        unexplored = node->unexplored;
        LIST_FOREACH(edge, &node->edges, circle.link)
        {
            circle_find(edge->flight->circle.node, &unexplored);
        }
    }
    return false;
}

bool circle_enter(struct sluice_wait *waiter, struct circle_node *from)
{
    struct circle_edge *edge = &waiter->circle;
    bool closes = false;

    circle_lock();
    if (!edge->left) {
        if (from == NULL)
            from = edge->parent->circle.node;
        closes = circle_reaches(waiter->flight->circle.node, from);
        if (!closes) {
            LIST_INSERT_HEAD(&from->edges, waiter, circle.link);
            edge->from = circle_node_ref(from);
            edge->linked = true;
        }
    }
    circle_unlock();
    return closes;
}

void circle_leave(struct sluice_wait *waiter)
{
    struct circle_edge *edge = &waiter->circle;
    bool was_linked;

    if (edge->parent == NULL)
        return;
    circle_lock();
    edge->left = true;
    was_linked = edge->linked;
    if (was_linked)
        LIST_REMOVE(waiter, circle.link);
    edge->linked = false;
    circle_unlock();
    if (was_linked)
        circle_node_unref(edge->from);
}
