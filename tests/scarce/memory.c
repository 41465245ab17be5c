/* SPDX-License-Identifier: MIT */
/*
 * memory.c: what the library calls instead of malloc and its kin (see CMakeLists.txt, and scarce.h).
 *
 * Without sanitizers, blocks lie one after the other in a place of their own and are never used again: so all of them
 * are known, and what a freed one holds can be looked at in the end. With sanitizers, malloc itself watches over them.
 */
#include "scarce.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_SIZE  ((size_t)1 << 30)
#define BLOCK_ALIGN ((size_t)64)
#define FREED_BYTE  0xdb
#define FENCE_BYTE  0xfe
#define FENCE_SIZE  16

/* In front of each block; a fence lies behind it. */
struct head {
    size_t room; /* with head, fence and what aligns the next one */
    size_t size;
    size_t number; /* of the request */
    atomic_bool freed;
};

static char *arena; /* NULL: malloc is used */
static atomic_size_t arena_used;
static atomic_bool arena_unsound;

void *scarce_malloc(size_t size);
void *scarce_calloc(size_t count, size_t size);
void *scarce_realloc(void *old, size_t size);
void *scarce_aligned_alloc(size_t alignment, size_t size);
int scarce_posix_memalign(void **memory, size_t alignment, size_t size);
char *scarce_strdup(const char *text);
char *scarce_strndup(const char *text, size_t size);
void scarce_free(void *memory);
int scarce_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg);

static atomic_bool counting;

void scarce_memory_begin(void)
{
    if (!SCARCE_SANITIZED) {
        void *place =
            mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (place == MAP_FAILED)
            abort();
        arena = place;
    }
    atomic_store(&counting, true);
}

void scarce_memory_end(void)
{
    atomic_store(&counting, false);
}

/* Counts a request; false: it is to fail. */
static bool allowed(void)
{
    if (!atomic_load(&counting) || atomic_fetch_add(&scarce_case->requests, 1) + 1 != scarce_case->refuse)
        return true;
    scarce_case->depth = backtrace(scarce_case->frames, SCARCE_FRAMES_MAX);
    atomic_store(&scarce_case->refused, true);
    errno = ENOMEM;
    return false;
}

static bool in_arena(const void *memory)
{
    return arena != NULL && (const char *)memory >= arena && (const char *)memory < arena + ARENA_SIZE;
}

static struct head *head_of(void *memory)
{
    return (struct head *)(void *)((char *)memory - BLOCK_ALIGN);
}

static void *take(size_t alignment, size_t size)
{
    if (arena == NULL)
        return alignment == 0 ? malloc(size) : aligned_alloc(alignment, size);
    size_t room = BLOCK_ALIGN + (size + FENCE_SIZE + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    size_t at = atomic_fetch_add(&arena_used, room);
    if (alignment > BLOCK_ALIGN || room > ARENA_SIZE || at > ARENA_SIZE - room) {
        fputs("scarce: the place for the library's blocks is too small for this scenario\n", stderr);
        _Exit(SCARCE_UNJUDGED);
    }
    struct head *head = (struct head *)(void *)(arena + at);
    *head = (struct head){.room = room, .size = size, .number = atomic_load(&scarce_case->requests)};
    char *memory = arena + at + BLOCK_ALIGN;
    memset(memory + size, FENCE_BYTE, FENCE_SIZE);
    return memory;
}

void *scarce_malloc(size_t size)
{
    return allowed() ? take(0, size) : NULL;
}

void *scarce_calloc(size_t count, size_t size)
{
    size_t bytes;
    void *memory = allowed() && !__builtin_mul_overflow(count, size, &bytes) ? take(0, bytes) : NULL;
    return memory == NULL ? NULL : memset(memory, 0, bytes);
}

void *scarce_realloc(void *old, size_t size)
{
    if (!allowed())
        return NULL;
    if (old == NULL || !in_arena(old))
        return old == NULL ? take(0, size) : realloc(old, size);
    void *memory = take(0, size);
    size_t before = head_of(old)->size;
    memcpy(memory, old, before < size ? before : size);
    scarce_free(old);
    return memory;
}

void *scarce_aligned_alloc(size_t alignment, size_t size)
{
    return allowed() ? take(alignment, size) : NULL;
}

int scarce_posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *taken = scarce_aligned_alloc(alignment, size);
    if (taken == NULL)
        return ENOMEM;
    *memory = taken;
    return 0;
}

char *scarce_strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = scarce_malloc(length + 1);
    if (copy == NULL)
        return NULL;
    copy[length] = '\0';
    return memcpy(copy, text, length);
}

char *scarce_strdup(const char *text)
{
    return scarce_strndup(text, SIZE_MAX);
}

static void fault(const char *what, const struct head *head)
{
    fprintf(stderr, "scarce: %s: block of %zu bytes, from request %zu\n", what, head->size, head->number);
    atomic_store(&arena_unsound, true);
}

void scarce_free(void *memory)
{
    if (!in_arena(memory)) {
        free(memory);
        return;
    }
    struct head *head = head_of(memory);
    if (atomic_exchange(&head->freed, true))
        fault("freed twice", head);
    else
        memset(memory, FREED_BYTE, head->size);
}

int scarce_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)
{
    return allowed() ? pthread_create(thread, attributes, start, arg) : EAGAIN;
}

static bool all_are(const char *bytes, size_t size, unsigned char byte)
{
    return size == 0 || ((unsigned char)bytes[0] == byte && memcmp(bytes, bytes + 1, size - 1) == 0);
}

bool scarce_memory_is_sound(void)
{
    size_t used = atomic_load(&arena_used);
    for (size_t at = 0; at < used;) {
        struct head *head = (struct head *)(void *)(arena + at);
        const char *memory = arena + at + BLOCK_ALIGN;
        if (atomic_load(&head->freed) && !all_are(memory, head->size, FREED_BYTE))
            fault("written after it was freed", head);
        if (!all_are(memory + head->size, FENCE_SIZE, FENCE_BYTE))
            fault("written past its end", head);
        at += head->room;
    }
    return !atomic_load(&arena_unsound);
}

size_t scarce_memory_blocks(struct scarce_block *blocks, size_t room)
{
    size_t count = 0;
    size_t used = atomic_load(&arena_used);
    for (size_t at = 0; at < used;) {
        const struct head *head = (const struct head *)(const void *)(arena + at);
        if (!atomic_load(&head->freed)) {
            if (count < room)
                blocks[count] = (struct scarce_block){arena + at + BLOCK_ALIGN, head->size, head->number, false};
            count++;
        }
        at += head->room;
    }
    return count;
}
