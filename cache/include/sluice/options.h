/* SPDX-License-Identifier: MIT */
/* sluice/options.h: what may be asked of a cache. Part of sluice/cache.h, which is what to include. */
#ifndef SLUICE_OPTIONS_H
#define SLUICE_OPTIONS_H

#include <sluice/loader.h>
#include <sluice/outcome.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A clock to be used instead of CLOCK_MONOTONIC: for tests and simulations. With one, the cache starts no timer thread,
 * since it could not sleep by it: call sluice_cache_tick() after moving the clock.
 */
struct sluice_clock {
    int64_t (*now_ms)(
        void *self); /* never goes back; called from any thread, also under a lock: it calls nothing here */
    void *self;
    /* What a saved file's age is told by: milliseconds since 1970. NULL: CLOCK_REALTIME. Called with no lock held. */
    int64_t (*wall_ms)(void *self);
};

/*
 * Runs what the cache does in the background, which is to call the loader for refreshes, batches and whatever else no
 * get waits for on its thread (sluice/loader.h): run(self, task, arg) must see to it that task(arg) is called once, on
 * any thread, now or later; it can't refuse. Called with no lock held. For a loader that returns early, one that calls
 * task(arg) at once is the best. Called within another load, on its thread, the loader is refused what that one loads
 * (rule 17): who lets it wait for other keys is better served by threads.
 *
 * sluice_cache_destroy() waits for calls of `run` that are under way, and none begins once it has returned. A task may
 * be called later than that: it then calls no loader, and gives back what it holds.
 */
struct sluice_executor {
    void (*run)(void *self, void (*task)(void *arg), void *arg);
    void *self;
};

/* Why a stored value left the cache. */
#define SLUICE_REMOVAL_CAUSES(X)                                                                                       \
    X(SLUICE_REMOVED_EXPLICIT, "explicit") /* invalidated, or the cache was destroyed */                               \
    X(SLUICE_REMOVED_REPLACED, "replaced") /* by a put, or by what a load brought, if only a not-found */              \
    X(SLUICE_REMOVED_EXPIRED, "expired")   /* its time was over */                                                     \
    X(SLUICE_REMOVED_SIZE, "size")         /* the cache was full */

#define SLUICE_REMOVAL_CAUSE_NAME(name, text) name,
enum sluice_removal_cause { SLUICE_REMOVAL_CAUSES(SLUICE_REMOVAL_CAUSE_NAME) };
#undef SLUICE_REMOVAL_CAUSE_NAME

/* The cause in a word. Static. */
SLUICE_API const char *sluice_removal_cause_name(enum sluice_removal_cause cause);

/* A value that has left. Borrowed for the call; sluice_value_ref() to keep the value. */
struct sluice_removal {
    const void *key;
    size_t key_size;
    struct sluice_value *value;
    enum sluice_removal_cause cause;
};

/*
 * Both functions may be NULL, are called with no lock held, may call the cache, and are told of values only: not of
 * not-founds and failures, nor of a value that is renewed.
 *
 * removed: told exactly once of every stored value that leaves, and why (rule 22); twice of one that was stored again
 * after it had left (sluice_load_not_modified()), and has left again. On the thread whose call took the value away (the
 * timer thread for what expires, and for what sluice_invalidate_all() took), after the value is out of the table.
 *
 * evicting: for a second tier. Told at most once of a value that the cache is about to give up by itself, for SIZE or
 * EXPIRED, before `removed` is:
 *   SIZE     Told before the value is out of reach. Other threads are given it until the call returns; it is counted as
 *            stored, but against the maximum no longer, so that nobody evicts more in its place. If it is replaced,
 *            invalidated or expires meanwhile, it leaves for that cause, which is what `removed` is told, once, on the
 *            thread that does so: perhaps before this function is, or while it runs.
 *            A call that evicts has at most eight values leaving at once, and returns when all have left; those whose
 *            load it ends are told before.
 *            What calls of the cache made from within `evicting` evict is told to `removed` alone: else a listener
 *            that puts would go round in circles.
 *   EXPIRED  By time the value is out of reach already. A get that finds it expired tells it on its thread, before it
 *            calls the loader for that key: such a loader can look in the second tier. Of what others find first (the
 *            timer thread, or another get, refresh or put of the key) they tell on their own threads, as soon as they
 *            have released the lock: a get may then call its loader before or while it is told.
 */
struct sluice_listener {
    void (*removed)(void *self, const struct sluice_removal *removal);
    void *self;
    void (*evicting)(void *self, const struct sluice_removal *removal);
};

/*
 * What a value weighs, in place of its bytes. Called once for each value that a load or a put brings, on the thread
 * that brings it, with no lock held and before it is known whether the value will be stored; what it returns is kept
 * with the value, so that it need not return the same twice. A renewed value (sluice_load_not_modified()) keeps its
 * weight. It may call the cache.
 *
 * 0: pinned. The value is never evicted for size, nor counted against the maximum; it still expires, and is invalidated
 * and replaced. How many of those there are is the weigher's to bound. Not-founds and failures have no value to be
 * weighed: each weighs 1.
 */
struct sluice_weigher {
    uint64_t (*weigh)(void *self, const void *key, size_t key_size, const struct sluice_value *value);
    void *self;
};

