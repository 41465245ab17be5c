/* SPDX-License-Identifier: MIT */
/*
 * bulk_call.h: one bulk get, blocking (on a thread of its own) or asynchronous, and what came of it. As call.h for
 * single gets; but whoever starts one also frees it, after it has come to its end.
 */
#ifndef TESTS_BULK_CALL_H
#define TESTS_BULK_CALL_H

#include "call.h"

#define BULK_KEYS_MAX 128

struct bulk_call {
    struct fixture *fixture;
    enum way way;
    size_t count;
    struct sluice_key keys[BULK_KEYS_MAX];
    int64_t timeout_ms;
    struct sluice_load *parent;
    struct errand *errand;
    struct sluice_bulk *handle;
    struct sluice_outcome outcomes[BULK_KEYS_MAX];
    enum sluice_error error; /* that the call returned */
    bool parking_ran;
    atomic_uint ends; /* that came */
};

/* Begins a bulk get of the keys, which are separated by single spaces. An asynchronous one has parked or ended on
 * return. */
struct bulk_call *bulk_start(struct fixture *fixture, enum way way, const char *keys, int64_t timeout_ms);

/* As bulk_start(), on behalf of a load. */
struct bulk_call *bulk_start_for(struct fixture *fixture, enum way way, const char *keys, int64_t timeout_ms,
                                 struct sluice_load *parent);

/* Begins one that is sure to park `waiters` gets, and waits until it has. */
struct bulk_call *bulk_park(struct fixture *fixture, enum way way, const char *keys, size_t waiters);

bool bulk_done(struct bulk_call *bulk);

/* Waits for the end, and checks the outcome of one key. */
void bulk_expect(struct bulk_call *bulk, size_t i, enum sluice_error error, const char *text);

/* It has come to its end, once, or was cancelled; frees it. */
void bulk_free(struct bulk_call *bulk);

#endif
