/* SPDX-License-Identifier: MIT */
/*
 * nginx_fixture.h: what the tests of the http backend against a real server start from: an nginx of the test's own on a
 * free port of 127.0.0.1, with its directory, and backend and cache in front of it. Without nginx the tests fail.
 *
 *     /files/NAME       the file NAME of the fixture's directory files, as nginx serves files; gzip for who asks for it
 *     /chunked/NAME     the same, run through a filter that makes it chunked
 *     /count/ANY        "CONNECTION REQUESTS": nginx's number of the connection, and which request on it this one is
 *     /three/ANY        likewise; nginx closes the connection with the third
 *     /close/ANY        likewise; with each
 *     /pid/ANY          the process id of nginx's one worker
 *     /generation/ANY   how often nginx was given a configuration: 1, 2, ...
 *     /status/N         410, 500, 503: that status; 301, 302, 307, 308: to /files/target
 *
 * The functions here assert: for the thread that runs the tests.
 */
#ifndef TESTS_LOADER_NGINX_FIXTURE_H
#define TESTS_LOADER_NGINX_FIXTURE_H

#include "http.h"
#include "loader_fixture.h"

#include <sys/types.h>

struct nginx_fixture {
    struct loader_fixture loader;
    struct http_backend_options options; /* to be changed before nginx_fixture_open() */
    char url[128];
    pid_t pid; /* of nginx; 0: it does not run */
    unsigned port;
    unsigned generation;
};

int nginx_fixture_setup(void **state);
int nginx_fixture_teardown(void **state);

#define NGINX_TEST(test) cmocka_unit_test_setup_teardown(test, nginx_fixture_setup, nginx_fixture_teardown)

/* Makes backend and cache; the URL is that of nginx and `path`. */
void nginx_fixture_open(struct nginx_fixture *fixture, const char *path);

/* Writes the file NAME into the directory files: `size` bytes that gzip makes much less of. */
void nginx_fixture_write(struct nginx_fixture *fixture, const char *name, size_t size);

/* What nginx_fixture_write() writes. The caller frees it. */
char *nginx_fixture_bytes(size_t size);

/* Makes nginx read its configuration again, as an operator does it; returns while it is at it. */
void nginx_fixture_reload(struct nginx_fixture *fixture);

/* Ends nginx and waits for its end. */
void nginx_fixture_stop(struct nginx_fixture *fixture);

/*
 * Waits until nginx has logged so many requests in all; returns its log, which the caller frees. A request is a line
 *     URI STATUS accept=ACCEPT-ENCODING coding=CONTENT-ENCODING transfer=TRANSFER-ENCODING
 * with "-" for what was not sent.
 */
char *nginx_fixture_log(struct nginx_fixture *fixture, size_t requests);

/* The answer to a request for `path` that is made by hand, with this header line, on a connection of its own. The
 * caller frees it. */
char *nginx_fixture_ask(struct nginx_fixture *fixture, const char *path, const char *header);

#endif
