/* SPDX-License-Identifier: MIT */
/* errand.c: see errand.h. */
#include "errand.h"

#include "await.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct errand {
    void (*run)(void *arg);
    void *arg;
    pthread_t thread;
    atomic_bool ended;
};

static void *errand_main(void *arg)
{
    struct errand *errand = arg;
    errand->run(errand->arg);
    atomic_store(&errand->ended, true);
    return NULL;
}

struct errand *errand_start(void (*run)(void *arg), void *arg)
{
    struct errand *errand = calloc(1, sizeof *errand);
    if (errand == NULL)
        abort();
    errand->run = run;
    errand->arg = arg;
    if (pthread_create(&errand->thread, NULL, errand_main, errand) != 0) {
        fputs("errand: no thread to be had\n", stderr);
        abort();
    }
    return errand;
}

bool errand_ended(struct errand *errand)
{
    int64_t start_ms = await_now_ms();
    while (!atomic_load(&errand->ended))
        if (!await_again(start_ms))
            return false;
    return true;
}

void errand_join(struct errand *errand)
{
    pthread_join(errand->thread, NULL);
    free(errand);
}

bool errand_run_elsewhere(void (*run)(void *arg), void *arg)
{
    struct errand *errand = errand_start(run, arg);
    if (!errand_ended(errand))
        return false;
    errand_join(errand);
    return true;
}
