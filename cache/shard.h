/* SPDX-License-Identifier: MIT */
/*
 * shard.h: a part of the key space with a lock, a table, an eviction order, timers and counters of its own. Keys of
 * different shards never wait for each other.
 */
#ifndef CACHE_SHARD_H
#define CACHE_SHARD_H

#include "after.h"
#include "chance.h"
#include "decree.h"
#include "eviction.h"
#include "lock.h"
#include "restore.h"
#include "table.h"
#include "wheel.h"
#include "worth.h"

#include <sluice/cache.h>

TAILQ_HEAD(flight_list, sluice_load);

struct shard {
    _Alignas(64) struct lock lock;
    struct sluice_cache *cache;
    struct {
        struct table table;
        struct eviction eviction;
        struct wheel expiries;        /* of stored entries */
        struct wheel deadlines;       /* of waits and loads */
        struct decrees decrees;       /* invalidations that are still to be carried out */
        struct restore_list restores; /* saved files that are being loaded */
        struct flight_list flights;   /* every load that has not ended, in the order in which they began */
        struct table_asides cleared;  /* what invalidations of all left to be freed */
        struct chance chance;         /* for jitter */
        uint64_t leaving;             /* what the entries that are leaving would count against the maximum */
        uint32_t leavings;            /* numbers given to them so far */
        struct sluice_stats counters; /* the totals, and the levels of this shard */
        bool closed;
    } locked BY_SHARD;
};

void shard_init(struct shard *shard, struct sluice_cache *cache, int64_t now_ms) FREE_OF_SHARD;

/* Frees all that is stored. No load is current any more. */
void shard_fini(struct shard *shard) FREE_OF_SHARD;

/* Victims, and entries that the search for them passes over, before a shard's lock is released once. */
#define SHARD_EVICT_BATCH 64
#define SHARD_LOOK_BATCH  256

/* A bare entry for a key that has none, in the table; NULL: no memory. */
struct entry *shard_add_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash) HOLDS_SHARD;

/*
 * What the key's answer is worth at now_ms, after all decrees. *entry is the key's entry or NULL; it may also be one
 * that has a flight only, or one with a failure whose back-off is over, kept for its count. An answer past all use is
 * taken away.
 */
enum worth shard_peek_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash, int64_t now_ms,
                             struct entry **entry, struct after *after) HOLDS_SHARD;

/* As shard_peek_locked(), for a get: WORTH_FRESH and WORTH_STALE mark the answer as hit, and what is fresh as read. */
enum worth shard_find_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash, int64_t now_ms,
                             struct entry **entry, struct after *after) HOLDS_SHARD;

/* What a stored entry answers, as a hit; takes a reference of the value for the outcome. */
void shard_answer_locked(const struct shard *shard, const struct entry *entry, enum worth worth, int64_t now_ms,
                         struct sluice_outcome *outcome) HOLDS_SHARD;

/* Makes an answer that was put into the entry count as stored; its place in the eviction order is the caller's part. */
void shard_link_locked(struct shard *shard, struct entry *entry) HOLDS_SHARD;

/*
 * Sets the entry's timer to when its answer is to be taken away. A read moves no timer: when it comes it is asked anew
 * for when (wheel.h), a step for each span in which the value was read.
 */
void shard_arm_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;

/*
 * Takes the stored answer out of an entry that stays: READY -> BARE, REFRESHING -> LOADING. What has left goes to
 * *record, a bare entry with the same key, and that to after->records, so that the listener can be told; *record is
 * then NULL. Without a record it goes to after->value, at most once for each struct after.
 */
void shard_unstore_locked(struct shard *shard, struct entry *entry, enum sluice_removal_cause cause,
                          struct entry **record, struct after *after) HOLDS_SHARD;

/* Takes an entry away, READY or BARE. */
void shard_drop_locked(struct shard *shard, struct entry *entry, enum sluice_removal_cause cause,
                       struct after *after) HOLDS_SHARD;

/* What an expiry's timer belongs to. */
static inline struct entry *shard_entry_of_timer(const struct timer *timer)
{
    return (struct entry *)(void *)((char *)(uintptr_t)timer - offsetof(struct entry, expiry));
}

/* Takes a stored answer away because its time is over. The entry stays if it has a flight; true: it is gone. */
bool shard_expire_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;

/*
 * Moves all stored entries aside, in constant time, for shard_take_cleared_locked(). Returns how many went; none is
 * loading.
 */
size_t shard_clear_locked(struct shard *shard, int64_t now_ms) HOLDS_SHARD;

/* Takes what was moved aside; NULL: there is nothing. What is left of it is given back, or buried whole. */
struct table_aside *shard_take_cleared_locked(struct shard *shard) HOLDS_SHARD;
void shard_give_cleared_locked(struct shard *shard, struct table_aside *aside) HOLDS_SHARD;

/* Before a stored entry is evicted: takes it away if an invalidation concerns it (rule 3). True: it has left for that.
 */
bool shard_sweep_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;

/* Step 1 and step 3 of leaving.h, for an entry that is stored; the second takes it away as evicted. */
void shard_begin_leaving_locked(struct shard *shard, struct entry *entry) HOLDS_SHARD;
void shard_end_leaving_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;

/* What a batch of evictions came to. */
struct eviction_batch {
    uint64_t freed; /* of what counts against the maximum */
    struct sluice_shrunk chosen;
    bool dry; /* there was nothing left to evict */
};

/*
 * Evicts until the cache is within `limit` or `goal` has been freed; at most SHARD_EVICT_BATCH entries, passing over no
 * more than SHARD_LOOK_BATCH. Where `evicting` is to be told, at most LEAVING_MAX, which leave in after_run().
 */
struct eviction_batch shard_evict_locked(struct shard *shard, uint64_t limit, uint64_t goal,
                                         struct after *after) HOLDS_SHARD;

/*
 * Makes room for an entry that has just been stored and is in no eviction order yet: no more than it takes up itself,
 * so that a store pays for itself alone while the maximum is lowered. What a batch of this shard can't give is left to
 * after_run().
 */
void shard_make_room_locked(struct shard *shard, const struct entry *stored, struct after *after) HOLDS_SHARD;

/*
 * Tells the listener of the values of a table that is no shard's any more, and frees those entries; with them the
 * table's memory, in the end all of it. Each entry and each bucket costs one of `budget`. True: something is left.
 */
bool shard_bury_some(struct table *table, unsigned budget, const struct sluice_listener *listener) FREE_OF_SHARD;

#endif
