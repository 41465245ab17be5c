/* SPDX-License-Identifier: MIT */
/* slab.c: see slab.h. */
#include "slab.h"

#include "must.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/queue.h>

#define REGION_BYTES ((size_t)2 << 20)
#define PAGE_BYTES   ((size_t)64 << 10)
#define REGION_PAGES (REGION_BYTES / PAGE_BYTES)

#define ARENAS       16
#define FINE_MAX     256 /* up to this size there is a kind of block for every FINE_STEP bytes, */
#define FINE_STEP    8
#define FINE_KINDS   (FINE_MAX / FINE_STEP)
#define PARTS        8 /* and from there on so many for every doubling */
#define KINDS        (FINE_KINDS + 5 * PARTS)

_Static_assert(FINE_MAX << 5 == SLAB_BLOCK_MAX, "the kinds end where malloc begins");

/* Of a block that is free: its first bytes. */
struct block {
    struct block *next;
};

struct arena;

/* At the beginning of a page that belongs to an arena. Covered by the arena's lock, but for `arena` and `size`. */
struct page {
    struct arena *arena;
    uint32_t size; /* of its blocks, in bytes */
    uint32_t used; /* blocks */
    uint32_t cut;  /* bytes of it that have been blocks so far, the head included */
    struct block *free;
    TAILQ_ENTRY(page) link; /* has a free block: in its kind's list */
};

TAILQ_HEAD(page_list, page);

struct arena {
    _Alignas(64) pthread_mutex_t mutex; /* covers the rest, and its pages */
    struct page_list kinds[KINDS];      /* pages with a free block */
    uint64_t used_bytes, held_bytes;
};

/* At the beginning of a region; its first page is used for that alone. Covered by the regions' lock. */
struct region {
    uint64_t free; /* bit p: page p belongs to no arena */
    bool listed;   /* in `regions_partial` or `regions_empty`; not: no page is free, or memory is given back */
    LIST_ENTRY(region) link;
};

LIST_HEAD(region_list, region);

#define REGION_EMPTY (((UINT64_C(1) << (REGION_PAGES - 1)) - 1) << 1) /* all pages but the first are free */

_Static_assert(REGION_PAGES <= 64, "a bit for every page");

static struct arena arenas[ARENAS];
static pthread_once_t arenas_once = PTHREAD_ONCE_INIT;
static _Thread_local struct arena *arena_mine;

static pthread_mutex_t regions_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct region_list regions_partial; /* with pages that are free, and others */
static struct region_list regions_empty;   /* their memory was given back */
static struct region *regions_spare;       /* but this one's, which is empty too; or NULL */

/* ---- kinds of blocks --------------------------------------------------------------------------------------------- */

/* The kind for blocks of this size, and how large they are. */
static unsigned kind_of(size_t size, uint32_t *rounded)
{
    unsigned doubling, part;
    size_t step;

    if (size <= FINE_MAX) {
        unsigned kind = size == 0 ? 0 : (unsigned)((size - 1) / FINE_STEP);

        *rounded = (kind + 1) * FINE_STEP;
        return kind;
    }
    doubling = (unsigned)(63 - __builtin_clzll((size - 1) / FINE_MAX));
    step = ((size_t)FINE_MAX << doubling) / PARTS;
    part = (unsigned)((size - 1) / step - PARTS);
    *rounded = (uint32_t)((PARTS + part + 1) * step);
    return FINE_KINDS + doubling * PARTS + part;
}

/* ---- pages of the process ---------------------------------------------------------------------------------------- */

/* A stretch of addresses that REGION_BYTES divides; NULL: no memory. */
static struct region *region_map(void)
{
    char *memory = mmap(NULL, 2 * REGION_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t before;
    char *begin;

    if (memory == MAP_FAILED)
        return NULL;
    before = (REGION_BYTES - (uintptr_t)memory % REGION_BYTES) % REGION_BYTES;
    begin = memory + before;
    if (before > 0)
        (void)munmap(memory, before);
    (void)munmap(begin + REGION_BYTES, REGION_BYTES - before);
    if (mprotect(begin, REGION_BYTES, PROT_READ | PROT_WRITE) == 0)
        return (struct region *)begin;
    (void)munmap(begin, REGION_BYTES);
    return NULL;
}

static void regions_lock(void)
{
    must(pthread_mutex_lock(&regions_mutex) == 0);
}

static void regions_unlock(void)
{
    must(pthread_mutex_unlock(&regions_mutex) == 0);
}

/* With the lock held: has a region in the list that it belongs to, if any. */
static void region_list(struct region *region)
{
    if (region->listed)
        LIST_REMOVE(region, link);
    region->listed = region->free != 0;
    if (region->free == REGION_EMPTY)
        LIST_INSERT_HEAD(&regions_empty, region, link);
    else if (region->free != 0)
        LIST_INSERT_HEAD(&regions_partial, region, link);
}

/* With the lock held: where a page is to come from; NULL: no memory. Regions that are in use already are filled first.
 */
static struct region *region_choose(void)
{
    struct region *region = LIST_FIRST(&regions_partial);

