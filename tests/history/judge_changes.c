/* SPDX-License-Identifier: MIT */
/*
 * judge_changes.c: what callers do to a key by themselves: puts (rule 4), changes of a time to live (rule 12), and
 * loads that are abandoned (rule 8).
 */
#include "judge_internal.h"

/* ---- what was there before --------------------------------------------------------------------------------------- */

/* The begin of a call that may leave the value that is there, and asks what it is. */
static void look_begin(struct judge *judge, struct key_state *key, struct value_note *note)
{
    if (key->seen_since != 0)
        note->before = key->there;
    note->reload = note->before == 0 ? 0 : judge_value(judge, note->before)->reloads;
    table_call_begin(key, note);
}

/* What was there all the while, fresh, with nobody else about; 0: not known. `alone` as table_call_end() told. */
static uint64_t look_end(struct judge *judge, const struct key_state *key, const struct value_note *note, bool alone,
                         const struct record *end)
{
    const struct value_note *value;

    if (!alone || note->before == 0)
        return 0;
    value = judge_value(judge, note->before);
    if (value->reloads != note->reload || !table_times_known(key, value))
        return 0;
    if (value->fresh_ms != JUDGE_FAR && end->time_ms >= value->fresh_ms - JUDGE_MARGIN_MS)
        return 0;
    return note->before;
}

/* ---- puts -------------------------------------------------------------------------------------------------------- */

void changes_put_begin(struct judge *judge, const struct record *record)
{
    struct key_state *key = judge_key(judge, record);
    struct value_note *note = judge_value(judge, record->order);

    key->puts.open++;
    look_begin(judge, key, note);
    note->since = note->finish = note->dated = record->order;
    note->brings = true;
    note->tags = record->tags;
    note->birth = UINT64_MAX;
    note->fresh_ms = table_after_ms(record->time_ms, record->ttl_ms);
    note->refresh_ms = table_reload_ms(record);
    note->gone_ms = JUDGE_FAR;
}

/* A load that was current or over when this came, and not detached before, brings nothing any more. */
static void overtake(struct judge *judge, const struct key_state *key, uint64_t by)
{
    for (uint64_t load = key->loads; load != 0; load = judge_value(judge, load)->next) {
        struct value_note *note = judge_value(judge, load);
        if (note->overtaken == 0 && load < by && note->since != 0 &&
            calls_quiet_since(&key->invalidations, note->since) && calls_quiet_since(&key->abandons, note->since))
            note->overtaken = by;
    }
}

/* Whether a put whose condition is known to have held, or not, did what it should. */
static void judge_condition(struct judge *judge, const struct record *put, const struct record *end, uint64_t there)
{
    bool may = put->how == RECORD_IF_PRESENT || (put->how == RECORD_IF_SAME && put->value == there);

    judge_count(judge, 4);
    if (may != (end->error == RECORD_OK))
        judge_break(judge, 4, history_key(put), "a put does not do what its condition says", there, put->order,
                    end->order, 0);
}

static void put_stored(struct judge *judge, struct key_state *key, const struct record *put, const struct record *end,
                       bool alone)
{
    struct value_note *note = judge_value(judge, put->order);

    judge->counts[RECORD_STAT_PUTS]++;
    if (note->renewals == 0)
        note->gone_ms = table_after_ms(end->time_ms, put->ttl_ms);
    if (put->order > key->floors.put)
        key->floors.put = put->order;
    overtake(judge, key, put->order);
    gets_settle(judge, key, put->order);
    if (put->ttl_ms == 0)
        return;
    note->stored = end->order;
    if (alone)
        table_is(judge, key, put->order, end->order, end->order);
}

void changes_put_end(struct judge *judge, const struct record *record)
{
    const struct record *put = history_at(judge->history, record->begin);
    struct key_state *key = judge_key(judge, put);
    struct value_note *note = judge_value(judge, put->order);
    bool alone = table_call_end(key, note);
    uint64_t there = look_end(judge, key, note, alone, record);

    key->puts.open--;
    key->puts.last_end = record->order;
    note->ended = note->birth = record->order;
    note->refused = record->error != RECORD_OK;
    close_judge_call(judge, put, record);
    if (put->how != RECORD_ALWAYS && there != 0 && (record->error == RECORD_OK || record->error == RECORD_UNCHANGED))
        judge_condition(judge, put, record, there);
    if (!note->refused)
        put_stored(judge, key, put, record, alone);
    else if (there != 0)
        table_is(judge, key, there, record->order, record->order);
}

/* ---- times to live ----------------------------------------------------------------------------------------------- */

void changes_ttl_begin(struct judge *judge, const struct record *record)
{
    struct key_state *key = judge_key(judge, record);

    look_begin(judge, key, judge_value(judge, record->order));
    key->ttls.open++;
}

void changes_ttl_end(struct judge *judge, const struct record *record)
{
    const struct record *begin = history_at(judge->history, record->begin);
    struct key_state *key = judge_key(judge, begin);
    const struct value_note *note = judge_value(judge, begin->order);
    bool alone = table_call_end(key, note);
    struct value_note *value;
    uint64_t there;

    key->ttls.open--;
    close_judge_call(judge, begin, record);
    there = look_end(judge, key, note, alone, record);
    key->ttls.last_end = record->order;
    if (there == 0)
        return;
    judge_count(judge, 12);
    value = judge_value(judge, there);
    if (record->error != RECORD_OK) {
        judge_break(judge, 12, history_key(begin), "a fresh value is there, and its time to live can't be changed",
                    there, begin->order, record->order, 0);
        return;
    }
    value->dated = record->order;
    value->fresh_ms = table_after_ms(begin->time_ms, begin->ttl_ms);
    value->gone_ms = value->renewals == 0 ? table_after_ms(record->time_ms, begin->ttl_ms) : JUDGE_FAR;
    table_is(judge, key, there, record->order, record->order);
}

/* ---- refreshes --------------------------------------------------------------------------------------------------- */

void changes_refresh_begin(struct judge *judge, const struct record *record)
{
    judge_key(judge, record)->refreshes.open++;
}

void changes_refresh_end(struct judge *judge, const struct record *record)
{
    struct key_state *key = judge_key(judge, history_at(judge->history, record->begin));

    key->refreshes.open--;
    key->refreshes.last_end = record->order;
}

/* ---- loads that are abandoned ------------------------------------------------------------------------------------ */

void changes_abandon_begin(struct judge *judge, const struct record *record)
{
    struct key_state *key = judge_key(judge, record);

    key->abandons.open++;
    table_call_begin(key, judge_value(judge, record->order));
}

/* One that is to be restarted and can't be goes on for those who wait for it. */
void changes_abandon_end(struct judge *judge, const struct record *record)
{
    const struct record *begin = history_at(judge->history, record->begin);
    struct key_state *key = judge_key(judge, begin);
    struct value_note *note = judge_value(judge, begin->order);

    (void)table_call_end(key, note);
    note->ended = record->order;
    key->abandons.open--;
    if (begin->how == RECORD_GIVEN_UP || record->error == RECORD_OK)
        overtake(judge, key, begin->order);
    if (begin->how == RECORD_GIVEN_UP)
        gets_settle(judge, key, begin->order);
    key->abandons.last_end = record->order;
    if (record->error != RECORD_UNCHANGED &&
        begin->order > key->floor_abandoned) /* else a computation, which goes on */
        key->floor_abandoned = begin->order;
}
