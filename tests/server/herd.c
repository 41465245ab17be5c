/* SPDX-License-Identifier: MIT */
/* herd.c: see herd.h. */
#include "herd.h"

#include "await.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Connections that are being opened at once: far fewer than the server's backlog, over which the kernel drops them. */
enum { OPENING_MAX = 256, EVENTS = 256 };

struct member {
    struct client *client;
    size_t sent;
    struct answer answer;
};

struct herd {
    int epoll_fd;
    size_t count;
    struct member *members;
};

static void watch(struct herd *herd, int operation, struct member *member, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = member};

    if (epoll_ctl(herd->epoll_fd, operation, client_fd(member->client), &event) != 0)
        fail_msg("epoll_ctl: %s", strerror(errno));
}

/* Waits for events of some members, until the deadline of the whole. */
static size_t await_members(struct herd *herd, struct epoll_event *events, int64_t deadline_ms, const char *what)
{
    for (;;) {
        int64_t left_ms = deadline_ms - await_now_ms();
        int count;

        if (left_ms <= 0)
            fail_msg("waited in vain for %s", what);
        count = epoll_wait(herd->epoll_fd, events, EVENTS, (int)left_ms);
        if (count > 0)
            return (size_t)count;
    }
}

/* Opens connections until OPENING_MAX have not sent yet. */
static size_t open_more(struct herd *herd, unsigned port, size_t opened, size_t sent)
{
    for (; opened < herd->count && opened - sent < OPENING_MAX; opened++) {
        herd->members[opened].client = client_start(port);
        watch(herd, EPOLL_CTL_ADD, &herd->members[opened], EPOLLOUT);
    }
    return opened;
}

/* True: all of the request is out now. */
static bool send_more(struct herd *herd, struct member *member, const char *request, size_t request_size)
{
    if (member->sent == request_size)
        return false; /* the connection was ended; herd_receive() will tell */
    member->sent += client_send_some(member->client, request + member->sent, request_size - member->sent);
    if (member->sent < request_size)
        return false;
    watch(herd, EPOLL_CTL_MOD, member, 0);
    return true;
}

struct herd *herd_send(unsigned port, size_t count, const char *request)
{
    struct herd *herd = calloc(1, sizeof *herd);
    int64_t deadline_ms = await_now_ms() + CLIENT_MS_MAX;
    size_t opened = 0;

    assert_non_null(herd);
    herd->members = calloc(count, sizeof *herd->members);
    assert_non_null(herd->members);
    herd->count = count;
    herd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    assert_return_code(herd->epoll_fd, errno);
    for (size_t sent = 0; sent < count;) {
        struct epoll_event events[EVENTS];

        opened = open_more(herd, port, opened, sent);
        for (size_t i = await_members(herd, events, deadline_ms, "requests to be sent"); i-- > 0;)
            sent += send_more(herd, events[i].data.ptr, request, strlen(request));
    }
    return herd;
}

void herd_close(struct herd *herd)
{
    if (!herd)
        return;
    for (size_t i = 0; i < herd->count; i++) {
        client_reset(herd->members[i].client); /* thousands of closed ones would use up the ports */
        answer_fini(&herd->members[i].answer);
    }
    close(herd->epoll_fd);
    free(herd->members);
    free(herd);
}

/* True: the member has its answer now. */
static bool receive_more(struct herd *herd, struct member *member)
{
    if (!client_receive_now(member->client, ANSWER_TO_GET, &member->answer))
        return false;
    if (epoll_ctl(herd->epoll_fd, EPOLL_CTL_DEL, client_fd(member->client), NULL) != 0)
        fail_msg("epoll_ctl: %s", strerror(errno));
    return true;
}

void herd_receive(struct herd *herd)
{
    int64_t deadline_ms = await_now_ms() + CLIENT_MS_MAX;

    for (size_t i = 0; i < herd->count; i++)
        watch(herd, EPOLL_CTL_MOD, &herd->members[i], EPOLLIN);
    for (size_t answered = 0; answered < herd->count;) {
        struct epoll_event events[EVENTS];

        for (size_t i = await_members(herd, events, deadline_ms, "all answers"); i-- > 0;)
            answered += receive_more(herd, events[i].data.ptr);
    }
}

const struct answer *herd_answer(const struct herd *herd, size_t number)
{
    return &herd->members[number].answer;
}

static bool is_wanted(const char *given, const char *wanted)
{
    return !wanted || (given && strcmp(given, wanted) == 0);
}

size_t herd_count(const struct herd *herd, int status, const char *body, const char *cache_status)
{
    size_t count = 0;

    for (size_t i = 0; i < herd->count; i++) {
        const struct answer *answer = &herd->members[i].answer;

        count += (status == 0 || answer->status == status) && is_wanted(answer->body, body) &&
                 is_wanted(answer_field(answer, "Cache-Status"), cache_status);
    }
    return count;
}
