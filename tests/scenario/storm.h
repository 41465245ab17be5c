/* SPDX-License-Identifier: MIT */
/*
 * storm.h: threads that do everything to one small cache at random, and judge all that they are given.
 *
 * A storm holds the cache, its ledger and loader, and what all threads have done together; a worker is one thread of
 * it. The first fault that anybody sees stops the storm.
 */
#ifndef TESTS_STORM_H
#define TESTS_STORM_H

#include "random.h"
#include "storm_ledger.h"

#include <string.h>

#define STORM_WORKERS 4
#define STORM_REASON  "thunder" /* of every load that fails */

struct storm {
    struct sluice_cache *cache;
    struct ledger ledger;
    uint64_t seed;
    atomic_bool stop;
    _Atomic(const char *) fault; /* NULL: none yet */

    /* What was done, to be held against the cache's own counters. */
    _Atomic uint64_t gets;
    _Atomic uint64_t puts;
    _Atomic uint64_t parked; /* asynchronous gets that returned SLUICE_PARKED */
    _Atomic uint64_t called; /* callbacks that ran */
    _Atomic uint64_t cancelled;
    _Atomic uint64_t stamped; /* values that were judged */
};

/* Remembers the first fault and stops the storm. */
void storm_fault(struct storm *storm, const char *fault);

/* Key `number` of LEDGER_KEYS: two letters, so that there are two prefixes, and a NUL. */
struct sluice_key storm_key(uint32_t number);

/* Back again; ends the process on what is no key of a storm's. */
uint32_t storm_key_number(const void *key, size_t key_size);

/* One thread of the storm, `number` below STORM_WORKERS; returns when the storm stops and its gets have come back. */
void storm_work(struct storm *storm, uint32_t number);

#endif
