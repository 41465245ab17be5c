/* SPDX-License-Identifier: MIT */
/*
 * coalesce.c: misses that many wait for: one side of tests/bench/coalesce.
 *
 *     library_coalesce SIDE WAITERS
 *
 *     threads     so many threads, each in sluice_get(), one of which leads
 *     callbacks   so many sluice_get_async() by one thread
 *     futex       so many threads that wait on one word and are woken by one call: what it costs to wake a thread
 *
 * Says "ready", and plays a round for each line with a number of misses on its input. A load is ended when all are
 * parked. Threads go on to the next miss by themselves, so that nothing but the gets holds them back. Answers with a
 * line "misses=N waiters=N wall_ns=N".
 */
#include "keys.h"

#include "../measure.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sluice/cache.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_BYTES = 128 * 1024, LOOK_US = 20, SETTLE_US = 200 };

struct herd {
    struct sluice_cache *cache;
    void (*wait)(struct herd *herd, uint64_t miss);
    void (*end)(struct herd *herd, uint64_t miss); /* when all are about to wait */
    size_t waiters;
    size_t misses;   /* of this round */
    uint64_t missed; /* before this round */
    pthread_barrier_t start;
    pthread_barrier_t over;
    sem_t arrived_all;
    _Atomic size_t arrived; /* about to wait for this miss */
    _Atomic uint32_t ended; /* futex: misses so far, cut to 32 bits */
    struct sluice_load *_Atomic held;
    size_t told;
};

static _Noreturn void fail(const char *what, enum sluice_error error)
{
    fprintf(stderr, "%s: %s\n", what, sluice_strerror(error));
    exit(1);
}

static void hold_load(void *self, struct sluice_load *load)
{
    struct herd *herd = self;

    atomic_store(&herd->held, load);
}

static void create(struct herd *herd)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    enum sluice_error error;

    options.loader.load = hold_load;
    options.loader.self = herd;
    options.maximum_entries = 1000;
    error = sluice_cache_create(&options, &herd->cache);
    if (error != SLUICE_OK)
        fail("cannot make a cache", error);
}

/* Waits until all are parked, which they are about to be, and ends their load. */
static void end_load(struct herd *herd, uint64_t miss)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    char value[KEYS_VALUE_BYTES];
    struct sluice_stats stats;

    for (;;) {
        sluice_cache_stats(herd->cache, &stats);
        if (stats.waiters == herd->waiters)
            break;
        usleep(LOOK_US);
    }
    keys_write_value(miss, value);
    content.data = value;
    content.size = sizeof(value);
    sluice_load_complete(atomic_load(&herd->held), &content);
}

static void wait_in_get(struct herd *herd, uint64_t miss)
{
    struct sluice_value *value;
    char key[KEYS_KEY_BYTES];
    enum sluice_error error;

    keys_write(miss, key);
    error = sluice_get(herd->cache, key, sizeof(key), SLUICE_WAIT_FOREVER, &value);
    if (error != SLUICE_OK)
        fail("get", error);
    if (*(const unsigned char *)sluice_value_data(value) != (miss & 127)) {
        fprintf(stderr, "a wrong value\n");
        exit(1);
    }
    sluice_value_unref(value);
}

static void wait_on_futex(struct herd *herd, uint64_t miss)
{
    uint32_t ended = (uint32_t)miss;

    while (atomic_load(&herd->ended) == ended)
        syscall(SYS_futex, &herd->ended, FUTEX_WAIT_PRIVATE, ended, NULL, NULL, 0);
}

