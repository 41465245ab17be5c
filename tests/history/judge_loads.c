/* SPDX-License-Identifier: MIT */
/*
 * judge_loads.c: whether a load might begin (rules 1, 2, 11, 15).
 *
 * The loader is called after the flight has begun, so the flight's begin lies between the get that started it, whose
 * record is `since`, and the record of the load.
 */
#include "judge_internal.h"

/*
 * Rule 1: each of two loads that have not ended has begun; if nothing can have ended or detached a flight since the
 * earlier of both, both are current.
 */
static void judge_one_flight(struct judge *judge, const struct key_state *key, const struct record *record)
{
    if (!table_quiet_since(key, record->begin) || table_may_be_late(judge, record->begin, record->time_ms))
        return;
    judge_count(judge, 1);
    for (uint64_t other = key->loads; other != 0; other = judge_value(judge, other)->next) {
        uint64_t since = judge_value(judge, other)->since;
        if (since != 0 && table_quiet_since(key, since) && !table_may_be_late(judge, since, record->time_ms))
            judge_break(judge, 1, history_key(record), "a load begins while another one is current", since, other,
                        record->begin, record->order);
    }
}

/* Whether the load was to begin whatever is there. */
static bool is_asked_for(const struct record *begin)
{
    return begin->kind == RECORD_REFRESH_BEGIN || (begin->kind == RECORD_GET_BEGIN && begin->how == RECORD_COMPUTE);
}

/*
 * Whether a reload may have been put off to an instant before the next one was due: it was given up, or it had been
 * asked for and met its deadline, perhaps before the loader was called for it.
 */
static bool may_be_put_off(const struct judge *judge, const struct key_state *key, const struct value_note *value)
{
    return !calls_quiet_since(&key->abandons, value->finish) ||
           (judge->history->facts.load_timeout_ms != RECORD_NEVER &&
            !calls_quiet_since(&key->refreshes, value->finish));
}

/* Rules 2 and 11: a load that begins while a fresh value is certainly there is a reload, in time, and has the value. */
static void judge_fresh(struct judge *judge, const struct key_state *key, const struct record *record)
{
    const struct value_note *value;
    unsigned number = history_key(record);
    bool asked = is_asked_for(history_at(judge->history, record->begin));

    if (key->there == 0 || key->there_since >= record->begin)
        return;
    value = judge_value(judge, key->there);
    if (key->seen_since == 0 && table_may_be_late(judge, value->since, record->time_ms))
        return; /* its flight may have met the deadline instead of bringing it */
    if (!table_times_known(key, value))
        return;
    if (value->fresh_ms != JUDGE_FAR && record->time_ms >= value->fresh_ms - JUDGE_MARGIN_MS)
        return;
    judge_count(judge, 2);
    if (!asked && record->time_ms < value->refresh_ms && !may_be_put_off(judge, key, value))
        judge_break(judge, 2, number, "a load begins while a fresh value is there, and no reload is due", key->there,
                    value->finish, record->begin, record->order);
    judge_count(judge, 11);
    if (record->value != key->there)
        judge_break(judge, 11, number, "a reload is not given the value that is there", key->there, value->finish,
                    record->begin, record->order);
    if (!asked && key->backoff_since != 0 && key->backoff_since < record->begin && record->time_ms < key->backoff_ms)
        judge_break(judge, 11, number, "a reload begins too soon after one that failed", key->there, key->backoff_since,
                    record->begin, record->order);
}

/* Whether the old value, if there is one, is one that was brought for the key. */
static bool old_is_known(struct judge *judge, const struct record *record)
{
    if (record->value == 0)
        return true;
    if (judge_has_value(judge, record->value, record->keys, record->order)) {
        warm_meet(judge, record->value, record);
        return true;
    }
    judge_break(judge, 0, history_key(record), "a load is given an old value that nobody brought for its key",
                record->begin, record->order, 0, 0);
    return false;
}

/* Rule 11: what an invalidation or a put had ruled out when the flight began is not given to the loader either. */
static void judge_old_value(struct judge *judge, const struct record *record)
{
    const struct record *begin = history_at(judge->history, record->begin);
    const struct value_note *old;
    const struct get_note *get;
    uint64_t floor;

    if (record->value == 0 || begin->kind != RECORD_GET_BEGIN)
        return;
    old = judge_value(judge, record->value);
    get = judge_get(judge, begin->order);
    floor = old->birth < get->floors.put ? get->floors.put : floors_rule_out(&get->floors, old);
    judge_count(judge, 11);
    if (floor != 0)
        judge_break(judge, 11, history_key(record), "a load is given an old value that had been ruled out",
                    record->value, floor, record->begin, record->order);
}

/* Rule 15: how many loads one call of the loader may be for. */
static void judge_together(struct judge *judge, const struct record *record)
{
    if (record->together < 2)
        return;
    judge_count(judge, 15);
    if (record->together > judge->history->facts.together_max)
        judge_break(judge, 15, history_key(record), "the loader is called for more loads than it may be at once",
                    record->begin, record->order, 0, 0);
}

bool loads_judge(struct judge *judge, const struct record *record)
{
    const struct key_state *key = judge_key(judge, record);

    judge_together(judge, record);
    close_judge_load(judge, record);
    if (!old_is_known(judge, record))
        return false;
    if (record->begin == 0)
        return true;
    judge_one_flight(judge, key, record);
    judge_fresh(judge, key, record);
    judge_old_value(judge, record);
    return true;
}
