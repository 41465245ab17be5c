/* SPDX-License-Identifier: MIT */
/*
 * herd: many clients that ask for the same thing at the same moment. Opens all connections first, then sends one GET on
 * each as fast as one thread can, and measures when each answer has been read to its end. All times count from the
 * moment before the first request was sent: that is when the herd came.
 *
 * Prints lines for people, and as the last line `key=value ...` for programs. Exit status: 0 if every request was
 * answered (whatever the status), 1 if not, 2 if it could not even start.
 */
#include "answer.h"
#include "measure.h"
#include "net.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 20000,
    HEADERS_MAX = 16,
    CONNECT_BURST = 64, /* between two looks at what has been connected, so that no listen queue overflows */
    SEND_BURST = 64,    /* between two looks at what has been answered */
    EVENTS = 256,
    STATUS_MAX = 600,
    READ_BYTES = 65536
};

struct caller {
    int fd;          /* -1: closed */
    bool waits;      /* its connection is made, and has no answer yet */
    int64_t done_ns; /* after the start; 0: not answered */
    struct answer answer;
};

struct herd {
    struct net_url url;
    char *request;
    size_t request_size;
    int64_t timeout_ms;
    int64_t settle_ms;
    bool on_command; /* the requests wait for a line on stdin */

    int epoll;
    struct caller *callers;
    size_t count;
    size_t connected;
    size_t open;   /* callers that wait for an answer */
    size_t errors; /* connections lost, or answers that are none */
    int64_t start_ns;
    int64_t send_ns; /* how long sending took */
};

/* What came of a herd, its times aside. */
struct outcome {
    size_t answered;
    size_t distinct; /* bodies that differ */
    size_t statuses[STATUS_MAX];
    uint64_t body_bytes_min;
    uint64_t body_bytes_max;
};

static const char usage[] =
    "usage: herd [OPTION]... URL\n"
    "Sends one GET of URL on each of many connections at once; tells when the answers came.\n"
    "  --connections N      how many, up to 20000 (default 1000)\n"
    "  --header 'K: V'      a further header line; may be given again\n"
    "  --timeout SECONDS    gives up on connecting, and again on the answers, after this (default 60)\n"
    "  --settle MS          waits between the last connection and the first request (default 200)\n"
    "  --on-command         and then for a line on its standard input\n";

static int64_t deadline_after(int64_t ms)
{
    return measure_now_ns() + ms * 1000000;
}

/* Milliseconds that epoll may sleep: rounded up, so that it doesn't spin before the deadline. */
static int ms_until(int64_t deadline_ns)
{
    int64_t left_ns = deadline_ns - measure_now_ns();

    return left_ns <= 0 ? 0 : (int)((left_ns + 999999) / 1000000);
}

static void drop_caller(struct herd *herd, struct caller *caller)
{
    close(caller->fd);
    caller->fd = -1;
    caller->waits = false;
    herd->open--;
}

static int take_connected(struct herd *herd, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(herd->epoll, events, EVENTS, wait_ms);

    for (int i = 0; i < count; i++) {
        struct caller *caller = events[i].data.ptr;
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = caller};
        int error = net_connect_error(caller->fd);

        if (error != 0) {
            fprintf(stderr, "cannot connect to %s: %s\n", herd->url.host, strerror(error));
            return -1;
        }
        if (!caller->waits) {
            caller->waits = true;
            herd->connected++;
            epoll_ctl(herd->epoll, EPOLL_CTL_MOD, caller->fd, &event);
        } else if (events[i].events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) {
            fprintf(stderr, "%s closed one of %zu connections before any request\n", herd->url.host, herd->connected);
            return -1;
        }
    }
    return 0;
}

static int connect_all(struct herd *herd)
{
    int64_t deadline_ns = deadline_after(herd->timeout_ms);
    struct net_source source = {0};

    for (size_t i = 0; i < herd->count; i++) {
        struct caller *caller = &herd->callers[i];
        struct epoll_event event = {.events = EPOLLOUT, .data.ptr = caller};

        caller->fd = net_connect(&herd->url, &source);
        if (caller->fd < 0 || epoll_ctl(herd->epoll, EPOLL_CTL_ADD, caller->fd, &event) != 0) {
            fprintf(stderr, "cannot open connection %zu to %s: %s\n", i + 1, herd->url.host, strerror(errno));
            return -1;
        }
        if (i % CONNECT_BURST == 0 && take_connected(herd, 1) != 0) {
            return -1;
        }
    }
    while (herd->connected < herd->count) {
        int wait_ms = ms_until(deadline_ns);

        if (wait_ms == 0) {
            fprintf(stderr, "%zu of %zu connections were not made in time\n", herd->count - herd->connected,
                    herd->count);
            return -1;
        }
        if (take_connected(herd, wait_ms) != 0) {
            return -1;
        }
    }
    herd->open = herd->count;
    return 0;
}

