/* SPDX-License-Identifier: MIT */
/*
 * http_queue.h: the loads of the http backend before their transfers run: a bounded queue, first in, first out, and the
 * count of the slots that are taken. Threads that get put in; the one transfer thread takes out.
 *
 * May be used by: http.c. Its mutex is a leaf: nothing is called while it is held.
 */
#ifndef LOADER_HTTP_QUEUE_H
#define LOADER_HTTP_QUEUE_H

#include "backend.h"

#include <pthread.h>

struct http_queue {
    size_t running_max; /* these two: fixed after http_queue_init() */
    size_t queued_max;
    pthread_mutex_t mutex;
    struct {
        struct sluice_load **ring; /* room for running_max + queued_max: a load waits here for its thread, too */
        size_t head;
        size_t count;
        size_t running; /* slots taken */
        bool closed;
    } locked;
};

enum http_queue_put {
    HTTP_QUEUE_OK,    /* put in; the transfer thread will come to it by itself */
    HTTP_QUEUE_WAKE,  /* put in; the transfer thread may sleep and has to be woken */
    HTTP_QUEUE_FULL,  /* not put in: a bound is reached */
    HTTP_QUEUE_CLOSED /* not put in */
};

/* False: out of memory, or more than can be counted. */
bool http_queue_init(struct http_queue *queue, size_t running_max, size_t queued_max);
void http_queue_fini(struct http_queue *queue);

enum http_queue_put http_queue_put(struct http_queue *queue, struct sluice_load *load);

/* The first load, if a slot is free, with the slot; else NULL. Whoever has it calls http_queue_release() once. */
struct sluice_load *http_queue_take(struct http_queue *queue);
void http_queue_release(struct http_queue *queue);

/* Nothing is put in any more. */
void http_queue_close(struct http_queue *queue);
bool http_queue_is_closed(struct http_queue *queue);

/* The first load, whether or not a slot is free, and without one; NULL when there is none. For the end. */
struct sluice_load *http_queue_drain(struct http_queue *queue);

void http_queue_stats(struct http_queue *queue, struct backend_stats *stats);

#endif
