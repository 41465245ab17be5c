/* SPDX-License-Identifier: MIT */
/* removals.h: a removal listener that remembers what it was told, in order. Any thread. */
#ifndef TESTS_REMOVALS_H
#define TESTS_REMOVALS_H

#include <sluice/cache.h>

#include <pthread.h>

#define REMOVALS_MAX      4096
#define REMOVALS_TEXT_MAX 31 /* what is kept of a key and of a value */

struct removals {
    pthread_mutex_t lock;
    size_t count;
    size_t expected; /* of those, how many removals_expect() has seen */
    struct removals_one {
        char key[REMOVALS_TEXT_MAX + 1];
        char value[REMOVALS_TEXT_MAX + 1];
        enum sluice_removal_cause cause;
    } told[REMOVALS_MAX];
};

/* Allocates; never NULL. */
struct removals *removals_create(void);
void removals_destroy(struct removals *removals);

/* As an option of a cache. */
struct sluice_listener removals_option(struct removals *removals);

/* The next one that was told, and not expected before, is this one. For the thread that runs the tests. */
void removals_expect(struct removals *removals, const char *key, const char *value, enum sluice_removal_cause cause);

/* One of the next `among` that were told is this one: what leaves together is told in no order that is promised. */
void removals_expect_among(struct removals *removals, size_t among, const char *key, const char *value,
                           enum sluice_removal_cause cause);

/* There is no further one. */
void removals_expect_none(struct removals *removals);

/* What the listener was told that a test of REMOVALS_TEST() finds in the options of its fixture. */
extern struct removals *removals_told;

int removals_setup(void **state);
int removals_teardown(void **state);

#define REMOVALS_TEST(test) cmocka_unit_test_setup_teardown(test, removals_setup, removals_teardown)

#endif
