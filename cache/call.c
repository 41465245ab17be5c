/* SPDX-License-Identifier: MIT */
/* call.c: see call.h. */
#include "call.h"

#include "core.h"
#include "flight.h"

#include <stdlib.h>

#define CALL_ROOM 64 /* flights in one call for which no memory is needed */

/* Of the process, not of a cache: a loader may call other caches (rule 17). */
static _Thread_local const struct call_frame *call_innermost;

struct circle_spot call_here(void)
{
    return call_innermost != NULL ? call_innermost->spot : (struct circle_spot){0};
}

struct sluice_load *call_current(void)
{
    return call_here().flight;
}

struct circle_spot call_spot(struct sluice_load *parent)
{
    for (const struct call_frame *frame = call_innermost; frame != NULL; frame = frame->outer) {
        if (frame->spot.flight == parent)
            return frame->spot;
    }
    return (struct circle_spot){.flight = parent};
}

void call_enter(struct call_frame *frame, struct sluice_load *flight)
{
    frame->entered = flight != NULL && call_innermost == NULL;
    if (!frame->entered)
        return;
    frame->spot = (struct circle_spot){.flight = flight};
    frame->outer = NULL;
    call_innermost = frame;
}

void call_leave(const struct call_frame *frame)
{
    if (frame->entered)
        call_innermost = frame->outer;
}

void call_chain_init(struct call_chain *chain)
{
    chain->first = chain->last = NULL;
    chain->count = 0;
}

void call_chain_add(struct call_chain *chain, struct sluice_load *flight)
{
    if (chain->first == NULL)
        chain->first = flight;
    else
        chain->last->chained = flight;
    chain->last = flight;
    chain->count++;
}

static struct sluice_load *chain_take(struct call_chain *chain)
{
    struct sluice_load *flight = chain->first;

    chain->first = flight->chained;
    flight->chained = NULL;
    chain->count--;
    return flight;
}

/* ---- on this thread ---------------------------------------------------------------------------------------------- */

/* Whether the loader is to be called: not if somebody has done so before, nor for what nobody wants, which is dropped.
 */
static bool call_begins(struct sluice_load *flight, bool from_chain) FREE_OF_SHARD;
static bool call_begins(struct sluice_load *flight, bool from_chain)
{
    struct answer none = {.error = SLUICE_CLOSED};
    bool wanted, called;

    lock_acquire(&flight->shard->lock);
    wanted = flight_is_wanted_locked(flight);
    called = flight->locked.called;
    flight->locked.called = true;
    if (from_chain)
        flight->locked.chained = false;
    lock_release(&flight->shard->lock);
    if (wanted && !called)
        return true;
    if (!called)
        flight_finish(flight, &none);
    flight_unref(flight);
    return false;
}

/* One call for flights that have begun, as `node`, or as where they are. */
static void call_loader(struct sluice_load *const *flights, size_t count, struct circle_node *node) FREE_OF_SHARD;
static void call_loader(struct sluice_load *const *flights, size_t count, struct circle_node *node)
{
    const struct sluice_loader loader = flights[0]->loader; /* of a load that is ended only the reference is left */
    struct call_frame frame = {.outer = call_innermost};
    struct circle_edge within;

    if (node != NULL)
        circle_join(flights, count, node);
    frame.spot = (struct circle_spot){flights[0], flights[0]->circle.node};
    if (frame.outer != NULL)
        circle_descend(&within, frame.outer->spot, frame.spot);
    call_innermost = &frame;
    if (count > 1 || loader.load == NULL)
        loader.load_many(loader.self, flights, count);
    else
        loader.load(loader.self, flights[0]);
    call_innermost = frame.outer;
    if (frame.outer != NULL)
        circle_ascend(&within);
    for (size_t i = 0; i < count; i++)
        flight_unref(flights[i]);
}

/*
 * Calls the loader for a flight that has begun. Without the memory for a node, one that goes on stays where it was, and
 * may be refused what it did not wait for.
 */
static void call_one(struct sluice_load *flight) FREE_OF_SHARD;
static void call_one(struct sluice_load *flight)
{
    struct circle_node *node = flight->again ? circle_node_create() : NULL;

    call_loader(&flight, 1, node);
    circle_node_unref(node);
}

/*
 * Whether a flight can be loaded in one call with another that has begun: those of a chain can if the loader takes
 * several, save for one that has gone on with another loader meanwhile. Asked before it begins: what has begun, and
 * is not called, others would wait for.
 */
static bool call_goes_with(struct sluice_load *flight, const struct sluice_load *other) FREE_OF_SHARD;
static bool call_goes_with(struct sluice_load *flight, const struct sluice_load *other)
{
    struct sluice_loader own;

    lock_acquire(&flight->shard->lock);
    own = flight->loader;
    lock_release(&flight->shard->lock);
    return own.load_many != NULL && own.load_many == other->loader.load_many && own.self == other->loader.self;
}

/*
 * As many as there is room for, in one call; without the memory for its node only the first, as long as the others have
 * not begun: its loader may wait for them, and must be able to overtake.
 */
static void call_some(struct call_chain *chain, struct sluice_load **flights, size_t room) FREE_OF_SHARD;
static void call_some(struct call_chain *chain, struct sluice_load **flights, size_t room)
{
    struct circle_node *node = chain->count > 1 ? circle_node_create() : NULL;
    size_t count = 0;

    if (node == NULL)
        room = 1;
    while (chain->first != NULL && count < room && (count == 0 || call_goes_with(chain->first, flights[0]))) {
        struct sluice_load *flight = chain_take(chain);

        if (call_begins(flight, true))
            flights[count++] = flight;
    }
    if (count == 1)
        call_one(flights[0]);
    else if (count > 1)
        call_loader(flights, count, node);
    circle_node_unref(node);
}

void call_load_chain(struct call_chain *chain)
{
    struct sluice_load *some[CALL_ROOM], **more = NULL;
    size_t room, room_max;

    if (chain->first == NULL)
        return;
    room_max = chain->first->cache->options.batch_size_max;
    room = chain->count < room_max ? chain->count : room_max;
    if (room > CALL_ROOM)
        more = malloc(room * sizeof(struct sluice_load *));
    if (more == NULL && room > CALL_ROOM)
        room = CALL_ROOM; /* without the memory: in more calls */
    while (chain->first != NULL)
        call_some(chain, more != NULL ? more : some, room);
    free(more);
}

void call_load(struct sluice_load *flight)
{
    if (call_begins(flight, true))
        call_one(flight);
}

void call_overtake(struct sluice_load *flight)
{
    if (call_begins(flight, false))
        call_one(flight);
}

void call_refuse_chain(struct call_chain *chain, const char *reason)
{
    while (chain->first != NULL) {
        struct sluice_load *flight = chain_take(chain);

        if (call_begins(flight, true)) {
            sluice_load_refuse(flight, reason);
            flight_unref(flight);
        }
    }
}

/* ---- later ------------------------------------------------------------------------------------------------------- */

bool call_is_batched(const struct sluice_cache *cache)
{
    return cache->options.batch_window_ms > 0;
}

void call_load_later(struct call_chain *chain)
{
    struct sluice_cache *cache;

    if (chain->first == NULL)
        return;
    cache = chain->first->cache;
    if (cache->options.batch_window_ms == 0) {
        background_call(&cache->background, chain);
        return;
    }
    while (chain->first != NULL)
        batch_add(cache, chain_take(chain));
}
