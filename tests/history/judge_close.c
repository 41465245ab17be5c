/* SPDX-License-Identifier: MIT */
/*
 * judge_close.c: the close of a cache and its destruction (rule 18), and that another cache is made afterwards.
 *
 * From the begin of the close nothing is certain to be in the table any more; from its return on every get and put is
 * refused, no load is begun, and nobody is given what a load brings.
 */
#include "judge_internal.h"

#include <string.h>

void close_begin(struct judge *judge, const struct record *record)
{
    if (record->kind == RECORD_DESTROY_BEGIN)
        judge->destroyed = record->order;
    if (judge->closing != 0)
        return;
    judge->closing = record->order;
    for (unsigned number = 0; number < RECORD_KEYS_MAX; number++) {
        judge->keys[number].removers++; /* for good */
        judge->keys[number].epoch++;
        judge->keys[number].there = 0;
        judge->keys[number].backoff_since = 0;
    }
}

void close_end(struct judge *judge, const struct record *record)
{
    if (judge->closed == 0)
        judge->closed = record->order;
}

void close_judge_get(struct judge *judge, const struct record *begin, const struct record *record)
{
    if (record->error == RECORD_CLOSED) {
        judge_count(judge, 18);
        if (judge->closing == 0)
            judge_break(judge, 18, history_key(begin), "a get is told that the cache is closed, and it is not",
                        begin->order, record->order, 0, 0);
        return;
    }
    if (judge->closed == 0 || begin->how == RECORD_PEEK)
        return;
    if (begin->order > judge->closed)
        judge_break(judge, 18, history_key(begin), "a get of a closed cache is not refused", judge->closed,
                    begin->order, record->order, 0);
    else if (record->error == RECORD_OK && judge_has_value(judge, record->value, begin->keys, record->order) &&
             judge_value(judge, record->value)->finish > judge->closed)
        judge_break(judge, 18, history_key(begin), "a get is given what a load brought after the close", judge->closed,
                    begin->order, judge_value(judge, record->value)->finish, record->order);
}

void close_judge_call(struct judge *judge, const struct record *begin, const struct record *end)
{
    if (judge->closed == 0 || begin->order < judge->closed)
        return;
    judge_count(judge, 18);
    if (end->error != RECORD_CLOSED)
        judge_break(judge, 18, history_key(begin), "a change of a closed cache is not refused", judge->closed,
                    begin->order, end->order, 0);
}

void close_judge_load(struct judge *judge, const struct record *load)
{
    if (judge->closed != 0 && load->begin > judge->closed)
        judge_break(judge, 18, history_key(load), "a closed cache begins a load", judge->closed, load->begin,
                    load->order, 0);
}

/* A cache that begins with nothing; what is known of values stays. */
void close_create(struct judge *judge, const struct record *record)
{
    for (unsigned number = 0; number < RECORD_KEYS_MAX; number++)
        if (judge->keys[number].loads != 0 || judge->keys[number].parked != 0)
            judge_break(judge, 0, number, "a cache is made while another is still at work", record->order,
                        judge->keys[number].loads, judge->keys[number].parked, 0);
    if (judge->closing != 0)
        sums_at_end(judge);
    warm_create(judge);
    memset(judge->keys, 0, sizeof judge->keys);
    memset(judge->counts, 0, sizeof judge->counts);
    memset(judge->stats, 0, sizeof judge->stats);
    memset(&judge->rest, 0, sizeof judge->rest);
    judge->restarts = judge->unclear = judge->uncounted = 0;
    judge->destroyed = judge->closing = judge->closed = 0;
    judge->file.created = record->order;
}
