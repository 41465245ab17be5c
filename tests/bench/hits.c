/* SPDX-License-Identifier: MIT */
/*
 * hits: a closed loop over keep-alive connections: each sends its next GET of the same URL when its answer has been
 * read. One thread and one system call each way, so that it takes little from a server on the same processors.
 *
 * Prints a line for people, and as the last line `key=value ...` for programs. `requests` is every request that was
 * answered, so that a server's CPU over the run can be divided by it. Exit status: 0 if all went well, 1 if an answer
 * was not 200, had another size than the first or did not come, 2 if it could not start.
 */
#include "answer.h"
#include "measure.h"
#include "net.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 1024,
    HEADERS_MAX = 16,
    EVENTS = 256,
    READ_BYTES = 262144,
    CONNECT_MS = 10000,
    STALL_MS = 10000
};

struct connection {
    int fd;
    int64_t sent_ns; /* 0: nothing is on its way */
    struct answer answer;
};

struct load {
    struct net_url url;
    char *request;
    size_t request_size;
    struct connection *connections;
    size_t count;
    int epoll;
    int64_t seconds;
    uint64_t requests_max; /* 0: as many as go into `seconds` */

    uint64_t sent;
    uint64_t answered;
    uint64_t errors;
    uint64_t not_200;
    uint64_t body_bytes; /* of the first answer */
    uint64_t other_size;
    size_t busy; /* connections with a request on its way */
    int64_t start_ns;
    int64_t end_ns; /* after it nothing is sent */
    struct measure_histogram times;
};

static const char usage[] = "usage: hits [OPTION]... URL\n"
                            "Sends GETs of URL over keep-alive connections, each its next one when it has its answer.\n"
                            "  --connections N   how many, up to 1024 (default 64)\n"
                            "  --seconds N       how long (default 5)\n"
                            "  --requests N      or how many requests; --seconds is then the most it may take\n"
                            "  --header 'K: V'   a further header line; may be given again\n";

static bool may_send(const struct load *load, int64_t now_ns)
{
    return now_ns < load->end_ns && (load->requests_max == 0 || load->sent < load->requests_max);
}

static void send_next(struct load *load, struct connection *connection, int64_t now_ns)
{
    ssize_t size = send(connection->fd, load->request, load->request_size, MSG_NOSIGNAL);

    if (size != (ssize_t)load->request_size) {
        load->errors++;
        return;
    }
    connection->sent_ns = now_ns;
    load->sent++;
    load->busy++;
}

static void take_answer(struct load *load, struct connection *connection)
{
    struct answer *answer = &connection->answer;
    int64_t now_ns = measure_now_ns();

    if (load->answered == 0) {
        load->body_bytes = answer->body_bytes;
    }
    load->answered++;
    load->not_200 += answer->status != 200;
    load->other_size += answer->body_bytes != load->body_bytes;
    measure_histogram_add(&load->times, now_ns - connection->sent_ns);
    connection->sent_ns = 0;
    load->busy--;
    answer_reset(answer);
    if (may_send(load, now_ns)) {
        send_next(load, connection, now_ns);
    }
}

/* Edge-triggered: reads until less came than there was room for. */
static void read_connection(struct load *load, struct connection *connection)
{
    static char bytes[READ_BYTES];

    for (;;) {
        ssize_t size = recv(connection->fd, bytes, sizeof(bytes), 0);

        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        enum answer_progress progress = size > 0 && connection->sent_ns != 0
                                            ? answer_feed(&connection->answer, bytes, (size_t)size)
                                            : ANSWER_BROKEN;

        if (progress == ANSWER_DONE) {
            take_answer(load, connection);
        } else if (progress == ANSWER_BROKEN) {
            load->errors++;
            load->busy -= connection->sent_ns != 0;
            connection->sent_ns = 0;
            epoll_ctl(load->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
            return;
        }
        if ((size_t)size < sizeof(bytes)) {
            return;
        }
    }
}

static void run_load(struct load *load)
{
    struct epoll_event events[EVENTS];

    load->start_ns = measure_now_ns();
    load->end_ns = load->start_ns + load->seconds * 1000000000;
    for (size_t i = 0; i < load->count && may_send(load, load->start_ns); i++) {
        send_next(load, &load->connections[i], measure_now_ns());
    }
    while (load->busy > 0) {
        int count = epoll_wait(load->epoll, events, EVENTS, STALL_MS);

        if (count == 0) {
            fprintf(stderr, "no answer for %d ms; %zu requests are on their way\n", STALL_MS, load->busy);
            load->errors += load->busy;
            break;
        }
        for (int i = 0; i < count; i++) {
            read_connection(load, events[i].data.ptr);
        }
    }
    load->end_ns = measure_now_ns();
}

static int open_connection(struct load *load, struct connection *connection)
{
    struct net_source source = {0};
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = connection};

    connection->fd = net_connect(&load->url, &source);
    if (connection->fd < 0) {
        return -1;
    }
    struct pollfd ready = {.fd = connection->fd, .events = POLLOUT};

    if (poll(&ready, 1, CONNECT_MS) != 1) {
        errno = ETIMEDOUT;
        return -1;
    }
    errno = net_connect_error(connection->fd);
    return errno == 0 ? epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) : -1;
}

