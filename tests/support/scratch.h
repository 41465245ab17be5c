/* SPDX-License-Identifier: MIT */
/*
 * scratch.h: a temporary directory of a test's own, for configurations, databases, tokens and sockets.
 * For the thread that runs the tests. What the system refuses fails the test.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stddef.h>

#define SCRATCH_PATH_MAX 256

struct scratch {
    char directory[SCRATCH_PATH_MAX / 2]; /* short: a Unix socket in it has 107 bytes for its path */
};

/* Makes the directory, which only this user may enter. */
void scratch_init(struct scratch *scratch);

/* Removes it with everything in it. Of links, the link. Nothing is done to one that was not made. */
void scratch_fini(struct scratch *scratch);

/* The path of a file in it. */
void scratch_path(const struct scratch *scratch, const char *name, char path[SCRATCH_PATH_MAX]);

/* Writes a file in it; what was there before is gone. */
void scratch_write(const struct scratch *scratch, const char *name, const void *bytes, size_t size);
void scratch_write_text(const struct scratch *scratch, const char *name, const char *text);

/* Makes a directory in it. */
void scratch_make_directory(const struct scratch *scratch, const char *name);

#endif
