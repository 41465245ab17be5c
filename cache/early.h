/* SPDX-License-Identifier: MIT */
/*
 * early.h: whether a value is loaded anew before it expires, so that it never does under load (XFetch; Vattani,
 * Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", 2015). Each hit draws: the nearer the
 * expiry and the dearer the load, the likelier; nobody has to know of the others.
 */
#ifndef CACHE_EARLY_H
#define CACHE_EARLY_H

#include "chance.h"

#include <stdbool.h>
#include <stdint.h>

#define EARLY_ONE (INT64_C(1) << 32) /* 1.0 of early_minus_log() */

/* -ln(u) where u is (bits + 1) / 2^64, in parts of EARLY_ONE; to about 1e-6. No floating point. */
int64_t early_minus_log(uint64_t bits);

/*
 * Whether left_ms before its expiry a value whose load took cost_ms is to be loaded anew: cost * percent/100 * -ln(u)
 * >= left, with a u drawn from `chance`. Draws nothing, and says no, where no u could make it true.
 */
bool early_is_due(uint32_t cost_ms, unsigned percent, int64_t left_ms, struct chance *chance);

#endif
