/* SPDX-License-Identifier: MIT */
/*
 * courtesy.h: when a worker that has run out of work lets others run before it goes to sleep. May be used by:
 * http_worker.c.
 *
 * Those who send requests often run on the worker's own processor: a service beside its cache, a proxy, the kernel's
 * half of the network. A worker that falls asleep at once is woken for every single request; one that yields first
 * finds several when it looks again, and saves the sleeps and wake-ups between. Where nobody else wants to run, a yield
 * returns within a microsecond.
 *
 * But whoever computes for long on the same processor keeps it for a whole time slice, of milliseconds, once it is
 * yielded to, where a sleeper would have been woken in between. So a yield that took longer than what was found after
 * it is worth is paid for out of a credit, which is earned by the passing of time: 1/32 of the time at most is lost
 * that way. When it is used up, there are no yields until half of what it can hold is earned anew.
 *
 * No clock in here; times are microseconds of any clock that only goes forward.
 */
#ifndef SERVER_COURTESY_H
#define SERVER_COURTESY_H

#include <stdbool.h>
#include <stdint.h>

/* What a yield may take for nothing, and for each request that was answered after it, of this many at most. */
#define COURTESY_FREE_US       200
#define COURTESY_WORTH_US      100
#define COURTESY_WORTH_MAX     32

#define COURTESY_SHARE         32
#define COURTESY_CREDIT_US_MAX 50000

/* Zero at first. */
struct courtesy {
    int64_t credit_us;
    int64_t earned_us; /* up to when it was earned */
    int64_t took_us;   /* the last yield, which is not paid for yet; 0: there is none */
    bool exhausted;
};

/* Whether to yield now, having answered so many requests since it was asked last. */
bool courtesy_is_due(struct courtesy *courtesy, int64_t now_us, unsigned answered);

/* What the yield took. */
void courtesy_took(struct courtesy *courtesy, int64_t took_us);

#endif
