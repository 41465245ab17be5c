/* SPDX-License-Identifier: MIT */
/* saved.c: see saved.h. */
#include "saved.h"

struct scratch saved_scratch;
char saved_path[SCRATCH_PATH_MAX];

int saved_setup(void **state)
{
    (void)state;
    scratch_init(&saved_scratch);
    scratch_path(&saved_scratch, "saved", saved_path);
    return 0;
}

int saved_teardown(void **state)
{
    (void)state;
    scratch_fini(&saved_scratch);
    return 0;
}
