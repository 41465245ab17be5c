/* SPDX-License-Identifier: MIT */
/*
 * saved_cache_fuzz.c: any bytes, with the checksum put right, loaded into a cache (sluice/save.h). A file that is
 * refused leaves the cache empty. One that is taken keeps the cache's bounds, and what the cache then saves makes a
 * second one of the same values.
 */
#include "broken.h"
#include "fuzz.h"
#include "saved_seal.h"

#include <sluice/cache.h>
#include <sluice/loader.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES_MAX    16
#define KEY_SIZE_MAX   64
#define VALUE_SIZE_MAX 1024

/* ---- caches ------------------------------------------------------------------------------------------------------ */

static int64_t stand_still(void *self)
{
    (void)self;
    return INT64_C(1) << 40;
}

static void load_nothing(void *self, struct sluice_load *load)
{
    (void)self;
    sluice_load_not_found(load);
}

/* One that leaves out what is long expired, too large or too much. */
static struct sluice_cache *make_cache(void)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache;

    options.loader.load = load_nothing;
    options.clock = (struct sluice_clock){.now_ms = stand_still, .wall_ms = stand_still};
    options.shards = 1;
    options.maximum_entries = ENTRIES_MAX;
    options.key_size_max = KEY_SIZE_MAX;
    options.value_size_max = VALUE_SIZE_MAX;
    options.stale_if_error_ms = 60000;
    if (sluice_cache_create(&options, &cache) != SLUICE_OK)
        abort();
    return cache;
}

static uint64_t count_entries(struct sluice_cache *cache)
{
    struct sluice_stats stats;

    sluice_cache_stats(cache, &stats);
    return stats.entries;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Who has the key has the same of it; *compared is set to NULL then. */
static bool compare_entry(void *compared, const struct sluice_entry_view *b)
{
    const struct sluice_entry_view **entry = compared;
    const struct sluice_entry_view *a = *entry;

    if (a->key_size != b->key_size || memcmp(a->key, b->key, a->key_size) != 0)
        return true;
    if (sluice_value_size(a->value) != sluice_value_size(b->value) ||
        memcmp(sluice_value_data(a->value), sluice_value_data(b->value), sluice_value_size(a->value)) != 0 ||
        !same_text(sluice_value_content_type(a->value), sluice_value_content_type(b->value)) ||
        !same_text(sluice_value_etag(a->value), sluice_value_etag(b->value)))
        broken("a value is another", "after it was saved and loaded again");
    if (a->ttl_ms != b->ttl_ms || a->age_ms != b->age_ms)
        broken("a time is another", "after it was saved and loaded again");
    *entry = NULL;
    return false;
}

static bool check_entry(void *other, const struct sluice_entry_view *entry)
{
    if (entry->key_size > KEY_SIZE_MAX || sluice_value_size(entry->value) > VALUE_SIZE_MAX)
        broken("a key or a value", "is over the cache's bounds");
    if (sluice_cache_for_each(other, compare_entry, &entry) != SLUICE_OK)
        abort();
    if (entry != NULL)
        broken("a value is not there", "after it was saved and loaded again");
    return true;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* In memory: a save brings its file to the disk. */
static char directory[] = "/dev/shm/sluice-fuzz-XXXXXX";
static char path[sizeof directory + sizeof "/saved"];

static void remove_directory(void)
{
    unlink(path);
    rmdir(directory);
}

/* Replaces what is in the file. */
static void write_file(const uint8_t *data, size_t size)
{
    FILE *file;

    if (path[0] == '\0') {
        if (mkdtemp(directory) == NULL || atexit(remove_directory) != 0)
            abort();
        snprintf(path, sizeof path, "%s/saved", directory);
    }
    file = fopen(path, "we");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

/* ------------------------------------------------------------------------------------------------------------------ */

static void check_counts(struct sluice_cache *cache, const struct sluice_saved *what, size_t size)
{
    if (what->entries > ENTRIES_MAX || what->entries != count_entries(cache))
        broken("the values are more than may be", "or not those that are told");
    if (what->bytes != size || what->age_ms < 0 || what->changed > 0)
        broken("what is told of the file", "is not so");
}

/* Saves a cache that was loaded, and loads another from that. */
static void check_again(struct sluice_cache *cache)
{
    struct sluice_cache *again = make_cache();
    struct sluice_saved what;
    uint64_t count = count_entries(cache);

    if (sluice_cache_save(cache, path, &what) != SLUICE_OK || what.entries != count)
        broken("what was loaded is not saved", what.words);
    if (sluice_cache_load(again, path, &what) != SLUICE_OK || what.entries != count)
        broken("what was saved is not loaded", what.words);
    if (sluice_cache_for_each(cache, check_entry, again) != SLUICE_OK)
        abort();
    sluice_cache_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *sealed = saved_seal(data, size);
    struct sluice_cache *cache;
    struct sluice_saved what;

    if (sealed == NULL)
        return 0;
    cache = make_cache();
    write_file(sealed, size);
    if (sluice_cache_load(cache, path, &what) == SLUICE_OK) {
        check_counts(cache, &what, size);
        check_again(cache);
    } else if (what.fault == SLUICE_SAVED_WELL || what.words[0] == '\0' || count_entries(cache) > 0) {
        broken("refused without words", "or with values in the cache");
    }
    sluice_cache_destroy(cache);
    free(sealed);
    return 0;
}
