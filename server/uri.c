/* SPDX-License-Identifier: MIT */
/* uri.c: request targets, decoded in place. See uri.h. */
#include "uri.h"

#include <stdio.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes that no target may hold as they are. */
static bool is_forbidden(unsigned char c)
{
    return c <= ' ' || c == 0x7f || c == '#';
}

bool uri_decode(char *text, size_t size, size_t offset, size_t *decoded_size, struct uri_fault *fault)
{
    size_t out = 0;
    for (size_t in = 0; in < size; in++) {
        unsigned char c = (unsigned char)text[in];
        if (is_forbidden(c)) {
            snprintf(fault->text, sizeof fault->text, "byte %zu is 0x%02x, which must be percent-encoded as %%%02X",
                     offset + in, c, c);
            return false;
        }
        if (c == '%') {
            int high = size - in > 2 ? hex_digit(text[in + 1]) : -1;
            int low = size - in > 2 ? hex_digit(text[in + 2]) : -1;
            if (high < 0 || low < 0) {
                snprintf(fault->text, sizeof fault->text,
                         "the %% at byte %zu is not followed by two hex digits; a plain %% is written %%25",
                         offset + in);
                return false;
            }
            c = (unsigned char)(high << 4 | low);
            in += 2;
        }
        text[out++] = (char)c;
    }
    *decoded_size = out;
    return true;
}

bool uri_path_parse(char *path, struct uri_path *parsed, struct uri_fault *fault)
{
    memset(parsed, 0, sizeof *parsed);
    size_t size = strlen(path);
    if (size < 2 || path[0] != '/')
        return true;
    char *slash = memchr(path + 1, '/', size - 1);
    size_t cache_size = slash ? (size_t)(slash - path) - 1 : size - 1;
    parsed->cache.data = path + 1;
    if (!uri_decode(path + 1, cache_size, 1, &parsed->cache.size, fault))
        return false;
    parsed->shape = URI_PATH_CACHE;
    if (!slash)
        return true;
    parsed->shape = URI_PATH_KEY;
    parsed->key.data = slash + 1;
    size_t key_offset = (size_t)(slash - path) + 1;
    return uri_decode(slash + 1, size - key_offset, key_offset, &parsed->key.size, fault);
}

bool uri_query_next(const char *query, char **rest, struct uri_parameter *parameter, struct uri_fault *fault)
{
    char *begin = *rest;
    size_t size = strcspn(begin, "&");
    *rest = begin[size] == '&' ? begin + size + 1 : NULL;
    char *equals = memchr(begin, '=', size);
    size_t name_size = equals ? (size_t)(equals - begin) : size;
    size_t offset = (size_t)(begin - query);
    memset(parameter, 0, sizeof *parameter);
    parameter->name.data = begin;
    parameter->has_value = equals != NULL;
    parameter->value.data = begin + size;
    if (!uri_decode(begin, name_size, offset, &parameter->name.size, fault))
        return false;
    if (!equals)
        return true;
    parameter->value.data = equals + 1;
    return uri_decode(equals + 1, size - name_size - 1, offset + name_size + 1, &parameter->value.size, fault);
}

bool uri_bytes_equal(struct uri_bytes bytes, const char *word)
{
    return bytes.size == strlen(word) && memcmp(bytes.data, word, bytes.size) == 0;
}
