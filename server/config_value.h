/* SPDX-License-Identifier: MIT */
/*
 * config_value.h: the words of the configuration file as values: counts, sizes, durations, yes or no, and the kinds of
 * strings that have a form of their own.
 *
 * May be used by: config.c, options.c. Pure functions. Each returns NULL, or what is wrong in words (static), and then
 * leaves its result untouched.
 */
#ifndef SERVER_CONFIG_VALUE_H
#define SERVER_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number, plain: "1024". */
const char *config_value_count(const char *text, uint64_t *count);

/* Bytes: "512", "64KiB", "16MiB", "1GiB", "2TiB". */
const char *config_value_size(const char *text, uint64_t *bytes);

/* "250ms", "2s", "10min" (or "10m"), "1h", "7d", "0"; "never" gives SLUICE_NEVER. */
const char *config_value_duration(const char *text, int64_t *duration_ms);

/* true or false, yes or no, on or off. */
const char *config_value_bool(const char *text, bool *value);

/* A media type for HTTP, with parameters: "text/plain; charset=utf-8". Under 256 bytes, and nothing that ends a header.
 */
const char *config_value_check_media_type(const char *text);

/* http:// or https://, a host, and {key} exactly once in the path or the query. */
const char *config_value_check_url(const char *text);

/* A path or a text on one line: no control characters. */
const char *config_value_check_line(const char *text);

/* Text that may run over lines, such as a query: no control characters but newline and tab. */
const char *config_value_check_text(const char *text);

/* The name of a cache: 1 to 64 of A-Z a-z 0-9 _ -, and none of the admin side's words. */
const char *config_value_check_cache_name(const char *text);

#endif
