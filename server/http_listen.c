/* SPDX-License-Identifier: MIT */
/*
 * http_listen.c: listening sockets: "host:port", "[v6]:port", "unix:/path".
 *
 * May be used by: http*.c. A Unix socket file that nobody listens on any more (its server died) is replaced; one that
 * somebody listens on, or a file of another kind, is not. At the end only the file that we made is removed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "http_private.h"

#define LISTEN_BACKLOG 4096 /* the kernel cuts it at net.core.somaxconn */

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_UNIX)
        return true;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}

bool http_listener_is_local(const struct http_listener *listener)
{
    return is_loopback(&listener->address);
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static void resolve_unix(struct http_listener *listener, const struct address *parsed)
{
    struct sockaddr_un *address = (struct sockaddr_un *)(void *)&listener->address;
    address->sun_family = AF_UNIX;
    size_t size = strlen(parsed->path) + 1;
    memcpy(address->sun_path, parsed->path, size);
    listener->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

/* Of a name with several addresses the first. */
static int resolve_inet(struct http_listener *listener, const struct address *parsed)
{
    char port[8];
    snprintf(port, sizeof port, "%u", parsed->port);
    struct addrinfo wanted = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int error = getaddrinfo(parsed->host, port, &wanted, &found);
    if (error != 0)
        return error;
    memcpy(&listener->address, found->ai_addr, found->ai_addrlen);
    listener->address_size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static bool resolve(struct http_listener *listener, const char *text, struct http_fault *fault)
{
    struct address parsed;
    const char *wrong = address_parse(text, &parsed);
    if (wrong)
        return http_fault_set(fault, "cannot listen on %s: %s", text, wrong);
    if (parsed.is_unix) {
        resolve_unix(listener, &parsed);
        return true;
    }
    int error = resolve_inet(listener, &parsed);
    return error == 0 || http_fault_set(fault, "cannot listen on %s: %s", text, gai_strerror(error));
}

/* ---- sockets ----------------------------------------------------------------------------------------------------- */

/* Whether the path is a socket on which nobody listens: its server is gone without having removed it. */
static bool is_stale_socket(const struct http_listener *listener)
{
    const struct sockaddr_un *address = (const struct sockaddr_un *)(const void *)&listener->address;
    struct stat status;
    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, (const struct sockaddr *)address, listener->address_size) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int bind_socket(struct http_listener *listener)
{
    if (bind(listener->fd, (struct sockaddr *)&listener->address, listener->address_size) == 0)
        return 0;
    if (errno != EADDRINUSE || listener->address.ss_family != AF_UNIX)
        return -1;
    const struct sockaddr_un *address = (const struct sockaddr_un *)(const void *)&listener->address;
    if (!is_stale_socket(listener) || unlink(address->sun_path) != 0) {
        errno = EADDRINUSE;
        return -1;
    }
    return bind(listener->fd, (struct sockaddr *)&listener->address, listener->address_size);
}

static int open_socket(struct http_listener *listener)
{
    const int on = 1;
    listener->fd = socket(listener->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return -1;
    if (listener->address.ss_family != AF_UNIX &&
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        goto fail;
    if (bind_socket(listener) != 0 || listen(listener->fd, LISTEN_BACKLOG) != 0)
        goto fail;
    return 0;
fail:;
    int cause = errno;
    close(listener->fd);
    listener->fd = -1;
    errno = cause;
    return -1;
}

/* The address as it is now, with the port that the kernel chose for port 0. */
static void name_listener(struct http_listener *listener)
{
    if (listener->address.ss_family == AF_UNIX) {
        const struct sockaddr_un *address = (const struct sockaddr_un *)(const void *)&listener->address;
        struct stat status;
        if (lstat(address->sun_path, &status) == 0) {
            listener->unix_device = status.st_dev;
            listener->unix_inode = status.st_ino;
            listener->unix_bound = true;
        }
        snprintf(listener->name, sizeof listener->name, "unix:%s", address->sun_path);
        return;
    }
    char host[INET6_ADDRSTRLEN + 1 + 32] = "?"; /* room for a scope */
    char port[8] = "?";
    listener->address_size = sizeof listener->address;
    getsockname(listener->fd, (struct sockaddr *)&listener->address, &listener->address_size);
    getnameinfo((struct sockaddr *)&listener->address, listener->address_size, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    const char *form = listener->address.ss_family == AF_INET6 ? "[" : "";
    snprintf(listener->name, sizeof listener->name, "%s%s%s:%s", form, host, *form ? "]" : "", port);
}

bool http_listener_open(struct http_listener *listener, const char *address, bool local_only, struct http_fault *fault)
{
    memset(listener, 0, sizeof *listener);
    listener->fd = -1;
    if (!resolve(listener, address, fault))
        return false;
    if (local_only && !is_loopback(&listener->address))
        return http_fault_set(fault, "will not listen on %s: other machines could reach it", address);
    if (open_socket(listener) != 0) {
        char cause[64];
        return http_fault_set(fault, "cannot listen on %s: %s", address, strerror_r(errno, cause, sizeof cause));
    }
    name_listener(listener);
    return true;
}

void http_listener_close(struct http_listener *listener)
{
    if (listener->fd < 0)
        return;
    if (listener->unix_bound) {
        const struct sockaddr_un *address = (const struct sockaddr_un *)(const void *)&listener->address;
        struct stat status;
        if (lstat(address->sun_path, &status) == 0 && status.st_dev == listener->unix_device &&
            status.st_ino == listener->unix_inode)
            unlink(address->sun_path);
    }
    close(listener->fd);
    listener->fd = -1;
}
