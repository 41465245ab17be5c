/* SPDX-License-Identifier: MIT */
/* http_queue.c: the loads before their transfers run. See http_queue.h. */
#include "http_queue.h"

#include <stdlib.h>

bool http_queue_init(struct http_queue *queue, size_t running_max, size_t queued_max)
{
    struct sluice_load **ring;

    if (queued_max > SIZE_MAX - running_max)
        return false;
    ring = calloc(running_max + queued_max, sizeof *ring);
    if (!ring)
        return false;
    *queue = (struct http_queue){.running_max = running_max, .queued_max = queued_max};
    queue->locked.ring = ring;
    pthread_mutex_init(&queue->mutex, NULL);
    return true;
}

void http_queue_fini(struct http_queue *queue)
{
    pthread_mutex_destroy(&queue->mutex);
    free(queue->locked.ring);
}

enum http_queue_put http_queue_put(struct http_queue *queue, struct sluice_load *load)
{
    size_t capacity = queue->running_max + queue->queued_max;
    enum http_queue_put put;

    pthread_mutex_lock(&queue->mutex);
    if (queue->locked.closed) {
        put = HTTP_QUEUE_CLOSED;
    } else if (queue->locked.running + queue->locked.count >= capacity) {
        put = HTTP_QUEUE_FULL;
    } else {
        /* With loads before it or no slot free, the thread looks here before it sleeps again. */
        put = queue->locked.count == 0 && queue->locked.running < queue->running_max ? HTTP_QUEUE_WAKE : HTTP_QUEUE_OK;
        queue->locked.ring[(queue->locked.head + queue->locked.count) % capacity] = load;
        queue->locked.count++;
    }
    pthread_mutex_unlock(&queue->mutex);
    return put;
}

static struct sluice_load *pop_locked(struct http_queue *queue)
{
    struct sluice_load *load = NULL;

    if (queue->locked.count > 0) {
        load = queue->locked.ring[queue->locked.head];
        queue->locked.head = (queue->locked.head + 1) % (queue->running_max + queue->queued_max);
        queue->locked.count--;
    }
    return load;
}

struct sluice_load *http_queue_take(struct http_queue *queue)
{
    struct sluice_load *load = NULL;

    pthread_mutex_lock(&queue->mutex);
    if (queue->locked.running < queue->running_max && !queue->locked.closed)
        load = pop_locked(queue);
    if (load)
        queue->locked.running++;
    pthread_mutex_unlock(&queue->mutex);
    return load;
}

void http_queue_release(struct http_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->locked.running--;
    pthread_mutex_unlock(&queue->mutex);
}

void http_queue_close(struct http_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->locked.closed = true;
    pthread_mutex_unlock(&queue->mutex);
}

bool http_queue_is_closed(struct http_queue *queue)
{
    bool closed;

    pthread_mutex_lock(&queue->mutex);
    closed = queue->locked.closed;
    pthread_mutex_unlock(&queue->mutex);
    return closed;
}

struct sluice_load *http_queue_drain(struct http_queue *queue)
{
    struct sluice_load *load;

    pthread_mutex_lock(&queue->mutex);
    load = pop_locked(queue);
    pthread_mutex_unlock(&queue->mutex);
    return load;
}

void http_queue_stats(struct http_queue *queue, struct backend_stats *stats)
{
    size_t starting;

    pthread_mutex_lock(&queue->mutex);
    /* A load that has a slot to go to, and only waits for the thread to wake up, counts as running. */
    starting = queue->running_max - queue->locked.running;
    if (starting > queue->locked.count)
        starting = queue->locked.count;
    stats->running = queue->locked.running + starting;
    stats->queued = queue->locked.count - starting;
    pthread_mutex_unlock(&queue->mutex);
    stats->running_max = queue->running_max;
    stats->queued_max = queue->queued_max;
}
