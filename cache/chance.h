/* SPDX-License-Identifier: MIT */
/*
 * chance.h: random numbers that spread what would otherwise come at once. One generator a shard, covered by its lock:
 * 64 bits of state that are counted up and mixed well (splitmix64). Not for secrets.
 */
#ifndef CACHE_CHANCE_H
#define CACHE_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline void chance_init(struct chance *chance, uint64_t seed)
{
    chance->state = seed;
}

/* The next 64 bits. */
static inline uint64_t chance_next(struct chance *chance)
{
    uint64_t bits = chance->state += UINT64_C(0x9e3779b97f4a7c15);

    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

/* One of 0 to most, each as likely as the others; `most` is at least 0 and far below 2^64. */
static inline int64_t chance_up_to(struct chance *chance, int64_t most)
{
    return (int64_t)(chance_next(chance) % ((uint64_t)most + 1));
}

#endif
