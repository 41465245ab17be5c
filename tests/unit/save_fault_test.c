/* SPDX-License-Identifier: MIT */
/*
 * save_fault_test.c: the disk is full, the system refuses a call, memory runs out: the old file stays, nothing is left
 * beside it, and the cache is whole.
 *
 * The linker's --wrap sends the library's calls of these functions through here.
 */
#include "fault.h"
#include "fixture.h"
#include "saved.h"
#include "sums.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_close(int fd);
int __wrap_close(int fd);

/* Call number `nth` from now on of each is refused with this error; 0: none. */
static struct refused {
    unsigned write, read, fsync, rename, close;
    int error;
} refused;

/* How many bytes a read or a write moves at most; 0: all. */
static size_t piece;

static bool refuse(unsigned *nth)
{
    if (*nth == 0 || --*nth > 0)
        return false;
    errno = refused.error;
    return true;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    return refuse(&refused.write) ? -1 : __real_write(fd, bytes, piece > 0 && piece < size ? piece : size);
}

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
    return refuse(&refused.read) ? -1 : __real_read(fd, bytes, piece > 0 && piece < size ? piece : size);
}

int __wrap_fsync(int fd)
{
    return refuse(&refused.fsync) ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return refuse(&refused.rename) ? -1 : __real_rename(from, to);
}

int __wrap_close(int fd)
{
    bool refusing = refuse(&refused.close);
    int result = __real_close(fd);
    if (refusing)
        errno = refused.error;
    return refusing ? -1 : result;
}

static size_t count_files(void)
{
    DIR *directory = opendir(saved_scratch.directory);
    size_t count = 0;
    assert_non_null(directory);
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* A saved file with "key" = "old", and a cache with "key" = "new" and so much that a save needs several writes. */
static struct fixture *open_saved(void **state)
{
    static char much[200000];
    struct fixture *fixture = *state;
    const struct sluice_content content = {.data = much, .size = sizeof much, .ttl_ms = SLUICE_NEVER};
    fixture->options.shards = 1;
    fixture_open(fixture);
    fixture_put(fixture, "key", "old");
    assert_int_equal(sluice_cache_save(fixture->cache, saved_path, NULL), SLUICE_OK);
    fixture_put(fixture, "key", "new");
    assert_int_equal(sluice_put(fixture->cache, "much", 4, &content), SLUICE_OK);
    return fixture;
}

/* The file is the old one, or the new one, and the only one; the cache does its work. */
static void expect_file(struct fixture *fixture, const char *text)
{
    assert_int_equal(count_files(), 1);
    fixture_reopen(fixture);
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, NULL), SLUICE_OK);
    fixture_expect_present(fixture, "key", SLUICE_OK, text);
    sums_assert_idle(fixture->cache);
}

/* ---- the system refuses ------------------------------------------------------------------------------------------ */

static void a_save_that_the_system_refuses_leaves_the_old_file(void **state)
{
    static const struct {
        struct refused refused;
        const char *words;
    } cases[] = {
        {{.write = 1, .error = ENOSPC}, "the file can't be written: No space left on device"},
        {{.write = 3, .error = EDQUOT}, "the file can't be written: Disk quota exceeded"},
        {{.fsync = 1, .error = EIO}, "the file can't be brought to the disk: Input/output error"},
        {{.close = 1, .error = EIO}, "the file can't be closed: Input/output error"},
        {{.rename = 1, .error = EACCES}, "the file can't take its place: Permission denied"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture *fixture = open_saved(state);
        struct sluice_saved what;
        refused = cases[i].refused;
        enum sluice_error error = sluice_cache_save(fixture->cache, saved_path, &what);
        refused = (struct refused){0};
        assert_int_equal(error, SLUICE_FILE);
        assert_int_equal(what.fault, SLUICE_SAVED_SYSTEM);
        assert_string_equal(what.words, cases[i].words);
        expect_file(fixture, "old");
        fixture_destroy_cache(fixture);
    }
}

static void rule_20_a_save_over_the_limit_of_file_sizes_is_refused_and_no_signal_comes(void **state)
{
    struct fixture *fixture = open_saved(state);
    struct rlimit before, little;
    struct sluice_saved what;
    sigset_t pending;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    enum sluice_error error = sluice_cache_save(fixture->cache, saved_path, &what);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(error, SLUICE_FILE);
    assert_string_equal(what.words, "the file can't be written: File too large");
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGXFSZ), 0);
    expect_file(fixture, "old");
}

static void a_directory_that_is_not_brought_to_the_disk_is_told(void **state)
{
    struct fixture *fixture = open_saved(state);
    struct sluice_saved what;

    refused = (struct refused){.fsync = 2, .error = EIO};
    assert_int_equal(sluice_cache_save(fixture->cache, saved_path, &what), SLUICE_FILE);
    assert_non_null(strstr(what.words, "the file is in its place, but"));
    expect_file(fixture, "new");
}

