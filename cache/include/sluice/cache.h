/* SPDX-License-Identifier: MIT */
/*
 * sluice/cache.h: a loading cache that coalesces. Concurrent misses of one key park on a single load in flight.
 *
 * Words: a get of a key is a hit (answered from the table) or a miss. The first miss leads: it starts a flight, and the
 * cache calls the loader once for it. Later ones follow: they are coalesced onto the flight and wait. The promises
 * around a load in flight are numbered in docs/contract.md; "rule 3" below means the third of them.
 *
 * Threads: every function may be called from any thread at any time, from callbacks too, unless it says otherwise. No
 * lock is held while a callback or a loader runs (rule 19). Which threads call the loader, sluice/loader.h says:
 * besides gets that lead and the background, also one that ends a load, in place of others that may be waiting. A
 * callback, `unwanted` and the listener may wait on the timer thread, too: it goes on running deadlines then, up to 10
 * ms late and with 16 such waits inside each other; one further inside does not wait, as with timeout_ms 0. In
 * sluice_cache_tick(), with a clock of the caller's, it is his to see to it that the clock goes on.
 *
 * Ownership: what comes back through a pointer to a pointer is the caller's, to be given back with the unref or fini
 * that is named; what is returned is borrowed. Out-parameters are untouched on failure, save where noted.
 *
 * Memory: a call that cannot have it returns SLUICE_NO_MEMORY and leaves the cache whole (rule 20). Keys and
 * values of up to 8 KiB are in memory of the library's own, for all caches of the process; larger values and all else
 * are malloc's. What expires or is invalidated at once goes back in small steps: to the system in pieces of 2 MiB,
 * whose addresses are kept.
 *
 * Times are milliseconds; sizes are bytes.
 */
#ifndef SLUICE_CACHE_H
#define SLUICE_CACHE_H

#include <sluice/loader.h>
#include <sluice/look.h>
#include <sluice/options.h>
#include <sluice/outcome.h>
#include <sluice/pressure.h>
#include <sluice/save.h>
#include <sluice/spec.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_VERSION_MAJOR 0
#define SLUICE_VERSION_MINOR 1
#define SLUICE_VERSION_PATCH 0
#define SLUICE_VERSION       "0.1.0"

/* The version of the library at run time, as SLUICE_VERSION. Static. */
SLUICE_API const char *sluice_version(void);

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
 * Closes the cache and gives it back; joins the timer thread and, if they run, the background threads, and so waits for
 * the loader to return from calls that it made on them. Of an executor it waits for the calls that are under way; none
 * begins after that. Values that are still stored leave as explicit removals. No other call with this cache may be
 * running or follow, except: gets that are parked (they return SLUICE_CLOSED), loads that are still to be ended, and
 * sluice_wait_cancel() and sluice_wait_unref(). Not from a callback, a loader or an executor. NULL is allowed.
 */
SLUICE_API void sluice_cache_destroy(struct sluice_cache *cache);

/*
 * With a clock of the caller's: does all that is due by now (deadlines of waits and loads, with their callbacks on this
 * thread; expired and cleared entries give their memory back) and returns the milliseconds until more is due, or
 * SLUICE_NEVER. Harmless, and not needed, with the cache's own clock.
 */
SLUICE_API int64_t sluice_cache_tick(struct sluice_cache *cache);

/*
 * The maximum that the cache keeps to now, and a new one: entries or weight, as the cache was made. Setting takes
 * effect at once: stores on any thread keep to the new maximum, and what is over it is evicted on this thread before
 * the call returns, in small batches between which the locks are free, so that no other call waits for more than one
 * batch. On return the cache is within the maximum, but for what other calls are storing. Errors: SLUICE_INVALID for 0,
 * and for a weight over SLUICE_WEIGHT_MAX; nothing has changed then.
 */
SLUICE_API uint64_t sluice_cache_maximum(const struct sluice_cache *cache);
SLUICE_API enum sluice_error sluice_cache_set_maximum(struct sluice_cache *cache, uint64_t maximum) SLUICE_CHECK_RESULT;

/* ---- get --------------------------------------------------------------------------------------------------------- */

#define SLUICE_WAIT_FOREVER SLUICE_NEVER

