/* SPDX-License-Identifier: MIT */
/*
 * judge.c: whether the caches of a case are whole (see scarce.h).
 *
 * The linker's --wrap has the tests make and destroy caches through here, so that all that live are known, and abort
 * through here. A thread of this file's own stands by: where the scenario sleeps in a call of the library after a
 * request was refused, it opens the gates of all loaders and moves the clocks on, again and again, so that no call
 * hangs that only waits for the test.
 */
#include "scarce.h"

#include "await.h"
#include "errand.h"
#include "fake_clock.h"
#include "gated_loader.h"
#include "sums.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CACHES_MAX 64

/* How often is looked whether a scenario sleeps, and how many times in a row it must, for the gates to be opened. */
#define PATIENCE_MS  3
#define ASLEEP_LOOKS 3

/* How long its own waits last then. They are in vain more often than not, and what is missed by giving up too early is
 * only that this case is judged a little sooner. */
#define AWAIT_REFUSED_MS 4

/* After that long, threads of the test that are not in the library are taken to go on. */
#define GO_ON_MS 100

/* How long a cache's own threads may take to tidy up after that. */
#define COUNTS_MS_MAX 2000

/* How long all may take to come to an end. */
#define SETTLE_MS_MAX 10000

enum sluice_error __real_sluice_cache_create(const struct sluice_options *options, struct sluice_cache **cache);
enum sluice_error __wrap_sluice_cache_create(const struct sluice_options *options, struct sluice_cache **cache);
void __real_sluice_cache_destroy(struct sluice_cache *cache);
void __wrap_sluice_cache_destroy(struct sluice_cache *cache);
_Noreturn void __real_abort(void);
_Noreturn void __wrap_abort(void);

/* The caches that live, with their clocks. Under the lock, which is recursive: what a tick calls may come here. */
static struct known {
    struct sluice_cache *cache;
    struct fake_clock *clock; /* NULL: none of ours */
    bool executor;            /* the test runs what the cache does in the background: or won't, any more */
} caches[CACHES_MAX];
static pthread_mutex_t caches_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static struct {
    pthread_t main;
    long main_id;
    int (*teardown)(void **state);
    void **state;
    atomic_bool judging;
} bench;

static struct {
    atomic_size_t inside;
    atomic_size_t outside;
} threads;

enum sluice_error __wrap_sluice_cache_create(const struct sluice_options *options, struct sluice_cache **cache)
{
    enum sluice_error error = __real_sluice_cache_create(options, cache);
    if (error != SLUICE_OK || scarce_case == NULL)
        return error;
    pthread_mutex_lock(&caches_lock);
    size_t i = 0;
    while (i < CACHES_MAX && caches[i].cache != NULL)
        i++;
    if (i == CACHES_MAX)
        abort();
    caches[i] = (struct known){*cache, fake_clock_of(&options->clock), options->executor.run != NULL};
    pthread_mutex_unlock(&caches_lock);
    return error;
}

void __wrap_sluice_cache_destroy(struct sluice_cache *cache)
{
    pthread_mutex_lock(&caches_lock);
    for (size_t i = 0; i < CACHES_MAX; i++)
        if (caches[i].cache == cache)
            caches[i].cache = NULL;
    pthread_mutex_unlock(&caches_lock);
    __real_sluice_cache_destroy(cache);
}

/* Opens the gates and has all that is due by any clock done. Returns how many gets and loads are left. */
static uint64_t settle_once(void)
{
    uint64_t left = 0;

    gated_loader_open_all();
    pthread_mutex_lock(&caches_lock);
    for (size_t i = 0; i < CACHES_MAX; i++) {
        struct sluice_stats stats;
        if (caches[i].cache == NULL)
            continue;
        if (caches[i].clock != NULL)
            fake_clock_advance(caches[i].clock, 3600 * 1000);
        sluice_cache_tick(caches[i].cache);
        sluice_cache_stats(caches[i].cache, &stats);
        left += stats.waiters + stats.loads_in_flight;
    }
    pthread_mutex_unlock(&caches_lock);
    return left;
}

/* A thread of the test says where it is: in the library, or elsewhere. */
static void thread_tells(int number)
{
    (void)number;
    atomic_fetch_add(scarce_reach_inside() ? &threads.inside : &threads.outside, 1);
}

/* How many of those threads that are asked are in the library now. */
static size_t threads_inside(size_t (*ask)(int number))
{
    int64_t start_ms = await_now_ms();
    atomic_store(&threads.inside, 0);
    atomic_store(&threads.outside, 0);
    size_t asked = ask(SIGUSR2);
    while (atomic_load(&threads.inside) + atomic_load(&threads.outside) < asked && await_now_ms() - start_ms < GO_ON_MS)
        sched_yield();
    return atomic_load(&threads.inside);
}

static size_t ask_main(int number)
{
    return pthread_kill(bench.main, number) == 0;
}

/* Whether the kernel has put the main thread to sleep: it waits for something. */
static bool main_sleeps(void)
{
    char text[256];
    bool sleeps = false;
    snprintf(text, sizeof text, "/proc/self/task/%ld/stat", bench.main_id);
    FILE *file = fopen(text, "r");
    if (file != NULL && fgets(text, sizeof text, file) != NULL) {
        const char *name_end = strrchr(text, ')');
        sleeps = name_end != NULL && name_end[2] == 'S';
    }
    if (file != NULL)
        fclose(file);
    return sleeps;
}

/* Once a request was refused: shortens the test's own waits, and where it sleeps in a call of the library, which may be
 * for what will not come now, sees to it that all comes to an end. */
