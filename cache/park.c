/* SPDX-License-Identifier: MIT */
/* park.c: see park.h. */
#include "park.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void park_init(struct park *park)
{
    atomic_init(&park->released, 0);
}

void park_wait(struct park *park)
{
    /* Wakes for no reason, signals and a release before the sleep all end in another look at the word. */
    while (atomic_load_explicit(&park->released, memory_order_acquire) == 0)
        (void)syscall(SYS_futex, &park->released, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

bool park_wait_for(struct park *park, int64_t wait_ms)
{
    const struct timespec most = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};

    if (atomic_load_explicit(&park->released, memory_order_acquire) == 0)
        (void)syscall(SYS_futex, &park->released, FUTEX_WAIT_PRIVATE, 0, &most, NULL, 0);
    return atomic_load_explicit(&park->released, memory_order_acquire) != 0;
}

void park_release(struct park *park)
{
    /* Once the word is set the waiter may return: from here on only the address is used, which need not be mapped. */
    atomic_store_explicit(&park->released, 1, memory_order_release);
    (void)syscall(SYS_futex, &park->released, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