    if (region == NULL) {
        region = regions_spare != NULL ? regions_spare : LIST_FIRST(&regions_empty);
        if (region == regions_spare)
            regions_spare = NULL;
    }
    if (region == NULL) {
        region = region_map();
        if (region != NULL)
            region->free = REGION_EMPTY;
    }
    return region;
}

/* A page that belongs to nobody; NULL: no memory. */
static struct page *page_take(void)
{
    struct region *region;
    unsigned number = 0;

    regions_lock();
    region = region_choose();
    if (region != NULL) {
        number = (unsigned)__builtin_ctzll(region->free);
        region->free &= region->free - 1;
        region_list(region);
    }
    regions_unlock();
    return region == NULL ? NULL : (struct page *)((char *)region + number * PAGE_BYTES);
}

/* Gives the memory of pages that nobody can take to the system. */
static void pages_discard(struct region *region, uint64_t pages)
{
    while (pages != 0) {
        unsigned first = (unsigned)__builtin_ctzll(pages);
        unsigned count = (unsigned)__builtin_ctzll(~(pages >> first));

        /* If it fails, the memory stays, and serves whoever takes the pages next. */
        (void)madvise((char *)region + first * PAGE_BYTES, count * PAGE_BYTES, MADV_DONTNEED);
        pages &= ~(((UINT64_C(1) << count) - 1) << first);
    }
}

/*
 * Gives the memory of a region's free pages to the system; it is in no list meanwhile, so that nobody takes them. If
 * the others get free meanwhile, theirs too: those in `regions_empty` are not looked at again.
 */
static void region_discard(struct region *region, uint64_t pages)
{
    uint64_t discarded = 0;
    bool done;

    do {
        pages_discard(region, pages);
        discarded |= pages;
        regions_lock();
        pages = region->free & ~discarded;
        done = pages == 0 || region->free != REGION_EMPTY;
        if (done)
            region_list(region);
        regions_unlock();
    } while (!done);
}

/* A page belongs to its arena no more. The second region that is empty gives its memory back. */
static void page_give(struct page *page)
{
    struct region *region = (struct region *)((uintptr_t)page & ~(uintptr_t)(REGION_BYTES - 1));
    bool discard = false, taken;

    regions_lock();
    taken = region->free != 0 && !region->listed; /* by somebody who gives its memory back */
    region->free |= UINT64_C(1) << ((uintptr_t)page % REGION_BYTES / PAGE_BYTES);
    if (!taken && region->free == REGION_EMPTY && regions_spare != NULL) {
        if (region->listed)
            LIST_REMOVE(region, link);
        region->listed = false;
        discard = true;
    } else if (!taken) {
        region_list(region);
        if (region->free == REGION_EMPTY)
            regions_spare = region;
    }
    regions_unlock();
    if (discard)
        region_discard(region, REGION_EMPTY);
}

/* Gives the memory of all pages that belong to no arena to the system. */
static void regions_trim(void)
{
    struct region_list todo = LIST_HEAD_INITIALIZER(todo);
    struct region *region;

    regions_lock();
    while ((region = LIST_FIRST(&regions_partial)) != NULL) {
        LIST_REMOVE(region, link);
        region->listed = false;
        LIST_INSERT_HEAD(&todo, region, link);
    }
    region = regions_spare;
    regions_spare = NULL;
    if (region != NULL) {
        LIST_REMOVE(region, link);
        region->listed = false;
        LIST_INSERT_HEAD(&todo, region, link);
    }
    regions_unlock();
    while ((region = LIST_FIRST(&todo)) != NULL) {
        uint64_t pages;

        LIST_REMOVE(region, link);
        regions_lock();
        pages = region->free;
        regions_unlock();
        region_discard(region, pages);
    }
}

/* ---- arenas ------------------------------------------------------------------------------------------------------ */

static void arenas_init(void)
{
    for (unsigned i = 0; i < ARENAS; i++) {
        must(pthread_mutex_init(&arenas[i].mutex, NULL) == 0);
        for (unsigned kind = 0; kind < KINDS; kind++)
            TAILQ_INIT(&arenas[i].kinds[kind]);
    }
}

/* Threads go to the arenas in turn. */
static struct arena *arena_of_thread(void)
{
    static atomic_uint next;

