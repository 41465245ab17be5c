/* SPDX-License-Identifier: MIT */
/* matrix_rules_sums.c: what rules 22 and 23 expect of a cell: what the listener was told, and the counters. */
#include "matrix.h"
#include "sums.h"

/* ---- what was stored, and why it left ---------------------------------------------------------------------------- */

#define LEAVES_MAX 8

struct ledger {
    const char *stored; /* now; NULL: no value */
    size_t count;
    struct {
        const char *value;
        enum sluice_removal_cause cause;
    } left[LEAVES_MAX];
};

static void ledger_change(struct ledger *ledger, const char *value, enum sluice_removal_cause cause)
{
    if (ledger->stored != NULL) {
        assert_true(ledger->count < LEAVES_MAX);
        ledger->left[ledger->count].value = ledger->stored;
        ledger->left[ledger->count++].cause = cause;
    }
    ledger->stored = value;
}

/* The first load's end, where it may change what is stored. */
static void ledger_end(struct ledger *ledger, enum matrix_ending ending)
{
    if (ending == BRINGS_VALUE)
        ledger_change(ledger, matrix_text(ANSWER_FIRST), SLUICE_REMOVED_REPLACED);
    else if (ending == BRINGS_TRANSIENT || ending == BRINGS_NOTHING)
        ledger_change(ledger, NULL, SLUICE_REMOVED_REPLACED);
    else if (ending == BRINGS_RENEWAL && ledger->stored == NULL)
        ledger->stored = matrix_text(ANSWER_OLD); /* it had left, and is stored anew */
}

static void ledger_event(struct ledger *ledger, enum matrix_change change)
{
    switch (change) {
    case CHANGE_NONE:
    case CHANGE_SOFT:
        return;
    case CHANGE_GONE:
    case CHANGE_DESTROYED:
        ledger_change(ledger, NULL, SLUICE_REMOVED_EXPLICIT);
        return;
    case CHANGE_PUT:
        ledger_change(ledger, matrix_text(ANSWER_PUT), SLUICE_REMOVED_REPLACED);
        return;
    case CHANGE_PUT_TRANSIENT:
        ledger_change(ledger, NULL, SLUICE_REMOVED_REPLACED);
        return;
    case CHANGE_EXPIRED:
        ledger_change(ledger, NULL, SLUICE_REMOVED_EXPIRED);
        return;
    case CHANGE_EVICTED:
        ledger_change(ledger, NULL, SLUICE_REMOVED_SIZE);
        return;
    }
}

static struct ledger ledger_of(const struct matrix_run *run)
{
    const struct matrix_cell *cell = &run->cell;
    struct ledger ledger = {.stored = cell->way->old != OLD_NONE ? matrix_text(ANSWER_OLD) : NULL};

    if (cell->when == WHEN_AFTER)
        ledger_end(&ledger, cell->ending);
    if (run->facts.happens)
        ledger_event(&ledger, cell->event->change);
    if (run->facts.fate == FATE_GOES_ON)
        ledger_end(&ledger, cell->ending);
    if (run->facts.next)
        ledger_change(&ledger, matrix_text(ANSWER_SECOND), SLUICE_REMOVED_REPLACED);
    if (run->calls_last > run->calls_ended)
        ledger_change(&ledger, "last", SLUICE_REMOVED_REPLACED);
    ledger_change(&ledger, NULL, SLUICE_REMOVED_EXPLICIT); /* with the cache */
    return ledger;
}

static size_t times_told(struct matrix_run *run, const char *value, enum sluice_removal_cause cause)
{
    size_t told = 0;

    for (size_t i = 0; i < run->removals->count; i++) {
        const struct removals_one *one = &run->removals->told[i];
        told += strcmp(one->key, MATRIX_KEY) == 0 && strcmp(one->value, value) == 0 && one->cause == cause;
    }
    return told;
}

/* The listener is told once of every value that left, and why. */
static bool rule_22(struct matrix_run *run)
{
    struct ledger ledger = ledger_of(run);
    size_t told = 0;

    for (size_t i = 0; i < run->removals->count; i++)
        told += strcmp(run->removals->told[i].key, MATRIX_KEY) == 0;
    matrix_expect(run, 22, told == ledger.count, "the listener was told %zu times instead of %zu", told, ledger.count);
    for (size_t i = 0; i < ledger.count; i++)
        matrix_expect(run, 22, times_told(run, ledger.left[i].value, ledger.left[i].cause) == 1,
                      "it was not told once that \"%s\" left as %s", ledger.left[i].value,
                      sluice_removal_cause_name(ledger.left[i].cause));
    return ledger.count > 0;
}

