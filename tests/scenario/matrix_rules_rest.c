/* SPDX-License-Identifier: MIT */
/* matrix_rules_rest.c: what rules 11 to 23 expect of a cell, of which they know the facts and what was seen. */
#include "matrix.h"

static bool is_value_of(const struct sluice_outcome *outcome, enum matrix_answer answer)
{
    return outcome->error == SLUICE_OK && outcome->value != NULL && matrix_text(answer) != NULL &&
           strcmp(sluice_value_data(outcome->value), matrix_text(answer)) == 0;
}

/* ---- the rules --------------------------------------------------------------------------------------------------- */

/* Refresh: the old value is given at once while one reload runs, is kept when that fails, and renewed when it says so.
 */
static bool rule_11(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;
    enum matrix_ending ending = run->cell.ending;

    if (run->cell.way->old == OLD_NONE) {
        matrix_expect(run, 11, !run->old_given, "the loader was given an old value");
        return false;
    }
    matrix_expect(run, 11, run->old_given, "the loader was not given the old value");
    if (run->destroyed)
        return true;
    if (facts->given && facts->after.answer == ANSWER_OLD && run->cell.event->effect != EFFECT_CLOSES) {
        const struct sluice_outcome *outcome = matrix_outcome(run, &run->newcomer);
        matrix_expect(run, 11, run->newcomer.call->at_once && is_value_of(outcome, ANSWER_OLD),
                      "the newcomer was not given the old value at once");
        matrix_expect(run, 11, run->calls_newcomer == run->calls_event + (facts->next && facts->fate != FATE_RESTARTED),
                      "%zu calls after the newcomer, %zu before", run->calls_newcomer, run->calls_event);
    }
    if (facts->fate == FATE_GOES_ON && ending == BRINGS_FAILURE)
        matrix_expect(run, 11, run->at_first_end.stored.answer == facts->after.answer,
                      "a failed reload changed what is stored");
    if (ending != BRINGS_RENEWAL || !matrix_is_served(&run->facts))
        return true;
    for (size_t i = 0; i < run->parked_count; i++)
        if (!run->parked[i].left)
            matrix_expect(run, 11, is_value_of(matrix_outcome(run, &run->parked[i]), ANSWER_OLD),
                          "%s was not given the renewed value", run->parked[i].name);
    if (facts->fate == FATE_GOES_ON)
        matrix_expect(run, 11, run->at_first_end.stored.answer == ANSWER_OLD && !run->at_first_end.stored.stale,
                      "the renewed value is not stored");
    return true;
}

static void expect_marked(struct matrix_run *run, const struct matrix_party *party)
{
    const struct sluice_outcome *outcome = matrix_outcome(run, party);
    bool expired = run->cell.way->old == OLD_STALE || run->cell.way->old == OLD_HELD;
    bool softened = run->cell.event->change == CHANGE_SOFT;

    if (outcome->error != SLUICE_OK)
        return;
    if (expired && is_value_of(outcome, ANSWER_OLD) && run->cell.ending != BRINGS_RENEWAL)
        matrix_expect(run, 12, outcome->stale, "%s is given an expired value that is not marked", party->name);
    if (!outcome->stale)
        return;
    matrix_expect(run, 12, outcome->ttl_ms == 0, "%s is given a stale value with time left", party->name);
    matrix_expect(run, 12, expired || softened, "%s is given a stale value and nothing made it stale", party->name);
}

/* Who comes after a value was taken away is not given it as a stale one. */
static void expect_not_revived(struct matrix_run *run, const struct matrix_party *party)
{
    bool taken = run->facts.happens && run->cell.event->change != CHANGE_NONE && run->cell.event->change != CHANGE_SOFT;

    if (party->call != NULL && taken)
        matrix_expect(run, 12, !matrix_outcome(run, party)->stale, "%s is given what was taken away, as stale",
                      party->name);
}

/* Those who wait for a load that fails are given the expired value instead. */
static void expect_fallback(struct matrix_run *run)
{
    enum matrix_fate fate = run->facts.fate;
    bool fails = run->cell.ending == BRINGS_FAILURE && matrix_is_served(&run->facts);

    if (!run->facts.falls_back || (!fails && fate != FATE_TIMED_OUT && fate != FATE_ABANDONED))
        return;
    for (size_t i = 0; i < run->parked_count; i++) {
        const struct sluice_outcome *outcome = matrix_outcome(run, &run->parked[i]);
        if (!run->parked[i].left)
            matrix_expect(run, 12, is_value_of(outcome, ANSWER_OLD) && outcome->stale,
                          "%s was not given the stale value in place of the failure", run->parked[i].name);
    }
}

