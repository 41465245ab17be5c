/* SPDX-License-Identifier: MIT */
/*
 * crowd.h: several gets that are parked on one key, blocking and asynchronous ones in turn, in a known order.
 */
#ifndef TESTS_CROWD_H
#define TESTS_CROWD_H

#include "call.h"

#define CROWD_MAX 64

struct crowd {
    size_t count;
    struct call *calls[CROWD_MAX]; /* in the order in which they parked */
};

/* Parks `count` gets of `key` that wait forever, one after the other; the first one is made in the way `first`. */
void crowd_park(struct fixture *fixture, struct crowd *crowd, size_t count, const char *key, enum way first);

/* Waits for all and checks that each got this. */
void crowd_expect(struct crowd *crowd, enum sluice_error error, const char *text);

/* Whether none has an outcome yet. */
bool crowd_all_parked(struct crowd *crowd);

#endif
