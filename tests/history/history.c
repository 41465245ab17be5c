/* SPDX-License-Identifier: MIT */
/* history.c: see history.h. */
#include "history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum keys_rule { KEYS_NONE, KEYS_ONE, KEYS_SOME };

#define AFTER(kind) (UINT64_C(1) << (kind))

/* What a record of each kind has to look like. */
static const struct shape {
    const char *name;
    enum keys_rule keys;
    uint64_t begins; /* the kinds that it may go on with; AFTER(0): with none */
    uint8_t how_max;
    bool ends; /* it is the one end of what it goes on with */
} shapes[RECORD_KINDS] = {
    [RECORD_GET_BEGIN] = {"get", KEYS_ONE, AFTER(0), RECORD_PEEK, false},
    [RECORD_GET_PARKED] = {"get parked", KEYS_NONE, AFTER(RECORD_GET_BEGIN), 0, true},
    [RECORD_GET_END] = {"get returned", KEYS_NONE, AFTER(RECORD_GET_BEGIN), 0, true},
    [RECORD_CALLBACK] = {"callback", KEYS_NONE, AFTER(RECORD_GET_BEGIN), 0, false},
    [RECORD_CANCEL_BEGIN] = {"cancel", KEYS_NONE, AFTER(RECORD_GET_BEGIN), 0, false},
    [RECORD_CANCEL_END] = {"cancel returned", KEYS_NONE, AFTER(RECORD_CANCEL_BEGIN), 0, true},
    [RECORD_LOAD_BEGIN] = {"load", KEYS_ONE,
                           AFTER(0) | AFTER(RECORD_GET_BEGIN) | AFTER(RECORD_REFRESH_BEGIN) |
                               AFTER(RECORD_ABANDON_BEGIN),
                           RECORD_BACKGROUND, false},
    [RECORD_FINISH_BEGIN] = {"load ends", KEYS_NONE, AFTER(RECORD_LOAD_BEGIN), RECORD_NOT_MODIFIED, true},
    [RECORD_FINISH_END] = {"load ended", KEYS_NONE, AFTER(RECORD_FINISH_BEGIN), 0, true},
    [RECORD_PUT_BEGIN] = {"put", KEYS_ONE, AFTER(0), RECORD_IF_SAME, false},
    [RECORD_PUT_END] = {"put returned", KEYS_NONE, AFTER(RECORD_PUT_BEGIN), 0, true},
    [RECORD_INVALIDATE_BEGIN] = {"invalidate", KEYS_SOME, AFTER(0), RECORD_CHOSEN, false},
    [RECORD_INVALIDATE_END] = {"invalidate returned", KEYS_NONE, AFTER(RECORD_INVALIDATE_BEGIN), 0, true},
    [RECORD_REFRESH_BEGIN] = {"refresh", KEYS_ONE, AFTER(0), 0, false},
    [RECORD_REFRESH_END] = {"refresh returned", KEYS_NONE, AFTER(RECORD_REFRESH_BEGIN), 0, true},
    [RECORD_REMOVED] = {"removed", KEYS_ONE, AFTER(0), RECORD_SIZE, false},
    [RECORD_STATS] = {"counter", KEYS_NONE, AFTER(0), RECORD_STATS_COUNT - 1, false},
    [RECORD_DESTROY_BEGIN] = {"destroy", KEYS_NONE, AFTER(0), 0, false},
    [RECORD_DESTROY_END] = {"destroy returned", KEYS_NONE, AFTER(RECORD_DESTROY_BEGIN), 0, true},
    [RECORD_ABANDON_BEGIN] = {"abandon", KEYS_ONE, AFTER(0), RECORD_RESTARTED, false},
    [RECORD_ABANDON_END] = {"abandon returned", KEYS_NONE, AFTER(RECORD_ABANDON_BEGIN), 0, true},
    [RECORD_TTL_BEGIN] = {"set ttl", KEYS_ONE, AFTER(0), 0, false},
    [RECORD_TTL_END] = {"set ttl returned", KEYS_NONE, AFTER(RECORD_TTL_BEGIN), 0, true},
    [RECORD_CREATE] = {"create", KEYS_NONE, AFTER(0), 0, false},
    [RECORD_CLOSE_BEGIN] = {"close", KEYS_NONE, AFTER(0), 0, false},
    [RECORD_CLOSE_END] = {"close returned", KEYS_NONE, AFTER(RECORD_CLOSE_BEGIN), 0, true},
    [RECORD_EVICTING] = {"evicting", KEYS_ONE, AFTER(0), RECORD_SIZE, false},
    [RECORD_SAVE_BEGIN] = {"save", KEYS_NONE, AFTER(0), 0, false},
    [RECORD_SAVE_END] = {"save returned", KEYS_NONE, AFTER(RECORD_SAVE_BEGIN), 0, true},
    [RECORD_WARM_BEGIN] = {"load of the file", KEYS_NONE, AFTER(0), 0, false},
    [RECORD_WARM_END] = {"load of the file returned", KEYS_NONE, AFTER(RECORD_WARM_BEGIN), 0, true},
};

