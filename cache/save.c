/* SPDX-License-Identifier: MIT */
/* save.c: the values of a cache are written to a file (saved_file.h), which then takes its place in one step. */
#include "core.h"
#include "saved_file.h"
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a shard ----------------------------------------------------------------------------------------------------- */

/* What is to be written of an entry; the key lies behind the last of them. */
struct picture {
    struct saved_record record;
    struct sluice_value *value; /* a reference */
};

struct album {
    size_t count;
    size_t room;
    struct picture *pictures;
    char *key; /* where the next one's bytes go */
};

static bool save_wants(const struct entry *entry, const struct sluice_options *options, int64_t now_ms)
{
    return entry_has_value(entry) && worth_at(entry, options, now_ms) != WORTH_NOTHING;
}

static int64_t save_span_ms(int64_t now_ms, int64_t until_ms)
{
    int64_t span_ms;

    if (until_ms == CLOCK_FAR)
        return SAVED_FOR_EVER;
    if (__builtin_sub_overflow(until_ms, now_ms, &span_ms))
        return until_ms > now_ms ? SAVED_FOR_EVER : -SAVED_SPAN_MS_MAX;
    return span_ms;
}

/*
 * How hot an entry is that has a place in the eviction order, where `later` of `count` go later: what was hit since the
 * eviction policy looked at it comes before what was not, and of each what goes later before what goes earlier.
 */
static unsigned save_heat(const struct entry *entry, size_t later, size_t count)
{
    unsigned heats = SAVED_HEATS / 2;

    return (unsigned)((uint64_t)later * heats / (count + 1)) + (entry->visited ? 0 : heats);
}

static void picture_take_locked(struct picture *picture, const struct entry *entry, char *key,
                                int64_t now_ms) HOLDS_SHARD;
static void picture_take_locked(struct picture *picture, const struct entry *entry, char *key, int64_t now_ms)
{
    memcpy(key, entry->key, entry->key_size);
    picture->record.key = key;
    picture->record.key_size = entry->key_size;
    picture->record.age_ms = clock_age_ms(now_ms, entry->stored_ms);
    picture->record.fresh_ms = save_span_ms(now_ms, entry->fresh_until_ms);
    picture->record.reload_ms = save_span_ms(now_ms, entry_reload_at_ms(entry));
    picture->record.idle_ms = clock_age_ms(now_ms, entry_accessed_ms(entry));
    picture->record.load_cost_ms = entry->load_cost_ms;
    picture->value = sluice_value_ref(entry->value);
}

/* Counts what is to be written, and makes room for it. False: no memory. */
static bool album_init_locked(struct album *album, const struct shard *shard, int64_t now_ms) HOLDS_SHARD;
static bool album_init_locked(struct album *album, const struct shard *shard, int64_t now_ms)
{
    struct table_walk walk = TABLE_WALK_INIT;
    const struct entry *entry;
    size_t keys_size = 0;

    album->count = album->room = 0;
    while ((entry = table_walk_next(&shard->locked.table, &walk)) != NULL) {
        if (save_wants(entry, &shard->cache->options, now_ms)) {
            album->room++;
            keys_size += entry->key_size;
        }
    }
    album->pictures = malloc(album->room * sizeof *album->pictures + keys_size + 1); /* never of no size */
    if (album->pictures == NULL)
        return false;
    album->key = (char *)&album->pictures[album->room];
    return true;
}

static void album_add_locked(struct album *album, const struct entry *entry, unsigned heat, int64_t now_ms) HOLDS_SHARD;
static void album_add_locked(struct album *album, const struct entry *entry, unsigned heat, int64_t now_ms)
{
    must(album->count < album->room);
    picture_take_locked(&album->pictures[album->count], entry, album->key, now_ms);
    album->pictures[album->count].record.heat = heat;
    album->key += entry->key_size;
    album->count++;
}

/* The coldest first; what has no place in the eviction order comes last: it is pinned, or about to leave. */
static bool album_take_locked(struct album *album, const struct shard *shard, int64_t now_ms) HOLDS_SHARD;
static bool album_take_locked(struct album *album, const struct shard *shard, int64_t now_ms)
{
    const struct sluice_options *options = &shard->cache->options;
    struct table_walk walk = TABLE_WALK_INIT;
    struct eviction_walk order;
    const struct entry *entry;

    if (!album_init_locked(album, shard, now_ms))
        return false;
    eviction_walk_init(&order, &shard->locked.eviction, EVICTION_COLDEST);
    while ((entry = eviction_walk_next(&order)) != NULL) {
        if (save_wants(entry, options, now_ms))
            album_add_locked(album, entry, save_heat(entry, album->room - 1 - album->count, album->room), now_ms);
    }
    while ((entry = table_walk_next(&shard->locked.table, &walk)) != NULL) {
        if (save_wants(entry, options, now_ms) && (entry_is_pinned(entry) || entry->leaving != 0))
            album_add_locked(album, entry, entry_is_pinned(entry) ? 0 : SAVED_HEATS - 1, now_ms);
    }
    return true;
}

/* Writes the values of a shard as it is at this instant; times count from now_ms, which is that of the whole file. */
static enum sluice_error save_shard(struct shard *shard, int64_t now_ms, struct saved_writer *writer) FREE_OF_SHARD;
static enum sluice_error save_shard(struct shard *shard, int64_t now_ms, struct saved_writer *writer)
{
    enum sluice_error error = SLUICE_OK;
    unsigned all = UINT_MAX;
    struct album album;
    struct after after;
    bool taken;

