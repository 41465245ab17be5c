/* SPDX-License-Identifier: MIT */
/*
 * pressure_source.h: a file that tells of memory pressure: a PSI file with a trigger, a FIFO, or a cgroup's
 * memory.events. To be polled; allocates nothing. For one thread at a time.
 */
#ifndef CACHE_PRESSURE_SOURCE_H
#define CACHE_PRESSURE_SOURCE_H

#include <poll.h>
#include <sluice/pressure.h>

enum pressure_kind {
    PRESSURE_NONE,    /* not watched; the words say why */
    PRESSURE_TRIGGER, /* POLLPRI is a sign */
    PRESSURE_FIFO,    /* what is written to it is one */
    PRESSURE_EVENTS   /* the file's count has grown, of which inotify tells when to look */
};

struct pressure_source {
    enum pressure_kind kind;
    int polled;    /* to be polled; -1: none */
    int events;    /* the file of events, or -1 */
    uint64_t high; /* its count when it was last looked at */
    struct pollfd poll;
    struct sluice_pressure_fault words; /* which file, or why none */
};

/* "some STALL WINDOW" in microseconds, as the kernel wants it; returns its size with the NUL, which belongs to it. */
#define PRESSURE_TRIGGER_SIZE 64
size_t pressure_trigger(int64_t stall_ms, int64_t window_ms, char text[PRESSURE_TRIGGER_SIZE]);

/* Finds the count "high" in the text of a memory.events. */
bool pressure_events_high(const char *text, uint64_t *high);

/* One that is not watched, for this reason; "": none yet. */
void pressure_source_init(struct pressure_source *source, const char *words);

/* Watches a file of stalls, or a FIFO; false: can't be, the words say why, after those that were there. */
bool pressure_source_open_stall(struct pressure_source *source, const char *path, int64_t stall_ms, int64_t window_ms);

/* Likewise a file of events. */
bool pressure_source_open_events(struct pressure_source *source, const char *path);

/* Those of the program's own cgroup, or of the system. */
bool pressure_source_choose_stall(struct pressure_source *source, int64_t stall_ms, int64_t window_ms);
bool pressure_source_choose_events(struct pressure_source *source);

/* After a poll of source->poll: true, there is a sign. One that is gone is watched no more, as its words say then. */
bool pressure_source_read(struct pressure_source *source);

void pressure_source_close(struct pressure_source *source);

#endif