static void end_futex(struct herd *herd, uint64_t miss)
{
    usleep(SETTLE_US);
    atomic_store(&herd->ended, (uint32_t)miss + 1);
    syscall(SYS_futex, &herd->ended, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *run_waiter(void *arg)
{
    struct herd *herd = arg;

    for (;;) {
        pthread_barrier_wait(&herd->start);
        for (size_t i = 0; i < herd->misses; i++) {
            if (atomic_fetch_add(&herd->arrived, 1) + 1 == herd->waiters) {
                atomic_store(&herd->arrived, 0);
                sem_post(&herd->arrived_all);
            }
            herd->wait(herd, herd->missed + i);
        }
        pthread_barrier_wait(&herd->over);
    }
    return NULL;
}

static void start_waiters(struct herd *herd)
{
    pthread_attr_t attributes;

    pthread_barrier_init(&herd->start, NULL, (unsigned)herd->waiters + 1);
    pthread_barrier_init(&herd->over, NULL, (unsigned)herd->waiters + 1);
    sem_init(&herd->arrived_all, 0, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (size_t i = 0; i < herd->waiters; i++) {
        pthread_t thread;
        int error = pthread_create(&thread, &attributes, run_waiter, herd);

        if (error != 0) {
            fprintf(stderr, "cannot start a thread: %s\n", strerror(error));
            exit(1);
        }
        pthread_detach(thread);
    }
    pthread_attr_destroy(&attributes);
}

static void play_threads(struct herd *herd)
{
    pthread_barrier_wait(&herd->start);
    for (size_t i = 0; i < herd->misses; i++) {
        while (sem_wait(&herd->arrived_all) != 0)
            ;
        herd->end(herd, herd->missed + i);
    }
    pthread_barrier_wait(&herd->over);
}

static void count_told(void *arg, const struct sluice_outcome *outcome)
{
    struct herd *herd = arg;

    if (outcome->error != SLUICE_OK)
        fail("a parked get", outcome->error);
    herd->told++;
}

static void play_callbacks(struct herd *herd)
{
    struct sluice_async_get get = {
        .key_size = KEYS_KEY_BYTES, .timeout_ms = SLUICE_WAIT_FOREVER, .callback = count_told, .arg = herd};
    char key[KEYS_KEY_BYTES];

    get.key = key;
    for (size_t i = 0; i < herd->misses; i++) {
        keys_write(herd->missed + i, key);
        herd->told = 0;
        for (size_t waiter = 0; waiter < herd->waiters; waiter++) {
            struct sluice_outcome outcome;
            enum sluice_error error = sluice_get_async(herd->cache, &get, &outcome, NULL);

            if (error != SLUICE_PARKED)
                fail("get_async", error);
        }
        end_load(herd, herd->missed + i);
        if (herd->told != herd->waiters) {
            fprintf(stderr, "%zu of %zu were told\n", herd->told, herd->waiters);
            exit(1);
        }
    }
}

/* One load for each miss, and all others joined it. */
static void check_round(const struct herd *herd)
{
    struct sluice_stats stats;
    uint64_t misses = herd->missed + herd->misses;

    sluice_cache_stats(herd->cache, &stats);
    if (stats.loads != misses || stats.coalesced != misses * (herd->waiters - 1)) {
        fprintf(stderr, "%llu loads and %llu coalesced gets for %llu misses\n", (unsigned long long)stats.loads,
                (unsigned long long)stats.coalesced, (unsigned long long)misses);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct herd herd;
    char line[16];

    if (argc != 3) {
        fprintf(stderr, "usage: %s threads|callbacks|futex WAITERS\n", argv[0]);
        return 2;
    }
    bool callbacks = strcmp(argv[1], "callbacks") == 0;
    bool futex = strcmp(argv[1], "futex") == 0;

    if (!callbacks && !futex && strcmp(argv[1], "threads") != 0) {
        fprintf(stderr, "there is no side '%s'\n", argv[1]);
        return 2;
    }
    herd.waiters = (size_t)measure_option_number("WAITERS", argv[2], 1, 20000);
    herd.wait = futex ? wait_on_futex : wait_in_get;
    herd.end = futex ? end_futex : end_load;
    create(&herd);
    if (!callbacks)
        start_waiters(&herd);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        herd.misses = (size_t)measure_option_number("a round", line, 1, 1000000);

        int64_t began_ns = measure_now_ns();

        if (callbacks)
            play_callbacks(&herd);
        else
            play_threads(&herd);
        printf("misses=%zu waiters=%zu wall_ns=%lld\n", herd.misses, herd.waiters,
               (long long)(measure_now_ns() - began_ns));
        fflush(stdout);
        if (!futex)
            check_round(&herd);
        herd.missed += herd.misses;
    }
    return 0; /* the process ends with its threads, which wait for the next round */
}
