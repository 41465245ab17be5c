/* SPDX-License-Identifier: MIT */
/* scripted_connection.c: one connection of the scripted origin. See scripted_connection.h. */
#include "scripted_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IN_FIRST = 2048,
    IN_MAX = 256 << 10, /* a head over this ends the connection */
    SHORT_BY = 10
};

void scripted_die(const char *what)
{
    fprintf(stderr, "scripted backend: %s: %s\n", what, strerror(errno));
    abort();
}

void *scripted_must(void *memory)
{
    if (!memory)
        scripted_die("out of memory");
    return memory;
}

struct scripted_connection *scripted_connection_create(int fd)
{
    struct scripted_connection *connection = scripted_must(calloc(1, sizeof *connection));

    connection->fd = fd;
    connection->due_ms = INT64_MAX;
    connection->in_capacity = IN_FIRST;
    connection->in = scripted_must(malloc(IN_FIRST));
    return connection;
}

void scripted_connection_destroy(struct scripted_connection *connection)
{
    close(connection->fd);
    free(connection->in);
    free(connection->out);
    free(connection);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

bool scripted_connection_read(struct scripted_connection *connection)
{
    for (;;) {
        size_t room = connection->in_capacity - connection->in_size;
        ssize_t got;

        if (room == 0) {
            if (connection->in_capacity >= IN_MAX)
                return false;
            connection->in_capacity *= 2;
            connection->in = scripted_must(realloc(connection->in, connection->in_capacity));
            continue;
        }
        got = recv(connection->fd, connection->in + connection->in_size, room, 0);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (got == 0)
            return false;
        connection->in_size += (size_t)got;
        if ((size_t)got < room)
            return true;
    }
}

/* Whether the head has a line that begins so, whatever the case. */
static bool head_has(const char *head, const char *begin)
{
    return strcasestr(head, begin) != NULL;
}

int scripted_connection_parse(struct scripted_connection *connection, struct scripted_parsed *parsed)
{
    const char *end = memmem(connection->in, connection->in_size, "\r\n\r\n", 4);
    const char *version;
    char *rest;
    size_t size;

    if (!end)
        return 0;
    *parsed = (struct scripted_parsed){0};
    size = (size_t)(end - connection->in) + 4;
    parsed->head = scripted_must(malloc(size + 1));
    memcpy(parsed->head, connection->in, size);
    parsed->head[size] = '\0';
    parsed->line = scripted_must(strndup(parsed->head, strcspn(parsed->head, "\r\n")));
    connection->in_size -= size;
    memmove(connection->in, connection->in + size, connection->in_size);

    parsed->request.head = parsed->head;
    parsed->request.method = strtok_r(parsed->line, " ", &rest);
    parsed->request.path = strtok_r(NULL, " ", &rest);
    version = strtok_r(NULL, " ", &rest);
    if (!version || (strcmp(parsed->request.method, "GET") != 0 && strcmp(parsed->request.method, "HEAD") != 0) ||
        head_has(parsed->head, "\r\nContent-Length:") || head_has(parsed->head, "\r\nTransfer-Encoding:")) {
        scripted_parsed_fini(parsed);
        return -1;
    }
    parsed->close = head_has(parsed->head, "\r\nConnection: close") ||
                    (strcmp(version, "HTTP/1.0") == 0 && !head_has(parsed->head, "\r\nConnection: keep-alive"));
    return 1;
}

void scripted_parsed_fini(struct scripted_parsed *parsed)
{
    free(parsed->head);
    free(parsed->line);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static bool status_has_content(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* The whole answer, as it goes out. */
static void compose(struct scripted_connection *connection, const struct scripted_parsed *parsed,
                    const struct scripted_answer *answer)
{
    int status = answer->status ? answer->status : 200;
    size_t body_size = !answer->body ? 0 : answer->body_size ? answer->body_size : strlen(answer->body);
    bool head_only =
        strcmp(parsed->request.method, "HEAD") == 0 || !status_has_content(status) || answer->manner == SCRIPTED_STALL;
    FILE *out = scripted_must(open_memstream(&connection->out, &connection->out_size));

    if (answer->manner != SCRIPTED_RAW) {
        fprintf(out, "HTTP/1.1 %d Scripted\r\n", status);
        if (answer->manner == SCRIPTED_CHUNKED)
            fputs("Transfer-Encoding: chunked\r\n", out);
        else if (status_has_content(status))
            fprintf(out, "Content-Length: %zu\r\n", body_size + (answer->manner == SCRIPTED_SHORT ? SHORT_BY : 0));
        fprintf(out, "%s%s\r\n", parsed->close ? "Connection: close\r\n" : "", answer->headers ? answer->headers : "");
        if (answer->manner == SCRIPTED_CHUNKED && !head_only && body_size > 0)
            fprintf(out, "%zx\r\n", body_size);
    }
    if (body_size > 0 && (answer->manner == SCRIPTED_RAW || !head_only))
        fwrite(answer->body, 1, body_size, out);
    if (answer->manner == SCRIPTED_CHUNKED && !head_only)
        fputs(body_size > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n", out);
    if (fclose(out) != 0)
        scripted_must(NULL);
}

static void delay(struct scripted_connection *connection, int64_t now_ms)
{
    connection->state = SCRIPTED_DELAYED;
    connection->due_ms = now_ms + connection->delay_ms;
}

void scripted_connection_begin(struct scripted_connection *connection, const struct scripted_parsed *parsed,
                               const struct scripted_answer *answer, bool held, int64_t now_ms)
{
    connection->manner = answer->manner;
    connection->close_after = answer->close || parsed->close || answer->manner == SCRIPTED_RAW ||
                              answer->manner == SCRIPTED_SHORT || answer->manner == SCRIPTED_CLOSE;
    connection->delay_ms = answer->delay_ms;
    connection->drip_ms = answer->drip_ms;
    connection->out_sent = 0;
    if (answer->manner <= SCRIPTED_STALL)
        compose(connection, parsed, answer);
    if (held)
        connection->state = SCRIPTED_HELD;
    else
        delay(connection, now_ms);
}

void scripted_connection_release(struct scripted_connection *connection, int64_t now_ms)
{
    delay(connection, now_ms);
}

/* Makes close() send a reset. */
static void arm_reset(int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* ANSWERING: 1: the answer is out; 0: more later; -1: the connection is over. */
static int write_answer(struct scripted_connection *connection, int64_t now_ms)
{
    connection->due_ms = INT64_MAX;
    while (connection->out_sent < connection->out_size) {
        size_t size = connection->drip_ms > 0 ? 1 : connection->out_size - connection->out_sent;
        ssize_t sent = send(connection->fd, connection->out + connection->out_sent, size, MSG_NOSIGNAL);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        connection->out_sent += (size_t)sent;
        if (connection->drip_ms > 0 && connection->out_sent < connection->out_size) {
            connection->due_ms = now_ms + connection->drip_ms;
            return 0;
        }
    }
    free(connection->out);
    connection->out = NULL;
    connection->out_size = 0;
    return 1;
}

bool scripted_connection_go_on(struct scripted_connection *connection, int64_t now_ms)
{
    int written;

    if (connection->state == SCRIPTED_DELAYED && now_ms >= connection->due_ms) {
        connection->state = SCRIPTED_ANSWERING;
        connection->due_ms = INT64_MAX;
    }
    if (connection->state != SCRIPTED_ANSWERING || connection->manner == SCRIPTED_HANG ||
        (connection->due_ms != INT64_MAX && now_ms < connection->due_ms))
        return true;
    if (connection->manner == SCRIPTED_RESET) {
        arm_reset(connection->fd);
        return false;
    }
    written = write_answer(connection, now_ms);
    if (written > 0 && connection->manner == SCRIPTED_STALL)
        return true;
    if (written > 0 && !connection->close_after)
        connection->state = SCRIPTED_READING;
    return written == 0 || (written > 0 && !connection->close_after);
}
