/* SPDX-License-Identifier: MIT */
/*
 * record.h: the history of a run, as it is written down by those who run and read by those who judge (history.h).
 *
 * Every event is a record with an order number, drawn from one atomic counter: 1, 2, 3 ... without a gap. A call of the
 * cache is two records, drawn before the call and after its return, so that what the call did lies between their
 * numbers; what has a number above another's end came after it for certain. The number of the record that begins
 * something is its name: a get, a load, a put or an invalidation is called by it, and the bytes of a value are the
 * number of the load or the put that brought it.
 *
 * A thread appends to a buffer of its own, so that threads meet at the counter only. Nothing is written to the file
 * before the run is over. A thread whose buffer is nearly full says so by record_full(): the run ends early then.
 *
 * The file, in the byte order of the machine: a struct record_header, then `count` records in any order.
 */
#ifndef TESTS_RECORD_H
#define TESTS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MAGIC       "slcehist"
#define RECORD_VERSION     3
#define RECORD_BYTE_ORDER  UINT32_C(0x01020304)
#define RECORD_KEYS_MAX    16
#define RECORD_TAGS_MAX    2
#define RECORD_THREADS_MAX 48
#define RECORD_NEVER       INT32_C(-1) /* of ttl_ms and refresh_ms: without an end */
#define RECORD_NO_VALUE    UINT64_MAX  /* the bytes of a value that are no name of a value */

/*
 * What happened; for each, what of the record is used besides order, time_ms, kind and thread. `begin` is the name of
 * what the record goes on with or ends.
 */
enum record_kind {
    RECORD_GET_BEGIN = 1, /* keys, how: RECORD_BLOCKING ..; of a bulk get each key is one */
    RECORD_GET_PARKED,    /* begin: the asynchronous get returned that it is parked, or of a bulk some key is */
    RECORD_GET_END,       /* begin, error, source, stale, value: the call returned with its outcome */
    RECORD_CALLBACK,      /* as RECORD_GET_END: the callback of a parked get runs */
    RECORD_CANCEL_BEGIN,  /* begin: the get */
    RECORD_CANCEL_END,   /* begin: the RECORD_CANCEL_BEGIN; error is RECORD_OK if it was cancelled, else RECORD_OTHER */
    RECORD_LOAD_BEGIN,   /* keys; begin: the get, the refresh or the restart that started it, 0: not known; how:
                            RECORD_FOREGROUND ..; value: the old value that the loader was given, 0: none; together */
    RECORD_FINISH_BEGIN, /* begin: the load; how: RECORD_VALUE ..; ttl_ms, refresh_ms, tags */
    RECORD_FINISH_END,   /* begin: the RECORD_FINISH_BEGIN */
    RECORD_PUT_BEGIN,    /* keys, ttl_ms, refresh_ms, tags; how: RECORD_ALWAYS ..; value: of RECORD_IF_SAME */
    RECORD_PUT_END,      /* begin, error */
    RECORD_INVALIDATE_BEGIN, /* keys: all that it takes away; how: RECORD_KEY ..; tags: of RECORD_TAG, which takes what
                                has any of them; stale: it makes values stale instead */
    RECORD_INVALIDATE_END,   /* begin */
    RECORD_REFRESH_BEGIN,    /* keys: it was asked for by name */
    RECORD_REFRESH_END,      /* begin, error */
    RECORD_REMOVED,          /* keys, value, how: RECORD_EXPLICIT ..: the removal listener was told */
    RECORD_STATS,            /* how: RECORD_STAT_GETS ..; value: the count, when all was at rest */
    RECORD_DESTROY_BEGIN,
    RECORD_DESTROY_END,   /* begin */
    RECORD_ABANDON_BEGIN, /* keys, how: RECORD_GIVEN_UP .. */
    RECORD_ABANDON_END,   /* begin, error: RECORD_OK if a load was in flight and that was done to it */
    RECORD_TTL_BEGIN,     /* keys, ttl_ms: the value that is stored is to expire then */
    RECORD_TTL_END,       /* begin, error */
    RECORD_CREATE,        /* a cache is made: the first, or one after another that was destroyed, with all at rest */
    RECORD_CLOSE_BEGIN,
    RECORD_CLOSE_END, /* begin */
    RECORD_EVICTING,  /* keys, value, how: RECORD_EXPIRED or RECORD_SIZE: the listener was told beforehand */
    RECORD_SAVE_BEGIN,
    RECORD_SAVE_END,   /* begin, error: the values are in a file */
    RECORD_WARM_BEGIN, /* that file is loaded, of a cache that was destroyed since */
    RECORD_WARM_END,   /* begin, error */
    RECORD_KINDS
};

/* How a get is made. The last two are none that the cache counts. */
enum record_get {
    RECORD_BLOCKING,
    RECORD_ASYNC,
    RECORD_PRESENT,
    RECORD_BULK,
    RECORD_BULK_ASYNC, /* told with the others of its bulk */
    RECORD_COMPUTE,    /* a computation: its load is the function's call */
    RECORD_PEEK        /* what a conditional put that did not store says to be there; RECORD_OTHER: it says nothing */
};

