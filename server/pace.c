/* SPDX-License-Identifier: MIT */
/* pace.c: once a while. Two threads that come at the same instant race for one exchange; the loser is held back. */
#include "pace.h"

bool pace_pass(struct pace *pace, int64_t now_ms, int64_t interval_ms, uint64_t *held_back)
{
    int64_t next_ms = atomic_load_explicit(&pace->next_ms, memory_order_relaxed);
    if (now_ms < next_ms || !atomic_compare_exchange_strong(&pace->next_ms, &next_ms, now_ms + interval_ms)) {
        atomic_fetch_add_explicit(&pace->held_back, 1, memory_order_relaxed);
        return false;
    }
    *held_back = atomic_exchange_explicit(&pace->held_back, 0, memory_order_relaxed);
    return true;
}