/* ---- reading ----------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static bool fault_is(char fault[HISTORY_FAULT_MAX], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(fault, HISTORY_FAULT_MAX, format, args);
    va_end(args);
    return false;
}

static bool header_read(struct record_header *header, FILE *file, char fault[HISTORY_FAULT_MAX])
{
    if (fread(header, sizeof *header, 1, file) != 1)
        return fault_is(fault, "too short for a header");
    if (memcmp(header->magic, RECORD_MAGIC, sizeof header->magic) != 0)
        return fault_is(fault, "not a log of a history");
    if (header->version != RECORD_VERSION)
        return fault_is(fault, "version %" PRIu32 ", not %d", header->version, RECORD_VERSION);
    if (header->byte_order != RECORD_BYTE_ORDER || header->record_size != sizeof(struct record))
        return fault_is(fault, "written by a machine of another kind");
    if (header->count == 0 || header->count > SIZE_MAX / sizeof(struct record))
        return fault_is(fault, "%" PRIu64 " records", header->count);
    return true;
}

/* Brings the records to their places, in chunks. */
static bool records_read(struct history *history, FILE *file, char fault[HISTORY_FAULT_MAX])
{
    static struct record chunk[4096];
    uint64_t left = history->count;

    while (left > 0) {
        size_t wanted = left < 4096 ? (size_t)left : 4096;
        if (fread(chunk, sizeof chunk[0], wanted, file) != wanted)
            return fault_is(fault, "the file ends %" PRIu64 " records early", left);
        for (size_t i = 0; i < wanted; i++) {
            uint64_t order = chunk[i].order;
            if (order == 0 || order > history->count)
                return fault_is(fault, "record number %" PRIu64 " of %" PRIu64, order, history->count);
            if (history->records[order - 1].order != 0)
                return fault_is(fault, "record %" PRIu64 " is there twice", order);
            history->records[order - 1] = chunk[i];
        }
        left -= wanted;
    }
    if (fgetc(file) != EOF)
        return fault_is(fault, "the file goes on after the last record");
    return true;
}

/* ---- looking over ------------------------------------------------------------------------------------------------ */

static bool is_of_tags(const struct record *record)
{
    return record->kind == RECORD_INVALIDATE_BEGIN && record->how == RECORD_TAG;
}

