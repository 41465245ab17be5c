/* SPDX-License-Identifier: MIT */
/* daemon.c: see daemon.h. A thread reads the log, so that the server never has to wait for a test that does not. */
#include "daemon.h"

#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_BYTES_MAX = 4 << 20 };

/* The configuration's first lines, on the same line as the test's first one so that lines keep their numbers. */
#define LISTEN "listen = \"127.0.0.1:0\" admin_listen = \"127.0.0.1:0\" "

/* ---- the log ----------------------------------------------------------------------------------------------------- */

/* Written by the pump, read by the test. */
struct daemon_log {
    int fd;
    pthread_t pump;
    pthread_mutex_t lock;
    pthread_cond_t grown; /* or ended */
    struct {
        char *text; /* LOG_BYTES_MAX and a NUL; what is over that is not kept */
        size_t size;
        bool ended;
    } locked;
};

static void log_append(struct daemon_log *log, const char *bytes, size_t size)
{
    pthread_mutex_lock(&log->lock);
    if (size > LOG_BYTES_MAX - log->locked.size)
        size = LOG_BYTES_MAX - log->locked.size;
    memcpy(log->locked.text + log->locked.size, bytes, size);
    log->locked.size += size;
    pthread_cond_broadcast(&log->grown);
    pthread_mutex_unlock(&log->lock);
}

static void *log_pump(void *arg)
{
    struct daemon_log *log = arg;
    char bytes[4096];

    for (;;) {
        ssize_t got = read(log->fd, bytes, sizeof bytes);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        fwrite(bytes, 1, (size_t)got, stderr);
        log_append(log, bytes, (size_t)got);
    }
    pthread_mutex_lock(&log->lock);
    log->locked.ended = true;
    pthread_cond_broadcast(&log->grown);
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

static struct daemon_log *log_start(int fd)
{
    struct daemon_log *log = calloc(1, sizeof *log);
    pthread_condattr_t monotonic;

    assert_non_null(log);
    log->fd = fd;
    log->locked.text = calloc(1, LOG_BYTES_MAX + 1);
    assert_non_null(log->locked.text);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->grown, &monotonic);
    pthread_condattr_destroy(&monotonic);
    assert_int_equal(0, pthread_create(&log->pump, NULL, log_pump, log));
    return log;
}

/* Once the process has ended: nothing else holds the pipe. */
static void log_end(struct daemon_log *log)
{
    pthread_join(log->pump, NULL);
    pthread_cond_destroy(&log->grown);
    pthread_mutex_destroy(&log->lock);
    free(log->locked.text);
    free(log);
}

size_t daemon_log_count(struct daemon *daemon, const char *text)
{
    struct daemon_log *log = daemon->log;
    size_t count = 0;

    pthread_mutex_lock(&log->lock);
    for (const char *at = log->locked.text; (at = strstr(at, text)); at += strlen(text))
        count++;
    pthread_mutex_unlock(&log->lock);
    return count;
}

/* What follows the first such text in the log, up to the end of its line, into `value`; waits until it is there. */
static void log_await(struct daemon_log *log, const char *text, char *value, size_t value_size)
{
    struct timespec deadline;
    const char *found = NULL;
    bool late = false;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += PROCESS_MS_MAX / 1000;
    pthread_mutex_lock(&log->lock);
    for (;;) {
        found = strstr(log->locked.text, text);
        if ((found && strchr(found, '\n')) || log->locked.ended || late)
            break;
        late = pthread_cond_timedwait(&log->grown, &log->lock, &deadline) == ETIMEDOUT;
    }
    if (found && value) {
        found += strlen(text);
        snprintf(value, value_size, "%.*s", (int)strcspn(found, "\n"), found);
    }
    pthread_mutex_unlock(&log->lock);
    if (!found)
        fail_msg("%s, and did not log \"%s\"", late ? "sluiced took too long" : "sluiced ended", text);
}

void daemon_await_log(struct daemon *daemon, const char *text)
{
    log_await(daemon->log, text, NULL, 0);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* The port of the side, as the server tells it. */
static unsigned await_port(struct daemon *daemon, const char *side)
{
    char text[64], address[SCRATCH_PATH_MAX];
    const char *colon;

    snprintf(text, sizeof text, "event=listening side=%s address=", side);
    log_await(daemon->log, text, address, sizeof address);
    if (strncmp(address, "unix:", strlen("unix:")) == 0)
        return 0;
    colon = strrchr(address, ':');
    if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) || !colon[1])
        fail_msg("\"%s\" is not an address with a port", address);
    return (unsigned)strtoul(colon + 1, NULL, 10);
}

struct daemon *daemon_start_as_is(const char *config)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);
    char path[SCRATCH_PATH_MAX];

    assert_non_null(daemon);
    scratch_init(&daemon->scratch);
    scratch_write_text(&daemon->scratch, "sluice.conf", config);
    scratch_path(&daemon->scratch, "sluice.conf", path);
    process_start(&daemon->process, PROCESS_SAME, (const char *const[]){"--config", path, NULL});
    daemon->log = log_start(daemon->process.err);
    daemon->data_port = await_port(daemon, "data");
    daemon->admin_port = await_port(daemon, "admin");
    return daemon;
}

struct daemon *daemon_start(const char *config)
{
    size_t size = strlen(LISTEN) + strlen(config) + 1;
    char *whole = malloc(size);
    struct daemon *daemon;

    assert_non_null(whole);
    snprintf(whole, size, "%s%s", LISTEN, config);
    daemon = daemon_start_as_is(whole);
    free(whole);
    return daemon;
}

pid_t daemon_pid(const struct daemon *daemon)
{
    return daemon->process.pid;
}

void daemon_signal(struct daemon *daemon, int signal_number)
{
    process_signal(&daemon->process, signal_number);
}

int daemon_wait(struct daemon *daemon)
{
    return process_wait(&daemon->process);
}

int daemon_stop(struct daemon *daemon)
{
    int status;

    daemon_signal(daemon, SIGTERM);
    status = daemon_wait(daemon);
    daemon_destroy(daemon);
    return status;
}

void daemon_destroy(struct daemon *daemon)
{
    if (!daemon)
        return;
    if (daemon->process.pid > 0) {
        daemon_signal(daemon, SIGKILL);
        daemon_wait(daemon);
    }
    log_end(daemon->log); /* before the pipe that it reads is closed */
    process_kill(&daemon->process);
    scratch_fini(&daemon->scratch);
    free(daemon);
}
