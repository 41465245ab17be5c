/* SPDX-License-Identifier: MIT */
/*
 * reach.c: which of the library's blocks a test still holds (see scarce.h).
 *
 * What a test that failed half-way holds, its frames and variables tell: each of their words that is an address inside
 * a block reaches that block, and so do the words of blocks that are reached. What nothing reaches is lost. An address
 * may be left over from before, and hide a loss in this case; it won't in all of them.
 */
#include "scarce.h"

#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The code of the library: a section of that name holds it (see CMakeLists.txt). The linker knows its ends. */
extern const char __start_scarce_library[];
extern const char __stop_scarce_library[];

bool scarce_reach_inside(void)
{
    void *frames[256];
    int depth = backtrace(frames, 256);
    for (int i = 0; i < depth; i++)
        if ((const char *)frames[i] >= __start_scarce_library && (const char *)frames[i] < __stop_scarce_library)
            return true;
    return false;
}

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>

bool scarce_reach_all(void)
{
    return __lsan_do_recoverable_leak_check() == 0;
}

#elif SCARCE_SANITIZED

bool scarce_reach_all(void)
{
    return true;
}

#else

#define BLOCKS_MAX 65536

static struct scarce_block *blocks;
static size_t blocks_count;
static size_t *found; /* blocks that are reached and whose own words are still to be looked at */
static size_t found_count;

/* The program's variables, from the linker. */
extern const char __data_start[];
extern const char _end[];

/* If `address` is inside of a block, the block is reached. */
static void reach(const char *address)
{
    size_t low = 0;
    size_t high = blocks_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (blocks[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return;
    struct scarce_block *block = &blocks[low - 1];
    if (block->reached || address >= block->start + block->size)
        return;
    block->reached = true;
    found[found_count++] = low - 1;
}

static void reach_from(const char *start, const char *end)
{
    for (const char *at = start; at + sizeof(char *) <= end; at += sizeof(char *)) {
        const char *word;
        memcpy(&word, at, sizeof word);
        reach(word);
    }
}

static void reach_from_stack(void)
{
    jmp_buf registers; /* what the callers keep there */
    pthread_attr_t attributes;
    void *start = NULL;
    size_t size = 0;

    if (setjmp(registers) != 0 || pthread_getattr_np(pthread_self(), &attributes) != 0)
        abort();
    pthread_attr_getstack(&attributes, &start, &size);
    pthread_attr_destroy(&attributes);
    reach_from((const char *)&registers, (const char *)start + size);
}

static void reach_from_heap(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    if (maps == NULL)
        abort();
    while (fgets(line, sizeof line, maps) != NULL) {
        void *start;
        void *end;
        if (strstr(line, "[heap]") != NULL && sscanf(line, "%p-%p", &start, &end) == 2)
            reach_from(start, end);
    }
    fclose(maps);
}

/* Not of the heap, where it would itself be looked at. */
static void *room_for(size_t size)
{
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        abort();
    return room;
}

bool scarce_reach_all(void)
{
    bool lost = false;

    blocks = room_for(BLOCKS_MAX * sizeof *blocks);
    found = room_for(BLOCKS_MAX * sizeof *found);
    blocks_count = scarce_memory_blocks(blocks, BLOCKS_MAX);
    if (blocks_count > BLOCKS_MAX)
        abort();
    if (blocks_count == 0)
        return true;
    reach_from_stack();
    reach_from_heap();
    reach_from(__data_start, _end);
    while (found_count > 0) {
        const struct scarce_block *block = &blocks[found[--found_count]];
        reach_from(block->start, block->start + block->size);
    }
    for (size_t i = 0; i < blocks_count; i++)
        if (!blocks[i].reached) {
            fprintf(stderr, "scarce: lost: %zu bytes, from request %zu\n", blocks[i].size, blocks[i].number);
            lost = true;
        }
    return !lost;
}
#endif
