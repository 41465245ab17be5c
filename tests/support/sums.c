/* SPDX-License-Identifier: MIT */
/* sums.c: see sums.h. */
#include "sums.h"

#include "test.h"

#include <inttypes.h>
#include <stdio.h>

bool sums_hold(const struct sluice_stats *stats)
{
    uint64_t gets = stats->hits + stats->misses;
    uint64_t loads = stats->loads_completed + stats->loads_failed + stats->loads_not_found + stats->loads_dropped +
                     stats->loads_in_flight;
    bool hold = true;

    if (stats->gets != gets) {
        fprintf(stderr, "sums: gets %" PRIu64 ", hits + misses %" PRIu64 "\n", stats->gets, gets);
        hold = false;
    }
    if (stats->loads != loads) {
        fprintf(stderr,
                "sums: loads %" PRIu64 ", completed %" PRIu64 " + failed %" PRIu64 " + not found %" PRIu64
                " + dropped %" PRIu64 " + in flight %" PRIu64 "\n",
                stats->loads, stats->loads_completed, stats->loads_failed, stats->loads_not_found, stats->loads_dropped,
                stats->loads_in_flight);
        hold = false;
    }
    if (stats->misses < stats->coalesced + stats->refused) {
        fprintf(stderr, "sums: misses %" PRIu64 ", coalesced %" PRIu64 " + refused %" PRIu64 "\n", stats->misses,
                stats->coalesced, stats->refused);
        hold = false;
    }
    return hold;
}

void sums_assert_idle(struct sluice_cache *cache)
{
    struct sluice_stats stats;
    sluice_cache_stats(cache, &stats);
    assert_true(sums_hold(&stats));
    assert_int_equal(stats.waiters, 0);
    assert_int_equal(stats.loads_in_flight, 0);
}