/* Lets the server finish accepting, and sees whether it keeps the connections. Says so, then waits for the word, if it
 * is to. */
static int settle(struct herd *herd)
{
    int64_t deadline_ns = deadline_after(herd->settle_ms);
    int wait_ms;

    while ((wait_ms = ms_until(deadline_ns)) > 0) {
        if (take_connected(herd, wait_ms) != 0) {
            return -1;
        }
    }
    printf("%zu connections are open; sending GET %s on all of them\n", herd->count, herd->url.path);
    fflush(stdout);
    if (herd->on_command) {
        int c;

        while ((c = getchar()) != '\n') {
            if (c == EOF) {
                fprintf(stderr, "standard input ended before the word to begin\n");
                return -1;
            }
        }
    }
    return 0;
}

static void read_caller(struct herd *herd, struct caller *caller)
{
    static char bytes[READ_BYTES];
    enum answer_progress progress = ANSWER_MORE;

    while (progress == ANSWER_MORE) {
        ssize_t size = recv(caller->fd, bytes, sizeof(bytes), 0);

        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (size < 0) {
            progress = ANSWER_BROKEN;
        } else if (size == 0) {
            progress = answer_end(&caller->answer);
        } else {
            progress = answer_feed(&caller->answer, bytes, (size_t)size);
        }
        if (size > 0 && (size_t)size < sizeof(bytes)) {
            break;
        }
    }
    if (progress == ANSWER_MORE) {
        return;
    }
    if (progress == ANSWER_DONE) {
        caller->done_ns = measure_now_ns() - herd->start_ns;
    } else {
        herd->errors++;
    }
    caller->waits = false;
    herd->open--;
    /* Level-triggered: out of the set, and closed only after the measuring. */
    epoll_ctl(herd->epoll, EPOLL_CTL_DEL, caller->fd, NULL);
}

static void take_answers(struct herd *herd, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(herd->epoll, events, EVENTS, wait_ms);

    for (int i = 0; i < count; i++) {
        struct caller *caller = events[i].data.ptr;

        if (caller->waits) {
            read_caller(herd, caller);
        }
    }
}

static void send_all(struct herd *herd)
{
    herd->start_ns = measure_now_ns();
    for (size_t i = 0; i < herd->count; i++) {
        struct caller *caller = &herd->callers[i];

        /* An empty send buffer takes a request whole; anything else is a lost connection. */
        if (!caller->waits) {
            continue;
        }
        if (send(caller->fd, herd->request, herd->request_size, MSG_NOSIGNAL) != (ssize_t)herd->request_size) {
            herd->errors++;
            drop_caller(herd, caller);
        }
        if (i % SEND_BURST == SEND_BURST - 1) {
            take_answers(herd, 0);
        }
    }
    herd->send_ns = measure_now_ns() - herd->start_ns;
}

static void run_herd(struct herd *herd)
{
    int64_t deadline_ns = deadline_after(herd->timeout_ms);
    int wait_ms;

    send_all(herd);
    while (herd->open > 0 && (wait_ms = ms_until(deadline_ns)) > 0) {
        take_answers(herd, wait_ms);
    }
}

static int compare_bodies(const void *left, const void *right)
{
    const struct answer *a = &(*(struct caller *const *)left)->answer;
    const struct answer *b = &(*(struct caller *const *)right)->answer;

    if (a->body_hash != b->body_hash) {
        return a->body_hash < b->body_hash ? -1 : 1;
    }
    return (a->body_bytes > b->body_bytes) - (a->body_bytes < b->body_bytes);
}

static size_t count_distinct(struct caller **answered, size_t count)
{
    size_t distinct = count > 0;

    qsort(answered, count, sizeof(struct caller *), compare_bodies);
    for (size_t i = 1; i < count; i++) {
        distinct += compare_bodies(&answered[i - 1], &answered[i]) != 0;
    }
    return distinct;
}

/* The shortest and the longest body; both 0 if nothing was answered. */
static void find_sizes(struct caller *const *answered, size_t count, struct outcome *outcome)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = answered[i]->answer.body_bytes;

        outcome->body_bytes_min = i == 0 || bytes < outcome->body_bytes_min ? bytes : outcome->body_bytes_min;
        outcome->body_bytes_max = bytes > outcome->body_bytes_max ? bytes : outcome->body_bytes_max;
    }
}

