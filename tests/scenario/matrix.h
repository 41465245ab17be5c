/* SPDX-License-Identifier: MIT */
/*
 * matrix.h: each thing that can happen to a key, crossed with each way of loading it, each moment, and each end of the
 * load. For the files matrix*.c, one program.
 *
 *     matrix_events.c   the table of events, and what makes them happen
 *     matrix_ways.c     the table of ways to load, and how each is begun
 *     matrix_facts.c    what an event means in a cell, derived from the columns of both tables; which cells have none
 *     matrix_play.c     plays a cell on a cache of its own and notes what is seen; expects nothing
 *     matrix_rules*.c   the expectations: one function a rule, none of them knows a cell by name
 *     matrix_test.c     makes the cells
 *
 * A cell is played so: a value may be stored, "old"; the load of "key" is begun, and may be joined; the event happens,
 * then or after the load's end; a newcomer gets the key; the load ends, then the next one if there is one (or the other
 * way round); a last get is made; the cache is destroyed.
 */
#ifndef TESTS_SCENARIO_MATRIX_H
#define TESTS_SCENARIO_MATRIX_H

#include "bulk_call.h"
#include "call.h"
#include "removals.h"

#define MATRIX_KEY             "key"
#define MATRIX_OTHER           "other" /* loaded along with it, in the ways that load many */
#define MATRIX_BYSTANDER       "bystander"
#define MATRIX_TAG             "tag"  /* on all values of the key */
#define MATRIX_WINDOW_MS       10     /* of batches */
#define MATRIX_WAIT_MS         30     /* of the waiter that runs out of time */
#define MATRIX_LOAD_TIMEOUT_MS 50     /* of loads, where one does */
#define MATRIX_TTL_MS          1000   /* of values and not-founds */
#define MATRIX_STALE_MS        100000 /* of the windows in which stale values are given */
#define MATRIX_ENTRIES_MAX     8      /* where something is to be evicted */

/* ---- the axes ---------------------------------------------------------------------------------------------------- */

/* What an event does to the flight that it finds. */
enum matrix_effect {
    EFFECT_NOTHING,
    EFFECT_DETACHES,  /* rule 3 */
    EFFECT_BY_TAG,    /* likewise, as far as the tag is known: of what is stored, or of what the load will bring */
    EFFECT_OVERTAKES, /* rule 4 */
    EFFECT_TIMES_OUT, /* rule 8 */
    EFFECT_ABANDONS,
    EFFECT_RESTARTS,
    EFFECT_CLOSES /* rule 18 */
};

/* What it does to what is stored. */
enum matrix_change {
    CHANGE_NONE,
    CHANGE_GONE,
    CHANGE_SOFT, /* stale */
    CHANGE_PUT,
    CHANGE_PUT_TRANSIENT, /* gone, and nothing in its place (rule 13) */
    CHANGE_EXPIRED,
    CHANGE_EVICTED,
    CHANGE_DESTROYED
};

/* Who leaves the flight. */
enum matrix_leaver { LEAVER_NONE, LEAVER_LEADER, LEAVER_FOLLOWER, LEAVER_BLOCKING_FOLLOWER };

/* What must be there for the event to do anything. */
enum matrix_need { NEED_NOTHING, NEED_PRESENT, NEED_ABSENT, NEED_STORED, NEED_IN_FLIGHT };

struct matrix_run;

struct matrix_event {
    const char *name;
    void (*happen)(struct matrix_run *run);
    enum matrix_effect effect;
    enum matrix_change change;
    enum matrix_leaver leaver;
    enum matrix_need need;
    bool by_deadline;      /* the leaver runs out of time; else it is cancelled */
    bool cancels_unwanted; /* the option of rule 9 is on */
    bool everything;       /* it concerns every key */
};

/* Who waits for the load from its beginning. */
enum matrix_leader { LEADER_NONE, LEADER_BLOCKING, LEADER_ASYNC, LEADER_BULK_BLOCKING, LEADER_BULK_ASYNC };

/* What is stored when the load begins. */
enum matrix_old {
    OLD_NONE,
    OLD_FRESH,
    OLD_STALE, /* expired and given, marked so, while it is loaded anew (stale-while-revalidate) */
    OLD_HELD   /* expired and given only if the load fails (stale-if-error) */
};

struct matrix_way {
    const char *name;
    void (*begin)(struct matrix_run *run);
    enum matrix_leader leader;
    enum matrix_old old;
    bool many;       /* MATRIX_OTHER is loaded in the same call of load_many */
    bool own_loader; /* of the call */
};

enum matrix_when { WHEN_ALONE, WHEN_JOINED, WHEN_AFTER };

#define MATRIX_WHENS 3

enum matrix_ending { BRINGS_VALUE, BRINGS_TRANSIENT, BRINGS_NOTHING, BRINGS_FAILURE, BRINGS_RENEWAL };

#define MATRIX_ENDINGS 5

struct matrix_cell {
    const struct matrix_event *event;
    const struct matrix_way *way;
    enum matrix_when when;
    enum matrix_ending ending;
    bool late; /* the load ends after its successor */
};

extern const struct matrix_event matrix_events[];
extern const size_t matrix_events_count;
extern const struct matrix_way matrix_ways[];
extern const size_t matrix_ways_count;

/* ---- the facts --------------------------------------------------------------------------------------------------- */

/* What becomes of the first flight through the event. */
enum matrix_fate {
    FATE_GOES_ON,
    FATE_ENDED,     /* it was over before */
    FATE_DETACHED,  /* serves those who are parked, and nobody else */
    FATE_TAGGED,    /* likewise, which shows when it ends: those who come later wait for the next load */
    FATE_OVERTAKEN, /* by a put */
    FATE_TIMED_OUT,
    FATE_ABANDONED,
    FATE_RESTARTED, /* its waiters wait for another load */
    FATE_CANCELLED, /* nobody waits */
    FATE_CLOSED
};

