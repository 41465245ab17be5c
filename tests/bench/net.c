/* SPDX-License-Identifier: MIT */
/*
 * net.c: see net.h. Addresses are looked up once, before anything is measured.
 */
#include "net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { LISTEN_BACKLOG = 4096, OCTET_LAST = 254 };

/* Splits "host:port" or "[v6]:port" in place; the port is 80 where there is none. */
static int split_authority(char *authority, char **host, const char **port)
{
    char *rest = authority;

    *host = authority;
    if (*authority == '[') {
        *host = authority + 1;
        rest = strchr(authority, ']');
        if (!rest) {
            return -1;
        }
        *rest++ = '\0';
    }
    char *colon = strchr(rest, ':');

    *port = "80";
    if (colon) {
        *colon = '\0';
        *port = colon + 1;
    }
    return **host != '\0' && **port != '\0' ? 0 : -1;
}

static int look_up(const char *host, const char *port, struct net_url *url)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int error = getaddrinfo(host, port, &hints, &found);

    if (error != 0) {
        fprintf(stderr, "cannot find %s port %s: %s\n", host, port, gai_strerror(error));
        return -1;
    }
    memcpy(&url->address, found->ai_addr, found->ai_addrlen);
    url->address_size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

int net_url_parse(const char *text, struct net_url *url)
{
    static const char scheme[] = "http://";
    const size_t scheme_size = sizeof(scheme) - 1;

    if (strncmp(text, scheme, scheme_size) != 0) {
        fprintf(stderr, "%s: the URL must begin with http://\n", text);
        return -1;
    }
    const char *start = text + scheme_size;
    size_t authority_size = strcspn(start, "/?");
    const char *path = start + authority_size;
    char *authority = strndup(start, authority_size);
    char *host;
    const char *port;
    int outcome = -1;

    *url = (struct net_url){0};
    if (!authority || strpbrk(path, " \r\n#")) {
        fprintf(stderr, "%s: no spaces, line ends or fragments in the URL's path\n", text);
        goto out;
    }
    url->host = strdup(authority);
    if (asprintf(&url->path, "%s%s", *path == '/' ? "" : "/", path) < 0) {
        url->path = NULL;
    }
    if (!url->host || !url->path) {
        fprintf(stderr, "no memory\n");
    } else if (split_authority(authority, &host, &port) != 0) {
        fprintf(stderr, "%s: after http:// comes HOST:PORT\n", text);
    } else {
        outcome = look_up(host, port, url);
    }
out:
    free(authority);
    if (outcome != 0) {
        net_url_fini(url);
    }
    return outcome;
}

void net_url_fini(struct net_url *url)
{
    free(url->host);
    free(url->path);
    *url = (struct net_url){0};
}

char *net_request_create(const struct net_url *url, char *const *headers, size_t headers_count, size_t *size)
{
    char *request = NULL;
    FILE *text = open_memstream(&request, size);

    if (!text) {
        fprintf(stderr, "no memory\n");
        return NULL;
    }
    fprintf(text, "GET %s HTTP/1.1\r\nHost: %s\r\n", url->path, url->host);
    for (size_t i = 0; i < headers_count; i++) {
        size_t name_size = strcspn(headers[i], ": \t\r\n");

        if (name_size == 0 || headers[i][name_size] != ':' || strpbrk(headers[i], "\r\n")) {
            fprintf(stderr, "%s: a header is one line, 'Name: value'\n", headers[i]);
            fclose(text);
            free(request);
            return NULL;
        }
        fprintf(text, "%s\r\n", headers[i]);
    }
    fputs("\r\n", text);
    if (fclose(text) != 0) {
        fprintf(stderr, "no memory\n");
        free(request);
        return NULL;
    }
    return request;
}

int net_descriptors_raise(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        perror("getrlimit");
        return -1;
    }
    if (limit.rlim_cur >= wanted) {
        return 0;
    }
    struct rlimit higher = {.rlim_cur = wanted, .rlim_max = limit.rlim_max < wanted ? wanted : limit.rlim_max};

    if (setrlimit(RLIMIT_NOFILE, &higher) != 0) {
        fprintf(stderr, "%zu descriptors are needed, %ju are allowed (see ulimit -Hn)\n", wanted,
                (uintmax_t)limit.rlim_max);
        return -1;
    }
    return 0;
}

static int open_socket(const struct net_url *url, unsigned last_octet)
{
    int fd = socket(url->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (last_octet != 0) {
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000U | last_octet)};

        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) != 0) {
            goto failed;
        }
    }
    if (connect(fd, (const struct sockaddr *)&url->address, url->address_size) == 0 || errno == EINPROGRESS) {
        return fd;
    }
failed:;
    int error = errno;

    close(fd);
    errno = error;
    return -1;
}

static int is_loopback(const struct net_url *url)
{
    const struct sockaddr_in *address = (const struct sockaddr_in *)&url->address;

    return address->sin_family == AF_INET && ntohl(address->sin_addr.s_addr) >> 24 == 127;
}

int net_connect(const struct net_url *url, struct net_source *source)
{
    for (;;) {
        int fd = open_socket(url, source->last_octet);

        if (fd >= 0 || errno != EADDRNOTAVAIL || !is_loopback(url) || source->last_octet >= OCTET_LAST) {
            return fd;
        }
        source->last_octet = source->last_octet == 0 ? 2 : source->last_octet + 1;
    }
}

int net_connect_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int net_listen(unsigned *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&address, size) != 0 || listen(fd, LISTEN_BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        fprintf(stderr, "cannot listen on 127.0.0.1 port %u: %s\n", *port, strerror(errno));
        exit(2);
    }
    *port = ntohs(address.sin_port);
    return fd;
}
