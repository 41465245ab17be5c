/* SPDX-License-Identifier: MIT */
/* value.c: see value.h. */
#include "value.h"

#include "hash.h"
#include "must.h"
#include "slab.h"

#include <string.h>

#define REASON_SIZE_MAX 1024

/* A header's value must hold no control character: with a line end in it, it would become a header of its own. */
static bool text_is_header_safe(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return true;
}

static bool content_type_valid(const char *text)
{
    size_t size;

    if (text == NULL)
        return true;
    size = strnlen(text, VALUE_TEXT_MAX + 1);
    return size > 0 && size <= VALUE_TEXT_MAX && text_is_header_safe(text, size);
}

static bool etag_valid(const char *text)
{
    size_t size;

    if (text == NULL)
        return true;
    size = strnlen(text, VALUE_TEXT_MAX + 1);
    return size >= 2 && size <= VALUE_TEXT_MAX && text[0] == '"' && text[size - 1] == '"' &&
           memchr(text + 1, '"', size - 2) == NULL && text_is_header_safe(text, size);
}

/* The bytes of all tags, each with its NUL; SIZE_MAX: they are not valid. */
static size_t tags_size(const struct sluice_content *content)
{
    size_t sum = 0;

    if (content->tags_count > VALUE_TAGS_MAX || (content->tags == NULL && content->tags_count > 0))
        return SIZE_MAX;
    for (size_t i = 0; i < content->tags_count; i++) {
        size_t size = content->tags[i] == NULL ? 0 : strnlen(content->tags[i], VALUE_TEXT_MAX + 1);

        if (size == 0 || size > VALUE_TEXT_MAX)
            return SIZE_MAX;
        sum += size + 1;
    }
    return sum;
}

static void tags_copy(char *to, const struct sluice_content *content)
{
    for (size_t i = 0; i < content->tags_count; i++) {
        size_t size = strlen(content->tags[i]) + 1;

        memcpy(to, content->tags[i], size);
        to += size;
    }
}

bool value_times_valid(int64_t ttl_ms, int64_t refresh_ms)
{
    return ttl_ms >= SLUICE_TTL_DEFAULT && refresh_ms >= SLUICE_TTL_DEFAULT;
}

static enum sluice_error content_fault(const struct sluice_content *content, size_t size_max)
{
    if (content->size > size_max)
        return SLUICE_VALUE_TOO_LARGE;
    if (content->data == NULL && content->size > 0)
        return SLUICE_INVALID;
    if (!value_times_valid(content->ttl_ms, content->refresh_ms))
        return SLUICE_INVALID;
    if (!content_type_valid(content->content_type) || !etag_valid(content->etag) || tags_size(content) == SIZE_MAX)
        return SLUICE_INVALID;
    return SLUICE_OK;
}

/* The bytes of a value in memory; the texts' sizes with their NULs. */
static size_t value_room(size_t size, size_t type_size, size_t etag_size, size_t tags_size)
{
    return offsetof(struct sluice_value, bytes) + size + 1 + type_size + etag_size + tags_size;
}

enum sluice_error value_create(const struct sluice_content *content, size_t size_max, bool make_etag,
                               struct sluice_value **value)
{
    char made[HASH_ETAG_SIZE];
    const char *etag = content->etag;
    enum sluice_error error = content_fault(content, size_max);
    size_t type_size, etag_size;
    struct sluice_value *created;
    char *end;

    if (error != SLUICE_OK)
        return error;
    if (etag == NULL && make_etag) {
        hash_etag(content->data, content->size, made);
        etag = made;
    }
    type_size = content->content_type == NULL ? 0 : strlen(content->content_type) + 1;
    etag_size = etag == NULL ? 0 : strlen(etag) + 1;

    created = slab_alloc(value_room(content->size, type_size, etag_size, tags_size(content)));
    if (created == NULL)
        return SLUICE_NO_MEMORY;
    atomic_init(&created->refs, 1);
    created->size = (uint32_t)content->size;
    created->content_type_size = (uint16_t)type_size;
    created->etag_size = (uint16_t)etag_size;
    created->tags_size = (uint16_t)tags_size(content);

