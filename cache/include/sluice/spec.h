/* SPDX-License-Identifier: MIT */
/* sluice/spec.h: options as a string, as Guava and Caffeine write them. Part of sluice/cache.h, which is what to
 * include. */
#ifndef SLUICE_SPEC_H
#define SLUICE_SPEC_H

#include <sluice/options.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_FAULT_TEXT_SIZE 256

/* What is wrong with a string, and where. */
struct sluice_fault {
    size_t offset;                     /* of the byte in the string at which it is wrong; its length: at the end */
    char text[SLUICE_FAULT_TEXT_SIZE]; /* one line of printable ASCII, with the word that is wrong, shortened if long */
};

/*
 * Reads options from a string like "maximumSize=10000,expireAfterWrite=10m,refreshAfterWrite=1m" and sets them in
 * `options`, which has been initialized: what is not in the string stays as it is, but for a maximum, which replaces
 * the one of before, be that of size or of weight. Each value by itself is checked here; how they go with each other,
 * and with the loader, by sluice_options_fault() and sluice_cache_create().
 *
 * The string: keys, or keys with values, between commas. Blanks around commas and equals signs do not count, nor do
 * empty places between commas. No key may be given twice, nor two that set the same thing. Numbers are decimal.
 * Durations are a whole number with d, h, m, s or ms behind it, the first four in upper case too, or are written by
 * ISO 8601 with days and less, as PT10M or P1DT0.5S; whole milliseconds in any case; `never` where it is said below.
 *
 * Keys of Guava 31 and Caffeine:
 *   maximumSize             maximum_entries; at least 1
 *   maximumWeight           maximum_weight; at least 1
 *   expireAfterWrite        expire_after_write_ms; or never
 *   expireAfterAccess       expire_after_access_ms; or never
 *   refreshAfterWrite       refresh_after_write_ms; or never
 *   refreshInterval         the same, an older name that Guava knows
 *   concurrencyLevel        shards: the number rounded up to a power of two, 256 at most
 *   recordStats             takes no value, and changes nothing: statistics are always recorded
 *   initialCapacity         refused: tables grow by themselves
 *   weakKeys, weakValues, softValues   refused: C has no such references
 * Keys of Sluice:
 *   expiryJitterPercent     expiry_jitter_percent
 *   refreshEarlyPercent     refresh_early_percent
 *   notFoundTtl             not_found_ttl_ms; or never
 *   failureBackoff          failure_backoff_ms
 *   failureBackoffMax       failure_backoff_max_ms
 *   loadTimeout             load_timeout_ms; or never
 *   staleWhileRevalidate    stale_while_revalidate_ms; or never
 *   staleIfError            stale_if_error_ms; or never
 *   staleAfterWait          stale_after_wait_ms; or never
 *   batchWindow             batch_window_ms
 *   batchSizeMax            batch_size_max
 *   cancelUnwantedLoads     cancel_unwanted_loads; takes no value
 *   backgroundThreadsMax    background_threads_max
 *   keySizeMax              key_size_max
 *   valueSizeMax            value_size_max
 *   loadsMax                loads_max
 *   waitersPerKeyMax        waiters_per_key_max
 *   waitersMax              waiters_max
 *   shards                  shards
 *   makeEtags               make_etags; takes no value
 *
 * What Guava or Caffeine take means the same here, but for: the keys that are refused; a maximum of 0, which stands for
 * no bound in `options` (expireAfterWrite=0s is how to store nothing); an expireAfterAccess of 0; a weight over
 * SLUICE_WEIGHT_MAX; fractions of a millisecond; durations of more than 73 million years, which they shorten; digits
 * that are not ASCII.
 *
 * Any thread; nothing is allocated. Errors: SLUICE_INVALID; then `options` is untouched and `*fault` says why, which
 * may be NULL and is untouched otherwise.
 */
SLUICE_API enum sluice_error sluice_options_parse(struct sluice_options *options, const char *spec,
                                                  struct sluice_fault *fault) SLUICE_CHECK_RESULT;

#ifdef __cplusplus
}
#endif

#endif
