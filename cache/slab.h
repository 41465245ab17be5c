/* SPDX-License-Identifier: MIT */
/*
 * slab.h: memory for what comes and goes by the million: entries and values. Used in place of malloc for two reasons.
 *
 *   bytes   A block has no head, and its size is rounded up by 7 bytes at most (over 256 bytes: by an eighth).
 *   pauses  No call costs more than one page does. malloc gives a large stretch back to the system in one system call
 *           under the lock of its arena, and joins free blocks to each other in one call: after a million expiries,
 *           milliseconds in which every other thread that allocates or frees stands still.
 *
 * How it is laid out: the system is asked for regions of 2 MiB, which are cut into pages of 64 KiB. A page holds blocks
 * of one size. Pages belong to an arena, with a lock of its own; a thread takes blocks from the arena that it was given
 * at its first call, and gives blocks back to the one that they are from. A page that has got empty, but for the last
 * one of its size in its arena, may then serve any arena and size. A region whose pages are all empty gives its memory
 * back to the system, but for one, which spares those who fill and empty it in turn the way there and back.
 *
 * Addresses are never given back: what has once been a block can be read for ever, though it may hold anything, or
 * zeros. Large blocks are malloc's, for which that does not hold. For the process, not for a cache: a value outlives
 * its cache. With AddressSanitizer all blocks are malloc's, so that it sees who uses a block that is free.
 *
 * Locks: an arena's and the regions' are leaves, never taken together; both are taken under a shard's, as malloc's is.
 */
#ifndef CACHE_SLAB_H
#define CACHE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_BLOCK_MAX 8192 /* larger ones are malloc's */

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_OFF 1
#endif
#endif
#ifndef SLAB_OFF
#define SLAB_OFF 0
#endif

/* Whether blocks of this size are malloc's. */
static inline bool slab_is_malloc(size_t size)
{
    return SLAB_OFF || size > SLAB_BLOCK_MAX;
}

/* A block of at least `size` bytes, at an address that 8 divides; NULL: no memory. Any thread. */
void *slab_alloc(size_t size);

/* Gives a block back; `size` is what it was asked for with. NULL is allowed. Any thread. */
void slab_free(void *block, size_t size);

/* Gives the memory of all empty pages to the system, as malloc_trim() does. Any thread. */
void slab_trim(void);

/* What the process has, malloc's blocks left out. */
struct slab_stats {
    uint64_t used_bytes; /* in blocks that are in use, rounded up as they are */
    uint64_t held_bytes; /* in pages that belong to an arena: what slab_trim() leaves at the most */
};

struct slab_stats slab_stats(void);

#endif
