/* SPDX-License-Identifier: MIT */
/*
 * sluice/cache.h: a loading cache that coalesces. Concurrent misses of one key park on a single load in flight.
 *
 * Words: a get of a key is a hit (answered from the table) or a miss. The first miss leads: it starts a flight, and the
 * cache calls the loader once for it. Later ones follow: they are coalesced onto the flight and wait. The promises
 * around a load in flight are numbered in docs/contract.md; "rule 3" below means the third of them.
 *
 * Threads: every function may be called from any thread at any time, from callbacks too, unless it says otherwise. No
 * lock is held while a callback or a loader runs (rule 19).
 *
 * Ownership: what comes back through a pointer to a pointer is the caller's, to be given back with the unref or fini
 * that is named; what is returned is borrowed. Out-parameters are untouched on failure, save where noted.
 *
 * Memory: a call that cannot have it returns SLUICE_NO_MEMORY and leaves the cache whole (rule 20).
 *
 * Times are milliseconds; sizes are bytes.
 */
#ifndef SLUICE_CACHE_H
#define SLUICE_CACHE_H

#include <sluice/loader.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SLUICE_CHECK_RESULT __attribute__((warn_unused_result))
#else
#define SLUICE_CHECK_RESULT
#endif

#define SLUICE_VERSION_MAJOR 0
#define SLUICE_VERSION_MINOR 1
#define SLUICE_VERSION_PATCH 0
#define SLUICE_VERSION       "0.1.0"

/* The version of the library at run time, as SLUICE_VERSION. Static. */
SLUICE_API const char *sluice_version(void);

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* Every error and its text, once: the enum and sluice_strerror() are made from this list. */
#define SLUICE_ERRORS(X)                                                                                               \
    X(SLUICE_OK, "ok")                                                                                                 \
    X(SLUICE_PARKED, "parked on a load in flight; the callback will run")                                              \
    X(SLUICE_NOT_FOUND, "the backend has no value for this key")                                                       \
    X(SLUICE_NOT_CACHED, "not cached")                                                                                 \
    X(SLUICE_LOAD_FAILED, "the load failed")                                                                           \
    X(SLUICE_LOAD_TIMED_OUT, "the load ran out of time")                                                               \
    X(SLUICE_LOAD_REFUSED, "the load was refused: a bound in front of the backend is reached")                         \
    X(SLUICE_TIMED_OUT, "the wait ran out of time; the load goes on")                                                  \
    X(SLUICE_TOO_MANY_WAITERS, "too many waiters are parked")                                                          \
    X(SLUICE_TOO_MANY_LOADS, "too many loads are in flight")                                                           \
    X(SLUICE_KEY_SIZE, "the key is empty or larger than the limit")                                                    \
    X(SLUICE_VALUE_TOO_LARGE, "the value is larger than the limit")                                                    \
    X(SLUICE_CLOSED, "the cache is closed")                                                                            \
    X(SLUICE_NO_MEMORY, "out of memory")                                                                               \
    X(SLUICE_NO_THREAD, "the system refused a thread")                                                                 \
    X(SLUICE_INVALID, "an argument or an option is not valid")

#define SLUICE_ERROR_NAME(name, text) name,
enum sluice_error { SLUICE_ERRORS(SLUICE_ERROR_NAME) };
#undef SLUICE_ERROR_NAME

/* The error in words. Static; never NULL. */
SLUICE_API const char *sluice_strerror(enum sluice_error error);

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Immutable bytes behind an atomic count. Any thread may read, ref and unref; a value outlives the cache if it must. */
struct sluice_value;

SLUICE_API const void *sluice_value_data(const struct sluice_value *value); /* never NULL; a NUL stands past the end */
SLUICE_API size_t sluice_value_size(const struct sluice_value *value);
SLUICE_API const char *sluice_value_content_type(const struct sluice_value *value); /* or NULL */
SLUICE_API const char *sluice_value_etag(const struct sluice_value *value);         /* quoted, or NULL */

/* Takes one more reference; returns `value`. */
SLUICE_API struct sluice_value *sluice_value_ref(struct sluice_value *value);

/* Gives one reference back. NULL is allowed. */
SLUICE_API void sluice_value_unref(struct sluice_value *value);

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

