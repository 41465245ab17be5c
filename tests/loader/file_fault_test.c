/* SPDX-License-Identifier: MIT */
/*
 * file_fault_test.c: the file backend with wrong options, and with files that can't be read, are too large, or change
 * while they are read; threads, queue, memory and the end.
 */
#include "file_fixture.h"

#include "errand.h"
#include "fault.h"
#include "loader_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- what can't be made ------------------------------------------------------------------------------------------ */

static void wrong_options_are_refused_with_words_for_each(void **state)
{
    struct file_fixture *fixture = *state;
    const struct file_backend_options good = fixture->options;
    char path[LOADER_PATH_MAX];

#define EXPECT_FAULT(field, value, words)                                                                              \
    (fixture->options = good, fixture->options.field = (value), file_fixture_expect_fault(fixture, words))
    EXPECT_FAULT(directory, NULL, "file: no directory is named");
    EXPECT_FAULT(directory, "", "file: no directory is named");
    EXPECT_FAULT(content_type, "", "file: content_type is not a media type");
    EXPECT_FAULT(content_type, "a\r\nb", "file: content_type is not a media type");
    EXPECT_FAULT(file_size_max, SSIZE_MAX, "file: the size limit is more than can be read");
    EXPECT_FAULT(max_concurrent, 0, "file: max_concurrent is 0");
    EXPECT_FAULT(queue_max, SIZE_MAX, "file: queue_max is 18446744073709551615");
    loader_path(&fixture->loader, "missing", path);
    EXPECT_FAULT(directory, path, "/missing\" can't be opened: No such file or directory");
    file_fixture_write(fixture, "k", "v");
    loader_path(&fixture->loader, "root/k", path);
    EXPECT_FAULT(directory, path, "/root/k\" can't be opened: Not a directory");
    loader_path(&fixture->loader, "root/pipe", path);
    assert_int_equal(mkfifo(path, 0644), 0);
    EXPECT_FAULT(directory, path, "/root/pipe\" can't be opened: Not a directory");
#undef EXPECT_FAULT
}

static void a_directory_that_may_not_be_entered_is_refused(void **state)
{
    struct file_fixture *fixture = *state;

    assert_int_equal(chmod(fixture->root, 0600), 0);
    loader_be_nobody(true);
    file_fixture_expect_fault(fixture, "no file can be opened beneath \"");
    file_fixture_expect_fault(fixture, "/root\": Permission denied");
    loader_be_nobody(false);
    assert_int_equal(chmod(fixture->root, 0755), 0);
}

static bool make_backend(void *fixture, struct backend *backend, struct backend_fault *fault)
{
    return file_backend_create(&((struct file_fixture *)fixture)->options, backend, fault);
}

static void rule_20_a_backend_that_gets_no_memory_says_so_and_leaves_nothing(void **state)
{
    struct file_fixture *fixture = *state;

    fixture->options.content_type = "text/plain";
    loader_expect_no_memory(make_backend, fixture, "file: out of memory", 6);
}

/* ---- files that can't be read ------------------------------------------------------------------------------------ */

static void a_file_that_may_not_be_read_is_a_failure_and_not_a_not_found(void **state)
{
    struct file_fixture *fixture = *state;
    char path[LOADER_PATH_MAX];

    loader_make_directory(&fixture->loader, "root/closed");
    file_fixture_write(fixture, "closed/k", "v");
    file_fixture_write(fixture, "k", "v");
    file_fixture_write(fixture, "well", "well");
    loader_be_nobody(true);
    file_fixture_open(fixture);
    loader_be_nobody(false);
    loader_path(&fixture->loader, "root/k", path);
    assert_int_equal(chmod(path, 0), 0);
    loader_path(&fixture->loader, "root/closed", path);
    assert_int_equal(chmod(path, 0), 0);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "the file can't be opened: Permission denied");
    loader_expect_error(&fixture->loader, "closed/k", SLUICE_LOAD_FAILED,
                        "the file can't be opened: Permission denied");
    loader_expect(&fixture->loader, "well", "well");
    assert_int_equal(chmod(path, 0755), 0);
    loader_expect(&fixture->loader, "closed/k", "v");
}

struct failing_reads {
    size_t from;  /* the first read that fails; 0: the first of all */
    size_t count; /* how many do */
    int error;
};

static ssize_t fail_reads(void *arg, size_t number, int file, void *data, size_t size)
{
    const struct failing_reads *failing = arg;

    (void)file;
    (void)data;
    (void)size;
    if (number < failing->from || number - failing->from >= failing->count)
        return READ_GO_ON;
    errno = failing->error;
    return -1;
}

