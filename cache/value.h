/* SPDX-License-Identifier: MIT */
/*
 * value.h: immutable bytes behind an atomic count, in one piece of memory: head, bytes, NUL, media type, entity tag.
 * A failure's reason is kept as a value too, so that one kind of reference serves every outcome.
 */
#ifndef CACHE_VALUE_H
#define CACHE_VALUE_H

#include <sluice/cache.h>
#include <stdatomic.h>

#define VALUE_TEXT_MAX 255 /* longest media type and entity tag, in bytes */

struct sluice_value {
    _Atomic uint32_t refs;
    uint32_t size;
    uint16_t content_type_size; /* with its NUL; 0: there is none */
    uint16_t etag_size;         /* likewise */
    char bytes[];
};

/*
 * Copies `content`; with `make_etag` a value that has no etag gets one. The value has one reference. Errors:
 * SLUICE_VALUE_TOO_LARGE over size_max, SLUICE_INVALID for a media type or etag that can't stand in a header, or for a
 * ttl that is none, SLUICE_NO_MEMORY.
 */
enum sluice_error value_create(const struct sluice_content *content, size_t size_max, bool make_etag,
                               struct sluice_value **value) SLUICE_CHECK_RESULT;

/* Whether these can be a time to live and a refresh time, as in struct sluice_content. */
bool value_times_valid(int64_t ttl_ms, int64_t refresh_ms);

/* A text as a value, cut at 1,024 bytes; NULL for NULL, and where there is no memory: a reason may be missing. */
struct sluice_value *value_from_text(const char *text);

/* Takes `count` more references at once. */
void value_ref_many(struct sluice_value *value, size_t count);

#endif
