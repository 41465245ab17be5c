/* SPDX-License-Identifier: MIT */
/*
 * scripted_connection.h: one connection of the scripted origin: requests in, answers out, by the manner that was asked.
 *
 *     READING -> HELD | DELAYED | ANSWERING     HELD -> DELAYED     DELAYED -> ANSWERING
 *     ANSWERING -> READING, or over
 *
 * May be used by: scripted_backend.c, on the origin's thread only. Knows no counters and no scripts.
 */
#ifndef TESTS_LOADER_SCRIPTED_CONNECTION_H
#define TESTS_LOADER_SCRIPTED_CONNECTION_H

#include "scripted_backend.h"

enum scripted_state { SCRIPTED_READING, SCRIPTED_HELD, SCRIPTED_DELAYED, SCRIPTED_ANSWERING };

struct scripted_connection {
    struct scripted_connection *previous; /* of the origin's list */
    struct scripted_connection *next;
    int fd;
    unsigned interest; /* what epoll was last told; the origin's */
    enum scripted_state state;
    enum scripted_manner manner; /* of the answer under way, like all below */
    bool close_after;
    int64_t delay_ms;
    int64_t drip_ms;
    int64_t due_ms; /* when it goes on by itself; INT64_MAX: not */
    char *in;
    size_t in_size;
    size_t in_capacity;
    char *out;
    size_t out_size;
    size_t out_sent;
};

/* A parsed request. The strings are the caller's, freed with scripted_parsed_fini(). */
struct scripted_parsed {
    struct scripted_request request; /* its number is left 0 */
    char *head;
    char *line; /* cut into method and path */
    bool close; /* the client wants the connection closed afterwards */
};

/* What can't be done ends the process; `what` and errno say why. */
_Noreturn void scripted_die(const char *what);
void *scripted_must(void *memory);

/* Takes over the descriptor, which must not block. */
struct scripted_connection *scripted_connection_create(int fd);

/* Closes the descriptor and frees it. */
void scripted_connection_destroy(struct scripted_connection *connection);

/* READING: reads what there is. False: the connection is over. */
bool scripted_connection_read(struct scripted_connection *connection);

/* READING: takes one request out of what was read. 1: here it is; 0: it is not whole yet; -1: the connection is over.
 */
int scripted_connection_parse(struct scripted_connection *connection, struct scripted_parsed *parsed);
void scripted_parsed_fini(struct scripted_parsed *parsed);

/* READING: begins the answer, HELD if `held`, else DELAYED. `answer` is copied. */
void scripted_connection_begin(struct scripted_connection *connection, const struct scripted_parsed *parsed,
                               const struct scripted_answer *answer, bool held, int64_t now_ms);

/* HELD: lets it go on. */
void scripted_connection_release(struct scripted_connection *connection, int64_t now_ms);

/* Goes on as far as it can: answers what is due, up to READING again. False: the connection is over. */
bool scripted_connection_go_on(struct scripted_connection *connection, int64_t now_ms);

#endif
