/* SPDX-License-Identifier: MIT */
/* matrix_rules.c: what rules 1 to 9 expect of a cell, of which they know the facts and what was seen. */
#include "matrix.h"

static bool has_text(const struct sluice_outcome *outcome, const char *text)
{
    const struct sluice_value *value = outcome->error == SLUICE_OK ? outcome->value : outcome->reason;

    if (text == NULL || value == NULL)
        return text == NULL && value == NULL;
    return strcmp(sluice_value_data(value), text) == 0;
}

/* Expects an outcome of one who waits or has come. */
static void expect_outcome(struct matrix_run *run, unsigned rule, const struct matrix_party *party,
                           enum sluice_error error, const char *text)
{
    const struct sluice_outcome *outcome = matrix_outcome(run, party);

    matrix_expect(run, rule, outcome->error == error, "%s got \"%s\" instead of \"%s\"", party->name,
                  sluice_strerror(outcome->error), sluice_strerror(error));
    if (outcome->error == error)
        matrix_expect(run, rule, has_text(outcome, text), "%s got another text than \"%s\"", party->name,
                      text == NULL ? "" : text);
}

/* Who has parked before the event and stays; NULL: no more. */
static const struct matrix_party *next_waiter(const struct matrix_run *run, size_t *i)
{
    while (*i < run->parked_count) {
        const struct matrix_party *party = &run->parked[(*i)++];
        if (!party->left)
            return party;
    }
    return NULL;
}

static void expect_served(struct matrix_run *run, unsigned rule, enum sluice_error error, const char *text)
{
    const struct matrix_party *party;

    for (size_t i = 0; (party = next_waiter(run, &i)) != NULL;) {
        expect_outcome(run, rule, party, error, text);
        if (run->facts.fate != FATE_ENDED)
            matrix_expect(run, rule, !party->done_at_event, "%s was answered before the load had ended", party->name);
    }
    if (run->newcomer.call != NULL && matrix_outcome(run, &run->newcomer)->source == SLUICE_SOURCE_COALESCED &&
        run->facts.fate == FATE_GOES_ON)
        expect_outcome(run, rule, &run->newcomer, error, text);
}

static void expect_released(struct matrix_run *run, unsigned rule, enum sluice_error error, const char *text)
{
    const struct matrix_party *party;

    for (size_t i = 0; (party = next_waiter(run, &i)) != NULL;) {
        if (party->call != NULL || run->other_ended_before || run->cell.event->everything)
            matrix_expect(run, rule, party->done_at_event, "%s was not answered at once", party->name);
        expect_outcome(run, rule, party, error, text);
    }
}

static void expect_stored(struct matrix_run *run, unsigned rule, const struct matrix_peek *seen,
                          enum matrix_answer answer, const char *when)
{
    static const char *const names[] = {"nothing", "the old value",    "the loaded value",
                                        "the put", "the second value", "a not-found"};

    matrix_expect(run, rule, seen->stored.answer == answer, "%s %s is stored instead of %s", when,
                  names[seen->stored.answer], names[answer]);
}

/* The newcomer begins another load, or is served by one, and is given its value. */
static void expect_successor(struct matrix_run *run, unsigned rule)
{
    if (run->newcomer.call == NULL || run->facts.given)
        return;
    expect_outcome(run, rule, &run->newcomer, SLUICE_OK, matrix_text(ANSWER_SECOND));
    matrix_expect(run, rule, run->calls_ended == 2, "%zu loads were begun in all instead of 2", run->calls_ended);
    expect_stored(run, rule, &run->at_end, ANSWER_SECOND, "in the end");
    if (run->cell.late)
        expect_stored(run, rule, &run->at_first_end, ANSWER_SECOND, "after the late end of the first load");
}

/* ---- the rules --------------------------------------------------------------------------------------------------- */

