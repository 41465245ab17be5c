/* SPDX-License-Identifier: MIT */
/* broken.h: how a fuzz target says that a promise is broken. May be used by: the fuzz targets. */
#ifndef TESTS_FUZZ_BROKEN_H
#define TESTS_FUZZ_BROKEN_H

#include <stdio.h>
#include <stdlib.h>

/* Ends the process: WHAT is wrong, and what it is about. */
static inline _Noreturn void broken(const char *what, const char *about)
{
    fprintf(stderr, "%s: %s\n", what, about);
    abort();
}

#endif
