/* SPDX-License-Identifier: MIT */
/* judge_internal.h: what the parts of the judge share. For judge*.c alone; see judge.h. */
#ifndef TESTS_JUDGE_INTERNAL_H
#define TESTS_JUDGE_INTERNAL_H

#include "judge.h"

/* An instant that does not come. */
#define JUDGE_FAR INT64_MAX

/*
 * The latest begins of calls that have returned: what was there before may not be given any more to gets that begin
 * from here on.
 */
struct floors {
    uint64_t invalidated;           /* rule 3: of the key, */
    uint64_t tags[RECORD_TAGS_MAX]; /* of the values that have the tag, */
    uint64_t chosen;                /* of what had been stored by then, and of no load in flight */
    uint64_t soft;                  /* as `invalidated` and `tags`: only as stale */
    uint64_t soft_tags[RECORD_TAGS_MAX];
    uint64_t put; /* rule 4 */
};

/* What is known of a get. */
struct get_note {
    struct floors floors; /* of the key when it began */
    uint64_t epoch;       /* of the key when it began */
    uint64_t parked;
    uint64_t settled_by; /* a put, or a load given up, that must have released it: begun after it had parked, and
                            returned */
    uint64_t told;       /* its callback */
    uint64_t cancelled;
    uint64_t next; /* in the key's list of parked gets */
    bool quiet;    /* nothing that removes was under way when it began */
    bool led;      /* the loader was called for it */
};

/* What is known of a load or a put, and of the value that it brings; or of another change of a key. */
struct value_note {
    uint64_t since;     /* of a load: its flight began after this record; 0: not known */
    uint64_t finish;    /* the record that brings the value; 0: none yet */
    uint64_t ended;     /* the call that did has returned; 0: not yet */
    uint64_t birth;     /* what rules 3 and 4 go by: the load's begin, the put's return */
    uint64_t renewed;   /* the latest load that may have renewed it */
    uint64_t dated;     /* its times are those of this record: see table_times_known() */
    uint64_t before;    /* of a put and a time to live: what was certainly there when it began */
    int64_t fresh_ms;   /* fresh before this instant for certain */
    int64_t refresh_ms; /* not due for a reload before this instant for certain */
    int64_t gone_ms;    /* past its time to live from this instant on for certain */
    uint64_t epoch;     /* of the key when the end, or the put, began */
    uint64_t stored;    /* a record that proves that it was stored */
    uint64_t removed;   /* the listener was told, last */
    uint32_t removals;  /* how often */
    uint32_t offers;    /* how often it was told that it is about to */
    uint64_t overtaken; /* of a load: the put or the giving up that came while it was current or over */
    uint64_t next;      /* in the key's list of loads that have not ended */
    uint32_t renewals;  /* ends of reloads that may have renewed it */
    uint32_t reloads;   /* moves with all that its reloads may have done to its times */
    uint32_t reload;    /* of a reload: `reloads` of the old value when its end began */
    uint8_t tags;       /* of the value */
    bool brings;        /* a value, not a failure */
    bool refused;       /* of a put: it stored nothing */
    bool warm;          /* it came to this cache with a file */
    bool made_stale;    /* and had been invalidated softly before that */
    bool removes;       /* its end counts among the key's removers */
    bool quiet;         /* nothing else that removes was under way when the end, or the put, began */
    bool dead;          /* of a load: its flight was no more, or detached, before the end began */
    bool current;       /* of a load: its flight was certainly current when the end began, or, once that has returned,
                           when it took effect */
};

struct note {
    union {
        struct get_note get;
        struct value_note value;
    };
};

/* The calls of one kind under way, and the end of the last that returned. */
struct calls {
    unsigned open;
    uint64_t last_end;
};

/* What is certain of a key at this point of the pass. */
struct key_state {
    struct calls invalidations;
    struct calls puts;
    struct calls tag_invalidations; /* these two are among the invalidations too */
    struct calls soft_invalidations;
    struct calls abandons; /* of loads, restarts included */
    struct calls ttls;     /* changes of a time to live */
    struct calls refreshes;
    unsigned removers; /* calls under way that may take a value away or bring another: also the ends of loads */
    uint64_t epoch;    /* moves with each begin and end of these */