/* One flight: whoever comes while it is current joins it, and the loader is called once. */
static bool rule_1(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;
    const struct matrix_party *party;

    matrix_expect(run, 1, run->calls_begun == 1, "the loader was called %zu times", run->calls_begun);
    if (facts->fate != FATE_RESTARTED)
        matrix_expect(run, 1, run->calls_event == 1, "%zu calls after the event", run->calls_event);
    if (facts->fate == FATE_GOES_ON && !facts->given) {
        matrix_expect(run, 1, run->calls_newcomer == 1, "the newcomer began a load");
        matrix_expect(run, 1, matrix_outcome(run, &run->newcomer)->source == SLUICE_SOURCE_COALESCED,
                      "the newcomer was not coalesced");
    }
    for (size_t i = 0; (party = next_waiter(run, &i)) != NULL;)
        matrix_expect(run, 1,
                      matrix_outcome(run, party)->source ==
                          (party->follows ? SLUICE_SOURCE_COALESCED : SLUICE_SOURCE_LOAD),
                      "%s has another source", party->name);
    if (matrix_is_served(&run->facts) && run->cell.ending == BRINGS_VALUE)
        expect_served(run, 1, SLUICE_OK, matrix_text(ANSWER_FIRST));
    return true;
}

/* No gap: what is said to be stored is there when the waiters are told, and no get loads it again. */
static bool rule_2(struct matrix_run *run)
{
    const struct matrix_party *party;

    for (size_t i = 0; (party = next_waiter(run, &i)) != NULL;) {
        const struct sluice_outcome *outcome = matrix_outcome(run, party);
        if (party->has_seen && outcome->stored)
            matrix_expect(
                run, 2,
                party->seen.stored.answer != ANSWER_NONE &&
                    (outcome->error != SLUICE_OK || has_text(outcome, matrix_text(party->seen.stored.answer))),
                "%s was told before its value was stored", party->name);
    }
    if (matrix_is_current(&run->facts) && run->cell.ending == BRINGS_VALUE && run->facts.fate == FATE_GOES_ON &&
        !run->destroyed)
        expect_stored(run, 2, &run->at_first_end, ANSWER_FIRST, "after the load's end");
    if (run->last.call == NULL || run->at_end.stored.answer == ANSWER_NONE || run->at_end.stored.stale ||
        run->cell.event->effect == EFFECT_CLOSES)
        return true;
    matrix_expect(run, 2, matrix_outcome(run, &run->last)->source == SLUICE_SOURCE_HIT,
                  "the last get did not find what is stored");
    matrix_expect(run, 2, run->calls_last == run->calls_ended, "a fresh value was loaded again");
    return true;
}

/* What an invalidation says that it has taken. */
static void expect_gone(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;
    size_t entries = facts->before.answer != ANSWER_NONE && run->at_event.stored.answer != ANSWER_ABSENCE;
    size_t loads = facts->fate == FATE_DETACHED;

    if (!run->counted)
        return;
    if (run->cell.event->everything) {
        entries += 1 + (run->cell.way->many && run->other_ended_before);
        loads += run->cell.way->many && !run->other_ended_before;
    }
    matrix_expect(run, 3, run->gone.entries == entries, "it counts %zu entries instead of %zu", run->gone.entries,
                  entries);
    if (run->cell.event->effect == EFFECT_DETACHES)
        matrix_expect(run, 3, run->gone.loads == loads, "it counts %zu loads instead of %zu", run->gone.loads, loads);
}

