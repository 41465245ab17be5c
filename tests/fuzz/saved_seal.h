/* SPDX-License-Identifier: MIT */
/* saved_seal.h: a saved file whose checksum is put right. May be used by: the fuzz targets of saved files. */
#ifndef TESTS_FUZZ_SAVED_SEAL_H
#define TESTS_FUZZ_SAVED_SEAL_H

#include <stddef.h>
#include <stdint.h>

/*
 * A copy of the bytes that ends with the right checksum, so that what lies behind the checksum is reached. NULL if they
 * are too few for a file; the caller frees it.
 */
uint8_t *saved_seal(const uint8_t *data, size_t size);

#endif