/*
 * What a get makes of a stored value, by the time since it was stored or renewed:
 *   past its refresh time   it is given, and one load is started in the background, if none is on (rule 11)
 *   past its expiry, within stale_while_revalidate_ms
 *                           likewise, and it is marked as stale (rule 12)
 *   past that, within stale_if_error_ms
 *                           the get waits for a load, and is given the old value, marked as stale, if that load fails,
 *                           or after stale_after_wait_ms; at once while the back-off after a failed load runs
 *   past all that           it is gone
 * A value expires when its time to live is over, or, if that is sooner, expire_after_access_ms after it was last stored
 * or given while it was fresh, be it by sluice_get_if_present(). A snapshot does not count, nor does a stale hit.
 *
 * A failed load keeps the old value, and none is started for it until the back-off is over: failure_backoff_ms, or one
 * second where that is 0, growing likewise with each failure in a row. A load that brings a value, or finds that there
 * is none, replaces it. A load in the background that can't be started, for a bound or for want of memory, is tried
 * again by the next get.
 *
 * Not-founds and failures are given until their own time to live is over, and not reloaded before.
 */

/*
 * Gives the value of `key`: from the table, or by waiting for a load in flight, or by leading one. The leader calls the
 * loader on its own thread, as Guava does, and waits if the loader has not ended the load on return.
 *
 * timeout_ms bounds the wait (rule 7): 0 does not wait, SLUICE_WAIT_FOREVER does without an end. The load goes on when
 * a waiter leaves. A leader's time counts from when its loader returned: it can't leave while it is the one who loads.
 *
 * On SLUICE_OK `*value` is the caller's: sluice_value_unref(). Errors: those of struct sluice_outcome, and
 * SLUICE_TIMED_OUT, SLUICE_TOO_MANY_WAITERS, SLUICE_TOO_MANY_LOADS, SLUICE_CIRCULAR, SLUICE_KEY_SIZE, SLUICE_CLOSED,
 * SLUICE_NO_MEMORY. Keeps rules 1, 2, 3, 5, 7, 10, 17.
 */
SLUICE_API enum sluice_error sluice_get(struct sluice_cache *cache, const void *key, size_t key_size,
                                        int64_t timeout_ms, struct sluice_value **value) SLUICE_CHECK_RESULT;

/*
 * As sluice_get(), with all there is to know. `*outcome` is set whatever comes, its error is also returned, and it is
 * the caller's: sluice_outcome_fini().
 */
SLUICE_API enum sluice_error sluice_get_outcome(struct sluice_cache *cache, const void *key, size_t key_size,
                                                int64_t timeout_ms, struct sluice_outcome *outcome) SLUICE_CHECK_RESULT;

/* A get that needs more than a key and a time. Zero it, then fill it in; it is read during the call only. */
struct sluice_request {
    const void *key;
    size_t key_size;
    int64_t timeout_ms; /* as for sluice_get(); zeroed: it does not wait */
    /*
     * Loads if this get leads, instead of the cache's own loader; NULL: the cache's. Copied; its `self` must live until
     * the load is ended. Those who follow get what it brings. What is stored is reloaded by the cache's own loader.
     */
    const struct sluice_loader *loader;
    /*
     * The load on whose behalf this get is made, which has not been ended; NULL: none, or for a blocking get within a
     * loader, on its thread, that loader's; within a callback or a listener also a load that its thread has begun and
     * is about to have called. If it would wait for itself, directly or in a circle through the gets of
     * other loads, of this cache or others, blocking or not, the get is refused with SLUICE_CIRCULAR (rule 17).
     */
    struct sluice_load *parent;
};

/* As sluice_get_outcome(). */
SLUICE_API enum sluice_error sluice_get_request(struct sluice_cache *cache, const struct sluice_request *request,
                                                struct sluice_outcome *outcome) SLUICE_CHECK_RESULT;

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
    int64_t timeout_ms; /* as for sluice_get(), zeroed: it does not wait; with no exception for the leader */
    const struct sluice_loader *loader; /* as in struct sluice_request */
    struct sluice_load *parent;         /* likewise; NULL: none, also within a loader, since nothing waits there */
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

/* ---- bulk get -----------------------------------------------------------------------------------------------------
 */