/* Stale on purpose only. */
static bool rule_12(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;

    for (size_t i = 0; i < run->parked_count; i++)
        if (!run->parked[i].left)
            expect_marked(run, &run->parked[i]);
    if (run->opener.call != NULL) {
        expect_marked(run, &run->opener);
        matrix_expect(run, 12, is_value_of(matrix_outcome(run, &run->opener), ANSWER_OLD),
                      "the stale value was not given");
    }
    expect_not_revived(run, &run->newcomer);
    expect_not_revived(run, &run->last);
    if (run->newcomer.call != NULL)
        expect_marked(run, &run->newcomer);
    expect_fallback(run);
    if (!facts->after.stale || !facts->given || run->cell.event->effect == EFFECT_CLOSES)
        return facts->before.stale || facts->after.stale;
    matrix_expect(run, 12,
                  is_value_of(matrix_outcome(run, &run->newcomer), facts->after.answer) &&
                      matrix_outcome(run, &run->newcomer)->stale,
                  "the newcomer was not given the stale value");
    return true;
}

/* Time to live 0: given to who had joined, and not stored. */
static bool rule_13(struct matrix_run *run)
{
    bool put = run->facts.fate == FATE_OVERTAKEN && run->cell.event->change == CHANGE_PUT_TRANSIENT;
    bool load = run->cell.ending == BRINGS_TRANSIENT && matrix_is_served(&run->facts);

    if (!put && !load)
        return false;
    for (size_t i = 0; i < run->parked_count; i++) {
        const struct matrix_party *party = &run->parked[i];
        const struct sluice_outcome *outcome = matrix_outcome(run, party);
        if (party->left)
            continue;
        matrix_expect(run, 13, is_value_of(outcome, put ? ANSWER_PUT : ANSWER_FIRST), "%s was not given the value",
                      party->name);
        matrix_expect(run, 13, !outcome->stored && outcome->ttl_ms == 0, "%s is told that it is stored", party->name);
    }
    if (run->facts.fate == FATE_GOES_ON) {
        matrix_expect(run, 13, run->at_first_end.stored.answer == ANSWER_NONE, "something is stored after its end");
        matrix_expect(run, 13, matrix_outcome(run, &run->last)->source == SLUICE_SOURCE_LOAD,
                      "the last get began no load");
    }
    return true;
}

/* What becomes of the key that was loaded along, from the event alone. */
static void expect_other(struct matrix_run *run, unsigned rule, const struct sluice_outcome *outcome)
{
    const struct matrix_event *event = run->cell.event;
    bool concerned = event->everything && run->facts.happens && !run->other_ended_before;
    enum sluice_error error = SLUICE_OK;

    if (concerned && event->effect == EFFECT_CLOSES)
        error = SLUICE_CLOSED;
    else if (concerned && event->effect == EFFECT_TIMES_OUT)
        error = SLUICE_LOAD_TIMED_OUT;
    else if (run->bulk != NULL && run->parked[0].left && !run->other_ended_before)
        error = SLUICE_TIMED_OUT;
    matrix_expect(run, rule, outcome->error == error, "the other key got \"%s\" instead of \"%s\"",
                  sluice_strerror(outcome->error), sluice_strerror(error));
    if (outcome->error == SLUICE_OK)
        matrix_expect(run, rule, strcmp(sluice_value_data(outcome->value), MATRIX_OTHER) == 0,
                      "the other key got another value");
}

/* Bulk: one call of the loader for what is missing, and every key has its own outcome. */
static bool rule_14(struct matrix_run *run)
{
    if (run->bulk == NULL)
        return false;
    matrix_expect(run, 14, run->batches == 1 && run->batch_size == 2, "%zu calls of load_many, the first of %zu",
                  run->batches, run->batch_size);
    if (!run->parked[0].left || run->cell.event->by_deadline)
        expect_other(run, 14, &run->bulk->outcomes[1]);
    return true;
}

/* Separate misses are one call of the loader. */
static bool rule_15(struct matrix_run *run)
{
    if (run->other == NULL)
        return false;
    matrix_expect(run, 15, run->batches == 1 && run->batch_size == 2, "%zu calls of load_many, the first of %zu",
                  run->batches, run->batch_size);
    expect_other(run, 15, &run->other->outcome);
    return true;
}

