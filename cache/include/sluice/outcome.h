/* SPDX-License-Identifier: MIT */
/* sluice/outcome.h: errors, values, and what a get came to. Part of sluice/cache.h, which is what to include. */
#ifndef SLUICE_OUTCOME_H
#define SLUICE_OUTCOME_H

#include <sluice/loader.h>

#ifdef __cplusplus
extern "C" {
#endif

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
    X(SLUICE_CIRCULAR, "the load would wait for itself")                                                               \
    X(SLUICE_KEY_SIZE, "the key is empty or larger than the limit")                                                    \
    X(SLUICE_VALUE_TOO_LARGE, "the value is larger than the limit")                                                    \
    X(SLUICE_UNCHANGED, "the key is as it was: the condition of the change did not hold")                              \
    X(SLUICE_CLOSED, "the cache is closed")                                                                            \
    X(SLUICE_NO_MEMORY, "out of memory")                                                                               \
    X(SLUICE_NO_THREAD, "the system refused a thread")                                                                 \
    X(SLUICE_INVALID, "an argument or an option is not valid")                                                         \
    X(SLUICE_FILE, "a file can't be read or written, or is not one that can be loaded")

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
/* Its tag number i, from 0, in the order in which they were given; NULL: it has no more. Borrowed. */
SLUICE_API const char *sluice_value_tag(const struct sluice_value *value, size_t i);

/* Takes one more reference; returns `value`. */
SLUICE_API struct sluice_value *sluice_value_ref(struct sluice_value *value);

/* Gives one reference back. NULL is allowed. */
SLUICE_API void sluice_value_unref(struct sluice_value *value);

/* ---- keys ---------------------------------------------------------------------------------------------------------
 */

/* Any bytes, 1 to the cache's key_size_max of them. */
struct sluice_key {
    const void *data;
    size_t size;
};

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

/* How a get came by its outcome. */
enum sluice_source {
    SLUICE_SOURCE_HIT,       /* from the table: a value, also a stale one, a remembered not-found or failure */
    SLUICE_SOURCE_LOAD,      /* this get led the flight */
    SLUICE_SOURCE_COALESCED, /* this get followed one */
    SLUICE_SOURCE_NONE       /* refused before any of these */
};

/*
 * What a get came to. `error` says which:
 *   SLUICE_OK                value is set; if it is stale since its load failed, reason may be set too
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
    int64_t ttl_ms;              /* what is left until it expires, if it is not read again; SLUICE_NEVER: it does not */
    bool stored;                 /* whether it is in the table as far as this get knows */
    bool stale;                  /* the value has expired, and is given on purpose (rule 12); ttl_ms is 0 */
};

#define SLUICE_OUTCOME_INIT                                                                                            \
    {                                                                                                                  \
        SLUICE_OK, SLUICE_SOURCE_NONE, NULL, NULL, 0, SLUICE_NEVER, false, false                                       \
    }

/* Why, in words: the loader's reason, or else sluice_strerror(). Lives as long as the outcome. Never NULL. */
SLUICE_API const char *sluice_outcome_reason(const struct sluice_outcome *outcome);

/* Gives back the references that an outcome holds, and empties it. */
SLUICE_API void sluice_outcome_fini(struct sluice_outcome *outcome);

#ifdef __cplusplus
}
#endif

#endif
