/* SPDX-License-Identifier: MIT */
/* numbers.h: many entries whose keys are numbers. The functions assert: for the thread that runs the tests. */
#ifndef TESTS_NUMBERS_H
#define TESTS_NUMBERS_H

#include "fixture.h"

/* The key of this number: six digits, so that all weigh the same. Good until the next call. */
const char *numbers_key(unsigned number);

/* Puts `count` of them in their order, each with the value "value". */
void numbers_put(struct sluice_cache *cache, unsigned from, unsigned count);

/* Likewise without leading zeros, and each with its key as the value. */
void numbers_put_themselves(struct sluice_cache *cache, unsigned from, unsigned count);

/* Opens a cache for at most so many entries, and fills it with the first numbers. */
void numbers_open_full(struct fixture *fixture, unsigned entries, unsigned shards);

#endif
