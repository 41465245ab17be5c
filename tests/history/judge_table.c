/* SPDX-License-Identifier: MIT */
/*
 * judge_table.c: what is certainly in the table, as calls that change it begin and end.
 *
 * A call that may take a value away, or bring another, is a remover: a put, an invalidation, the end of a load that
 * brings a value or finds none; and what may change its times or end its load. When one begins, nothing is certain any
 * more. When it returns and no other was under way meanwhile, what it did is certain. The end of a load whose flight
 * was ended before for certain is none, since it may not touch anything; nor is one that failed, since a failure takes
 * no value away.
 */
#include "judge_internal.h"

#include <limits.h>

int64_t table_after_ms(int64_t time_ms, int32_t span_ms)
{
    return span_ms == RECORD_NEVER ? JUDGE_FAR : time_ms + span_ms;
}

int64_t table_reload_ms(const struct record *record)
{
    return record->refresh_ms == 0 ? JUDGE_FAR : table_after_ms(record->time_ms, record->refresh_ms);
}

bool table_quiet_since(const struct key_state *key, uint64_t order)
{
    return calls_quiet_since(&key->invalidations, order) && calls_quiet_since(&key->puts, order) &&
           calls_quiet_since(&key->abandons, order);
}

bool table_times_known(const struct key_state *key, const struct value_note *value)
{
    return calls_quiet_since(&key->ttls, value->dated);
}

bool table_may_be_late(const struct judge *judge, uint64_t since, int64_t now_ms)
{
    int64_t timeout_ms = judge->history->facts.load_timeout_ms;

    return timeout_ms != RECORD_NEVER && now_ms - history_at(judge->history, since)->time_ms >= timeout_ms - 1;
}

static void remover_begin(struct key_state *key)
{
    key->removers++;
    key->epoch++;
    key->there = 0;
    key->backoff_since = 0;
}

static void remover_end(struct key_state *key)
{
    key->removers--;
    key->epoch++;
}

/* It remembers whether it is alone. */
void table_call_begin(struct key_state *key, struct value_note *note)
{
    note->quiet = key->removers == 0;
    remover_begin(key);
    note->epoch = key->epoch;
}

bool table_call_end(struct key_state *key, const struct value_note *note)
{
    bool alone = note->quiet && note->epoch == key->epoch;

    remover_end(key);
    return alone;
}

void table_is(struct judge *judge, struct key_state *key, uint64_t value, uint64_t since, uint64_t seen)
{
    if (judge->history->facts.evicts)
        return;
    key->there = value;
    key->there_since = since;
    key->seen_since = seen;
}

void table_hit(struct judge *judge, const struct record *begin, const struct record *record)
{
    struct key_state *key = judge_key(judge, begin);
    const struct get_note *get = judge_get(judge, begin->order);
    struct value_note *value = judge_value(judge, record->value);

    value->stored = record->order;
    if (get->quiet && get->epoch == key->epoch && key->there == 0 && !record->stale)
        table_is(judge, key, record->value, record->order, record->order);
}

/* ---- reloads ----------------------------------------------------------------------------------------------------- */

/* A computation that fails leaves the times as they are. */
static bool is_computed(const struct judge *judge, const struct record *load)
{
    const struct record *begin;

    if (load->begin == 0)
        return false;
    begin = history_at(judge->history, load->begin);
    return begin->kind == RECORD_GET_BEGIN && begin->how == RECORD_COMPUTE;
}

/* The old value is renewed if the flight is current: its times may become shorter by this instant, and longer later. */
static void renewal_begin(struct key_state *key, struct value_note *value, const struct record *record)
{
    int64_t fresh_ms = table_after_ms(record->time_ms, record->ttl_ms);
    int64_t refresh_ms = table_reload_ms(record);

    if (fresh_ms < value->fresh_ms)
        value->fresh_ms = fresh_ms;
    if (refresh_ms < value->refresh_ms)
        value->refresh_ms = refresh_ms;
    value->gone_ms = JUDGE_FAR; /* not judged any more */
    value->renewals++;
    value->reloads++;
    if (record->begin > value->renewed)
        value->renewed = record->begin;
    key->backoff_since = 0;
}