/* How a load ends. After a refusal nothing says that the next load is put off. */
enum record_finish { RECORD_VALUE, RECORD_NOTHING, RECORD_FAILURE, RECORD_REFUSAL, RECORD_NOT_MODIFIED };

/* Who calls the loader: the get that leads, or the cache in the background. */
enum record_load { RECORD_FOREGROUND, RECORD_BACKGROUND };

/* When a put is to store. */
enum record_put { RECORD_ALWAYS, RECORD_IF_ABSENT, RECORD_IF_PRESENT, RECORD_IF_SAME };

/* What becomes of those who wait for a load that is abandoned: they fail, or wait for another one. */
enum record_abandon { RECORD_GIVEN_UP, RECORD_RESTARTED };

/* How an invalidation names what it takes away. RECORD_CHOSEN concerns what is stored only, and no loads in flight. */
enum record_scope { RECORD_KEY, RECORD_KEY_LIST, RECORD_PREFIX, RECORD_TAG, RECORD_ALL, RECORD_CHOSEN };

/* Why a value left. */
enum record_cause { RECORD_EXPLICIT, RECORD_REPLACED, RECORD_EXPIRED, RECORD_SIZE };

/* What came of a call. */
enum record_error {
    RECORD_OK,
    RECORD_NOT_FOUND,
    RECORD_NOT_CACHED,
    RECORD_FAILED,    /* the load did, in any way */
    RECORD_TIMED_OUT, /* the wait did */
    RECORD_REFUSED,   /* too many waiters or loads */
    RECORD_UNCHANGED, /* the condition of a put did not hold */
    RECORD_CLOSED,
    RECORD_OTHER
};

enum record_source { RECORD_HIT, RECORD_LED, RECORD_COALESCED, RECORD_NO_SOURCE };

/* The counters of rule 23. */
enum record_stat {
    RECORD_STAT_GETS,
    RECORD_STAT_HITS,
    RECORD_STAT_STALE,
    RECORD_STAT_MISSES,
    RECORD_STAT_COALESCED,
    RECORD_STAT_REFUSED,
    RECORD_STAT_WAITS_TIMED_OUT,
    RECORD_STAT_WAITS_CANCELLED,
    RECORD_STAT_LOADS,
    RECORD_STAT_REFRESHES,
    RECORD_STAT_LOADS_COMPLETED,
    RECORD_STAT_LOADS_FAILED,
    RECORD_STAT_LOADS_NOT_FOUND,
    RECORD_STAT_LOADS_DROPPED,
    RECORD_STAT_LOADS_IN_FLIGHT,
    RECORD_STAT_WAITERS,
    RECORD_STAT_PUTS,
    RECORD_STATS_COUNT
};

struct record {
    uint64_t order;
    uint64_t begin;
    uint64_t value;
    int64_t time_ms; /* CLOCK_MONOTONIC, read before the order was drawn */
    int32_t ttl_ms;  /* 0: not to be stored */
    int32_t refresh_ms;
    uint16_t keys; /* one bit a key */
    uint8_t kind;
    uint8_t how;
    uint8_t error;
    uint8_t source;
    uint8_t stale;
    uint8_t thread;   /* number of the buffer, filled in */
    uint8_t tags;     /* one bit a tag */
    uint8_t together; /* of a load: how many the loader was called for at once, this one included */
    uint8_t unused[6];
};

/* What the judge has to know of the cache and of the run. */
struct record_facts {
    uint64_t seed;
    int64_t load_timeout_ms; /* RECORD_NEVER: loads have no deadline */
    int64_t stale_ms;        /* the longest that a value is given past its time to live; RECORD_NEVER */
    int64_t backoff_ms;      /* the least pause after a failed reload */
    uint32_t rules;          /* one bit a rule: those that the run must have given something to judge by */
    uint8_t evicts;          /* the cache may be full: a value may be gone at any time */
    uint8_t listens;         /* a removal listener is set */
    uint8_t together_max;    /* loads in one call of the loader */
    uint8_t batches;         /* gets may have their loads called in the background, together with those of others */
};

struct record_header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint64_t record_size;
    uint64_t count;
    struct record_facts facts;
};

struct record_log;

/* Room for `records_max` records of each thread. Never NULL: ends the process where memory is short. */
struct record_log *record_log_create(const struct record_facts *facts, size_t records_max);
void record_log_destroy(struct record_log *log);

/*
 * Appends the event, with order, time and thread filled in; returns its order. Any thread, up to RECORD_THREADS_MAX;
 * ends the process where there is no room any more.
 */
uint64_t record_add(struct record_log *log, struct record event);

/* Appends the record as it is, for logs that are made by hand. One thread. */
void record_add_exact(struct record_log *log, const struct record *event);

/* How many there are so far. Any thread. */
uint64_t record_count(struct record_log *log);

/* Whether some thread has used seven eighths of its room. */
bool record_full(struct record_log *log);

/* Writes all to a file, once nobody appends any more. False: errno says why. */
bool record_log_write(const struct record_log *log, const char *path);

#endif
