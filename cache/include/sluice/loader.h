/* SPDX-License-Identifier: MIT */
/*
 * sluice/loader.h: for those who write a loader, the code that fetches what the cache does not have.
 *
 * A loader is one function. The cache calls it once for each flight (CONTRACT rule 1) with a load handle, with no lock
 * held. The loader reads the key and then ends the load by calling exactly one of
 *
 *     sluice_load_complete()     here is the value
 *     sluice_load_not_modified() the old value still holds (rule 11)
 *     sluice_load_not_found()    the backend says that there is none (an answer, not a failure: rule 6)
 *     sluice_load_fail()         it went wrong
 *     sluice_load_refuse()       a bound in front of the backend is reached
 *     sluice_load_time_out()     the backend did not answer in time
 *     sluice_load_too_large()    the value is larger than anybody here will be given
 *
 * exactly once, either before it returns or later from any thread. That call runs the callbacks of the waiters, on the
 * thread that makes it, first come, first served (rules 19, 21). The handle is the loader's until that call and must
 * not be touched after it. A second ending of one load is a broken contract and ends the process with a message, as
 * far as it can still be told from the memory (rule 20).
 *
 * It is called
 *
 *     on the thread of a get that leads, of a bulk get for all that it leads, of sluice_compute() for the computation
 *     in the background, on the cache's own threads or by struct sluice_executor: for reloads that a hit finds due
 *         (rule 11), sluice_refresh(), batches (rule 15), sluice_load_restart(), a get that may take an old value after
 *         stale_after_wait_ms; and once more for a flight whose load brought a value with a tag that was invalidated
 *         meanwhile, for those who have parked since (rule 3)
 *     on the thread of a get on behalf of a load (struct sluice_request), or of a computation within a loader, that
 *         follows a flight whose turn in the background, or in a bulk get, has not come: what it waits for may be
 *         waiting for it (rule 17)
 *     on the thread that ends a load, before that call returns, where a flight is loaded once more and one of those who
 *         wait for it does so on behalf of a load: likewise, the background may have no thread to spare (rule 17)
 *
 * The executor is called on the thread of the get, refresh or restart that asks for a load or makes a batch full, on
 * the timer thread (or in sluice_cache_tick()) when a batch's window is over, and on the thread that ends a load.
 *
 * The load goes on whatever happens to the flight meanwhile: invalidated, replaced by a put, timed out, cache closed.
 * A result that nobody can be given any more is dropped (rules 3, 4, 8, 18). The load counts against loads_max until
 * it is ended, so that a backend that hangs is not multiplied (rule 8). Every load must be ended, however late.
 */
#ifndef SLUICE_LOADER_H
#define SLUICE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SLUICE_API          __attribute__((visibility("default")))
#define SLUICE_CHECK_RESULT __attribute__((warn_unused_result))
#else
#define SLUICE_API
#define SLUICE_CHECK_RESULT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Times that are not a number of milliseconds. */
#define SLUICE_NEVER       INT64_C(-1) /* no end: does not expire, no deadline, no refresh */
#define SLUICE_TTL_DEFAULT INT64_C(-2) /* as the cache's options say */

/* One load under way. Opaque; belongs to the loader from the call of `load` until the loader ends it. */
struct sluice_load;

/*
 * Bytes to be stored, with what goes along. Used by loaders and by sluice_put(). Everything is copied by the call that
 * it is handed to; nothing has to outlive that call. Begin with SLUICE_CONTENT_INIT: zeroed, it has a time to live of
 * 0, and is not stored.
 */
struct sluice_content {
    const void *data;         /* may be NULL when size is 0 */
    size_t size;              /* bytes; at most the cache's value_size_max */
    const char *content_type; /* media type for HTTP, or NULL; under 256 bytes */
    const char *etag;         /* strong entity tag with its quotes (RFC 9110, 8.8.3), or NULL; under 256 bytes */
    int64_t ttl_ms;           /* time to live; 0: give it to those who wait, do not store it (rule 13); SLUICE_NEVER;
                                 SLUICE_TTL_DEFAULT: expire_after_write_ms */
    const char *const *tags;  /* names by which the value can be invalidated together with others, or NULL; each 1 to
                                 255 bytes */
    size_t tags_count;        /* at most 64 */
    int64_t refresh_ms;       /* from when on a get has it loaded anew in the background (rule 11), counted from now, at
                                 least 1; SLUICE_NEVER; 0 or SLUICE_TTL_DEFAULT: refresh_after_write_ms */
};

#define SLUICE_CONTENT_INIT                                                                                            \
    {                                                                                                                  \
        NULL, 0, NULL, NULL, SLUICE_TTL_DEFAULT, NULL, 0, SLUICE_TTL_DEFAULT                                           \
    }

