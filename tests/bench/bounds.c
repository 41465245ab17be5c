/* SPDX-License-Identifier: MIT */
/*
 * bounds: whether a cache of a million entries keeps its bounds: how long a call takes on its thread that is to cost
 * the same however many entries there are, and how long another thread's gets take meanwhile, until the background has
 * done what the call left to it. README.md tells how to read it.
 *
 * Exit status: 0 whatever was measured, 1 if a call failed or the background did not come to its end, 2 if it could not
 * start.
 */
#include "bounds.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ENTRIES_MIN = 10000,
    ENTRIES_MAX = 10000000,
    SPARE = 50000, /* room over the entries, for keys that are loaded meanwhile */
    SETTLE_MS = 20,
    POLL_MS = 1,
    REST_MS_MAX = 60000,
    /* A stretch with nothing going on lasts as long as what it is compared with, within these. */
    BASE_MS_MIN = 50,
    BASE_MS_MAX = 1000
};

static const char usage[] = "usage: bounds [OPTION]... [JOB]...\n"
                            "Measures calls on a cache with many entries, and another thread's gets meanwhile.\n"
                            "  --entries N   how many (default 1000000)\n"
                            "  --rounds N    of each job, up to 100 (default 7)\n"
                            "  --list        names the jobs and ends; without a JOB all are done\n";

