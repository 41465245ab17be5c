/* SPDX-License-Identifier: MIT */
/*
 * hits.h: the sides that library_hits plays, each a way to look up keys that are all there. To add one, write a `run`
 * and put its side into its file's list.
 *
 * May be used by: tests/bench/library.
 */
#ifndef LIBRARY_HITS_H
#define LIBRARY_HITS_H

#include "keys.h"

#include <stdbool.h>

/* What a side is filled with. */
struct hits_stock {
    const char *keys; /* keys_create() */
    size_t count;
    size_t room;       /* entries that a bounded side may hold: more than `count` */
    int64_t expire_ms; /* after which entries expire, where the side knows of that; -1: never */
};

struct hits_side {
    const char *name;
    const char *words; /* what it is, in a line */
    unsigned threads_max;
    /* All keys of the stock, with their values. Ends the program where it can't. */
    void *(*create)(const struct hits_stock *stock);
    /* Looks up `count` keys, reads each value's first byte and returns the sum of those. Ends the program on a miss. */
    uint64_t (*run)(void *self, const char *keys, const uint32_t *numbers, size_t count);
    /* How many lookups so far the side itself counted as hits, or 0 if it does not count. */
    uint64_t (*hits)(void *self);
    void (*destroy)(void *self);
};

/* Each list ends with one without a name. */
extern const struct hits_side hits_sides_sluice[];
extern const struct hits_side hits_sides_uthash[];

#endif
