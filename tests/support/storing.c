/* SPDX-License-Identifier: MIT */
/* storing.c: see storing.h. */
#include "storing.h"

#include "errand.h"
#include "random.h"

#include <stdlib.h>

#define THREADS_MAX 4

/* Not on the test's stack, which a failing test leaves to them. */
struct storing {
    struct sluice_cache *cache;
    unsigned keys;
    unsigned puts;
    atomic_bool stopped;
    unsigned count;
    struct storing_thread {
        struct storing *storing;
        struct errand *errand;
        struct random random;
    } threads[THREADS_MAX];
};

static void put_drawn(void *arg)
{
    struct storing_thread *thread = arg;
    struct storing *storing = thread->storing;
    for (unsigned puts = 0; puts < storing->puts && !atomic_load(&storing->stopped) && errand_goes_on(); puts++) {
        char key[16];
        int size = snprintf(key, sizeof key, "%u", random_below(&thread->random, storing->keys));
        const struct sluice_content content = fixture_content(key);
        if (sluice_put(storing->cache, key, (size_t)size, &content) != SLUICE_OK)
            abort();
    }
}

struct storing *storing_start(struct fixture *fixture, unsigned threads, unsigned keys, unsigned puts)
{
    struct storing *storing = calloc(1, sizeof *storing);
    assert_non_null(storing);
    assert_in_range(threads, 1, THREADS_MAX);
    storing->cache = fixture->cache;
    storing->keys = keys;
    storing->puts = puts;
    storing->count = threads;
    for (unsigned i = 0; i < threads; i++) {
        struct storing_thread *thread = &storing->threads[i];
        thread->storing = storing;
        random_init(&thread->random, i);
        thread->errand = errand_start(put_drawn, thread);
    }
    return storing;
}

void storing_join(struct storing *storing)
{
    for (unsigned i = 0; i < storing->count; i++) {
        assert_true(errand_ended(storing->threads[i].errand));
        errand_join(storing->threads[i].errand);
    }
    free(storing);
}

void storing_stop(struct storing *storing)
{
    atomic_store(&storing->stopped, true);
    storing_join(storing);
}
