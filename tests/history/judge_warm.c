/* SPDX-License-Identifier: MIT */
/*
 * judge_warm.c: a cache's values are saved, and another cache is loaded with them: nothing of what an invalidation that
 * had returned before the save was called ruled out, or a put replaced, may come back (rules 3, 4). In the second cache
 * they count as put when the load of the file was called, so that an invalidation of later takes them too.
 */
#include "judge_internal.h"

#include <string.h>

void warm_save_begin(struct judge *judge, const struct record *record)
{
    (void)record;
    for (unsigned number = 0; number < RECORD_KEYS_MAX; number++)
        judge->file.next[number] = judge->keys[number].floors;
}

void warm_save_end(struct judge *judge, const struct record *record)
{
    if (record->error != RECORD_OK)
        return;
    judge->file.saving = record->begin;
    judge->file.saved = record->order;
    memcpy(judge->file.floors, judge->file.next, sizeof judge->file.floors);
}

void warm_create(struct judge *judge)
{
    for (unsigned number = 0; number < RECORD_KEYS_MAX; number++)
        judge->file.ttls[number] = judge->keys[number].ttls;
    judge->file.began = judge->file.ended = 0;
}

void warm_begin(struct judge *judge, const struct record *record)
{
    judge->file.began = record->order;
}

void warm_end(struct judge *judge, const struct record *record)
{
    judge->file.ended = record->order;
}

/* Whether the file may have the value, by what was known of it when it was saved. */
static void judge_saved(struct judge *judge, uint64_t name, const struct value_note *value, const struct record *where)
{
    unsigned number = history_key(history_at(judge->history, name));
    const struct floors *floors = &judge->file.floors[number];
    uint64_t floor = floors_rule_out(floors, value);

    judge_count(judge, 3);
    if (judge->file.began == 0 || value->finish > judge->file.saved)
        judge_break(judge, 0, number, "a value comes from another cache, and not with a file", name, value->finish,
                    judge->file.saved, where->order);
    if (floor != 0)
        judge_break(judge, 3, number, "a file brings back what had been invalidated before it was saved", name, floor,
                    judge->file.saved, where->order);
    if (value->birth < floors->put || value->refused || value->overtaken != 0)
        judge_break(judge, 4, number, "a file brings back what had been replaced before it was saved", name,
                    floors->put, judge->file.saved, where->order);
    if (value->dead || history_at(judge->history, value->finish)->ttl_ms == 0)
        judge_break(judge, 13, number, "a file brings what can't have been stored", name, value->finish,
                    judge->file.saved, where->order);
}

void warm_meet(struct judge *judge, uint64_t name, const struct record *where)
{
    struct value_note *value = judge_value(judge, name);
    unsigned number;

    if (name > judge->file.created || value->warm)
        return;
    number = history_key(history_at(judge->history, name));
    judge_saved(judge, name, value, where);
    if (judge->history->facts.listens)
        removed_judge_left(judge, name);
    value->warm = true;
    value->made_stale = floors_make_stale(&judge->file.floors[number], value) != 0;
    value->birth = judge->file.began;
    value->ended = judge->file.ended; /* it was not stored here before the file was loaded */
    value->renewed = 0;
    value->stored = value->removed = 0;
    value->removals = value->offers = value->renewals = 0;
    value->fresh_ms = value->refresh_ms = 0; /* not certain any more */
    if (value->dated > judge->file.saving || !calls_quiet_since(&judge->file.ttls[number], value->dated))
        value->gone_ms = JUDGE_FAR;
    else if (value->gone_ms != JUDGE_FAR)
        value->gone_ms += JUDGE_MARGIN_MS; /* the one clock is not the other */
}
