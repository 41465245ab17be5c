/* SPDX-License-Identifier: MIT */
/*
 * floor: the least that an answer from libmicrohttpd costs: one prepared response, no cache, no key, no lookup. What
 * sluiced takes over this is its own doing. Listens on 127.0.0.1 and prints `port=N`; SIGTERM and SIGINT end it.
 */
#include "measure.h"
#include "net.h"

#include <getopt.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 12000, BODY_BYTES_MAX = 16 << 20 };

/* Answering in the first call would make the daemon close the connection; the second call answers. */
static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload_data, size_t *upload_data_size, void **request)
{
    (void)url;
    (void)method;
    (void)version;
    (void)upload_data;
    (void)upload_data_size;
    if (!*request) {
        *request = cls;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

/* The headers that every answer of sluiced has. */
static struct MHD_Response *create_response(size_t size)
{
    static const char *const headers[][2] = {{"Content-Type", "text/plain"},
                                             {"X-Content-Type-Options", "nosniff"},
                                             {"ETag", "\"0123456789abcdef0123456789abcdef\""},
                                             {"Age", "0"},
                                             {"Cache-Control", "max-age=3600"},
                                             {"Cache-Status", "sluice; hit; ttl=3600"}};
    char *body = malloc(size > 0 ? size : 1);

    if (!body) {
        return NULL;
    }
    memset(body, '.', size);
    struct MHD_Response *response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);

    for (size_t i = 0; response && i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (MHD_add_response_header(response, headers[i][0], headers[i][1]) != MHD_YES) {
            MHD_destroy_response(response);
            return NULL;
        }
    }
    return response;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"size", required_argument, NULL, 's'},
                                            {"workers", required_argument, NULL, 'w'},
                                            {"version", no_argument, NULL, 'v'},
                                            {0}};
    unsigned port = 0;
    size_t size = 128;
    unsigned workers = 2;
    sigset_t ends;
    int option;
    int ended_by;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') {
            port = (unsigned)measure_option_number("--port", optarg, 0, 65535);
        } else if (option == 's') {
            size = (size_t)measure_option_number("--size", optarg, 0, BODY_BYTES_MAX);
        } else if (option == 'w') {
            workers = (unsigned)measure_option_number("--workers", optarg, 2, 64);
        } else if (option == 'v') {
            printf("libmicrohttpd %s\n", MHD_get_version());
            return 0;
        } else {
            fprintf(stderr, "usage: floor [--port N] [--size BYTES] [--workers N] [--version]\n");
            return 2;
        }
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if (net_descriptors_raise(CONNECTIONS_MAX + 64) != 0) {
        return 2;
    }
    int listener = net_listen(&port);
    struct MHD_Response *response = create_response(size);
    struct MHD_Daemon *daemon =
        response
            ? MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, response, MHD_OPTION_LISTEN_SOCKET,
                               listener, MHD_OPTION_THREAD_POOL_SIZE, workers, MHD_OPTION_CONNECTION_LIMIT,
                               (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 60U, MHD_OPTION_END)
            : NULL;

    if (!daemon) {
        fprintf(stderr, "libmicrohttpd did not start\n");
        return 2;
    }
    printf("port=%u\n", port);
    fflush(stdout);
    sigwait(&ends, &ended_by);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return 0;
}
