/* SPDX-License-Identifier: MIT */
/*
 * http_url.h: the URL template of the http backend: its checks, the URL of a key, and the form that may be shown.
 *
 * May be used by: http.c, tests. Knows no libcurl; http.c lets curl have a look at the template besides.
 */
#ifndef LOADER_HTTP_URL_H
#define LOADER_HTTP_URL_H

#include "backend.h"

/* A checked template, cut at {key}. Immutable after http_url_init(): any thread. */
struct http_url {
    char *text;         /* the template without {key} */
    size_t size;        /* bytes of it */
    size_t key_at;      /* where the key goes */
    size_t secret_from; /* user and password with their '@', [from, to): never shown */
    size_t secret_to;
    size_t shown_to; /* the end of what is shown: where the query begins, or the whole */
};

/*
 * Checks `text` and copies it. On false `fault` says what is wrong, without user and password, and `url` is untouched.
 */
bool http_url_init(struct http_url *url, const char *text, struct backend_fault *fault);

/* Frees what the template holds. */
void http_url_fini(struct http_url *url);

/*
 * Whether the URL of this key stays below what the template says. False if the key gives the path a part that is "."
 * or "..", alone or together with the template's text beside it: percent-encoded or not, many an origin takes such
 * parts out and so leaves the template's path. A backslash ends a part as a slash does. In the query no key is wrong.
 */
bool http_url_key_is_fit(const struct http_url *url, const void *key, size_t key_size);

/* The URL of a key, percent-encoded; the caller frees it. NULL: out of memory. */
char *http_url_of_key(const struct http_url *url, const void *key, size_t key_size);

/*
 * Writes the URL of a key as it may be shown, without user, password and query, to `shown`, cut at `size` bytes (its
 * end is "..." then) and terminated. `size` is at least 4.
 */
void http_url_show(const struct http_url *url, const void *key, size_t key_size, char *shown, size_t size);

#endif
