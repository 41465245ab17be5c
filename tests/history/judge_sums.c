/* SPDX-License-Identifier: MIT */
/*
 * judge_sums.c: the cache's counters against what the log counts (rule 23). They are read once all is at rest.
 *
 * What the log can't tell: as what a get was counted that was cancelled with its bulk, or while it waited in a batch;
 * loads in the background that nobody wanted any more when the loader was to be called: these are counted as started
 * and dropped; whether a load in the background is a refresh, or a flight that goes on with another load, or was
 * batched, which are none; and whether a computation whose time ran out had been waiting for another load.
 */
#include "judge_internal.h"

#include <string.h>

void sums_stat(struct judge *judge, const struct record *record)
{
    if (!judge->rest.told) {
        memcpy(judge->rest.counts, judge->counts, sizeof judge->rest.counts);
        judge->rest.restarts = judge->restarts;
        judge->rest.unclear = judge->unclear;
        judge->rest.uncounted = judge->uncounted;
        judge->rest.told = true;
    }
    judge->stats[record->how] = record->order;
}

/* The counter as the cache told it. */
static uint64_t stat_told(const struct judge *judge, unsigned stat)
{
    return judge->stats[stat] == 0 ? 0 : history_at(judge->history, judge->stats[stat])->value;
}

/* The counters of which the log can't tell which one a get moved. */
static bool stat_is_of_gets(unsigned stat)
{
    return stat == RECORD_STAT_HITS || stat == RECORD_STAT_STALE || stat == RECORD_STAT_MISSES ||
           stat == RECORD_STAT_COALESCED || stat == RECORD_STAT_REFUSED || stat == RECORD_STAT_WAITS_TIMED_OUT ||
           stat == RECORD_STAT_WAITS_CANCELLED;
}

/* How far above the log's count the counter may be. */
static uint64_t stat_slack(const struct judge *judge, unsigned stat)
{
    if (stat == RECORD_STAT_LOADS || stat == RECORD_STAT_REFRESHES)
        return stat_told(judge, RECORD_STAT_LOADS_DROPPED);
    if (!stat_is_of_gets(stat))
        return 0;
    return judge->rest.unclear + (stat == RECORD_STAT_WAITS_TIMED_OUT ? judge->rest.uncounted : 0);
}

/* How far below it. */
static uint64_t stat_slack_below(const struct judge *judge, unsigned stat)
{
    if (stat != RECORD_STAT_REFRESHES)
        return 0;
    return judge->history->facts.batches ? judge->rest.counts[stat] : judge->rest.restarts;
}

/* The ways in which loads end; what came too late is counted as dropped, and not as how it ended. */
static bool stat_is_of_ended_loads(unsigned stat)
{
    return stat == RECORD_STAT_LOADS_COMPLETED || stat == RECORD_STAT_LOADS_FAILED ||
           stat == RECORD_STAT_LOADS_NOT_FOUND;
}

static bool stat_is_right(const struct judge *judge, unsigned stat)
{
    uint64_t told = stat_told(judge, stat), count = judge->rest.counts[stat];

    if (stat == RECORD_STAT_LOADS_DROPPED)
        return true; /* by the sum */
    if (stat_is_of_ended_loads(stat))
        return told <= count;
    return told + stat_slack_below(judge, stat) >= count && told <= count + stat_slack(judge, stat);
}

void sums_at_end(struct judge *judge)
{
    uint64_t ended = stat_told(judge, RECORD_STAT_LOADS_COMPLETED) + stat_told(judge, RECORD_STAT_LOADS_FAILED) +
                     stat_told(judge, RECORD_STAT_LOADS_NOT_FOUND) + stat_told(judge, RECORD_STAT_LOADS_DROPPED);

    if (judge->stats[RECORD_STAT_GETS] != 0 && judge->stats[RECORD_STAT_MISSES] != 0 &&
        stat_told(judge, RECORD_STAT_HITS) + stat_told(judge, RECORD_STAT_MISSES) != stat_told(judge, RECORD_STAT_GETS))
        judge_break(judge, 23, 0, "hits and misses do not add up to the gets", judge->stats[RECORD_STAT_GETS],
                    judge->stats[RECORD_STAT_HITS], judge->stats[RECORD_STAT_MISSES], 0);
    for (unsigned stat = 0; stat < RECORD_STATS_COUNT; stat++) {
        if (judge->stats[stat] == 0)
            continue;
        judge_count(judge, 23);
        if (!stat_is_right(judge, stat))
            judge_break(judge, 23, 0, "a counter is not what the log counts", judge->stats[stat], 0, 0, 0);
    }
    if (judge->stats[RECORD_STAT_LOADS] != 0 && ended != stat_told(judge, RECORD_STAT_LOADS))
        judge_break(judge, 23, 0, "the ways in which loads ended do not add up to the loads",
                    judge->stats[RECORD_STAT_LOADS], judge->stats[RECORD_STAT_LOADS_COMPLETED],
                    judge->stats[RECORD_STAT_LOADS_FAILED], judge->stats[RECORD_STAT_LOADS_DROPPED]);
}
