/* SPDX-License-Identifier: MIT */
/*
 * storing.h: threads that put and put, while the test does something else to the cache. What they draw is the same in
 * each run. For the thread that runs the tests.
 */
#ifndef TESTS_STORING_H
#define TESTS_STORING_H

#include "fixture.h"

#include <limits.h>

#define STORING_FOR_EVER UINT_MAX

struct storing;

/* Starts them. Each makes so many puts, unless it is stopped before, of keys that are drawn out of `keys`. */
struct storing *storing_start(struct fixture *fixture, unsigned threads, unsigned keys, unsigned puts);

/* Waits until each has made its puts; then joins and frees. */
void storing_join(struct storing *storing);

/* Likewise, but each is to make no further one. */
void storing_stop(struct storing *storing);

#endif
