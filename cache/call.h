/* SPDX-License-Identifier: MIT */
/* call.h: the call of the loader, for one flight. */
#ifndef CACHE_CALL_H
#define CACHE_CALL_H

#include "lock.h"

#include <sluice/cache.h>

/*
 * Calls the flight's loader on this thread, or drops the load if nobody can be given its result any more. Takes over
 * the reference of the call.
 */
void call_load(struct sluice_load *flight) FREE_OF_SHARD;

/* The load whose loader has been called on this thread and has not returned; NULL: none. Borrowed. */
struct sluice_load *call_current(void);

#endif
