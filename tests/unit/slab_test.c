/* SPDX-License-Identifier: MIT */
/* slab_test.c: blocks are whole and apart from each other, sizes are rounded as promised, memory goes back to the
 * system, addresses stay, and threads may give back each other's blocks. */
#include "slab.h"

#include "errand.h"
#include "random.h"
#include "test.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES ((size_t)64 << 10)

/* ---- the system, as slab.c finds it ------------------------------------------------------------------------------ */

static atomic_bool maps_refused;
static atomic_size_t given_back;          /* bytes */
static void (*_Atomic giving_back)(void); /* done in the next call of madvise(); or NULL */

void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __real_madvise(void *address, size_t size, int advice);
int __wrap_madvise(void *address, size_t size, int advice);

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (atomic_load(&maps_refused)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(address, size, protection, flags, fd, offset);
}

int __wrap_madvise(void *address, size_t size, int advice)
{
    int result = __real_madvise(address, size, advice);
    void (*then)(void) = atomic_exchange(&giving_back, NULL);

    if (then != NULL)
        then();
    if (result == 0 && advice == MADV_DONTNEED)
        atomic_fetch_add(&given_back, size);
    return result;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* Blocks of one size, each filled with a byte of its own. */
struct blocks {
    unsigned char **at;
    size_t count;
    size_t size;
};

static void block_fill(unsigned char *block, size_t size, size_t i)
{
    memset(block, (int)(1 + i % 251), size);
}

/* Nobody else has written to it. */
static bool block_is_whole(const unsigned char *block, size_t size)
{
    for (size_t byte = 1; byte < size; byte++) {
        if (block[byte] != block[0])
            return false;
    }
    return size == 0 || block[0] != 0;
}

static void blocks_take(struct blocks *blocks, size_t count, size_t size)
{
    blocks->at = malloc(count * sizeof *blocks->at);
    blocks->count = count;
    blocks->size = size;
    assert_non_null(blocks->at);
    for (size_t i = 0; i < count; i++) {
        blocks->at[i] = slab_alloc(size);
        assert_non_null(blocks->at[i]);
        assert_int_equal((uintptr_t)blocks->at[i] % 8, 0);
        block_fill(blocks->at[i], size, i);
    }
}

static void blocks_give_one(struct blocks *blocks, size_t i)
{
    assert_true(block_is_whole(blocks->at[i], blocks->size));
    slab_free(blocks->at[i], blocks->size);
    blocks->at[i] = NULL;
}

/* Gives back all that are left, in random order. */
static void blocks_give(struct blocks *blocks)
{
    struct random random;

    random_init(&random, 1);
    for (size_t left = blocks->count; left > 0; left--) {
        size_t i = random_below(&random, (unsigned)left);

        if (blocks->at[i] != NULL)
            blocks_give_one(blocks, i);
        blocks->at[i] = blocks->at[left - 1];
    }
    free(blocks->at);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void blocks_of_every_size_are_whole_and_apart(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SLAB_BLOCK_MAX + 16; size += size < 300 ? 1 : 61) {
        struct blocks blocks;

        blocks_take(&blocks, 40, size);
        blocks_give(&blocks);
    }
    slab_free(NULL, 8);
    assert_int_equal(slab_stats().used_bytes, 0);
}

static void sizes_are_rounded_up_by_little(void **state)
{
    (void)state;
    for (size_t size = 1; size <= SLAB_BLOCK_MAX; size++) {
        void *block = slab_alloc(size);
        uint64_t used = slab_stats().used_bytes;

        assert_non_null(block);
        assert_true(used >= size);
        assert_true(used <= (size <= 256 ? size + 7 : size + size / 8 + 1));
        slab_free(block, size);
    }
}

static void large_blocks_are_not_its_own(void **state)
{
    void *block = slab_alloc(SLAB_BLOCK_MAX + 1);

    (void)state;
    assert_non_null(block);
    assert_int_equal(slab_stats().used_bytes, 0);
    memset(block, 1, SLAB_BLOCK_MAX + 1);
    slab_free(block, SLAB_BLOCK_MAX + 1);
}

static void empty_pages_leave_their_arena_but_for_one_of_a_size(void **state)
{
    struct blocks blocks;
    uint64_t before = slab_stats().held_bytes;

    (void)state;
    blocks_take(&blocks, 4000, 520);
    assert_true(slab_stats().held_bytes >= before + UINT64_C(4000) * 520);
    blocks_give(&blocks);
    assert_true(slab_stats().held_bytes <= before + PAGE_BYTES);
}

static void memory_goes_back_to_the_system(void **state)
{
    struct blocks blocks;

    (void)state;
    blocks_take(&blocks, 30000, 1024);
    atomic_store(&given_back, 0);
    blocks_give(&blocks);
    assert_true(atomic_load(&given_back) >= (size_t)30000 * 1024 - ((size_t)8 << 20));
}

/* Which a reader that holds no lock may do: what it finds there is for it to judge. */
static void the_address_of_a_block_can_be_read_for_ever(void **state)
{
    struct blocks blocks;
    unsigned char **at = malloc(sizeof *at * 8000);
    unsigned sum = 0;

    (void)state;
    assert_non_null(at);
    blocks_take(&blocks, 8000, 1024);
    memcpy(at, blocks.at, sizeof *at * 8000);
    blocks_give(&blocks);
    slab_trim();
    for (size_t i = 0; i < 8000; i++)
        sum += at[i][100];
    assert_true(sum <= 8000u * 255);
    free(at);
}

static void a_trim_gives_back_the_empty_pages_of_regions_in_use(void **state)
{
    struct blocks blocks;
    size_t pages = 0;

    (void)state;
    blocks_take(&blocks, 8000, 1024); /* 63 in a page */
    for (size_t i = 0; i < blocks.count; i++) {
        if (i / 63 % 4 != 0) { /* three of four pages get empty, and no region */
            blocks_give_one(&blocks, i);
            pages += i % 63 == 0;
        }
    }
    slab_trim();
    atomic_store(&given_back, 0);
    slab_trim();
    /* The second one finds the same pages: nobody has taken them. */
    assert_true(atomic_load(&given_back) >= (pages - 2) * PAGE_BYTES);
    for (size_t i = 0; i < blocks.count; i++) {
        if (blocks.at[i] != NULL)
            blocks_give_one(&blocks, i);
    }
    free(blocks.at);
}

static void a_trim_gives_back_the_last_empty_page_of_a_size(void **state)
{
    (void)state;
    for (size_t size = 8; size <= SLAB_BLOCK_MAX; size *= 2)
        slab_free(slab_alloc(size), size);
    assert_true(slab_stats().held_bytes > 0);
    slab_trim();
    assert_int_equal(slab_stats().held_bytes, 0);
}

static struct blocks rest; /* those that are left, at any place */

/* All but those of the last page: as long as that has a free block, no empty page stays with its arena. */
static void give_the_rest(void)
{
    for (size_t i = 0; i < rest.count / 63 * 63; i++) {
        if (rest.at[i] != NULL)
            blocks_give_one(&rest, i);
    }
}

static void pages_that_get_empty_while_others_are_given_back_are_given_back_too(void **state)
{
    unsigned char **at = malloc(sizeof *at * 8000);
    size_t left = 0;

    (void)state;
    assert_non_null(at);
    slab_trim();
    blocks_take(&rest, 8000, 1024); /* 63 in a page */
    memcpy(at, rest.at, sizeof *at * rest.count);
    for (size_t i = 0; i < rest.count / 63 * 63; i++) {
        if (i / 63 % 4 != 0)
            blocks_give_one(&rest, i);
    }
    atomic_store(&giving_back, give_the_rest);
    slab_trim();
    assert_null(giving_back);
    for (size_t i = 0; i < rest.count; i++)
        left += at[i][100] != 0;
    assert_int_equal(left, rest.count % 63);
    blocks_give(&rest);
    free(at);
}

struct link {
    struct link *next;
};

static void a_full_system_fails_the_call_and_nothing_else(void **state)
{
    struct link *held = NULL, *block;

    (void)state;
    atomic_store(&maps_refused, true);
    while ((block = slab_alloc(SLAB_BLOCK_MAX)) != NULL) { /* all that is there already */
        block->next = held;
        held = block;
    }
    assert_null(slab_alloc(SLAB_BLOCK_MAX));
    atomic_store(&maps_refused, false);
    block = slab_alloc(SLAB_BLOCK_MAX);
    assert_non_null(block);
    block->next = held;
    for (held = block; held != NULL; held = block) {
        block = held->next;
        slab_free(held, SLAB_BLOCK_MAX);
    }
    assert_int_equal(slab_stats().used_bytes, 0);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

enum { PLACES = 64, THREADS = 4, TURNS = 20000, KINDS = 3 };

/* Blocks go from hand to hand: each turn puts one into a place, and gives back whichever was there. */
static unsigned char *_Atomic places[KINDS][PLACES];
static const size_t kinds[KINDS] = {24, 200, 3000};
static atomic_size_t broken;

static void swap_blocks(void *arg)
{
    struct random random;

    random_init(&random, (uint64_t)(uintptr_t)arg);
    for (size_t turn = 0; turn < TURNS; turn++) {
        unsigned kind = random_below(&random, KINDS);
        unsigned char *mine = slab_alloc(kinds[kind]), *theirs;

        if (mine == NULL)
            abort();
        block_fill(mine, kinds[kind], turn);
        theirs = atomic_exchange(&places[kind][random_below(&random, PLACES)], mine);
        if (theirs != NULL && !block_is_whole(theirs, kinds[kind]))
            atomic_fetch_add(&broken, 1);
        slab_free(theirs, kinds[kind]);
        if (turn % 4096 == 0)
            slab_trim();
    }
}

static void threads_give_back_blocks_of_each_other(void **state)
{
    struct errand *errands[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        errands[i] = errand_start(swap_blocks, (void *)(uintptr_t)(i + 1));
    for (size_t i = 0; i < THREADS; i++) {
        assert_true(errand_ended(errands[i]));
        errand_join(errands[i]);
    }
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < PLACES; i++)
            slab_free(atomic_exchange(&places[kind][i], NULL), kinds[kind]);
    }
    assert_int_equal(atomic_load(&broken), 0);
    assert_int_equal(slab_stats().used_bytes, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_every_size_are_whole_and_apart),
        cmocka_unit_test(sizes_are_rounded_up_by_little),
        cmocka_unit_test(large_blocks_are_not_its_own),
        cmocka_unit_test(empty_pages_leave_their_arena_but_for_one_of_a_size),
        cmocka_unit_test(memory_goes_back_to_the_system),
        cmocka_unit_test(the_address_of_a_block_can_be_read_for_ever),
        cmocka_unit_test(a_trim_gives_back_the_empty_pages_of_regions_in_use),
        cmocka_unit_test(a_trim_gives_back_the_last_empty_page_of_a_size),
        cmocka_unit_test(pages_that_get_empty_while_others_are_given_back_are_given_back_too),
        cmocka_unit_test(a_full_system_fails_the_call_and_nothing_else),
        cmocka_unit_test(threads_give_back_blocks_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
