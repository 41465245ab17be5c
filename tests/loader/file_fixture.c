/* SPDX-License-Identifier: MIT */
/* file_fixture.c: see file_fixture.h. */
#include "file_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reads ------------------------------------------------------------------------------------------------------- */

static struct {
    _Atomic(read_hook *) hook;
    void *arg;
    atomic_size_t count;
} reads;

ssize_t __real_read(int file, void *data, size_t size);
ssize_t __wrap_read(int file, void *data, size_t size);

ssize_t __wrap_read(int file, void *data, size_t size)
{
    read_hook *hook = atomic_load(&reads.hook);
    ssize_t result = READ_GO_ON;

    if (hook != NULL)
        result = hook(reads.arg, atomic_fetch_add(&reads.count, 1), file, data, size);
    return result == READ_GO_ON ? __real_read(file, data, size) : result;
}

void file_fixture_hook_reads(read_hook *hook, void *arg)
{
    reads.arg = arg;
    atomic_store(&reads.count, 0);
    atomic_store(&reads.hook, hook);
}

ssize_t file_fixture_read(int file, void *data, size_t size)
{
    return __real_read(file, data, size);
}

size_t file_fixture_reads(void)
{
    return atomic_load(&reads.count);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int file_fixture_setup(void **state)
{
    struct file_fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    loader_fixture_init(&fixture->loader);
    loader_make_directory(&fixture->loader, "root");
    loader_path(&fixture->loader, "root", fixture->root);
    fixture->options = (struct file_backend_options){
        .directory = fixture->root,
        .file_size_max = 1 << 20,
        .max_concurrent = 2,
        .queue_max = 8,
    };
    *state = fixture;
    return 0;
}

int file_fixture_teardown(void **state)
{
    struct file_fixture *fixture = *state;

    loader_fixture_close(&fixture->loader);
    file_fixture_hook_reads(NULL, NULL);
    loader_fixture_fini(&fixture->loader);
    free(fixture);
    return 0;
}

void file_fixture_open(struct file_fixture *fixture)
{
    struct backend_fault fault;

    if (!file_backend_create(&fixture->options, &fixture->loader.backend, &fault))
        fail_msg("%s", fault.text);
    assert_string_equal(fixture->loader.backend.kind, "file");
    loader_fixture_open(&fixture->loader);
}

void file_fixture_expect_fault(struct file_fixture *fixture, const char *words)
{
    struct backend backend = {0};
    struct backend_fault fault = {""};

    if (file_backend_create(&fixture->options, &backend, &fault)) {
        backend.destroy(backend.self);
        fail_msg("taken, where this was to be said: %s", words);
    }
    assert_null(backend.kind);
    if (strstr(fault.text, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, fault.text);
}

void file_fixture_write(struct file_fixture *fixture, const char *name, const char *text)
{
    char path[LOADER_PATH_MAX];

    snprintf(path, sizeof path, "root/%s", name);
    loader_write_text(&fixture->loader, path, text);
}