static void sleep_ms(int64_t time_ms)
{
    struct timespec time = {.tv_sec = time_ms / 1000, .tv_nsec = time_ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* The processor time of all threads but this one and the one that watches: that of the cache's own. */
static int64_t background_cpu_ns(const struct bounds *bounds)
{
    clockid_t watching;

    pthread_getcpuclockid(bounds->watch.thread, &watching);
    return measure_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - measure_clock_ns(CLOCK_THREAD_CPUTIME_ID) -
           measure_clock_ns(watching);
}

/* ---- stretches of gets ------------------------------------------------------------------------------------------- */

static void tell_seen(struct bounds_results *results, size_t round, int first, const struct watch_seen *seen)
{
    results->figures[first][round] = (double)seen->gets.longest_ns / 1e6;
    results->figures[first + 1][round] = (double)seen->gets.longest_work_ns / 1e6;
    results->figures[first + 2][round] = measure_histogram_percentile_us(&seen->gets.times, 0.9999);
}

/* The same gets with nothing going on in the cache; `busy`: this thread keeps a processor busy meanwhile. */
static void measure_base(struct bounds *bounds, int64_t time_ms, bool busy, struct watch_seen *seen)
{
    time_ms = time_ms < BASE_MS_MIN ? BASE_MS_MIN : time_ms > BASE_MS_MAX ? BASE_MS_MAX : time_ms;
    watch_begin(&bounds->watch);

    int64_t end_ns = measure_now_ns() + time_ms * 1000000;

    if (!busy) {
        sleep_ms(time_ms);
    }
    while (measure_now_ns() < end_ns) {
    }
    watch_end(&bounds->watch, seen);
}

/* ---- a round ----------------------------------------------------------------------------------------------------- */

static void choose_concerned(struct bounds *bounds, const struct bounds_job *job)
{
    bounds->concerned_count = 0;
    for (size_t entry = 0; entry < bounds->entries; entry++) {
        if (job->concerns(bounds, entry)) {
            bounds->concerned[bounds->concerned_count++] = (uint32_t)entry;
        }
    }
    bounds->watch.concerned_count = bounds->concerned_count;
}

static void make_calls(struct bounds *bounds, const struct bounds_job *job, struct bounds_results *results,
                       size_t round)
{
    size_t calls = job->calls == BOUNDS_NO_CALLS ? 0 : job->calls == 0 ? bounds->entries : job->calls;
    static struct measure_series times;
    int64_t longest_cpu_ns = 0, cpu_ns = 0;

    memset(&times, 0, sizeof(times));
    for (size_t call = 0; call < calls; call++) {
        if (job->ready) {
            job->ready(bounds, call);
        }
        int64_t call_cpu_ns = measure_clock_ns(CLOCK_THREAD_CPUTIME_ID);

        measure_series_begin(&times);
        job->call(bounds, call);
        measure_series_end(&times);
        call_cpu_ns = measure_clock_ns(CLOCK_THREAD_CPUTIME_ID) - call_cpu_ns;
        cpu_ns += call_cpu_ns;
        longest_cpu_ns = call_cpu_ns > longest_cpu_ns ? call_cpu_ns : longest_cpu_ns;
        if (job->done) {
            job->done(bounds, call);
        }
    }
    results->figures[BOUNDS_call_ms][round] = (double)times.longest_ns / 1e6;
    results->figures[BOUNDS_call_cpu_ms][round] = (double)longest_cpu_ns / 1e6;
    results->figures[BOUNDS_key_cpu_us][round] =
        calls * job->keys > 0 ? (double)cpu_ns / (double)(calls * job->keys) / 1e3 : 0;
}

static uint64_t progress(struct bounds *bounds, enum bounds_rest rest)
{
    return rest == BOUNDS_REST_REMOVED ? atomic_load(&bounds->stock.left) : stock_stats(&bounds->stock).invalidated;
}

static void await_rest(struct bounds *bounds, const struct bounds_job *job, uint64_t before)
{
    int64_t give_up_ns = measure_now_ns() + (int64_t)REST_MS_MAX * 1000000;

    while (job->rest != BOUNDS_REST_NONE && progress(bounds, job->rest) - before < bounds->concerned_count) {
        if (measure_now_ns() > give_up_ns) {
            fprintf(stderr, "%s: the background is not done after %d ms\n", job->name, REST_MS_MAX);
            exit(1);
        }
        sleep_ms(POLL_MS);
    }
}

static void run_round(struct bounds *bounds, const struct bounds_job *job, struct bounds_results *results, size_t round)
{
    static struct watch_seen seen;
    double(*figures)[BOUNDS_ROUNDS_MAX] = results->figures;

    choose_concerned(bounds, job);
    figures[BOUNDS_concerned][round] = (double)bounds->concerned_count;
    sleep_ms(SETTLE_MS);
    bounds->began_ns = 0;
    if (job->prepare) {
        job->prepare(bounds);
    }
    uint64_t before = progress(bounds, job->rest);

    watch_begin(&bounds->watch);
    int64_t cpu_ns = background_cpu_ns(bounds);

    if (bounds->began_ns == 0) {
        bounds->began_ns = measure_now_ns();
    }
    make_calls(bounds, job, results, round);
    await_rest(bounds, job, before);
    int64_t took_ns = measure_now_ns() - bounds->began_ns;

    cpu_ns = background_cpu_ns(bounds) - cpu_ns;
    watch_end(&bounds->watch, &seen);
    figures[BOUNDS_done_ms][round] = (double)took_ns / 1e6;
    figures[BOUNDS_background_cpu_ms][round] = (double)cpu_ns / 1e6;
    tell_seen(results, round, BOUNDS_during_ms, &seen);
    if (job->restore) {
        job->restore(bounds);
        sleep_ms(SETTLE_MS);
    }
    measure_base(bounds, took_ns / 1000000, false, &seen);
    tell_seen(results, round, BOUNDS_alone_ms, &seen);
    measure_base(bounds, took_ns / 1000000, true, &seen);
    tell_seen(results, round, BOUNDS_beside_ms, &seen);
    figures[BOUNDS_ratio][round] = figures[BOUNDS_during_ms][round] / figures[BOUNDS_beside_ms][round];
}

/* ---- the jobs ---------------------------------------------------------------------------------------------------- */

static void drop_stock(struct bounds *bounds)
{
    if (bounds->stock.cache) {
        stock_destroy(&bounds->stock);
    }
}

static void fill_stock(struct bounds *bounds, bool stale)
{
    drop_stock(bounds);
    stock_create(&bounds->stock, bounds->entries + SPARE, stale);
    for (size_t entry = 0; entry < bounds->entries; entry++) {
        stock_put(&bounds->stock, entry, SLUICE_TTL_DEFAULT);
    }
}

static void run_job(struct bounds *bounds, const struct bounds_job *job, struct bounds_results *results)
{
    for (size_t round = 0; round < results->rounds; round++) {
        bounds->round = (unsigned)round;
        if (job->own) {
            drop_stock(bounds);
            stock_create(&bounds->stock, bounds->entries, false);
        }
        run_round(bounds, job, results, round);
    }
    if (job->own) {
        drop_stock(bounds);
    }
}

static void run_jobs(struct bounds *bounds, char *const *names, int names_count, size_t rounds)
{
    struct bounds_results *results = calloc(bounds_jobs_count, sizeof(*results));
    bool stale = false;

    if (!results) {
        fprintf(stderr, "no memory for the results\n");
        exit(2);
    }
    for (size_t i = 0; i < bounds_jobs_count; i++) {
        const struct bounds_job *job = &bounds_jobs[i];
        bool chosen = names_count == 0;

        for (int name = 0; name < names_count; name++) {
            chosen |= strcmp(names[name], job->name) == 0;
        }
        if (!chosen) {
            continue;
        }
        if (!job->own && (!bounds->stock.cache || stale != job->stale)) {
            stale = job->stale;
            fill_stock(bounds, stale);
        }
        results[i].rounds = rounds;
        run_job(bounds, job, &results[i]);
        bounds_print(job, &results[i]);
    }
    for (size_t i = 0; i < bounds_jobs_count; i++) {
        bounds_judge(&bounds_jobs[i], &results[i]);
    }
    for (size_t i = 0; i < bounds_jobs_count; i++) {
        bounds_print_values(&bounds_jobs[i], &results[i]);
    }
    free(results);
}

static void check_names(char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        size_t job = 0;

        while (job < bounds_jobs_count && strcmp(names[i], bounds_jobs[job].name) != 0) {
            job++;
        }
        if (job == bounds_jobs_count) {
            fprintf(stderr, "there is no job '%s'; --list names them\n", names[i]);
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"entries", required_argument, NULL, 'e'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"list", no_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct bounds bounds = {.entries = 1000000};
    size_t rounds = 7;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'e') {
            bounds.entries = (size_t)measure_option_number("--entries", optarg, ENTRIES_MIN, ENTRIES_MAX);
        } else if (option == 'r') {
            rounds = (size_t)measure_option_number("--rounds", optarg, 1, BOUNDS_ROUNDS_MAX);
        } else if (option == 'l') {
            for (size_t i = 0; i < bounds_jobs_count; i++) {
                puts(bounds_jobs[i].name);
            }
            return 0;
        } else {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    check_names(argv + optind, argc - optind);
    bounds.concerned = malloc(bounds.entries * sizeof(*bounds.concerned));
    if (!bounds.concerned) {
        fprintf(stderr, "no memory for %zu numbers\n", bounds.entries);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    watch_start(&bounds.watch);
    bounds.watch.stock = &bounds.stock;
    bounds.watch.entries = bounds.entries;
    bounds.watch.concerned = bounds.concerned;
    run_jobs(&bounds, argv + optind, argc - optind, rounds);
    watch_stop(&bounds.watch);
    drop_stock(&bounds);
    free(bounds.concerned);
    return 0;
}
