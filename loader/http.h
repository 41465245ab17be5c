/* SPDX-License-Identifier: MIT */
/*
 * http.h: loads values with HTTP GET, all of them in flight at once on one thread (libcurl's multi interface).
 *
 * 2xx with a body is the value, 404 and 410 are not-found, every other status is a failure; so are a refused or reset
 * connection, a short answer, and a body over the limit. Redirects are not followed. Of the answer's headers the media
 * type, a strong ETag and (if asked for) the Cache-Control go along with the value.
 */
#ifndef LOADER_HTTP_H
#define LOADER_HTTP_H

#include "backend.h"

struct http_backend_options {
    const char *url;            /* http or https, with {key} in it exactly once, in the path or the query: the key goes
                                   there percent-encoded, each byte that is not unreserved (RFC 3986, 2.3) */
    size_t  max_concurrent;     /* transfers at once; at least 1 */
    size_t  queue_max;          /* loads that wait for one; over it they are refused */
    size_t  body_size_max;      /* bytes */
    int64_t timeout_ms;         /* a whole transfer; over it the load times out */
    int64_t connect_timeout_ms; /* of that, for the connection */
    bool    respect_cache_control; /* max-age and s-maxage bound the time to live; no-store, no-cache, private: 0 */
};

/* Makes the backend and its thread. `options` is copied. On false `fault` says what is wrong with them. */
bool http_backend_create(const struct http_backend_options *options, struct backend *backend,
                         struct backend_fault *fault);

#endif
