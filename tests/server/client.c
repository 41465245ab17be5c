/* SPDX-License-Identifier: MIT */
/* client.c: see client.h. Sockets never block; whoever has to wait polls, with a deadline. */
#include "client.h"

#include "await.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_FIRST = 1024, SENDF_MAX = 8192 };

struct client {
    int fd;
    bool ended; /* no byte will come any more */
    char *in;   /* what has come and was not taken */
    size_t in_size;
    size_t in_capacity;
};

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct client *client_start(unsigned port)
{
    struct client *client = calloc(1, sizeof *client);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    assert_non_null(client);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        fail_msg("socket: %s", strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        fail_msg("connect to port %u: %s", port, strerror(errno));
    return client;
}

int client_fd(const struct client *client)
{
    return client->fd;
}

void client_close(struct client *client)
{
    if (!client)
        return;
    close(client->fd);
    free(client->in);
    free(client);
}

void client_reset(struct client *client)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (client)
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    client_close(client);
}

/* Waits until one of `events` holds. */
static void await_events(const struct client *client, short events, int64_t deadline_ms, const char *what)
{
    for (;;) {
        struct pollfd poll_fd = {.fd = client->fd, .events = events};
        int64_t left_ms = deadline_ms - await_now_ms();

        if (left_ms <= 0)
            fail_msg("waited in vain for %s", what);
        if (poll(&poll_fd, 1, (int)left_ms) > 0)
            return;
    }
}

struct client *client_open(unsigned port)
{
    struct client *client = client_start(port);
    int error = 0;
    socklen_t size = sizeof error;

    await_events(client, POLLOUT, await_now_ms() + CLIENT_MS_MAX, "a connection");
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
        fail_msg("connect to port %u: %s", port, strerror(error));
    return client;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

size_t client_send_some(struct client *client, const char *bytes, size_t size)
{
    ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        fail_msg("send: %s", strerror(errno));
    return sent < 0 ? 0 : (size_t)sent;
}

void client_send(struct client *client, const void *bytes, size_t size)
{
    int64_t deadline_ms = await_now_ms() + CLIENT_MS_MAX;

    for (size_t sent = 0; sent < size;) {
        await_events(client, POLLOUT, deadline_ms, "room to send");
        sent += client_send_some(client, (const char *)bytes + sent, size - sent);
    }
}

void client_sendf(struct client *client, const char *format, ...)
{
    char text[SENDF_MAX];
    va_list values;
    int size;

    va_start(values, format);
    size = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    assert_in_range(size, 0, sizeof text - 1);
    client_send(client, text, (size_t)size);
}

void client_end_sending(struct client *client)
{
    assert_return_code(shutdown(client->fd, SHUT_WR), errno);
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

/* Takes what is there. A reset is an end like another: what came before it was taken. */
static void read_some(struct client *client)
{
    for (;;) {
        if (client->in_capacity - client->in_size < IN_FIRST) {
            client->in_capacity = client->in_capacity > 0 ? client->in_capacity * 2 : IN_FIRST;
            client->in = realloc(client->in, client->in_capacity);
            assert_non_null(client->in);
        }
        size_t room = client->in_capacity - client->in_size;
        ssize_t got = recv(client->fd, client->in + client->in_size, room, 0);

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            client->ended = true;
            return;
        }
        client->in_size += (size_t)got;
        if ((size_t)got < room)
            return;
    }
}

/* The first answer of what has come, if it is whole. */
static bool take_answer(struct client *client, enum answer_to to, struct answer *answer)
{
    size_t used;

    if (!answer_parse(client->in, client->in_size, client->ended, to, answer, &used))
        return false;
    client->in_size -= used;
    memmove(client->in, client->in + used, client->in_size);
    return true;
}

bool client_receive_now(struct client *client, enum answer_to to, struct answer *answer)
{
    read_some(client);
    if (take_answer(client, to, answer))
        return true;
    if (client->ended)
        fail_msg("the connection was ended after %zu bytes of an answer", client->in_size);
    return false;
}

bool client_receive(struct client *client, enum answer_to to, struct answer *answer)
{
    int64_t deadline_ms = await_now_ms() + CLIENT_MS_MAX;

    answer_fini(answer);
    while (client->in_size == 0 || !take_answer(client, to, answer)) {
        if (client->ended && client->in_size == 0)
            return false;
        if (client->ended)
            fail_msg("the connection was ended after %zu bytes of an answer", client->in_size);
        await_events(client, POLLIN, deadline_ms, "an answer");
        read_some(client);
    }
    return true;
}

void client_await_end(struct client *client)
{
    int64_t deadline_ms = await_now_ms() + CLIENT_MS_MAX;

    while (client->in_size == 0 && !client->ended) {
        await_events(client, POLLIN, deadline_ms, "the end of the connection");
        read_some(client);
    }
    if (client->in_size > 0)
        fail_msg("%zu bytes where the connection had to end: %.*s", client->in_size, (int)client->in_size, client->in);
}

void client_skip_to_end(struct client *client)
{
    int64_t deadline_ms = await_now_ms() + CLIENT_MS_MAX;

    while (!client->ended) {
        await_events(client, POLLIN, deadline_ms, "the end of the connection");
        read_some(client);
        client->in_size = 0;
    }
}

bool client_has_more(struct client *client)
{
    read_some(client);
    return client->in_size > 0 || client->ended;
}

void client_request(unsigned port, const char *method, const char *target, const char *fields, struct answer *answer)
{
    struct client *client = client_open(port);
    enum answer_to to = strcmp(method, "HEAD") == 0 ? ANSWER_TO_HEAD : ANSWER_TO_GET;

    client_sendf(client, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s\r\n", method, target, port, fields ? fields : "");
    if (!client_receive(client, to, answer))
        fail_msg("%s %s: the connection was ended without an answer", method, target);
    client_close(client);
}
