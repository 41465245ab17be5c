/* SPDX-License-Identifier: MIT */
/* saved_seal.c: see saved_seal.h. */
#include "saved_seal.h"

#include "saved_file.h"

#include <stdlib.h>
#include <string.h>

uint8_t *saved_seal(const uint8_t *data, size_t size)
{
    struct hash_sum sum;

    if (size < SAVED_HEADER_SIZE + SAVED_HEAD_SIZE)
        return NULL;
    size_t body = size - sizeof(uint64_t);
    uint8_t *sealed = malloc(size);
    if (sealed == NULL)
        abort();
    memcpy(sealed, data, body);
    hash_sum_init(&sum);
    hash_sum_add(&sum, data, body);
    for (size_t i = 0; i < sizeof(uint64_t); i++)
        sealed[body + i] = (uint8_t)(hash_sum_get(&sum) >> (8 * i));
    return sealed;
}
