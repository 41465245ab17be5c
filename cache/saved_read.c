/* SPDX-License-Identifier: MIT */
/* saved_read.c: the reader of saved files, which trusts nothing that they say; see saved_file.h. */
#include "saved_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t get_le(const unsigned char *from, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++)
        number |= (uint64_t)from[i] << (8 * i);
    return number;
}

static bool all_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static enum sluice_error reader_torn(struct saved_reader *reader)
{
    return saved_fault(reader->what, SLUICE_SAVED_TORN,
                       "the file is torn: it ends at byte %" PRIu64 ", in record %" PRIu64, reader->size,
                       reader->records + 1);
}

/* Fetches more into the empty buffer; no further than the file was long when the reading began. */
static enum sluice_error reader_fetch(struct saved_reader *reader)
{
    uint64_t left = reader->size - reader->fetched;
    size_t some = left < SAVED_BUFFER_SIZE ? (size_t)left : SAVED_BUFFER_SIZE;
    ssize_t size;

    do {
        size = read(reader->fd, reader->buffer, some);
    } while (size < 0 && errno == EINTR);
    if (size < 0)
        return saved_fault_system(reader->what, "the file can't be read");
    if (size == 0)
        return reader_torn(reader);
    reader->taken = 0;
    reader->filled = (size_t)size;
    reader->fetched += (size_t)size;
    return SLUICE_OK;
}

/* The next `size` bytes, which go into the sum of the file. */
static enum sluice_error reader_read(struct saved_reader *reader, unsigned char *to, size_t size)
{
    size_t done = 0;

    if (size > reader->size - reader->offset)
        return reader_torn(reader);
    while (done < size) {
        size_t some = reader->filled - reader->taken;

        if (some == 0) {
            enum sluice_error error = reader_fetch(reader);

            if (error != SLUICE_OK)
                return error;
            continue;
        }
        if (some > size - done)
            some = size - done;
        memcpy(to + done, reader->buffer + reader->taken, some);
        reader->taken += some;
        done += some;
    }
    hash_sum_add(&reader->sum, to, size);
    reader->offset += size;
    return SLUICE_OK;
}

/* ---- header ------------------------------------------------------------------------------------------------------ */

static enum sluice_error header_read(struct saved_reader *reader)
{
    unsigned char header[SAVED_HEADER_SIZE] = {0};
    size_t first = reader->size < sizeof saved_magic ? (size_t)reader->size : sizeof saved_magic;
    enum sluice_error error = reader_read(reader, header, first);
    uint64_t version;

    if (error != SLUICE_OK)
        return error;
    if (memcmp(header, saved_magic, first) != 0)
        return saved_fault(reader->what, SLUICE_SAVED_FOREIGN,
                           "not a file that Sluice saved: it begins with other bytes");
    error = reader_read(reader, header + first, sizeof header - first);
    if (error != SLUICE_OK)
        return error;
    version = get_le(header + 8, 4);
    if (version != SAVED_VERSION)
        return saved_fault(reader->what, SLUICE_SAVED_VERSION,
                           "the file is of version %" PRIu64 " of the format; this is version %d", version,
                           SAVED_VERSION);
    reader->saved_ms = (int64_t)get_le(header + 16, 8);
    if (!all_zero(header + 12, 4) || reader->saved_ms < 0 || reader->saved_ms > SAVED_SPAN_MS_MAX)
        return saved_fault(reader->what, SLUICE_SAVED_DAMAGED, "the header is damaged");
    return SLUICE_OK;
}

enum sluice_error saved_reader_init(struct saved_reader *reader, int fd, struct sluice_saved *what)
{
    struct stat status;

    memset(reader, 0, sizeof *reader);
    reader->fd = fd;
    reader->what = what;
    if (fstat(fd, &status) != 0)
        return saved_fault_system(what, "the file can't be looked at");
    if (!S_ISREG(status.st_mode))
        return saved_fault(what, SLUICE_SAVED_FOREIGN, "not a regular file");
    reader->size = what->bytes = (uint64_t)status.st_size;
    hash_sum_init(&reader->sum);
    reader->buffer = malloc(SAVED_BUFFER_SIZE);
    if (reader->buffer == NULL)
        return SLUICE_NO_MEMORY;
    return header_read(reader);
}

