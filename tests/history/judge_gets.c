/* SPDX-License-Identifier: MIT */
/* judge_gets.c: whether a get might be given what it was given (rules 2, 3, 4, 7, 11, 12, 13, 19). */
#include "judge_internal.h"

#include <string.h>

/* ---- what a get is given ----------------------------------------------------------------------------------------- */

/* Whether the value is one that was brought for the key; nothing else is judged of one that is not. */
static bool value_is_known(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct record *source;

    judge_count(judge, 0);
    if (record->value != 0 && record->value < record->order) {
        source = history_at(judge->history, record->value);
        if ((source->kind == RECORD_LOAD_BEGIN || source->kind == RECORD_PUT_BEGIN) && source->keys == begin->keys &&
            judge_value(judge, record->value)->brings)
            return true;
    }
    judge_break(judge, 0, history_key(begin), "a get is given a value that nobody brought for its key", begin->order,
                record->order, 0, 0);
    return false;
}

static bool is_reload(const struct judge *judge, uint64_t value)
{
    const struct record *source = history_at(judge->history, value);

    return source->kind == RECORD_LOAD_BEGIN && source->value != 0;
}

/* Rules 3, 4 and 11: nothing from before what had returned when the get began. */
static void judge_age(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct get_note *get = judge_get(judge, begin->order);
    const struct value_note *value = judge_value(judge, record->value);
    uint64_t floor = judge_floor(get->floor_invalidated, get->floor_tags, value->tags);
    bool reload = is_reload(judge, record->value);

    if (floor != 0)
        judge_count(judge, 3);
    if (get->floor_put != 0)
        judge_count(judge, 4);
    if (reload && (floor != 0 || get->floor_put != 0))
        judge_count(judge, 11);
    if (value->birth < floor)
        judge_break(judge, reload ? 11 : 3, history_key(begin),
                    "a get is given a value from before an invalidation that had returned", record->value, floor,
                    begin->order, record->order);
    if (value->birth < get->floor_put)
        judge_break(judge, reload ? 11 : 4, history_key(begin),
                    "a get is given a value from before a put that had returned", record->value, get->floor_put,
                    begin->order, record->order);
}

/* Rule 4: a put releases those who wait, and what it overtook is dropped. */
static void judge_overtaken(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct get_note *get = judge_get(judge, begin->order);
    const struct value_note *value = judge_value(judge, record->value);

    if (value->overtaken != 0)
        judge_break(judge, 4, history_key(begin), "a get is given what a load brought after a put had overtaken it",
                    record->value, value->overtaken, begin->order, record->order);
    if (get->settled_by == 0)
        return;
    judge_count(judge, 4);
    if (value->finish > judge_value(judge, get->settled_by)->ended)
        judge_break(judge, 4, history_key(begin), "a get that had parked before a put was not released by it",
                    begin->order, get->settled_by, value->finish, record->order);
}

/* Rules 12 and 13. */
static void judge_time(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct value_note *value = judge_value(judge, record->value);
    const struct record *brought = history_at(judge->history, value->finish);
    int64_t stale_ms = judge->history->facts.stale_ms;

    if (brought->ttl_ms == 0) {
        judge_count(judge, 13);
        if (record->source == RECORD_HIT || (value->ended != 0 && value->ended < begin->order))
            judge_break(judge, 13, history_key(begin),
                        "a value that is not to be stored is given after its load or put", record->value, value->finish,
                        begin->order, record->order);
        return;
    }
    if (value->gone_ms == JUDGE_FAR || begin->time_ms <= value->gone_ms)
        return;
    judge_count(judge, 12);
    if (!record->stale)
        judge_break(judge, 12, history_key(begin), "a value is given past its time to live, and not marked as stale",
                    record->value, value->finish, begin->order, record->order);
    else if (stale_ms != RECORD_NEVER && begin->time_ms - stale_ms > value->gone_ms)
        judge_break(judge, 12, history_key(begin), "a stale value is given past the times for that", record->value,
                    value->finish, begin->order, record->order);
}

