/* SPDX-License-Identifier: MIT */
/*
 * site.h: what most tests of the server start from: a scripted origin, sluiced with caches on it, requests to both of
 * its sides, and what is expected of the answers.
 *
 *     static void a_sentence(void **state)
 *     {
 *         struct site *site = *state;
 *         site_script(site, "/k", "v");
 *         site_start(site, SITE_CACHE("c", "expire_after_write = 1h"));
 *         site_get(site, "/c/k");
 *         site_expect(site, 200, "v", "sluice; fwd=miss; stored");
 *     }
 *     SITE_TEST(a_sentence) // in the array of tests
 *
 * The teardown ends the origin, then the server by SIGTERM, which must exit with 0: so that whatever a sanitizer finds
 * fails the test. The functions here assert: for the thread that runs the tests.
 */
#ifndef TESTS_SERVER_SITE_H
#define TESTS_SERVER_SITE_H

#include "await.h"
#include "client.h"
#include "daemon.h"
#include "herd.h"
#include "scripted_backend.h"
#include "test.h"

#include <jansson.h>
#include <string.h>

struct site {
    struct scripted_backend *origin;
    struct scratch scratch; /* for what else a backend needs */
    struct daemon *daemon;
    struct client *admin; /* one connection for all that is asked of the admin side */
    struct answer answer; /* the latest one of the data side */
    json_t *json;         /* the latest one of the admin side */
};

int site_setup(void **state);
int site_teardown(void **state);

#define SITE_TEST(test) cmocka_unit_test_setup_teardown(test, site_setup, site_teardown)

/* A cache section on the origin: keys are its paths. `options` are those of the cache, `backend` of the http section.
 */
#define SITE_CACHE_WITH(name, options, backend)                                                                        \
    "cache \"" name "\" {\n" options "\nhttp { url = \"${ORIGIN}/{key}\"\n" backend "\n} }\n"
#define SITE_CACHE(name, options) SITE_CACHE_WITH(name, options, "")

/* Starts sluiced. In `config`, options and caches, ${ORIGIN} is the origin's URL, ${SCRATCH} the scratch directory. */
void site_start(struct site *site, const char *config);

/* The origin answers requests for `path` with this body from now on; held: at the gate. */
void site_script(struct site *site, const char *path, const char *body);
void site_script_held(struct site *site, const char *path, const char *body);

/* ---- the data side ----------------------------------------------------------------------------------------------- */

/* A request on a connection of its own. The answer is in the site until the next one. */
void site_get(struct site *site, const char *target);
void site_request(struct site *site, const char *method, const char *target, const char *fields);

/* A GET on a connection of its own, which is sent and not waited for: client_receive() and client_close() are left. */
struct client *site_send_get(struct site *site, const char *target, const char *fields);

/* Waits for the answer to it, and closes the connection. */
void site_receive(struct site *site, struct client *client);

/* The latest answer has this status, body and Cache-Status. */
void site_expect(struct site *site, int status, const char *body, const char *cache_status);

/* The latest answer is a problem of this status and word, with `detail` somewhere in its detail (NULL: any or none). */
void site_expect_problem(struct site *site, int status, const char *word, const char *detail);

/* Its header of that name; there must be one. */
const char *site_field(struct site *site, const char *name);
void site_expect_field(struct site *site, const char *name, const char *value);

/* ---- the admin side ---------------------------------------------------------------------------------------------- */

/* DELETE of that target: its answer says that so many entries went and so many loads were detached. */
void site_delete(struct site *site, const char *target, int entries, int loads);

/* A counter of a cache in /stats; of the data side. */
size_t site_stat(struct site *site, const char *cache, const char *counter);
size_t site_data_stat(struct site *site, const char *counter);

/* From /inflight: how many loads of the key are in that state (NULL: in any), and how many wait for them. */
struct site_loads {
    size_t loads;
    size_t waiters;
};
struct site_loads site_loads(struct site *site, const char *cache, const char *key, const char *state);

/* Waits until exactly so many wait for the key's loads in that state (NULL: in any). */
void site_await_waiters(struct site *site, const char *cache, const char *key, const char *state, size_t waiters);

/* Waits until no load is in flight. */
void site_await_idle(struct site *site);

#endif
