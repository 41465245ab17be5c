/* SPDX-License-Identifier: MIT */
/* await.c: see await.h. */
#include "await.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t limit_ms = AWAIT_MS_MAX;

int64_t await_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool await_again(int64_t start_ms)
{
    sched_yield();
    return await_now_ms() - start_ms < await_limit_ms();
}

int64_t await_limit_ms(void)
{
    return atomic_load(&limit_ms);
}

void await_set_limit_ms(int64_t limit)
{
    atomic_store(&limit_ms, limit);
}
