/* SPDX-License-Identifier: MIT */
/*
 * judge_gets.c: whether a get might be given what it was given (rules 2, 3, 4, 7, 8, 11, 12, 13, 14, 19, 22).
 */
#include "judge_internal.h"

/* ---- what a get is given ----------------------------------------------------------------------------------------- */

static bool is_of_bulk(const struct record *begin)
{
    return begin->how == RECORD_BULK || begin->how == RECORD_BULK_ASYNC;
}

/* Whether the value is one that was brought for the key; nothing else is judged of one that is not. */
static bool value_is_known(struct judge *judge, const struct record *begin, const struct record *record)
{
    judge_count(judge, 0);
    if (judge_has_value(judge, record->value, begin->keys, record->order)) {
        warm_meet(judge, record->value, record);
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
    const struct floors *floors = &judge_get(judge, begin->order)->floors;
    const struct value_note *value = judge_value(judge, record->value);
    uint64_t floor = floors_rule_out(floors, value), soft = floors_make_stale(floors, value);
    bool reload = is_reload(judge, record->value), concerned = floors_concern(floors, value->tags);

    if (concerned)
        judge_count(judge, 3);
    if (floors->put != 0)
        judge_count(judge, 4);
    if (reload && (concerned || floors->put != 0))
        judge_count(judge, 11);
    if (floor != 0)
        judge_break(judge, reload ? 11 : 3, history_key(begin),
                    "a get is given a value from before an invalidation that had returned", record->value, floor,
                    begin->order, record->order);
    if ((soft != 0 || (value->made_stale && value->renewals == 0)) && (!record->stale || value->dead))
        judge_break(judge, reload ? 11 : 3, history_key(begin),
                    "a get is given a value that was to be stale, and is not marked so", record->value, soft,
                    begin->order, record->order);
    if (value->birth < floors->put || value->refused)
        judge_break(judge, reload ? 11 : 4, history_key(begin),
                    value->refused ? "a get is given the value of a put that did not store it"
                                   : "a get is given a value from before a put that had returned",
                    record->value, floors->put, begin->order, record->order);
}

/* The rule of a put, or of a load that is given up. */
static unsigned rule_of(const struct judge *judge, uint64_t by)
{
    return history_at(judge->history, by)->kind == RECORD_PUT_BEGIN ? 4 : 8;
}

/*
 * Rules 4 and 8: a put, and the giving up of a load, release those who wait, and what they overtook is dropped. The
 * latter are not given what was brought later.
 */
static void judge_overtaken(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct get_note *get = judge_get(judge, begin->order);
    const struct value_note *value = judge_value(judge, record->value);

    if (value->overtaken != 0)
        judge_break(judge, rule_of(judge, value->overtaken), history_key(begin),
                    "a get is given what a load brought after it had been overtaken", record->value, value->overtaken,
                    begin->order, record->order);
    if (get->settled_by == 0)
        return;
    judge_count(judge, rule_of(judge, get->settled_by));
    if (value->finish > judge_value(judge, get->settled_by)->ended)
        judge_break(judge, rule_of(judge, get->settled_by), history_key(begin),
                    "a get that had parked was not released by what overtook its load", begin->order, get->settled_by,
                    value->finish, record->order);
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
    if (value->gone_ms == JUDGE_FAR || begin->time_ms <= value->gone_ms ||
        !table_times_known(judge_key(judge, begin), value))
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

/*
 * Rules 2, 4, 11 and 14: a get that begins while a fresh value is certainly there, and stays there, is given it at
 * once; of a bulk, with the others.
 */
static void judge_sight(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct key_state *key = judge_key(judge, begin);
    const struct value_note *value;
    unsigned rule = 2;

    if (begin->how == RECORD_COMPUTE || begin->how == RECORD_PEEK)
        return; /* the one waits for its load, and the other for its put */
    if (key->there == 0 || key->seen_since == 0 || key->seen_since >= begin->order)
        return;
    value = judge_value(judge, key->there);
    if (!table_times_known(key, value))
        return;
    if (value->fresh_ms != JUDGE_FAR && record->time_ms >= value->fresh_ms - JUDGE_MARGIN_MS)
        return;
    if (begin->time_ms >= value->refresh_ms)
        rule = 11;
    else if (history_at(judge->history, key->there)->kind == RECORD_PUT_BEGIN)
        rule = 4;
    judge_count(judge, rule);
    if (is_of_bulk(begin))
        judge_count(judge, 14);
    if (record->kind == RECORD_GET_PARKED || record->error != RECORD_OK || record->source != RECORD_HIT ||
        record->value != key->there || record->stale)
        judge_break(judge, rule, history_key(begin), "a get is not given the fresh value that is there", key->there,
                    value->finish, begin->order, record->order);
}

/* Rules 3 and 4: a not-found that is remembered is an answer like any other. */
static void judge_not_found(struct judge *judge, const struct record *begin, const struct record *record)
{
    const struct key_state *key = judge_key(judge, begin);
    const struct floors *floors = &judge_get(judge, begin->order)->floors;
    uint64_t floor = floors_rule_out_nothing(floors, key->not_found_birth);

    judge_count(judge, 3);
    if (floor != 0 || key->not_found_birth < floors->put)
        judge_break(judge, floor != 0 ? 3 : 4, history_key(begin), "a get is given a not-found that had been ruled out",
                    key->not_found_birth, floor != 0 ? floor : floors->put, begin->order, record->order);
}

/* ---- the life of a get ------------------------------------------------------------------------------------------- */

static bool is_counted(const struct record *begin)
{
    return begin->how != RECORD_COMPUTE && begin->how != RECORD_PEEK;
}

void gets_begin(struct judge *judge, const struct record *record)
{
    const struct key_state *key = judge_key(judge, record);

    *judge_get(judge, record->order) = (struct get_note){
        .floors = key->floors,
        .epoch = key->epoch,
        .quiet = key->removers == 0,
    };
    judge->counts[RECORD_STAT_GETS] += is_counted(record);
}

void gets_parked(struct judge *judge, const struct record *record)
{
    const struct record *begin = history_at(judge->history, record->begin);
    struct key_state *key = judge_key(judge, begin);
    struct get_note *get = judge_get(judge, begin->order);

    get->parked = record->order;
    if (!is_of_bulk(begin)) /* of those some may be answered, which is told with the others */
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

/*
 * A put has returned, or the giving up of a load: those who had parked before it began, on a flight that nobody can
 * have detached, are released.
 */
void gets_settle(struct judge *judge, const struct key_state *key, uint64_t by)
{
    for (uint64_t order = key->parked; order != 0; order = judge_get(judge, order)->next) {
        struct get_note *get = judge_get(judge, order);
        if (get->settled_by == 0 && get->parked < by && calls_quiet_since(&key->invalidations, order) &&
            calls_quiet_since(&key->abandons, order))
            get->settled_by = by;
    }
}

static void count_outcome(struct judge *judge, const struct record *begin, const struct record *record)
{
    uint64_t *counts = judge->counts;

    if (!is_counted(begin)) {
        judge->uncounted += record->error == RECORD_TIMED_OUT;
        return;
    }
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
    if (is_of_bulk(begin))
        judge_sight(judge, begin, record);
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
    count_outcome(judge, begin, record);
    close_judge_get(judge, begin, record);
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

/* It was parked: it led or followed. But of a bulk it may have been answered, and in a batch nobody knows who leads. */
static void count_cancelled(struct judge *judge, const struct record *begin, const struct get_note *get)
{
    if (is_of_bulk(begin) || judge->history->facts.batches) {
        judge->unclear++;
        return;
    }
    judge->counts[RECORD_STAT_WAITS_CANCELLED]++;
    judge->counts[RECORD_STAT_MISSES]++;
    judge->counts[RECORD_STAT_COALESCED] += !get->led;
}

void gets_cancel_end(struct judge *judge, const struct record *record)
{
    const struct record *cancel = history_at(judge->history, record->begin);
    const struct record *begin = history_at(judge->history, cancel->begin);
    struct get_note *get = judge_get(judge, begin->order);

    if (record->error != RECORD_OK)
        return;
    judge_count(judge, 7);
    count_cancelled(judge, begin, get);
    if (get->told != 0 || get->cancelled != 0)
        judge_break(judge, 7, history_key(begin), "a get is cancelled that was told, or cancelled, before",
                    begin->order, get->told != 0 ? get->told : get->cancelled, cancel->order, record->order);
    if (get->settled_by != 0 && judge_value(judge, get->settled_by)->ended < cancel->order && !is_of_bulk(begin))
        judge_break(judge, rule_of(judge, get->settled_by), history_key(begin),
                    "a get that had parked was not released by what overtook its load", begin->order, get->settled_by,
                    cancel->order, record->order);
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
