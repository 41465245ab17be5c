/* SPDX-License-Identifier: MIT */
/* config_support.c: memfds, and what config_load() says of them. */
#include "config_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* Loads the bytes from a file in memory; `*faults` is all that was said. */
static struct config *load_bytes(const void *bytes, size_t size, char **faults)
{
    char path[64];
    size_t faults_size;
    FILE *stream = open_memstream(faults, &faults_size);
    int fd = memfd_create("config", MFD_CLOEXEC);
    assert_non_null(stream);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

    struct config *config = config_load(path, stream);
    close(fd);
    fclose(stream);

    /* What remains of each line is what stands behind the path. */
    char *to = *faults;
    for (char *line = *faults; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        assert_int_equal(strncmp(line, path, strlen(path)), 0);
        assert_int_equal(line[strlen(path)], ':');
        memmove(to, line + strlen(path) + 1, length - strlen(path) - 1);
        to += length - strlen(path) - 1;
        line += length;
    }
    *to = '\0';
    return config;
}

struct config *config_of_text(const char *text)
{
    char *faults;
    struct config *config = load_bytes(text, strlen(text), &faults);
    assert_string_equal(faults, "");
    assert_non_null(config);
    free(faults);
    return config;
}

char *config_faults_of_bytes(const void *bytes, size_t size)
{
    char *faults;
    struct config *config = load_bytes(bytes, size, &faults);
    assert_null(config);
    return faults;
}

void assert_config_faults(const char *text, const char *expected)
{
    char *faults = config_faults_of_bytes(text, strlen(text));
    assert_string_equal(faults, expected);
    free(faults);
}
