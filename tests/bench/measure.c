/* SPDX-License-Identifier: MIT */
/*
 * measure.c: see measure.h.
 */
#include "measure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

int64_t measure_clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t measure_now_ns(void)
{
    return measure_clock_ns(CLOCK_MONOTONIC);
}

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

void measure_sort(int64_t *times_ns, size_t count)
{
    qsort(times_ns, count, sizeof(*times_ns), compare_times);
}

/* The nearest rank: the share of 1,000 times at 0.99 is the 990th. */
static uint64_t rank_of(uint64_t count, double share)
{
    uint64_t rank = (uint64_t)ceil((double)count * share);

    return rank < 1 ? 1 : rank;
}

double measure_percentile_ms(const int64_t *sorted_ns, size_t count, double share)
{
    return count == 0 ? 0 : (double)sorted_ns[rank_of(count, share) - 1] / 1e6;
}

/* Times under MEASURE_STEPS have a bucket each; above, the bits after the highest tell the step. */
static unsigned bucket_of(uint64_t time_ns)
{
    if (time_ns < MEASURE_STEPS) {
        return (unsigned)time_ns;
    }
    unsigned power = 63 - (unsigned)__builtin_clzll(time_ns);
    unsigned shift = power - 5;

    return (shift + 1) * MEASURE_STEPS + (unsigned)((time_ns >> shift) - MEASURE_STEPS);
}

static double bucket_middle_ns(unsigned bucket)
{
    if (bucket < MEASURE_STEPS) {
        return bucket;
    }
    unsigned shift = bucket / MEASURE_STEPS - 1;

    return ldexp(bucket % MEASURE_STEPS + MEASURE_STEPS + 0.5, (int)shift);
}

void measure_histogram_add(struct measure_histogram *histogram, int64_t time_ns)
{
    histogram->counts[bucket_of(time_ns < 0 ? 0 : (uint64_t)time_ns)]++;
    histogram->total++;
}

double measure_histogram_percentile_us(const struct measure_histogram *histogram, double share)
{
    uint64_t rank = rank_of(histogram->total, share);

    for (unsigned bucket = 0; bucket < MEASURE_BUCKETS; bucket++) {
        if (rank <= histogram->counts[bucket]) {
            return bucket_middle_ns(bucket) / 1e3;
        }
        rank -= histogram->counts[bucket];
    }
    return 0;
}

/* How often the kernel took the processor from this thread. */
static long times_disturbed(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

void measure_series_begin(struct measure_series *series)
{
    series->disturbed = times_disturbed();
    series->began_cpu_ns = measure_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    series->began_ns = measure_now_ns();
}

int64_t measure_series_end(struct measure_series *series)
{
    int64_t took_ns = measure_now_ns() - series->began_ns;

    measure_histogram_add(&series->times, took_ns);
    if (took_ns > series->longest_ns) {
        series->longest_ns = took_ns;
    }
    if (took_ns > series->longest_work_ns) {
        int64_t work_ns = measure_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - series->began_cpu_ns;

        work_ns = work_ns < took_ns ? work_ns : took_ns;
        if (work_ns > series->longest_work_ns && times_disturbed() == series->disturbed) {
            series->longest_work_ns = work_ns;
        }
    }
    return took_ns;
}

long measure_option_number(const char *name, const char *text, long min, long max)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);

    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        fprintf(stderr, "%s takes a whole number from %ld to %ld, not '%s'\n", name, min, max, text);
        exit(2);
    }
    return number;
}
