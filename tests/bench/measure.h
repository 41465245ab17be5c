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

/* Buckets of a histogram: 32 to each power of two, so a time is told to about 3 %. */
enum { MEASURE_STEPS = 32, MEASURE_BUCKETS = 60 * MEASURE_STEPS };

struct measure_histogram {
    uint64_t counts[MEASURE_BUCKETS];
    uint64_t total;
};

/* CLOCK_MONOTONIC. */
int64_t measure_now_ns(void);

void measure_sort(int64_t *times_ns, size_t count);

/* The time that `share` (0 to 1) of the sorted times don't exceed, in milliseconds; 0 if there are none. */
double measure_percentile_ms(const int64_t *sorted_ns, size_t count, double share);

void measure_histogram_add(struct measure_histogram *histogram, int64_t time_ns);

/* Likewise, to the middle of a bucket, in microseconds. */
double measure_histogram_percentile_us(const struct measure_histogram *histogram, double share);

/* A whole number of an option, within bounds. Exits with status 2 and a message otherwise. */
long measure_option_number(const char *name, const char *text, long min, long max);

#endif
