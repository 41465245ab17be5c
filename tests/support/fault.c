/* SPDX-License-Identifier: MIT */
/* fault.c: see fault.h. The linker's --wrap gives these functions their names. */
#include "fault.h"

#include "slab.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define WRAPPED(type, name, parameters)                                                                                \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters

WRAPPED(void *, malloc, (size_t size));
WRAPPED(void *, calloc, (size_t count, size_t size));
WRAPPED(void *, realloc, (void *old, size_t size));
WRAPPED(void *, aligned_alloc, (size_t alignment, size_t size));
WRAPPED(int, posix_memalign, (void **memory, size_t alignment, size_t size));
WRAPPED(char *, strdup, (const char *text));
WRAPPED(char *, strndup, (const char *text, size_t size));
WRAPPED(void, free, (void *memory));
WRAPPED(int, pthread_create, (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg));

/* libsluice's own, which not every program has in it. */
WRAPPED(void *, slab_alloc, (size_t size));
WRAPPED(void, slab_free, (void *block, size_t size));
__attribute__((weak)) void *__real_slab_alloc(size_t size);
__attribute__((weak)) void __real_slab_free(void *block, size_t size);

/* One plan a reach; `left` counts down to the allocation that is refused, 0: not armed, or past it. */
struct plan {
    atomic_size_t left;
    atomic_size_t refused;
    atomic_bool lasting;
    atomic_bool armed;
};

static struct plan everyone;
static _Thread_local struct plan mine;
static _Thread_local struct plan *armed_here;
static atomic_bool threads_refused;

static _Thread_local struct fault_counts counts;
static atomic_size_t frees_of_all;

/* Whether the plan refuses this allocation. */
static bool plan_refuses(struct plan *plan)
{
    if (!atomic_load(&plan->armed))
        return false;
    size_t left = atomic_load(&plan->left);
    while (left > 0 && !atomic_compare_exchange_weak(&plan->left, &left, left - 1))
        ;
    bool refuse = left == 1 || (left == 0 && atomic_load(&plan->lasting));
    if (refuse)
        atomic_fetch_add(&plan->refused, 1);
    return refuse;
}

/* Counts an allocation; false: it is to fail. */
static bool allocation_allowed(void)
{
    counts.allocations++;
    bool refused = plan_refuses(&mine);
    refused = plan_refuses(&everyone) || refused;
    if (refused)
        errno = ENOMEM;
    return !refused;
}

void fault_arm(size_t nth, enum fault_reach reach, bool lasting)
{
    armed_here = reach == FAULT_THIS_THREAD ? &mine : &everyone;
    atomic_store(&armed_here->refused, 0);
    atomic_store(&armed_here->left, nth);
    atomic_store(&armed_here->lasting, lasting);
    atomic_store(&armed_here->armed, true);
}

size_t fault_disarm(void)
{
    atomic_store(&armed_here->armed, false);
    return atomic_load(&armed_here->refused);
}

void fault_refuse_threads(bool refuse)
{
    atomic_store(&threads_refused, refuse);
}

struct fault_counts fault_counts(void)
{
    return counts;
}

size_t fault_frees_of_all(void)
{
    return atomic_load(&frees_of_all);
}

void *__wrap_malloc(size_t size)
{
    return allocation_allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_allowed() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
    return allocation_allowed() ? __real_realloc(old, size) : NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return allocation_allowed() ? __real_aligned_alloc(alignment, size) : NULL;
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    return allocation_allowed() ? __real_posix_memalign(memory, alignment, size) : ENOMEM;
}

char *__wrap_strdup(const char *text)
{
    return allocation_allowed() ? __real_strdup(text) : NULL;
}

char *__wrap_strndup(const char *text, size_t size)
{
    return allocation_allowed() ? __real_strndup(text, size) : NULL;
}

static void count_free(const void *memory)
{
    if (memory == NULL)
        return;
    counts.frees++;
    atomic_fetch_add(&frees_of_all, 1);
}

void __wrap_free(void *memory)
{
    count_free(memory);
    __real_free(memory);
}

/* What goes on to malloc is counted there. */
void *__wrap_slab_alloc(size_t size)
{
    return slab_is_malloc(size) || allocation_allowed() ? __real_slab_alloc(size) : NULL;
}

void __wrap_slab_free(void *block, size_t size)
{
    if (!slab_is_malloc(size))
        count_free(block);
    __real_slab_free(block, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)
{
    if (atomic_load(&threads_refused))
        return EAGAIN;
    return __real_pthread_create(thread, attributes, start, arg);
}
