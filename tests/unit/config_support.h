/* SPDX-License-Identifier: MIT */
/*
 * config_support.h: configurations given as text, for tests. The text goes through a file in memory, since
 * config_load() takes a path.
 */
#ifndef TESTS_CONFIG_SUPPORT_H
#define TESTS_CONFIG_SUPPORT_H

#include "config.h"

#include <stddef.h>

/* A cache with nothing but its backend: what has to be in a file that is about something else. */
#define CONFIG_CACHE "cache c { file { directory = /d } }\n"

/* Loads the text and fails the test, showing the faults, if there were any. The caller destroys the result. */
struct config *config_of_text(const char *text);

/* The same text as it is refused: its faults, without the path at the start of each line. The caller frees it. */
char *config_faults_of_bytes(const void *bytes, size_t size);

/* Loads the text and compares all faults: "1: what is wrong\n2: ...\n" with lines as in the file. */
void assert_config_faults(const char *text, const char *expected);

#endif