    if (arena_mine == NULL) {
        must(pthread_once(&arenas_once, arenas_init) == 0);
        arena_mine = &arenas[atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % ARENAS];
    }
    return arena_mine;
}

static void page_init(struct page *page, struct arena *arena, uint32_t size)
{
    page->arena = arena;
    page->size = size;
    page->used = 0;
    page->cut = (sizeof *page + 63) / 64 * 64;
    page->free = NULL;
}

static bool page_is_full(const struct page *page)
{
    return page->free == NULL && page->cut + page->size > PAGE_BYTES;
}

/* With the arena's lock held, of a page that has one. */
static void *page_take_block(struct page *page)
{
    struct block *block = page->free;

    if (block != NULL) {
        page->free = block->next;
    } else {
        block = (struct block *)((char *)page + page->cut);
        page->cut += page->size;
    }
    page->used++;
    page->arena->used_bytes += page->size;
    return block;
}

/* With the arena's lock held. True: the page is empty, and belongs to the arena no more. */
static bool page_give_block(struct page *page, struct page_list *kind, struct block *block)
{
    bool was_full = page_is_full(page);
    bool another = TAILQ_FIRST(kind) != NULL && (TAILQ_FIRST(kind) != page || TAILQ_NEXT(page, link) != NULL);

    must(page->used > 0);
    block->next = page->free;
    page->free = block;
    page->used--;
    page->arena->used_bytes -= page->size;
    if (page->used > 0 || !another) {
        if (was_full)
            TAILQ_INSERT_TAIL(kind, page, link);
        return false;
    }
    if (!was_full)
        TAILQ_REMOVE(kind, page, link);
    page->arena->held_bytes -= PAGE_BYTES;
    return true;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* A block of the kind's first page; NULL: it has none. */
static void *arena_take(struct arena *arena, struct page_list *kind)
{
    struct page *page;
    void *block = NULL;

    must(pthread_mutex_lock(&arena->mutex) == 0);
    page = TAILQ_FIRST(kind);
    if (page != NULL) {
        block = page_take_block(page);
        if (page_is_full(page))
            TAILQ_REMOVE(kind, page, link);
    }
    must(pthread_mutex_unlock(&arena->mutex) == 0);
    return block;
}

static void arena_add(struct arena *arena, struct page_list *kind, struct page *page)
{
    must(pthread_mutex_lock(&arena->mutex) == 0);
    TAILQ_INSERT_HEAD(kind, page, link);
    arena->held_bytes += PAGE_BYTES;
    must(pthread_mutex_unlock(&arena->mutex) == 0);
}

/* The page of a kind that is empty and stays with its arena is the first of its list. */
static void arena_trim(struct arena *arena, struct page_list *kind)
{
    struct page *page;

    must(pthread_mutex_lock(&arena->mutex) == 0);
    page = TAILQ_FIRST(kind);
    if (page != NULL && page->used == 0) {
        TAILQ_REMOVE(kind, page, link);
        arena->held_bytes -= PAGE_BYTES;
    } else {
        page = NULL;
    }
    must(pthread_mutex_unlock(&arena->mutex) == 0);
    if (page != NULL)
        page_give(page);
}

void *slab_alloc(size_t size)
{
    struct page_list *kind;
    struct arena *arena;
    struct page *page;
    uint32_t rounded;
    void *block;

    if (slab_is_malloc(size))
        return malloc(size);
    arena = arena_of_thread();
    kind = &arena->kinds[kind_of(size, &rounded)];
    /* Others of this arena may be faster than this thread: then it brings another page. */
    while ((block = arena_take(arena, kind)) == NULL) {
        page = page_take();
        if (page == NULL)
            return NULL;
        page_init(page, arena, rounded);
        arena_add(arena, kind, page);
    }
    return block;
}

void slab_free(void *block, size_t size)
{
    struct page *page = (struct page *)((uintptr_t)block & ~(uintptr_t)(PAGE_BYTES - 1));
    struct arena *arena;
    uint32_t rounded;
    unsigned kind;
    bool empty;

    if (slab_is_malloc(size) || block == NULL) {
        free(block);
        return;
    }
    kind = kind_of(size, &rounded);
    arena = page->arena;
    must(page->size == rounded);
    must(pthread_mutex_lock(&arena->mutex) == 0);
    empty = page_give_block(page, &arena->kinds[kind], block);
    must(pthread_mutex_unlock(&arena->mutex) == 0);
    if (empty)
        page_give(page);
}

void slab_trim(void)
{
    must(pthread_once(&arenas_once, arenas_init) == 0);
    for (unsigned i = 0; i < ARENAS; i++) {
        for (unsigned kind = 0; kind < KINDS; kind++)
            arena_trim(&arenas[i], &arenas[i].kinds[kind]);
    }
    regions_trim();
}

struct slab_stats slab_stats(void)
{
    struct slab_stats stats = {0, 0};

    must(pthread_once(&arenas_once, arenas_init) == 0);
    for (unsigned i = 0; i < ARENAS; i++) {
        must(pthread_mutex_lock(&arenas[i].mutex) == 0);
        stats.used_bytes += arenas[i].used_bytes;
        stats.held_bytes += arenas[i].held_bytes;
        must(pthread_mutex_unlock(&arenas[i].mutex) == 0);
    }
    return stats;
}
