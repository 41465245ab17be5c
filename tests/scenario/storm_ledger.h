/* SPDX-License-Identifier: MIT */
/*
 * storm_ledger.h: which values may still be given to a get, by rules 3 and 4, while everybody changes everything.
 *
 * One counter orders all events. A value carries the instant when its load began, or the number of the put that stored
 * it, whose end is written down here. An invalidation, and a put that succeeded, once they have returned, raise the
 * floor of their keys to the instant before they were called. A get that begins after that may be given no value whose
 * load began, or whose put had ended, below the floor. What overlaps is never called wrong.
 *
 * Any thread, save that a writer of puts belongs to one.
 */
#ifndef TESTS_STORM_LEDGER_H
#define TESTS_STORM_LEDGER_H

#include <sluice/cache.h>
#include <stdatomic.h>

#define LEDGER_KEYS      8
#define LEDGER_WRITERS   8
#define LEDGER_PUTS_KEPT 4096 /* of each writer; of older ones the end is not known, and they are not judged */

/* The bytes of a value. */
struct stamp {
    uint32_t key;
    uint32_t writer; /* of a put; LEDGER_WRITERS: a load */
    uint64_t number; /* of the put, from 1; of a load: when it began */
};

struct ledger {
    _Atomic uint64_t now;
    _Atomic uint64_t floors[LEDGER_KEYS];
    struct {
        uint64_t count; /* the writer's own */
        struct {
            _Atomic uint64_t number; /* 0: being changed */
            _Atomic uint64_t ended;  /* 0: not yet */
        } puts[LEDGER_PUTS_KEPT];
    } writers[LEDGER_WRITERS];
};

/* The next instant. */
uint64_t ledger_tick(struct ledger *ledger);

/* What a load of this key that begins now is to bring. */
struct stamp ledger_load(struct ledger *ledger, uint32_t key);

/* What the writer's next put is to store; then tell that it has returned. */
struct stamp ledger_put_begin(struct ledger *ledger, uint32_t key, uint32_t writer);
void ledger_put_end(struct ledger *ledger, const struct stamp *stamp);

/* The floor for a get of this key that is about to begin. */
uint64_t ledger_floor(struct ledger *ledger, uint32_t key);

/* What began at `start` has returned, and rules out what was before it. */
void ledger_raise(struct ledger *ledger, uint32_t key, uint64_t start);

/* NULL if a get of the key that began with this floor may be given the value, else what is wrong. */
const char *ledger_fault(struct ledger *ledger, const struct sluice_value *value, uint32_t key, uint64_t floor);

#endif