static bool record_is_whole(const struct history *history, const struct record *record, char fault[HISTORY_FAULT_MAX])
{
    uint64_t order = record->order;
    const struct shape *shape;
    unsigned keys = (unsigned)__builtin_popcount(record->keys);
    unsigned begin_kind = 0;

    if (record->kind == 0 || record->kind >= RECORD_KINDS)
        return fault_is(fault, "record %" PRIu64 ": kind %u", order, record->kind);
    shape = &shapes[record->kind];
    if ((shape->keys == KEYS_NONE && keys != 0) || (shape->keys == KEYS_ONE && keys != 1) ||
        (shape->keys == KEYS_SOME && keys == 0))
        return fault_is(fault, "record %" PRIu64 " (%s): %u keys", order, shape->name, keys);
    if (record->how > shape->how_max || record->error > RECORD_OTHER || record->source > RECORD_NO_SOURCE ||
        record->stale > 1)
        return fault_is(fault, "record %" PRIu64 " (%s): how %u, error %u, source %u, stale %u", order, shape->name,
                        record->how, record->error, record->source, record->stale);
    if (record->ttl_ms < RECORD_NEVER || record->refresh_ms < RECORD_NEVER || record->thread >= RECORD_THREADS_MAX)
        return fault_is(fault, "record %" PRIu64 " (%s): ttl_ms %d, refresh_ms %d, thread %u", order, shape->name,
                        record->ttl_ms, record->refresh_ms, record->thread);
    if (record->tags >> RECORD_TAGS_MAX != 0 || (is_of_tags(record) && record->tags == 0))
        return fault_is(fault, "record %" PRIu64 " (%s): tags 0x%x", order, shape->name, record->tags);
    if (record->begin >= order)
        return fault_is(fault, "record %" PRIu64 " (%s): goes on with %" PRIu64, order, shape->name, record->begin);
    if (record->begin != 0)
        begin_kind = history_at(history, record->begin)->kind;
    if ((shape->begins & AFTER(begin_kind)) == 0)
        return fault_is(fault, "record %" PRIu64 " (%s): goes on with %" PRIu64 ", which is no such thing", order,
                        shape->name, record->begin);
    if (record->kind == RECORD_LOAD_BEGIN && record->begin != 0 &&
        history_at(history, record->begin)->keys != record->keys)
        return fault_is(fault, "record %" PRIu64 ": a load of another key than what started it", order);
    return true;
}

/* Whether what begins with this record has to be ended by another: what another kind of record may be the end of. */
static bool wants_an_end(const struct record *record)
{
    for (unsigned kind = 1; kind < RECORD_KINDS; kind++)
        if (shapes[kind].ends && (shapes[kind].begins & AFTER(record->kind)) != 0)
            return true;
    return false;
}

static bool ends_are_whole(const struct history *history, char fault[HISTORY_FAULT_MAX])
{
    bool *ended = calloc(history->count + 1, sizeof *ended);
    bool whole = true;

    if (ended == NULL)
        return fault_is(fault, "out of memory");
    for (uint64_t order = 1; order <= history->count && whole; order++) {
        const struct record *record = history_at(history, order);
        if (!shapes[record->kind].ends)
            continue;
        if (ended[record->begin])
            whole = fault_is(fault, "record %" PRIu64 " (%s): a second end of %" PRIu64, order,
                             shapes[record->kind].name, record->begin);
        ended[record->begin] = true;
    }
    for (uint64_t order = 1; order <= history->count && whole; order++) {
        const struct record *record = history_at(history, order);
        if (wants_an_end(record) && !ended[order])
            whole = fault_is(fault, "record %" PRIu64 " (%s): has no end", order, shapes[record->kind].name);
    }
    free(ended);
    return whole;
}

static bool file_read(struct history *history, FILE *file, char fault[HISTORY_FAULT_MAX])
{
    struct record_header header;

    if (!header_read(&header, file, fault))
        return false;
    history->facts = header.facts;
    history->count = header.count;
    history->records = calloc((size_t)header.count, sizeof(struct record));
    if (history->records == NULL)
        return fault_is(fault, "no memory for %" PRIu64 " records", header.count);
    if (!records_read(history, file, fault))
        return false;
    for (uint64_t order = 1; order <= history->count; order++)
        if (!record_is_whole(history, history_at(history, order), fault))
            return false;
    return ends_are_whole(history, fault);
}

