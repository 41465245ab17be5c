/* SPDX-License-Identifier: MIT */
/* config_again.h: a configuration written as a file again, and two of them compared. May be used by: config_fuzz.c. */
#ifndef TESTS_FUZZ_CONFIG_AGAIN_H
#define TESTS_FUZZ_CONFIG_AGAIN_H

#include "config.h"
#include "options.h"

/* The section of the backend that the cache has. */
enum options_section config_again_backend(const struct config_cache *cache);

/* The file that means the same, with every option in it that has a value. The caller frees it. */
char *config_again_write(const struct config *config);

/* NULL, or the name of an option or of a cache that differs. */
const char *config_again_difference(const struct config *a, const struct config *b);

#endif