/* Invalidation is final. */
static bool rule_3(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;
    bool soft = run->cell.event->change == CHANGE_SOFT;
    const struct matrix_party *party;

    if (run->cell.event->effect != EFFECT_DETACHES && run->cell.event->effect != EFFECT_BY_TAG)
        return false;
    matrix_expect(run, 3, run->error == SLUICE_OK, "it failed");
    expect_gone(run);
    expect_stored(run, 3, &run->at_event, facts->after.answer, "after it");
    matrix_expect(run, 3, run->at_event.stored.stale == facts->after.stale, "what is stored after it is wrongly stale");
    if (facts->fate == FATE_DETACHED || facts->fate == FATE_TAGGED) {
        for (size_t i = 0; (party = next_waiter(run, &i)) != NULL;)
            matrix_expect(run, 3, matrix_outcome(run, party)->stale || !matrix_outcome(run, party)->stored,
                          "%s is told that it is stored", party->name);
        expect_successor(run, 3);
        if (!run->cell.late)
            expect_stored(run, 3, &run->at_first_end, facts->after.answer, "after the detached load's end");
    } else if (facts->fate == FATE_ENDED && facts->after.answer == ANSWER_NONE) {
        expect_successor(run, 3);
    }
    if (!soft && facts->given && facts->after.answer != ANSWER_ABSENCE)
        matrix_expect(run, 3, facts->fate == FATE_GOES_ON, "a value outlives it");
    return true;
}

/* Put wins. */
static bool rule_4(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;
    bool stores = run->cell.event->change == CHANGE_PUT;

    if (run->cell.event->effect != EFFECT_OVERTAKES)
        return false;
    matrix_expect(run, 4, run->error == (facts->happens ? SLUICE_OK : SLUICE_UNCHANGED), "the put returned \"%s\"",
                  sluice_strerror(run->error));
    expect_stored(run, 4, &run->at_event, facts->after.answer, "after the put");
    if (!facts->happens)
        return true;
    if (facts->fate == FATE_OVERTAKEN)
        expect_released(run, 4, SLUICE_OK, matrix_text(ANSWER_PUT));
    if (!stores) {
        expect_successor(run, 4);
        return true;
    }
    expect_outcome(run, 4, &run->newcomer, SLUICE_OK, matrix_text(ANSWER_PUT));
    expect_stored(run, 4, &run->at_first_end, ANSWER_PUT, "after the load's end");
    expect_stored(run, 4, &run->at_end, ANSWER_PUT, "in the end");
    return true;
}

/* Failure is shared once, is not remembered without a back-off, and never replaces a value. */
static bool rule_5(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;
    bool abandoned = facts->fate == FATE_ABANDONED;

    if (!abandoned && (run->cell.ending != BRINGS_FAILURE || !matrix_is_served(&run->facts)))
        return false;
    if (facts->falls_back)
        return false; /* to rule 12 */
    if (abandoned) {
        expect_released(run, 5, SLUICE_LOAD_FAILED, "the load was abandoned");
        expect_successor(run, 5);
    } else {
        expect_served(run, 5, SLUICE_LOAD_FAILED, "why");
    }
    if (run->destroyed || run->cell.late)
        return true;
    expect_stored(run, 5, &run->at_first_end, facts->after.answer, "after the failure");
    if (facts->fate == FATE_GOES_ON && facts->after.answer == ANSWER_NONE)
        matrix_expect(run, 5, matrix_outcome(run, &run->last)->source == SLUICE_SOURCE_LOAD,
                      "the failure was remembered");
    return true;
}

/* Not found is an answer. */
static bool rule_6(struct matrix_run *run)
{
    if (run->cell.ending != BRINGS_NOTHING || !matrix_is_served(&run->facts))
        return false;
    expect_served(run, 6, SLUICE_NOT_FOUND, NULL);
    if (run->facts.fate != FATE_GOES_ON)
        return true;
    expect_stored(run, 6, &run->at_first_end, ANSWER_ABSENCE, "after the load's end");
    expect_outcome(run, 6, &run->last, SLUICE_NOT_FOUND, NULL);
    return true;
}

