/* SPDX-License-Identifier: MIT */
/* matrix_facts.c: what an event means in a cell, from the columns of the tables alone. */
#include "matrix.h"

const char *matrix_text(enum matrix_answer answer)
{
    static const char *const texts[] = {
        [ANSWER_NONE] = NULL, [ANSWER_OLD] = "old",       [ANSWER_FIRST] = "first",
        [ANSWER_PUT] = "put", [ANSWER_SECOND] = "second", [ANSWER_ABSENCE] = NULL,
    };
    return texts[answer];
}

/* ---- what is stored ---------------------------------------------------------------------------------------------- */

static struct matrix_stored stored_before(const struct matrix_cell *cell)
{
    enum matrix_old old = cell->way->old;
    struct matrix_stored kept = {old == OLD_NONE ? ANSWER_NONE : ANSWER_OLD, old == OLD_STALE || old == OLD_HELD};

    if (cell->when != WHEN_AFTER)
        return kept;
    switch (cell->ending) {
    case BRINGS_VALUE:
        return (struct matrix_stored){ANSWER_FIRST, false};
    case BRINGS_TRANSIENT:
        return (struct matrix_stored){ANSWER_NONE, false};
    case BRINGS_NOTHING:
        return (struct matrix_stored){ANSWER_ABSENCE, false};
    case BRINGS_FAILURE:
        return kept;
    case BRINGS_RENEWAL:
        return (struct matrix_stored){ANSWER_OLD, false};
    }
    return kept;
}

static bool is_value(enum matrix_answer answer)
{
    return answer != ANSWER_NONE && answer != ANSWER_ABSENCE;
}

static struct matrix_stored stored_after(const struct matrix_cell *cell, const struct matrix_facts *facts)
{
    static const struct matrix_stored none = {ANSWER_NONE, false};
    struct matrix_stored stored = facts->before;

    if (!facts->happens)
        return stored;
    switch (cell->event->change) {
    case CHANGE_NONE:
        return stored;
    case CHANGE_PUT:
        return (struct matrix_stored){ANSWER_PUT, false};
    case CHANGE_PUT_TRANSIENT:
    case CHANGE_EXPIRED:
    case CHANGE_EVICTED:
    case CHANGE_DESTROYED:
        return none;
    case CHANGE_GONE: /* a not-found has no tags */
        return cell->event->effect == EFFECT_BY_TAG && stored.answer == ANSWER_ABSENCE ? stored : none;
    case CHANGE_SOFT:
        if (stored.answer == ANSWER_ABSENCE)
            return cell->event->effect == EFFECT_BY_TAG ? stored : none;
        stored.stale = stored.answer != ANSWER_NONE;
        return stored;
    }
    return none;
}

/* ---- what becomes of the flight ---------------------------------------------------------------------------------- */

static bool brings_tag(const struct matrix_cell *cell)
{
    return cell->ending == BRINGS_VALUE || cell->ending == BRINGS_TRANSIENT || cell->ending == BRINGS_RENEWAL;
}

static bool is_last_to_leave(const struct matrix_cell *cell, const struct matrix_facts *facts)
{
    return cell->event->leaver == LEAVER_LEADER && !facts->joined;
}

static enum matrix_fate fate_of(const struct matrix_cell *cell, const struct matrix_facts *facts)
{
    if (cell->when == WHEN_AFTER)
        return FATE_ENDED;
    if (!facts->happens)
        return FATE_GOES_ON;
    switch (cell->event->effect) {
    case EFFECT_NOTHING:
        return cell->event->cancels_unwanted && is_last_to_leave(cell, facts) ? FATE_CANCELLED : FATE_GOES_ON;
    case EFFECT_DETACHES:
        return FATE_DETACHED;
    case EFFECT_BY_TAG:
        if (is_value(facts->before.answer))
            return FATE_DETACHED; /* the tag is known, of the old value */
        return brings_tag(cell) ? FATE_TAGGED : FATE_GOES_ON;
    case EFFECT_OVERTAKES:
        return FATE_OVERTAKEN;
    case EFFECT_TIMES_OUT:
        return FATE_TIMED_OUT;
    case EFFECT_ABANDONS:
        return FATE_ABANDONED;
    case EFFECT_RESTARTS:
        return FATE_RESTARTED;
    case EFFECT_CLOSES:
        return FATE_CLOSED;
    }
    return FATE_GOES_ON;
}

static bool happens(const struct matrix_cell *cell, const struct matrix_facts *facts)
{
    bool present = facts->before.answer != ANSWER_NONE && !facts->before.stale;

    switch (cell->event->need) {
    case NEED_NOTHING:
        return true;
    case NEED_PRESENT: /* of values: a not-found is present as little as absent */
        return present && facts->before.answer != ANSWER_ABSENCE;
    case NEED_ABSENT:
        return !present || facts->before.answer == ANSWER_ABSENCE;
    case NEED_STORED:
        return facts->before.answer != ANSWER_NONE;
    case NEED_IN_FLIGHT:
        return cell->when != WHEN_AFTER;
    }
    return true;
}

