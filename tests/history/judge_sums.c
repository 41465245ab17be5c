/* SPDX-License-Identifier: MIT */
/* judge_sums.c: the cache's counters against what the log counts (rule 23). They are read once all is at rest. */
#include "judge_internal.h"

/* The calls of loaders that have ended, in all ways; the kinds add up to it. */
static bool stat_is_of_ended_loads(unsigned stat)
{
    return stat == RECORD_STAT_LOADS_COMPLETED || stat == RECORD_STAT_LOADS_FAILED ||
           stat == RECORD_STAT_LOADS_NOT_FOUND || stat == RECORD_STAT_LOADS_DROPPED;
}

/* Gets that were cancelled may have followed a load or led one: the log does not say. */
static bool stat_is_right(const struct judge *judge, unsigned stat, uint64_t counted)
{
    const uint64_t *counts = judge->counts;

    if (stat == RECORD_STAT_COALESCED)
        return counted >= counts[stat] && counted <= counts[stat] + counts[RECORD_STAT_WAITS_CANCELLED];
    return counted == counts[stat];
}

void sums_stat(struct judge *judge, const struct record *record)
{
    judge_count(judge, 23);
    if (judge->stats_at == 0)
        judge->stats_at = record->order;
    if (stat_is_of_ended_loads(record->how)) {
        judge->ended_loads += record->value;
        judge->ended_kinds++;
        if (record->how != RECORD_STAT_LOADS_DROPPED && record->value > judge->counts[record->how])
            judge_break(judge, 23, 0, "more loads are counted than ended so", record->order, 0, 0, 0);
        if (judge->ended_kinds == 4 && judge->ended_loads != judge->counts[RECORD_STAT_LOADS])
            judge_break(judge, 23, 0, "the ways in which loads ended do not add up to the loads", judge->stats_at,
                        record->order, 0, 0);
        return;
    }
    if (!stat_is_right(judge, record->how, record->value))
        judge_break(judge, 23, 0, "a counter is not what the log counts", record->order, 0, 0, 0);
}
