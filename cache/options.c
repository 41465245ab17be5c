/* SPDX-License-Identifier: MIT */
/* options.c: what may be asked of a cache, and in which words it is refused. */
#include "background.h"

#include <sluice/cache.h>

#define SPAN_MS_MAX        (INT64_MAX / 4) /* so that an instant plus a span stays an instant */
#define JITTER_PERCENT_MAX 50
#define EARLY_PERCENT_MAX  10000 /* early.c counts on it */
#define KEY_SIZE_MAX       65535
#define VALUE_SIZE_MAX     ((size_t)INT32_MAX)
#define SHARDS_MAX         256
#define WAITERS_MAX_MAX    ((size_t)1 << 30) /* each holds a reference of the value, which counts to 2^32 */

static const char *bounds_fault(const struct sluice_options *options)
{
    if (options->key_size_max < 1 || options->key_size_max > KEY_SIZE_MAX)
        return "key_size_max must be 1 to 65535";
    if (options->value_size_max < 1 || options->value_size_max > VALUE_SIZE_MAX)
        return "value_size_max must be 1 to 2147483647";
    if (options->loads_max < 1)
        return "loads_max must be at least 1";
    if (options->waiters_per_key_max < 1)
        return "waiters_per_key_max must be at least 1";
    if (options->waiters_max < 1 || options->waiters_max > WAITERS_MAX_MAX)
        return "waiters_max must be 1 to 2^30";
    if (options->background_threads_max < 1 || options->background_threads_max > BACKGROUND_THREADS_MAX)
        return "background_threads_max must be 1 to 64";
    if (options->shards > SHARDS_MAX || (options->shards & (options->shards - 1)) != 0)
        return "shards must be a power of two up to 256, or 0";
    if (options->batch_size_max < 1)
        return "batch_size_max must be at least 1";
    return NULL;
}

static bool span_valid(int64_t span_ms, bool may_be_never)
{
    return (span_ms >= 0 && span_ms <= SPAN_MS_MAX) || (may_be_never && span_ms == SLUICE_NEVER);
}

static const char *time_fault(const struct sluice_options *options)
{
    if (!span_valid(options->expire_after_write_ms, true))
        return "expire_after_write_ms must be at least 0, or SLUICE_NEVER";
    if (!span_valid(options->expire_after_access_ms, true) || options->expire_after_access_ms == 0)
        return "expire_after_access_ms must be at least 1, or SLUICE_NEVER";
    if (options->expiry_jitter_percent > JITTER_PERCENT_MAX)
        return "expiry_jitter_percent must be 0 to 50";
    if (!span_valid(options->not_found_ttl_ms, true))
        return "not_found_ttl_ms must be at least 0, or SLUICE_NEVER";
    if (!span_valid(options->failure_backoff_ms, false))
        return "failure_backoff_ms must be at least 0";
    if (!span_valid(options->failure_backoff_max_ms, false))
        return "failure_backoff_max_ms must be at least 0";
    if (options->failure_backoff_ms > options->failure_backoff_max_ms)
        return "failure_backoff_ms must not be over failure_backoff_max_ms";
    if (!span_valid(options->load_timeout_ms, true) || options->load_timeout_ms == 0)
        return "load_timeout_ms must be at least 1, or SLUICE_NEVER";
    if (!span_valid(options->refresh_after_write_ms, true) || options->refresh_after_write_ms == 0)
        return "refresh_after_write_ms must be at least 1, or SLUICE_NEVER";
    if (options->refresh_early_percent > EARLY_PERCENT_MAX)
        return "refresh_early_percent must be 0 to 10000";
    if (!span_valid(options->stale_while_revalidate_ms, true))
        return "stale_while_revalidate_ms must be at least 0, or SLUICE_NEVER";
    if (!span_valid(options->stale_after_wait_ms, true) || options->stale_after_wait_ms == 0)
        return "stale_after_wait_ms must be at least 1, or SLUICE_NEVER";
    if (options->stale_after_wait_ms != SLUICE_NEVER && options->stale_if_error_ms == 0)
        return "stale_after_wait_ms needs stale_if_error_ms";
    if (!span_valid(options->batch_window_ms, false))
        return "batch_window_ms must be at least 0";
    if (!span_valid(options->stale_if_error_ms, true))
        return "stale_if_error_ms must be at least 0, or SLUICE_NEVER";
    return NULL;
}

const char *sluice_options_fault(const struct sluice_options *options)
{
    const char *fault;

    if (options->loader.load == NULL && options->loader.load_many == NULL)
        return "loader.load or loader.load_many is required";
    if (options->batch_window_ms > 0 && options->loader.load_many == NULL)
        return "batch_window_ms needs a loader with load_many";
    if (options->maximum_entries > 0 && options->maximum_weight > 0)
        return "maximum_entries and maximum_weight can't both be set";
    if (options->maximum_weight > SLUICE_WEIGHT_MAX)
        return "maximum_weight must be at most 2^52";
    if (options->weigher.weigh != NULL && options->maximum_weight == 0)
        return "weigher needs maximum_weight, which is what its weights count against";
    fault = time_fault(options);
    return fault != NULL ? fault : bounds_fault(options);
}
