/* SPDX-License-Identifier: MIT */
/* run.c: the words that workers and the loader of a run share. See run.h. */
#include "run.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ------------------------------------------------------------------------------------------------------- */

static const char keys[RUN_KEYS_MAX][3] = {{'a', '\0', '0'}, {'b', '\0', '0'}, {'a', '\0', '1'}, {'b', '\0', '1'},
                                           {'a', '\0', '2'}, {'b', '\0', '2'}, {'a', '\0', '3'}, {'b', '\0', '3'}};

static const char *const tags[RECORD_TAGS_MAX] = {"x", "y"};

const char *run_tag(unsigned number)
{
    return tags[number];
}

struct sluice_key run_key(unsigned number)
{
    return (struct sluice_key){keys[number], sizeof keys[number]};
}

unsigned run_key_number(const void *key, size_t key_size)
{
    for (unsigned number = 0; number < RUN_KEYS_MAX; number++)
        if (key_size == sizeof keys[number] && memcmp(keys[number], key, key_size) == 0)
            return number;
    fputs("run: a key that nobody asked for\n", stderr);
    abort();
}

uint16_t run_keys_mask(const struct run *run, const char *prefix)
{
    unsigned mask = 0;

    for (unsigned number = 0; number < run->mood.keys; number++)
        if (memcmp(keys[number], prefix, strlen(prefix)) == 0)
            mask |= 1u << number;
    return (uint16_t)mask;
}

uint64_t run_value_name(const struct sluice_value *value)
{
    uint64_t name = RECORD_NO_VALUE;

    if (value != NULL && sluice_value_size(value) == sizeof name)
        memcpy(&name, sluice_value_data(value), sizeof name);
    return name;
}

int32_t run_span_word(int64_t span_ms, int64_t usual_ms)
{
    if (span_ms == SLUICE_TTL_DEFAULT)
        span_ms = usual_ms;
    if (span_ms == SLUICE_NEVER || span_ms > INT32_MAX)
        return RECORD_NEVER;
    return (int32_t)span_ms;
}

struct sluice_content run_content(const struct run *run, unsigned draw, const uint64_t *name, struct record *record)
{
    static const int64_t ttls_ms[] = {SLUICE_NEVER, SLUICE_NEVER, SLUICE_NEVER, 10000, SLUICE_TTL_DEFAULT, 0, 1, 5};
    static const int64_t refreshes_ms[] = {SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT, 1, SLUICE_NEVER};
    uint8_t mask = (uint8_t)(draw / 32 % (1u << RECORD_TAGS_MAX));
    struct sluice_content content = {
        .data = name,
        .size = sizeof *name,
        .ttl_ms = ttls_ms[draw % 8],
        .refresh_ms = run->mood.refresh_ms == SLUICE_NEVER ? SLUICE_NEVER : refreshes_ms[draw / 8 % 4],
        .tags = &tags[mask == 2 ? 1 : 0], /* of two, any choice lies side by side */
        .tags_count = (size_t)__builtin_popcount(mask),
    };

    record->ttl_ms = run_span_word(content.ttl_ms, RUN_EXPIRE_MS);
    record->refresh_ms = run_span_word(content.refresh_ms, run->mood.refresh_ms);
    record->tags = mask;
    return content;
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

enum record_error run_error_word(enum sluice_error error)
{
    switch (error) {
    case SLUICE_OK:
        return RECORD_OK;
    case SLUICE_NOT_FOUND:
        return RECORD_NOT_FOUND;
    case SLUICE_NOT_CACHED:
        return RECORD_NOT_CACHED;
    case SLUICE_LOAD_FAILED:
    case SLUICE_LOAD_REFUSED:
    case SLUICE_LOAD_TIMED_OUT:
        return RECORD_FAILED;
    case SLUICE_TIMED_OUT:
        return RECORD_TIMED_OUT;
    case SLUICE_TOO_MANY_WAITERS:
    case SLUICE_TOO_MANY_LOADS:
        return RECORD_REFUSED;
    case SLUICE_UNCHANGED:
        return RECORD_UNCHANGED;
    case SLUICE_CLOSED:
        return RECORD_CLOSED;
    default:
        return RECORD_OTHER;
    }
}

void run_record_outcome(struct run *run, enum record_kind kind, uint64_t begin, const struct sluice_outcome *outcome)
{
    static const enum record_source sources[] = {
        [SLUICE_SOURCE_HIT] = RECORD_HIT,
        [SLUICE_SOURCE_LOAD] = RECORD_LED,
        [SLUICE_SOURCE_COALESCED] = RECORD_COALESCED,
        [SLUICE_SOURCE_NONE] = RECORD_NO_SOURCE,
    };

    record_add(run->log, (struct record){.kind = (uint8_t)kind,
                                         .begin = begin,
                                         .error = (uint8_t)run_error_word(outcome->error),
                                         .source = (uint8_t)sources[outcome->source],
                                         .stale = outcome->stale,
                                         .value = outcome->error == SLUICE_OK ? run_value_name(outcome->value) : 0});
}

/* ---- what a thread is about -------------------------------------------------------------------------------------- */

static _Thread_local const struct run_about *current;

uint64_t run_current(unsigned key)
{
    return current == NULL ? 0 : current->begins[key];
}

const struct run_about *run_enter(const struct run_about *about)
{
    const struct run_about *before = current;

    current = about;
    return before;
}

const struct run_about *run_enter_one(struct run_about *room, unsigned key, uint64_t begin)
{
    *room = (struct run_about){{0}};
    room->begins[key] = begin;
    return run_enter(room);
}
