/* SPDX-License-Identifier: MIT */
/*
 * file_fixture.h: what the tests of the file backend start from: its directory, "root" in the fixture's own, and a way
 * to stand in front of read(). The program is to be linked with --wrap=read.
 *
 * The functions here assert: for the thread that runs the tests.
 */
#ifndef TESTS_LOADER_FILE_FIXTURE_H
#define TESTS_LOADER_FILE_FIXTURE_H

#include "file.h"
#include "loader_fixture.h"

#include <sys/types.h>

/*
 * Called in place of every read() of the program, on any thread, with how many there were before it (0: the first).
 * What it returns is what the read returns, with errno; READ_GO_ON: the read is done.
 */
typedef ssize_t read_hook(void *arg, size_t number, int file, void *data, size_t size);

#define READ_GO_ON ((ssize_t)-2)

struct file_fixture {
    struct loader_fixture loader;
    char root[LOADER_PATH_MAX];
    struct file_backend_options options; /* to be changed before file_fixture_open() */
};

int file_fixture_setup(void **state);
int file_fixture_teardown(void **state);

#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, file_fixture_setup, file_fixture_teardown)

/* Makes backend and cache. */
void file_fixture_open(struct file_fixture *fixture);

/* The backend can't be made, and these words are in the fault. */
void file_fixture_expect_fault(struct file_fixture *fixture, const char *words);

/* Writes a file into root. */
void file_fixture_write(struct file_fixture *fixture, const char *name, const char *text);

/* From now on, and until the test ends. No load may be running. */
void file_fixture_hook_reads(read_hook *hook, void *arg);

/* As read(), past the hook. */
ssize_t file_fixture_read(int file, void *data, size_t size);

/* Reads since the hook was set. */
size_t file_fixture_reads(void);

#endif