/*
 * Gets `count` keys at once (rule 14): joins the loads in flight, starts those that are missing, in one call of
 * load_many where the loader has it, else one after the other, on this thread; and only then waits. Keys may repeat.
 * timeout_ms as for sluice_get(): of a caller that loads it counts from when its loader returned.
 *
 * outcomes[i] is that of keys[i], whatever comes, and the caller's: sluice_outcome_fini(). Each key is a get of its
 * own, with its own outcome and its own place in the counters and bounds. Returns SLUICE_OK, or SLUICE_NO_MEMORY if
 * nothing could be begun, which is then each outcome's error.
 */
SLUICE_API enum sluice_error sluice_get_many(struct sluice_cache *cache, const struct sluice_key *keys, size_t count,
                                             int64_t timeout_ms, struct sluice_outcome *outcomes) SLUICE_CHECK_RESULT;

/* As sluice_get_if_present() for each key, outcomes[i] for keys[i]. */
SLUICE_API void sluice_get_many_if_present(struct sluice_cache *cache, const struct sluice_key *keys, size_t count,
                                           struct sluice_outcome *outcomes);

/*
 * Called once with the outcomes of an asynchronous bulk get, when the last one has come, on the thread that brought it,
 * as a sluice_callback. They are borrowed for the call.
 */
typedef void sluice_bulk_callback(void *arg, const struct sluice_outcome *outcomes, size_t count);

/* A bulk get with all there is to say. Zero it, then fill it in; it is read during the call only. */
struct sluice_bulk_request {
    const struct sluice_key *keys;
    size_t count;
    int64_t timeout_ms;                 /* as in struct sluice_request */
    const struct sluice_loader *loader; /* likewise */
    struct sluice_load *parent;         /* likewise */
    /* For sluice_get_many_async(), with the meaning that they have in struct sluice_async_get: */
    sluice_bulk_callback *callback;
    void (*parking)(void *arg);
    void *arg;
};

/* As sluice_get_many(). */
SLUICE_API enum sluice_error sluice_get_many_request(struct sluice_cache *cache,
                                                     const struct sluice_bulk_request *request,
                                                     struct sluice_outcome *outcomes) SLUICE_CHECK_RESULT;

/* An asynchronous bulk get that has parked. */
struct sluice_bulk;

/*
 * Answers at once or parks a callback; holds no thread, but calls the loader for what it leads, on this thread, before
 * it returns. Returns SLUICE_PARKED      the callback will run once, perhaps before this call returns; `outcomes` is
 * untouched SLUICE_OK          `outcomes` is set and the caller's, and the callback does not run: all were hits, or the
 * loader ended its loads before it returned SLUICE_NO_MEMORY   likewise, with that error in each With `bulk` not NULL,
 * `*bulk` is then a reference of the caller's: sluice_bulk_unref(). Not parked, it is NULL.
 */
SLUICE_API enum sluice_error sluice_get_many_async(struct sluice_cache *cache,
                                                   const struct sluice_bulk_request *request,
                                                   struct sluice_outcome *outcomes,
                                                   struct sluice_bulk **bulk) SLUICE_CHECK_RESULT;

/* Leaves all flights that it still waits for. As sluice_wait_cancel(): true if its callback will never run. */
SLUICE_API bool sluice_bulk_cancel(struct sluice_bulk *bulk);

/* Gives the handle back; does not cancel. NULL is allowed. Also after the cache was destroyed. */
SLUICE_API void sluice_bulk_unref(struct sluice_bulk *bulk);

/* ---- change ------------------------------------------------------------------------------------------------------ */

/*
 * Stores a value. A load in flight for the key is overtaken: its waiters get this value now, its own result is dropped
 * when it comes (rule 4). With ttl_ms 0 nothing is stored and what was there is gone. Errors: SLUICE_KEY_SIZE,
 * SLUICE_VALUE_TOO_LARGE (also: heavier than the maximum), SLUICE_INVALID (a content type, etag, tag or time that is
 * not as struct sluice_content says), SLUICE_CLOSED, SLUICE_NO_MEMORY; after any of them the key is as it was.
 */
SLUICE_API enum sluice_error sluice_put(struct sluice_cache *cache, const void *key, size_t key_size,
                                        const struct sluice_content *content) SLUICE_CHECK_RESULT;

/* When a put is to store. Present is a value that a get is given without waiting, and that is not stale. */
enum sluice_condition {
    SLUICE_IF_ABSENT,  /* nothing is present; a load in flight is overtaken */
    SLUICE_IF_PRESENT, /* something is */
    SLUICE_IF_SAME     /* what is present is the very value `expected`, not only an equal one */
};

