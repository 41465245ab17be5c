/* SPDX-License-Identifier: MIT */
/* spec_value.h: the numbers and durations of a spec string (spec.c). */
#ifndef CACHE_SPEC_VALUE_H
#define CACHE_SPEC_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the string. */
struct piece {
    const char *at;
    size_t size;
};

/* Without the blanks around it. */
struct piece piece_trim(struct piece piece);

/* The whole piece is this word. */
bool piece_is(struct piece piece, const char *word);

/* Both read the whole piece, and return NULL, or the rule that it breaks ("must ..."); then the number is untouched. */
const char *spec_value_count(struct piece piece, int64_t *count);
const char *spec_value_span(struct piece piece, int64_t *span_ms);

#endif
