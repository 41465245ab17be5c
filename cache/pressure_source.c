/* SPDX-License-Identifier: MIT */
/* pressure_source.c: see pressure_source.h. */
#include "pressure_source.h"

#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EVENTS_SIZE 512 /* of which "high" is the second line */

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* Adds "PATH: WHAT: the system's words" to the words; with an error of 0 only "PATH: WHAT". */
static bool source_fault(struct pressure_source *source, const char *path, const char *what, int error)
{
    struct sluice_pressure_fault *words = &source->words;
    size_t size = strlen(words->words);
    char cause[128];

    words->system = error;
    snprintf(words->words + size, sizeof words->words - size, "%s%.400s: %s%s%s", size > 0 ? "; " : "", path, what,
             error != 0 ? ": " : "", error != 0 ? strerror_r(error, cause, sizeof cause) : "");
    return false;
}

/* The words of a source that is watched: the file, and before it which others can't be. */
static bool source_is(struct pressure_source *source, const char *path, enum pressure_kind kind, int polled,
                      short wanted)
{
    source_fault(source, path, "is watched", 0);
    source->kind = kind;
    source->polled = polled;
    source->poll = (struct pollfd){.fd = polled, .events = wanted};
    return true;
}

static const char *trigger_hint(int error)
{
    switch (error) {
    case EINVAL:
        return "no trigger can be set (without CAP_SYS_RESOURCE the window must be of whole 2 seconds, from Linux 6.4 "
               "on)";
    case EOPNOTSUPP:
        return "no trigger can be set (PSI is switched off: psi=1 on the kernel's command line)";
    case EPERM:
    case EACCES:
        return "no trigger can be set (before Linux 6.4 it needs CAP_SYS_RESOURCE)";
    default:
        return "no trigger can be set";
    }
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

size_t pressure_trigger(int64_t stall_ms, int64_t window_ms, char text[PRESSURE_TRIGGER_SIZE])
{
    return (size_t)snprintf(text, PRESSURE_TRIGGER_SIZE, "some %" PRId64 " %" PRId64, stall_ms * 1000,
                            window_ms * 1000) +
           1;
}

bool pressure_events_high(const char *text, uint64_t *high)
{
    static const char name[] = "high ";
    const char *line = text;
    uint64_t number;
    char *end;

    while (line != NULL && strncmp(line, name, sizeof name - 1) != 0) {
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    if (line == NULL || line[sizeof name - 1] < '0' || line[sizeof name - 1] > '9')
        return false;
    errno = 0;
    number = strtoull(line + sizeof name - 1, &end, 10);
    if (errno != 0 || *end != '\n')
        return false;
    *high = number;
    return true;
}

static bool read_text(int file, char text[EVENTS_SIZE])
{
    ssize_t size = pread(file, text, EVENTS_SIZE - 1, 0);

    if (size < 0)
        return false;
    text[size] = '\0';
    return true;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

void pressure_source_init(struct pressure_source *source, const char *words)
{
    source->kind = PRESSURE_NONE;
    source->polled = source->events = -1;
    source->high = 0;
    source->poll = (struct pollfd){.fd = -1};
    source->words.system = 0;
    snprintf(source->words.words, sizeof source->words.words, "%s", words);
}

bool pressure_source_open_stall(struct pressure_source *source, const char *path, int64_t stall_ms, int64_t window_ms)
{
    /* A FIFO that is open for writing here too does not end when others close it. */
    int file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    char trigger[PRESSURE_TRIGGER_SIZE];
    struct statfs system;
    struct stat status;

    if (file < 0)
        return source_fault(source, path, "can't be opened for writing", errno);
    if (fstat(file, &status) != 0 || fstatfs(file, &system) != 0)
        source_fault(source, path, "can't be looked at", errno);
    else if (S_ISFIFO(status.st_mode))
        return source_is(source, path, PRESSURE_FIFO, file, POLLIN);
    else if (system.f_type != PROC_SUPER_MAGIC && system.f_type != CGROUP2_SUPER_MAGIC) /* a file is not written to */
        source_fault(source, path, "is neither a file of pressure stall information nor a FIFO", 0);
    else if (write(file, trigger, pressure_trigger(stall_ms, window_ms, trigger)) < 0)
        source_fault(source, path, trigger_hint(errno), errno);
    else
        return source_is(source, path, PRESSURE_TRIGGER, file, POLLPRI);
    close(file);
    return false;
}

bool pressure_source_open_events(struct pressure_source *source, const char *path)
{
    char text[EVENTS_SIZE];
    int notify;

    source->events = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (source->events < 0)
        return source_fault(source, path, "can't be opened", errno);
    notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (notify < 0) {
        source_fault(source, path, "no inotify to watch it by", errno);
        goto no_notify;
    }
    if (inotify_add_watch(notify, path, IN_MODIFY | IN_ATTRIB) < 0) {
        source_fault(source, path, "can't be watched", errno);
        goto no_watch;
    }
    /* After the watch is set, so that nothing that comes meanwhile is missed. */
    if (!read_text(source->events, text)) {
        source_fault(source, path, "can't be read", errno);
        goto no_watch;
    }
    if (!pressure_events_high(text, &source->high)) {
        source_fault(source, path, "has no line \"high NUMBER\"", 0);
        goto no_watch;
    }
    return source_is(source, path, PRESSURE_EVENTS, notify, POLLIN);

no_watch:
    close(notify);
no_notify:
    close(source->events);
    source->events = -1;
    return false;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

#define PATH_SIZE (CGROUP_PATH_SIZE + 32)

static bool own_file(struct pressure_source *source, const char *name, char path[PATH_SIZE])
{
    char directory[CGROUP_PATH_SIZE];

    if (!cgroup_own(directory))
        return source_fault(source, name, "the program's own cgroup (version 2) can't be found", 0);
    snprintf(path, PATH_SIZE, "%s/%s", directory, name);
    return true;
}

bool pressure_source_choose_stall(struct pressure_source *source, int64_t stall_ms, int64_t window_ms)
{
    char path[PATH_SIZE];

    return (own_file(source, "memory.pressure", path) &&
            pressure_source_open_stall(source, path, stall_ms, window_ms)) ||
           pressure_source_open_stall(source, "/proc/pressure/memory", stall_ms, window_ms);
}

/* Without memory.high the count never grows: to watch it alone would be to watch nothing. */
static bool high_is_set(struct pressure_source *source)
{
    char path[PATH_SIZE], text[EVENTS_SIZE];
    bool read_whole;
    int file;

    if (!own_file(source, "memory.high", path))
        return false;
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return source_fault(source, path, "can't be opened", errno);
    read_whole = read_text(file, text);
    close(file);
    if (!read_whole)
        return source_fault(source, path, "can't be read", errno);
    if (strncmp(text, "max", 3) == 0)
        return source_fault(source, path, "is not set, so that memory.events does not count", 0);
    return true;
}

bool pressure_source_choose_events(struct pressure_source *source)
{
    char path[PATH_SIZE];

    return high_is_set(source) && own_file(source, "memory.events", path) && pressure_source_open_events(source, path);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void source_lose(struct pressure_source *source, int error)
{
    struct sluice_pressure_fault *words = &source->words;
    size_t size = strlen(words->words);

    pressure_source_close(source);
    source->kind = PRESSURE_NONE;
    words->system = error;
    snprintf(words->words + size, sizeof words->words - size, ", but is gone since");
}

/* The file has changed, or been removed; true: its count has grown. */
static bool events_read(struct pressure_source *source)
{
    uint64_t before = source->high;
    struct stat status;
    char text[EVENTS_SIZE];

    while (read(source->polled, text, sizeof text) > 0)
        ; /* what inotify has to say is no more than that */
    if (fstat(source->events, &status) != 0 || !read_text(source->events, text)) {
        source_lose(source, errno);
        return false;
    }
    if (status.st_nlink == 0) {
        source_lose(source, ENOENT);
        return false;
    }
    (void)pressure_events_high(text, &source->high); /* while it is rewritten there may be none for a moment */
    return source->high > before;
}

bool pressure_source_read(struct pressure_source *source)
{
    short seen = source->poll.revents;
    char bytes[4096];

    source->poll.revents = 0;
    if (seen == 0)
        return false;
    switch (source->kind) {
    case PRESSURE_NONE:
        return false;
    case PRESSURE_TRIGGER:
        if ((seen & (POLLERR | POLLNVAL)) == 0)
            return (seen & POLLPRI) != 0;
        source_lose(source, ENODEV);
        return false;
    case PRESSURE_FIFO:
        return read(source->polled, bytes, sizeof bytes) > 0;
    case PRESSURE_EVENTS:
        return events_read(source);
    }
    return false;
}

void pressure_source_close(struct pressure_source *source)
{
    if (source->polled >= 0)
        close(source->polled);
    if (source->events >= 0)
        close(source->events);
    source->polled = source->events = -1;
    source->poll = (struct pollfd){.fd = -1};
}
