/* SPDX-License-Identifier: MIT */
/* storm_ledger.c: see storm_ledger.h. Everything is sequentially consistent: the order of events is the point. */
#include "storm_ledger.h"

#include <string.h>

uint64_t ledger_tick(struct ledger *ledger)
{
    return atomic_fetch_add(&ledger->now, 1) + 1;
}

struct stamp ledger_load(struct ledger *ledger, uint32_t key)
{
    return (struct stamp){.key = key, .writer = LEDGER_WRITERS, .number = ledger_tick(ledger)};
}

struct stamp ledger_put_begin(struct ledger *ledger, uint32_t key, uint32_t writer)
{
    uint64_t number = ++ledger->writers[writer].count;
    size_t slot = number % LEDGER_PUTS_KEPT;

    atomic_store(&ledger->writers[writer].puts[slot].number, 0);
    atomic_store(&ledger->writers[writer].puts[slot].ended, 0);
    atomic_store(&ledger->writers[writer].puts[slot].number, number);
    return (struct stamp){.key = key, .writer = writer, .number = number};
}

void ledger_put_end(struct ledger *ledger, const struct stamp *stamp)
{
    size_t slot = stamp->number % LEDGER_PUTS_KEPT;

    atomic_store(&ledger->writers[stamp->writer].puts[slot].ended, ledger_tick(ledger));
}

uint64_t ledger_floor(struct ledger *ledger, uint32_t key)
{
    return atomic_load(&ledger->floors[key]);
}

void ledger_raise(struct ledger *ledger, uint32_t key, uint64_t start)
{
    uint64_t floor = atomic_load(&ledger->floors[key]);

    while (floor < start && !atomic_compare_exchange_weak(&ledger->floors[key], &floor, start))
        ;
}

/* When the put ended; UINT64_MAX: it has not, or too long ago to be known. */
static uint64_t put_ended(struct ledger *ledger, const struct stamp *stamp)
{
    size_t slot = stamp->number % LEDGER_PUTS_KEPT;
    uint64_t before = atomic_load(&ledger->writers[stamp->writer].puts[slot].number);
    uint64_t ended = atomic_load(&ledger->writers[stamp->writer].puts[slot].ended);
    uint64_t after = atomic_load(&ledger->writers[stamp->writer].puts[slot].number);

    return before == stamp->number && after == stamp->number && ended != 0 ? ended : UINT64_MAX;
}

const char *ledger_fault(struct ledger *ledger, const struct sluice_value *value, uint32_t key, uint64_t floor)
{
    struct stamp stamp;

    if (value == NULL || sluice_value_size(value) != sizeof stamp)
        return "what was given is no value of this cache";
    memcpy(&stamp, sluice_value_data(value), sizeof stamp);
    if (stamp.key != key || stamp.writer > LEDGER_WRITERS)
        return "the value is another key's";
    if (stamp.writer == LEDGER_WRITERS)
        return stamp.number < floor ? "the value's load began before an invalidation or a put that had returned" : NULL;
    return put_ended(ledger, &stamp) < floor ? "the value was put before an invalidation or a put that had returned"
                                             : NULL;
}
