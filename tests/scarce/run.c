/* SPDX-License-Identifier: MIT */
/*
 * run.c: the loop over tests and requests, a process for each case (see scarce.h).
 *
 * The linker's --wrap brings the tests' main here; cmocka's runner is not used, only its assertions, which all end in
 * _fail(): defined here, it takes the place of cmocka's.
 */
#include "scarce.h"

#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A case that takes longer hangs, unless SLUICE_SCARCE_HANG_MS says otherwise. */
#define HANG_MS 30000

/* And one that was told to end by then does not. */
#define DYING_MS_MAX 2000

/* Faults of one program, after which it has said enough. */
#define FAULTS_MAX 20

struct scarce_case *scarce_case;

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);

static struct {
    size_t density; /* SLUICE_SCARCE */
    size_t only_at; /* SLUICE_SCARCE_AT; 0: all */
    int hang_ms;
    char path[4096]; /* of the program, once it is asked for */
    int output;      /* where a case's words go */
    size_t cases;
    size_t cut_short; /* cases of which the scenario failed */
    size_t unjudged;
    size_t faults;
} run;

__attribute__((visibility("default"))) void _fail(const char *file, int line)
{
    if (scarce_case == NULL) {
        void (*real)(const char *, int);
        *(void **)&real = dlsym(RTLD_NEXT, "_fail");
        real(file, line);
        __builtin_unreachable();
    }
    char where[512];
    snprintf(where, sizeof where, "%s:%d", file, line);
    scarce_judge_failed(where);
}

static size_t number_of(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    if (text == NULL)
        return 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number == 0) {
        fprintf(stderr, "%s: \"%s\" is no number from 1 on\n", name, text);
        exit(2);
    }
    return number;
}

static void case_crash(int signal)
{
    scarce_case->crash_depth = backtrace(scarce_case->crash_frames, SCARCE_FRAMES_MAX);
    raise(signal);
}

/* In the case's process: the scenario and what comes of it. */
static _Noreturn void case_run(const struct CMUnitTest *test)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    void *state = test->initial_state;

    if (run.only_at == 0 && (dup2(run.output, STDOUT_FILENO) < 0 || dup2(run.output, STDERR_FILENO) < 0))
        _exit(SCARCE_BROKEN);
    for (size_t i = 0; !SCARCE_SANITIZED && i < COUNT_OF(crashes); i++)
        sigaction(crashes[i], &(struct sigaction){.sa_handler = case_crash, .sa_flags = (int)SA_RESETHAND}, NULL);
    scarce_case->doing = "setting up";
    if (test->setup_func != NULL && test->setup_func(&state) != 0)
        _exit(SCARCE_BROKEN);
    scarce_judge_begin(test->teardown_func, &state);
    scarce_case->doing = "running the scenario";
    scarce_memory_begin();
    test->test_func(&state);
    scarce_judge_end();
}

