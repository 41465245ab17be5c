/* SPDX-License-Identifier: MIT */
/* entry.c: see entry.h. */
#include "entry.h"

#include "value.h"

#include <stdlib.h>
#include <string.h>

struct entry *entry_create(const void *key, size_t key_size)
{
    struct entry *entry = malloc(sizeof *entry + key_size);

    if (entry == NULL)
        return NULL;
    memset(entry, 0, sizeof *entry);
    timer_init(&entry->expiry);
    entry->key_size = (uint16_t)key_size;
    memcpy(entry->key, key, key_size);
    return entry;
}

void entry_destroy(struct entry *entry)
{
    sluice_value_unref(entry->value);
    free(entry);
}
