/* SPDX-License-Identifier: MIT */
/* scratch.c: see scratch.h. */
#include "scratch.h"

#include "test.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 16 };

void scratch_init(struct scratch *scratch)
{
    const char *place = getenv("TMPDIR");
    int size = snprintf(scratch->directory, sizeof scratch->directory, "%s/sluice-test-XXXXXX",
                        place && place[0] == '/' && strlen(place) < 48 ? place : "/tmp");

    assert_in_range(size, 1, sizeof scratch->directory - 1);
    if (!mkdtemp(scratch->directory))
        fail_msg("%s can't be made: %s", scratch->directory, strerror(errno));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void scratch_fini(struct scratch *scratch)
{
    if (scratch->directory[0] && nftw(scratch->directory, remove_one, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS) != 0)
        fail_msg("%s can't be removed: %s", scratch->directory, strerror(errno));
    scratch->directory[0] = '\0';
}

void scratch_path(const struct scratch *scratch, const char *name, char path[SCRATCH_PATH_MAX])
{
    int size = snprintf(path, SCRATCH_PATH_MAX, "%s/%s", scratch->directory, name);

    assert_in_range(size, 1, SCRATCH_PATH_MAX - 1);
}

void scratch_write(const struct scratch *scratch, const char *name, const void *bytes, size_t size)
{
    char path[SCRATCH_PATH_MAX];
    FILE *file;

    scratch_path(scratch, name, path);
    file = fopen(path, "we");
    if (!file)
        fail_msg("%s can't be written: %s", path, strerror(errno));
    assert_int_equal(size, fwrite(bytes, 1, size, file));
    assert_int_equal(0, fclose(file));
}

void scratch_write_text(const struct scratch *scratch, const char *name, const char *text)
{
    scratch_write(scratch, name, text, strlen(text));
}

void scratch_make_directory(const struct scratch *scratch, const char *name)
{
    char path[SCRATCH_PATH_MAX];

    scratch_path(scratch, name, path);
    if (mkdir(path, 0700) != 0)
        fail_msg("%s can't be made: %s", path, strerror(errno));
}