static void *stand_by(void *arg)
{
    const struct timespec pause = {.tv_nsec = PATIENCE_MS * 1000000L};
    unsigned asleep = 0;
    for (;;) {
        nanosleep(&pause, NULL);
        if (!atomic_load(&scarce_case->refused) || atomic_load(&bench.judging))
            continue;
        await_set_limit_ms(AWAIT_REFUSED_MS);
        asleep = main_sleeps() && threads_inside(ask_main) > 0 ? asleep + 1 : 0;
        if (asleep >= ASLEEP_LOOKS && !atomic_load(&bench.judging))
            settle_once();
    }
    return arg;
}

void scarce_judge_begin(int (*teardown)(void **state), void **state)
{
    pthread_t thread;
    bench.main = pthread_self();
    bench.main_id = syscall(SYS_gettid);
    bench.teardown = teardown;
    bench.state = state;
    sigaction(SIGUSR2, &(struct sigaction){.sa_handler = thread_tells, .sa_flags = (int)SA_RESTART}, NULL);
    if (pthread_create(&thread, NULL, stand_by, NULL) != 0)
        abort();
}

static _Noreturn void end(enum scarce_verdict verdict, const char *words)
{
    if (words != NULL)
        fprintf(stderr, "scarce: %s\n", words);
    fflush(NULL);
    _exit((int)verdict);
}

static bool any_executor(void)
{
    for (size_t i = 0; i < CACHES_MAX; i++)
        if (caches[i].cache != NULL && caches[i].executor)
            return true;
    return false;
}

/* Waits for what the cache must bring to an end. Not for threads of the test that wait for the test, or go on until it
 * tells them to stop: it won't any more. */
static void settle(void)
{
    int64_t start_ms = await_now_ms();
    uint64_t left = settle_once();

    atomic_store(&scarce_case->doing, "waiting for gets and loads to come to an end");
    while (left > 0 || errand_running(0) > 0) {
        int64_t passed_ms = await_now_ms() - start_ms;
        if (passed_ms > GO_ON_MS && left == 0 && threads_inside(errand_running) == 0 && errand_running(0) > 0)
            end(SCARCE_UNJUDGED, "threads of the test go on");
        if (passed_ms > GO_ON_MS && left > 0 && any_executor())
            end(SCARCE_UNJUDGED, "loads are with an executor of the test's own");
        if (passed_ms > SETTLE_MS_MAX) {
            fprintf(stderr, "scarce: %zu threads of the test, and %ju gets and loads do not come to an end\n",
                    errand_running(0), (uintmax_t)left);
            end(SCARCE_BROKEN, NULL);
        }
        sched_yield();
        left = settle_once();
    }
}

/* Of one cache, in which nothing goes on but what its own threads tidy up. */
static bool counts_hold(struct sluice_cache *cache)
{
    struct sluice_stats stats;
    int64_t start_ms = await_now_ms();

    while (!scarce_places_are_back(cache, false))
        if (!await_again(start_ms))
            return scarce_places_are_back(cache, true);
    sluice_cache_stats(cache, &stats);
    return sums_hold(&stats);
}

static bool all_counts_hold(void)
{
    bool hold = true;
    pthread_mutex_lock(&caches_lock);
    for (size_t i = 0; i < CACHES_MAX; i++)
        if (caches[i].cache != NULL)
            hold = counts_hold(caches[i].cache) && hold;
    pthread_mutex_unlock(&caches_lock);
    return hold;
}

static void destroy_all(void)
{
    atomic_store(&scarce_case->doing, "destroying the caches that are left");
    for (size_t i = 0; i < CACHES_MAX; i++)
        if (caches[i].cache != NULL)
            __wrap_sluice_cache_destroy(caches[i].cache);
}

static _Noreturn void judge(void)
{
    scarce_memory_end();
    atomic_store(&bench.judging, true);
    await_set_limit_ms(AWAIT_REFUSED_MS);
    errand_stop_all();
    mallopt(M_PERTURB, 0x5a); /* what is freed from now on holds nothing any more */
    settle();
    await_set_limit_ms(COUNTS_MS_MAX);
    if (!all_counts_hold())
        end(SCARCE_BROKEN, "the counts do not hold");
    await_set_limit_ms(SETTLE_MS_MAX);
    atomic_store(&scarce_case->doing, "tearing down");
    if (bench.teardown != NULL && bench.teardown(bench.state) != 0)
        end(SCARCE_BROKEN, "the teardown finds fault");
    destroy_all();
    atomic_store(&scarce_case->doing, "looking at memory");
    if (!scarce_memory_is_sound() || !scarce_reach_all())
        end(SCARCE_BROKEN, NULL);
    end(SCARCE_WHOLE, NULL);
}

void scarce_judge_end(void)
{
    judge();
}

void scarce_judge_failed(const char *where)
{
    fprintf(stderr, "scarce: fails at %s\n", where);
    if (!atomic_load(&scarce_case->refused))
        end(SCARCE_FAILED_UNPROVOKED, "and nothing was refused");
    bool main = pthread_equal(pthread_self(), bench.main);
    if (main && atomic_load(&bench.judging))
        end(SCARCE_BROKEN, "while the cache is judged");
    scarce_case->failed = true;
    if (scarce_reach_inside())
        end(SCARCE_UNJUDGED, "inside a call of the library");
    if (main)
        judge();
    if (!atomic_load(&bench.judging))
        await_set_limit_ms(0); /* the test is not to wait for what this thread would have done */
    pthread_exit(NULL);
}

void __wrap_abort(void)
{
    if (scarce_case == NULL)
        __real_abort();
    scarce_judge_failed("a call of abort");
}