/* Rule 22: what has left can't be hit. */
static void judge_left(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct value_note *value = judge_value(judge, record->value);

    if (value->removed == 0 || value->renewals > 0)
        return;
    judge_count(judge, 22);
    if (value->removed < begin->order && record->source == RECORD_HIT)
        judge_break(judge, 22, history_key(begin), "a value that has left is given from the table", record->value,
                    value->removed, begin->order, record->order);
}

/* ---- what a get must see ----------------------------------------------------------------------------------------- */

/* Rules 2, 4 and 11: a get that begins while a fresh value is certainly there, and stays there, is given it at once. */
static void judge_sight(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct key_state *key = judge_key(judge, begin);
    const struct value_note *value;
    unsigned rule = 2;

    if (key->there == 0 || key->seen_since == 0 || key->seen_since >= begin->order)
        return;
    value = judge_value(judge, key->there);
    if (value->fresh_ms != JUDGE_FAR && record->time_ms >= value->fresh_ms - JUDGE_MARGIN_MS)
        return;
    if (begin->time_ms >= value->refresh_ms)
        rule = 11;
    else if (history_at(judge->history, key->there)->kind == RECORD_PUT_BEGIN)
        rule = 4;
    judge_count(judge, rule);
    if (record->kind != RECORD_GET_END || record->error != RECORD_OK || record->source != RECORD_HIT ||
        record->value != key->there || record->stale)
        judge_break(judge, rule, history_key(begin), "a get is not given the fresh value that is there", key->there,
                    value->finish, begin->order, record->order);
}

/* Rules 3 and 4: a not-found that is remembered is an answer like any other. */
static void judge_not_found(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct key_state *key = judge_key(judge, begin);
    const struct get_note *get = judge_get(judge, begin->order);
    bool invalidated = key->not_found_birth < get->floor_invalidated;

    judge_count(judge, 3);
    if (invalidated || key->not_found_birth < get->floor_put)
        judge_break(judge, invalidated ? 3 : 4, history_key(begin),
                    "a get is given a not-found that had been ruled out", key->not_found_birth,
                    invalidated ? get->floor_invalidated : get->floor_put, begin->order, record->order);
}

/* ---- the life of a get ------------------------------------------------------------------------------------------- */

void gets_begin(struct judge *judge, const struct record *record)
{
    const struct key_state *key = judge_key(judge, record);

    *judge_get(judge, record->order) = (struct get_note){
        .floor_invalidated = key->floor_invalidated,
        .floor_put = key->floor_put,
        .epoch = key->epoch,
        .quiet = key->removers == 0,
    };
    memcpy(judge_get(judge, record->order)->floor_tags, key->floor_tags, sizeof key->floor_tags);
    judge->counts[RECORD_STAT_GETS]++;
}

void gets_parked(struct judge *judge, const struct record *record)
{
    const struct record *begin = history_at(judge->history, record->begin);
    struct key_state *key = judge_key(judge, begin);
    struct get_note *get = judge_get(judge, begin->order);

    get->parked = record->order;
    judge_sight(judge, begin, record);
    if (get->told == 0 && get->cancelled == 0) {
        get->next = key->parked;
        key->parked = begin->order;
    }
}

static void parked_unlink(struct judge *judge, struct key_state *key, uint64_t get)
{
    uint64_t *link = &key->parked;

    while (*link != 0 && *link != get)
        link = &judge_get(judge, *link)->next;
    if (*link == get)
        *link = judge_get(judge, get)->next;
}

/* A put has returned: those who had parked before it began, on a flight that nobody can have detached, are released. */
void gets_settle(struct judge *judge, struct key_state *key, uint64_t put)
{
    if (key->invalidations.open > 0)
        return;
    for (uint64_t order = key->parked; order != 0; order = judge_get(judge, order)->next) {
        struct get_note *get = judge_get(judge, order);
        if (get->settled_by == 0 && get->parked < put && key->invalidations.last_end < order)
            get->settled_by = put;
    }
}

