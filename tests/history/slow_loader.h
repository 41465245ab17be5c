/* SPDX-License-Identifier: MIT */
/*
 * slow_loader.h: the loader of a run. A load ends at once, after a while on the thread that it was called on, or later
 * on the loader's own thread; with a value of every time to live, with nothing, or with a failure. It writes down when
 * each load begins and ends, and as what.
 */
#ifndef TESTS_SLOW_LOADER_H
#define TESTS_SLOW_LOADER_H

#include "run.h"

#define SLOW_LOADS_MAX       64
#define SLOW_LOAD_TIMEOUT_MS 4 /* of runs that have a deadline; some loads take longer */

struct slow_loader;

/* Starts its thread. Borrows the run. Never NULL. */
struct slow_loader *slow_loader_create(struct run *run);

/* Ends what is left; then joins and frees. Nothing may call it any more. */
void slow_loader_destroy(struct slow_loader *loader);

/* Ends what is left, and whatever comes, without delay from now on. */
void slow_loader_hurry(struct slow_loader *loader);

/* Ends nothing that begins from now on until there is hurry. */
void slow_loader_hold(struct slow_loader *loader);

/* For the cache's options, as the run's mood says; and one that takes one load at a time. */
struct sluice_loader slow_loader_option(struct slow_loader *loader);
struct sluice_loader slow_loader_one(struct slow_loader *loader);

/* Runs reloads at once, on the thread of the get or the refresh that starts them. */
struct sluice_executor slow_loader_executor(void);

#endif