bool history_read(struct history *history, const char *path, char fault[HISTORY_FAULT_MAX])
{
    FILE *file = fopen(path, "re");
    bool whole;

    if (file == NULL)
        return fault_is(fault, "%s", strerror(errno));
    history->records = NULL;
    whole = file_read(history, file, fault);
    fclose(file);
    if (!whole)
        history_fini(history);
    return whole;
}

void history_fini(struct history *history)
{
    free(history->records);
    history->records = NULL;
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

const struct record *history_at(const struct history *history, uint64_t order)
{
    return &history->records[order - 1];
}

unsigned history_key(const struct record *record)
{
    return (unsigned)__builtin_ctz(record->keys);
}

/* The words of `how`, for the kinds that have any. */
static const char *how_word(const struct record *record)
{
    static const char *const gets[] = {"blocking",          "asynchronous", "if present", "bulk",
                                       "asynchronous bulk", "compute",      "peek"};
    static const char *const puts[] = {"always", "if absent", "if present", "if same"};
    static const char *const abandons[] = {"given up", "restarted"};
    static const char *const loads[] = {"in the foreground", "in the background"};
    static const char *const finishes[] = {"value", "not found", "failure", "refusal", "not modified"};
    static const char *const scopes[] = {"key", "keys", "prefix", "tag", "all", "chosen"};
    static const char *const soft_scopes[] = {"key, softly", "keys, softly", "prefix, softly",
                                              "tag, softly", "all, softly",  "chosen, softly"};
    static const char *const causes[] = {"explicit", "replaced", "expired", "size"};

    switch (record->kind) {
    case RECORD_GET_BEGIN:
        return gets[record->how];
    case RECORD_LOAD_BEGIN:
        return loads[record->how];
    case RECORD_FINISH_BEGIN:
        return finishes[record->how];
    case RECORD_PUT_BEGIN:
        return puts[record->how];
    case RECORD_ABANDON_BEGIN:
        return abandons[record->how];
    case RECORD_INVALIDATE_BEGIN:
        return record->stale ? soft_scopes[record->how] : scopes[record->how];
    case RECORD_REMOVED:
    case RECORD_EVICTING:
        return causes[record->how];
    default:
        return NULL;
    }
}

static bool has_outcome(const struct record *record)
{
    return record->kind == RECORD_GET_END || record->kind == RECORD_CALLBACK;
}

void history_print(const struct history *history, uint64_t order, FILE *out)
{
    static const char *const errors[] = {"ok",      "not found", "not cached", "load failed", "timed out",
                                         "refused", "unchanged", "closed",     "other"};
    static const char *const sources[] = {"hit", "led", "coalesced", "none"};
    const struct record *record = history_at(history, order);

    fprintf(out, "  %10" PRIu64 "  %" PRId64 " ms  thread %-2u  %s", order, record->time_ms, record->thread,
            shapes[record->kind].name);
    if (record->begin != 0)
        fprintf(out, " of %" PRIu64, record->begin);
    if (record->keys != 0)
        fprintf(out, ", keys 0x%x", record->keys);
    if (how_word(record) != NULL)
        fprintf(out, ", %s", how_word(record));
    if (has_outcome(record))
        fprintf(out, ", %s, %s%s", errors[record->error], sources[record->source], record->stale ? ", stale" : "");
    if (record->value != 0)
        fprintf(out, ", value %" PRIu64, record->value);
    if (record->kind == RECORD_PUT_BEGIN || record->kind == RECORD_FINISH_BEGIN || record->kind == RECORD_TTL_BEGIN)
        fprintf(out, ", ttl %d ms, refresh %d ms", record->ttl_ms, record->refresh_ms);
    if (record->tags != 0)
        fprintf(out, ", tags 0x%x", record->tags);
    fputc('\n', out);
}