/* The reload of the value fails at this instant at the earliest: the next may follow after the back-off. */
static void reload_fails(const struct judge *judge, struct value_note *value, int64_t now_ms)
{
    if (now_ms + judge->history->facts.backoff_ms < value->refresh_ms)
        value->refresh_ms = now_ms + judge->history->facts.backoff_ms;
    value->reloads++;
}

/* When the load's deadline passes, at the earliest. */
static int64_t due_ms(const struct judge *judge, const struct record *load)
{
    return load->begin == 0 ? 0
                            : history_at(judge->history, load->begin)->time_ms + judge->history->facts.load_timeout_ms;
}

/* ---- loads ------------------------------------------------------------------------------------------------------- */

void table_load_begin(struct judge *judge, const struct record *record)
{
    struct key_state *key = judge_key(judge, record);
    struct value_note *note = judge_value(judge, record->order);

    judge->counts[RECORD_STAT_LOADS]++;
    if (record->how == RECORD_BACKGROUND)
        judge->counts[RECORD_STAT_REFRESHES]++;
    note->since = record->begin;
    note->birth = record->order;
    note->fresh_ms = note->refresh_ms = note->gone_ms = JUDGE_FAR;
    if (record->how == RECORD_FOREGROUND && record->begin != 0)
        judge_get(judge, record->begin)->led = true;
    if (!loads_judge(judge, record))
        return;
    note->next = key->loads;
    key->loads = record->order;
    if (record->value != 0 && judge->history->facts.load_timeout_ms != RECORD_NEVER)
        reload_fails(judge, judge_value(judge, record->value), due_ms(judge, record));
}

static void loads_unlink(struct judge *judge, struct key_state *key, uint64_t load)
{
    uint64_t *link = &key->loads;

    while (*link != load)
        link = &judge_value(judge, *link)->next;
    *link = judge_value(judge, load)->next;
}

static void value_begin(struct judge *judge, struct key_state *key, struct value_note *note,
                        const struct record *record)
{
    note->brings = true;
    note->dated = record->order;
    note->fresh_ms = table_after_ms(record->time_ms, record->ttl_ms);
    note->refresh_ms = table_reload_ms(record);
    if (note->current && note->quiet && record->ttl_ms != 0)
        table_is(judge, key, record->begin, record->begin, 0);
}

static void count_finish(struct judge *judge, const struct record *record)
{
    static const enum record_stat stats[] = {
        [RECORD_VALUE] = RECORD_STAT_LOADS_COMPLETED,        [RECORD_NOTHING] = RECORD_STAT_LOADS_NOT_FOUND,
        [RECORD_FAILURE] = RECORD_STAT_LOADS_FAILED,         [RECORD_REFUSAL] = RECORD_STAT_LOADS_FAILED,
        [RECORD_NOT_MODIFIED] = RECORD_STAT_LOADS_COMPLETED,
    };

    judge->counts[stats[record->how]]++;
}

void table_finish_begin(struct judge *judge, const struct record *record)
{
    const struct record *load = history_at(judge->history, record->begin);
    struct key_state *key = judge_key(judge, load);
    struct value_note *note = judge_value(judge, load->order);

    count_finish(judge, record);
    loads_unlink(judge, key, load->order);
    note->finish = record->order;
    note->tags = record->tags;
    note->dead = floors_end_flight(key, load->order, record->tags) || judge->closed != 0;
    note->current = note->since != 0 && table_quiet_since(key, note->since) &&
                    !table_may_be_late(judge, note->since, record->time_ms);
    note->removes = !note->dead && (record->how == RECORD_VALUE || record->how == RECORD_NOTHING);
    if (note->removes)
        table_call_begin(key, note);
    if (record->how == RECORD_VALUE)
        value_begin(judge, key, note, record);
    else if (record->how == RECORD_NOTHING)
        key->not_found_birth = load->order > key->not_found_birth ? load->order : key->not_found_birth;
    if (load->value != 0) {
        struct value_note *old = judge_value(judge, load->value);
        if (record->how == RECORD_NOT_MODIFIED)
            renewal_begin(key, old, record);
        else if ((record->how == RECORD_FAILURE || record->how == RECORD_REFUSAL) && !is_computed(judge, load))
            reload_fails(judge, old, record->time_ms);
        note->reload = old->reloads;
    }
}

