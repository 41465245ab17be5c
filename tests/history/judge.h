/* SPDX-License-Identifier: MIT */
/*
 * judge.h: whether a history keeps the rules of docs/contract.md. Knows the log alone and nothing of the cache.
 *
 * One pass over the records in their order, with what is certain at that point kept for each key. What overlaps is
 * never called wrong: a rule is broken only if it is so wherever in the calls their effects lay. What is judged:
 *
 * - 0: a value that is nobody's or another key's is given.
 * - 1: a load begins while another of its key has not ended, and no put, invalidation, deadline or giving up can have
 *   parted them. A computation is a load like any other.
 * - 2: a load begins, or a get misses, while a fresh value was certainly there: given, loaded or put, and nothing since
 *   that can have taken it away. The instant in which the flight gives way to the value is included. Not judged where
 *   the cache evicts, nor within JUDGE_MARGIN_MS of the value's expiry.
 * - 3: a get is given a value whose load had begun, or whose put had ended, when an invalidation was called that had
 *   returned before the get began; or a remembered not-found of before. An invalidation of a tag concerns the values
 *   that have it, and no not-founds; one of what was chosen concerns what had been stored when it was called. After a
 *   soft one the value may be given as stale, if it had been stored, and as fresh once a later load has renewed it. A
 *   file that was saved may not bring any of that to the next cache, where its values count as put when the load of the
 *   file was called.
 * - 4: likewise, for a put; a put that returned is not seen; a waiter that had parked before a put is let wait on, or
 *   given what came after it; the result of an overtaken load is given. A put on a condition that is known to hold, or
 *   not, does otherwise, or one that was refused is given.
 * - 7: a get is told, or cancelled, after it was cancelled.
 * - 8: a load that was given up lets wait on those who had parked; what it brings, or a load that was restarted, is
 *   given to anybody.
 * - 11: as 2, 3 and 4, where a reload does it: after a failed one it begins too soon, or is not given the old value, or
 *   one that an invalidation ruled out; or a get past the refresh time is not answered at once. A computation is given
 *   the old value too.
 * - 12: a value is given past its time to live without its mark, or past the times in which it may be given stale; or
 *   the time of a fresh one can't be changed.
 * - 13: a value that is not to be stored comes from the table, or to a get that began after its load or put had ended.
 * - 14: a bulk get breaks any rule for one of its keys; in particular it misses what is there (told as rule 2, 4 or
 *   11).
 * - 15: the loader is called for more loads at once than it may be.
 * - 18: after a close has returned a get or a change is not refused, a load begins, or somebody is given what a load
 *   brought; or a get is told of a close that was not.
 * - 19: a callback runs twice, or never.
 * - 22: a value that was stored leaves other than once; one that was not stored leaves; a cause that can't be. The
 *   listener is told twice that it will, or of what others take away, or once it has left by itself.
 * - 23: a counter differs from what the log counts.
 *
 * The cache may not cancel loads whose last waiter has left: the log does not say so.
 */
#ifndef TESTS_JUDGE_H
#define TESTS_JUDGE_H

#include "history.h"

#define JUDGE_RULES_MAX 24
#define JUDGE_MARGIN_MS 50
#define JUDGE_SHOWN_MAX 4

struct verdict {
    bool broken;
    unsigned rule;
    unsigned key;
    const char *why;
    uint64_t shown[JUDGE_SHOWN_MAX];  /* the records that show it; 0: none */
    uint64_t judged[JUDGE_RULES_MAX]; /* how often each rule could have been broken */
};

/* Judges until the first rule that is broken. False: out of memory. */
bool judge_history(const struct history *history, struct verdict *verdict);

/* Tells the verdict: what was judged, and the broken rule with its records. */
void judge_print(const struct history *history, const struct verdict *verdict, FILE *out);

/* The first rule that the log's facts ask for and that was never judged; 0: none. */
unsigned judge_missing(const struct history *history, const struct verdict *verdict);

#endif
