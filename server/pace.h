/* SPDX-License-Identifier: MIT */
/*
 * pace.h: lets a thing through once a while and counts the rest: for log lines that could come by the thousand.
 * May be used by: the server's files. Any thread.
 */
#ifndef SERVER_PACE_H
#define SERVER_PACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zeroed to begin with. */
struct pace {
    _Atomic int64_t next_ms;
    _Atomic uint64_t held_back;
};

/*
 * Whether to go ahead now, at `now_ms` of any clock that only grows; then the next time is `interval_ms` later, and
 * `*held_back` is how many were not let through since the last one.
 */
bool pace_pass(struct pace *pace, int64_t now_ms, int64_t interval_ms, uint64_t *held_back);

#endif
