/* SPDX-License-Identifier: MIT */
/*
 * http.h: loads values with HTTP GET, all of them in flight at once on one thread (libcurl's multi interface).
 *
 * 2xx with a body is the value (204 an empty one), 404 and 410 are not-found, every other status is a failure, 206 too
 * since no part was asked for; so are a refused or reset connection, a short answer, a content coding that was not
 * asked for, and a body over the limit. Redirects are not followed. Of the answer's headers the media type, a strong
 * ETag and (if asked for) what Cache-Control, Expires and Vary say go along with the value.
 *
 * Connections are kept alive and used again. HTTP/1.1, straight to the host of the URL: the environment's proxy
 * variables are not looked at, since only the configuration says what a server does. User and password may stand in
 * the URL; the words of a failure show it without them and without its query, where secrets stand as well.
 *
 * No key leads out of the url's path: where it stands in the path, one that has a part between slashes (or backslashes)
 * which is "." or ".." is a failure and is not sent. Its slashes would be percent-encoded as all bytes are, but many an
 * origin decodes first and takes such parts out then. See http_url_key_is_fit().
 */
#ifndef LOADER_HTTP_H
#define LOADER_HTTP_H

#include "backend.h"

struct http_backend_options {
    const char *url;            /* http or https, with {key} in it exactly once, in the path or the query: the key goes
                                   there percent-encoded, each byte that is not unreserved (RFC 3986, 2.3) */
    size_t max_concurrent;      /* transfers at once; at least 1 */
    size_t queue_max;           /* loads that wait for one; over it they are refused */
    size_t body_size_max;       /* bytes; at least 1 */
    int64_t timeout_ms;         /* a whole transfer; over it the load times out; 1 to INT32_MAX */
    int64_t connect_timeout_ms; /* of that, for the connection; 1 to INT32_MAX */
    bool respect_cache_control; /* s-maxage, or else max-age, or else Expires, less the Age, bound the time to live;
                                   no-store, no-cache, private, "Vary: *", and a max-age or Expires that can't be read:
                                   0. Any other Vary is harmless: the same request is always sent for a key */
    int64_t ttl_max_ms;         /* the cache's own expire_after_write_ms (SLUICE_NEVER: none): these headers can only
                                   shorten it */
};

/*
 * Makes the backend and its thread. `options` is copied. On false `fault` says what is wrong with them.
 *
 * A load whose turn comes when nobody wants it any more is not sent. A transfer that runs is let run to its end or its
 * timeout, wanted or not: its slot stays taken so long, so that a hung origin is not asked again and again (rule 8).
 * backend.destroy aborts those that run; it may have to wait for a name lookup that can't be broken off.
 */
bool http_backend_create(const struct http_backend_options *options, struct backend *backend,
                         struct backend_fault *fault);

#endif
