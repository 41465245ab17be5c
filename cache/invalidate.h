/* SPDX-License-Identifier: MIT */
/* invalidate.h: what is done about one entry that is invalidated. */
#ifndef CACHE_INVALIDATE_H
#define CACHE_INVALIDATE_H

#include "shard.h"

/*
 * What is stored in the entry goes, or with `soft` is stale from `at_ms` on and goes only if it is then of no worth; a
 * load in flight is detached. True: the entry is gone.
 */
bool invalidate_stored_locked(struct shard *shard, struct entry *entry, bool soft, int64_t at_ms,
                              struct after *after) HOLDS_SHARD;

#endif