void saved_reader_fini(struct saved_reader *reader)
{
    free(reader->buffer);
    free(reader->body);
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* The sizes in a record's head. */
struct sizes {
    size_t key;
    size_t value;
    size_t content_type;
    size_t etag;
    size_t tags;
};

enum sluice_error saved_reader_damaged(struct saved_reader *reader, const char *words)
{
    return saved_fault(reader->what, SLUICE_SAVED_DAMAGED, "record %" PRIu64 ", which ends at byte %" PRIu64 ": %s",
                       reader->records, reader->offset, words);
}

static bool span_valid(int64_t span_ms)
{
    return span_ms == SAVED_FOR_EVER || (span_ms >= -SAVED_SPAN_MS_MAX && span_ms <= SAVED_SPAN_MS_MAX);
}

static bool past_valid(int64_t span_ms)
{
    return span_ms >= 0 && span_ms <= SAVED_SPAN_MS_MAX;
}

/* NULL, or what is out of bounds. */
static const char *head_parse(const unsigned char *head, struct sizes *sizes, struct saved_record *record)
{
    sizes->key = (size_t)get_le(head + 2, 2);
    sizes->value = (size_t)get_le(head + 4, 4);
    sizes->content_type = (size_t)get_le(head + 8, 2);
    sizes->etag = (size_t)get_le(head + 10, 2);
    sizes->tags = (size_t)get_le(head + 12, 2);
    record->heat = (unsigned)get_le(head + 14, 2);
    record->age_ms = (int64_t)get_le(head + 16, 8);
    record->fresh_ms = (int64_t)get_le(head + 24, 8);
    record->reload_ms = (int64_t)get_le(head + 32, 8);
    record->idle_ms = (int64_t)get_le(head + 40, 8);
    record->load_cost_ms = (uint32_t)get_le(head + 48, 4);
    if (sizes->key == 0)
        return "the key's size is 0";
    if (sizes->value > INT32_MAX)
        return "the value's size is out of bounds";
    if (sizes->content_type > VALUE_TEXT_MAX + 1 || sizes->etag > VALUE_TEXT_MAX + 1)
        return "the size of the media type or the entity tag is out of bounds";
    if (record->heat >= SAVED_HEATS)
        return "the heat is out of bounds";
    if (!past_valid(record->age_ms) || !past_valid(record->idle_ms) || !span_valid(record->fresh_ms) ||
        !span_valid(record->reload_ms))
        return "a time is out of bounds";
    if (!all_zero(head + 52, 4))
        return "what must be 0 is not";
    return NULL;
}

/* Room for the body, which the file is long enough to have. */
static enum sluice_error body_reserve(struct saved_reader *reader, size_t size)
{
    unsigned char *body;

    if (size > reader->size - reader->offset)
        return reader_torn(reader);
    if (size <= reader->body_room)
        return SLUICE_OK;
    body = realloc(reader->body, size);
    if (body == NULL)
        return SLUICE_NO_MEMORY;
    reader->body = body;
    reader->body_room = size;
    return SLUICE_OK;
}

/* A text of so many bytes with its NUL, or NULL for none. False: it is not one text. */
static bool text_take(const unsigned char **from, size_t size, const char **text)
{
    *text = size == 0 ? NULL : (const char *)*from;
    *from += size;
    return size == 0 || strnlen(*text, size) == size - 1;
}

static bool tags_take(struct saved_reader *reader, const unsigned char *from, size_t size, size_t *count)
{
    const unsigned char *end = from + size;

    for (*count = 0; from < end; (*count)++) {
        size_t length = strnlen((const char *)from, (size_t)(end - from));

        if (*count == VALUE_TAGS_MAX || length == (size_t)(end - from))
            return false;
        reader->tags[*count] = (const char *)from;
        from += length + 1;
    }
    return true;
}

/* NULL, or what is wrong with the body. Whether the texts can stand in a header is value_create()'s part. */
static const char *body_parse(struct saved_reader *reader, const struct sizes *sizes, struct saved_record *record,
                              struct sluice_content *content)
{
    static const struct sluice_content nothing = SLUICE_CONTENT_INIT;
    const unsigned char *from = reader->body;

    *content = nothing;
    record->key = from;
    record->key_size = sizes->key;
    from += sizes->key;
    content->data = from;
    content->size = sizes->value;
    from += sizes->value;
    if (!text_take(&from, sizes->content_type, &content->content_type))
        return "the media type is not a text of its size";
    if (!text_take(&from, sizes->etag, &content->etag))
        return "the entity tag is not a text of its size";
    if (!tags_take(reader, from, sizes->tags, &content->tags_count))
        return "the tags are not texts of their size";
    content->tags = reader->tags;
    return NULL;
}

static enum sluice_error end_check(struct saved_reader *reader, const unsigned char *end, uint64_t sum)
{
    if (!all_zero(end + 2, 14) || !all_zero(end + 24, 24))
        return saved_fault(reader->what, SLUICE_SAVED_DAMAGED, "the end of the file is damaged");
    if (get_le(end + 16, 8) != reader->records)
        return saved_fault(reader->what, SLUICE_SAVED_DAMAGED,
                           "the file has %" PRIu64 " records, and tells of %" PRIu64, reader->records,
                           get_le(end + 16, 8));
    if (get_le(end + SAVED_HEAD_SIZE - 8, 8) != sum)
        return saved_fault(reader->what, SLUICE_SAVED_DAMAGED, "the checksum is wrong");
    if (reader->offset != reader->size)
        return saved_fault(reader->what, SLUICE_SAVED_DAMAGED, "something follows the end, at byte %" PRIu64,
                           reader->offset);
    return SLUICE_OK;
}

enum sluice_error saved_reader_next(struct saved_reader *reader, struct saved_record *record,
                                    struct sluice_content *content, bool *more)
{
    unsigned char head[SAVED_HEAD_SIZE] = {0};
    const char *fault;
    struct sizes sizes;
    size_t body_size;
    uint64_t sum;
    enum sluice_error error = reader_read(reader, head, sizeof head - 8);

    if (error != SLUICE_OK)
        return error;
    sum = hash_sum_get(&reader->sum);
    error = reader_read(reader, head + sizeof head - 8, 8);
    if (error != SLUICE_OK)
        return error;
    *more = get_le(head, 2) != SAVED_END;
    if (!*more)
        return end_check(reader, head, sum);

    reader->records++;
    if (get_le(head, 2) != SAVED_RECORD)
        return saved_reader_damaged(reader, "it is neither a record nor the end");
    fault = head_parse(head, &sizes, record);
    if (fault != NULL)
        return saved_reader_damaged(reader, fault);
    body_size = sizes.key + sizes.value + sizes.content_type + sizes.etag + sizes.tags;
    error = body_reserve(reader, body_size);
    if (error == SLUICE_OK)
        error = reader_read(reader, reader->body, body_size);
    if (error != SLUICE_OK)
        return error;
    fault = body_parse(reader, &sizes, record, content);
    return fault == NULL ? SLUICE_OK : saved_reader_damaged(reader, fault);
}
