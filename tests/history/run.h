/* SPDX-License-Identifier: MIT */
/*
 * run.h: one run of a storm that writes its history: a cache, threads that do everything to it at random, and a loader
 * that is slow at random. What each of them did is in the log; nothing is judged here.
 */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include "record.h"

#include <sluice/cache.h>
#include <stdatomic.h>

#define RUN_KEYS_MAX   8
#define RUN_WORKERS    4
#define RUN_EXPIRE_MS  20 /* the cache's own time to live; values bring others too */
#define RUN_BACKOFF_MS 8
#define RUN_CALLS_KEPT 16 /* asynchronous gets of a worker under way at once */
#define RUN_BULKS_KEPT 4  /* and asynchronous bulk gets */
#define RUN_BATCH_MAX  3  /* loads in one call of the loader */

/* How a cache of the run ends. */
enum run_end {
    RUN_RESTS,    /* once all is at rest */
    RUN_CLOSED,   /* it is closed while the workers are at work, and destroyed later */
    RUN_DESTROYED /* with gets parked and loads in flight, which end afterwards */
};

/* How a run is set up; drawn from its seed. */
struct run_mood {
    unsigned keys;           /* how many, at least 2 */
    unsigned shards;         /* of the cache */
    bool pressure;           /* the cache has room for fewer entries than there are keys */
    int64_t load_timeout_ms; /* or SLUICE_NEVER */
    int64_t refresh_ms;      /* the cache's refresh_after_write_ms, or SLUICE_NEVER: no reloads */
    int64_t stale_ms;        /* how long stale values are given, for an error twice as long; 0: not at all */
    bool own_threads;        /* reloads are called on the cache's own threads, and it is not known what started them */
    bool many;               /* the loader takes several loads at once */
    int64_t batch_ms;        /* the window in which separate misses wait for each other; 0: they don't */
    bool offers;             /* the listener is told beforehand of what is evicted too */
    enum run_end end;
    bool warm;        /* the values are saved, and a second cache is loaded with them */
    bool warm_first;  /* before the workers begin; else meanwhile */
    unsigned changes; /* of 1,000 operations, those that change something */
    unsigned slow;    /* of 1,000 loads, those that take their time */
};

struct slow_loader;

struct run {
    struct sluice_cache *cache; /* the present one */
    struct slow_loader *loader;
    struct record_log *log;
    uint64_t seed;
    const char *saved_path; /* the file of RECORD_SAVE_BEGIN */
    struct run_mood mood;
    atomic_bool stop;
};

/* Key `number`: a letter, of which there are two so that there are two prefixes, a NUL, and a digit. */
struct sluice_key run_key(unsigned number);

/* Back again; ends the process on what is no key of a run. */
unsigned run_key_number(const void *key, size_t key_size);

/* The keys that an invalidation of this prefix, or of all, takes away, as in struct record. */
uint16_t run_keys_mask(const struct run *run, const char *prefix);

/* The tag of this number, below RECORD_TAGS_MAX. */
const char *run_tag(unsigned number);

/* The name of a value, from its bytes. */
uint64_t run_value_name(const struct sluice_value *value);

/* What a thread is about: for each key the get, or the refresh, that it is in; 0: none. For the loads that it starts.
 */
struct run_about {
    uint64_t begins[RUN_KEYS_MAX];
};

uint64_t run_current(unsigned key);

/* Sets it and returns what it was, to be set again afterwards. NULL: nothing. */
const struct run_about *run_enter(const struct run_about *about);

/* Likewise for one key; `room` is used until it is set back. */
const struct run_about *run_enter_one(struct run_about *room, unsigned key, uint64_t begin);

/* What a put or a load brings, as drawn; `record` takes the times and the tags over. */
struct sluice_content run_content(const struct run *run, unsigned draw, const uint64_t *name, struct record *record);

/* How a time to live, or the span until a reload, is written down. */
int32_t run_span_word(int64_t span_ms, int64_t usual_ms);

/* The words for an error and for an outcome; `kind` is RECORD_GET_END or RECORD_CALLBACK. */
enum record_error run_error_word(enum sluice_error error);
void run_record_outcome(struct run *run, enum record_kind kind, uint64_t begin, const struct sluice_outcome *outcome);

/* Gets, if it is present, what a listener was told of, or what a file may have brought. */
void run_get_present(struct run *run, unsigned key);

/* run_cache.c: a cache of the run with its loader, and what is done to it as a whole. False: the words are on stderr.
 */
bool run_cache_create(struct run *run);
void run_cache_close(struct run *run);
void run_cache_destroy(struct run *run);
bool run_cache_save(struct run *run);
bool run_cache_warm(struct run *run);

/* Waits until no load is in flight and nobody is parked, and writes the counters down. */
bool run_cache_rest(struct run *run);

/* run_last.c: parks gets of all kinds on loads that do not end, destroys the cache, and then lets the loads end. */
bool run_cache_destroy_at_work(struct run *run);

/* One thread of the run, `number` below RUN_WORKERS; returns when the run stops and its gets have come back. */
void run_work(struct run *run, unsigned number);

#endif
