/* SPDX-License-Identifier: MIT */
/*
 * faults_test.c: that the loop over refused requests finds faults: it is shown a part that has one of each kind, as if
 * it were the library's, and must say so in the right words. Each is a test that passes as long as nothing is refused.
 *
 * Run without arguments it runs itself once for each fault, with SLUICE_SCARCE set.
 */
#include "test.h"

#include <sluice/cache.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the library's calls of malloc and free are (memory.c). */
void *scarce_malloc(size_t size);
void scarce_free(void *memory);

/* As the library's code. */
#define LIBRARY __attribute__((noinline, section("scarce_library"))) static

static void *volatile kept; /* so that nothing is optimised away */

LIBRARY bool whole(void)
{
    void *first = scarce_malloc(32);
    void *second = scarce_malloc(32);
    scarce_free(first);
    scarce_free(second);
    return first != NULL && second != NULL;
}

LIBRARY bool lost(void)
{
    void *first = scarce_malloc(32);
    void *second = first == NULL ? NULL : scarce_malloc(32);
    if (second == NULL)
        return false; /* and who frees the first one? */
    scarce_free(first);
    scarce_free(second);
    return true;
}

LIBRARY bool unchecked(void)
{
    char *first = scarce_malloc(32);
    first[0] = 'a';
    kept = first;
    scarce_free(first);
    return true;
}

LIBRARY bool freed_twice(void)
{
    void *first = scarce_malloc(32);
    void *second = scarce_malloc(32);
    if (second == NULL)
        scarce_free(first);
    scarce_free(first);
    scarce_free(second);
    return first != NULL && second != NULL;
}

LIBRARY bool written_when_freed(void)
{
    char *first = scarce_malloc(32);
    void *second = scarce_malloc(32);
    scarce_free(first);
    if (second == NULL)
        first[4] = 'a';
    scarce_free(second);
    return first != NULL && second != NULL;
}

LIBRARY bool written_past_the_end(void)
{
    void *first = scarce_malloc(32);
    char *second = scarce_malloc(32);
    if (first == NULL)
        second[32] = 'a';
    scarce_free(first);
    scarce_free(second);
    return first != NULL && second != NULL;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

LIBRARY bool not_unlocked(void)
{
    pthread_mutex_lock(&lock);
    void *memory = scarce_malloc(32);
    if (memory == NULL)
        return false;
    scarce_free(memory);
    pthread_mutex_unlock(&lock);
    return true;
}

static const struct fault {
    const char *name;
    bool (*run)(void);
    const char *words; /* NULL: there is none */
} faults[] = {
    {"whole", whole, NULL},
    {"lost", lost, "lost: 32 bytes, from request 1"},
    {"unchecked", unchecked, "ended by signal 11"},
    {"freed_twice", freed_twice, "freed twice: block of 32 bytes, from request 1"},
    {"written_when_freed", written_when_freed, "written after it was freed: block of 32 bytes"},
    {"written_past_the_end", written_past_the_end, "written past its end: block of 32 bytes"},
    {"not_unlocked", not_unlocked, "hangs"},
};

static void play(void **state)
{
    const struct fault *fault = *state;
    bool first = fault->run();
    bool second = fault->run();
    assert_true(first && second);
}

static int play_all(void)
{
    struct CMUnitTest tests[COUNT_OF(faults)];
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        tests[i] = (struct CMUnitTest){faults[i].name, play, NULL, NULL,
                                       (void *)(uintptr_t)&faults[i]}; /* it is not changed */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Runs the loop over that fault; what it says comes into `text`. Returns its status. */
static int loop_over(const char *name, char *text, size_t room)
{
    int ends[2];
    int status = -1;
    size_t size = 0;
    ssize_t more;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("SLUICE_SCARCE", "8", 1);
        setenv("SLUICE_SCARCE_HANG_MS", "500", 1);
        setenv("SLUICE_SCARCE_TEST", name, 1);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "scarce_faults_test", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    while (size < room - 1 && (more = read(ends[0], text + size, room - 1 - size)) > 0)
        size += (size_t)more;
    text[size] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void every_fault_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        char text[16384];
        int status = loop_over(faults[i].name, text, sizeof text);
        if ((status != 0) != (faults[i].words != NULL) ||
            strstr(text, faults[i].words == NULL ? "1 tests, 6 cases, 4 of them cut short, 0 not judged, 0 not whole"
                                                 : faults[i].words) == NULL)
            fail_msg("%s: status %d, and it says:\n%s", faults[i].name, status, text);
    }
}

int main(void)
{
    if (getenv("SLUICE_SCARCE") != NULL)
        return play_all();
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
