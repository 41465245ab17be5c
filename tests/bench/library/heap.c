/* SPDX-License-Identifier: MIT */
/* heap.c: see heap.h. Linked with --wrap, so that calls of malloc come here, and __real_malloc is malloc itself. */
#include "heap.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker makes these names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **block, size_t alignment, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);
void __wrap_free(void *block);

struct counts {
    _Atomic int64_t blocks;
    _Atomic int64_t bytes;
    _Atomic int64_t made;
    _Atomic int64_t requested;
};

static struct counts all[HEAP_SIZES];

/* What a block takes: what can be used of it, and the word before it. */
static size_t taken(void *block)
{
    return malloc_usable_size(block) + sizeof(size_t);
}

static struct counts *counts_of(size_t size)
{
    return &all[size > HEAP_SIZE_MAX ? HEAP_SIZES - 1 : size / HEAP_STEP];
}

static void add(_Atomic int64_t *count, size_t more)
{
    atomic_fetch_add_explicit(count, (int64_t)more, memory_order_relaxed);
}

static void *count_made(void *block, size_t requested)
{
    if (block != NULL) {
        struct counts *counts = counts_of(taken(block));

        add(&counts->blocks, 1);
        add(&counts->bytes, taken(block));
        add(&counts->made, 1);
        add(&counts->requested, requested);
    }
    return block;
}

static void count_freed(size_t size)
{
    struct counts *counts = counts_of(size);

    atomic_fetch_sub_explicit(&counts->blocks, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&counts->bytes, (int64_t)size, memory_order_relaxed);
}

void *__wrap_malloc(size_t size)
{
    return count_made(__real_malloc(size), size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return count_made(__real_calloc(count, size), count * size);
}

void *__wrap_realloc(void *block, size_t size)
{
    size_t before = block == NULL ? 0 : taken(block);
    void *made = __real_realloc(block, size);

    if (before != 0 && (made != NULL || size == 0))
        count_freed(before);
    return count_made(made, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return count_made(__real_aligned_alloc(alignment, size), size);
}

int __wrap_posix_memalign(void **block, size_t alignment, size_t size)
{
    int error = __real_posix_memalign(block, alignment, size);

    if (error == 0)
        count_made(*block, size);
    return error;
}

void __wrap_free(void *block)
{
    if (block != NULL)
        count_freed(taken(block));
    __real_free(block);
}
/* NOLINTEND(bugprone-reserved-identifier) */

void heap_look(struct heap *heap)
{
    for (size_t i = 0; i < HEAP_SIZES; i++) {
        heap->sizes[i] = (struct heap_size){
            atomic_load_explicit(&all[i].blocks, memory_order_relaxed),
            atomic_load_explicit(&all[i].bytes, memory_order_relaxed),
            atomic_load_explicit(&all[i].made, memory_order_relaxed),
            atomic_load_explicit(&all[i].requested, memory_order_relaxed),
        };
    }
}