static void count_outcome(struct judge *judge, const struct record *record)
{
    uint64_t *counts = judge->counts;

    if (record->source == RECORD_HIT)
        counts[RECORD_STAT_HITS]++;
    else
        counts[RECORD_STAT_MISSES]++;
    if (record->source == RECORD_COALESCED)
        counts[RECORD_STAT_COALESCED]++;
    if (record->stale)
        counts[RECORD_STAT_STALE]++;
    if (record->error == RECORD_REFUSED)
        counts[RECORD_STAT_REFUSED]++;
    if (record->error == RECORD_TIMED_OUT)
        counts[RECORD_STAT_WAITS_TIMED_OUT]++;
}

/* Rules 7 and 19: a callback runs once, and not after the get was cancelled. */
static void judge_callback(struct judge *judge, const struct record *begin, const struct record *record)
{
    struct get_note *get = judge_get(judge, begin->order);

    judge_count(judge, 19);
    if (get->told != 0)
        judge_break(judge, 19, history_key(begin), "a callback runs twice", begin->order, get->told, record->order, 0);
    if (get->cancelled != 0)
        judge_break(judge, 7, history_key(begin), "a callback runs after its get was cancelled", begin->order,
                    get->cancelled, record->order, 0);
    get->told = record->order;
    parked_unlink(judge, judge_key(judge, begin), begin->order);
}

void gets_outcome(struct judge *judge, const struct record *record)
{
    const struct record *begin = history_at(judge->history, record->begin);

    if (record->kind == RECORD_CALLBACK)
        judge_callback(judge, begin, record);
    else
        judge_sight(judge, begin, record);
    count_outcome(judge, record);
    if (record->error == RECORD_NOT_FOUND && record->source == RECORD_HIT)
        judge_not_found(judge, begin, record);
    if (record->error != RECORD_OK || !value_is_known(judge, begin, record))
        return;
    judge_age(judge, begin, record);
    judge_overtaken(judge, begin, record);
    judge_time(judge, begin, record);
    judge_left(judge, begin, record);
    if (record->source == RECORD_HIT)
        table_hit(judge, begin, record);
}

void gets_cancel_end(struct judge *judge, const struct record *record)
{
    const struct record *cancel = history_at(judge->history, record->begin);
    const struct record *begin = history_at(judge->history, cancel->begin);
    struct get_note *get = judge_get(judge, begin->order);

    if (record->error != RECORD_OK)
        return;
    judge_count(judge, 7);
    judge->counts[RECORD_STAT_WAITS_CANCELLED]++;
    judge->counts[RECORD_STAT_MISSES]++;
    judge->counts[RECORD_STAT_COALESCED] += !get->led; /* it was parked: it led or followed */
    if (get->told != 0 || get->cancelled != 0)
        judge_break(judge, 7, history_key(begin), "a get is cancelled that was told, or cancelled, before",
                    begin->order, get->told != 0 ? get->told : get->cancelled, cancel->order, record->order);
    if (get->settled_by != 0 && judge_value(judge, get->settled_by)->ended < cancel->order)
        judge_break(judge, 4, history_key(begin), "a get that had parked before a put was not released by it",
                    begin->order, get->settled_by, cancel->order, record->order);
    get->cancelled = record->order;
    parked_unlink(judge, judge_key(judge, begin), begin->order);
}

void gets_at_end(struct judge *judge)
{
    for (uint64_t order = 1; order <= judge->history->count; order++) {
        const struct record *record = history_at(judge->history, order);
        const struct get_note *get;
        if (record->kind != RECORD_GET_PARKED)
            continue;
        get = judge_get(judge, record->begin);
        if (get->told == 0 && get->cancelled == 0)
            judge_break(judge, 19, history_key(history_at(judge->history, record->begin)), "a callback never ran",
                        record->begin, record->order, 0, 0);
    }
}
