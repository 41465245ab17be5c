/* SPDX-License-Identifier: MIT */
/*
 * escape.h: text from outside (configuration values, keys, backends' words) made safe for a terminal and for one line.
 *
 * May be used by: log.c, config_fault.c. Pure functions of their arguments, any thread.
 */
#ifndef SERVER_ESCAPE_H
#define SERVER_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* The most bytes that one character takes when escaped: "\u2028". */
#define ESCAPE_BYTES_MAX 6

/*
 * Takes one character off `*text` (terminated by NUL; not at its end) and writes it, not terminated, to `out`. Returns
 * how many bytes that are, at most ESCAPE_BYTES_MAX.
 *
 * Printable ASCII and well-formed UTF-8 stay as they are. Escaped are: control characters (\n, \r, \t, else \x1b), DEL,
 * bytes that are not UTF-8 (\xff), and characters that break or reorder a line (\u2028, \u202e, C1 controls). With
 * `quoted` also `"` and `\`.
 */
size_t escape_next(const char **text, bool quoted, char out[ESCAPE_BYTES_MAX]);

#endif