static void a_read_that_fails_is_a_failure(void **state)
{
    struct file_fixture *fixture = *state;
    struct failing_reads failing = {.count = 1, .error = EIO};

    file_fixture_write(fixture, "k", "value");
    file_fixture_open(fixture);
    file_fixture_hook_reads(fail_reads, &failing);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "the file can't be read: Input/output error");
    assert_int_equal(file_fixture_reads(), 1);
    loader_expect(&fixture->loader, "k", "value");

    /* Nor is what came before it given for the whole. */
    loader_forget(&fixture->loader, "k");
    failing.from = 1;
    file_fixture_hook_reads(fail_reads, &failing);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "the file can't be read: Input/output error");
    assert_int_equal(file_fixture_reads(), 2);
}

static void a_read_that_a_signal_breaks_off_is_made_again(void **state)
{
    struct file_fixture *fixture = *state;
    struct failing_reads failing = {.count = 5, .error = EINTR};

    file_fixture_write(fixture, "k", "value");
    file_fixture_open(fixture);
    file_fixture_hook_reads(fail_reads, &failing);
    loader_expect(&fixture->loader, "k", "value");
    assert_int_equal(file_fixture_reads(), 7); /* the value, the end */
}

static ssize_t read_one_byte(void *arg, size_t number, int file, void *data, size_t size)
{
    (void)arg;
    (void)number;
    return file_fixture_read(file, data, size > 1 ? 1 : size);
}

static void short_reads_are_put_together(void **state)
{
    struct file_fixture *fixture = *state;

    file_fixture_write(fixture, "k", "a value in several pieces");
    file_fixture_open(fixture);
    file_fixture_hook_reads(read_one_byte, NULL);
    loader_expect(&fixture->loader, "k", "a value in several pieces");
    assert_int_equal(file_fixture_reads(), 26);
}

/* ---- files over the limit ---------------------------------------------------------------------------------------- */

static void a_file_over_the_limit_is_a_failure(void **state)
{
    struct file_fixture *fixture = *state;

    fixture->options.file_size_max = 5;
    file_fixture_write(fixture, "five", "12345");
    file_fixture_write(fixture, "six", "123456");
    file_fixture_open(fixture);
    file_fixture_hook_reads(fail_reads, &(struct failing_reads){0}); /* counts */
    loader_expect_error(&fixture->loader, "six", SLUICE_VALUE_TOO_LARGE,
                        "the file is larger than the limit of 5 bytes");
    assert_int_equal(file_fixture_reads(), 0);
    loader_expect(&fixture->loader, "five", "12345");
}

static void with_a_limit_of_nothing_only_empty_files_are_values(void **state)
{
    struct file_fixture *fixture = *state;

    fixture->options.file_size_max = 0;
    file_fixture_write(fixture, "empty", "");
    file_fixture_write(fixture, "one", "1");
    file_fixture_open(fixture);
    loader_expect(&fixture->loader, "empty", "");
    loader_expect_error(&fixture->loader, "one", SLUICE_VALUE_TOO_LARGE, "larger than the limit of 0 bytes");
}

/* ---- files that change ------------------------------------------------------------------------------------------- */

/* Changes the file "k" in front of each of the first reads. */
struct changes {
    char path[LOADER_PATH_MAX];
    size_t times;
    const char *letters; /* one a time: what the file is full of then */
    size_t size;         /* bytes of the file then */
};

static ssize_t change_file(void *arg, size_t number, int file, void *data, size_t size)
{
    const struct changes *changes = arg;
    char text[64];
    FILE *changed;

    (void)file;
    (void)data;
    (void)size;
    if (number >= changes->times)
        return READ_GO_ON;
    memset(text, changes->letters[number], sizeof text);
    /* On the backend's thread: no assertions here. A file that is not changed is seen by the test. */
    changed = fopen(changes->path, "we");
    if (changed != NULL) {
        fwrite(text, 1, changes->size, changed);
        fclose(changed);
    }
    return READ_GO_ON;
}

static void a_file_that_changes_while_it_is_read_is_read_again(void **state)
{
    static const size_t SIZES[] = {10, 40, 3, 0}; /* as large as before, larger, smaller, empty */
    struct file_fixture *fixture = *state;
    struct changes changes = {.times = 1, .letters = "b"};

    loader_path(&fixture->loader, "root/k", changes.path);
    file_fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        char expected[64] = "";

        file_fixture_write(fixture, "k", "aaaaaaaaaa");
        memset(expected, 'b', SIZES[i]);
        changes.size = SIZES[i];
        file_fixture_hook_reads(change_file, &changes);
        loader_expect(&fixture->loader, "k", expected);
        loader_forget(&fixture->loader, "k");
    }
}

