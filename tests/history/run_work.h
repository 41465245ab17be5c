/* SPDX-License-Identifier: MIT */
/* run_work.h: what the parts of a worker share. For run_*.c alone; see run.h. */
#ifndef TESTS_RUN_WORK_H
#define TESTS_RUN_WORK_H

#include "random.h"
#include "run.h"
#include "slow_loader.h"

/* An asynchronous get; used again once it has come to its end. */
struct call {
    struct run *run;
    struct sluice_wait *wait; /* NULL: not parked */
    uint64_t begin;
    unsigned key;
    unsigned whim; /* what the callback does besides */
    atomic_bool told;
};

/* The keys of a bulk, some of them perhaps twice, with what is written down of each. */
struct keys_call {
    size_t count;
    unsigned numbers[RUN_KEYS_MAX];
    uint64_t begins[RUN_KEYS_MAX];
    struct sluice_key keys[RUN_KEYS_MAX];
    struct run_about about;
};

/* An asynchronous bulk get, likewise. */
struct bulk_call {
    struct run *run;
    struct sluice_bulk *bulk; /* NULL: not parked */
    struct keys_call keys;
    atomic_bool told;
};

struct worker {
    struct run *run;
    struct random random;
    bool patient; /* no get of it has a deadline */
    struct call calls[RUN_CALLS_KEPT];
    struct bulk_call bulks[RUN_BULKS_KEPT];
};

/* A worker that has not begun. Never NULL. */
struct worker *work_create(struct run *run, unsigned number);

/* Waits for the end of all that it has parked, and frees it. */
void work_end(struct worker *worker);

/* Mostly for ever, else up to 4 ms. */
int64_t work_timeout_ms(struct worker *worker);

/* run_get.c: gets of one key. */
void work_get_now(struct run *run, unsigned key, enum record_get how, int64_t timeout_ms);
void work_get_later(struct worker *worker, unsigned key);

/* Whether the call may be used again: told, or cancelled now if that is wished. */
bool work_call_settle(struct call *call, bool cancel);

/* run_bulk.c: gets and refreshes of several. */
void work_bulk_now(struct worker *worker, bool all);
void work_bulk_later(struct worker *worker);
bool work_bulk_settle(struct bulk_call *call, bool cancel);
void work_refresh(struct worker *worker, unsigned key); /* and of more keys sometimes */

/* run_change.c: puts, computations, times to live, loads that are abandoned. run_invalidate.c: invalidations. */
void work_change(struct worker *worker, unsigned key);
void work_compute(struct worker *worker, unsigned key);
void work_invalidate(struct worker *worker, unsigned key);

#endif
