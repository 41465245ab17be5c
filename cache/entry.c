/* SPDX-License-Identifier: MIT */
/* entry.c: see entry.h. */
#include "entry.h"

#include "slab.h"
#include "value.h"

#include <string.h>

/* What an entry's memory comes to: itself, its key, and the numbers behind that, which lie at a multiple of 8. */
static size_t entry_size(size_t key_size, bool dated, bool weighed)
{
    size_t size = offsetof(struct entry, key) + key_size;

    if (dated || weighed)
        size = ((size + 7) & ~(size_t)7) + sizeof(int64_t) * ((size_t)dated + weighed);
    return size;
}

static struct entry *entry_create_with(const void *key, size_t key_size, bool dated, bool weighed)
{
    struct entry *entry = slab_alloc(entry_size(key_size, dated, weighed));

    if (entry == NULL)
        return NULL;
    memset(entry, 0, offsetof(struct entry, key));
    entry->dated = dated;
    entry->weighed = weighed;
    atomic_init(&entry->refs, 1);
    timer_init(&entry->expiry);
    entry->key_size = (uint16_t)key_size;
    memcpy(entry->key, key, key_size);
    entry_set_accessed_ms(entry, 0);
    entry_set_weight(entry, 0);
    return entry;
}

struct entry *entry_create(const void *key, size_t key_size)
{
    return entry_create_with(key, key_size, false, false);
}

struct entry *entry_create_for(const struct sluice_options *options, const void *key, size_t key_size)
{
    return entry_create_with(key, key_size, options->expire_after_access_ms != SLUICE_NEVER,
                             options->weigher.weigh != NULL);
}

void entry_hold(struct entry *entry)
{
    /* By calls that evict, one a thread at the most but for nested ones: far fewer than it counts. */
    must(atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed) < UINT16_MAX);
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
    slab_free(entry, entry_size(entry->key_size, entry->dated, entry->weighed));
}

uint64_t entry_weight(const struct entry *entry)
{
    if (entry->weighed)
        return (uint64_t)*entry_behind_key(entry, entry->dated);
    return value_weight(entry->key_size, entry->value);
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
