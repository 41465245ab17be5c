/* SPDX-License-Identifier: MIT */
/*
 * storm_loader.h: a loader of every temper. A load ends at once, after a while on the thread that it was called on, or
 * later on the loader's own thread; with a value, also one that is not to be stored or too large, with nothing, or with
 * each kind of failure.
 */
#ifndef TESTS_STORM_LOADER_H
#define TESTS_STORM_LOADER_H

#include "storm_ledger.h"

#define STORM_LOADS_MAX      6
#define STORM_VALUE_SIZE_MAX 64

struct storm_loader;

/* Starts its thread. Borrows the ledger. Never NULL. */
struct storm_loader *storm_loader_create(struct ledger *ledger, uint64_t seed);

/* Ends what is left; then joins and frees. Nothing may call it any more. */
void storm_loader_destroy(struct storm_loader *loader);

struct sluice_loader storm_loader_option(struct storm_loader *loader);

/* Loads that it was called for so far. */
uint64_t storm_loader_calls(struct storm_loader *loader);

/* The most loads that ever were with it at once. */
unsigned storm_loader_most(struct storm_loader *loader);

#endif
