/* SPDX-License-Identifier: MIT */
/* thread.h: how the library begins a thread of its own. */
#ifndef CACHE_THREAD_H
#define CACHE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Runs `run(arg)` on a new thread that takes none of the program's signals. False: the system refused it. */
bool thread_spawn(pthread_t *thread, void *(*run)(void *arg), void *arg, const char *name);

#endif
