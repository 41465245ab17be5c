/* SPDX-License-Identifier: MIT */
/*
 * http_transfers.h: the transfers of one http backend, on libcurl's multi interface. http_transfers.c is the one file
 * that includes curl's headers.
 *
 * May be used by: http.c. Everything here is called by the backend's own thread only, save for create and destroy,
 * which run before and after it, and http_transfers_wake().
 */
#ifndef LOADER_HTTP_TRANSFERS_H
#define LOADER_HTTP_TRANSFERS_H

#include "http.h"
#include "http_queue.h"
#include "http_url.h"

struct http_transfers;

/*
 * `options`, checked by the caller, is copied but for its url; `url` and `queue` are borrowed and outlive it. NULL: the
 * fault says why.
 */
struct http_transfers *http_transfers_create(const struct http_backend_options *options, const struct http_url *url,
                                             struct http_queue *queue, struct backend_fault *fault);

/* Frees everything. No transfer runs any more: http_transfers_abort() was called. NULL is allowed. */
void http_transfers_destroy(struct http_transfers *transfers);

/* Sends a load, taken from the queue with its slot, on its way. Ends it if nobody wants it or memory is out. */
void http_transfers_start(struct http_transfers *transfers, struct sluice_load *load);

/*
 * Moves the transfers on and ends the loads of those that are done, each with its slot given back. If there was none,
 * sleeps until there is something to do or http_transfers_wake() is called.
 */
void http_transfers_run(struct http_transfers *transfers);

/* Makes http_transfers_run() return soon. Any thread. */
void http_transfers_wake(struct http_transfers *transfers);

/* Breaks off what runs; the loads fail with `reason`. */
void http_transfers_abort(struct http_transfers *transfers, const char *reason);

#endif