static void a_file_that_changes_each_time_it_is_read_is_a_failure(void **state)
{
    struct file_fixture *fixture = *state;
    struct changes changes = {.times = 3, .letters = "abc", .size = 0};

    /* Empty each time: one read is one try. */
    loader_path(&fixture->loader, "root/k", changes.path);
    file_fixture_write(fixture, "k", "x");
    file_fixture_open(fixture);
    file_fixture_hook_reads(change_file, &changes);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "the file changed each time that it was read");
    assert_int_equal(file_fixture_reads(), 3);
    loader_expect(&fixture->loader, "k", "");
}

/* How long ago the file was written when it was first read. */
static ssize_t tell_age(void *arg, size_t number, int file, void *data, size_t size)
{
    atomic_llong *age_ns = arg;
    struct timespec now;
    struct stat status;

    (void)data;
    (void)size;
    if (number == 0 && fstat(file, &status) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0)
        atomic_store(age_ns, (long long)(now.tv_sec - status.st_mtim.tv_sec) * 1000000000 + now.tv_nsec -
                                 status.st_mtim.tv_nsec);
    return READ_GO_ON;
}

/* Else a write that comes while it is read could carry the very time that the file has already. */
static void a_file_is_read_when_its_time_is_older_than_a_tick_of_the_clock(void **state)
{
    struct file_fixture *fixture = *state;
    atomic_llong age_ns = -1;

    file_fixture_open(fixture);
    file_fixture_hook_reads(tell_age, &age_ns);
    file_fixture_write(fixture, "k", "v");
    loader_expect(&fixture->loader, "k", "v");
    assert_true(atomic_load(&age_ns) >= 10000000);
}

static void a_file_of_any_time_is_a_value(void **state)
{
    struct file_fixture *fixture = *state;
    const time_t now_s = time(NULL);
    const time_t times_s[] = {now_s + 3600, now_s - 3600, INT64_C(1) << 33, INT64_C(1) << 34, 0, -(INT64_C(1) << 31)};
    char path[LOADER_PATH_MAX];

    loader_path(&fixture->loader, "root/k", path);
    file_fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(times_s); i++) {
        const struct timespec times[] = {{.tv_sec = times_s[i]}, {.tv_sec = times_s[i]}};

        file_fixture_write(fixture, "k", "v");
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        loader_expect(&fixture->loader, "k", "v");
        loader_forget(&fixture->loader, "k");
    }
}

/* The first reading ends after five bytes. */
static ssize_t end_early(void *arg, size_t number, int file, void *data, size_t size)
{
    (void)arg;
    (void)size;
    if (number == 0)
        return file_fixture_read(file, data, 5);
    return number == 1 ? 0 : READ_GO_ON;
}

static void a_file_that_gives_less_than_its_size_is_read_again(void **state)
{
    struct file_fixture *fixture = *state;

    file_fixture_write(fixture, "k", "0123456789");
    file_fixture_open(fixture);
    file_fixture_hook_reads(end_early, NULL);
    loader_expect(&fixture->loader, "k", "0123456789");
}

static void a_file_that_grows_over_the_limit_while_it_is_read_is_a_failure(void **state)
{
    struct file_fixture *fixture = *state;
    struct changes changes = {.times = 1, .letters = "b", .size = 21};

    fixture->options.file_size_max = 20;
    loader_path(&fixture->loader, "root/k", changes.path);
    file_fixture_write(fixture, "k", "aaaaaaaaaa");
    file_fixture_open(fixture);
    file_fixture_hook_reads(change_file, &changes);
    loader_expect_error(&fixture->loader, "k", SLUICE_VALUE_TOO_LARGE, "larger than the limit of 20 bytes");
}

/* ---- threads, queue, memory, the end ----------------------------------------------------------------------------- */

/* Holds reads until it is opened. Static: a load outlives the test that fails. */
static struct {
    atomic_size_t waiting;
    atomic_bool open;
} gate;

static ssize_t wait_at_gate(void *arg, size_t number, int file, void *data, size_t size)
{
    int64_t start_ms = await_now_ms();

    (void)arg;
    (void)number;
    (void)file;
    (void)data;
    (void)size;
    atomic_fetch_add(&gate.waiting, 1);
    while (!atomic_load(&gate.open) && await_again(start_ms))
        ;
    atomic_fetch_sub(&gate.waiting, 1);
    return READ_GO_ON;
}

static void hold_reads(void)
{
    atomic_store(&gate.open, false);
    file_fixture_hook_reads(wait_at_gate, NULL);
}

