/* SPDX-License-Identifier: MIT */
/* random.h: a small seeded generator (splitmix64), so that a failing run can be played again. One a thread. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

void random_init(struct random *random, uint64_t seed);

/* The next 64 bits. */
uint64_t random_next(struct random *random);

/* One of 0 .. bound - 1. `bound` is at least 1. */
unsigned random_below(struct random *random, unsigned bound);

/* A seed for a run: SLUICE_SEED from the environment, else from the clock. */
uint64_t random_seed(void);

#endif
