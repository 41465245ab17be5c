/* SPDX-License-Identifier: MIT */
/* entry.c: see entry.h. */
#include "entry.h"

#include "slab.h"
#include "value.h"

#include <string.h>

struct entry *entry_create(const void *key, size_t key_size)
{
    struct entry *entry = slab_alloc(sizeof *entry + key_size);

    if (entry == NULL)
        return NULL;
    memset(entry, 0, sizeof *entry);
    atomic_init(&entry->refs, 1);
    timer_init(&entry->expiry);
    entry->key_size = (uint16_t)key_size;
    memcpy(entry->key, key, key_size);
    return entry;
}

void entry_hold(struct entry *entry)
{
    atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
}

void entry_destroy(struct entry *entry)
{
    if (entry == NULL)
        return;
    /* Nobody takes hold of an entry that is in no table: a lone owner stays alone. */
    if (atomic_load_explicit(&entry->refs, memory_order_acquire) > 1 &&
        atomic_fetch_sub_explicit(&entry->refs, 1, memory_order_acq_rel) > 1)
        return;
    sluice_value_unref(entry->value);
    slab_free(entry, sizeof *entry + entry->key_size);
}

void entry_tell(const struct entry *entry, struct sluice_value *value, enum sluice_removal_cause cause,
                void (*told)(void *self, const struct sluice_removal *removal), void *self)
{
    const struct sluice_removal removal = {
        .key = entry->key,
        .key_size = entry->key_size,
        .value = value,
        .cause = cause,
    };

    if (told != NULL)
        told(self, &removal);
}

void entry_bury(struct entry *record, const struct sluice_listener *listener)
{
    enum sluice_removal_cause cause = (enum sluice_removal_cause)record->cause;

    if (record->value != NULL && record->answer == SLUICE_OK) {
        if (cause == SLUICE_REMOVED_EXPIRED && !record->offered)
            entry_tell(record, record->value, cause, listener->evicting, listener->self);
        entry_tell(record, record->value, cause, listener->removed, listener->self);
    }
    entry_destroy(record);
}