static void print_times(const struct herd *herd, const int64_t *times_ns, const struct outcome *outcome)
{
    const size_t answered = outcome->answered;
    const size_t *statuses = outcome->statuses;
    double first = measure_percentile_ms(times_ns, answered, 0);
    double median = measure_percentile_ms(times_ns, answered, 0.5);
    double p99 = measure_percentile_ms(times_ns, answered, 0.99);
    double last = measure_percentile_ms(times_ns, answered, 1);

    printf("sent all in %.1f ms; answered: first after %.1f ms, median %.1f ms, 99 %% %.1f ms, last %.1f ms\n",
           (double)herd->send_ns / 1e6, first, median, p99, last);
    printf("%zu answered, %zu errors, %zu timed out; distinct bodies: %zu; status:", answered, herd->errors, herd->open,
           outcome->distinct);
    for (int status = 0; status < STATUS_MAX; status++) {
        if (statuses[status] > 0) {
            printf(" %d (%zu)", status, statuses[status]);
        }
    }
    printf("\nconnections=%zu answered=%zu errors=%zu timeouts=%zu status_200=%zu", herd->count, answered, herd->errors,
           herd->open, statuses[200]);
    for (int status = 0; status < STATUS_MAX; status++) {
        if (statuses[status] > 0 && status != 200) {
            printf(" status_%d=%zu", status, statuses[status]);
        }
    }
    printf(" send_ms=%.3f first_ms=%.3f median_ms=%.3f p99_ms=%.3f last_ms=%.3f distinct_bodies=%zu body_bytes_min=%ju "
           "body_bytes_max=%ju\n",
           (double)herd->send_ns / 1e6, first, median, p99, last, outcome->distinct, outcome->body_bytes_min,
           outcome->body_bytes_max);
    fflush(stdout);
}

/* Returns the exit status. */
static int report(struct herd *herd)
{
    int64_t *times_ns = calloc(herd->count, sizeof(*times_ns));
    struct caller **callers = calloc(herd->count, sizeof(struct caller *));
    struct outcome outcome = {0};

    if (!times_ns || !callers) {
        fprintf(stderr, "no memory\n");
        free(times_ns);
        free(callers);
        return 1;
    }
    for (size_t i = 0; i < herd->count; i++) {
        struct caller *caller = &herd->callers[i];

        if (caller->done_ns > 0) {
            times_ns[outcome.answered] = caller->done_ns;
            callers[outcome.answered] = caller;
            outcome.statuses[caller->answer.status]++;
            outcome.answered++;
        }
    }
    measure_sort(times_ns, outcome.answered);
    outcome.distinct = count_distinct(callers, outcome.answered);
    find_sizes(callers, outcome.answered, &outcome);
    print_times(herd, times_ns, &outcome);
    free(times_ns);
    free(callers);
    return outcome.answered == herd->count ? 0 : 1;
}

static int create_herd(struct herd *herd, const char *url, char *const *headers, size_t headers_count)
{
    if (net_url_parse(url, &herd->url) != 0 || net_descriptors_raise(herd->count + 16) != 0) {
        return -1;
    }
    herd->request = net_request_create(&herd->url, headers, headers_count, &herd->request_size);
    if (!herd->request) {
        return -1;
    }
    herd->callers = calloc(herd->count, sizeof(*herd->callers));
    herd->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!herd->callers || herd->epoll < 0) {
        fprintf(stderr, "cannot begin: %s\n", strerror(errno));
        return -1;
    }
    for (size_t i = 0; i < herd->count; i++) {
        herd->callers[i].fd = -1;
        herd->callers[i].answer.hash_body = true;
    }
    return 0;
}

static void destroy_herd(struct herd *herd)
{
    for (size_t i = 0; herd->callers && i < herd->count; i++) {
        if (herd->callers[i].fd >= 0) {
            close(herd->callers[i].fd);
        }
        answer_fini(&herd->callers[i].answer);
    }
    free(herd->callers);
    free(herd->request);
    net_url_fini(&herd->url);
    if (herd->epoll >= 0) {
        close(herd->epoll);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"connections", required_argument, NULL, 'c'},
                                            {"header", required_argument, NULL, 'H'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"settle", required_argument, NULL, 's'},
                                            {"on-command", no_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct herd herd = {.count = 1000, .timeout_ms = 60000, .settle_ms = 200, .epoll = -1};
    char *headers[HEADERS_MAX];
    size_t headers_count = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c') {
            herd.count = (size_t)measure_option_number("--connections", optarg, 1, CONNECTIONS_MAX);
        } else if (option == 'H' && headers_count < HEADERS_MAX) {
            headers[headers_count++] = optarg;
        } else if (option == 't') {
            herd.timeout_ms = measure_option_number("--timeout", optarg, 1, 3600) * 1000;
        } else if (option == 's') {
            herd.settle_ms = measure_option_number("--settle", optarg, 0, 60000);
        } else if (option == 'o') {
            herd.on_command = true;
        } else {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (optind != argc - 1) {
        fputs(usage, stderr);
        return 2;
    }
    int status = 2;

    if (create_herd(&herd, argv[optind], headers, headers_count) == 0 && connect_all(&herd) == 0 &&
        settle(&herd) == 0) {
        run_herd(&herd);
        status = report(&herd);
    }
    destroy_herd(&herd);
    return status;
}
