/* SPDX-License-Identifier: MIT */
/*
 * net.h: what the load generators need of sockets: a URL taken apart, descriptors enough, connections that don't block.
 *
 * May be used by: tests/bench. One thread.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stddef.h>
#include <sys/socket.h>

/* An http:// URL. `path` and `host` are owned by it: net_url_fini(). */
struct net_url {
    struct sockaddr_storage address;
    socklen_t address_size;
    char *host; /* as the Host header wants it, with its port */
    char *path; /* with the query; "/" at the least */
};

/*
 * Where connections come from. All zero: the kernel chooses. A pair of addresses has some 28,000 ports; when they have
 * run out on loopback, net_connect() goes on with 127.0.0.2, 127.0.0.3 and so on.
 */
struct net_source {
    unsigned last_octet;
};

/* Takes `text` apart and looks the host up. Returns 0, or -1 after a line on stderr. */
int net_url_parse(const char *text, struct net_url *url);
void net_url_fini(struct net_url *url);

/*
 * The bytes of a GET of that URL, with further header lines ("Name: value"), malloc'd for the caller. Returns NULL
 * after a line on stderr where a header is no header.
 */
char *net_request_create(const struct net_url *url, char *const *headers, size_t headers_count, size_t *size);

/* Lets this process have `wanted` descriptors. Returns 0, or -1 after a line on stderr that says how many it may have.
 */
int net_descriptors_raise(size_t wanted);

/* A non-blocking socket, connected or connecting. Returns -1 with errno set. */
int net_connect(const struct net_url *url, struct net_source *source);

/* What became of a connect that has ended: 0 or the errno. */
int net_connect_error(int fd);

/* A non-blocking socket that listens on 127.0.0.1; `*port` 0 takes a free one and says which. Dies with a message. */
int net_listen(unsigned *port);

#endif
