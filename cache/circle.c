/* SPDX-License-Identifier: MIT */
/* circle.c: see circle.h. */
#include "circle.h"

#include "flight.h"
#include "waiter.h"

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

/* Puts a node on the list of what is to be explored, once a search. */
static void circle_find(struct sluice_load *node, struct sluice_load **unexplored)
{
    if (node->circle.seen == circle_searches)
        return;
    node->circle.seen = circle_searches;
    node->circle.unexplored = *unexplored;
    *unexplored = node;
}

/* Whether `goal` can be reached from `start` along the edges. */
static bool circle_reaches(struct sluice_load *start, const struct sluice_load *goal)
{
    struct sluice_load *unexplored = NULL;

    circle_searches++;
    circle_find(start->circle.speaker, &unexplored);
    while (unexplored != NULL) {
        struct sluice_load *node = unexplored;
        struct sluice_wait *edge;

        if (node == goal->circle.speaker)
            return true;
        unexplored = node->circle.unexplored;
        LIST_FOREACH(edge, &node->circle.edges, circle.link)
        {
            circle_find(edge->flight->circle.speaker, &unexplored);
        }
    }
    return false;
}

bool circle_enter(struct sluice_wait *waiter)
{
    struct sluice_load *parent = waiter->circle.parent;
    bool closes = false;

    circle_lock();
    if (!waiter->circle.left) {
        closes = circle_reaches(waiter->flight, parent);
        if (!closes) {
            LIST_INSERT_HEAD(&parent->circle.speaker->circle.edges, waiter, circle.link);
            waiter->circle.linked = true;
        }
    }
    circle_unlock();
    return closes;
}

void circle_leave(struct sluice_wait *waiter)
{
    if (waiter->circle.parent == NULL)
        return;
    circle_lock();
    waiter->circle.left = true;
    if (waiter->circle.linked)
        LIST_REMOVE(waiter, circle.link);
    waiter->circle.linked = false;
    circle_unlock();
}

/* What an earlier load of the flight left waiting, that load does not wait for: it is over. */
static void circle_forget(const struct sluice_load *flight)
{
    struct sluice_wait *edge, *next;

    for (edge = LIST_FIRST(&flight->circle.speaker->circle.edges); edge != NULL; edge = next) {
        next = LIST_NEXT(edge, circle.link);
        if (edge->circle.parent == flight) {
            LIST_REMOVE(edge, circle.link);
            edge->circle.linked = false;
        }
    }
}

void circle_join(struct sluice_load *flight, struct sluice_load *speaker)
{
    struct sluice_load *before;

    circle_lock();
    circle_forget(flight);
    before = flight->circle.speaker;
    flight->circle.speaker = speaker == flight ? flight : flight_ref(speaker);
    circle_unlock();
    if (before != flight)
        flight_unref(before);
}
