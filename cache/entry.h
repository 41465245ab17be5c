/* SPDX-License-Identifier: MIT */
/*
 * entry.h: a key in a shard's table, with what is stored for it and the flight that loads it.
 *
 *   phase        stored      flight   in eviction order (if it weighs anything), weighed, on the expiry wheel
 *   LOADING      nothing     yes      no
 *   READY        an answer   no       yes
 *   REFRESHING   an answer   yes      yes
 *   BARE         nothing     no       no      only between two steps under one lock
 *
 *   BARE -> LOADING, READY -> REFRESHING                  flight_lead_locked
 *   BARE -> READY, LOADING -> REFRESHING                  store_settle_locked stores
 *   READY -> BARE, REFRESHING -> LOADING                  shard_unstore_locked: replaced, expired or evicted
 *   LOADING -> BARE, REFRESHING -> READY                  flight_become_locked unlinks
 *   READY -> gone, BARE -> gone                           shard_drop_locked
 *
 * The phase follows from `ready` and `flight` and is not stored; nor are fresh, stale and expired, which follow from
 * the clock. An entry is touched only under its shard's lock. Once it is in no table it belongs to whoever took it out:
 * it is then the record of what has left. Its memory may be held from outside, for its key (leaving.h).
 *
 * A READY or REFRESHING entry may be leaving: chosen to be evicted, and its value still given while the listener is
 * told. It is then in no eviction order and counts as left where the maximum is concerned.
 */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include "lock.h"
#include "wheel.h"

#include <sluice/cache.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>

struct entry {
    uint32_t hash;              /* of the key, its lower bits: the table's */
    struct timer expiry;        /* stored: when the answer is to be taken away; stopped if never */
    TAILQ_ENTRY(entry) order;   /* stored: the place in the eviction order; out of the table, in a list of records */
    struct sluice_load *flight; /* the current flight of the key, or NULL */
    struct sluice_value *value; /* stored: the value, or a failure's reason; NULL for a not-found */
    int64_t stored_ms;          /* stored: when, or when renewed */
    int64_t fresh_until_ms;     /* stored: its time to live ends; CLOCK_FAR: never */
    int64_t accessed_ms;        /* a value, with expire_after_access_ms: last stored, renewed or given */
    int64_t reload_at_ms;       /* a value: from then on a get has it loaded anew; CLOCK_FAR: never */
    uint64_t weight;            /* stored: as it was found to be when it was brought; 0: pinned */
    _Atomic uint32_t refs;      /* of the memory: the table's or the record's owner, and each who holds it */
    uint32_t leaving;           /* stored: the number of its leaving in this shard; 0: it is not leaving */
    uint32_t conforms;          /* the last decree that it has been held against (decree.h) */
    uint32_t load_cost_ms;      /* a value: how long the load took that brought or renewed it; of a put: 0 */
    uint32_t failures;          /* in a row; the next back-off grows with them */
    uint16_t key_size;
    uint8_t answer; /* stored: enum sluice_error: SLUICE_OK, SLUICE_NOT_FOUND, or a failure */
    uint8_t cause;  /* of a record that has a value: enum sluice_removal_cause */
    bool ready;     /* an answer is stored */
    bool offered;   /* stored, and of a record: `evicting` has been told of the value, or is about to be */
    bool visited;   /* of the eviction policy: hit since it was last looked at */
    bool held_off;  /* a value whose last reload failed: not before reload_at_ms is another one due */
    unsigned char key[];
};

TAILQ_HEAD(entry_list, entry);

/* A bare entry with a copy of the key, in no table; NULL: no memory. */
struct entry *entry_create(const void *key, size_t key_size);

/* Keeps the memory of an entry that is in a table until entry_destroy() has been called once more. */
void entry_hold(struct entry *entry);

/* Frees an entry that is in no table, or lets go of one that was held, with what is stored in it. NULL is allowed. */
void entry_destroy(struct entry *entry);

/* Tells the listener that the entry's value leaves or has left: `told` is one of its functions, or NULL. */
void entry_tell(const struct entry *entry, struct sluice_value *value, enum sluice_removal_cause cause,
                void (*told)(void *self, const struct sluice_removal *removal), void *self) FREE_OF_SHARD;

/* Tells the listener, if there is one, of a record that has a value; then frees it. */
void entry_bury(struct entry *record, const struct sluice_listener *listener) FREE_OF_SHARD;

/* Never evicted for size, and in no eviction order. */
static inline bool entry_is_pinned(const struct entry *entry)
{
    return entry->weight == 0;
}

static inline bool entry_has_value(const struct entry *entry)
{
    return entry->ready && entry->answer == SLUICE_OK;
}

static inline bool entry_has_failure(const struct entry *entry)
{
    return entry->ready && entry->answer != SLUICE_OK && entry->answer != SLUICE_NOT_FOUND;
}

static inline bool entry_has_prefix(const struct entry *entry, const void *prefix, size_t prefix_size)
{
    return entry->key_size >= prefix_size && (prefix_size == 0 || memcmp(entry->key, prefix, prefix_size) == 0);
}

#endif
