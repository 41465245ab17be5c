/* SPDX-License-Identifier: MIT */
/*
 * pressure_site.h: a watcher of memory pressure on files of a test's own: a FIFO for stalls, and a memory.events. By
 * the fixture's clock, unless told otherwise: signs are acted on when it ticks, as in pressure_site_advance(). The
 * functions assert.
 */
#ifndef TESTS_PRESSURE_SITE_H
#define TESTS_PRESSURE_SITE_H

#include "fixture.h"
#include "scratch.h"

struct pressure_site {
    struct scratch scratch;
    char fifo[SCRATCH_PATH_MAX], events[SCRATCH_PATH_MAX];
    struct sluice_pressure_options options; /* to be changed before pressure_site_start() */
    struct sluice_pressure *pressure;
    int writer; /* of the FIFO */
};

/* Makes the files; the count "high" is 7. */
void pressure_site_init(struct pressure_site *site, struct fixture *fixture);

/* Likewise, with a thread of the watcher's own, which shrinks at once and gives nothing back for an hour. */
void pressure_site_init_threaded(struct pressure_site *site, struct fixture *fixture);

void pressure_site_start(struct pressure_site *site);

/* Stops the watcher, if it runs, and removes the files. */
void pressure_site_fini(struct pressure_site *site);

/* A sign of stalls. Fails the test where nobody has read them for so long that there is room for no more. */
void pressure_site_stall(struct pressure_site *site);

/* Rewrites the file of events, in place. */
void pressure_site_count(struct pressure_site *site, uint64_t high, uint64_t max);

struct sluice_pressure_state pressure_site_look(struct pressure_site *site);

/* How many files this program has open. */
size_t pressure_site_open_files(void);

/* Moves the fixture's clock; returns what sluice_pressure_tick() did. */
int64_t pressure_site_advance(struct pressure_site *site, struct fixture *fixture, int64_t ms);

#endif
