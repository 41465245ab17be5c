/* SPDX-License-Identifier: MIT */
/*
 * warm.c: the values of a saved file are stored in a cache. First the file is read and checked whole, and what the
 * cache can use is kept beside it; then that is stored, the coldest first, where nothing has happened to the key
 * meanwhile.
 */
#include "core.h"
#include "saved_file.h"
#include "store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARM_AHEAD_MS_MAX                                                                                              \
    INT64_C(86400000) /* clocks are set wrong by hours, where a time zone is taken for another                         \
                       */

struct warm {
    struct sluice_cache *cache;
    struct sluice_saved *what;
    struct restore *parts; /* one for each shard */
    int64_t now_ms;
    int64_t passed_ms; /* since the file was saved */
    uint64_t room;     /* for what is kept, as the maximum is counted; what is stored meanwhile takes of it */
    uint64_t kept;     /* of that */
    unsigned coldest;  /* nothing that takes up room is kept that is colder */
    struct entry_list heats[SAVED_HEATS];
    struct entry_list pinned; /* what takes up none: nothing is gained by dropping it */
};

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* What the cache has room for now: nothing that is in it gives way. */
static uint64_t warm_find_room(const struct sluice_cache *cache)
{
    uint64_t used = atomic_load_explicit(&cache->used, memory_order_relaxed);
    uint64_t limit = core_limit(cache);

    return used < limit ? limit - used : 0;
}

/* An instant as far from now, without the time that has passed. */
static int64_t warm_instant(const struct warm *warm, int64_t span_ms)
{
    int64_t instant_ms;

    if (span_ms == SAVED_FOR_EVER)
        return CLOCK_FAR;
    if (__builtin_sub_overflow(warm->now_ms, warm->passed_ms, &instant_ms) ||
        __builtin_add_overflow(instant_ms, span_ms, &instant_ms))
        return span_ms > 0 ? CLOCK_FAR : 0;
    return instant_ms;
}

/* Fills in what an entry has stored; takes over the reference of the value. */
static void warm_fill(const struct warm *warm, struct entry *entry, const struct saved_record *record,
                      struct sluice_value *value) FREE_OF_SHARD;
static void warm_fill(const struct warm *warm, struct entry *entry, const struct saved_record *record,
                      struct sluice_value *value)
{
    struct answer answer = {.error = SLUICE_OK, .value = value};

    store_weigh(warm->cache, record->key, record->key_size, &answer);
    entry->answer = SLUICE_OK;
    entry->value = value;
    entry_set_weight(entry, answer.weight);
    entry->stored_ms = warm_instant(warm, -record->age_ms);
    entry->fresh_until_ms = warm_instant(warm, record->fresh_ms);
    entry_set_accessed_ms(entry, warm_instant(warm, -record->idle_ms));
    entry->reload_at_ms = warm_instant(warm, record->reload_ms);
    entry->load_cost_ms = record->load_cost_ms;
}

/* Whether a get of this cache would still be given it, in whatever way. */
static bool warm_is_of_worth(const struct warm *warm, struct entry *entry)
{
    enum worth worth;

    entry->ready = true;
    worth = worth_at(entry, &warm->cache->options, warm->now_ms);
    entry->ready = false;
    return worth != WORTH_NOTHING;
}

/* The coldest entry that is kept, and of those the one that came last, makes room. */
static void warm_drop_coldest(struct warm *warm)
{
    struct entry *entry;

    while (TAILQ_EMPTY(&warm->heats[warm->coldest]))
        warm->coldest--;
    entry = TAILQ_LAST(&warm->heats[warm->coldest], entry_list);
    TAILQ_REMOVE(&warm->heats[warm->coldest], entry, order);
    warm->kept -= core_cost(warm->cache, entry_weight(entry));
    warm->what->no_room++;
    entry_destroy(entry);
}

static void warm_fit(struct warm *warm)
{
    while (warm->kept > warm->room)
        warm_drop_coldest(warm);
}

/* Takes over an entry that is to be stored, if there is room or colder ones make some. */
static void warm_keep(struct warm *warm, struct entry *entry, unsigned heat)
{
    uint64_t cost = core_cost(warm->cache, entry_weight(entry));

    if (cost > warm->room) {
        warm->what->no_room++;
        entry_destroy(entry);
        return;
    }
    if (cost == 0) {
        TAILQ_INSERT_TAIL(&warm->pinned, entry, order);
        return;
    }
    TAILQ_INSERT_TAIL(&warm->heats[heat], entry, order);
    if (heat > warm->coldest)
        warm->coldest = heat;
    warm->kept += cost;
    warm_fit(warm);
}