/* How a get came by its outcome. */
enum sluice_source {
    SLUICE_SOURCE_HIT,       /* from the table: a value, a remembered not-found, or a remembered failure */
    SLUICE_SOURCE_LOAD,      /* this get led the flight */
    SLUICE_SOURCE_COALESCED, /* this get followed one */
    SLUICE_SOURCE_NONE       /* refused before any of these */
};

/*
 * What a get came to. `error` says which:
 *   SLUICE_OK                value is set
 *   SLUICE_LOAD_FAILED, SLUICE_LOAD_REFUSED, SLUICE_LOAD_TIMED_OUT, SLUICE_NO_MEMORY, SLUICE_VALUE_TOO_LARGE
 *                            of the load; reason may be set
 *   all others               neither is set
 */
struct sluice_outcome {
    enum sluice_error error;
    enum sluice_source source;
    struct sluice_value *value;  /* the value, or NULL */
    struct sluice_value *reason; /* why the load failed, as text, or NULL */
    int64_t age_ms;              /* since the value (or not-found, or failure) was stored or loaded */
    int64_t ttl_ms;              /* what is left of its time to live; SLUICE_NEVER: it does not expire */
    bool stored;                 /* whether it is in the table as far as this get knows */
};

#define SLUICE_OUTCOME_INIT                                                                                            \
    {                                                                                                                  \
        SLUICE_OK, SLUICE_SOURCE_NONE, NULL, NULL, 0, SLUICE_NEVER, false                                              \
    }

/* Why, in words: the loader's reason, or else sluice_strerror(). Lives as long as the outcome. Never NULL. */
SLUICE_API const char *sluice_outcome_reason(const struct sluice_outcome *outcome);

/* Gives back the references that an outcome holds, and empties it. */
SLUICE_API void sluice_outcome_fini(struct sluice_outcome *outcome);

/* ---- options ----------------------------------------------------------------------------------------------------- */

/*
 * A clock to be used instead of CLOCK_MONOTONIC: for tests and simulations. With one, the cache starts no timer thread,
 * since it could not sleep by it: call sluice_cache_tick() after moving the clock.
 */
struct sluice_clock {
    int64_t (*now_ms)(
        void *self); /* never goes back; called from any thread, also under a lock: it calls nothing here */
    void *self;
};

struct sluice_options {
    struct sluice_loader loader; /* required */

    /* Size: at most one of the two; with neither, a weight of 64 MiB. */
    size_t maximum_entries;  /* 0: not bounded by entries */
    uint64_t maximum_weight; /* bytes of key, value and SLUICE_ENTRY_OVERHEAD; 0: not bounded by weight */

    /* Time. */
    int64_t expire_after_write_ms;  /* SLUICE_NEVER (default); 0: coalesce only, store nothing (rule 13) */
    int64_t not_found_ttl_ms;       /* how long a not-found is remembered (rule 6); 0 (default): not at all */
    int64_t failure_backoff_ms;     /* how long a first failure is remembered (rule 5); 0 (default): not at all. Each
                                       failure in a row doubles it; jittered down to three quarters */
    int64_t failure_backoff_max_ms; /* the cap of that; default 60,000 */
    int64_t load_timeout_ms;        /* deadline of a load (rule 8); SLUICE_NEVER (default) */

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
        {NULL, NULL}, 0, 0, SLUICE_NEVER, 0, 0, 60000, SLUICE_NEVER, 4096, (size_t)64 << 20, 1024, 65536, 262144, 0,   \
            false,                                                                                                     \
        {                                                                                                              \
            NULL, NULL                                                                                                 \
        }                                                                                                              \
    }

/* What an entry weighs over its key and its value: the bytes that the cache itself spends on it. */
#define SLUICE_ENTRY_OVERHEAD 192

/* NULL if the options are valid, else what is wrong with them, in words. Static. */
SLUICE_API const char *sluice_options_fault(const struct sluice_options *options);

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct sluice_cache;

/*
 * Makes a cache. Starts one timer thread (unless options->clock is set), which runs deadlines, the callbacks of waits
 * that time out, and the reclaiming of expired entries. Errors: SLUICE_INVALID (sluice_options_fault() says why),
 * SLUICE_NO_MEMORY, SLUICE_NO_THREAD. `options` is copied.
 */
SLUICE_API enum sluice_error sluice_cache_create(const struct sluice_options *options,
                                                 struct sluice_cache **cache) SLUICE_CHECK_RESULT;