    struct floors floors;
    uint64_t floor_abandoned; /* likewise, of loads: what began before brings nothing that is stored */

    /* The value that is certainly in the table; 0: none. */
    uint64_t there;
    uint64_t there_since; /* since this record, or else the flight that brought it was current */
    uint64_t seen_since;  /* since this record by every get; 0: its load's end is under way */

    /* A reload of `there` has failed: none before this instant. */
    uint64_t backoff_since;
    int64_t backoff_ms;

    uint64_t loads;           /* the first of the list of loads that have not ended */
    uint64_t parked;          /* the first of the list of gets that are parked */
    uint64_t not_found_birth; /* the latest begin of a load that found nothing */
};

struct judge {
    const struct history *history;
    struct note *notes; /* of record n at n - 1 */
    struct verdict *verdict;
    struct key_state keys[RECORD_KEYS_MAX];
    uint64_t counts[RECORD_STATS_COUNT]; /* what the log counts, for rule 23 */
    uint64_t stats[RECORD_STATS_COUNT];  /* the records of the cache's counters; 0: not told */
    uint64_t restarts;                   /* at the most: flights that went on with another load, for a tag (rule 3) */
    uint64_t unclear;                    /* gets of which the log can't tell as what they were counted */
    uint64_t uncounted;                  /* waits of computations that timed out: counted, or not */
    uint64_t destroyed;                  /* the destroy that has begun */
    uint64_t closing, closed;            /* the close, or the destroy, that has begun and returned */
    struct {
        uint64_t counts[RECORD_STATS_COUNT]; /* as above, when the counters were told */
        uint64_t restarts, unclear, uncounted;
        bool told;
    } rest;
    struct {
        uint64_t created;                      /* this cache; 0: the first */
        uint64_t saving, saved;                /* the begin and the end of the save */
        uint64_t began, ended;                 /* those of the load of the file; 0: not yet */
        struct floors floors[RECORD_KEYS_MAX]; /* when the save began */
        struct floors next[RECORD_KEYS_MAX];   /* likewise of a save that has not ended */
        struct calls ttls[RECORD_KEYS_MAX];    /* of the cache before */
    } file;
};

static inline struct get_note *judge_get(struct judge *judge, uint64_t order)
{
    return &judge->notes[order - 1].get;
}

static inline struct value_note *judge_value(struct judge *judge, uint64_t order)
{
    return &judge->notes[order - 1].value;
}

static inline struct key_state *judge_key(struct judge *judge, const struct record *begin)
{
    return &judge->keys[history_key(begin)];
}

/* Remembers the first broken rule, with the records that show it. */
void judge_break(struct judge *judge, unsigned rule, unsigned key, const char *why, uint64_t first, uint64_t second,
                 uint64_t third, uint64_t fourth);

static inline void judge_count(struct judge *judge, unsigned rule)
{
    judge->verdict->judged[rule]++;
}

/* Whether the log has a value of this name for these keys, brought before the record `order`. */
bool judge_has_value(const struct judge *judge, uint64_t name, uint16_t keys, uint64_t order);

static inline bool calls_quiet_since(const struct calls *calls, uint64_t order)
{
    return calls->open == 0 && calls->last_end <= order;
}

/* judge_floors.c: what may not be given any more. */
void floors_raise(struct judge *judge, struct floors *floors, const struct record *invalidation);

/* The floor of an invalidation that rules the value out, and of one that leaves it only as stale; 0: none. */
uint64_t floors_rule_out(const struct floors *floors, const struct value_note *value);
uint64_t floors_make_stale(const struct floors *floors, const struct value_note *value);

/* Likewise for a not-found of this birth. */
uint64_t floors_rule_out_nothing(const struct floors *floors, uint64_t birth);

/* Whether any has been there that concerns a value with these tags. */
bool floors_concern(const struct floors *floors, uint8_t tags);

/* Whether the flight of a load that began then had lost its place before now, if it brings these tags. */
bool floors_end_flight(const struct key_state *key, uint64_t load, uint8_t tags);

/* judge_table.c: what is in the table, and who changes it. */
bool table_quiet_since(const struct key_state *key, uint64_t order); /* nothing that ends a flight since the record */