/*
 * A loader: its functions are called with `self` as it was given, with no lock held. See the top of this file.
 *
 * `load` is called once for each flight, save for one that nobody can be given the result of any more by then.
 * `load_many` is optional, and is called instead where several flights are to be loaded at once: those of a bulk get or
 * refresh, and separate misses that were batched (rules 14, 15); at most batch_size_max at a time. Each load is ended
 * by itself, with an outcome of its own; the array is borrowed for the call. A loader has at least one of the two.
 * `unwanted` is optional. It is told, once, of a load that it has been called for and has not ended, when nobody can be
 * given its result any more: put, deadline, close, an invalidation with nobody waiting, or the last waiter has left and
 * the cache cancels loads then (rules 4, 8, 9, 18). It is told on the thread whose call that was (for a deadline the
 * timer thread, or in sluice_cache_tick()), and may cancel the backend's call; the load must be
 * ended all the same.
 * `load` may still be running on another thread, or may not quite have been entered there, and the load may be ended
 * meanwhile; the handle is valid until `unwanted` returns.
 */
struct sluice_loader {
    void (*load)(void *self, struct sluice_load *load);
    void *self;
    void (*unwanted)(void *self, struct sluice_load *load);
    void (*load_many)(void *self, struct sluice_load *const *loads, size_t count);
};

/* The key to load: any bytes, also NUL; not terminated. Valid until the load is ended. */
SLUICE_API const void *sluice_load_key(const struct sluice_load *load);
SLUICE_API size_t sluice_load_key_size(const struct sluice_load *load);

/*
 * The value that is stored for the key while it is loaded anew, to be revalidated by its entity tag or to begin from;
 * NULL if this load has none. Borrowed until the load is ended; sluice_value_ref() to keep it.
 */
SLUICE_API struct sluice_value *sluice_load_old_value(const struct sluice_load *load);

/*
 * Whether anybody can still be given this load's result. False once `unwanted` would be told of it. A loader with a
 * queue asks before it starts the work, one with a cancellable call may ask meanwhile; either way the load must still
 * be ended. Any thread.
 */
SLUICE_API bool sluice_load_wanted(struct sluice_load *load);

/*
 * The load brought a value. Copies `content`, publishes it unless the flight was detached, and gives it to every
 * waiter. A value larger than value_size_max is given to nobody: the waiters get SLUICE_VALUE_TOO_LARGE. Without the
 * memory for the copy they get SLUICE_NO_MEMORY (rule 20). Content that is not as struct sluice_content says (a text
 * too long, an etag without quotes or a weak one, too many tags, a negative time) fails the load. Ends the load.
 */
SLUICE_API void sluice_load_complete(struct sluice_load *load, const struct sluice_content *content);

/*
 * What sluice_load_old_value() gave still holds (HTTP: 304 Not Modified): it is kept as if it had been brought again,
 * for `ttl_ms` and `refresh_ms` as in struct sluice_content. If it has expired or was evicted since the load began, it
 * is stored once more: the listener, which was told that it left, is told again when it leaves again (rule 22). Without
 * an old value the load has failed. Ends the load.
 */
SLUICE_API void sluice_load_not_modified(struct sluice_load *load, int64_t ttl_ms, int64_t refresh_ms);

/* The backend has no value for the key; remembered for not_found_ttl_ms (rule 6). Ends the load. */
SLUICE_API void sluice_load_not_found(struct sluice_load *load);

/*
 * The load failed. `reason` says why in words, may be NULL, is copied and cut at 1,024 bytes. All waiters get
 * SLUICE_LOAD_FAILED and the reason (rule 5). Ends the load.
 */
SLUICE_API void sluice_load_fail(struct sluice_load *load, const char *reason);

/* As sluice_load_fail(), with SLUICE_LOAD_REFUSED: a queue or a limit in front of the backend is full (rule 10). */
SLUICE_API void sluice_load_refuse(struct sluice_load *load, const char *reason);

/* As sluice_load_fail(), with SLUICE_LOAD_TIMED_OUT: the backend did not answer within the loader's own time. */
SLUICE_API void sluice_load_time_out(struct sluice_load *load, const char *reason);

/*
 * As sluice_load_fail(), with SLUICE_VALUE_TOO_LARGE: for a loader that knows the value to be larger than
 * value_size_max before it has all of it, and so need not bring it (rule 10).
 */
SLUICE_API void sluice_load_too_large(struct sluice_load *load, const char *reason);

#ifdef __cplusplus
}
#endif

#endif
