/* SPDX-License-Identifier: MIT */
/*
 * heap.h: what this program has of malloc, block by block: a program linked with heap.c has all calls of malloc, free
 * and their like in its own objects and static libraries counted (the linker's --wrap).
 *
 * May be used by: tests/bench/library. Any thread.
 */
#ifndef LIBRARY_HEAP_H
#define LIBRARY_HEAP_H

#include <stdint.h>

/* Blocks are counted by size up to this; larger ones together. */
enum { HEAP_SIZE_MAX = 4096, HEAP_STEP = 16, HEAP_SIZES = HEAP_SIZE_MAX / HEAP_STEP + 2 };

struct heap_size {
    int64_t blocks;    /* held now */
    int64_t bytes;     /* of memory that they take, malloc's own head included */
    int64_t made;      /* so far */
    int64_t requested; /* bytes asked for, of all that were made */
};

struct heap {
    struct heap_size sizes[HEAP_SIZES];
};

/* All counts as they are now. */
void heap_look(struct heap *heap);

#endif
