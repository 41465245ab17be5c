/* SPDX-License-Identifier: MIT */
/*
 * http_fixture.h: what the tests of the http backend start from: a scripted origin, the backend, and a cache on it.
 *
 *     static void a_sentence(void **state)
 *     {
 *         struct http_fixture *fixture = *state;
 *         fixture->options.max_concurrent = 2; // optional
 *         http_fixture_open(fixture, "/users/{key}");
 *         ...
 *     }
 *     HTTP_TEST(a_sentence) // in the array of tests
 *
 * The teardown destroys backend, cache and origin, and checks the cache's sums. The functions here assert: for the
 * thread that runs the tests.
 */
#ifndef TESTS_LOADER_HTTP_FIXTURE_H
#define TESTS_LOADER_HTTP_FIXTURE_H

#include "await.h"
#include "http.h"
#include "scripted_backend.h"
#include "test.h"

#include <sluice/cache.h>
#include <stdatomic.h>
#include <string.h>

#define HTTP_CALLS_MAX 2048

/* An asynchronous get. */
struct http_call {
    atomic_bool done;
    struct sluice_outcome outcome; /* once done */
};

struct http_fixture {
    struct scripted_backend *origin;
    struct http_backend_options options; /* to be changed before http_fixture_open() */
    struct sluice_options cache_options; /* likewise */
    char url[512];
    struct backend backend; /* kind NULL: not made, or destroyed */
    struct sluice_cache *cache;
    struct sluice_outcome outcome; /* of the latest http_fixture_get() */
    struct http_call *calls;
    size_t calls_count;
};

int http_fixture_setup(void **state);
int http_fixture_teardown(void **state);

#define HTTP_TEST(test) cmocka_unit_test_setup_teardown(test, http_fixture_setup, http_fixture_teardown)

/* Makes backend and cache; the URL is that of the origin and `path`, or `path` alone if it is a whole URL. */
void http_fixture_open(struct http_fixture *fixture, const char *path);

/* Ends them in the midst of a test: first the cache is closed, then the backend destroyed, then the cache. */
void http_fixture_close(struct http_fixture *fixture);

/* As scripted_backend_script() with an answer that has this body. */
void http_fixture_answer(struct http_fixture *fixture, const char *path, const char *body);

/* A blocking get; its outcome is in the fixture until the next one. */
enum sluice_error http_fixture_get(struct http_fixture *fixture, const char *key);
enum sluice_error http_fixture_get_bytes(struct http_fixture *fixture, const void *key, size_t key_size);

/* A blocking get that must bring this value; this failure, with these words in its reason. */
void http_fixture_expect(struct http_fixture *fixture, const char *key, const char *value);
void http_fixture_expect_failure(struct http_fixture *fixture, const char *key, enum sluice_error error,
                                 const char *words);

/* Begins a get that parks. */
struct http_call *http_fixture_begin(struct http_fixture *fixture, const char *key);

/* Waits for it; it must have come to this, with this value or these words in its reason (NULL: neither is looked at).
 */
void http_fixture_await(struct http_call *call, enum sluice_error error, const char *text);

struct backend_stats http_fixture_stats(struct http_fixture *fixture);

#endif
