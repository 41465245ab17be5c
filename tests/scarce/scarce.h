/* SPDX-License-Identifier: MIT */
/*
 * scarce.h: runs every scenario again and again, each time with another of the library's requests refused (rule 20).
 *
 * A request is an allocation or the start of a thread, made by libsluice; the tests' own are never refused. Each
 * scenario program is linked with this part and does so when SLUICE_SCARCE is set:
 *
 *     SLUICE_SCARCE=N put_test          requests 1 to N of each test one by one, later ones with gaps that grow with
 *                                       their number (a gap of 1/N of it); up to the first that the test does not make
 *     SLUICE_SCARCE_TEST=NAME           only this test ...
 *     SLUICE_SCARCE_AT=5                ... and only this request, with all that is said meanwhile
 *
 * Each case is a process of its own, forked from one that has no threads. A scenario asserts that calls succeed, so
 * with a request refused its assertions may well fail, or what it waits for never come; that alone is no fault. Where
 * it fails, its frames are kept (cmocka would jump out of them, with the cache still pointing there), and the cache is
 * judged from within: all gates are opened and all clocks moved on, and then
 *
 *   - every get comes to its end exactly once, nothing stays parked or in flight, and no thread of the test hangs;
 *   - the sums of rule 23 hold, and each place of a bound (rule 10) has been given back;
 *   - every cache can be destroyed;
 *   - nothing that the library had allocated is lost: it has been freed, or the test still holds it;
 *   - nothing was freed twice, nor written after it was freed or past its end (the sanitizers see more of that).
 *
 * A test that fails inside a callback or loader which the library has called can't be judged, as the call that it sits
 * in can't go on; the last line counts them.
 *
 * memory.c is what the library calls instead of malloc and its kin, judge.c judges, places.c and reach.c help it, run.c
 * forks, waits and reports. This header is for these five.
 */
#ifndef TESTS_SCARCE_H
#define TESTS_SCARCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCARCE_SANITIZED 1
#else
#define SCARCE_SANITIZED 0
#endif

#define SCARCE_FRAMES_MAX 24

/* How a case ends: the exit status of its process. */
enum scarce_verdict { SCARCE_WHOLE, SCARCE_BROKEN, SCARCE_UNJUDGED, SCARCE_FAILED_UNPROVOKED };

/* What the process of a case tells the one that started it. In memory that both see. */
struct scarce_case {
    size_t refuse;          /* the number of the request that is refused; SIZE_MAX: none */
    atomic_size_t requests; /* so far */
    atomic_bool refused;    /* it has been */
    bool failed;            /* the scenario did not come to its end */
    _Atomic(const char *) doing;
    int depth;
    void *frames[SCARCE_FRAMES_MAX]; /* where it was refused */
    int crash_depth;
    void *crash_frames[SCARCE_FRAMES_MAX]; /* where a signal ended the process */
};

extern struct scarce_case *scarce_case; /* NULL: scenarios run as they are */

/* ---- memory.c ---------------------------------------------------------------------------------------------------- */

/* From now on blocks of the library are kept apart, and requests are counted and refused. Before any allocation. */
void scarce_memory_begin(void);

/* Nothing is refused any more. */
void scarce_memory_end(void);

/* Says on stderr what was done to freed blocks and past the ends of others; false if anything was. */
bool scarce_memory_is_sound(void);

/* A block that the library allocated and has not freed. */
struct scarce_block {
    const char *start;
    size_t size;
    size_t number; /* of the request */
    bool reached;
};

/* Lists these by address, `room` at most; returns how many there are. */
size_t scarce_memory_blocks(struct scarce_block *blocks, size_t room);

/* ---- reach.c ----------------------------------------------------------------------------------------------------- */

/* Whether the test still holds, by whatever way, all that is allocated; if not, says on stderr what is lost. Only the
 * calling thread's frames count, and the program's variables and heap. */
bool scarce_reach_all(void);

/* Whether the calling thread is inside a call of the library. */
bool scarce_reach_inside(void);

/* ---- places.c ---------------------------------------------------------------------------------------------------- */

struct sluice_cache;

/* Whether all places of the cache's bounds that are not taken by what is stored are free; if not, and `say`, says on
 * stderr which. */
bool scarce_places_are_back(struct sluice_cache *cache, bool say);

/* ---- judge.c ----------------------------------------------------------------------------------------------------- */

/* Begins to watch over the case's process; `main` is the thread that calls. `teardown` may be NULL. */
void scarce_judge_begin(int (*teardown)(void **state), void **state);

/* The scenario has come to its end, on the thread that began. Ends the process with a verdict. */
_Noreturn void scarce_judge_end(void);

/* It has failed at `where`, on any thread. Ends the process with a verdict, or the thread. */
_Noreturn void scarce_judge_failed(const char *where);

#endif
