/* SPDX-License-Identifier: MIT */
/* fuzz.h: what each fuzz target defines, called by libFuzzer or by replay.c. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Does with these bytes, which are read only, what the target is about; ends the process if that goes wrong. Returns 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