/* Whether the value's times are known: nobody can have changed them since. */
bool table_times_known(const struct key_state *key, const struct value_note *value);

/* A call that may take a value away, or bring another. The end: true if no other was under way meanwhile. */
void table_call_begin(struct key_state *key, struct value_note *note);
bool table_call_end(struct key_state *key, const struct value_note *note);

/* `value` is certainly in the table: every get since `seen` sees it, and none since `since` can have started a load. */
void table_is(struct judge *judge, struct key_state *key, uint64_t value, uint64_t since, uint64_t seen);

int64_t table_after_ms(int64_t time_ms, int32_t span_ms); /* JUDGE_FAR for RECORD_NEVER */
int64_t table_reload_ms(const struct record *record);     /* the instant of the next reload; a span of 0 is none */

/* Whether a flight that began after the record `since` can have met its deadline by now. */
bool table_may_be_late(const struct judge *judge, uint64_t since, int64_t now_ms);

void table_load_begin(struct judge *judge, const struct record *record);
void table_finish_begin(struct judge *judge, const struct record *record);
void table_finish_end(struct judge *judge, const struct record *record);
void table_invalidate_begin(struct judge *judge, const struct record *record);
void table_invalidate_end(struct judge *judge, const struct record *record);

/* A get was given `value` from the table: it was there between the get's begin and this record. */
void table_hit(struct judge *judge, const struct record *begin, const struct record *record);

/* judge_changes.c: puts, conditional ones, times to live, and loads that are abandoned. */
void changes_put_begin(struct judge *judge, const struct record *record);
void changes_put_end(struct judge *judge, const struct record *record);
void changes_ttl_begin(struct judge *judge, const struct record *record);
void changes_ttl_end(struct judge *judge, const struct record *record);
void changes_refresh_begin(struct judge *judge, const struct record *record);
void changes_refresh_end(struct judge *judge, const struct record *record);
void changes_abandon_begin(struct judge *judge, const struct record *record);
void changes_abandon_end(struct judge *judge, const struct record *record);

/*
 * judge_loads.c: rules 1, 2, 11 and 15 of a load that begins; `since` of its note is set, and it is not in the list
 * yet. False: its old value is none that there can be.
 */
bool loads_judge(struct judge *judge, const struct record *record);

/* judge_close.c: rule 18, and that another cache begins with nothing. */
void close_create(struct judge *judge, const struct record *record);
void close_begin(struct judge *judge, const struct record *record);
void close_end(struct judge *judge, const struct record *record);
void close_judge_get(struct judge *judge, const struct record *begin, const struct record *record);
void close_judge_call(struct judge *judge, const struct record *begin, const struct record *end);
void close_judge_load(struct judge *judge, const struct record *load);

/* judge_warm.c: what a saved file may bring (rules 3, 4). */
void warm_save_begin(struct judge *judge, const struct record *record);
void warm_save_end(struct judge *judge, const struct record *record);
void warm_begin(struct judge *judge, const struct record *record);
void warm_end(struct judge *judge, const struct record *record);
void warm_create(struct judge *judge);

/* A value is met that an older cache had: it begins anew in this one, if the file may have brought it. */
void warm_meet(struct judge *judge, uint64_t value, const struct record *where);

/* judge_gets.c: gets and what they are given (rules 2, 3, 4, 7, 8, 11, 12, 13, 14, 19, 22). */
void gets_begin(struct judge *judge, const struct record *record);
void gets_parked(struct judge *judge, const struct record *record);
void gets_outcome(struct judge *judge, const struct record *record);
void gets_cancel_end(struct judge *judge, const struct record *record);
void gets_settle(struct judge *judge, const struct key_state *key, uint64_t by);
void gets_at_end(struct judge *judge);

/* judge_removed.c: rule 22. */
void removed_judge(struct judge *judge, const struct record *record);
void removed_evicting(struct judge *judge, const struct record *record);
void removed_at_end(struct judge *judge);

/* One value, once its cache is destroyed. */
void removed_judge_left(struct judge *judge, uint64_t value);

/* judge_sums.c: rule 23. */
void sums_stat(struct judge *judge, const struct record *record);
void sums_at_end(struct judge *judge);

#endif
