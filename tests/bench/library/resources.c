/* SPDX-License-Identifier: MIT */
/* resources.c: see resources.h. */
#include "resources.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Without the C library's buffers: reading must take no memory of malloc's itself. */
static int64_t resident_pages(void)
{
    char text[128] = {0};
    char *end = NULL;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file != NULL) {
        setvbuf(file, NULL, _IONBF, 0);
        if (fgets(text, sizeof(text), file) != NULL) {
            strtol(text, &end, 10);
            long pages = strtol(end, NULL, 10);

            fclose(file);
            return pages;
        }
    }
    perror("/proc/self/statm");
    exit(1);
}

struct resources resources_now(void)
{
    struct mallinfo2 info = mallinfo2();

    return (struct resources){
        .resident_bytes = resident_pages() * sysconf(_SC_PAGESIZE),
        .used_bytes = (int64_t)(info.uordblks + info.hblkhd),
        .system_bytes = (int64_t)(info.arena + info.hblkhd),
    };
}