/* A wait has its own deadline, and can be cancelled. */
static bool rule_7(struct matrix_run *run)
{
    const struct matrix_event *event = run->cell.event;
    const struct matrix_party *party;

    if (event->leaver == LEAVER_NONE)
        return false;
    if (!event->by_deadline)
        matrix_expect(run, 7, run->said == run->facts.happens, "the cancel does not tell the truth");
    for (size_t i = 0; i < run->parked_count; i++) {
        party = &run->parked[i];
        if (party->left && event->by_deadline)
            expect_outcome(run, 7, party, SLUICE_TIMED_OUT, NULL);
        else if (party->left)
            matrix_expect(run, 7, party->call != NULL ? !call_done(party->call) : !bulk_done(run->bulk),
                          "%s was called back after the cancel", party->name);
        else if (run->facts.fate == FATE_GOES_ON)
            matrix_expect(run, 7, !party->done_at_event, "%s left too", party->name);
    }
    if (run->facts.fate == FATE_GOES_ON)
        matrix_expect(run, 7, run->wanted_at_event, "the load does not go on");
    return true;
}

/* A load has its own deadline, and keeps its slot until it really ends. */
static bool rule_8(struct matrix_run *run)
{
    const struct matrix_facts *facts = &run->facts;
    const struct matrix_party *party;
    uint64_t in_flight = (facts->fate != FATE_ENDED) + (run->cell.way->many && !run->other_ended_before);

    if (run->destroyed)
        return false;
    in_flight += facts->next && facts->fate != FATE_TAGGED;
    matrix_expect(run, 8, run->in_flight_newcomer == in_flight, "%ju loads have a slot instead of %ju",
                  (uintmax_t)run->in_flight_newcomer, (uintmax_t)in_flight);
    if (facts->fate == FATE_TIMED_OUT) {
        if (!facts->falls_back)
            expect_released(run, 8, SLUICE_LOAD_TIMED_OUT, NULL);
        if (!run->cell.late)
            expect_stored(run, 8, &run->at_first_end, facts->after.answer, "after the late result");
        expect_successor(run, 8);
    } else if (facts->fate == FATE_RESTARTED) {
        matrix_expect(run, 8, run->said, "the restart was refused");
        matrix_expect(run, 8, run->calls_event == 2, "the restart began no load");
        for (size_t i = 0; (party = next_waiter(run, &i)) != NULL;)
            expect_outcome(run, 8, party, SLUICE_OK, matrix_text(ANSWER_SECOND));
        expect_successor(run, 8);
    }
    return true;
}

static bool somebody_stays(const struct matrix_run *run)
{
    size_t i = 0;
    return next_waiter(run, &i) != NULL;
}

/* Nobody waiting: the load goes on, or is cancelled; the loader is told once of what nobody can be given. */
static bool rule_9(struct matrix_run *run)
{
    enum matrix_fate fate = run->facts.fate;
    size_t told = gated_loader_unwanted(run->fixture->loader) + gated_loader_unwanted(run->own);
    bool wanted = fate == FATE_GOES_ON || fate == FATE_TAGGED || (fate == FATE_DETACHED && somebody_stays(run));

    matrix_expect(run, 9, told == run->ended_unwanted, "the loader was told of %zu unwanted loads instead of %zu", told,
                  run->ended_unwanted);
    if (fate != FATE_ENDED &&
        (run->cell.event->effect != EFFECT_BY_TAG || run->counted)) /* else it is carried out later */
        matrix_expect(run, 9, run->wanted_at_event == wanted, "the load is %s after the event",
                      wanted ? "not wanted" : "wanted");
    if (fate != FATE_ENDED)
        matrix_expect(run, 9, run->wanted == wanted, "the load is %s when it ends", wanted ? "not wanted" : "wanted");
    if (fate == FATE_CANCELLED)
        expect_successor(run, 9);
    return true;
}

const struct matrix_rule matrix_rules[] = {
    {1, rule_1}, {2, rule_2}, {3, rule_3}, {4, rule_4}, {5, rule_5}, {6, rule_6}, {7, rule_7}, {8, rule_8}, {9, rule_9},
};

const size_t matrix_rules_count = COUNT_OF(matrix_rules);