/* By addr2line, as functions and lines; of what is not the program's, nothing. */
static void case_say_where(void *const *frames, int depth)
{
    static char program[] = "addr2line", form[] = "-sfpe", path[] = "/proc/self/exe";
    char addresses[SCARCE_FRAMES_MAX][24];
    char *arguments[SCARCE_FRAMES_MAX + 4] = {program, form, path};
    size_t count = 3;
    Dl_info own, info;
    if (dladdr(&run, &own) == 0 || readlink(path, run.path, sizeof run.path - 1) < 0)
        return;
    arguments[2] = run.path;
    for (int i = 2; i < depth; i++) {
        if (dladdr(frames[i], &info) == 0 || info.dli_fbase != own.dli_fbase)
            continue;
        snprintf(addresses[i], sizeof addresses[i], "0x%jx",
                 (uintmax_t)((uintptr_t)frames[i] - (uintptr_t)own.dli_fbase - 1));
        arguments[count++] = addresses[i];
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execvp(program, arguments);
        backtrace_symbols_fd(frames, depth, STDOUT_FILENO);
        _exit(1);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void case_say_output(void)
{
    char text[4096];
    ssize_t size;
    fflush(NULL);
    if (lseek(run.output, 0, SEEK_SET) != 0)
        return;
    while ((size = read(run.output, text, sizeof text)) > 0)
        if (write(STDOUT_FILENO, text, (size_t)size) != size)
            return;
}

static void case_report(const struct CMUnitTest *test, const char *how)
{
    run.faults++;
    printf("\n%s, %s: %s, while %s\n", test->name,
           scarce_case->refused ? "with a request refused" : "with nothing refused", how,
           atomic_load(&scarce_case->doing));
    case_say_output();
    if (scarce_case->refused) {
        printf("request %zu was refused here:\n", scarce_case->refuse);
        case_say_where(scarce_case->frames, scarce_case->depth);
    }
    if (scarce_case->crash_depth > 0) {
        puts("it ended here:");
        case_say_where(scarce_case->crash_frames, scarce_case->crash_depth);
    }
    printf("once more: SLUICE_SCARCE=1 SLUICE_SCARCE_TEST=%s SLUICE_SCARCE_AT=%zu %s\n", test->name,
           scarce_case->refuse, program_invocation_name);
}

/* Waits for the case's process; a status as of waitpid(), or -1 if it hung and was ended. */
static int case_wait(pid_t pid)
{
    int status = 0;
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    bool hangs = end.fd >= 0 && run.only_at == 0 && poll(&end, 1, run.hang_ms) == 0;
    if (hangs) {
        kill(pid, SIGABRT); /* it says where it is */
        if (poll(&end, 1, DYING_MS_MAX) == 0)
            kill(pid, SIGKILL);
    }
    if (end.fd >= 0)
        close(end.fd);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            abort();
    return hangs ? -1 : status;
}

static void case_judge(const struct CMUnitTest *test, int status)
{
    char how[64];
    if (status == -1) {
        case_report(test, "hangs");
    } else if (WIFSIGNALED(status)) {
        snprintf(how, sizeof how, "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
        case_report(test, how);
    } else if (WEXITSTATUS(status) == SCARCE_UNJUDGED) {
        run.unjudged++;
        printf("not judged: request %zu of %s\n", scarce_case->refuse, test->name);
    } else if (WEXITSTATUS(status) == SCARCE_BROKEN) {
        case_report(test, "not whole");
    } else if (WEXITSTATUS(status) == SCARCE_FAILED_UNPROVOKED) {
        case_report(test, "fails by itself");
    } else if (WEXITSTATUS(status) != SCARCE_WHOLE) {
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
        case_report(test, how);
    }
}

/* Runs the test with that request refused. False: it makes fewer. */
static bool case_try(const struct CMUnitTest *test, size_t number)
{
    *scarce_case = (struct scarce_case){.refuse = number, .doing = "starting"};
    if (ftruncate(run.output, 0) != 0 || lseek(run.output, 0, SEEK_SET) != 0)
        abort();
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0)
        case_run(test);
    case_judge(test, case_wait(pid));
    run.cases++;
    run.cut_short += scarce_case->failed;
    return scarce_case->refused;
}

static void try_all(const struct CMUnitTest *test)
{
    size_t number = 1;
    while (case_try(test, number) && run.faults < FAULTS_MAX)
        number += 1 + number / run.density;
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown)
{
    void *warm[2];
    void *group = NULL;
    const char *only = getenv("SLUICE_SCARCE_TEST");
    size_t tried = 0;

    run.density = number_of("SLUICE_SCARCE");
    run.only_at = number_of("SLUICE_SCARCE_AT");
    if (run.density == 0)
        return __real__cmocka_run_group_tests(name, tests, count, setup, teardown);
    run.hang_ms = (int)number_of("SLUICE_SCARCE_HANG_MS");
    if (run.hang_ms == 0)
        run.hang_ms = HANG_MS;
    setvbuf(stdout, NULL, _IOLBF, 0);
    mallopt(M_MMAP_THRESHOLD, 64 * 1024); /* large pieces, which are never freed ones, stay out of the heap */
    mallopt(M_ARENA_MAX, 1);
    (void)backtrace(warm, 2); /* loads what it needs now, and not in each case */
    scarce_case = mmap(NULL, sizeof *scarce_case, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    run.output = memfd_create("output", MFD_CLOEXEC);
    if (scarce_case == MAP_FAILED || run.output < 0 || (setup != NULL && setup(&group) != 0))
        abort();
    for (size_t i = 0; i < count && run.faults < FAULTS_MAX; i++) {
        if (only != NULL && strcmp(only, tests[i].name) != 0)
            continue;
        size_t before = run.cases;
        tried++;
        if (run.only_at != 0)
            case_try(&tests[i], run.only_at);
        else if (case_try(&tests[i], SIZE_MAX), run.faults == 0)
            try_all(&tests[i]);
        printf("%6zu cases of %s\n", run.cases - before, tests[i].name);
    }
    if (teardown != NULL)
        teardown(&group);
    printf("%zu tests, %zu cases, %zu of them cut short, %zu not judged, %zu not whole\n", tried, run.cases,
           run.cut_short, run.unjudged, run.faults);
    return tried == 0 || run.faults > 0;
}
