/* SPDX-License-Identifier: MIT */
/*
 * routes.h: the data side: GET and HEAD of /{cache}/{key}. May be used by: main.c.
 *
 * A hit is answered at once. A miss parks the request on the load in flight; the thread that ends the load hands the
 * outcome over and has the request resumed.
 */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "caches.h"
#include "http.h"

struct routes {
    struct caches *caches;
    bool failure_details; /* whether the answer to a failed load says why */
};

/* The handler of the data side; `routes` must outlive the server. */
struct http_handler routes_handler(struct routes *routes);

#endif