    if (content->size > 0)
        memcpy(created->bytes, content->data, content->size);
    end = created->bytes + content->size;
    *end++ = '\0';
    if (type_size > 0)
        memcpy(end, content->content_type, type_size);
    if (etag_size > 0)
        memcpy(end + type_size, etag, etag_size);
    tags_copy(end + type_size + etag_size, content);
    *value = created;
    return SLUICE_OK;
}

struct sluice_value *value_from_text(const char *text)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct sluice_value *value = NULL;

    if (text == NULL)
        return NULL;
    content.data = text;
    content.size = strnlen(text, REASON_SIZE_MAX);
    return value_create(&content, REASON_SIZE_MAX, false, &value) == SLUICE_OK ? value : NULL;
}

uint64_t value_weight(size_t key_size, const struct sluice_value *value)
{
    uint64_t weight = SLUICE_ENTRY_OVERHEAD + (uint64_t)key_size;

    if (value != NULL)
        weight += (uint64_t)value->size + value->content_type_size + value->etag_size + value->tags_size;
    return weight;
}

void value_ref_many(struct sluice_value *value, size_t count)
{
    if (value != NULL && count > 0)
        atomic_fetch_add_explicit(&value->refs, (uint32_t)count, memory_order_relaxed);
}

const void *sluice_value_data(const struct sluice_value *value)
{
    return value->bytes;
}

size_t sluice_value_size(const struct sluice_value *value)
{
    return value->size;
}

const char *sluice_value_content_type(const struct sluice_value *value)
{
    return value->content_type_size == 0 ? NULL : value->bytes + value->size + 1;
}

const char *sluice_value_etag(const struct sluice_value *value)
{
    return value->etag_size == 0 ? NULL : value->bytes + value->size + 1 + value->content_type_size;
}

const char *value_next_tag(const struct sluice_value *value, const char *tag)
{
    const char *first = value->bytes + value->size + 1 + value->content_type_size + value->etag_size;
    const char *next = tag == NULL ? first : tag + strlen(tag) + 1;

    return next < first + value->tags_size ? next : NULL;
}

const char *sluice_value_tag(const struct sluice_value *value, size_t i)
{
    const char *tag = value_next_tag(value, NULL);

    for (; tag != NULL && i > 0; i--)
        tag = value_next_tag(value, tag);
    return tag;
}

bool value_has_tag(const struct sluice_value *value, const char *sought, size_t size)
{
    for (const char *tag = value_next_tag(value, NULL); tag != NULL; tag = value_next_tag(value, tag)) {
        if (strlen(tag) == size && memcmp(tag, sought, size) == 0)
            return true;
    }
    return false;
}

struct sluice_value *sluice_value_ref(struct sluice_value *value)
{
    atomic_fetch_add_explicit(&value->refs, 1, memory_order_relaxed);
    return value;
}

void sluice_value_unref(struct sluice_value *value)
{
    uint32_t before;

    if (value == NULL)
        return;
    /* Release: what this holder read is done before; acquire: whoever frees has seen all holders done. */
    before = atomic_fetch_sub_explicit(&value->refs, 1, memory_order_acq_rel);
    must(before > 0);
    if (before == 1)
        slab_free(value, value_room(value->size, value->content_type_size, value->etag_size, value->tags_size));
}

const char *sluice_outcome_reason(const struct sluice_outcome *outcome)
{
    return outcome->reason != NULL ? outcome->reason->bytes : sluice_strerror(outcome->error);
}

void sluice_outcome_fini(struct sluice_outcome *outcome)
{
    static const struct sluice_outcome empty = SLUICE_OUTCOME_INIT;

    sluice_value_unref(outcome->value);
    sluice_value_unref(outcome->reason);
    *outcome = empty;
}
