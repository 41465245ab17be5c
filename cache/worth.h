/* SPDX-License-Identifier: MIT */
/* worth.h: what a stored answer is worth at an instant. Follows from the entry's instants and the options alone. */
#ifndef CACHE_WORTH_H
#define CACHE_WORTH_H

#include "entry.h"

enum worth {
    WORTH_NOTHING, /* nothing is stored, or it is past all use */
    WORTH_FRESH,   /* to be given */
    WORTH_STALE,   /* to be given, marked as stale (rule 12) */
    WORTH_HELD     /* to be given, marked as stale, to those whose load fails (rule 12) */
};

enum worth worth_at(const struct entry *entry, const struct sluice_options *options, int64_t now_ms);

/* When a stored answer is to be taken away; CLOCK_FAR: never. A failure outlives its back-off, for its count's sake. */
int64_t worth_until_ms(const struct entry *entry, const struct sluice_options *options);

/* Whether a get that is given the answer has it loaded anew, if no load is on (rule 11). */
static inline bool worth_reloading(const struct entry *entry, int64_t now_ms)
{
    return now_ms >= entry->reload_at_ms && entry->flight == NULL;
}

#endif