/*
 * Closes the cache: every parked waiter gets SLUICE_CLOSED, on this thread; every later get and put is refused with it,
 * while one can still look, invalidate and destroy. Loads that are running go on, their results are dropped (rule 18).
 * May be called twice.
 */
SLUICE_API void sluice_cache_close(struct sluice_cache *cache);

/*
 * Closes the cache and gives it back; joins the timer thread. No other call with this cache may be running or follow,
 * except: gets that are parked (they return SLUICE_CLOSED), loads that are still to be ended, and sluice_wait_cancel()
 * and sluice_wait_unref(). Not from a callback. NULL is allowed.
 */
SLUICE_API void sluice_cache_destroy(struct sluice_cache *cache);

/*
 * With a clock of the caller's: does all that is due by now (deadlines of waits and loads, with their callbacks on this
 * thread; expired and cleared entries give their memory back) and returns the milliseconds until more is due, or
 * SLUICE_NEVER. Harmless, and not needed, with the cache's own clock.
 */
SLUICE_API int64_t sluice_cache_tick(struct sluice_cache *cache);

/* ---- get --------------------------------------------------------------------------------------------------------- */

#define SLUICE_WAIT_FOREVER SLUICE_NEVER

/*
 * Gives the value of `key`: from the table, or by waiting for a load in flight, or by leading one. The leader calls the
 * loader on its own thread, as Guava does, and waits if the loader has not ended the load on return.
 *
 * timeout_ms bounds the wait (rule 7): 0 does not wait, SLUICE_WAIT_FOREVER does without an end. The load goes on when
 * a waiter leaves. A leader's time counts from when its loader returned: it can't leave while it is the one who loads.
 *
 * On SLUICE_OK `*value` is the caller's: sluice_value_unref(). Errors: those of struct sluice_outcome, and
 * SLUICE_TIMED_OUT, SLUICE_TOO_MANY_WAITERS, SLUICE_TOO_MANY_LOADS, SLUICE_KEY_SIZE, SLUICE_CLOSED, SLUICE_NO_MEMORY.
 * Keeps rules 1, 2, 3, 5, 7, 10.
 */
SLUICE_API enum sluice_error sluice_get(struct sluice_cache *cache, const void *key, size_t key_size,
                                        int64_t timeout_ms, struct sluice_value **value) SLUICE_CHECK_RESULT;

/*
 * As sluice_get(), with all there is to know. `*outcome` is set whatever comes, its error is also returned, and it is
 * the caller's: sluice_outcome_fini().
 */
SLUICE_API enum sluice_error sluice_get_outcome(struct sluice_cache *cache, const void *key, size_t key_size,
                                                int64_t timeout_ms, struct sluice_outcome *outcome) SLUICE_CHECK_RESULT;

/*
 * What is in the table, without loading or waiting: SLUICE_OK, a remembered SLUICE_NOT_FOUND or failure, or
 * SLUICE_NOT_CACHED. Counts as a hit or a miss. `*outcome` as for sluice_get_outcome().
 */
SLUICE_API enum sluice_error sluice_get_if_present(struct sluice_cache *cache, const void *key, size_t key_size,
                                                   struct sluice_outcome *outcome) SLUICE_CHECK_RESULT;

/*
 * Called once with the outcome of an asynchronous get, with no lock held, on the thread that ends the wait: the one
 * that ends the load, puts, or closes the cache; the timer thread (or the one in sluice_cache_tick()) for a deadline.
 * The outcome is borrowed for the call: sluice_value_ref() what is to be kept.
 */
typedef void sluice_callback(void *arg, const struct sluice_outcome *outcome);

/* An asynchronous get. Zero it, then fill it in; it is read during the call only. */
struct sluice_async_get {
    const void *key;
    size_t key_size;
    int64_t timeout_ms; /* as for sluice_get(), and with no exception for the leader */
    sluice_callback *callback;
    /*
     * Optional. Called on this thread, with no lock held, once it is known that the answer is not in the table and
     * before `callback` can run on any other thread: the place to make ready for being resumed. The get may still be
     * answered at once afterwards.
     */
    void (*parking)(void *arg);
    void *arg; /* for both */
};

/* A parked asynchronous get. */
struct sluice_wait;

