/* SPDX-License-Identifier: MIT */
/*
 * await.h: waiting for something to come true, with a deadline, where there is no signal to wait on.
 *
 * Yields the processor between looks, never sleeps for a guessed time. The deadline is far away: it is there so that a
 * lost wake-up fails a test instead of hanging it.
 */
#ifndef TESTS_AWAIT_H
#define TESTS_AWAIT_H

#include <stdbool.h>
#include <stdint.h>

#define AWAIT_MS_MAX 20000

/* CLOCK_MONOTONIC in milliseconds. */
int64_t await_now_ms(void);

/* Yields once. False when the deadline, counted from `start_ms`, is over. Any thread. */
bool await_again(int64_t start_ms);

/* How long waits last from now on, those that are under way too: at first AWAIT_MS_MAX. Any thread. */
int64_t await_limit_ms(void);
void await_set_limit_ms(int64_t limit);

/* Waits until `condition` holds; fails the test if it does not in time. For the thread that runs the tests. */
#define AWAIT(condition)                                                                                               \
    do {                                                                                                               \
        for (int64_t await_start_ms = await_now_ms(); !(condition);)                                                   \
            if (!await_again(await_start_ms))                                                                          \
                fail_msg("waited in vain for: %s", #condition);                                                        \
    } while (0)

#endif