static int create_load(struct load *load, const char *url, char *const *headers, size_t headers_count)
{
    if (net_url_parse(url, &load->url) != 0) {
        return -1;
    }
    load->request = net_request_create(&load->url, headers, headers_count, &load->request_size);
    if (!load->request) {
        return -1;
    }
    load->connections = calloc(load->count, sizeof(*load->connections));
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load->connections || load->epoll < 0) {
        fprintf(stderr, "cannot begin: %s\n", strerror(errno));
        return -1;
    }
    for (size_t i = 0; i < load->count; i++) {
        load->connections[i].fd = -1;
    }
    for (size_t i = 0; i < load->count; i++) {
        if (open_connection(load, &load->connections[i]) != 0) {
            fprintf(stderr, "cannot connect to %s: %s\n", load->url.host, strerror(errno));
            return -1;
        }
    }
    return 0;
}

static void destroy_load(struct load *load)
{
    for (size_t i = 0; load->connections && i < load->count; i++) {
        if (load->connections[i].fd >= 0) {
            close(load->connections[i].fd);
        }
        answer_fini(&load->connections[i].answer);
    }
    free(load->connections);
    free(load->request);
    net_url_fini(&load->url);
    if (load->epoll >= 0) {
        close(load->epoll);
    }
}

/* User and system time of this process, for the sake of knowing what the measuring itself took. */
static double own_cpu_us(void)
{
    struct rusage usage_now;

    getrusage(RUSAGE_SELF, &usage_now);
    return (double)(usage_now.ru_utime.tv_sec + usage_now.ru_stime.tv_sec) * 1e6 +
           (double)(usage_now.ru_utime.tv_usec + usage_now.ru_stime.tv_usec);
}

/* Returns the exit status. */
static int report(const struct load *load, double cpu_us)
{
    double seconds = (double)(load->end_ns - load->start_ns) / 1e9;
    double rate = (double)load->answered / seconds;
    double median_us = measure_histogram_percentile_us(&load->times, 0.5);
    double p99_us = measure_histogram_percentile_us(&load->times, 0.99);
    double client_us = load->answered > 0 ? cpu_us / (double)load->answered : 0;

    printf("%.0f requests/s over %zu connections for %.2f s; median %.0f us, 99 %% %.0f us; errors %ju, not 200: %ju, "
           "other "
           "size: %ju; the client's own CPU: %.2f us a request\n",
           rate, load->count, seconds, median_us, p99_us, load->errors, load->not_200, load->other_size, client_us);
    printf("connections=%zu seconds=%.3f requests=%ju requests_per_s=%.0f median_us=%.1f p99_us=%.1f errors=%ju "
           "not_200=%ju "
           "other_size=%ju body_bytes=%ju client_cpu_us=%.3f\n",
           load->count, seconds, load->answered, rate, median_us, p99_us, load->errors, load->not_200, load->other_size,
           load->body_bytes, client_us);
    return load->answered > 0 && load->errors + load->not_200 + load->other_size == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"connections", required_argument, NULL, 'c'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"requests", required_argument, NULL, 'r'},
                                            {"header", required_argument, NULL, 'H'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct load load = {.count = 64, .seconds = 5, .epoll = -1};
    char *headers[HEADERS_MAX];
    size_t headers_count = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c') {
            load.count = (size_t)measure_option_number("--connections", optarg, 1, CONNECTIONS_MAX);
        } else if (option == 's') {
            load.seconds = measure_option_number("--seconds", optarg, 1, 3600);
        } else if (option == 'r') {
            load.requests_max = (uint64_t)measure_option_number("--requests", optarg, 1, 1000000000);
        } else if (option == 'H' && headers_count < HEADERS_MAX) {
            headers[headers_count++] = optarg;
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

    if (create_load(&load, argv[optind], headers, headers_count) == 0) {
        double before_us = own_cpu_us();

        run_load(&load);
        status = report(&load, own_cpu_us() - before_us);
    }
    destroy_load(&load);
    return status;
}