/*
 * Answers at once or parks a callback; holds no thread. Returns
 *   SLUICE_PARKED   the callback will run once, perhaps before this call returns (rule 19); `*outcome` is untouched
 *   anything else   the outcome, at once; `*outcome` is set and the caller's, and the callback does not run
 * With `wait` not NULL, `*wait` is then a reference of the caller's: sluice_wait_unref(). Not parked, it is NULL.
 * A get that leads calls the loader on this thread before it returns: use a loader that returns early.
 */
SLUICE_API enum sluice_error sluice_get_async(struct sluice_cache *cache, const struct sluice_async_get *get,
                                              struct sluice_outcome *outcome,
                                              struct sluice_wait **wait) SLUICE_CHECK_RESULT;

/*
 * Leaves the flight (rule 7): the load goes on, the others don't notice. True: the wait was cancelled by this call and
 * its callback will never run. False: the callback has run, is running, or is about to, or it was cancelled before.
 */
SLUICE_API bool sluice_wait_cancel(struct sluice_wait *wait);

/* Gives the handle back; does not cancel. NULL is allowed. Also after the cache was destroyed. */
SLUICE_API void sluice_wait_unref(struct sluice_wait *wait);

/* ---- change ------------------------------------------------------------------------------------------------------ */

/*
 * Stores a value. A load in flight for the key is overtaken: its waiters get this value now, its own result is dropped
 * when it comes (rule 4). With ttl_ms 0 nothing is stored and what was there is gone. Errors: SLUICE_KEY_SIZE,
 * SLUICE_VALUE_TOO_LARGE (also: heavier than the whole cache), SLUICE_INVALID (an over-long content type or etag),
 * SLUICE_CLOSED, SLUICE_NO_MEMORY; after any of them the key is as it was.
 */
SLUICE_API enum sluice_error sluice_put(struct sluice_cache *cache, const void *key, size_t key_size,
                                        const struct sluice_content *content) SLUICE_CHECK_RESULT;

/* What an invalidation took away. */
struct sluice_invalidated {
    size_t entries; /* stored entries (values, remembered not-founds and failures) that went, expired ones included */
    size_t loads;   /* loads in flight that were detached */
};

struct sluice_key {
    const void *data;
    size_t size;
};

/*
 * Invalidation is final (rule 3): no get that begins after the return is given a value that was put, or whose load
 * began, before the call. Returns at once, never waits for a load: a load in flight is detached; its waiters still get
 * its outcome, nothing is stored, the next get starts a new flight. `gone` is set, and may be NULL. Never fails.
 */
SLUICE_API void sluice_invalidate(struct sluice_cache *cache, const void *key, size_t key_size,
                                  struct sluice_invalidated *gone);
SLUICE_API void sluice_invalidate_keys(struct sluice_cache *cache, const struct sluice_key *keys, size_t count,
                                       struct sluice_invalidated *gone);

/*
 * Every key that begins with `prefix`; an empty prefix is every key. Looks at each entry, one shard at a time: other
 * callers of a shard wait while it is looked through.
 */
SLUICE_API void sluice_invalidate_prefix(struct sluice_cache *cache, const void *prefix, size_t prefix_size,
                                         struct sluice_invalidated *gone);

/*
 * Every key (rule 16). Costs a step for each shard and each load in flight, none for an entry: the memory of the
 * entries is given back by the timer thread.
 */
SLUICE_API void sluice_invalidate_all(struct sluice_cache *cache, struct sluice_invalidated *gone);

/* ---- look -------------------------------------------------------------------------------------------------------- */

/*
 * Every counter, its description, and whether it is a total that only grows or a level of the moment: the struct, the
 * metrics and their help are made from this list. The totals add up (rule 23):
 *     gets = hits + misses
 *     loads = loads_completed + loads_failed + loads_not_found + loads_dropped + loads_in_flight
 */