    after_init(&after);
    lock_acquire(&shard->lock);
    while (sweep_some_locked(shard, &all, &after)) /* what was invalidated is not saved */
        ;
    taken = album_take_locked(&album, shard, now_ms);
    lock_release(&shard->lock);
    after_run(&after, shard->cache);
    if (!taken)
        return SLUICE_NO_MEMORY;
    for (size_t i = 0; i < album.count; i++) {
        if (error == SLUICE_OK)
            error = saved_writer_add(writer, &album.pictures[i].record, album.pictures[i].value);
        sluice_value_unref(album.pictures[i].value);
    }
    free(album.pictures);
    return error;
}

static enum sluice_error save_shards(struct sluice_cache *cache, int fd, struct sluice_saved *what) FREE_OF_SHARD;
static enum sluice_error save_shards(struct sluice_cache *cache, int fd, struct sluice_saved *what)
{
    int64_t now_ms = clock_now_ms(&cache->options.clock);
    int64_t wall_ms = clock_wall_ms(&cache->options.clock);
    struct saved_writer writer;
    enum sluice_error error;

    if (wall_ms < 0 || wall_ms > SAVED_SPAN_MS_MAX)
        return saved_fault(what, SLUICE_SAVED_SYSTEM, "the wall clock shows a time before 1970, or past all times");
    error = saved_writer_init(&writer, fd, wall_ms, what);
    if (error == SLUICE_NO_MEMORY)
        return error;
    for (unsigned i = 0; i < cache->shards_count && error == SLUICE_OK; i++)
        error = save_shard(&cache->shards[i], now_ms, &writer);
    if (error == SLUICE_OK)
        error = saved_writer_end(&writer);
    saved_writer_fini(&writer);
    return error;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

#define SAVE_SUFFIX          ".XXXXXX"

#define SAVE_NAME_SIZE(path) (strlen(path) + sizeof SAVE_SUFFIX)

/* A name beside `path` for the file while it is written, for mkostemp(). */
static void save_name_set(char *name, const char *path)
{
    (void)snprintf(name, SAVE_NAME_SIZE(path), "%s%s", path, SAVE_SUFFIX);
}

/* Opens the directory that `path` is in; `name` is room for its name. -1: by errno. */
static int save_open_directory(const char *path, char *name)
{
    const char *slash = strrchr(path, '/');
    int size = slash == NULL ? 0 : (int)(slash - path) + 1;

    (void)snprintf(name, SAVE_NAME_SIZE(path), "%.*s.", size, path);
    return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Nothing but a regular file may be replaced. */
static enum sluice_error save_look(const char *path, struct sluice_saved *what)
{
    struct stat status;

    if (lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return SLUICE_OK;
        return saved_fault_system(what, "the path can't be looked at");
    }
    if (!S_ISREG(status.st_mode))
        return saved_fault(what, SLUICE_SAVED_FOREIGN, "the path is taken by what is not a regular file");
    return SLUICE_OK;
}

/* Writes the file under `name` and brings it to the disk. It is there on success alone. */
static enum sluice_error save_write(struct sluice_cache *cache, char *name, struct sluice_saved *what) FREE_OF_SHARD;
static enum sluice_error save_write(struct sluice_cache *cache, char *name, struct sluice_saved *what)
{
    int fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
    enum sluice_error error;

    if (fd < 0)
        return saved_fault_system(what, "no file can be made beside it");
    error = save_shards(cache, fd, what);
    if (error == SLUICE_OK && fsync(fd) != 0)
        error = saved_fault_system(what, "the file can't be brought to the disk");
    if (close(fd) != 0 && error == SLUICE_OK)
        error = saved_fault_system(what, "the file can't be closed");
    if (error != SLUICE_OK)
        (void)unlink(name);
    return error;
}

/* Puts the file in its place. */
static enum sluice_error save_place(const char *name, const char *path, int directory, struct sluice_saved *what)
{
    if (rename(name, path) != 0) {
        (void)saved_fault_system(what, "the file can't take its place");
        (void)unlink(name);
        return SLUICE_FILE;
    }
    if (fsync(directory) != 0)
        return saved_fault_system(what, "the file is in its place, but its directory can't be brought to the disk");
    return SLUICE_OK;
}

static enum sluice_error save_file(struct sluice_cache *cache, const char *path,
                                   struct sluice_saved *what) FREE_OF_SHARD;
static enum sluice_error save_file(struct sluice_cache *cache, const char *path, struct sluice_saved *what)
{
    char *name = malloc(SAVE_NAME_SIZE(path));
    enum sluice_error error = SLUICE_NO_MEMORY;
    int directory;

    if (name == NULL)
        return error;
    error = save_look(path, what);
    if (error != SLUICE_OK)
        goto no_directory;
    directory = save_open_directory(path, name);
    if (directory < 0) {
        error = saved_fault_system(what, "the directory can't be opened");
        goto no_directory;
    }
    save_name_set(name, path);
    error = save_write(cache, name, what);
    if (error == SLUICE_OK)
        error = save_place(name, path, directory, what);
    (void)close(directory);
no_directory:
    free(name);
    return error;
}

enum sluice_error sluice_cache_save(struct sluice_cache *cache, const char *path, struct sluice_saved *what)
{
    struct sluice_saved mine;
    struct sluice_saved *told = what == NULL ? &mine : what;

    memset(told, 0, sizeof *told);
    return save_file(cache, path, told);
}