/* An invalidation of all covers the other keys, and no other event does. */
static bool rule_16(struct matrix_run *run)
{
    const struct matrix_event *event = run->cell.event;
    bool all = event->everything && event->change == CHANGE_GONE;
    bool other = run->cell.way->many && run->other_ended_before;

    if (run->destroyed || event->change == CHANGE_EVICTED || event->change == CHANGE_EXPIRED)
        return false;
    matrix_expect(run, 16, run->at_event.bystander == !all, "the bystander is %s stored", all ? "still" : "not");
    matrix_expect(run, 16, run->at_event.other == (other && !all), "the other key is %s stored",
                  other && !all ? "not" : "still");
    return true;
}

/* Close: all who are parked are told so, later gets too, and late ends are harmless. */
static bool rule_18(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;

    if (run->cell.event->effect != EFFECT_CLOSES)
        return false;
    if (facts->fate == FATE_CLOSED) {
        for (size_t i = 0; i < run->parked_count; i++) {
            matrix_expect(run, 18, run->parked[i].done_at_event, "%s still waits", run->parked[i].name);
            matrix_expect(run, 18, matrix_outcome(run, &run->parked[i])->error == SLUICE_CLOSED, "%s got \"%s\"",
                          run->parked[i].name, sluice_strerror(matrix_outcome(run, &run->parked[i])->error));
        }
    }
    if (run->destroyed)
        return true;
    matrix_expect(run, 18, matrix_outcome(run, &run->newcomer)->error == SLUICE_CLOSED, "the newcomer got \"%s\"",
                  sluice_strerror(matrix_outcome(run, &run->newcomer)->error));
    matrix_expect(run, 18, run->calls_last == 1, "a load was begun");
    matrix_expect(run, 18, run->at_end.stored.answer == facts->after.answer, "what is stored has changed");
    return true;
}

static void expect_called_back(struct matrix_run *run, const struct matrix_party *party)
{
    const struct call *call = party->call;
    unsigned ends = call != NULL ? atomic_load(&call->outcomes) + call->cancelled
                                 : atomic_load(&run->bulk->ends) + (party->left && run->said);

    matrix_expect(run, 19, ends == 1, "%s had %u ends", party->name, ends);
    if (call == NULL || call->spec.way != WAY_ASYNC || call->at_once || call->cancelled)
        return;
    matrix_expect(run, 19, pthread_equal(call->thread, pthread_self()) != 0,
                  "%s was called back on another thread than the one that ended its wait", party->name);
    matrix_expect(run, 19, atomic_load(&call->parking_ran), "%s was not told that it parks", party->name);
    if (!run->destroyed)
        matrix_expect(run, 19, party->has_seen, "%s could not call the cache", party->name);
}

/* Callbacks run exactly once, on the thread that ends the wait, and may call the cache. */
static bool rule_19(struct matrix_run *run)
{
    for (size_t i = 0; i < run->parked_count; i++)
        expect_called_back(run, &run->parked[i]);
    if (run->newcomer.call != NULL) {
        expect_called_back(run, &run->newcomer);
        expect_called_back(run, &run->last);
    }
    return true;
}

/* First come, first served: of those whose calls can be put in order. */
static bool rule_21(struct matrix_run *run)
{
    const struct matrix_party *before = NULL;
    bool judged = false;

    for (size_t i = 0; i < run->parked_count; i++) {
        const struct matrix_party *party = &run->parked[i];
        if (party->call == NULL || party->call->spec.way != WAY_ASYNC || party->left)
            continue;
        if (before != NULL) {
            judged = true;
            matrix_expect(run, 21, before->call->arrival < party->call->arrival, "%s was served before %s", party->name,
                          before->name);
        }
        before = party;
    }
    if (before == NULL || run->newcomer.call == NULL || run->newcomer.call->at_once || run->cell.late ||
        matrix_outcome(run, &run->newcomer)->error == SLUICE_CLOSED)
        return judged;
    matrix_expect(run, 21, before->call->arrival < run->newcomer.call->arrival, "the newcomer was served before %s",
                  before->name);
    return true;
}

const struct matrix_rule matrix_rules_rest[] = {
    {11, rule_11}, {12, rule_12}, {13, rule_13}, {14, rule_14}, {15, rule_15},
    {16, rule_16}, {18, rule_18}, {19, rule_19}, {21, rule_21},
};

const size_t matrix_rules_rest_count = COUNT_OF(matrix_rules_rest);
