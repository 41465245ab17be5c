/* SPDX-License-Identifier: MIT */
/* sluice/look.h: statistics, and views of the entries and of the loads in flight. Part of sluice/cache.h. */
#ifndef SLUICE_LOOK_H
#define SLUICE_LOOK_H

#include <sluice/outcome.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sluice_cache;

/*
 * Every counter, its description, and whether it is a total that only grows or a level of the moment: the struct, the
 * metrics and their help are made from this list. The totals add up (rule 23):
 *     gets = hits + misses
 *     loads = loads_completed + loads_failed + loads_not_found + loads_dropped + loads_in_flight
 */
#define SLUICE_STATS(TOTAL, LEVEL)                                                                                     \
    TOTAL(gets, "Gets of all kinds")                                                                                   \
    TOTAL(hits, "Gets answered from the table, remembered not-founds and failures included")                           \
    TOTAL(stale, "Gets given a stale value, hits or not")                                                              \
    TOTAL(misses, "Gets that were not")                                                                                \
    TOTAL(coalesced, "Misses that joined a load in flight")                                                            \
    TOTAL(refused, "Misses refused because a bound was reached")                                                       \
    TOTAL(circular, "Misses refused because they would have waited for themselves")                                    \
    TOTAL(waits_timed_out, "Waits that ran out of time")                                                               \
    TOTAL(waits_cancelled, "Waits that were cancelled")                                                                \
    TOTAL(loads, "Loads started")                                                                                      \
    TOTAL(refreshes, "Of the loads, those no get began: reloads, and loads that were restarted")                       \
    TOTAL(loads_completed, "Loads that brought a value")                                                               \
    TOTAL(loads_failed, "Loads that failed, were refused by the loader, or brought what could not be taken")           \
    TOTAL(loads_refused, "Of the failed loads, those refused because a bound before the backend was reached")          \
    TOTAL(loads_not_found, "Loads that found no value")                                                                \
    TOTAL(loads_dropped, "Loads whose result nobody could be given any more: a put, the deadline, the close, ...")     \
    TOTAL(loads_timed_out, "Loads that ran over their deadline; they are counted again when they end")                 \
    TOTAL(loads_detached, "Loads in flight that an invalidation detached")                                             \
    TOTAL(load_time_ms, "Time from start to end of all ended loads, in milliseconds")                                  \
    TOTAL(puts, "Puts that took place, of values not to be stored too")                                                \
    TOTAL(evicted, "Entries that left because the cache was full")                                                     \
    TOTAL(shrinks, "Times that the cache was shrunk, as under memory pressure")                                        \
    TOTAL(shrunk, "Entries that those chose to evict")                                                                 \
    TOTAL(expired, "Entries that left because their time to live was over")                                            \
    TOTAL(invalidated, "Entries that left by invalidation, or became stale by a soft one")                             \
    LEVEL(loads_in_flight, "Loads that have started and not ended")                                                    \
    LEVEL(waiters, "Gets parked on loads in flight")                                                                   \
    LEVEL(waiters_most, "The most gets that ever were parked at once")                                                 \
    LEVEL(entries, "Entries stored")                                                                                   \
    LEVEL(weight, "Weight of the entries stored: bytes of key, value and overhead, or what the weigher said")          \
    LEVEL(limit, "Entries or weight that the cache keeps to: its maximum, or the share of it that pressure leaves")

/*
 * How long ended loads took, from start to end: load_times[i] counts those under 2^i milliseconds that are not counted
 * before, the last one all that took longer. Together they are as many as loads less loads_in_flight.
 */
#define SLUICE_LOAD_TIMES              18

#define SLUICE_STATS_FIELD(name, text) uint64_t name;
struct sluice_stats {
    SLUICE_STATS(SLUICE_STATS_FIELD, SLUICE_STATS_FIELD)
    uint64_t load_times[SLUICE_LOAD_TIMES];
};
#undef SLUICE_STATS_FIELD

