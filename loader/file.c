/* SPDX-License-Identifier: MIT */
/* file.c: loads from the files beneath a directory. See file.h. */
#include "file.h"

#include "dispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define READ_TRIES_MAX 3                      /* of a file that changes while it is read */
#define REST_NS        10000000               /* the longest kernel tick: all writes within it carry the same time */
#define PAUSE_NS       (INT64_C(2) * REST_NS) /* after which a file that was not written again has rested, to the clock */

struct file_backend {
    char *directory;
    char *content_type; /* or NULL */
    size_t file_size_max;
};

/* Bytes of a file, with room for more. */
struct contents {
    char *data;
    size_t size;
    size_t room;
};

/* -1 and errno, or the descriptor. */
static int open_beneath(int directory, const char *path, uint64_t flags)
{
    struct open_how how = {
        .flags = flags | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* -1 and `fault`, or the descriptor. */
static int directory_open(const char *directory, struct backend_fault *fault)
{
    int descriptor = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char cause[128];

    if (descriptor < 0)
        backend_fault_set(fault, "the directory \"%s\" can't be opened: %s", directory,
                          strerror_r(errno, cause, sizeof cause));
    return descriptor;
}

/* Whether files beneath it can be opened at all: by the kernel, and by what this process may do. */
static bool directory_check(const char *directory, struct backend_fault *fault)
{
    int descriptor = directory_open(directory, fault);
    char cause[128];
    int self, error;

    if (descriptor < 0)
        return false;
    self = open_beneath(descriptor, ".", O_PATH | O_DIRECTORY);
    error = errno;
    close(descriptor);
    if (self >= 0) {
        close(self);
        return true;
    }
    if (error == ENOSYS)
        return backend_fault_set(fault, "the file backend needs openat2(), which Linux has from 5.6 on");
    return backend_fault_set(fault, "no file can be opened beneath \"%s\": %s", directory,
                             strerror_r(error, cause, sizeof cause));
}

/*
 * Writes the key as a path, terminated. False: it names no file, or not by the one name that we take. Were "a//b" or
 * "./a/b" taken for a/b, they would be entries of their own, which an invalidation of "a/b" leaves alone.
 */
static bool path_from_key(const char *key, size_t size, char path[PATH_MAX])
{
    if (size == 0 || size >= PATH_MAX || memchr(key, '\0', size) != NULL)
        return false;
    memcpy(path, key, size);
    path[size] = '\0';

    for (const char *part = path;; part++) {
        size_t part_size = strcspn(part, "/");

        if (part_size == 0 || (part_size == 1 && part[0] == '.') ||
            (part_size == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += part_size;
        if (*part == '\0')
            return true;
    }
}

/* Whether an error of opening says that there is no file to be had, as opposed to: it could not be had. */
static bool error_is_not_found(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:  /* a link */
    case EXDEV:  /* a way out */
    case EISDIR: /* this and the rest: nothing that is a regular file */
    case ENXIO:
    case ENODEV:
        return true;
    default:
        return false;
    }
}

static void load_fail_errno(struct sluice_load *load, const char *what, int error)
{
    struct backend_fault fault;
    char cause[128];

    backend_fault_set(&fault, "%s: %s", what, strerror_r(error, cause, sizeof cause));
    sluice_load_fail(load, fault.text);
}

/* Reads to the end, but not more than size_max + 1 bytes. False and errno: it failed. */
static bool contents_read(struct contents *contents, int file, size_t size_max)
{
    contents->size = 0;
    while (contents->size <= size_max) {
        ssize_t got;

        if (contents->size == contents->room) {
            size_t room = contents->room < size_max / 2 ? contents->room * 2 + 1 : size_max + 1;
            char *data = realloc(contents->data, room);

            if (data == NULL)
                return false;
            contents->data = data;
            contents->room = room;
        }
        got = read(file, contents->data + contents->size, contents->room - contents->size);
        if (got == 0)
            break;
        if (got > 0)
            contents->size += (size_t)got;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

/* Room for a file of this size, and one byte more to meet its end. Without the memory: for none, reading says so. */
static void contents_init(struct contents *contents, size_t size)
{
    contents->data = malloc(size + 1);
    contents->size = 0;
    contents->room = contents->data == NULL ? 0 : size + 1;
}

/* Held at the bounds: a file may carry the time of any year. */
static int64_t time_ns(struct timespec time)
{
    int64_t ns;

    if (__builtin_mul_overflow((int64_t)time.tv_sec, INT64_C(1000000000), &ns) ||
        __builtin_add_overflow(ns, (int64_t)time.tv_nsec, &ns))
        return time.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return time_ns(now);
}

/*
 * Takes the status. *rested: another write would give the file another time than it has now. The coarse clock is the
 * one that files are stamped with. A time to come was set by somebody or by another machine's clock, and tells nothing.
 */
static bool status_take(int file, struct stat *status, bool *rested)
{
    int64_t before_ns = clock_ns(CLOCK_REALTIME_COARSE);

    if (fstat(file, status) != 0)
        return false;
    *rested = time_ns(status->st_mtim) <= before_ns - REST_NS || time_ns(status->st_mtim) > clock_ns(CLOCK_REALTIME);
    return true;
}

/* As status_take(), with one pause for a file that was written just now. */
static bool status_take_at_rest(int file, struct stat *status, bool *rested)
{
    if (!status_take(file, status, rested))
        return false;
    if (*rested)
        return true;
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    return status_take(file, status, rested);
}

static bool is_unchanged(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec && before->st_ctim.tv_sec == after->st_ctim.tv_sec &&
           before->st_ctim.tv_nsec == after->st_ctim.tv_nsec;
}

/* *whole: the contents are what the file held at one time. Those of /proc are of any size, and say that it is 0. */
static bool contents_read_at_rest(struct contents *contents, int file, size_t size_max, bool *whole)
{
    struct stat before, after;

    if (!status_take_at_rest(file, &before, whole))
        return false;
    if (!*whole)
        return true;
    if (lseek(file, 0, SEEK_SET) != 0 || !contents_read(contents, file, size_max) || fstat(file, &after) != 0)
        return false;
    *whole = is_unchanged(&before, &after) && (before.st_size == 0 || (uintmax_t)before.st_size == contents->size);
    return true;
}

static void load_end_too_large(struct sluice_load *load, size_t size_max)
{
    struct backend_fault fault;

    backend_fault_set(&fault, "the file is larger than the limit of %zu bytes", size_max);
    sluice_load_too_large(load, fault.text);
}

/* Ends the load with what is in the file, which was this large when it was opened. */
static void load_end_with_file(const struct file_backend *backend, struct sluice_load *load, int file, uintmax_t size)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct contents contents;
    bool whole = false;

    if (size > backend->file_size_max) {
        load_end_too_large(load, backend->file_size_max);
        return;
    }
    contents_init(&contents, (size_t)size);
    for (int tries = 0; tries < READ_TRIES_MAX && !whole; tries++) {
        if (!contents_read_at_rest(&contents, file, backend->file_size_max, &whole)) {
            load_fail_errno(load, "the file can't be read", errno);
            goto free_contents;
        }
        if (contents.size > backend->file_size_max) {
            load_end_too_large(load, backend->file_size_max);
            goto free_contents;
        }
    }
    if (whole) {
        content.data = contents.data;
        content.size = contents.size;
        content.content_type = backend->content_type;
        sluice_load_complete(load, &content);
    } else {
        sluice_load_fail(load, "the file changed each time that it was read");
    }
free_contents:
    free(contents.data);
}

static void load_end_with_path(const struct file_backend *backend, struct sluice_load *load, int directory,
                               const char *path)
{
    struct stat status;
    /* Not blocking: opening a FIFO would wait for its other end. */
    int file = open_beneath(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    if (file < 0) {
        if (error_is_not_found(errno))
            sluice_load_not_found(load);
        else
            load_fail_errno(load, "the file can't be opened", errno);
        return;
    }
    if (fstat(file, &status) != 0)
        load_fail_errno(load, "the file can't be read", errno);
    else if (!S_ISREG(status.st_mode))
        sluice_load_not_found(load);
    else
        load_end_with_file(backend, load, file, (uintmax_t)status.st_size);
    close(file);
}

static void file_load(void *self, struct sluice_load *load)
{
    const struct file_backend *backend = self;
    struct backend_fault fault;
    char path[PATH_MAX];
    int directory;

    if (!path_from_key(sluice_load_key(load), sluice_load_key_size(load), path)) {
        sluice_load_not_found(load);
        return;
    }
    directory = directory_open(backend->directory, &fault);
    if (directory < 0) {
        sluice_load_fail(load, fault.text);
        return;
    }
    load_end_with_path(backend, load, directory, path);
    close(directory);
}

static void file_destroy(void *self)
{
    struct file_backend *backend = self;

    free(backend->content_type);
    free(backend->directory);
    free(backend);
}

static bool options_fit(const struct file_backend_options *options, struct backend_fault *fault)
{
    if (options->directory == NULL || options->directory[0] == '\0')
        return backend_fault_set(fault, "file: no directory is named");
    if (options->content_type != NULL && !backend_content_type_is_fit(options->content_type))
        return backend_fault_set(fault, "file: content_type is not a media type");
    if (options->file_size_max >= SSIZE_MAX)
        return backend_fault_set(fault, "file: the size limit is more than can be read");
    return directory_check(options->directory, fault);
}

bool file_backend_create(const struct file_backend_options *options, struct backend *backend,
                         struct backend_fault *fault)
{
    struct dispatch_options dispatch = {
        .kind = "file",
        .threads = options->max_concurrent,
        .queue_max = options->queue_max,
        .work = {.load = file_load, .destroy = file_destroy},
    };
    struct file_backend *created;

    if (!options_fit(options, fault))
        return false;
    created = calloc(1, sizeof *created);
    if (created == NULL)
        return backend_fault_set(fault, "file: out of memory");
    created->directory = strdup(options->directory);
    created->content_type = options->content_type == NULL ? NULL : strdup(options->content_type);
    created->file_size_max = options->file_size_max;
    dispatch.work.self = created;
    if (created->directory == NULL || (options->content_type != NULL && created->content_type == NULL))
        backend_fault_set(fault, "file: out of memory");
    else if (dispatch_create(&dispatch, backend, fault))
        return true;
    file_destroy(created);
    return false;
}
