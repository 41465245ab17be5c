/* SPDX-License-Identifier: MIT */
/*
 * guard.h: who may use the admin side. May be used by: admin.c, main.c, tests.
 *
 * With a token, every request must carry it. Without one, the admin side only listens where other machines can't reach
 * it; what could reach it then is a web page in a browser on this machine (a forged cross-site request, or a name of
 * the page's own that resolves to the loopback address). So then a request must name this host by a numeric address or
 * as localhost, and must not come from another origin. Over a Unix socket no browser comes, and nothing is asked.
 */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct guard {
    char *token; /* NULL: there is none */
    size_t token_size;
    bool browsers; /* whether browsers could come: not over a Unix socket */
};

struct guard_fault {
    char text[320];
};

/*
 * Reads the token file, once; `path` NULL makes a guard without a token. White space at its end is cut off. On false
 * `fault` says what is wrong: unreadable, empty, too large, or bytes that can't stand in a header. `*exposed` tells
 * that every user of this machine may read the file.
 */
bool guard_init(struct guard *guard, const char *path, bool *exposed, struct guard_fault *fault);
void guard_fini(struct guard *guard);

enum guard_token { GUARD_TOKEN_RIGHT, GUARD_TOKEN_WRONG, GUARD_TOKEN_MISSING };

/*
 * What an Authorization header (NULL: none) carries: the token, another one, or none at all (no header, another scheme,
 * nothing behind "Bearer"). A wrong one takes the same time however much of it is right.
 */
enum guard_token guard_token_check(const struct guard *guard, const char *authorization);

/* Whether the headers Host and Origin (NULL: none) are those of a request that no foreign web page can make. */
bool guard_is_own_origin(const char *host, const char *origin);

#endif
