/* SPDX-License-Identifier: MIT */
/* guard.c: the bearer token, and requests that browsers could be tricked into. See guard.h. */
#include "guard.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define TOKEN_BYTES_MAX 1024

__attribute__((format(printf, 2, 3))) static bool fault_set(struct guard_fault *fault, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(fault->text, sizeof fault->text, format, values);
    va_end(values);
    return false;
}

static bool fault_errno(struct guard_fault *fault, const char *path)
{
    char cause[64];
    return fault_set(fault, "cannot read the token file %.160s: %s", path, strerror_r(errno, cause, sizeof cause));
}

/* Cuts white space off the end, and looks at what is left: visible ASCII, as a header can carry it. */
static bool check_token(struct guard *guard, const char *path, struct guard_fault *fault)
{
    while (guard->token_size > 0 && isspace((unsigned char)guard->token[guard->token_size - 1]))
        guard->token_size--;
    guard->token[guard->token_size] = '\0';
    if (guard->token_size == 0)
        return fault_set(fault, "the token file %.160s is empty", path);
    for (size_t i = 0; i < guard->token_size; i++)
        if (guard->token[i] <= ' ' || guard->token[i] > '~')
            return fault_set(fault,
                             "the token file %.160s: byte %zu is not a visible ASCII character; a token is one word",
                             path, i);
    return true;
}

bool guard_init(struct guard *guard, const char *path, bool *exposed, struct guard_fault *fault)
{
    *guard = (struct guard){.browsers = true};
    *exposed = false;
    if (!path)
        return true;
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_errno(fault, path);
    char text[TOKEN_BYTES_MAX + 1];
    guard->token_size = fread(text, 1, sizeof text, file);
    struct stat status;
    bool readable = !ferror(file) && fstat(fileno(file), &status) == 0;
    if (!readable)
        fault_errno(fault, path);
    fclose(file);
    if (!readable)
        return false;
    if (guard->token_size > TOKEN_BYTES_MAX)
        return fault_set(fault, "the token file %.160s is larger than %d bytes", path, TOKEN_BYTES_MAX);
    *exposed = S_ISREG(status.st_mode) && (status.st_mode & S_IROTH);
    guard->token = malloc(guard->token_size + 1);
    if (!guard->token)
        return fault_set(fault, "out of memory");
    memcpy(guard->token, text, guard->token_size);
    if (check_token(guard, path, fault))
        return true;
    guard_fini(guard);
    return false;
}

void guard_fini(struct guard *guard)
{
    free(guard->token);
    *guard = (struct guard){.token = NULL};
}

enum guard_token guard_token_check(const struct guard *guard, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return GUARD_TOKEN_MISSING;
    const char *given = authorization + sizeof scheme - 1;
    given += strspn(given, " ");
    size_t given_size = strlen(given);
    if (given_size == 0)
        return GUARD_TOKEN_MISSING;
    /* Every byte that was given is looked at, whatever the token is: the time tells its own length alone. */
    volatile unsigned char different = given_size != guard->token_size;
    for (size_t i = 0; i < given_size; i++)
        different = (unsigned char)(different | (given[i] ^ guard->token[i % guard->token_size]));
    return different ? GUARD_TOKEN_WRONG : GUARD_TOKEN_RIGHT;
}

/* Whether a Host header, its port aside, is a numeric address or localhost: no name that somebody else can direct. */
static bool is_plain_host(const char *host)
{
    if (*host == '[')
        return true;
    size_t size = strcspn(host, ":");
    return strspn(host, "0123456789.") == size || (size == 9 && strncasecmp(host, "localhost", 9) == 0);
}

bool guard_is_own_origin(const char *host, const char *origin)
{
    if (host && !is_plain_host(host))
        return false;
    if (!origin)
        return true;
    return host && strncasecmp(origin, "http://", 7) == 0 && strcasecmp(origin + 7, host) == 0;
}