/* Makes an entry of a record, or counts it as left out. */
static enum sluice_error warm_take(struct warm *warm, struct saved_reader *reader, const struct saved_record *record,
                                   const struct sluice_content *content)
{
    const struct sluice_options *options = &warm->cache->options;
    struct sluice_value *value;
    struct entry *entry;
    enum sluice_error error = value_create(content, options->value_size_max, options->make_etags, &value);

    if (error == SLUICE_INVALID)
        return saved_reader_damaged(reader, "its media type or entity tag can't be one, or it has an empty tag");
    if (error == SLUICE_NO_MEMORY)
        return error;
    if (error == SLUICE_VALUE_TOO_LARGE || record->key_size > options->key_size_max) {
        warm->what->too_large++;
        if (error == SLUICE_OK)
            sluice_value_unref(value);
        return SLUICE_OK;
    }
    entry = entry_create_for(options, record->key, record->key_size);
    if (entry == NULL) {
        sluice_value_unref(value);
        return SLUICE_NO_MEMORY;
    }
    warm_fill(warm, entry, record, value);
    if (warm_is_of_worth(warm, entry)) {
        warm_keep(warm, entry, record->heat);
    } else {
        warm->what->expired++;
        entry_destroy(entry);
    }
    return SLUICE_OK;
}

/* Finds out how much time has passed since the file was saved. */
static enum sluice_error warm_date(struct warm *warm, int64_t saved_ms)
{
    int64_t wall_ms = clock_wall_ms(&warm->cache->options.clock);

    if (saved_ms > WARM_AHEAD_MS_MAX && wall_ms < saved_ms - WARM_AHEAD_MS_MAX)
        return saved_fault(
            warm->what, SLUICE_SAVED_FUTURE,
            "the file is from more than a day ahead of the clock: how old its values are can't be known");
    warm->passed_ms = clock_age_ms(wall_ms, saved_ms);
    if (warm->passed_ms > SAVED_SPAN_MS_MAX)
        warm->passed_ms = SAVED_SPAN_MS_MAX;
    warm->what->age_ms = warm->passed_ms;
    return SLUICE_OK;
}

static enum sluice_error warm_read_records(struct warm *warm, struct saved_reader *reader)
{
    bool more = true;

    while (more) {
        struct sluice_content content;
        struct saved_record record;
        enum sluice_error error = saved_reader_next(reader, &record, &content, &more);

        if (error == SLUICE_OK && more)
            error = warm_take(warm, reader, &record, &content);
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

static enum sluice_error warm_read(struct warm *warm, const char *path)
{
    /* Not blocking: it may be a pipe, and is then refused. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct saved_reader reader;
    enum sluice_error error;

    if (fd < 0)
        return saved_fault_system(warm->what, "the file can't be opened");
    error = saved_reader_init(&reader, fd, warm->what);
    if (error == SLUICE_OK)
        error = warm_date(warm, reader.saved_ms);
    if (error == SLUICE_OK)
        error = warm_read_records(warm, &reader);
    saved_reader_fini(&reader);
    (void)close(fd);
    return error;
}

/* ---- storing ----------------------------------------------------------------------------------------------------- */

/* Stores an entry where the key has nothing, and nothing has happened to it. True in *taken: the shard has it. */
static enum sluice_error warm_store_locked(struct warm *warm, struct shard *shard, struct entry *entry, bool *taken,
                                           struct after *after) HOLDS_SHARD;
static enum sluice_error warm_store_locked(struct warm *warm, struct shard *shard, struct entry *entry, bool *taken,
                                           struct after *after)
{
    uint64_t hash = hash_key(warm->cache->seed, entry->key, entry->key_size);
    const struct restore *part = &warm->parts[shard - warm->cache->shards];
    struct entry *present;

    if (shard->locked.closed)
        return SLUICE_CLOSED;
    (void)shard_peek_locked(shard, entry->key, entry->key_size, hash, warm->now_ms, &present, after);
    if (present != NULL) {
        warm->what->present++;
        return SLUICE_OK;
    }
    /* Only now: an answer that was expired or invalidated, and found to be so just now, has left its mark. */
    if (!restore_allows_locked(shard, part, entry, hash)) {
        warm->what->changed++;
        return SLUICE_OK;
    }
    if (core_cost(warm->cache, entry_weight(entry)) > warm_find_room(warm->cache)) {
        warm->what->no_room++;
        return SLUICE_OK;
    }
    *taken = store_restored_locked(shard, entry, hash, after);
    warm->what->entries += *taken;
    return *taken ? SLUICE_OK : SLUICE_NO_MEMORY;
}

/* Takes over the entry. */
static enum sluice_error warm_store(struct warm *warm, struct entry *entry) FREE_OF_SHARD;
static enum sluice_error warm_store(struct warm *warm, struct entry *entry)
{
    struct shard *shard = core_shard(warm->cache, hash_key(warm->cache->seed, entry->key, entry->key_size));
    enum sluice_error error;
    struct after after;
    bool taken = false;

    after_init(&after);
    lock_acquire(&shard->lock);
    error = warm_store_locked(warm, shard, entry, &taken, &after);
    lock_release(&shard->lock);
    after_run(&after, warm->cache);
    if (!taken)
        entry_destroy(entry);
    return error;
}

/* Stores a list, or if `error` is one drops it. */
static enum sluice_error warm_settle_list(struct warm *warm, struct entry_list *list,
                                          enum sluice_error error) FREE_OF_SHARD;
static enum sluice_error warm_settle_list(struct warm *warm, struct entry_list *list, enum sluice_error error)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, entry, order);
        if (error == SLUICE_OK)
            error = warm_store(warm, entry);
        else
            entry_destroy(entry);
    }
    return error;
}

