/* SPDX-License-Identifier: MIT */
/* cgroup.c: see cgroup.h. */
#include "cgroup.h"

#include <stdio.h>
#include <string.h>

#define LINE_SIZE 4096 /* longer ones are no cgroup's that fits into CGROUP_PATH_SIZE */

static char *without_end(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    return line;
}

char *cgroup_of_line(char *line)
{
    return strncmp(line, "0::/", 4) == 0 ? without_end(line) + 3 : NULL;
}

/* What is below `root` in `path`, with its slash, or ""; NULL: it is not below it. */
static const char *path_below(const char *path, const char *root)
{
    size_t size = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(path, root, size) != 0 || (path[size] != '/' && path[size] != '\0'))
        return NULL;
    return strcmp(path + size, "/") == 0 ? "" : path + size;
}

/* Its fields: id, parent, device, root, mount point, options, optional ones, "-", type, source, options of the type. */
bool cgroup_of_mount(char *line, const char *cgroup, char directory[CGROUP_PATH_SIZE])
{
    char *rest = without_end(line), *type = strstr(line, " - "), *root = NULL, *point = NULL;
    const char *below;
    int written;

    if (type == NULL || strncmp(type, " - cgroup2 ", 11) != 0)
        return false;
    for (int field = 0; field < 5; field++) {
        char *word = strsep(&rest, " ");

        root = field == 3 ? word : root;
        point = field == 4 ? word : point;
    }
    if (root == NULL || point == NULL || strstr(cgroup, "/..") != NULL)
        return false;
    below = path_below(cgroup, root);
    if (below == NULL)
        return false;
    written = snprintf(directory, CGROUP_PATH_SIZE, "%s%s", point, below);
    return written > 0 && written < CGROUP_PATH_SIZE;
}

/* Calls `found` for each line of a file, until it is true. */
static bool each_line(const char *path, bool (*found)(char *line, const char *cgroup, char *directory),
                      const char *cgroup, char *directory)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    bool is_found = false;

    while (file != NULL && !is_found && fgets(line, sizeof line, file) != NULL)
        is_found = found(line, cgroup, directory);
    if (file != NULL)
        fclose(file);
    return is_found;
}

static bool own_line(char *line, const char *cgroup, char *directory)
{
    const char *path = cgroup_of_line(line);

    (void)cgroup;
    if (path == NULL || strlen(path) >= CGROUP_PATH_SIZE)
        return false;
    memcpy(directory, path, strlen(path) + 1);
    return true;
}

bool cgroup_own(char directory[CGROUP_PATH_SIZE])
{
    char cgroup[CGROUP_PATH_SIZE];

    return each_line("/proc/self/cgroup", own_line, NULL, cgroup) &&
           each_line("/proc/self/mountinfo", cgroup_of_mount, cgroup, directory);
}
