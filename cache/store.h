/* SPDX-License-Identifier: MIT */
/*
 * store.h: what becomes of an entry when its load has ended or a value is put: the answer is stored, the old value is
 * renewed or kept, or the entry is dropped (rules 4, 5, 6, 11, 12, 13).
 */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "shard.h"

/* What a load or a put came to, on its way into an entry and to the waiters. */
struct answer {
    enum sluice_error error;    /* SLUICE_OK, SLUICE_NOT_FOUND, or a failure */
    bool renews;                /* the value is the one that the load began with */
    bool computed;              /* a failure leaves all as it was */
    struct sluice_value *value; /* the value, or a failure's reason or NULL; one reference, the answer's own */
    uint64_t weight;            /* of a value: store_weigh() */
    int64_t ttl_ms;             /* of a value, as in struct sluice_content */
    int64_t refresh_ms;         /* likewise */
    uint32_t cost_ms;           /* of a load: how long it took */
};

/* Finds out what the answer's value weighs under this key: by the cache's weigher, or its bytes. */
void store_weigh(const struct sluice_cache *cache, const void *key, size_t key_size,
                 struct answer *answer) FREE_OF_SHARD;

/*
 * Settles an entry with the answer: stores it with a reference of its own in place of what was there; or keeps an old
 * value that is still of worth where the answer is a failure; or, where the answer is not to be kept (time to live 0,
 * no back-off, too heavy), leaves the entry bare. Then evicts what is over the maximum. `record` is for what is
 * replaced, see shard_unstore_locked(). *outcome is what waiters are told, borrowed from the answer or the entry.
 */
void store_settle_locked(struct shard *shard, struct entry *entry, const struct answer *answer, int64_t now_ms,
                         struct entry **record, struct sluice_outcome *outcome, struct after *after) HOLDS_SHARD;

/* A time to live that a value is stored with, shortened at random as expiry_jitter_percent says; SLUICE_NEVER stays. */
int64_t store_jittered_ms_locked(struct shard *shard, int64_t ttl_ms) HOLDS_SHARD;

/*
 * Stores a bare entry, in no table yet, that has its value, weight and instants already; as an answer that just came,
 * but for these. False: no memory; the entry is the caller's as before.
 */
bool store_restored_locked(struct shard *shard, struct entry *entry, uint64_t hash, struct after *after) HOLDS_SHARD;

/* The outcome that an answer is to those who wait and find nothing stored; borrowed from it. */
struct sluice_outcome store_outcome(const struct answer *answer);

/*
 * The outcome of a load that failed to those who wait beside what `entry` has stored: the old value with the failure's
 * reason, if it is of any worth (rule 12); else, and with NULL, as store_outcome(). Borrowed from both.
 */
struct sluice_outcome store_outcome_of_failure(const struct sluice_options *options, const struct entry *entry,
                                               const struct answer *failure, int64_t now_ms);

/* Whether it is neither a value nor a not-found. */
static inline bool answer_failed(const struct answer *answer)
{
    return answer->error != SLUICE_OK && answer->error != SLUICE_NOT_FOUND;
}

#endif
