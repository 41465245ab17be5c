/* SPDX-License-Identifier: MIT */
/*
 * option.h: the one list of the options that are a number, a time or a yes: by it they are checked (options.c) and read
 * from strings (spec.c). What they are for is told in sluice/options.h, and how a string says them in sluice/spec.h;
 * spec_test.c sees to it that neither lacks a row.
 */
#ifndef CACHE_OPTION_H
#define CACHE_OPTION_H

#include "background.h"

#include <sluice/options.h>

#define OPTION_SPAN_MS_MAX (INT64_MAX / 4) /* so that an instant plus a span stays an instant */
#define OPTION_SHARDS_MAX  256

enum option_kind {
    OPTION_COUNT,
    OPTION_MAXIMUM, /* a count, of which 0 stands for no bound */
    OPTION_POWER,   /* a power of two, or 0 */
    OPTION_SPAN,    /* milliseconds */
    OPTION_SPAN_OR_NEVER,
    OPTION_FLAG,
};

/*
 * X(kind, key in a string, member, minimum, maximum, what it must be). Of the bounds: early.c counts on that of
 * refresh_early_percent; each waiter holds a reference of the value, which counts to 2^32.
 */
#define OPTION_LIST(X)                                                                                                 \
    X(OPTION_MAXIMUM, maximumSize, maximum_entries, 0, SIZE_MAX, "at least 0")                                         \
    X(OPTION_MAXIMUM, maximumWeight, maximum_weight, 0, SLUICE_WEIGHT_MAX, "at most 2^52")                             \
    X(OPTION_SPAN_OR_NEVER, expireAfterWrite, expire_after_write_ms, 0, OPTION_SPAN_MS_MAX,                            \
      "at least 0, or SLUICE_NEVER")                                                                                   \
    X(OPTION_SPAN_OR_NEVER, expireAfterAccess, expire_after_access_ms, 1, OPTION_SPAN_MS_MAX,                          \
      "at least 1, or SLUICE_NEVER")                                                                                   \
    X(OPTION_COUNT, expiryJitterPercent, expiry_jitter_percent, 0, 50, "0 to 50")                                      \
    X(OPTION_SPAN_OR_NEVER, notFoundTtl, not_found_ttl_ms, 0, OPTION_SPAN_MS_MAX, "at least 0, or SLUICE_NEVER")       \
    X(OPTION_SPAN, failureBackoff, failure_backoff_ms, 0, OPTION_SPAN_MS_MAX, "at least 0")                            \
    X(OPTION_SPAN, failureBackoffMax, failure_backoff_max_ms, 0, OPTION_SPAN_MS_MAX, "at least 0")                     \
    X(OPTION_SPAN_OR_NEVER, loadTimeout, load_timeout_ms, 1, OPTION_SPAN_MS_MAX, "at least 1, or SLUICE_NEVER")        \
    X(OPTION_SPAN_OR_NEVER, refreshAfterWrite, refresh_after_write_ms, 1, OPTION_SPAN_MS_MAX,                          \
      "at least 1, or SLUICE_NEVER")                                                                                   \
    X(OPTION_COUNT, refreshEarlyPercent, refresh_early_percent, 0, 10000, "0 to 10000")                                \
    X(OPTION_SPAN_OR_NEVER, staleWhileRevalidate, stale_while_revalidate_ms, 0, OPTION_SPAN_MS_MAX,                    \
      "at least 0, or SLUICE_NEVER")                                                                                   \
    X(OPTION_SPAN_OR_NEVER, staleIfError, stale_if_error_ms, 0, OPTION_SPAN_MS_MAX, "at least 0, or SLUICE_NEVER")     \
    X(OPTION_SPAN_OR_NEVER, staleAfterWait, stale_after_wait_ms, 1, OPTION_SPAN_MS_MAX, "at least 1, or SLUICE_NEVER") \
    X(OPTION_SPAN, batchWindow, batch_window_ms, 0, OPTION_SPAN_MS_MAX, "at least 0")                                  \
    X(OPTION_COUNT, batchSizeMax, batch_size_max, 1, SIZE_MAX, "at least 1")                                           \
    X(OPTION_FLAG, cancelUnwantedLoads, cancel_unwanted_loads, 0, 1, "true or false")                                  \
    X(OPTION_COUNT, backgroundThreadsMax, background_threads_max, 1, BACKGROUND_THREADS_MAX, "1 to 64")                \
    X(OPTION_COUNT, keySizeMax, key_size_max, 1, 65535, "1 to 65535")                                                  \
    X(OPTION_COUNT, valueSizeMax, value_size_max, 1, INT32_MAX, "1 to 2147483647")                                     \
    X(OPTION_COUNT, loadsMax, loads_max, 1, SIZE_MAX, "at least 1")                                                    \
    X(OPTION_COUNT, waitersPerKeyMax, waiters_per_key_max, 1, SIZE_MAX, "at least 1")                                  \
    X(OPTION_COUNT, waitersMax, waiters_max, 1, 1 << 30, "1 to 2^30")                                                  \
    X(OPTION_POWER, shards, shards, 0, OPTION_SHARDS_MAX, "a power of two up to 256, or 0")                            \
    X(OPTION_FLAG, makeEtags, make_etags, 0, 1, "true or false")

/* One of them. */
struct option {
    enum option_kind kind;
    const char *key;
    size_t offset; /* of the member */
    size_t size;
    uint64_t minimum, maximum;
    const char *fault; /* "MEMBER must be ..." */
    const char *rule;  /* the end of that: "must be ..." */
};

#define OPTION_INDEX(kind, key, member, minimum, maximum, words) OPTION_##member,
enum option_index { OPTION_LIST(OPTION_INDEX) OPTION_TOTAL };
#undef OPTION_INDEX

extern const struct option option_all[OPTION_TOTAL];

/* Values are given as uint64_t; SLUICE_NEVER as that becomes by conversion. */
uint64_t option_get(const struct option *option, const struct sluice_options *options);
void option_set(const struct option *option, struct sluice_options *options, uint64_t value);

/* Whether the option may have this value, the others left aside. */
bool option_valid(const struct option *option, uint64_t value);

#endif
