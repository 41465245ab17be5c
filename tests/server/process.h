/* SPDX-License-Identifier: MIT */
/*
 * process.h: sluiced as a child process: started, told by signals, waited for. It does not outlive the test.
 * May be used by: the tests of the server, from the thread that runs them. What the system refuses, and what takes
 * longer than PROCESS_MS_MAX, fails the test.
 */
#ifndef TESTS_SERVER_PROCESS_H
#define TESTS_SERVER_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* Far over what anything here takes, sanitizers included: it is there so that nothing hangs. */
#define PROCESS_MS_MAX 60000

struct process {
    pid_t pid; /* 0: it has ended and was waited for */
    int out;   /* these two: the reading ends of pipes on its stdout and stderr; -1: closed */
    int err;
};

/* Who the process is. */
enum process_user {
    PROCESS_SAME,  /* who runs the test */
    PROCESS_NOBODY /* a user who may do nothing more than others; only if process_may_be_nobody() */
};

/* Whether we may start a process as somebody else, as root may. */
int process_may_be_nobody(void);

/* Starts sluiced with these arguments, ended by NULL, its own name not among them. */
void process_start(struct process *process, enum process_user user, const char *const *arguments);

void process_signal(const struct process *process, int signal_number);

/* Waits for its end. Its exit status, or minus the number of the signal that ended it. Pipes are left open. */
int process_wait(struct process *process);

/* Ends it by SIGKILL, if it has not ended, and closes the pipes. */
void process_kill(struct process *process);

/* What a process that has ended left. */
struct process_ended {
    int status; /* as from process_wait() */
    char *out;  /* terminated */
    char *err;
};

/* Runs sluiced to its end, with these arguments, ended by NULL. The caller calls process_ended_fini(). */
void process_run(struct process_ended *ended, enum process_user user, const char *const *arguments);
void process_ended_fini(struct process_ended *ended);

#endif
