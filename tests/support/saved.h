/* SPDX-License-Identifier: MIT */
/*
 * saved.h: where the tests of saved files have theirs: a scratch directory for the whole program, and a path in it. For
 * the thread that runs the tests; once SAVED_MAIN() has set them up any thread may read them.
 */
#ifndef TESTS_SAVED_H
#define TESTS_SAVED_H

#include "scratch.h"

extern struct scratch saved_scratch;
extern char saved_path[SCRATCH_PATH_MAX]; /* of the file "saved" in it */

int saved_setup(void **state);
int saved_teardown(void **state);

/* Runs the array `tests`, with the directory there. */
#define SAVED_MAIN(tests) return cmocka_run_group_tests(tests, saved_setup, saved_teardown)

#endif
