/* SPDX-License-Identifier: MIT */
/*
 * startup.h: starts of sluiced that are to fail: a directory for what they need, the try, and what it said.
 * May be used by: the startup tests of the server. The functions assert.
 */
#ifndef TESTS_SERVER_STARTUP_H
#define TESTS_SERVER_STARTUP_H

#include "process.h"
#include "scratch.h"

struct startup {
    struct scratch scratch;
    struct process_ended ended; /* the latest try */
};

int startup_setup(void **state);
int startup_teardown(void **state);

#define STARTUP_TEST(test) cmocka_unit_test_setup_teardown(test, startup_setup, startup_teardown)

/* Writes the configuration and runs sluiced on it, until it ends by itself. */
void startup_try(struct startup *startup, enum process_user user, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The latest try ended with status 1 and one line of level error, which has this in its reason. It never listened. */
void startup_expect_failure(struct startup *startup, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Somebody whom the permissions of files bind: not root. The scratch directory is opened for him. Where the test runs
 * as root and that user could not run sluiced where it lies, the test is skipped, and says so.
 */
enum process_user startup_user_without_rights(struct startup *startup);

#endif
