/* SPDX-License-Identifier: MIT */
/*
 * backend: the origin that every cache under measurement is fed from, on 127.0.0.1. One thread, keep-alive.
 *
 *   GET /delay/MS/SIZE/...   after MS milliseconds, 200 with SIZE bytes that begin with "load N of PATH" and may be
 * cached. N counts the requests of that path, so that the answers of two loads are told apart. GET /count?path=PATH how
 * often PATH has been asked for; without a path: all requests of /delay.
 *
 * A path is percent-decoded first, so that it does not matter which slashes a cache has encoded. Prints `port=N`
 * when it listens; SIGTERM and SIGINT end it.
 */
#include "measure.h"
#include "net.h"

#include <errno.h>
#include <getopt.h>
#include <search.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 16000,
    EVENTS = 256,
    REQUEST_BYTES_MAX = 8192,
    HEAD_BYTES_MAX = 512,
    BODY_BYTES_MAX = 16 << 20,
    DELAY_MS_MAX = 60000,
    PATHS_MAX = 65536
};

/* Receiving a request, then perhaps delayed, then sending: one thing at a time. */
enum client_state { CLIENT_RECEIVING, CLIENT_DELAYED, CLIENT_SENDING };

struct client {
    TAILQ_ENTRY(client) delayed; /* while CLIENT_DELAYED */
    enum client_state state;
    int fd;
    bool close_after;
    int64_t due_ns;
    char in[REQUEST_BYTES_MAX + 1];
    size_t in_size;
    char *out; /* owned; from CLIENT_DELAYED on */
    size_t out_size;
    size_t out_sent;
};

