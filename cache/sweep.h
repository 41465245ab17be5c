/* SPDX-License-Identifier: MIT */
/* sweep.h: decrees are issued, carried out, and forgotten. What they are: decree.h. */
#ifndef CACHE_SWEEP_H
#define CACHE_SWEEP_H

#include "shard.h"

/*
 * Adds a decree, of which a reference goes to the shard. False, and nothing is done: too many are pending; sweep on and
 * come again.
 */
bool sweep_issue_locked(struct shard *shard, struct decree *decree) HOLDS_SHARD;

/*
 * Holds an entry against the decrees that it has not been held against; takes what is stored away, or makes it stale,
 * if one concerns it. True: the entry is gone.
 */
bool sweep_entry_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;

/*
 * Whether a value carries a tag that was invalidated after decree `since`; then *number is the first such decree. Where
 * one has been lost that may be it, any tag is taken for its.
 */
bool sweep_finds_tag_locked(const struct shard *shard, const struct sluice_value *value, uint32_t since,
                            uint32_t *number) HOLDS_SHARD;

/* Carries decrees out on so many entries, and forgets those that are done. True: there is more to do. */
bool sweep_some_locked(struct shard *shard, unsigned *budget, struct after *after) HOLDS_SHARD;

#endif
