/* SPDX-License-Identifier: MIT */
/* process.c: see process.h. */
#include "process.h"

#include "await.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* NOBODY: the user whom Debian's base-passwd calls so. CHILD_FAILED: there was no sluiced to be run. */
enum { ARGUMENTS_MAX = 16, OUTPUT_BYTES_MAX = 1 << 20, NOBODY = 65534, CHILD_FAILED = 126 };

/* ---- start ------------------------------------------------------------------------------------------------------- */

int process_may_be_nobody(void)
{
    return geteuid() == 0;
}

/* Only what may be called between fork and exec. */
static _Noreturn void child(pid_t parent, enum process_user user, char *const *arguments, int out, int err)
{
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(CHILD_FAILED);
    if (user == PROCESS_NOBODY && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        _exit(CHILD_FAILED);
    /* After setuid(), which undoes it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(CHILD_FAILED);
    execv(SLUICED, arguments);
    _exit(CHILD_FAILED);
}

void process_start(struct process *process, enum process_user user, const char *const *arguments)
{
    char name[] = "sluiced"; /* as it is told in messages */
    char *vector[ARGUMENTS_MAX + 2] = {name};
    size_t count = 0;
    pid_t parent = getpid();
    int out[2], err[2];

    for (; arguments[count]; count++) {
        assert_true(count < ARGUMENTS_MAX);
        vector[count + 1] = strdup(arguments[count]);
        assert_non_null(vector[count + 1]);
    }
    assert_return_code(pipe2(out, O_CLOEXEC), errno);
    assert_return_code(pipe2(err, O_CLOEXEC), errno);
    process->pid = fork();
    if (process->pid == 0)
        child(parent, user, vector, out[1], err[1]);
    assert_return_code(process->pid, errno);
    for (size_t i = 1; i <= count; i++)
        free(vector[i]);
    close(out[1]);
    close(err[1]);
    process->out = out[0];
    process->err = err[0];
}

/* ---- end --------------------------------------------------------------------------------------------------------- */

void process_signal(const struct process *process, int signal_number)
{
    assert_true(process->pid > 0);
    assert_return_code(kill(process->pid, signal_number), errno);
}

/* Its end is awaited elsewhere or forced: this does not wait long. */
static int reap(struct process *process)
{
    int status = 0;

    while (waitpid(process->pid, &status, 0) < 0)
        assert_int_equal(EINTR, errno);
    process->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int process_wait(struct process *process)
{
    struct pollfd ended = {.fd = pidfd_open(process->pid, 0), .events = POLLIN};
    int64_t deadline_ms = await_now_ms() + PROCESS_MS_MAX;

    assert_return_code(ended.fd, errno);
    while (poll(&ended, 1, 1000) <= 0) {
        if (await_now_ms() < deadline_ms)
            continue;
        close(ended.fd);
        process_kill(process);
        fail_msg("sluiced did not end within %d s", PROCESS_MS_MAX / 1000);
    }
    close(ended.fd);
    return reap(process);
}

static void close_pipe(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

void process_kill(struct process *process)
{
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        reap(process);
    }
    close_pipe(&process->out);
    close_pipe(&process->err);
}

/* ---- to the end -------------------------------------------------------------------------------------------------- */

/* What a pipe gave so far. */
struct output {
    char *text; /* OUTPUT_BYTES_MAX and a NUL */
    size_t size;
};

static void output_init(struct output *output)
{
    output->text = calloc(1, OUTPUT_BYTES_MAX + 1);
    assert_non_null(output->text);
}

/* Takes what is there; at the end, closes the pipe. */
static void output_take(struct output *output, int *end)
{
    ssize_t got = read(*end, output->text + output->size, OUTPUT_BYTES_MAX - output->size);

    if (got > 0)
        output->size += (size_t)got;
    else if (got == 0 || errno != EINTR)
        close_pipe(end);
    assert_true(output->size < OUTPUT_BYTES_MAX);
}

void process_run(struct process_ended *ended, enum process_user user, const char *const *arguments)
{
    struct output out = {0}, err = {0};
    struct process process;
    int64_t deadline_ms = await_now_ms() + PROCESS_MS_MAX;

    output_init(&out);
    output_init(&err);
    process_start(&process, user, arguments);
    while (process.out >= 0 || process.err >= 0) {
        struct pollfd pipes[2] = {{.fd = process.out, .events = POLLIN}, {.fd = process.err, .events = POLLIN}};

        if (await_now_ms() >= deadline_ms) {
            process_kill(&process);
            fail_msg("sluiced did not end within %d s; it said: %s", PROCESS_MS_MAX / 1000, err.text);
        }
        if (poll(pipes, 2, 1000) <= 0)
            continue;
        if (pipes[0].revents)
            output_take(&out, &process.out);
        if (pipes[1].revents)
            output_take(&err, &process.err);
    }
    *ended = (struct process_ended){.status = process_wait(&process), .out = out.text, .err = err.text};
}

void process_ended_fini(struct process_ended *ended)
{
    free(ended->out);
    free(ended->err);
    *ended = (struct process_ended){0};
}
