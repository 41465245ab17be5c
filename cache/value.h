/* SPDX-License-Identifier: MIT */
/*
 * value.h: immutable bytes behind an atomic count, in one piece of memory: head, bytes, NUL, media type, entity tag,
 * tags. A failure's reason is kept as a value too, so that one kind of reference serves every outcome.
 */
#ifndef CACHE_VALUE_H
#define CACHE_VALUE_H

#include <sluice/cache.h>
#include <stdatomic.h>

#define VALUE_TEXT_MAX 255 /* longest media type, entity tag and tag, in bytes */
#define VALUE_TAGS_MAX 64

struct sluice_value {
    _Atomic uint32_t refs;
    uint32_t size;
    uint16_t content_type_size; /* with its NUL; 0: there is none */
    uint16_t etag_size;         /* likewise */
    uint16_t tags_size;         /* of all, each with its NUL; 0: there are none */
    char bytes[];
};

/*
 * Copies `content`; with `make_etag` a value that has no etag gets one. The value has one reference. Errors:
 * SLUICE_VALUE_TOO_LARGE over size_max, SLUICE_INVALID for a media type or etag that can't stand in a header, for a ttl
 * or tags that are none, SLUICE_NO_MEMORY.
 */
enum sluice_error value_create(const struct sluice_content *content, size_t size_max, bool make_etag,
                               struct sluice_value **value) SLUICE_CHECK_RESULT;

/* Whether these can be a time to live and a refresh time, as in struct sluice_content. */
bool value_times_valid(int64_t ttl_ms, int64_t refresh_ms);

/* A text as a value, cut at 1,024 bytes; NULL for NULL, and where there is no memory: a reason may be missing. */
struct sluice_value *value_from_text(const char *text);

/* The first tag of a value, with `tag` NULL, or the one after `tag`; NULL: there is none. */
const char *value_next_tag(const struct sluice_value *value, const char *tag);

/* Whether the value carries this tag, of so many bytes without a NUL. */
bool value_has_tag(const struct sluice_value *value, const char *sought, size_t size);

/* The bytes that an entry of this key and value weighs, where no weigher says otherwise; without a value NULL. */
uint64_t value_weight(size_t key_size, const struct sluice_value *value);

/* Takes `count` more references at once. */
void value_ref_many(struct sluice_value *value, size_t count);

#endif
