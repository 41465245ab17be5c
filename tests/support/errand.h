/* SPDX-License-Identifier: MIT */
/* errand.h: a function run on a thread of its own, whose end can be waited for with a deadline. */
#ifndef TESTS_ERRAND_H
#define TESTS_ERRAND_H

#include <stdbool.h>
#include <stddef.h>

struct errand;

/* Starts `run(arg)` on a new thread. Never NULL: ends the process if there is no thread to be had. */
struct errand *errand_start(void (*run)(void *arg), void *arg);

/* Waits for it with the deadline of await.h; false if it did not end. Does not join: any number of threads may ask. */
bool errand_ended(struct errand *errand);

/*
 * Whether it has not ended in the time in which one that waits for nothing has: a number of yields. For one that ought
 * to wait until the test goes on: true may be wrong, of one that is only slow, and false is not.
 */
bool errand_waits(const struct errand *errand);

/* How many have not ended; each of their threads is sent `signal`, unless that is 0. Any thread. */
size_t errand_running(int signal);

/* Whether a test is still there to tell its threads to end: one that goes on until it is told asks this, too. */
bool errand_goes_on(void);

/* It is not: it has failed, and the threads are to end by themselves. */
void errand_stop_all(void);

/* Joins and frees. Call only once it has ended or is sure to. */
void errand_join(struct errand *errand);

/* Runs the function on another thread while this one waits; false if it did not end in time (it is then left alone). */
bool errand_run_elsewhere(void (*run)(void *arg), void *arg);

#endif
