/* SPDX-License-Identifier: MIT */
/*
 * herd.h: thousands of connections that send the same request at once, on the thread of the test.
 * May be used by: the tests of the server. What goes wrong, or takes longer than CLIENT_MS_MAX, fails the test.
 */
#ifndef TESTS_SERVER_HERD_H
#define TESTS_SERVER_HERD_H

#include "client.h"

struct herd;

/* Opens `count` connections and sends `request` on each; all of it is out on return, and nothing was read yet. */
struct herd *herd_send(unsigned port, size_t count, const char *request);

/* Closes all. NULL is allowed. */
void herd_close(struct herd *herd);

/* Waits until every connection has its answer, to a GET. */
void herd_receive(struct herd *herd);

/* The answer on the connection of that number, after herd_receive(). Lives as long as the herd. */
const struct answer *herd_answer(const struct herd *herd, size_t number);

/* How many answers have this status, this body, this Cache-Status; those that are NULL or 0 are not looked at. */
size_t herd_count(const struct herd *herd, int status, const char *body, const char *cache_status);

#endif