/* Others can park behind the load: they are not given the old value. */
static bool can_be_joined(const struct matrix_way *way)
{
    return way->old == OLD_NONE || way->old == OLD_HELD;
}

/* Whether a load over the old value has failed, as the cache sees it, and nothing has touched that value since. */
static bool has_failed_over_old(const struct matrix_cell *cell, const struct matrix_facts *facts)
{
    if (cell->way->old == OLD_NONE || (cell->event->change != CHANGE_NONE && facts->happens))
        return false;
    return facts->fate == FATE_TIMED_OUT || facts->fate == FATE_ABANDONED ||
           (facts->fate == FATE_ENDED && cell->ending == BRINGS_FAILURE);
}

/* An expired value is given in place of a failure as long as it is there. */
static bool falls_back(const struct matrix_cell *cell, const struct matrix_facts *facts)
{
    if (cell->way->old != OLD_HELD)
        return false;
    if (facts->fate == FATE_DETACHED)
        return cell->event->change == CHANGE_SOFT && !cell->late; /* else the successor has replaced it */
    return facts->fate == FATE_ENDED || facts->after.answer == ANSWER_OLD;
}

/* Stale values are given at once while they are loaded anew, or, where they are held, when a load has failed. */
static bool is_given(const struct matrix_cell *cell, const struct matrix_facts *facts)
{
    if (facts->after.answer == ANSWER_NONE)
        return false;
    return !facts->after.stale || cell->way->old != OLD_HELD || facts->held_off;
}

static bool has_next(const struct matrix_facts *facts)
{
    if (facts->fate == FATE_CLOSED)
        return false;
    if (facts->fate == FATE_RESTARTED || facts->fate == FATE_TAGGED)
        return true;
    if (facts->given && !facts->after.stale)
        return false;
    return facts->fate != FATE_GOES_ON && !facts->held_off;
}

struct matrix_facts matrix_facts(const struct matrix_cell *cell)
{
    struct matrix_facts facts = {.before = stored_before(cell)};

    facts.joined = cell->when != WHEN_ALONE && can_be_joined(cell->way);
    facts.happens = happens(cell, &facts);
    facts.fate = fate_of(cell, &facts);
    facts.after = stored_after(cell, &facts);
    if (cell->when == WHEN_AFTER && cell->event->effect == EFFECT_CLOSES)
        facts.fate = FATE_ENDED;
    facts.held_off = facts.after.stale && has_failed_over_old(cell, &facts);
    facts.falls_back = falls_back(cell, &facts);
    facts.given = is_given(cell, &facts);
    facts.next = has_next(&facts) && cell->event->effect != EFFECT_CLOSES;
    return facts;
}

bool matrix_is_current(const struct matrix_facts *facts)
{
    return facts->fate == FATE_GOES_ON || facts->fate == FATE_ENDED;
}

bool matrix_is_served(const struct matrix_facts *facts)
{
    return matrix_is_current(facts) || facts->fate == FATE_DETACHED || facts->fate == FATE_TAGGED;
}

/* ---- which cells have no meaning --------------------------------------------------------------------------------- */

static const char *leaver_is_missing(const struct matrix_cell *cell, const struct matrix_facts *facts)
{
    enum matrix_leader leader = cell->way->leader;
    bool can_be_cancelled = leader == LEADER_ASYNC || leader == LEADER_BULK_ASYNC;

    if (cell->event->leaver == LEAVER_NONE)
        return NULL;
    if (cell->event->leaver != LEAVER_LEADER)
        return facts->joined ? NULL : "it has no followers";
    if (leader == LEADER_NONE)
        return "it has no leader";
    return cell->event->by_deadline || can_be_cancelled ? NULL : "a blocking get is not cancelled";
}

const char *matrix_excluded(const struct matrix_cell *cell)
{
    struct matrix_facts facts = matrix_facts(cell);

    if (cell->ending == BRINGS_RENEWAL && cell->way->old == OLD_NONE)
        return "there is no old value that could be renewed";
    if (cell->when == WHEN_JOINED && !facts.joined)
        return "gets are given the old value and do not park";
    if (cell->late && (cell->when == WHEN_AFTER || !facts.next))
        return "it has no successor";
    if (cell->late && facts.fate == FATE_TAGGED)
        return "the successor begins when it ends";
    if (facts.before.answer == ANSWER_NONE &&
        (cell->event->change == CHANGE_EXPIRED || cell->event->change == CHANGE_EVICTED))
        return "nothing is stored that could leave by itself";
    return leaver_is_missing(cell, &facts);
}
