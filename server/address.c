/* SPDX-License-Identifier: MIT */
/* address.c: splits listening addresses, and answers questions about them without resolving names. */
#include "address.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static const char UNIX_PREFIX[] = "unix:";

static const char *parse_unix(const char *path, struct address *address)
{
    if (path[0] != '/')
        return "the path of a unix socket begins with /";
    size_t size = strlen(path) + 1;
    if (size > sizeof(address->path))
        return "the path of a unix socket has at most 107 bytes";
    *address = (struct address){.is_unix = true};
    memcpy(address->path, path, size);
    return NULL;
}

static const char *parse_port(const char *text, unsigned *port)
{
    size_t length = strlen(text);
    if (length == 0 || strspn(text, "0123456789") != length)
        return "the port is a number from 0 to 65535";
    unsigned value = 0;
    for (size_t i = 0; i < length; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
        if (value > 65535)
            return "the port is a number from 0 to 65535";
    }
    *port = value;
    return NULL;
}

/* Letters that the names of hosts are made of; an address of digits and dots must be a real one. */
static const char *check_host(const char *host)
{
    static const char NAME[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    struct in_addr ignored;
    if (strspn(host, NAME) != strlen(host))
        return "the host is a name, an IPv4 address, or an IPv6 address in brackets";
    if (strspn(host, "0123456789.") == strlen(host) && inet_pton(AF_INET, host, &ignored) != 1)
        return "the host is not a valid IPv4 address";
    return NULL;
}

const char *address_parse(const char *text, struct address *address)
{
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_unix(text + strlen(UNIX_PREFIX), address);

    bool bracketed = text[0] == '[';
    const char *host = bracketed ? text + 1 : text;
    const char *end = bracketed ? strchr(host, ']') : strchr(host, ':');
    const char *colon = end && bracketed ? end + 1 : end;
    if (!end || *colon != ':')
        return "a listening address is host:port, [IPv6]:port or unix:/path";
    if (end == host)
        return "the host is missing: 0.0.0.0 for every IPv4 address, [::] for every address";
    size_t host_size = (size_t)(end - host);
    if (host_size >= sizeof(address->host))
        return "the host has at most 255 bytes";
    if (!bracketed && strchr(colon + 1, ':'))
        return "an IPv6 address stands in brackets: [::1]:8080";

    struct address parsed = {.is_unix = false};
    struct in6_addr ignored;
    memcpy(parsed.host, host, host_size);
    const char *fault = parse_port(colon + 1, &parsed.port);
    if (!fault && bracketed && inet_pton(AF_INET6, parsed.host, &ignored) != 1)
        fault = "what stands in the brackets is not a valid IPv6 address";
    if (!fault && !bracketed)
        fault = check_host(parsed.host);
    if (!fault)
        *address = parsed;
    return fault;
}

bool address_is_local(const struct address *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (address->is_unix || strcasecmp(address->host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, address->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address->host, &v6) == 1 && memcmp(&v6, &in6addr_loopback, sizeof(v6)) == 0;
}

static bool is_wildcard(const char *host)
{
    struct in6_addr v6;
    if (strcmp(host, "0.0.0.0") == 0)
        return true;
    return inet_pton(AF_INET6, host, &v6) == 1 && memcmp(&v6, &in6addr_any, sizeof(v6)) == 0;
}

bool address_collides(const struct address *a, const struct address *b)
{
    if (a->is_unix || b->is_unix)
        return a->is_unix && b->is_unix && strcmp(a->path, b->path) == 0;
    if (a->port != b->port || a->port == 0)
        return false;
    return strcasecmp(a->host, b->host) == 0 || is_wildcard(a->host) || is_wildcard(b->host);
}
