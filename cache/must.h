/* SPDX-License-Identifier: MIT */
/*
 * must.h: "cannot happen", as opposed to "must be handled". A broken assumption ends the process, in release builds
 * too, since going on could hand out wrong data.
 */
#ifndef CACHE_MUST_H
#define CACHE_MUST_H

/* Ends the process with a line on stderr that says where and what. */
_Noreturn void must_fail(const char *file, int line, const char *what);

#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (__builtin_expect(!(condition), 0))                                                                         \
            must_fail(__FILE__, __LINE__, #condition);                                                                 \
    } while (0)

#endif
