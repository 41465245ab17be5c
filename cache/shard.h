/* SPDX-License-Identifier: MIT */
/*
 * shard.h: a part of the key space with a lock, a table, an eviction order, timers and counters of its own. Keys of
 * different shards never wait for each other.
 */
#ifndef CACHE_SHARD_H
#define CACHE_SHARD_H

#include "after.h"
#include "eviction.h"
#include "lock.h"
#include "table.h"
#include "wheel.h"

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
        struct flight_list flights;   /* every load that has not ended, current or not */
        struct table cleared;         /* what an invalidation of all left to be freed */
        struct sluice_stats counters; /* the totals, and the levels of this shard */
        bool closed;
    } locked BY_SHARD;
};

/* What a load or a put came to, on its way into an entry and to the waiters. */
struct answer {
    enum sluice_error error;    /* SLUICE_OK, SLUICE_NOT_FOUND, or a failure */
    struct sluice_value *value; /* the value, or a failure's reason or NULL; one reference, the answer's own */
    int64_t ttl_ms;             /* of a value; SLUICE_TTL_DEFAULT */
};

void shard_init(struct shard *shard, struct sluice_cache *cache, int64_t now_ms) FREE_OF_SHARD;

/* Frees all that is stored. No load is current any more. */
void shard_fini(struct shard *shard) FREE_OF_SHARD;

/* The bytes that an entry of this key and value weighs. */
uint64_t shard_weight(size_t key_size, const struct sluice_value *value);

/* Whether the answer, stored under a key of this size, is heavier than the whole cache. */
bool shard_outweighs(const struct sluice_cache *cache, size_t key_size, const struct sluice_value *value);

/* A bare entry for a key that has none, in the table; NULL: no memory. */
struct entry *shard_add_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash) HOLDS_SHARD;

/*
 * Whether the key's answer is stored and may be given at now_ms; it is then marked as hit. *entry is the key's entry or
 * NULL; on a miss it is one that is loading, or one with a failure whose back-off is over, kept for its count. A value
 * that has expired is taken away.
 */
bool shard_find_locked(struct shard *shard, const void *key, size_t key_size, uint64_t hash, int64_t now_ms,
                       struct entry **entry, struct after *after) HOLDS_SHARD;

/* What a stored entry answers, as a hit; takes a reference of the value for the outcome. */
void shard_answer_locked(const struct entry *entry, int64_t now_ms, struct sluice_outcome *outcome) HOLDS_SHARD;

/*
 * Settles a bare entry with the answer: stores it with a reference of its own, or drops the entry where the answer is
 * not to be kept (time to live 0, no back-off, too heavy). Then evicts what is over the maximum. Returns what a waiter
 * is told of it in outcome->stored and ->ttl_ms.
 */
void shard_settle_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                         struct sluice_outcome *outcome, struct after *after) HOLDS_SHARD;

/* READY -> BARE: takes the stored answer out of the entry. At most once for each struct after. */
void shard_unstore_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;

/* Takes an entry away, READY or BARE. */
void shard_drop_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;

/*
 * Moves all stored entries to `cleared`, in constant time; what an earlier call left there goes to *left, for
 * shard_free_table() after the unlock, so that there is never more than one such table. Returns how many entries went;
 * none is loading.
 */
size_t shard_clear_locked(struct shard *shard, int64_t now_ms, struct table *left) HOLDS_SHARD;

/* Evicts one entry; false: nothing is stored. */
bool shard_evict_locked(struct shard *shard, struct after *after) HOLDS_SHARD;

/* Frees a table that is no shard's any more, with its entries. */
void shard_free_table(struct table *table) FREE_OF_SHARD;

#endif
