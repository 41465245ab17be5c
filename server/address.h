/* SPDX-License-Identifier: MIT */
/*
 * address.h: what a listening address in the configuration says: "host:port", "[v6]:port" or "unix:/path".
 *
 * May be used by: the server's files. Resolves and opens nothing; any thread.
 */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <stdbool.h>

#define ADDRESS_HOST_BYTES_MAX 256 /* with the NUL */
#define ADDRESS_PATH_BYTES_MAX 108 /* with the NUL: struct sockaddr_un has no more */

struct address {
    bool is_unix;
    char host[ADDRESS_HOST_BYTES_MAX]; /* a name or a numeric address, without brackets; "" for unix */
    unsigned port;                     /* 0: the system chooses one */
    char path[ADDRESS_PATH_BYTES_MAX]; /* unix: absolute; "" else */
};

/* Reads `text` into `*address`. Returns NULL, or what is wrong with it, in words (static); then `*address` is
 * untouched. */
const char *address_parse(const char *text, struct address *address);

/* Whether only this machine can connect to it: 127.0.0.0/8, ::1, "localhost" or a unix socket. */
bool address_is_local(const struct address *address);

/* Whether both could not be listened on at once: the same path, or the same port with the same or a wildcard host. */
bool address_collides(const struct address *a, const struct address *b);

#endif
