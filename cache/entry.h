/* SPDX-License-Identifier: MIT */
/*
 * entry.h: a key in a shard's table, with what is stored for it and the flight that loads it.
 *
 *   phase      stored      flight   in eviction order, weighed, on the expiry wheel
 *   LOADING    nothing     yes      no
 *   READY      an answer   no       yes
 *   BARE       nothing     no       no      only between two steps under one lock
 *
 *   BARE -> LOADING (flight_lead_locked) -> BARE (flight_unlink_locked) -> READY (shard_store_locked)
 *   READY -> BARE (shard_unstore_locked) -> LOADING, READY, or gone (shard_drop_locked)
 *
 * The phase follows from the two pointers and is not stored; nor are "fresh" and "expired", which follow from the
 * clock. An entry is touched only under its shard's lock and is referred to by nobody outside it, so it needs no count.
 */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include "table.h"
#include "wheel.h"

#include <sluice/cache.h>
#include <sys/queue.h>

struct entry {
    UT_hash_handle node;
    struct timer expiry;        /* READY: when the entry is to be taken away; stopped if never */
    TAILQ_ENTRY(entry) order;   /* READY: the place in the eviction order; once unlinked, in a list of garbage */
    struct sluice_load *flight; /* LOADING: the current flight of the key */
    struct sluice_value *value; /* READY: the value, or a failure's reason; NULL for a not-found */
    int64_t stored_ms;          /* READY: when */
    int64_t fresh_until_ms;     /* READY: it is given until then; CLOCK_FAR: for ever */
    uint32_t failures;          /* in a row; the next back-off grows with them */
    uint16_t key_size;
    uint8_t answer; /* READY: enum sluice_error: SLUICE_OK, SLUICE_NOT_FOUND, or a failure */
    bool ready;
    bool visited; /* of the eviction policy: hit since it was last looked at */
    unsigned char key[];
};

TAILQ_HEAD(entry_list, entry);

/* A bare entry with a copy of the key, in no table; NULL: no memory. */
struct entry *entry_create(const void *key, size_t key_size);

/* Frees an entry that is in no table, with what is stored in it. */
void entry_destroy(struct entry *entry);

static inline bool entry_has_prefix(const struct entry *entry, const void *prefix, size_t prefix_size)
{
    return entry->key_size >= prefix_size && (prefix_size == 0 || memcmp(entry->key, prefix, prefix_size) == 0);
}

#endif
