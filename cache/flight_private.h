/* SPDX-License-Identifier: MIT */
/* flight_private.h: what the parts of a flight's code share: flight.c, flight_wait.c, flight_end.c. */
#ifndef CACHE_FLIGHT_PRIVATE_H
#define CACHE_FLIGHT_PRIVATE_H

#include "flight.h"

/* The one place where a flight changes its state. */
void flight_become_locked(struct sluice_load *flight, enum sluice_flight_state state, struct after *after) HOLDS_SHARD;

/* A load begins, the first one of the flight or another. */
void flight_begin_load_locked(struct sluice_load *flight, int64_t now_ms, struct after *after) HOLDS_SHARD;

/* Ends a flight that nobody waits for. Its entry stays if it has something stored. */
void flight_unlink_locked(struct sluice_load *flight, struct after *after) HOLDS_SHARD;

/* Takes an entry away that has nothing stored, now that its flight is unlinked. */
void flight_leave_entry_locked(struct shard *shard, struct entry *entry, struct after *after) HOLDS_SHARD;

/* Holds what is stored beside a current flight against the decrees: that may invalidate it, and detach the flight. */
void flight_heed_locked(struct sluice_load *flight, struct after *after) HOLDS_SHARD;

/*
 * The key's entry, after all decrees, if it has the value stored that those who wait for the flight may be given in its
 * place; else NULL. A flight that was detached softly left it there: it must be the very one that its load began with.
 */
struct entry *flight_beside_locked(struct sluice_load *flight, struct after *after) HOLDS_SHARD;

/*
 * Releases the first so many waiters, first come, first served, each with the outcome and its own word of how it came
 * by it. They are told after the unlock.
 */
void flight_release_some_locked(struct sluice_load *flight, size_t count, const struct sluice_outcome *outcome,
                                struct after *after) HOLDS_SHARD;

/* Releases all of them. */
void flight_release_locked(struct sluice_load *flight, const struct sluice_outcome *outcome,
                           struct after *after) HOLDS_SHARD;

#endif