#define SLUICE_STATS(TOTAL, LEVEL)                                                                                     \
    TOTAL(gets, "Gets of all kinds")                                                                                   \
    TOTAL(hits, "Gets answered from the table, remembered not-founds and failures included")                           \
    TOTAL(misses, "Gets that were not")                                                                                \
    TOTAL(coalesced, "Misses that joined a load in flight")                                                            \
    TOTAL(refused, "Misses refused because a bound was reached")                                                       \
    TOTAL(waits_timed_out, "Waits that ran out of time")                                                               \
    TOTAL(waits_cancelled, "Waits that were cancelled")                                                                \
    TOTAL(loads, "Loads started")                                                                                      \
    TOTAL(loads_completed, "Loads that brought a value")                                                               \
    TOTAL(loads_failed, "Loads that failed, were refused by the loader, or brought what could not be taken")           \
    TOTAL(loads_refused, "Of the failed loads, those refused because a bound before the backend was reached")          \
    TOTAL(loads_not_found, "Loads that found no value")                                                                \
    TOTAL(loads_dropped, "Loads whose result came too late: after a put, the deadline, or the close")                  \
    TOTAL(loads_timed_out, "Loads that ran over their deadline; they are counted again when they end")                 \
    TOTAL(loads_detached, "Loads in flight that an invalidation detached")                                             \
    TOTAL(load_time_ms, "Time from start to end of all ended loads, in milliseconds")                                  \
    TOTAL(puts, "Values stored by put")                                                                                \
    TOTAL(evicted, "Entries that left because the cache was full")                                                     \
    TOTAL(expired, "Entries that left because their time to live was over")                                            \
    TOTAL(invalidated, "Entries that left by invalidation")                                                            \
    LEVEL(loads_in_flight, "Loads that have started and not ended")                                                    \
    LEVEL(waiters, "Gets parked on loads in flight")                                                                   \
    LEVEL(entries, "Entries stored")                                                                                   \
    LEVEL(weight, "Bytes of the entries stored: key, value and overhead")

#define SLUICE_STATS_FIELD(name, text) uint64_t name;
struct sluice_stats {
    SLUICE_STATS(SLUICE_STATS_FIELD, SLUICE_STATS_FIELD)
};
#undef SLUICE_STATS_FIELD

/* Sums up the shards, each as it is at one instant: the sums of rule 23 hold at every call. */
SLUICE_API void sluice_cache_stats(struct sluice_cache *cache, struct sluice_stats *stats);

/* A stored entry. Borrowed for the visit; sluice_value_ref() to keep the value. */
struct sluice_entry_view {
    const void *key;
    size_t key_size;
    enum sluice_error error;    /* SLUICE_OK, or what is remembered: SLUICE_NOT_FOUND or a failure */
    struct sluice_value *value; /* or NULL */
    int64_t age_ms;
    int64_t ttl_ms; /* SLUICE_NEVER: does not expire */
};

/*
 * Visits a snapshot of the entries: each shard as it is at one instant, one shard after the other, with no lock held
 * during a visit; needs the memory for one shard's keys. Expired entries are left out. `visit` returns false to stop.
 * Errors: SLUICE_NO_MEMORY (some shards may have been visited).
 */
SLUICE_API enum sluice_error sluice_cache_for_each(struct sluice_cache *cache,
                                                   bool (*visit)(void *arg, const struct sluice_entry_view *entry),
                                                   void *arg) SLUICE_CHECK_RESULT;

/* Where a load in flight stands. */
#define SLUICE_FLIGHT_STATES(X)                                                                                        \
    X(SLUICE_FLIGHT_CURRENT, "current")   /* gets of its key join it */                                                \
    X(SLUICE_FLIGHT_DETACHED, "detached") /* invalidated: only those already parked get its outcome */                 \
    X(SLUICE_FLIGHT_OVER, "over")         /* nobody waits or can join; the backend call has not ended yet */

#define SLUICE_FLIGHT_STATE_NAME(name, text) name,
enum sluice_flight_state { SLUICE_FLIGHT_STATES(SLUICE_FLIGHT_STATE_NAME) };
#undef SLUICE_FLIGHT_STATE_NAME

/* The state in a word. Static. */
SLUICE_API const char *sluice_flight_state_name(enum sluice_flight_state state);

/* A load in flight. Borrowed for the visit. */
struct sluice_flight_view {
    const void *key;
    size_t key_size;
    int64_t age_ms; /* since the load began */
    size_t waiters; /* parked on it now, the leader included */
    enum sluice_flight_state state;
};

/* Visits the loads in flight, as sluice_cache_for_each() does the entries. */
SLUICE_API enum sluice_error sluice_cache_for_each_flight(struct sluice_cache *cache,
                                                          bool (*visit)(void *arg,
                                                                        const struct sluice_flight_view *flight),
                                                          void *arg) SLUICE_CHECK_RESULT;

#ifdef __cplusplus
}
#endif

#endif
