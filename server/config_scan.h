/* SPDX-License-Identifier: MIT */
/*
 * config_scan.h: a look over the configuration file's text before libconfuse parses it.
 *
 * libconfuse takes a section that never ends, an unfinished comment and stray signs for granted, replaces a variable
 * that is not set by nothing, and miscounts lines after a comment that is closed in its line. So these are found here,
 * with the line where the thing begins, and comments are replaced by blanks.
 *
 * May be used by: config.c.
 */
#ifndef SERVER_CONFIG_SCAN_H
#define SERVER_CONFIG_SCAN_H

#include "config_fault.h"

#include <stdbool.h>
#include <stddef.h>

/* Stands in the text for a variable that is not set and was told, so that the value is not found wrong once more. */
#define CONFIG_SCAN_UNSET  '\x01'

#define CONFIG_SCAN_DEPTHS 2 /* cache sections, and backend sections inside of them */

/* Where things stand: for each depth the lines on which sections open, in the order of the file. */
struct config_scan {
    int *lines[CONFIG_SCAN_DEPTHS];
    size_t counts[CONFIG_SCAN_DEPTHS];
    int last_line; /* the last one that has something on it */
    bool unset;    /* there is a variable that is not set: CONFIG_SCAN_UNSET stands in its place */
};

/*
 * Scans `text` (of `size` bytes, a NUL behind them) and blanks its comments. Faults are reported. Returns false if
 * there is no point in parsing the text: it is not text, or something in it does not end. `*scan` is filled in either
 * case, for config_scan_fini().
 */
bool config_scan_text(char *text, size_t size, struct config_faults *faults, struct config_scan *scan);

/* The line of the section number `index`, from 0, of those at `depth`; 0 if there are not as many. */
int config_scan_line(const struct config_scan *scan, size_t depth, size_t index);

void config_scan_fini(struct config_scan *scan);

#endif
