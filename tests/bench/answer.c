/* SPDX-License-Identifier: MIT */
/*
 * answer.c: see answer.h. A head that comes in one piece, as nearly all do, is read where it lies, so that the load
 * generator takes little from the server that shares its processors.
 */
#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_BYTES_MAX = 16384, CHUNK_DIGITS_MAX = 15 };

static const uint64_t hash_start = 0xcbf29ce484222325U;

static void take_body(struct answer *answer, const char *bytes, size_t size)
{
    answer->body_bytes += size;
    if (!answer->hash_body) {
        return;
    }
    uint64_t hash = answer->body_hash;

    /* FNV-1a: it only has to tell different bodies apart. */
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3U;
    }
    answer->body_hash = hash;
}

static bool name_is(const char *line, size_t size, const char *name, size_t name_size)
{
    return size > name_size && line[name_size] == ':' && strncasecmp(line, name, name_size) == 0;
}

static bool read_length(struct answer *answer, const char *line, const char *end)
{
    while (line < end && (*line == ' ' || *line == '\t')) {
        line++;
    }
    if (line == end || answer->has_length) {
        return false;
    }
    uint64_t length = 0;

    for (; line < end && *line >= '0' && *line <= '9'; line++) {
        if (length > UINT64_MAX / 100) {
            return false;
        }
        length = length * 10 + (uint64_t)(*line - '0');
    }
    answer->left = length;
    answer->has_length = true;
    return line == end;
}

static bool read_header(struct answer *answer, const char *line, const char *end)
{
    static const char length[] = "content-length";
    static const char encoding[] = "transfer-encoding";
    size_t size = (size_t)(end - line);

    if ((*line | 0x20) == 'c' && name_is(line, size, length, sizeof(length) - 1)) {
        return read_length(answer, line + sizeof(length), end);
    }
    if ((*line | 0x20) == 't' && name_is(line, size, encoding, sizeof(encoding) - 1)) {
        static const char chunked[] = "chunked";
        const size_t chunked_size = sizeof(chunked) - 1;

        answer->chunked = size >= chunked_size && strncasecmp(end - chunked_size, chunked, chunked_size) == 0;
        return answer->chunked;
    }
    return true;
}

static bool read_status(struct answer *answer, const char *line, const char *end)
{
    static const char version[] = "HTTP/1.";
    const size_t code_at = sizeof(version) + 1; /* after the minor version and a space */

    if ((size_t)(end - line) < code_at + 3 || memcmp(line, version, sizeof(version) - 1) != 0) {
        return false;
    }
    for (size_t i = code_at; i < code_at + 3; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return false;
        }
        answer->status = answer->status * 10 + (line[i] - '0');
    }
    return answer->status >= 200 && answer->status < 600;
}

static enum answer_state body_state(const struct answer *answer)
{
    if (answer->status == 204 || answer->status == 304) {
        return ANSWER_COMPLETE;
    }
    if (answer->chunked) {
        return ANSWER_CHUNK_SIZE;
    }
    if (answer->has_length) {
        return answer->left > 0 ? ANSWER_BODY_SIZED : ANSWER_COMPLETE;
    }
    return ANSWER_BODY_UNTIL_CLOSE;
}

/* `size` is that of the whole head with its empty line. */
static bool read_head(struct answer *answer, const char *head, size_t size)
{
    const char *stop = head + size - 2;
    const char *line = head;

    while (line < stop) {
        const char *end = memchr(line, '\r', (size_t)(stop - line));

        if (!end || end[1] != '\n') {
            return false;
        }
        if (!(line == head ? read_status(answer, line, end) : read_header(answer, line, end))) {
            return false;
        }
        line = end + 2;
    }
    answer->state = body_state(answer);
    if (answer->chunked) {
        answer->left = 0;
    }
    return true;
}

/* Keeps a piece of a head. Returns where in it the head ended, counted from its start; 0: not yet; SIZE_MAX: never
 * will. */
