/* SPDX-License-Identifier: MIT */
/*
 * fault.h: makes memory and threads run out when a test says so, and counts allocations.
 *
 * Link the CMake target sluice_test_fault: its link options send the program's own calls of malloc and its kin, and of
 * pthread_create, through here; those that libc makes for itself are not seen. Nothing is refused until armed.
 */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault_reach { FAULT_THIS_THREAD, FAULT_EVERY_THREAD };

/* Refuses the `nth` allocation from now on (1: the next one), and if `lasting` every later one too. */
void fault_arm(size_t nth, enum fault_reach reach, bool lasting);

/* Ends that; returns how many allocations were refused. Call on the thread that armed. */
size_t fault_disarm(void);

/* Refuses every new thread from now on, or no longer. */
void fault_refuse_threads(bool refuse);

struct fault_counts {
    size_t allocations;
    size_t frees; /* of anything but NULL */
};

/* What this thread has done so far. */
struct fault_counts fault_counts(void);

/* What all threads together have freed so far. Any thread. */
size_t fault_frees_of_all(void);

#endif
