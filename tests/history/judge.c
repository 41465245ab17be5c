/* SPDX-License-Identifier: MIT */
/* judge.c: the pass over the records. See judge.h. */
#include "judge_internal.h"

#include <inttypes.h>
#include <stdlib.h>

void judge_break(struct judge *judge, unsigned rule, unsigned key, const char *why, uint64_t first, uint64_t second,
                 uint64_t third, uint64_t fourth)
{
    struct verdict *verdict = judge->verdict;
    const uint64_t shown[JUDGE_SHOWN_MAX] = {first, second, third, fourth};

    if (verdict->broken)
        return;
    verdict->broken = true;
    verdict->rule = rule;
    verdict->key = key;
    verdict->why = why;
    for (size_t i = 0; i < JUDGE_SHOWN_MAX; i++)
        verdict->shown[i] = shown[i];
}

bool judge_has_value(const struct judge *judge, uint64_t name, uint16_t keys, uint64_t order)
{
    const struct record *source;

    if (name == 0 || name >= order)
        return false;
    source = history_at(judge->history, name);
    return (source->kind == RECORD_LOAD_BEGIN || source->kind == RECORD_PUT_BEGIN) && source->keys == keys &&
           judge->notes[name - 1].value.brings;
}

static void judge_record(struct judge *judge, const struct record *record)
{
    static void (*const parts[RECORD_KINDS])(struct judge *, const struct record *) = {
        [RECORD_GET_BEGIN] = gets_begin,
        [RECORD_GET_PARKED] = gets_parked,
        [RECORD_GET_END] = gets_outcome,
        [RECORD_CALLBACK] = gets_outcome,
        [RECORD_CANCEL_END] = gets_cancel_end,
        [RECORD_LOAD_BEGIN] = table_load_begin,
        [RECORD_FINISH_BEGIN] = table_finish_begin,
        [RECORD_FINISH_END] = table_finish_end,
        [RECORD_PUT_BEGIN] = changes_put_begin,
        [RECORD_PUT_END] = changes_put_end,
        [RECORD_INVALIDATE_BEGIN] = table_invalidate_begin,
        [RECORD_INVALIDATE_END] = table_invalidate_end,
        [RECORD_REMOVED] = removed_judge,
        [RECORD_STATS] = sums_stat,
        [RECORD_REFRESH_BEGIN] = changes_refresh_begin,
        [RECORD_REFRESH_END] = changes_refresh_end,
        [RECORD_ABANDON_BEGIN] = changes_abandon_begin,
        [RECORD_ABANDON_END] = changes_abandon_end,
        [RECORD_TTL_BEGIN] = changes_ttl_begin,
        [RECORD_TTL_END] = changes_ttl_end,
        [RECORD_CREATE] = close_create,
        [RECORD_CLOSE_BEGIN] = close_begin,
        [RECORD_CLOSE_END] = close_end,
        [RECORD_DESTROY_BEGIN] = close_begin,
        [RECORD_DESTROY_END] = close_end,
        [RECORD_EVICTING] = removed_evicting,
        [RECORD_SAVE_BEGIN] = warm_save_begin,
        [RECORD_SAVE_END] = warm_save_end,
        [RECORD_WARM_BEGIN] = warm_begin,
        [RECORD_WARM_END] = warm_end,
    };

    if (parts[record->kind] != NULL)
        parts[record->kind](judge, record);
}

bool judge_history(const struct history *history, struct verdict *verdict)
{
    struct judge judge = {.history = history, .verdict = verdict};

    *verdict = (struct verdict){.broken = false};
    judge.notes = calloc((size_t)history->count, sizeof *judge.notes);
    if (judge.notes == NULL)
        return false;
    for (uint64_t order = 1; order <= history->count && !verdict->broken; order++)
        judge_record(&judge, history_at(history, order));
    if (!verdict->broken)
        gets_at_end(&judge);
    if (!verdict->broken)
        removed_at_end(&judge);
    if (!verdict->broken)
        sums_at_end(&judge);
    free(judge.notes);
    return true;
}

void judge_print(const struct history *history, const struct verdict *verdict, FILE *out)
{
    fprintf(out, "history: %" PRIu64 " events, judged:", history->count);
    for (unsigned rule = 0; rule < JUDGE_RULES_MAX; rule++)
        if (verdict->judged[rule] > 0)
            fprintf(out, " rule %u %" PRIu64 "x", rule, verdict->judged[rule]);
    fputc('\n', out);
    if (!verdict->broken)
        return;
    fprintf(out, "history: rule %u is broken, key %u: %s\n", verdict->rule, verdict->key, verdict->why);
    for (size_t i = 0; i < JUDGE_SHOWN_MAX; i++)
        if (verdict->shown[i] != 0)
            history_print(history, verdict->shown[i], out);
}

unsigned judge_missing(const struct history *history, const struct verdict *verdict)
{
    for (unsigned rule = 1; rule < JUDGE_RULES_MAX; rule++)
        if ((history->facts.rules >> rule & 1) != 0 && verdict->judged[rule] == 0)
            return rule;
    return 0;
}