static void rule_10_files_are_read_on_as_many_threads_as_set_then_queue_then_are_refused(void **state)
{
    static const char *const KEYS[] = {"a", "b", "c", "d"};
    struct file_fixture *fixture = *state;
    struct loader_call *calls[COUNT_OF(KEYS)];
    struct backend_stats stats;

    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        file_fixture_write(fixture, KEYS[i], KEYS[i]);
    fixture->options.max_concurrent = 2;
    fixture->options.queue_max = 2;
    file_fixture_open(fixture);
    hold_reads();
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        calls[i] = loader_begin(&fixture->loader, KEYS[i]);
    AWAIT(atomic_load(&gate.waiting) == 2);
    stats = loader_stats(&fixture->loader);
    assert_int_equal(stats.running, 2);
    assert_int_equal(stats.running_max, 2);
    assert_int_equal(stats.queued, 2);
    assert_int_equal(stats.queued_max, 2);
    loader_expect_error(&fixture->loader, "e", SLUICE_LOAD_REFUSED, "the file backend is busy: 2 loads run and 2 wait");
    atomic_store(&gate.open, true);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        loader_await(calls[i], SLUICE_OK, KEYS[i]);
    assert_int_equal(file_fixture_reads(), 8); /* two a file: the value, the end */
}

static void destroy(void *arg)
{
    struct backend *backend = arg;

    backend->destroy(backend->self);
}

static void destroy_ends_the_queued_loads_and_waits_for_the_running_one(void **state)
{
    struct file_fixture *fixture = *state;
    struct loader_call *running, *queued;
    struct errand *errand;

    file_fixture_write(fixture, "k", "v");
    fixture->options.max_concurrent = 1;
    file_fixture_open(fixture);
    hold_reads();
    running = loader_begin(&fixture->loader, "k");
    AWAIT(atomic_load(&gate.waiting) == 1);
    queued = loader_begin(&fixture->loader, "queued");
    fixture->loader.backend.kind = NULL; /* destroyed here, not by the teardown */
    errand = errand_start(destroy, &fixture->loader.backend);
    loader_await(queued, SLUICE_LOAD_FAILED, "the file backend is being closed");
    assert_false(atomic_load(&running->done));
    atomic_store(&gate.open, true);
    AWAIT(errand_ended(errand));
    errand_join(errand);
    loader_await(running, SLUICE_OK, "v");
}

static void rule_20_a_load_that_gets_no_memory_is_a_failure_and_the_next_one_goes_well(void **state)
{
    struct file_fixture *fixture = *state;
    size_t refused = 1, failed = 0;

    file_fixture_write(fixture, "k", "value");
    file_fixture_open(fixture);
    for (size_t nth = 1; refused > 0; nth++) {
        enum sluice_error error;

        fault_arm(nth, FAULT_EVERY_THREAD, true);
        error = loader_get(&fixture->loader, "k", 1);
        refused = fault_disarm();
        if (refused == 0)
            assert_int_equal(error, SLUICE_OK);
        else if (error != SLUICE_NO_MEMORY) /* the cache's own; else the loader's, and then perhaps its words' too */
            assert_int_equal(error, SLUICE_LOAD_FAILED);
        failed += error == SLUICE_LOAD_FAILED;
        loader_forget(&fixture->loader, "k");
        loader_expect(&fixture->loader, "k", "value");
        loader_forget(&fixture->loader, "k");
        AWAIT(loader_stats(&fixture->loader).running == 0);
    }
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(wrong_options_are_refused_with_words_for_each),
        FILE_TEST(a_directory_that_may_not_be_entered_is_refused),
        FILE_TEST(rule_20_a_backend_that_gets_no_memory_says_so_and_leaves_nothing),
        FILE_TEST(a_file_that_may_not_be_read_is_a_failure_and_not_a_not_found),
        FILE_TEST(a_read_that_fails_is_a_failure),
        FILE_TEST(a_read_that_a_signal_breaks_off_is_made_again),
        FILE_TEST(short_reads_are_put_together),
        FILE_TEST(a_file_over_the_limit_is_a_failure),
        FILE_TEST(with_a_limit_of_nothing_only_empty_files_are_values),
        FILE_TEST(a_file_that_changes_while_it_is_read_is_read_again),
        FILE_TEST(a_file_that_changes_each_time_it_is_read_is_a_failure),
        FILE_TEST(a_file_is_read_when_its_time_is_older_than_a_tick_of_the_clock),
        FILE_TEST(a_file_of_any_time_is_a_value),
        FILE_TEST(a_file_that_gives_less_than_its_size_is_read_again),
        FILE_TEST(a_file_that_grows_over_the_limit_while_it_is_read_is_a_failure),
        FILE_TEST(rule_10_files_are_read_on_as_many_threads_as_set_then_queue_then_are_refused),
        FILE_TEST(destroy_ends_the_queued_loads_and_waits_for_the_running_one),
        FILE_TEST(rule_20_a_load_that_gets_no_memory_is_a_failure_and_the_next_one_goes_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
