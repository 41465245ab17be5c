/* SPDX-License-Identifier: MIT */
/*
 * client.h: an HTTP client for tests of the server. It sends what it is told, byte for byte.
 *
 *     struct client *client = client_open(port);
 *     struct answer answer = {0};
 *
 *     client_sendf(client, "GET /users/%d HTTP/1.1\r\nHost: h\r\n\r\n", 42);
 *     assert_true(client_receive(client, ANSWER_TO_GET, &answer));
 *     assert_int_equal(200, answer.status);
 *     assert_string_equal("Ada", answer.body);
 *     answer_fini(&answer);
 *     client_close(client);
 *
 * May be used by: the tests of the server, from the thread that runs them; no function here starts one. What takes
 * longer than CLIENT_MS_MAX, what is not an answer, and a socket that the system does not give, fail the test.
 */
#ifndef TESTS_SERVER_CLIENT_H
#define TESTS_SERVER_CLIENT_H

#include "answer.h"

#include <stdint.h>

/* Far over what anything here takes, sanitizers included: it is there so that nothing hangs. */
#define CLIENT_MS_MAX 60000

struct client;

/* A connection to 127.0.0.1; it is open on return. To be given back with client_close(), which also takes NULL. */
struct client *client_open(unsigned port);
void client_close(struct client *client);

/* Closes with a reset, which leaves nothing of the connection in the kernel. NULL is allowed. */
void client_reset(struct client *client);

/* Sends all of it. The connection must last for that. */
void client_send(struct client *client, const void *bytes, size_t size);
void client_sendf(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Closes the sending side only. */
void client_end_sending(struct client *client);

/*
 * Waits for the next answer. `*answer` is emptied first, and the caller's afterwards. False: the server ended the
 * connection instead, before the first byte of an answer.
 */
bool client_receive(struct client *client, enum answer_to to, struct answer *answer);

/* Waits until the server has ended the connection. A byte that comes before fails the test. */
void client_await_end(struct client *client);

/* Likewise, but what comes before is thrown away. */
void client_skip_to_end(struct client *client);

/* Whether something has come that was not received yet, or the end of the connection. Does not wait. */
bool client_has_more(struct client *client);

/*
 * One request on a connection of its own, which is closed afterwards. `fields` are whole lines, each with its "\r\n",
 * or NULL. There has to be an answer.
 */
void client_request(unsigned port, const char *method, const char *target, const char *fields, struct answer *answer);

/* ---- steps that do not wait: for herd.c -------------------------------------------------------------------------- */

/* Begins to connect. The descriptor is writable once it is done. */
struct client *client_start(unsigned port);
int client_fd(const struct client *client);

/* Sends what goes out now; returns how much that was. */
size_t client_send_some(struct client *client, const char *bytes, size_t size);

/* Takes what has come; then the first answer of it, if that is whole. The end of the connection fails the test. */
bool client_receive_now(struct client *client, enum answer_to to, struct answer *answer);

#endif
