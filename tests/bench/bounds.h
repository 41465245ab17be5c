/* SPDX-License-Identifier: MIT */
/*
 * bounds.h: what `bounds` plays (bounds_jobs.c), how it is measured (bounds.c), and what is made of it
 * (bounds_report.c).
 *
 * May be used by: these three.
 */
#ifndef BENCH_BOUNDS_H
#define BENCH_BOUNDS_H

#include "stock.h"
#include "watch.h"

enum { BOUNDS_ROUNDS_MAX = 100, BOUNDS_BULK = 1000 };

/* The bounds that are looked after. */
#define BOUNDS_CALL_MS  1.0 /* a call that costs the same however many entries there are, on its thread */
#define BOUNDS_PAUSE_MS 5.0 /* any other call meanwhile */

struct bounds {
    struct stock stock;
    struct watch watch;
    size_t entries;
    unsigned round;
    uint32_t *concerned; /* entries that the round's calls are about, in ascending order */
    size_t concerned_count;
    int64_t began_ns; /* from when on the background's time counts */

    /* For bulk calls. */
    char texts[BOUNDS_BULK][STOCK_KEY_BYTES];
    struct sluice_key keys[BOUNDS_BULK];
    struct sluice_outcome outcomes[BOUNDS_BULK];
};

/* When the background has done what a job leaves to it. */
enum bounds_rest {
    BOUNDS_REST_NONE,        /* it leaves nothing */
    BOUNDS_REST_REMOVED,     /* the listener has been told of all that is concerned */
    BOUNDS_REST_INVALIDATED, /* so many entries have been counted as invalidated */
};

/* A kind of call. */
struct bounds_job {
    const char *name;
    size_t calls; /* a round, one after the other; 0: as many as there are entries; BOUNDS_NO_CALLS */
    size_t keys;  /* that each call is about */
    bool stale;   /* the cache keeps what has expired */
    bool own;     /* each round has an empty cache of its own */
    bool bounded; /* BOUNDS_CALL_MS holds for it */
    enum bounds_rest rest;
    bool (*concerns)(const struct bounds *bounds, size_t entry);
    void (*prepare)(struct bounds *bounds); /* before the round; or NULL */
    void (*ready)(struct bounds *bounds, size_t call);
    void (*call)(struct bounds *bounds, size_t call); /* this is timed; `ready` and `done`, if not NULL, are not */
    void (*done)(struct bounds *bounds, size_t call);
    void (*restore)(struct bounds *bounds); /* has the cache full again; or NULL */
};

#define BOUNDS_NO_CALLS SIZE_MAX

extern const struct bounds_job bounds_jobs[];
extern const size_t bounds_jobs_count;

/* What is told of each round of a job: name and decimals. */
#define BOUNDS_FIGURES(X)                                                                                              \
    X(concerned, 0)      /* entries */                                                                                 \
    X(call_ms, 3)        /* the longest call */                                                                        \
    X(call_cpu_ms, 3)    /* the processor time of the call that took most of it */                                     \
    X(key_cpu_us, 3)     /* processor time of all calls, divided by their keys */                                      \
    X(during_ms, 3)      /* the other thread's longest get meanwhile, until the background is done */                  \
    X(during_work_ms, 3) /* see struct measure_series */                                                               \
    X(during_9999_us, 1) /* what 99.99 % of its gets don't exceed */                                                   \
    X(alone_ms, 3)       /* the same with nothing going on */                                                          \
    X(alone_work_ms, 3)                                                                                                \
    X(alone_9999_us, 1)                                                                                                \
    X(beside_ms, 3) /* the same beside a thread that keeps a processor busy and leaves the cache alone */              \
    X(beside_work_ms, 3)                                                                                               \
    X(beside_9999_us, 1)                                                                                               \
    X(ratio, 2)   /* during_ms to beside_ms */                                                                         \
    X(done_ms, 1) /* from the first call until the background is done */                                               \
    X(background_cpu_ms, 1)

#define BOUNDS_FIGURE_NAME(name, decimals) BOUNDS_##name,
enum { BOUNDS_FIGURES(BOUNDS_FIGURE_NAME) BOUNDS_FIGURES_COUNT };
#undef BOUNDS_FIGURE_NAME

struct bounds_results {
    size_t rounds;
    double figures[BOUNDS_FIGURES_COUNT][BOUNDS_ROUNDS_MAX];
};

/* For people, when the rounds of a job are over. */
void bounds_print(const struct bounds_job *job, const struct bounds_results *results);

/* Whether the bounds hold, by the worst of all rounds. */
void bounds_judge(const struct bounds_job *job, const struct bounds_results *results);

/* One line `job=... key=value ...` of medians and, as KEY_most, the worst. */
void bounds_print_values(const struct bounds_job *job, const struct bounds_results *results);

#endif
