/* SPDX-License-Identifier: MIT */
/* sums.h: the sums that the counters of a cache promise (rule 23), checked at the end of every test and in between. */
#ifndef TESTS_SUMS_H
#define TESTS_SUMS_H

#include <sluice/cache.h>

/* Whether the sums hold; if not, says on stderr which does not. Any thread. */
bool sums_hold(const struct sluice_stats *stats);

/* Fails the test unless the sums hold and nothing is parked or in flight. */
void sums_assert_idle(struct sluice_cache *cache);

#endif
