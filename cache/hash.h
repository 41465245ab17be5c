/* SPDX-License-Identifier: MIT */
/*
 * hash.h: where a key goes. Keyed with a random seed a process, so that nobody outside can choose keys that collide.
 * The one room that knows xxhash.
 */
#ifndef CACHE_HASH_H
#define CACHE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A seed from the system's random source; the same for the whole life of the process. Any thread. */
uint64_t hash_seed(void);

/* 64 well-mixed bits: the upper ones choose the shard, the lower ones the bucket in it. */
uint64_t hash_key(uint64_t seed, const void *key, size_t size);

/* XXH64 of bytes that come in pieces, the same in every process. Room for the state that hash.c knows. */
struct hash_sum {
    uint64_t state[11];
};

void hash_sum_init(struct hash_sum *sum);
void hash_sum_add(struct hash_sum *sum, const void *bytes, size_t size);

/* Of what has been added so far; more may follow. */
uint64_t hash_sum_get(const struct hash_sum *sum);

#define HASH_ETAG_SIZE sizeof("\"0123456789abcdef0123456789abcdef\"")

/* A strong entity tag made of the bytes, quotes and NUL included; the same in every process (RFC 9110, 8.8.3). */
void hash_etag(const void *data, size_t size, char etag[HASH_ETAG_SIZE]);

#endif