/* Likewise all that is kept. The hottest last: the next to be evicted is what is stored first. */
static enum sluice_error warm_settle(struct warm *warm, enum sluice_error error) FREE_OF_SHARD;
static enum sluice_error warm_settle(struct warm *warm, enum sluice_error error)
{
    warm->room = warm_find_room(warm->cache);
    warm_fit(warm);
    error = warm_settle_list(warm, &warm->pinned, error);
    for (unsigned heat = SAVED_HEATS; heat-- > 0;)
        error = warm_settle_list(warm, &warm->heats[heat], error);
    return error;
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static enum sluice_error warm_begin(struct warm *warm, struct sluice_cache *cache,
                                    struct sluice_saved *what) FREE_OF_SHARD;
static enum sluice_error warm_begin(struct warm *warm, struct sluice_cache *cache, struct sluice_saved *what)
{
    warm->cache = cache;
    warm->what = what;
    warm->now_ms = clock_now_ms(&cache->options.clock);
    warm->passed_ms = 0;
    warm->room = warm_find_room(cache);
    warm->kept = 0;
    warm->coldest = 0;
    for (unsigned heat = 0; heat < SAVED_HEATS; heat++)
        TAILQ_INIT(&warm->heats[heat]);
    TAILQ_INIT(&warm->pinned);
    warm->parts = malloc(cache->shards_count * sizeof *warm->parts);
    if (warm->parts == NULL)
        return SLUICE_NO_MEMORY;
    for (unsigned i = 0; i < cache->shards_count; i++) {
        lock_acquire(&cache->shards[i].lock);
        restore_begin_locked(&cache->shards[i], &warm->parts[i]);
        lock_release(&cache->shards[i].lock);
    }
    return SLUICE_OK;
}

static void warm_end(struct warm *warm) FREE_OF_SHARD;
static void warm_end(struct warm *warm)
{
    for (unsigned i = 0; i < warm->cache->shards_count; i++) {
        lock_acquire(&warm->cache->shards[i].lock);
        restore_end_locked(&warm->parts[i]);
        lock_release(&warm->cache->shards[i].lock);
    }
    free(warm->parts);
}

enum sluice_error sluice_cache_load(struct sluice_cache *cache, const char *path, struct sluice_saved *what)
{
    struct sluice_saved mine;
    struct sluice_saved *told = what == NULL ? &mine : what;
    struct warm *warm = malloc(sizeof *warm);
    enum sluice_error error = SLUICE_NO_MEMORY;

    memset(told, 0, sizeof *told);
    if (warm == NULL)
        return error;
    error = warm_begin(warm, cache, told);
    if (error == SLUICE_OK) {
        error = warm_settle(warm, warm_read(warm, path));
        warm_end(warm);
    }
    free(warm);
    return error;
}
