/* SPDX-License-Identifier: MIT */
/* log.c: composes a line in a buffer on the stack, and hands it to the kernel in one piece. */
#include "log.h"

#include "escape.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* PIPE_BUF: up to this size a write to a pipe is whole or not at all, whoever else writes to it. */
#define LINE_BYTES_MAX 4096

static const char CUT_MARK[] = " cut=true";

/* What may be filled with pairs; the rest is kept for a closing quote, the mark and the newline. */
#define TEXT_BYTES_MAX (LINE_BYTES_MAX - sizeof(CUT_MARK) - 1)

struct line {
    char text[LINE_BYTES_MAX];
    size_t size;
    bool cut; /* something did not fit; nothing is added any more */
};

static _Atomic(enum log_level) log_level_max = LOG_INFO;

/* Lines that the kernel did not take since the last one that it took: told with that one. */
static atomic_ulong log_lost;

static const char *level_name(enum log_level level)
{
    switch (level) {
#define LEVEL_TEXT(name, text)                                                                                         \
    case name:                                                                                                         \
        return text;
        LOG_LEVELS(LEVEL_TEXT)
#undef LEVEL_TEXT
    }
    return "unknown";
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level_max, level, memory_order_relaxed);
}

int log_level_parse(const char *name, enum log_level *level)
{
#define LEVEL_MATCH(value, text)                                                                                       \
    if (strcmp(name, text) == 0) {                                                                                     \
        *level = value;                                                                                                \
        return 0;                                                                                                      \
    }
    LOG_LEVELS(LEVEL_MATCH)
#undef LEVEL_MATCH
    return -1;
}

static bool line_append(struct line *line, const char *bytes, size_t size)
{
    if (line->cut || size > TEXT_BYTES_MAX - line->size) {
        line->cut = true;
        return false;
    }
    memcpy(line->text + line->size, bytes, size);
    line->size += size;
    return true;
}

/* Whether a value can stand without quotes and still be told from what is around it. */
static bool is_bare(const char *value)
{
    if (!*value)
        return false;
    for (; *value; value++) {
        if (*value <= ' ' || *value > '~' || *value == '"' || *value == '=' || *value == '\\')
            return false;
    }
    return true;
}

static void line_append_value(struct line *line, const char *value)
{
    bool quoted = !is_bare(value);
    if (quoted && !line_append(line, "\"", 1))
        return;
    while (*value) {
        char bytes[ESCAPE_BYTES_MAX];
        size_t size = escape_next(&value, quoted, bytes);
        if (!line_append(line, bytes, size))
            break;
    }
    if (quoted)
        line->text[line->size++] = '"'; /* there is always room: see TEXT_BYTES_MAX */
}

static void line_append_pair(struct line *line, const char *name, const char *value)
{
    size_t before = line->size;
    if (before > 0)
        line_append(line, " ", 1);
    line_append(line, name, strlen(name));
    line_append(line, "=", 1);
    if (line->cut) {
        line->size = before; /* a name without a value says nothing */
        return;
    }
    line_append_value(line, value ? value : "");
}

static void line_append_time(struct line *line)
{
    struct timespec now;
    struct tm date;
    char text[64];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &date);
    snprintf(text + size, sizeof(text) - size, ".%03ldZ", now.tv_nsec / 1000000);
    line_append_pair(line, "time", text);
}

static void line_write(struct line *line, unsigned long lost)
{
    if (line->cut) {
        memcpy(line->text + line->size, CUT_MARK, strlen(CUT_MARK));
        line->size += strlen(CUT_MARK);
    }
    line->text[line->size++] = '\n';

    ssize_t written;
    do {
        written = write(STDERR_FILENO, line->text, line->size);
    } while (written < 0 && errno == EINTR);
    if (written < 0)
        atomic_fetch_add_explicit(&log_lost, lost + 1, memory_order_relaxed);
}

void log_event(enum log_level level, const char *event, ...)
{
    if (level > atomic_load_explicit(&log_level_max, memory_order_relaxed))
        return;

    int errno_before = errno;
    struct line line = {.size = 0, .cut = false};
    unsigned long lost = atomic_exchange_explicit(&log_lost, 0, memory_order_relaxed);

    line_append_time(&line);
    line_append_pair(&line, "level", level_name(level));
    line_append_pair(&line, "event", event);
    if (lost > 0) {
        char count[24];
        snprintf(count, sizeof(count), "%lu", lost);
        line_append_pair(&line, "lines_lost", count);
    }

    va_list pairs;
    va_start(pairs, event);
    for (const char *name = va_arg(pairs, const char *); name; name = va_arg(pairs, const char *))
        line_append_pair(&line, name, va_arg(pairs, const char *));
    va_end(pairs);

    line_write(&line, lost);
    errno = errno_before;
}