struct origin {
    int epoll;
    int timer;
    int signals;
    int listener;
    long max_age;
    size_t clients;
    uint64_t requests;
    size_t paths;
    struct hsearch_data counts;              /* path -> number of requests, in the pointer itself */
    TAILQ_HEAD(client_list, client) delayed; /* the earliest first */
};

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void watch(struct origin *origin, int fd, uint32_t events, void *owner)
{
    struct epoll_event event = {.events = events, .data.ptr = owner};

    if (epoll_ctl(origin->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void destroy_client(struct origin *origin, struct client *client)
{
    close(client->fd);
    free(client->out);
    free(client);
    origin->clients--;
}

static void arm_timer(struct origin *origin)
{
    const struct client *next = TAILQ_FIRST(&origin->delayed);
    struct itimerspec when = {0};

    if (next) {
        when.it_value = (struct timespec){next->due_ns / 1000000000, next->due_ns % 1000000000};
    }
    timerfd_settime(origin->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Delays are mostly the same, so the place is nearly always at the end. */
static void delay_client(struct origin *origin, struct client *client, long delay_ms)
{
    struct client *before = TAILQ_LAST(&origin->delayed, client_list);

    client->state = CLIENT_DELAYED;
    client->due_ns = measure_now_ns() + delay_ms * 1000000;
    while (before && before->due_ns > client->due_ns) {
        before = TAILQ_PREV(before, client_list, delayed);
    }
    if (before) {
        TAILQ_INSERT_AFTER(&origin->delayed, before, client, delayed);
        return;
    }
    TAILQ_INSERT_HEAD(&origin->delayed, client, delayed);
    arm_timer(origin);
}

/* Counts one request of the path. Returns how many there were with it; 0: there are too many paths. */
static uintptr_t count_request(struct origin *origin, const char *path)
{
    ENTRY *found;

    if (hsearch_r((ENTRY){.key = (char *)(uintptr_t)path}, FIND, &found, &origin->counts) == 0) {
        ENTRY fresh = {.key = origin->paths < PATHS_MAX ? strdup(path) : NULL};

        if (!fresh.key || hsearch_r(fresh, ENTER, &found, &origin->counts) == 0) {
            free(fresh.key);
            return 0;
        }
        origin->paths++;
    }
    uintptr_t count = (uintptr_t)found->data + 1;

    found->data = (void *)count;
    origin->requests++;
    return count;
}

static uintptr_t count_of(struct origin *origin, const char *path)
{
    ENTRY *found;

    return hsearch_r((ENTRY){.key = (char *)(uintptr_t)path}, FIND, &found, &origin->counts) == 0
               ? 0
               : (uintptr_t)found->data;
}

/* Makes the answer; the body begins with `text` and is filled or cut to `size` bytes. */
static void answer_client(struct client *client, const char *status, long max_age, const char *text, size_t size)
{
    char head[HEAD_BYTES_MAX];
    int head_size =
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nCache-Control: max-age=%ld\r\n"
                 "Connection: %s\r\n\r\n",
                 status, size, max_age, client->close_after ? "close" : "keep-alive");
    size_t text_size = strlen(text) < size ? strlen(text) : size;

    client->state = CLIENT_SENDING;
    client->out_sent = 0;
    client->out_size = (size_t)head_size + size;
    client->out = malloc(client->out_size);
    if (!client->out) {
        die("malloc");
    }
    memcpy(client->out, head, (size_t)head_size);
    memset(client->out + head_size, '.', size);
    memcpy(client->out + head_size, text, text_size);
}

static void refuse(struct client *client, const char *status)
{
    client->close_after = true;
    answer_client(client, status, 0, status, strlen(status));
}

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | (c >= 'A' ? 0x20 : 0)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* In place. Returns false where an escape is none, or hides a NUL. */
static bool percent_decode(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = hex_value(from[1]);
        int low = high < 0 ? -1 : hex_value(from[2]);

        if (low < 0 || (high == 0 && low == 0)) {
            return false;
        }
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

/* Takes "N/" off `*path`, if that is what it begins with. */
static bool take_number(const char **path, unsigned long max, unsigned long *number)
{
    char *end;

    if (**path < '0' || **path > '9') {
        return false;
    }
    *number = strtoul(*path, &end, 10);
    *path = end + 1;
    return *end == '/' && *number <= max;
}

static bool parse_delay(const char *path, unsigned long *delay_ms, unsigned long *size)
{
    static const char prefix[] = "/delay/";

    if (strncmp(path, prefix, sizeof(prefix) - 1) != 0) {
        return false;
    }
    path += sizeof(prefix) - 1;
    return take_number(&path, DELAY_MS_MAX, delay_ms) && take_number(&path, BODY_BYTES_MAX, size);
}

static void serve_path(struct origin *origin, struct client *client, char *path)
{
    static const char count_prefix[] = "/count?path=";
    char text[REQUEST_BYTES_MAX + 64];
    unsigned long delay_ms;
    unsigned long size;

    if (!percent_decode(path)) {
        refuse(client, "400 Bad Request");
    } else if (strcmp(path, "/count") == 0 || strncmp(path, count_prefix, sizeof(count_prefix) - 1) == 0) {
        bool all = path[sizeof("/count") - 1] == '\0';

        snprintf(text, sizeof(text), "%ju\n",
                 all ? (uintmax_t)origin->requests : (uintmax_t)count_of(origin, path + sizeof(count_prefix) - 1));
        answer_client(client, "200 OK", 0, text, strlen(text));
    } else if (!parse_delay(path, &delay_ms, &size)) {
        refuse(client, "404 Not Found");
    } else {
        uintptr_t count = count_request(origin, path);

        if (count == 0) {
            refuse(client, "503 Service Unavailable");
            return;
        }
        snprintf(text, sizeof(text), "load %ju of %s\n", (uintmax_t)count, path);
        answer_client(client, "200 OK", origin->max_age, text, size);
        if (delay_ms > 0) {
            delay_client(origin, client, (long)delay_ms);
        }
    }
}

/* Takes one request from what was received, if one is whole. Returns whether there was one. */
static bool take_request(struct origin *origin, struct client *client)
{
    client->in[client->in_size] = '\0';
    char *end = memmem(client->in, client->in_size, "\r\n\r\n", 4);

    if (!end && client->in_size == REQUEST_BYTES_MAX) {
        client->in_size = 0;
        refuse(client, "431 Request Header Fields Too Large");
        return true;
    }
    if (!end) {
        return false;
    }
    size_t size = (size_t)(end - client->in) + 4;
    char *path = client->in + sizeof("GET ") - 1;
    char *path_end = strchr(client->in, '\r');

    end[2] = '\0';
    client->close_after = strcasestr(client->in, "\r\nConnection: close") != NULL;
    *path_end = '\0';
    char *version = strrchr(client->in, ' ');

    if (strncmp(client->in, "GET /", 5) != 0 || version < path || strncmp(version, " HTTP/1.", 8) != 0) {
        refuse(client, "400 Bad Request");
    } else {
        client->close_after |= version[8] == '0';
        *version = '\0';
        serve_path(origin, client, path);
    }
    client->in_size -= size;
    memmove(client->in, client->in + size, client->in_size);
    return true;
}

/* Returns false when the peer is gone. */
static bool send_out(struct client *client)
{
    ssize_t size = send(client->fd, client->out + client->out_sent, client->out_size - client->out_sent, MSG_NOSIGNAL);

    if (size < 0) {
        return errno == EAGAIN;
    }
    client->out_sent += (size_t)size;
    if (client->out_sent < client->out_size) {
        return true;
    }
    free(client->out);
    client->out = NULL;
    client->state = CLIENT_RECEIVING;
    return !client->close_after;
}

/* Goes on as far as it goes: the socket is edge-triggered. Frees the client when its connection has ended. */
static void advance_client(struct origin *origin, struct client *client)
{
    for (;;) {
        if (client->state == CLIENT_DELAYED) {
            return;
        }
        if (client->state == CLIENT_SENDING) {
            size_t before = client->out_sent;

            if (!send_out(client)) {
                destroy_client(origin, client);
                return;
            }
            if (client->state == CLIENT_SENDING && client->out_sent == before) {
                return;
            }
            continue;
        }
        if (client->in_size > 0 && take_request(origin, client)) {
            continue;
        }
        ssize_t size = recv(client->fd, client->in + client->in_size, REQUEST_BYTES_MAX - client->in_size, 0);

        if (size < 0 && errno == EAGAIN) {
            return;
        }
        if (size <= 0) {
            destroy_client(origin, client);
            return;
        }
        client->in_size += (size_t)size;
    }
}

static void accept_clients(struct origin *origin)
{
    int fd;

    while ((fd = accept4(origin->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *client = origin->clients < CONNECTIONS_MAX ? calloc(1, sizeof(*client)) : NULL;

        if (!client) {
            close(fd);
            continue;
        }
        client->fd = fd;
        origin->clients++;
        watch(origin, fd, EPOLLIN | EPOLLOUT | EPOLLET, client);
    }
}

static void release_due(struct origin *origin)
{
    int64_t now_ns = measure_now_ns();
    uint64_t expirations;
    struct client *client;

    if (read(origin->timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN) {
        die("timerfd");
    }
    while ((client = TAILQ_FIRST(&origin->delayed)) && client->due_ns <= now_ns) {
        TAILQ_REMOVE(&origin->delayed, client, delayed);
        client->state = CLIENT_SENDING;
        advance_client(origin, client);
    }
    arm_timer(origin);
}

static void run_origin(struct origin *origin)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        int count = epoll_wait(origin->epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            void *owner = events[i].data.ptr;

            if (owner == &origin->signals) {
                return;
            }
            if (owner == &origin->listener) {
                accept_clients(origin);
            } else if (owner == &origin->timer) {
                release_due(origin);
            } else {
                advance_client(origin, owner);
            }
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'}, {"max-age", required_argument, NULL, 'a'}, {0}};
    struct origin origin = {.max_age = 3600};
    unsigned port = 0;
    sigset_t ends;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') {
            port = (unsigned)measure_option_number("--port", optarg, 0, 65535);
        } else if (option == 'a') {
            origin.max_age = measure_option_number("--max-age", optarg, 0, 1000000000);
        } else {
            fprintf(stderr, "usage: backend [--port N] [--max-age SECONDS]\n");
            return 2;
        }
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if (net_descriptors_raise(CONNECTIONS_MAX + 64) != 0 || hcreate_r(PATHS_MAX * 5 / 4, &origin.counts) == 0) {
        return 2;
    }
    TAILQ_INIT(&origin.delayed);
    origin.listener = net_listen(&port);
    origin.epoll = epoll_create1(EPOLL_CLOEXEC);
    origin.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    origin.signals = signalfd(-1, &ends, SFD_CLOEXEC);
    watch(&origin, origin.listener, EPOLLIN, &origin.listener);
    watch(&origin, origin.timer, EPOLLIN, &origin.timer);
    watch(&origin, origin.signals, EPOLLIN, &origin.signals);
    printf("port=%u\n", port);
    fflush(stdout);
    run_origin(&origin);
    return 0;
}
