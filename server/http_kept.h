/* SPDX-License-Identifier: MIT */
/*
 * http_kept.h: answers that were just sent, for those who ask for the same.
 *
 * May be used by: http.c and http_worker.c, each worker its own, on its thread. A hot value is asked for thousands of
 * times within the second in which its answer stays the same (Age counts seconds), and most of what our front end costs
 * over the bare library is putting that answer together. So a worker keeps the last ones: in a small table, one place
 * each, where a newer answer drives out what lies there.
 *
 * Bounds: HTTP_KEPT_SLOTS answers of at most HTTP_KEPT_SIZE_MAX bytes of body, for HTTP_KEPT_MS. Never a wrong answer:
 * it is asked for by the value itself, after the cache was asked, and holds that value, so that no other can have its
 * address meanwhile. What was invalidated or evicted is only held, for a second, and not found.
 */
#ifndef SERVER_HTTP_KEPT_H
#define SERVER_HTTP_KEPT_H

#include "http.h"

#define HTTP_KEPT_SLOTS    64 /* a power of two */
#define HTTP_KEPT_SIZE_MAX ((size_t)16 * 1024)
#define HTTP_KEPT_MS       1000

struct MHD_Response;

struct http_kept_answer {
    struct http_answer_key key;
    unsigned status;
    struct MHD_Response *response; /* NULL: the place is free */
};

/* Zero at first. */
struct http_kept {
    struct http_kept_answer answers[HTTP_KEPT_SLOTS];
    size_t count;
    int64_t end_ms; /* when all are let go, by http_now_ms(); of no meaning while there is none */
};

/* The answer of that key, or NULL. Borrowed until the next call. */
const struct http_kept_answer *http_kept_find(const struct http_kept *kept, const struct http_answer_key *key);

/* Keeps an answer. Takes the caller's reference to the response. */
void http_kept_put(struct http_kept *kept, const struct http_answer_key *key, unsigned status,
                   struct MHD_Response *response, int64_t now_ms);

/* Lets all go when it is time; returns the milliseconds until it is, or -1 while there is none. */
int http_kept_let_go(struct http_kept *kept, int64_t now_ms);

/* Lets all go now. */
void http_kept_fini(struct http_kept *kept);

#endif