/* An answer that may be stored. */
enum matrix_answer { ANSWER_NONE, ANSWER_OLD, ANSWER_FIRST, ANSWER_PUT, ANSWER_SECOND, ANSWER_ABSENCE };

struct matrix_stored {
    enum matrix_answer answer;
    bool stale;
};

struct matrix_facts {
    enum matrix_fate fate;
    bool happens;                /* the event finds what it needs */
    bool joined;                 /* there are followers */
    struct matrix_stored before; /* at the event */
    struct matrix_stored after;
    bool falls_back; /* who waits for a load that fails is given the old value, as stale */
    bool given;      /* what is stored after it is given to a get at once */
    bool held_off;   /* a reload has failed just now, and none is begun (rule 11) */
    bool next;       /* another load is begun, by the event or by the newcomer, while the first flight is on or since */
};

struct matrix_facts matrix_facts(const struct matrix_cell *cell);

/* Whether nothing ends the first flight but its load; and whether the load's outcome reaches those who had parked on
 * it, stored or not. */
bool matrix_is_current(const struct matrix_facts *facts);
bool matrix_is_served(const struct matrix_facts *facts);

/* Why the cell is not played; NULL: it is. */
const char *matrix_excluded(const struct matrix_cell *cell);

/* The text of an answer. */
const char *matrix_text(enum matrix_answer answer);

/* ---- a run ------------------------------------------------------------------------------------------------------- */

/* What is stored for the key at an instant, seen without a get. */
struct matrix_peek {
    struct matrix_stored stored;
    bool bystander; /* is stored */
    bool other;
};

/* A get of the key. */
struct matrix_party {
    const char *name;
    struct call *call; /* NULL: the bulk get */
    bool follows;
    bool left;               /* through the event */
    bool done_at_event;      /* its outcome had come, or it was cancelled, once the event was over */
    struct matrix_peek seen; /* from its callback; for an asynchronous single get */
    bool has_seen;
};

#define MATRIX_PARTIES_MAX 4

struct matrix_run {
    struct matrix_cell cell;
    struct matrix_facts facts;
    struct fixture *fixture;
    struct removals *removals;
    struct gated_loader *own; /* of the call */

    struct matrix_party parked[MATRIX_PARTIES_MAX]; /* the leader, if there is one, and the followers, in their order */
    size_t parked_count;
    struct bulk_call *bulk;        /* or NULL */
    struct call *other;            /* the get of MATRIX_OTHER that is batched along, or NULL */
    struct matrix_party opener;    /* whose stale hit begins the reload; call NULL: none */
    struct matrix_party newcomer;  /* call NULL: the cache was destroyed */
    struct matrix_party last;      /* likewise */
    struct gated_loader *first_of; /* the loader that has the first load, and its number there */
    size_t first_number;
    size_t next_number; /* of the cache's loader, of the load after the first ones */
    bool other_ended;
    bool other_ended_before; /* the event */
    bool first_ended;
    uint64_t gets; /* made */

    /* What the event returned. */
    struct sluice_invalidated gone;
    bool counted; /* gone is set */
    bool said;    /* by a cancel, an abandon */
    enum sluice_error error;

    /* Seen: */
    bool old_given; /* to the first load, as its old value */
    size_t batches; /* calls of load_many once the load was begun */
    size_t batch_size;
    size_t calls_begun, calls_event, calls_newcomer, calls_ended, calls_last; /* of loaders for the key, after each */
    bool wanted;                                                              /* the first load, when it was ended */
    bool wanted_at_event;                                                     /* right after the event */
    uint64_t in_flight_newcomer; /* loads of all keys, before the first of the two was ended */
    struct matrix_peek at_event, at_first_end, at_end;
    size_t ended_unwanted;     /* loads that nobody wanted when they were ended */
    size_t ended_failing;      /* loads that failed and were wanted */
    size_t ended_nothing;      /* loads that found nothing and were wanted */
    struct sluice_stats stats; /* before the cache was destroyed */
    bool destroyed;            /* by the event */

    unsigned broken; /* rules */
};

/* Plays the cell to its end. */
void matrix_play(struct matrix_run *run);

/* For matrix_events.c and matrix_ways.c: a value of the key, with its tag. */
struct sluice_content matrix_content(const char *text, int64_t ttl_ms);

/* Begins an asynchronous get of the key whose callback notes what is stored. */
void matrix_get(struct matrix_run *run, struct matrix_party *party, const char *name, const struct call_spec *spec);

/* Waits until the loader has been called for each load that has been begun. */
void matrix_settle(struct matrix_run *run);

/* What is stored for the key now. */
struct matrix_peek matrix_look(struct matrix_run *run);

const struct sluice_outcome *matrix_outcome(const struct matrix_run *run, const struct matrix_party *party);

/* ---- judging ----------------------------------------------------------------------------------------------------- */

struct matrix_rule {
    unsigned number;
    /* True: the rule had something to say of the cell. What is not as it says goes to matrix_expect(). */
    bool (*judge)(struct matrix_run *run);
};

extern const struct matrix_rule matrix_rules[];
extern const size_t matrix_rules_count;
extern const struct matrix_rule matrix_rules_rest[];
extern const size_t matrix_rules_rest_count;
extern const struct matrix_rule matrix_rules_sums[];
extern const size_t matrix_rules_sums_count;

/* Notes that a rule is broken if `holds` is false; says so with the text. */
void matrix_expect(struct matrix_run *run, unsigned rule, bool holds, const char *text, ...)
    __attribute__((format(printf, 4, 5)));

#endif
