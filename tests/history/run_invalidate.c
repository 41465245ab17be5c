/* SPDX-License-Identifier: MIT */
/* run_invalidate.c: a worker's invalidations, in all ways that there are. See run_work.h. */
#include "run_work.h"

#include <string.h>

/* An invalidation as it is written down, with what the call needs. */
struct invalidation {
    struct record record;
    struct sluice_key both[2];
    const char *pattern; /* a prefix or a tag */
};

/* Chooses by the prefix. */
static bool choose(void *arg, const struct sluice_entry_view *entry)
{
    const char *prefix = arg;

    return memcmp(entry->key, prefix, strlen(prefix)) == 0;
}

/* With the call that can make values stale instead. */
static void invalidate_by(struct sluice_cache *cache, const struct invalidation *what, struct sluice_invalidated *gone)
{
    static const enum sluice_selection selections[] = {
        [RECORD_KEY] = SLUICE_SELECT_KEYS,      [RECORD_KEY_LIST] = SLUICE_SELECT_KEYS,
        [RECORD_PREFIX] = SLUICE_SELECT_PREFIX, [RECORD_TAG] = SLUICE_SELECT_TAG,
        [RECORD_ALL] = SLUICE_SELECT_ALL,
    };
    const struct sluice_invalidation invalidation = {
        .select = selections[what->record.how],
        .keys = what->both,
        .count = what->record.how == RECORD_KEY_LIST ? 2 : 1,
        .pattern = {what->pattern, strlen(what->pattern)},
        .soft = what->record.stale,
    };

    sluice_invalidate_by(cache, &invalidation, gone);
}

static void invalidate_plainly(struct sluice_cache *cache, const struct invalidation *what,
                               struct sluice_invalidated *gone)
{
    switch (what->record.how) {
    case RECORD_KEY:
        sluice_invalidate(cache, what->both[0].data, what->both[0].size, gone);
        break;
    case RECORD_KEY_LIST:
        sluice_invalidate_keys(cache, what->both, 2, gone);
        break;
    case RECORD_PREFIX:
        sluice_invalidate_prefix(cache, what->pattern, strlen(what->pattern), gone);
        break;
    case RECORD_TAG:
        sluice_invalidate_tag(cache, what->pattern, gone);
        break;
    default:
        sluice_invalidate_all(cache, gone);
        break;
    }
}

static void invalidate_call(struct worker *worker, const struct invalidation *what)
{
    struct sluice_cache *cache = worker->run->cache;
    struct sluice_invalidated count, *gone = random_below(&worker->random, 4) == 0 ? &count : NULL;

    if (what->record.how == RECORD_CHOSEN)
        (void)!sluice_invalidate_if(cache, choose, (void *)(uintptr_t)what->pattern, gone);
    else if (what->record.stale || random_below(&worker->random, 2) == 0)
        invalidate_by(cache, what, gone);
    else
        invalidate_plainly(cache, what, gone);
}

static enum record_scope scope_draw(struct worker *worker)
{
    unsigned what = random_below(&worker->random, 100);

    if (what < 50)
        return RECORD_KEY;
    if (what < 66)
        return RECORD_KEY_LIST;
    if (what < 75)
        return RECORD_PREFIX;
    if (what < 87)
        return RECORD_TAG;
    return what < 94 ? RECORD_CHOSEN : RECORD_ALL;
}

void work_invalidate(struct worker *worker, unsigned key)
{
    struct run *run = worker->run;
    unsigned other = (key + 1) % run->mood.keys;
    unsigned tag = random_below(&worker->random, RECORD_TAGS_MAX);
    enum record_scope scope = scope_draw(worker);
    struct invalidation what = {
        .record = {.kind = RECORD_INVALIDATE_BEGIN, .how = (uint8_t)scope, .keys = (uint16_t)(1u << key)},
        .both = {run_key(key), run_key(other)},
        .pattern = random_below(&worker->random, 4) == 0 ? ""
                   : key % 2 == 0                        ? "a"
                                                         : "b",
    };
    uint64_t begin;

    if (scope == RECORD_KEY_LIST)
        what.record.keys |= (uint16_t)(1u << other);
    else if (scope != RECORD_KEY)
        what.record.keys = run_keys_mask(run, scope == RECORD_PREFIX || scope == RECORD_CHOSEN ? what.pattern : "");
    if (scope == RECORD_TAG) {
        what.record.tags = (uint8_t)(1u << tag);
        what.pattern = run_tag(tag);
    }
    if (scope != RECORD_CHOSEN)
        what.record.stale = random_below(&worker->random, 3) == 0;
    begin = record_add(run->log, what.record);
    invalidate_call(worker, &what);
    record_add(run->log, (struct record){.kind = RECORD_INVALIDATE_END, .begin = begin});
}
