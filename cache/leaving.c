/* SPDX-License-Identifier: MIT */
/* leaving.c: see leaving.h. */
#include "leaving.h"

#include "core.h"

/* A call of `evicting` that this thread is in. They nest where listeners of several caches use each other's. */
struct telling {
    const struct sluice_cache *cache;
    const struct telling *outer;
};

static _Thread_local const struct telling *telling_now;

bool leaving_is_told(const struct sluice_cache *cache)
{
    if (cache->options.listener.evicting == NULL)
        return false;
    for (const struct telling *telling = telling_now; telling != NULL; telling = telling->outer) {
        if (telling->cache == cache)
            return false;
    }
    return true;
}

void leaving_mark_locked(struct shard *shard, struct entry *victim, struct leaving *leaving)
{
    must(leaving->count < LEAVING_MAX && (leaving->count == 0 || leaving->shard == shard));
    shard_begin_leaving_locked(shard, victim);
    entry_hold(victim);
    leaving->shard = shard;
    leaving->victims[leaving->count].entry = victim;
    leaving->victims[leaving->count].value = sluice_value_ref(victim->value);
    leaving->victims[leaving->count].number = victim->leaving;
    leaving->count++;
}

static void leaving_take(struct shard *shard, struct entry *entry, uint32_t number) FREE_OF_SHARD;
static void leaving_take(struct shard *shard, struct entry *entry, uint32_t number)
{
    struct after after;

    after_init(&after);
    lock_acquire(&shard->lock);
    if (table_has(&shard->locked.table, entry) && entry->leaving == number && !shard_sweep_locked(shard, entry, &after))
        shard_end_leaving_locked(shard, entry, &after);
    lock_release(&shard->lock);
    after_run(&after, shard->cache);
}

void leaving_run(struct leaving *leaving)
{
    for (unsigned i = 0; i < leaving->count; i++) {
        const struct sluice_listener *listener = &leaving->shard->cache->options.listener;
        const struct telling telling = {leaving->shard->cache, telling_now};
        struct sluice_value *value = leaving->victims[i].value;
        struct entry *entry = leaving->victims[i].entry;

        telling_now = &telling;
        entry_tell(entry, value, SLUICE_REMOVED_SIZE, listener->evicting, listener->self);
        telling_now = telling.outer;
        leaving_take(leaving->shard, entry, leaving->victims[i].number);
        sluice_value_unref(value);
        entry_destroy(entry);
    }
    leaving->count = 0;
}