/*
 * As sluice_put(), if the condition holds, in one step with looking. Else SLUICE_UNCHANGED; then with `present` not
 * NULL, *present is what is there, as sluice_get_if_present() would set it but not counted as a get, and the caller's.
 * `expected` is for SLUICE_IF_SAME and borrowed.
 */
SLUICE_API enum sluice_error sluice_put_if(struct sluice_cache *cache, const void *key, size_t key_size,
                                           const struct sluice_content *content, enum sluice_condition condition,
                                           const struct sluice_value *expected,
                                           struct sluice_outcome *present) SLUICE_CHECK_RESULT;

/*
 * Changes one key by a function of what is stored: `compute` is called as a loader, on this thread, and finds that with
 * sluice_load_old_value(). It ends its load with a new value, with sluice_load_not_found() to take the value away, with
 * sluice_load_not_modified() to renew it, or fails, and what is stored stays as it was. It runs alone: a load in flight
 * for the key is waited for first, and until it ends no other begins. Meanwhile gets are given what is stored; those
 * that find nothing wait for what it computes (rule 1), and, if it fails, are given an old value as after a failed load
 * (rule 12). A put or an invalidation meanwhile takes effect at once, as if
 * it came after; *outcome is then the put value, or a value that is not stored.
 *
 * timeout_ms bounds the waits. *outcome as for sluice_get_outcome(). Errors: SLUICE_LOAD_FAILED, SLUICE_NOT_FOUND (that
 * is what it came to), SLUICE_TIMED_OUT, SLUICE_TOO_MANY_WAITERS, SLUICE_TOO_MANY_LOADS, SLUICE_CIRCULAR,
 * SLUICE_KEY_SIZE, SLUICE_CLOSED, SLUICE_NO_MEMORY.
 */
SLUICE_API enum sluice_error sluice_compute(struct sluice_cache *cache, const void *key, size_t key_size,
                                            const struct sluice_loader *compute, int64_t timeout_ms,
                                            struct sluice_outcome *outcome) SLUICE_CHECK_RESULT;

/*
 * Has the key loaded in the background, whatever is stored: what is there is given meanwhile. Does nothing where a load
 * is in flight. Returns at once (but see struct sluice_executor). Errors: SLUICE_KEY_SIZE, SLUICE_CLOSED,
 * SLUICE_TOO_MANY_LOADS, SLUICE_NO_MEMORY.
 */
SLUICE_API enum sluice_error sluice_refresh(struct sluice_cache *cache, const void *key,
                                            size_t key_size) SLUICE_CHECK_RESULT;

/* As sluice_refresh() for each key, with one call of load_many for them all. Returns the first error, if any. */
SLUICE_API enum sluice_error sluice_refresh_many(struct sluice_cache *cache, const struct sluice_key *keys,
                                                 size_t count) SLUICE_CHECK_RESULT;

/*
 * Changes when a stored value expires: its time to live is ttl_ms from now on, or SLUICE_NEVER, or SLUICE_TTL_DEFAULT
 * for the cache's own, with its jitter. A value that has expired, stale ones included, does not come back to life. All
 * else stays: expire_after_access_ms (this is no access), the refresh time, and a load in flight, whose value will have
 * its own. Errors: SLUICE_KEY_SIZE, SLUICE_NOT_CACHED (no fresh value is stored), SLUICE_INVALID (a time that is none,
 * or 0, the default included: use sluice_invalidate()), SLUICE_CLOSED.
 */
SLUICE_API enum sluice_error sluice_set_ttl(struct sluice_cache *cache, const void *key, size_t key_size,
                                            int64_t ttl_ms) SLUICE_CHECK_RESULT;

/* What an invalidation took away. */
struct sluice_invalidated {
    size_t entries; /* stored entries (values, remembered not-founds and failures) that went, expired ones included, or
                       became stale where it was soft */
    size_t loads;   /* loads in flight that were detached */
};

/*
 * For a load in flight that does not end (sluice_cache_for_each_flight() shows them): its waiters are told at once that
 * it failed, as with any failed load (rules 5, 12); the next get starts another. Its own result is dropped when it
 * comes, and it counts against loads_max until then (rule 8). False: none is in flight for the key.
 */
