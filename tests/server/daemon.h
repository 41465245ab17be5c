/* SPDX-License-Identifier: MIT */
/*
 * daemon.h: sluiced that serves, on free ports of 127.0.0.1, with its log at hand.
 *
 *     struct daemon *daemon = daemon_start("cache \"c\" { file { directory = \"/srv\" } }\n");
 *     client_request(daemon->data_port, "GET", "/c/motd", NULL, &answer);
 *     assert_int_equal(0, daemon_stop(daemon));
 *
 * May be used by: the tests of the server, from the thread that runs them. What takes longer than PROCESS_MS_MAX fails
 * the test. All that the server writes on stderr is also copied to the test's own, so that a failure can be understood.
 */
#ifndef TESTS_SERVER_DAEMON_H
#define TESTS_SERVER_DAEMON_H

#include "process.h"
#include "scratch.h"

#include <stdbool.h>

struct daemon_log;

struct daemon {
    unsigned data_port; /* these two: where it listens; 0: on a Unix socket */
    unsigned admin_port;
    struct scratch scratch; /* holds the configuration, as sluice.conf */
    struct process process;
    struct daemon_log *log;
};

/*
 * Starts sluiced and waits until it listens on both sides. `config` is all of the configuration but the options listen
 * and admin_listen. Must be given to daemon_stop() or daemon_destroy().
 */
struct daemon *daemon_start(const char *config);

/* Likewise, with a configuration that says everything. */
struct daemon *daemon_start_as_is(const char *config);

pid_t daemon_pid(const struct daemon *daemon);

/* Sends a signal. */
void daemon_signal(struct daemon *daemon, int signal_number);

/* Waits for its end; its exit status, or minus the number of the signal that ended it. Its log is still there. */
int daemon_wait(struct daemon *daemon);

/* SIGTERM, daemon_wait(), daemon_destroy(). */
int daemon_stop(struct daemon *daemon);

/* Ends it by SIGKILL if it has not ended, and frees. NULL is allowed. */
void daemon_destroy(struct daemon *daemon);

/* How often this text is in the log by now. */
size_t daemon_log_count(struct daemon *daemon, const char *text);

/* Waits until it is there at least once. An end of the server before that fails the test. */
void daemon_await_log(struct daemon *daemon, const char *text);

#endif
