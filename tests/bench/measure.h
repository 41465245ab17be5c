/* SPDX-License-Identifier: MIT */
/*
 * measure.h: the clock, and what is made of many times.
 *
 * May be used by: tests/bench. One thread.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Buckets of a histogram: 32 to each power of two, so a time is told to about 3 %. */
enum { MEASURE_STEPS = 32, MEASURE_BUCKETS = 60 * MEASURE_STEPS };

struct measure_histogram {
    uint64_t counts[MEASURE_BUCKETS];
    uint64_t total;
};

/* CLOCK_MONOTONIC. */
int64_t measure_now_ns(void);

int64_t measure_clock_ns(clockid_t clock);

void measure_sort(int64_t *times_ns, size_t count);

/* The time that `share` (0 to 1) of the sorted times don't exceed, in milliseconds; 0 if there are none. */
double measure_percentile_ms(const int64_t *sorted_ns, size_t count, double share);

void measure_histogram_add(struct measure_histogram *histogram, int64_t time_ns);

/* Likewise, to the middle of a bucket, in microseconds. */
double measure_histogram_percentile_us(const struct measure_histogram *histogram, double share);

/*
 * Times of one thread, one after the other. Zero it first. `longest_work_ns` is what the machine has no part in: no
 * more than so much processor time did this process take, on all its threads, during any of those times in which the
 * kernel did not take the processor from this thread. What a call waits for is work of this process: with a processor
 * free for each thread it would not have taken longer. It tells too much where other threads work on while this one,
 * awake again, stands in line for a processor.
 */
struct measure_series {
    struct measure_histogram times;
    int64_t longest_ns;
    int64_t longest_work_ns;
    int64_t began_ns;
    int64_t began_cpu_ns;
    long disturbed;
};

void measure_series_begin(struct measure_series *series);

/* Returns the time since measure_series_begin(), which is now in the series. */
int64_t measure_series_end(struct measure_series *series);

/* A whole number of an option, within bounds. Exits with status 2 and a message otherwise. */
long measure_option_number(const char *name, const char *text, long min, long max);

#endif
