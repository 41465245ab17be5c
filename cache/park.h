/* SPDX-License-Identifier: MIT */
/* park.h: where one thread waits until another releases it: a futex word, no lock, one system call to wake. */
#ifndef CACHE_PARK_H
#define CACHE_PARK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct park {
    _Atomic uint32_t released;
};

void park_init(struct park *park);

/* Sleeps until park_release() was called. What was written before the release is seen after the wait. */
void park_wait(struct park *park);

/* As park_wait(), for at most so many milliseconds, 0 to INT32_MAX. False: it has not been released. */
bool park_wait_for(struct park *park, int64_t wait_ms);

/* Releases the one waiter. The park may be gone, its memory reused, by the time this returns. */
void park_release(struct park *park);

#endif
