/* SPDX-License-Identifier: MIT */
/* worth.c: see worth.h. */
#include "worth.h"

enum worth worth_at(const struct entry *entry, const struct sluice_options *options, int64_t now_ms)
{
    int64_t expiry_ms;

    if (!entry->ready)
        return WORTH_NOTHING;
    expiry_ms = worth_fresh_until_ms(entry, options);
    if (now_ms < expiry_ms)
        return WORTH_FRESH;
    if (entry->answer != SLUICE_OK)
        return WORTH_NOTHING;
    if (now_ms < clock_after_ms(expiry_ms, options->stale_while_revalidate_ms))
        return WORTH_STALE;
    if (now_ms >= clock_after_ms(expiry_ms, options->stale_if_error_ms))
        return WORTH_NOTHING;
    /* Past expiry a reload is due, unless one has failed just now: then the value is what there is. */
    return entry->held_off && now_ms < entry_reload_at_ms(entry) ? WORTH_STALE : WORTH_HELD;
}

int64_t worth_until_ms(const struct entry *entry, const struct sluice_options *options)
{
    int64_t expiry_ms = worth_fresh_until_ms(entry, options), revalidate_ms, error_ms;

    if (entry->answer == SLUICE_NOT_FOUND)
        return expiry_ms;
    if (entry->answer != SLUICE_OK)
        return clock_after_ms(expiry_ms, options->failure_backoff_max_ms);
    revalidate_ms = clock_after_ms(expiry_ms, options->stale_while_revalidate_ms);
    error_ms = clock_after_ms(expiry_ms, options->stale_if_error_ms);
    return revalidate_ms > error_ms ? revalidate_ms : error_ms;
}