/* The most that maximum_weight may be: with it the sums of what many threads store at once still fit in 64 bits. */
#define SLUICE_WEIGHT_MAX ((uint64_t)1 << 52)

struct sluice_options {
    struct sluice_loader loader; /* required: load, load_many, or both */

    /* Size: at most one of the two; with neither, a weight of 64 MiB. sluice_cache_set_maximum() changes it later. */
    size_t maximum_entries;        /* 0: not bounded by entries */
    uint64_t maximum_weight;       /* bytes of key, value and SLUICE_ENTRY_OVERHEAD, or what the weigher says; 0: not
                                      bounded by weight; at most SLUICE_WEIGHT_MAX */
    struct sluice_weigher weigher; /* weigh NULL (default): bytes; else maximum_weight must be set */

    /* Time. */
    int64_t expire_after_write_ms;  /* SLUICE_NEVER (default); 0: coalesce only, store nothing (rule 13) */
    int64_t expire_after_access_ms; /* a value that was neither stored nor given for so long expires, if its time to
                                       live is not over before; at least 1; SLUICE_NEVER (default) */
    unsigned expiry_jitter_percent; /* the time to live that a value is stored with, be it its own, is shortened by a
                                       random share up to this, so that what was stored together does not expire
                                       together; 0 (default) to 50 */
    int64_t not_found_ttl_ms;       /* how long a not-found is remembered (rule 6); 0 (default): not at all */
    int64_t failure_backoff_ms;     /* how long a first failure is remembered (rule 5); 0 (default): not at all. Each
                                       failure in a row doubles it; jittered down to three quarters */
    int64_t failure_backoff_max_ms; /* the cap of that; default 60,000 */
    int64_t load_timeout_ms;        /* deadline of a load (rule 8); SLUICE_NEVER (default) */

    /* Reloads and stale values; see "What a get makes of a stored value" at sluice_get(). */
    int64_t refresh_after_write_ms; /* at least 1; SLUICE_NEVER (default) (rule 11) */
    unsigned refresh_early_percent; /* each hit draws whether the value is loaded anew before its time to live is over:
                                       likelier the nearer the end and the longer its load took (XFetch, with this as
                                       beta in percent: 100 begins as much earlier, on average, as the load takes);
                                       never for a value that was put; 0 (default): not at all; at most 10,000 */
    int64_t
        stale_while_revalidate_ms; /* past expiry; 0 (default): not at all; SLUICE_NEVER: without an end (rule 12) */
    int64_t stale_if_error_ms;     /* past expiry, likewise (rule 12) */
    int64_t
        stale_after_wait_ms; /* after so long a get that waits for a load while the old value is within
                                stale_if_error_ms takes that, and the load goes on; the cache's loader is then called
                                in the background, see executor. At least 1; SLUICE_NEVER (default) (rule 12) */

    /* Batching of separate misses, for a loader with load_many (rule 15). */
    int64_t batch_window_ms; /* how long a miss may wait for others; 0 (default): no batching. Also of refreshes. The
                                call is made in the background, see executor */
    size_t batch_size_max;   /* loads in one call of load_many, of bulk gets too; a batch that has as many is called at
                                once; at least 1, default 1,024 */

    bool cancel_unwanted_loads; /* a load whose last waiter leaves: false (default): goes on and is stored; true: is
                                   cancelled, unless it was begun in the background (rule 9) */

    struct sluice_listener listener; /* both NULL (default): nobody is told */
    struct sluice_executor executor; /* run NULL (default): threads of the cache's own, begun when they are needed */
    unsigned background_threads_max; /* of those; 1 to 64, default 4 */

    /* Bounds (rule 10); each at least 1. */
    size_t key_size_max;        /* default 4,096; at most 65,535 */
    size_t value_size_max;      /* default 64 MiB; at most 2 GiB less 1 */
    size_t loads_max;           /* loads at once, those that nobody waits for any more included; default 1,024 */
    size_t waiters_per_key_max; /* parked on one flight, its leader included; default 65,536 */
    size_t waiters_max;         /* parked in all; default 262,144 */

    unsigned shards;           /* a power of two up to 256; 0 (default): chosen */
    bool make_etags;           /* give values that come without an etag one made of their bytes; default false */
    struct sluice_clock clock; /* now_ms NULL (default): CLOCK_MONOTONIC and a timer thread */
};

#define SLUICE_OPTIONS_INIT                                                                                            \
    {                                                                                                                  \
        {NULL, NULL, NULL, NULL}, 0, 0, {NULL, NULL}, SLUICE_NEVER, SLUICE_NEVER, 0, 0, 0, 60000, SLUICE_NEVER,        \
            SLUICE_NEVER, 0, 0, 0, SLUICE_NEVER, 0, 1024, false, {NULL, NULL, NULL}, {NULL, NULL}, 4, 4096,            \
            (size_t)64 << 20, 1024, 65536, 262144, 0, false,                                                           \
        {                                                                                                              \
            NULL, NULL, NULL                                                                                           \
        }                                                                                                              \
    }

/* What an entry weighs over its key and its value: the bytes that the cache itself spends on it. */
#define SLUICE_ENTRY_OVERHEAD 192

/* NULL if the options are valid, else what is wrong with them, in words. Static. */
SLUICE_API const char *sluice_options_fault(const struct sluice_options *options);

#ifdef __cplusplus
}
#endif

#endif