/* The load was current when it began to end, and its old value is still there. */
static void reload_end(struct key_state *key, const struct record *load, const struct record *begin,
                       const struct record *end, struct judge *judge)
{
    struct value_note *value = judge_value(judge, load->value);

    if (value->reloads != judge_value(judge, load->order)->reload)
        return;
    if (begin->how == RECORD_NOT_MODIFIED) {
        value->fresh_ms = table_after_ms(begin->time_ms, begin->ttl_ms);
        value->refresh_ms = table_reload_ms(begin);
        value->dated = end->order;
        key->there_since = key->seen_since = end->order; /* with these times */
    } else if (begin->how == RECORD_FAILURE && !is_computed(judge, load)) {
        key->backoff_since = end->order;
        key->backoff_ms = begin->time_ms + judge->history->facts.backoff_ms;
    }
}

/* Whether the flight may go on with another load, since a tag that its value has was invalidated meanwhile. */
static bool note_may_restart(const struct key_state *key, const struct value_note *note, const struct record *begin)
{
    return (begin->how == RECORD_VALUE || begin->how == RECORD_NOT_MODIFIED) &&
           (key->tag_invalidations.open > 0 || key->tag_invalidations.last_end > note->since);
}

void table_finish_end(struct judge *judge, const struct record *record)
{
    const struct record *begin = history_at(judge->history, record->begin);
    const struct record *load = history_at(judge->history, begin->begin);
    struct key_state *key = judge_key(judge, load);
    struct value_note *note = judge_value(judge, load->order);

    note->ended = record->order;
    if (note_may_restart(key, note, begin))
        judge->restarts++;
    if (note->brings && note->renewals == 0)
        note->gone_ms = table_after_ms(record->time_ms, begin->ttl_ms);
    /* The deadline may have passed first, where the thread was held up between the record and the call. */
    if (note->current && table_may_be_late(judge, note->since, record->time_ms)) {
        note->current = false;
        if (key->there == load->order)
            key->there = 0;
    }
    if (note->removes && table_call_end(key, note) && key->there == load->order) {
        key->seen_since = record->order;
        note->stored = record->order;
    }
    if (note->current && load->value != 0 && key->there == load->value)
        reload_end(key, load, begin, record, judge);
}

/* ---- invalidations ----------------------------------------------------------------------------------------------- */

void table_invalidate_begin(struct judge *judge, const struct record *record)
{
    for (unsigned number = 0; number < RECORD_KEYS_MAX; number++)
        if ((record->keys >> number & 1) != 0) {
            struct key_state *key = &judge->keys[number];
            key->invalidations.open++;
            key->tag_invalidations.open += record->how == RECORD_TAG;
            key->soft_invalidations.open += record->stale;
            remover_begin(key);
        }
}

static void call_ends(struct calls *calls, bool is_one, uint64_t order)
{
    if (!is_one)
        return;
    calls->open--;
    calls->last_end = order;
}

void table_invalidate_end(struct judge *judge, const struct record *record)
{
    const struct record *begin = history_at(judge->history, record->begin);

    for (unsigned number = 0; number < RECORD_KEYS_MAX; number++)
        if ((begin->keys >> number & 1) != 0) {
            struct key_state *key = &judge->keys[number];
            remover_end(key);
            call_ends(&key->invalidations, true, record->order);
            call_ends(&key->tag_invalidations, begin->how == RECORD_TAG, record->order);
            call_ends(&key->soft_invalidations, begin->stale != 0, record->order);
            floors_raise(judge, &key->floors, begin);
        }
}
