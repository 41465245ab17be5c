/* SPDX-License-Identifier: MIT */
/* hash.c: see hash.h. */
#define XXH_INLINE_ALL
#include "hash.h"

#include "must.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>
#include <xxhash.h>

static uint64_t the_seed;
static pthread_once_t the_seed_once = PTHREAD_ONCE_INIT;

static void seed_draw(void)
{
    ssize_t got;

    do {
        got = getrandom(&the_seed, sizeof the_seed, 0);
    } while (got < 0 && errno == EINTR);
    must(got == (ssize_t)sizeof the_seed);
}

uint64_t hash_seed(void)
{
    must(pthread_once(&the_seed_once, seed_draw) == 0);
    return the_seed;
}

uint64_t hash_key(uint64_t seed, const void *key, size_t size)
{
    return XXH3_64bits_withSeed(key, size, seed);
}

_Static_assert(sizeof(XXH64_state_t) == sizeof(struct hash_sum), "room for the state");
_Static_assert(_Alignof(XXH64_state_t) <= _Alignof(struct hash_sum), "and aligned");

void hash_sum_init(struct hash_sum *sum)
{
    must(XXH64_reset((XXH64_state_t *)(void *)sum, 0) == XXH_OK);
}

void hash_sum_add(struct hash_sum *sum, const void *bytes, size_t size)
{
    must(XXH64_update((XXH64_state_t *)(void *)sum, bytes, size) == XXH_OK);
}

uint64_t hash_sum_get(const struct hash_sum *sum)
{
    return XXH64_digest((const XXH64_state_t *)(const void *)sum);
}

void hash_etag(const void *data, size_t size, char etag[HASH_ETAG_SIZE])
{
    XXH128_hash_t digest = XXH3_128bits(data, size);

    snprintf(etag, HASH_ETAG_SIZE, "\"%016llx%016llx\"", (unsigned long long)digest.high64,
             (unsigned long long)digest.low64);
}
