/* SPDX-License-Identifier: MIT */
/*
 * sluice/pressure.h: giving memory back while the system, or the program's cgroup, is short of it. Part of
 * sluice/cache.h, which is what to include.
 *
 * For a program that has a signal of its own: sluice_cache_shrink() and sluice_cache_set_share(). For one that has
 * none: a watcher, which waits for the kernel's signals and shrinks the caches that it was given.
 */
#ifndef SLUICE_PRESSURE_H
#define SLUICE_PRESSURE_H

#include <sluice/options.h>
#include <sluice/outcome.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sluice_cache;

/* ---- at once ----------------------------------------------------------------------------------------------------- */

/* What a call chose to evict. */
struct sluice_shrunk {
    uint64_t entries;
    uint64_t weight; /* as sluice_stats counts it */
};

/*
 * Evicts at once, the coldest first, until no more than this share of the maximum is used; 0: all that can be evicted.
 * The maximum stays as it is, so the cache may fill up again: see sluice_cache_set_share(). What is pinned stays, loads
 * in flight are left alone, and the listener is told of each value that leaves, with SLUICE_REMOVED_SIZE, on this
 * thread (rules 19, 22). Evicts in small batches, as sluice_cache_set_maximum() does, and no more than was over the
 * share when it began.
 *
 * The memory goes to the allocator, which may keep it: glibc does, until malloc_trim(0) is called.
 *
 * `*shrunk` may be NULL. Errors: SLUICE_INVALID for more than 100, nothing has changed then. Allocates nothing.
 */
SLUICE_API enum sluice_error sluice_cache_shrink(struct sluice_cache *cache, unsigned share_percent,
                                                 struct sluice_shrunk *shrunk) SLUICE_CHECK_RESULT;

/*
 * The share of its maximum that the cache keeps to, 1 to 100 percent, and a new one; a cache begins with 100. Setting
 * takes effect as with sluice_cache_set_maximum(): stores keep to it at once, and what is over it has been evicted on
 * return. It holds until another one is set, and is a share of whatever the maximum is: sluice_cache_maximum() goes on
 * to tell that, and one that is set meanwhile counts at once, with the same share. No value is refused for it: one that
 * alone is heavier than the share, and not than the maximum, is given to whoever waits for it, and not stored, as with
 * a time to live of 0 (rule 13).
 *
 * `*shrunk`, which may be NULL, is what this call evicted. Errors: SLUICE_INVALID for 0, for more than 100, and while
 * the cache is watched, since the share is the watcher's then; nothing has changed then. Allocates nothing.
 */
SLUICE_API unsigned sluice_cache_share(const struct sluice_cache *cache);
SLUICE_API enum sluice_error sluice_cache_set_share(struct sluice_cache *cache, unsigned share_percent,
                                                    struct sluice_shrunk *shrunk) SLUICE_CHECK_RESULT;

/* ---- watching ---------------------------------------------------------------------------------------------------- */

/*
 * What is watched, either or both:
 *
 *   stall    Pressure stall information (PSI): a trigger in the memory.pressure of the program's own cgroup (version
 *            2), or else in /proc/pressure/memory, which is that of the system. A sign of pressure comes when tasks
 *            stood still for want of memory for stall_ms within window_ms, and then at most once in window_ms. Needs
 *            Linux 5.2; without CAP_SYS_RESOURCE Linux 6.4, and a window of whole 2 seconds.
 *   events   The count "high" in the memory.events of the program's own cgroup: how often it was held back for being
 *            over its memory.high. A sign comes when it has grown. Not in the root cgroup, which has no memory.high.
 *
 * At the first sign each cache keeps to share_percent of its maximum. At each further one, pace_ms after the last step
 * at the soonest, it keeps to that share of what it kept to, down to share_percent_min. When hold_ms have passed
 * without a sign the last of these steps is taken back, after another hold_ms the one before, and so on: what was
 * given up is not loaded again at once. After each step down the freed memory is given back to the system.
 *
 * With the defaults: 50, 25, 12, 10 percent, a second or more apart; and then, half a minute apart, 12, 25, 50, 100.
 */
struct sluice_pressure_options {
    /*
     * Files to watch in place of those above; NULL (default): chosen, "": not watched. stall_path may also name a FIFO,
     * where whatever is written is a sign: by a manager, say, that passes one in MEMORY_PRESSURE_WATCH. Copied.
     */
    const char *stall_path;
    const char *events_path;

    int64_t stall_ms;           /* 1 to window_ms, default 200 */
    int64_t window_ms;          /* 500 to 10,000, default 2,000 */
    unsigned share_percent;     /* 1 to 99, default 50 */
    unsigned share_percent_min; /* 1 to share_percent, default 10 */
    int64_t pace_ms;            /* 1 to 3,600,000, default 1,000 */
    int64_t hold_ms;            /* 1 to 86,400,000, default 30,000 */

