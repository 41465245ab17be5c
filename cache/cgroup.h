/* SPDX-License-Identifier: MIT */
/* cgroup.h: where the files of the program's own cgroup (version 2) are. */
#ifndef CACHE_CGROUP_H
#define CACHE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#define CGROUP_PATH_SIZE 1024

/*
 * The path of a line of /proc/self/cgroup, "0::PATH", which is borrowed from it, without the line's end; NULL: the line
 * is of another hierarchy. Changes the line.
 */
char *cgroup_of_line(char *line);

/*
 * Whether a line of /proc/self/mountinfo is of a cgroup2 that shows the cgroup at `cgroup`; if so, `directory` is where
 * it can be seen. The mount may show a part of the hierarchy only, as in a container. Changes the line.
 */
bool cgroup_of_mount(char *line, const char *cgroup, char directory[CGROUP_PATH_SIZE]);

/* The directory of the program's own cgroup. False: there is none, or it can't be seen from here. */
bool cgroup_own(char directory[CGROUP_PATH_SIZE]);

#endif