SLUICE_API bool sluice_load_abandon(struct sluice_cache *cache, const void *key, size_t key_size);

/*
 * Likewise, but its waiters wait for another load instead, by the cache's own loader in the background, each with its
 * place and its deadline; those that wait on behalf of a load (struct sluice_request) are told that it failed. Errors:
 * SLUICE_NOT_CACHED: none is in flight; SLUICE_UNCHANGED: it is a computation (sluice_compute()), which goes on, since
 * only its caller can run it again; SLUICE_TOO_MANY_LOADS, SLUICE_NO_MEMORY: the load in flight has been detached, as
 * by an invalidation, and serves its waiters when it ends.
 */
SLUICE_API enum sluice_error sluice_load_restart(struct sluice_cache *cache, const void *key,
                                                 size_t key_size) SLUICE_CHECK_RESULT;

/* What an invalidation is about. */
enum sluice_selection {
    SLUICE_SELECT_KEYS,   /* each of `keys` */
    SLUICE_SELECT_PREFIX, /* every key that begins with `pattern`; an empty one is every key */
    SLUICE_SELECT_TAG,    /* every value that has the tag `pattern` */
    SLUICE_SELECT_ALL     /* every key */
};

/* Zero it, then fill it in; it is read during the call only. */
struct sluice_invalidation {
    enum sluice_selection select;
    const struct sluice_key *keys;
    size_t count;
    struct sluice_key pattern;
    bool soft; /* values become stale instead of going: they are given, marked so, as far as the options for stale
                  values allow it, also in place of the failure of a load that was detached, and go if these don't; all
                  else is the same */
};

/*
 * Invalidation is final (rule 3): no get that begins after the return is given a value that was put, or whose load
 * began, before the call. Returns at once, never waits for a load: a load in flight is detached; its waiters still get
 * its outcome, nothing is stored, the next get starts a new flight. Which tags a load brings is known when it ends: one
 * that began before its tag was invalidated is as if detached then, for those who had parked by then; those who have
 * parked since are served by another load, by the cache's own loader, in the background or, where one of them waits on
 * behalf of a load, on the thread that ended the first (rules 17, 19). Never fails.
 *
 * Keys cost a look each. All of them cost a step for each shard and each load in flight, none for an entry (rule 16).
 * So do a prefix and a tag if `gone` is NULL; else the call carries them out, to count, and looks at each entry. Either
 * way no other caller waits long: entries are looked at some hundred at a time. What is left to be done the timer
 * thread does, and entries that are looked for meanwhile are dealt with at once; until then they count in the
 * statistics. Up to 1,024 such invalidations can be left to be done (32 where there is no memory for more); whoever
 * comes over that does some of them first.
 */
SLUICE_API void sluice_invalidate_by(struct sluice_cache *cache, const struct sluice_invalidation *what,
                                     struct sluice_invalidated *gone);

/* The plain cases of that. `tag` is a string, not NULL. */
SLUICE_API void sluice_invalidate(struct sluice_cache *cache, const void *key, size_t key_size,
                                  struct sluice_invalidated *gone);
SLUICE_API void sluice_invalidate_keys(struct sluice_cache *cache, const struct sluice_key *keys, size_t count,
                                       struct sluice_invalidated *gone);
SLUICE_API void sluice_invalidate_prefix(struct sluice_cache *cache, const void *prefix, size_t prefix_size,
                                         struct sluice_invalidated *gone);
SLUICE_API void sluice_invalidate_tag(struct sluice_cache *cache, const char *tag, struct sluice_invalidated *gone);
SLUICE_API void sluice_invalidate_all(struct sluice_cache *cache, struct sluice_invalidated *gone);

/*
 * Invalidates what `chosen` says true of, among the entries as sluice_cache_for_each() visits them: a load in flight is
 * detached where the value that is stored for its key was chosen; of other loads in flight nothing is known. Errors:
 * SLUICE_NO_MEMORY (some shards may have been dealt with). `gone` is set either way, and may be NULL.
 */
SLUICE_API enum sluice_error sluice_invalidate_if(struct sluice_cache *cache,
                                                  bool (*chosen)(void *arg, const struct sluice_entry_view *entry),
                                                  void *arg, struct sluice_invalidated *gone) SLUICE_CHECK_RESULT;

#ifdef __cplusplus
}
#endif

#endif
