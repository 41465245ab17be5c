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
    if (entry == NULL)
        return;
    sluice_value_unref(entry->value);
    free(entry);
}

void entry_bury(struct entry *record, const struct sluice_listener *listener)
{
    if (listener->removed != NULL && record->value != NULL && record->answer == SLUICE_OK) {
        const struct sluice_removal removal = {
            .key = record->key,
            .key_size = record->key_size,
            .value = record->value,
            .cause = (enum sluice_removal_cause)record->cause,
        };

        listener->removed(listener->self, &removal);
    }
    entry_destroy(record);
}