static size_t hold_head(struct answer *answer, const char *bytes, size_t size)
{
    if (!answer->held) {
        answer->held = malloc(HEAD_BYTES_MAX);
    }
    size_t room = answer->held ? HEAD_BYTES_MAX - answer->held_size : 0;
    size_t more = size < room ? size : room;

    if (more == 0) {
        return SIZE_MAX;
    }
    memcpy(answer->held + answer->held_size, bytes, more);
    size_t before = answer->held_size;

    answer->held_size += more;
    const char *end = memmem(answer->held, answer->held_size, "\r\n\r\n", 4);

    if (!end) {
        return more < size ? SIZE_MAX : 0;
    }
    answer->held_size = (size_t)(end - answer->held) + 4;
    return answer->held_size - before;
}

/* Returns how many of the bytes belonged to the head; 0 means that it was broken. */
static size_t take_head(struct answer *answer, const char *bytes, size_t size)
{
    answer->body_hash = hash_start;
    if (!answer->held) {
        const char *end = memmem(bytes, size, "\r\n\r\n", 4);

        if (end) {
            size_t head_size = (size_t)(end - bytes) + 4;

            return read_head(answer, bytes, head_size) ? head_size : 0;
        }
    }
    size_t head_end = hold_head(answer, bytes, size);

    if (head_end == 0) {
        return size;
    }
    return head_end != SIZE_MAX && read_head(answer, answer->held, answer->held_size) ? head_end : 0;
}

static size_t take_data(struct answer *answer, const char *bytes, size_t size)
{
    size_t data = answer->left < size ? (size_t)answer->left : size;

    take_body(answer, bytes, data);
    answer->left -= data;
    if (answer->left == 0) {
        answer->state = answer->state == ANSWER_BODY_SIZED ? ANSWER_COMPLETE : ANSWER_CHUNK_DATA_END;
    }
    return data;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of a chunk's frame. `left` counts up from the hexadecimal digits. */
static bool take_frame(struct answer *answer, char c)
{
    int digit;

    switch (answer->state) {
    case ANSWER_CHUNK_SIZE:
        digit = hex_digit(c);
        if (digit >= 0) {
            answer->left = answer->left * 16 + (uint64_t)digit;
            return answer->left >> (4 * CHUNK_DIGITS_MAX) == 0;
        }
        answer->state = ANSWER_CHUNK_EXTENSION;
        return c == '\r' || c == ';' || c == ' ';
    case ANSWER_CHUNK_EXTENSION:
        if (c == '\n') {
            answer->state = answer->left > 0 ? ANSWER_CHUNK_DATA : ANSWER_TRAILER;
        }
        return true;
    case ANSWER_CHUNK_DATA_END:
        if (c == '\n') {
            answer->state = ANSWER_CHUNK_SIZE;
        }
        return c == '\r' || c == '\n';
    case ANSWER_TRAILER:
        if (c == '\n' && !answer->line_has_bytes) {
            answer->state = ANSWER_COMPLETE;
        } else if (c != '\r') {
            answer->line_has_bytes = c != '\n';
        }
        return true;
    default:
        return false;
    }
}

enum answer_progress answer_feed(struct answer *answer, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t taken = 1;

        switch (answer->state) {
        case ANSWER_HEAD:
            taken = take_head(answer, bytes, size);
            break;
        case ANSWER_BODY_SIZED:
        case ANSWER_CHUNK_DATA:
            taken = take_data(answer, bytes, size);
            break;
        case ANSWER_BODY_UNTIL_CLOSE:
            take_body(answer, bytes, size);
            taken = size;
            break;
        default:
            taken = take_frame(answer, *bytes) ? 1 : 0;
            break;
        }
        if (taken == 0) {
            return ANSWER_BROKEN;
        }
        bytes += taken;
        size -= taken;
    }
    return answer->state == ANSWER_COMPLETE ? ANSWER_DONE : ANSWER_MORE;
}

enum answer_progress answer_end(struct answer *answer)
{
    if (answer->state != ANSWER_BODY_UNTIL_CLOSE) {
        return ANSWER_BROKEN;
    }
    answer->state = ANSWER_COMPLETE;
    return ANSWER_DONE;
}

void answer_reset(struct answer *answer)
{
    bool hash_body = answer->hash_body;

    free(answer->held);
    *answer = (struct answer){.hash_body = hash_body};
}

void answer_fini(struct answer *answer)
{
    answer_reset(answer);
}