/* ---- the counters ------------------------------------------------------------------------------------------------ */

static void expect_count(struct matrix_run *run, const char *name, uint64_t count, uint64_t expected)
{
    matrix_expect(run, 23, count == expected, "%s are %ju instead of %ju", name, (uintmax_t)count, (uintmax_t)expected);
}

struct outcomes_seen {
    uint64_t hits;
    uint64_t coalesced;
    uint64_t stale;
};

static void count_outcome(struct outcomes_seen *seen, const struct matrix_run *run, const struct matrix_party *party)
{
    const struct sluice_outcome *outcome;

    if (party->call == NULL && run->bulk == NULL)
        return;
    if (party->left) {
        seen->coalesced += party->follows;
        return;
    }
    outcome = matrix_outcome(run, party);
    seen->hits += outcome->source == SLUICE_SOURCE_HIT;
    seen->coalesced += outcome->source == SLUICE_SOURCE_COALESCED;
    seen->stale += outcome->stale;
}

static void expect_gets(struct matrix_run *run)
{
    struct outcomes_seen seen = {0, 0, 0};

    for (size_t i = 0; i < run->parked_count; i++)
        count_outcome(&seen, run, &run->parked[i]);
    if (run->opener.call != NULL)
        count_outcome(&seen, run, &run->opener);
    count_outcome(&seen, run, &run->newcomer);
    count_outcome(&seen, run, &run->last);
    expect_count(run, "gets", run->stats.gets, run->gets);
    expect_count(run, "hits", run->stats.hits, seen.hits);
    expect_count(run, "coalesced gets", run->stats.coalesced, seen.coalesced);
    expect_count(run, "gets of stale values", run->stats.stale, seen.stale);
    expect_count(run, "refused gets", run->stats.refused, 0);
}

/* Counters of what the event did to the load, to the other one, and to those who waited. */
static void expect_event(struct matrix_run *run)
{
    const struct matrix_event *event = run->cell.event;
    enum matrix_fate fate = run->facts.fate;
    uint64_t pending = run->cell.way->many && !run->other_ended_before;
    uint64_t with_other = event->everything ? pending : 0;
    uint64_t left = 0;

    for (size_t i = 0; i < run->parked_count; i++)
        if (run->parked[i].left)
            left += run->parked[i].call == NULL ? 1 + pending : 1;
    expect_count(run, "waits that timed out", run->stats.waits_timed_out, event->by_deadline ? left : 0);
    expect_count(run, "cancelled waits", run->stats.waits_cancelled, event->by_deadline ? 0 : left);
    expect_count(run, "loads that timed out", run->stats.loads_timed_out, fate == FATE_TIMED_OUT ? 1 + with_other : 0);
    if (event->effect == EFFECT_DETACHES || event->effect == EFFECT_BY_TAG)
        expect_count(run, "detached loads", run->stats.loads_detached,
                     (fate == FATE_DETACHED || fate == FATE_TAGGED) + with_other);
    expect_count(run, "puts", run->stats.puts,
                 1 + (run->cell.way->old != OLD_NONE) + (event->change == CHANGE_EVICTED) +
                     (event->effect == EFFECT_OVERTAKES && run->facts.happens));
}

/* The counters add up, and are what was seen. */
static bool rule_23(struct matrix_run *run)
{
    const struct sluice_stats *stats = &run->stats;
    size_t calls = gated_loader_calls_in_all(run->fixture->loader) + gated_loader_calls_in_all(run->own);

    if (run->destroyed)
        return false;
    matrix_expect(run, 23, sums_hold(stats), "the sums do not hold");
    expect_count(run, "waiters", stats->waiters, 0);
    expect_count(run, "loads in flight", stats->loads_in_flight, 0);
    expect_count(run, "loads", stats->loads, calls);
    expect_count(run, "dropped loads", stats->loads_dropped, run->ended_unwanted);
    expect_count(run, "failed loads", stats->loads_failed, run->ended_failing);
    expect_count(run, "loads that found nothing", stats->loads_not_found, run->ended_nothing);
    expect_gets(run);
    expect_event(run);
    return true;
}

const struct matrix_rule matrix_rules_sums[] = {{22, rule_22}, {23, rule_23}};

const size_t matrix_rules_sums_count = COUNT_OF(matrix_rules_sums);
