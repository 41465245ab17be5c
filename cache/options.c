/* SPDX-License-Identifier: MIT */
/* options.c: what may be asked of a cache, and in which words it is refused. */
#include "option.h"

#include <sluice/cache.h>

/* Pairs that are wrong together, or of which one never has an effect beside the other. */
static const char *pair_fault(const struct sluice_options *options)
{
    if (options->batch_window_ms > 0 && options->loader.load_many == NULL)
        return "batch_window_ms needs a loader with load_many";
    if (options->maximum_entries > 0 && options->maximum_weight > 0)
        return "maximum_entries and maximum_weight can't both be set";
    if (options->weigher.weigh != NULL && options->maximum_weight == 0)
        return "weigher needs maximum_weight, which is what its weights count against";
    if (options->failure_backoff_ms > options->failure_backoff_max_ms)
        return "failure_backoff_ms must not be over failure_backoff_max_ms";
    /* Both count from expiry. Equal ones are left: they say how long a stale value may be given, whatever for. */
    if (options->stale_if_error_ms > 0 && options->stale_while_revalidate_ms > options->stale_if_error_ms)
        return "stale_if_error_ms must not be under stale_while_revalidate_ms, which would always come before it";
    if (options->stale_if_error_ms > 0 && options->stale_while_revalidate_ms == SLUICE_NEVER)
        return "stale_if_error_ms has no effect with a stale_while_revalidate_ms of SLUICE_NEVER";
    if (options->stale_after_wait_ms != SLUICE_NEVER && options->stale_if_error_ms == 0)
        return "stale_after_wait_ms needs stale_if_error_ms";
    return NULL;
}

const char *sluice_options_fault(const struct sluice_options *options)
{
    if (options->loader.load == NULL && options->loader.load_many == NULL)
        return "loader.load or loader.load_many is required";
    for (size_t i = 0; i < OPTION_TOTAL; i++) {
        if (!option_valid(&option_all[i], option_get(&option_all[i], options)))
            return option_all[i].fault;
    }
    return pair_fault(options);
}
