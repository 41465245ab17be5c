/* SPDX-License-Identifier: MIT */
/*
 * resources.h: the memory of this process, as the system and as malloc see it.
 *
 * May be used by: tests/bench/library. Any thread.
 */
#ifndef LIBRARY_RESOURCES_H
#define LIBRARY_RESOURCES_H

#include <stdint.h>

struct resources {
    int64_t resident_bytes; /* of the process */
    int64_t used_bytes;     /* of malloc: blocks that are held, with their heads; also those that are mapped */
    int64_t system_bytes;   /* what malloc has from the system, in use or not */
};

/* Ends the program where they can't be read. */
struct resources resources_now(void);

#endif