/* Sums up the shards, each as it is at one instant: the sums of rule 23 hold at every call. */
SLUICE_API void sluice_cache_stats(struct sluice_cache *cache, struct sluice_stats *stats);

/* A stored entry. Borrowed for the visit; sluice_value_ref() to keep the value. */
struct sluice_entry_view {
    const void *key;
    size_t key_size;
    enum sluice_error error;    /* SLUICE_OK, or what is remembered: SLUICE_NOT_FOUND or a failure */
    struct sluice_value *value; /* or NULL */
    int64_t age_ms;
    int64_t ttl_ms;  /* until it expires, if it is not read; SLUICE_NEVER: does not expire; 0: stale */
    uint64_t weight; /* as sluice_stats counts it; 0: pinned */
};

/*
 * Visits a snapshot of the entries: each shard as it is at one instant, one shard after the other, with no lock held
 * during a visit; needs the memory for one shard's keys. What no get is given any more is left out. `visit` returns
 * false to stop. Errors: SLUICE_NO_MEMORY (some shards may have been visited).
 */
SLUICE_API enum sluice_error sluice_cache_for_each(struct sluice_cache *cache,
                                                   bool (*visit)(void *arg, const struct sluice_entry_view *entry),
                                                   void *arg) SLUICE_CHECK_RESULT;

/*
 * Visits up to `limit` entries in the order in which the cache would evict them if nothing were stored or used from now
 * on, or the other way round. The order is the eviction policy's own, an estimate: it knows of each shard what has been
 * used since it last looked, and since when the rest is there; of the shards one entry is taken of each in turn. What
 * is pinned or is being evicted has no place in it, and what no get is given any more is left out. Counts as no use.
 *
 * A snapshot as of sluice_cache_for_each(), with no lock held during a visit; looks at all entries of a shard, and
 * needs the memory for `limit` keys of each shard. `visit` returns false to stop. Errors: SLUICE_NO_MEMORY (nothing was
 * visited).
 */
SLUICE_API enum sluice_error sluice_cache_for_each_coldest(struct sluice_cache *cache, size_t limit,
                                                           bool (*visit)(void *arg,
                                                                         const struct sluice_entry_view *entry),
                                                           void *arg) SLUICE_CHECK_RESULT;
SLUICE_API enum sluice_error sluice_cache_for_each_hottest(struct sluice_cache *cache, size_t limit,
                                                           bool (*visit)(void *arg,
                                                                         const struct sluice_entry_view *entry),
                                                           void *arg) SLUICE_CHECK_RESULT;

/* Where a load in flight stands. */
#define SLUICE_FLIGHT_STATES(X)                                                                                        \
    X(SLUICE_FLIGHT_CURRENT, "current")   /* gets of its key join it */                                                \
    X(SLUICE_FLIGHT_DETACHED, "detached") /* invalidated: only those that are parked get its outcome */                \
    X(SLUICE_FLIGHT_OVER, "over")         /* nobody waits or can join; the backend call has not ended yet */

#define SLUICE_FLIGHT_STATE_NAME(name, text) name,
enum sluice_flight_state { SLUICE_FLIGHT_STATES(SLUICE_FLIGHT_STATE_NAME) };
#undef SLUICE_FLIGHT_STATE_NAME

/* The state in a word. Static. */
SLUICE_API const char *sluice_flight_state_name(enum sluice_flight_state state);

/* A load in flight. Borrowed for the visit. */
struct sluice_flight_view {
    const void *key;
    size_t key_size;
    int64_t age_ms; /* since the load began */
    size_t waiters; /* parked on it now, the leader included */
    enum sluice_flight_state state;
};

/* Visits the loads in flight, as sluice_cache_for_each() does the entries. */
SLUICE_API enum sluice_error sluice_cache_for_each_flight(struct sluice_cache *cache,
                                                          bool (*visit)(void *arg,
                                                                        const struct sluice_flight_view *flight),
                                                          void *arg) SLUICE_CHECK_RESULT;

#ifdef __cplusplus
}
#endif

#endif
