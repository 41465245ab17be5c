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
 * The phase follows from `ready` and `flying` and is not stored; nor are fresh, stale and expired, which follow from
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

/*
 * What has no room in an entry while a flight is its key's: the entry then leads to the flight instead, of which this
 * is the first member.
 */
struct entry_shelf {
    int64_t reload_at_ms;
};

/*
 * What a lookup and a hit read, the last 48 bytes and the key, lies together: 64 bytes for a key of 16. With such a key
 * and a value of 64 bytes an entry of a full cache takes, over these 80, on a machine of 64 bits:
 *
 *   48  here: what is read at a hit       40  here: the eviction order, the timer, and what else is rare
 *   14  the value's head (value.h)         2  its NUL, and what rounds 79 bytes up
 *   14  the table (table.h)                1  slabs and shards
 */
struct entry {
    TAILQ_ENTRY(entry) order; /* stored: the place in the eviction order; out of the table, in a list of records */
    struct timer expiry;      /* stored: for when the answer is to be taken away; stopped if never */
    uint32_t load_cost_ms;    /* a value: how long the load took that brought or renewed it; of a put: 0 */
    uint32_t leaving;         /* stored: the number of its leaving in this shard; 0: it is not leaving */

    uint32_t hash; /* of the key, its lower bits: the table's */
    uint16_t key_size;
    uint8_t answer;             /* stored: enum sluice_error: SLUICE_OK, SLUICE_NOT_FOUND, or a failure */
    bool visited;               /* of the eviction policy: hit since it was last looked at */
    struct sluice_value *value; /* stored: the value, or a failure's reason; NULL for a not-found */
    int64_t stored_ms;          /* stored: when, or when renewed */
    int64_t fresh_until_ms;     /* stored: its time to live ends; CLOCK_FAR: never */
    union {
        int64_t reload_at_ms;      /* not flying: see entry_reload_at_ms() */
        struct entry_shelf *shelf; /* flying: of the flight */
    };
    uint32_t conforms;     /* the last decree that it has been held against (decree.h) */
    _Atomic uint16_t refs; /* of the memory: the table's or the record's owner, and each who holds it */
    uint8_t failures;      /* in a row, up to 255; the next back-off grows with them */
    bool ready : 1;        /* an answer is stored */
    bool held_off : 1;     /* a value whose last reload failed: not before the reload's time is another one due */
    bool offered : 1;      /* stored, and of a record: `evicting` has been told of the value, or is about to be */
    bool flying : 1;       /* a flight is current */
    bool weighed : 1;      /* it has a weight of its own: there is a weigher */
    bool dated : 1;        /* it has the time of the last access: there is an expiry by it */
    uint8_t cause : 2;     /* of a record that has a value: enum sluice_removal_cause */
    unsigned char key[];   /* and behind it what the entry has besides: entry_accessed_ms(), entry_weight() */
};

_Static_assert(sizeof(void *) != 8 || offsetof(struct entry, key) == 88, "no byte is lost between members");

TAILQ_HEAD(entry_list, entry);

/* A bare entry with a copy of the key, in no table, for a record of what has left; NULL: no memory. */
struct entry *entry_create(const void *key, size_t key_size);

/* Likewise one that is to be stored in a cache with these options. */
struct entry *entry_create_for(const struct sluice_options *options, const void *key, size_t key_size);

/* Keeps the memory of an entry that is in a table until entry_destroy() has been called once more. */
void entry_hold(struct entry *entry);

/* Frees an entry that is in no table, or lets go of one that was held, with what is stored in it. NULL is allowed. */
void entry_destroy(struct entry *entry);

/* Tells the listener that the entry's value leaves or has left: `told` is one of its functions, or NULL. */
void entry_tell(const struct entry *entry, struct sluice_value *value, enum sluice_removal_cause cause,
                void (*told)(void *self, const struct sluice_removal *removal), void *self) FREE_OF_SHARD;

/* Tells the listener, if there is one, of a record that has a value; then frees it. */
void entry_bury(struct entry *record, const struct sluice_listener *listener) FREE_OF_SHARD;

/* ---- the flight -------------------------------------------------------------------------------------------------- */

/* The current flight of the key, or NULL. */
static inline struct sluice_load *entry_flight(const struct entry *entry)
{
    return entry->flying ? (struct sluice_load *)(void *)entry->shelf : NULL;
}

/* The flight that this is the shelf of becomes current. */
static inline void entry_take_off(struct entry *entry, struct entry_shelf *shelf)
{
    must(!entry->flying);
    shelf->reload_at_ms = entry->reload_at_ms;
    entry->shelf = shelf;
    entry->flying = true;
}

/* It is current no longer. */
static inline void entry_land(struct entry *entry)
{
    must(entry->flying);
    entry->reload_at_ms = entry->shelf->reload_at_ms;
    entry->flying = false;
}

/* Of a value: from then on a get has it loaded anew; CLOCK_FAR: never. */
static inline int64_t entry_reload_at_ms(const struct entry *entry)
{
    return entry->flying ? entry->shelf->reload_at_ms : entry->reload_at_ms;
}

static inline void entry_set_reload_at_ms(struct entry *entry, int64_t at_ms)
{
    *(entry->flying ? &entry->shelf->reload_at_ms : &entry->reload_at_ms) = at_ms;
}

/* ---- behind the key ---------------------------------------------------------------------------------------------- */

/* One of the numbers behind the key: the time of the last access if it has one, then the weight. */
static inline int64_t *entry_behind_key(const struct entry *entry, unsigned place)
{
    size_t size = offsetof(struct entry, key) + entry->key_size + 7;

    return (int64_t *)(void *)((char *)(uintptr_t)entry + (size & ~(size_t)7)) + place;
}

/* Of a value: last stored, renewed or, with expire_after_access_ms, given. */
static inline int64_t entry_accessed_ms(const struct entry *entry)
{
    return entry->dated ? *entry_behind_key(entry, 0) : entry->stored_ms;
}

static inline void entry_set_accessed_ms(struct entry *entry, int64_t at_ms)
{
    if (entry->dated)
        *entry_behind_key(entry, 0) = at_ms;
}

/* What is stored weighs this: as it was found to be when it was brought; 0: pinned. */
uint64_t entry_weight(const struct entry *entry);

/* Nothing but the weight that it has without a weigher may be set where there is none. */
static inline void entry_set_weight(struct entry *entry, uint64_t weight)
{
    if (entry->weighed)
        *entry_behind_key(entry, entry->dated) = (int64_t)weight;
}

/* Never evicted for size, and in no eviction order. */
static inline bool entry_is_pinned(const struct entry *entry)
{
    return entry->weighed && entry_weight(entry) == 0;
}

/* ---- what is stored ---------------------------------------------------------------------------------------------- */

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