    /*
     * Gives the freed memory back to the system: called by the watcher after each step that evicted anything, with no
     * lock held. NULL (default): malloc_trim(0), without which glibc keeps nearly all of it. That goes through all
     * heaps of the program, and has other threads wait for memory meanwhile, the longer the more scattered what was
     * freed is; what shares a page with what stays is not given back. For other allocators: their own way, or a
     * function that does nothing.
     */
    void (*give_back)(void *self);
    void *self;

    struct sluice_clock clock; /* now_ms NULL (default): CLOCK_MONOTONIC and a thread; else as with a cache's clock: no
                                  thread is started, see sluice_pressure_tick(). wall_ms is not used */
};

#define SLUICE_PRESSURE_OPTIONS_INIT                                                                                   \
    {                                                                                                                  \
        NULL, NULL, 200, 2000, 50, 10, 1000, 30000, NULL, NULL,                                                        \
        {                                                                                                              \
            NULL, NULL, NULL                                                                                           \
        }                                                                                                              \
    }

#define SLUICE_PRESSURE_WORDS_SIZE 1024

/* Why a watcher can't be started. */
struct sluice_pressure_fault {
    int system;                             /* errno; 0: an option is wrong, or a file is not one to be watched */
    char words[SLUICE_PRESSURE_WORDS_SIZE]; /* which option, or which file, and the system's words */
};

/* A watcher. */
struct sluice_pressure;

/*
 * Starts a watcher, with a thread of its own unless options->clock is set. A file that is named must be one that can be
 * watched. Of those that are chosen one is enough; sluice_pressure_look() tells which, and why not the other.
 *
 * `options` NULL: the defaults. `*pressure` is the caller's: sluice_pressure_stop(). Errors: SLUICE_INVALID and
 * SLUICE_FILE, of which `*fault` (may be NULL) tells more, and which is untouched otherwise; SLUICE_NO_MEMORY,
 * SLUICE_NO_THREAD.
 */
SLUICE_API enum sluice_error sluice_pressure_start(const struct sluice_pressure_options *options,
                                                   struct sluice_pressure **pressure,
                                                   struct sluice_pressure_fault *fault) SLUICE_CHECK_RESULT;

/*
 * Stops and gives back; joins the thread. The caches that it still watched are let go, as by
 * sluice_pressure_unwatch(). No other call with the watcher may be running or follow. Not from a callback. NULL is
 * allowed.
 */
SLUICE_API void sluice_pressure_stop(struct sluice_pressure *pressure);

/*
 * Has a cache watched: it keeps to the share that pressure leaves, by now (evicted on this thread) and from now on (on
 * the watcher's thread, which also tells its listener). Several caches may have one watcher; they give in turn. Errors:
 * SLUICE_INVALID if the cache is watched already. Allocates nothing.
 */
SLUICE_API enum sluice_error sluice_pressure_watch(struct sluice_pressure *pressure,
                                                   struct sluice_cache *cache) SLUICE_CHECK_RESULT;

/*
 * Lets a cache go: it keeps to its whole maximum again. On return the watcher does nothing with it any more, for which
 * it is waited for, except in a callback that a watcher's thread runs. Nothing if it is not watched.
 * sluice_cache_destroy() does this too; a cache that is closed may be watched or not.
 */
SLUICE_API void sluice_pressure_unwatch(struct sluice_cache *cache);

/*
 * With a clock of the caller's: looks for signs of pressure, does what is due by now, and returns the milliseconds
 * until more is due, or SLUICE_NEVER; signs may come sooner. By one thread at a time. With the watcher's own thread it
 * does nothing and returns SLUICE_NEVER.
 */
SLUICE_API int64_t sluice_pressure_tick(struct sluice_pressure *pressure);

/* What a watcher has seen and done. */
struct sluice_pressure_state {
    unsigned share_percent; /* that the caches keep to now; 100: no pressure */
    uint64_t signs;         /* of pressure, so far */
    uint64_t shrinks;       /* signs that were acted on: steps down, and at share_percent_min */
    uint64_t entries;       /* evicted thereby, from all caches */
    uint64_t weight;        /* of those */
    bool stall_watched;     /* of each file: whether it is watched, and which one, or why not */
    bool events_watched;
    char stall_words[SLUICE_PRESSURE_WORDS_SIZE];
    char events_words[SLUICE_PRESSURE_WORDS_SIZE];
};

SLUICE_API void sluice_pressure_look(struct sluice_pressure *pressure, struct sluice_pressure_state *state);

#ifdef __cplusplus
}
#endif

#endif
