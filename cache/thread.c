/* SPDX-License-Identifier: MIT */
/* thread.c: see thread.h. */
#include "thread.h"

#include <signal.h>

bool thread_spawn(pthread_t *thread, void *(*run)(void *arg), void *arg, const char *name)
{
    sigset_t all, before;
    int failed;

    /* It inherits the mask: the signals that the program waits for must not end up here. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        pthread_setname_np(*thread, name);
    return failed == 0;
}
