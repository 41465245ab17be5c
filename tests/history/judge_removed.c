/* SPDX-License-Identifier: MIT */
/*
 * judge_removed.c: every stored value leaves exactly once, and for a reason that can be (rule 22).
 *
 * That a value was stored is known of a put that returned, of a load that ended with nobody else about, and of what a
 * get was given from the table. That it was not is known of one with a time to live of 0, and of a load whose flight
 * was ended before.
 */
#include "judge_internal.h"

/* NULL, or why the value can't have left so. */
static const char *cause_fault(const struct judge *judge, const struct key_state *key, const struct value_note *value,
                               const struct record *record)
{
    switch (record->how) {
    case RECORD_EXPLICIT:
        if (judge->destroyed == 0 && key->invalidations.open == 0 && key->invalidations.last_end < value->finish)
            return "a value leaves as invalidated, and was not";
        return NULL;
    case RECORD_EXPIRED:
        return value->renewals == 0 && record->time_ms < value->fresh_ms && table_times_known(key, value) &&
                       calls_quiet_since(&key->soft_invalidations, value->finish)
                   ? "a value leaves as expired before its time is over"
                   : NULL;
    case RECORD_SIZE:
        return !judge->history->facts.evicts ? "a value leaves for want of room, and there was enough" : NULL;
    default:
        return NULL;
    }
}

/* A value that leaves, or is about to, is one that was brought for its key. */
static bool is_known(struct judge *judge, const struct record *record)
{
    if (judge_has_value(judge, record->value, record->keys, record->order)) {
        warm_meet(judge, record->value, record);
        return true;
    }
    judge_break(judge, 0, history_key(record), "a value leaves that nobody brought for its key", record->order, 0, 0,
                0);
    return false;
}

/*
 * Before it leaves, at most once, and for what the cache does by itself. A value that is about to be evicted may leave
 * meanwhile because of what others do, and they tell of it when they like.
 */
void removed_evicting(struct judge *judge, const struct record *record)
{
    const struct key_state *key = judge_key(judge, record);
    struct value_note *value;
    const char *fault;

    if (!is_known(judge, record))
        return;
    value = judge_value(judge, record->value);
    judge_count(judge, 22);
    if (value->removals > value->renewals &&
        (record->how == RECORD_EXPIRED || history_at(judge->history, value->removed)->how == RECORD_SIZE))
        judge_break(judge, 22, history_key(record), "the listener is told that a value will leave, and it has left",
                    record->value, value->removed, record->order, 0);
    if (value->offers > value->renewals)
        judge_break(judge, 22, history_key(record), "the listener is told twice that a value will leave", record->value,
                    value->finish, record->order, 0);
    fault = record->how == RECORD_EXPIRED || record->how == RECORD_SIZE
                ? cause_fault(judge, key, value, record)
                : "the listener is told beforehand of what others take away";
    if (fault != NULL)
        judge_break(judge, 22, history_key(record), fault, record->value, value->finish, record->order, 0);
    value->offers++;
    value->stored = record->order;
}

void removed_judge(struct judge *judge, const struct record *record)
{
    const struct key_state *key = judge_key(judge, record);
    const struct record *source;
    struct value_note *value;
    unsigned number = history_key(record);
    const char *fault;

    if (!is_known(judge, record))
        return;
    value = judge_value(judge, record->value);
    source = history_at(judge->history, value->finish);
    judge_count(judge, 22);
    if (value->removals > value->renewals) /* one that has left is stored again where its reload renews it */
        judge_break(judge, 22, number, "a value leaves twice", record->value, value->removed, record->order, 0);
    if (source->ttl_ms == 0 || value->dead || value->refused)
        judge_break(judge, 22, number, "a value leaves that can't have been stored", record->value, value->finish,
                    record->order, 0);
    /* One that was renewed may have left before, and the listener is told of that only now. */
    if (judge->destroyed == 0 && value->renewals == 0 && key->there == record->value && key->seen_since != 0 &&
        record->time_ms < value->fresh_ms && table_times_known(key, value))
        judge_break(judge, 22, number, "a value leaves that is fresh, and nothing took it away", record->value,
                    value->finish, key->seen_since, record->order);
    fault = cause_fault(judge, key, value, record);
    if (fault != NULL)
        judge_break(judge, 22, number, fault, record->value, value->finish, record->order, 0);
    value->removed = record->order;
    value->removals++;
}

void removed_judge_left(struct judge *judge, uint64_t name)
{
    const struct record *record = history_at(judge->history, name);
    const struct value_note *value = judge_value(judge, name);

    if (value->stored == 0)
        return;
    judge_count(judge, 22);
    if (value->removed == 0)
        judge_break(judge, 22, history_key(record), "a value was stored and never left", name, value->finish,
                    value->stored, judge->destroyed);
}

void removed_at_end(struct judge *judge)
{
    if (!judge->history->facts.listens || judge->destroyed == 0)
        return;
    for (uint64_t order = 1; order <= judge->history->count; order++) {
        const struct record *record = history_at(judge->history, order);
        if (record->kind == RECORD_PUT_BEGIN || record->kind == RECORD_LOAD_BEGIN)
            removed_judge_left(judge, order);
    }
}