static void interrupted_calls_and_small_pieces_do_no_harm(void **state)
{
    struct fixture *fixture = open_saved(state);

    piece = 7;
    refused = (struct refused){.write = 2, .error = EINTR};
    assert_int_equal(sluice_cache_save(fixture->cache, saved_path, NULL), SLUICE_OK);
    assert_int_equal(refused.write, 0);
    refused = (struct refused){.read = 2, .error = EINTR};
    expect_file(fixture, "new");
    assert_int_equal(refused.read, 0);
    assert_int_equal(fixture_stats(fixture).entries, 2);
    piece = 0;
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    struct fixture *fixture = open_saved(state);
    struct sluice_saved what;
    assert_int_equal(sluice_cache_save(fixture->cache, saved_path, NULL), SLUICE_OK);
    fixture_reopen(fixture);

    refused = (struct refused){.read = 2, .error = EIO};
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_SYSTEM);
    assert_string_equal(what.words, "the file can't be read: Input/output error");
    assert_int_equal(fixture_stats(fixture).entries, 0);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static void only_a_regular_file_is_replaced(void **state)
{
    struct fixture *fixture = open_saved(state);
    struct sluice_saved what;
    char other[SCRATCH_PATH_MAX];

    scratch_path(&saved_scratch, "link", other);
    assert_int_equal(symlink(saved_path, other), 0);
    assert_int_equal(sluice_cache_save(fixture->cache, other, &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_FOREIGN);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(sluice_cache_save(fixture->cache, saved_scratch.directory, &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_FOREIGN);
    assert_int_equal(sluice_cache_save(fixture->cache, "/dev/null", &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_FOREIGN);
    expect_file(fixture, "old");
}

static void a_directory_that_is_not_there_is_told(void **state)
{
    struct fixture *fixture = open_saved(state);
    struct sluice_saved what;
    char other[SCRATCH_PATH_MAX];

    scratch_path(&saved_scratch, "absent/saved", other);
    assert_int_equal(sluice_cache_save(fixture->cache, other, &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_ABSENT);
    assert_int_equal(sluice_cache_save(fixture->cache, "", &what), SLUICE_FILE);
    expect_file(fixture, "old");
}

static void a_path_without_a_directory_is_in_the_working_one(void **state)
{
    struct fixture *fixture = open_saved(state);
    char *before = getcwd(NULL, 0);

    assert_int_equal(chdir(saved_scratch.directory), 0);
    assert_int_equal(sluice_cache_save(fixture->cache, "saved", NULL), SLUICE_OK);
    assert_int_equal(chdir(before), 0);
    free(before);
    expect_file(fixture, "new");
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

#define ALLOCATIONS_MAX 100 /* of a save or a load: fewer, in fact */

/* Saves or loads with the nth allocation refused. False: it makes fewer. */
static bool call_fails(struct fixture *fixture, bool loading, size_t nth, bool lasting)
{
    fault_arm(nth, FAULT_THIS_THREAD, lasting);
    enum sluice_error error = loading ? sluice_cache_load(fixture->cache, saved_path, NULL)
                                      : sluice_cache_save(fixture->cache, saved_path, NULL);
    size_t refusals = fault_disarm();
    assert_int_equal(error, refusals > 0 ? SLUICE_NO_MEMORY : SLUICE_OK);
    return refusals > 0;
}

static void rule_20_a_save_without_memory_leaves_the_old_file(void **state)
{
    for (int lasting = 0; lasting <= 1; lasting++) {
        struct fixture *fixture = open_saved(state);
        size_t nth = 1;
        while (call_fails(fixture, false, nth, lasting)) {
            assert_int_equal(count_files(), 1);
            assert_true(nth++ < ALLOCATIONS_MAX);
        }
        assert_true(nth > 3); /* the name, a buffer, a shard's values */
        expect_file(fixture, "new");
        fixture_destroy_cache(fixture);
    }
}

static void rule_20_a_load_without_memory_leaves_the_cache_whole(void **state)
{
    for (int lasting = 0; lasting <= 1; lasting++) {
        struct fixture *fixture = open_saved(state);
        assert_int_equal(sluice_cache_save(fixture->cache, saved_path, NULL), SLUICE_OK);
        fixture_reopen(fixture);
        size_t nth = 1;
        while (call_fails(fixture, true, nth, lasting)) {
            struct sluice_stats stats = fixture_stats(fixture);
            assert_true(stats.entries < 2);
            sums_assert_idle(fixture->cache);
            fixture_reopen(fixture);
            assert_true(nth++ < ALLOCATIONS_MAX);
        }
        assert_true(nth > 2 + 2 * 3 + 1);
        expect_file(fixture, "new");
        fixture_destroy_cache(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_save_that_the_system_refuses_leaves_the_old_file),
        FIXTURE_TEST(rule_20_a_save_over_the_limit_of_file_sizes_is_refused_and_no_signal_comes),
        FIXTURE_TEST(a_directory_that_is_not_brought_to_the_disk_is_told),
        FIXTURE_TEST(interrupted_calls_and_small_pieces_do_no_harm),
        FIXTURE_TEST(a_file_that_cannot_be_read_is_told),
        FIXTURE_TEST(only_a_regular_file_is_replaced),
        FIXTURE_TEST(a_directory_that_is_not_there_is_told),
        FIXTURE_TEST(a_path_without_a_directory_is_in_the_working_one),
        FIXTURE_TEST(rule_20_a_save_without_memory_leaves_the_old_file),
        FIXTURE_TEST(rule_20_a_load_without_memory_leaves_the_cache_whole),
    };
    SAVED_MAIN(tests);
}
