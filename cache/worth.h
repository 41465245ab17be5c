/* SPDX-License-Identifier: MIT */
/* worth.h: what a stored answer is worth at an instant. Follows from the entry's instants and the options alone. */
#ifndef CACHE_WORTH_H
#define CACHE_WORTH_H

#include "clock.h"
#include "entry.h"

enum worth {
    WORTH_NOTHING, /* nothing is stored, or it is past all use */
    WORTH_FRESH,   /* to be given */
    WORTH_STALE,   /* to be given, marked as stale (rule 12) */
    WORTH_HELD     /* to be given, marked as stale, to those whose load fails (rule 12) */
};

enum worth worth_at(const struct entry *entry, const struct sluice_options *options, int64_t now_ms);

/*
 * Until when a stored answer is fresh: for its time to live, and a value for no longer than expire_after_access_ms from
 * when it was last given. CLOCK_FAR: for ever.
 */
static inline int64_t worth_fresh_until_ms(const struct entry *entry, const struct sluice_options *options)
{
    int64_t idle_ms;

    if (options->expire_after_access_ms == SLUICE_NEVER || entry->answer != SLUICE_OK)
        return entry->fresh_until_ms;
    idle_ms = clock_after_ms(entry_accessed_ms(entry), options->expire_after_access_ms);
    return idle_ms < entry->fresh_until_ms ? idle_ms : entry->fresh_until_ms;
}

/* A get is given what is fresh. Without the option a hot entry's line stays clean; with it, it is written once a ms. */
static inline void worth_touch(struct entry *entry, const struct sluice_options *options, int64_t now_ms)
{
    if (options->expire_after_access_ms != SLUICE_NEVER && entry->answer == SLUICE_OK &&
        entry_accessed_ms(entry) < now_ms)
        entry_set_accessed_ms(entry, now_ms);
}

/* When a stored answer is to be taken away; CLOCK_FAR: never. A failure outlives its back-off, for its count's sake. */
int64_t worth_until_ms(const struct entry *entry, const struct sluice_options *options);

/*
 * Whether a get that is given the answer has it loaded anew, if no load is on (rule 11): past its refresh time, and as
 * soon as it is stale; but not while the back-off after a failed reload runs.
 */
static inline bool worth_reloading(const struct entry *entry, enum worth worth, int64_t now_ms)
{
    if (entry->flying)
        return false;
    return now_ms >= entry_reload_at_ms(entry) || (worth == WORTH_STALE && !entry->held_off);
}

#endif
