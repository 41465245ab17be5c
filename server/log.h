/* SPDX-License-Identifier: MIT */
/*
 * log.h: lines on stderr in logfmt: `time=2026-01-31T12:00:00.000Z level=info event=listening address=127.0.0.1:8080`.
 *
 * May be used by: the server's files. Any thread; a line is written by one write(2), so lines never mix.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stddef.h>

#define LOG_LEVELS(X)              X(LOG_ERROR, "error") X(LOG_WARNING, "warning") X(LOG_INFO, "info") X(LOG_DEBUG, "debug")
#define LOG_LEVEL_NAME(name, text) name,
enum log_level { LOG_LEVELS(LOG_LEVEL_NAME) };
#undef LOG_LEVEL_NAME

/* The lowest level that is written; LOG_INFO at first. */
void log_set_level(enum log_level level);

/* The level of that name into `level`; returns 0, or -1 if there is none. */
int log_level_parse(const char *name, enum log_level *level);

/*
 * One line. `event` is a word; then pairs of name and value, ended by NULL: log_event(LOG_INFO, "listening", "address",
 * address, NULL). Values are quoted and escaped where they must be; control characters and what is not UTF-8 never
 * reach the terminal; a NULL value is written as "". A line over 4 KiB is cut and ends in `cut=true`. A line that the
 * kernel does not take (a full pipe that nobody reads, without blocking) is lost; the next one says `lines_lost=N`.
 * errno is left as it was.
 */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

#endif
