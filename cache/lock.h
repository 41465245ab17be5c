/* SPDX-License-Identifier: MIT */
/*
 * lock.h: the shard's lock, and the words in which clang's thread-safety analysis is told about it.
 *
 * The recipe, which the analysis executes at every build with clang (-Wthread-safety):
 *   1. A shard's lock is a leaf: one thread holds at most one shard's lock, and takes no other lock meanwhile.
 *   2. What it covers lives in the shard's, flight's and waiter's `locked` member, or in entries and the table.
 *   3. Functions that need it end in `_locked` and are marked HOLDS_SHARD.
 *   4. Functions that may call what is not ours (loader, callback, clock excepted) are marked FREE_OF_SHARD.
 *
 * All shards' locks are one capability, `shard_held`. That is more than a capability a lock would say: it also proves
 * rule 1, since taking a second one while the first is held is an error.
 */
#ifndef CACHE_LOCK_H
#define CACHE_LOCK_H

#include "must.h"

#include <pthread.h>

#if defined(__clang__)
#define LOCK_ATTRIBUTE(x) __attribute__((x))
#else
#define LOCK_ATTRIBUTE(x)
#endif

struct LOCK_ATTRIBUTE(capability("shard lock")) lock_role {
    char unused;
};
extern const struct lock_role shard_held;

#define BY_SHARD      LOCK_ATTRIBUTE(guarded_by(shard_held))
#define HOLDS_SHARD   LOCK_ATTRIBUTE(requires_capability(shard_held))
#define FREE_OF_SHARD LOCK_ATTRIBUTE(locks_excluded(shard_held))

struct lock {
    pthread_mutex_t mutex;
};

static inline void lock_init(struct lock *lock)
{
    must(pthread_mutex_init(&lock->mutex, NULL) == 0);
}

static inline void lock_fini(struct lock *lock)
{
    must(pthread_mutex_destroy(&lock->mutex) == 0);
}

static inline void lock_acquire(struct lock *lock) LOCK_ATTRIBUTE(acquire_capability(shard_held));
static inline void lock_release(struct lock *lock) LOCK_ATTRIBUTE(release_capability(shard_held));

static inline void lock_acquire(struct lock *lock) LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
    must(pthread_mutex_lock(&lock->mutex) == 0);
}

static inline void lock_release(struct lock *lock) LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
    must(pthread_mutex_unlock(&lock->mutex) == 0);
}

#endif
