/* SPDX-License-Identifier: MIT */
/*
 * uri_fuzz.c: any bytes as text to decode, and as the path and the query of a request (server/uri.h). What comes out is
 * compared with a decoder that is made to be plain, not fast.
 */
#include "fuzz.h"
#include "uri.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a part of a target comes to. */
struct plain {
    char *data;
    size_t size;
    bool good;
    size_t bad_at; /* where it is wrong */
};

static _Noreturn void broken(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/* A block of exactly these bytes, so that an access outside of it is seen. The caller frees it. */
static char *copy_exactly(const char *data, size_t size)
{
    char *copy = malloc(size);

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    return copy;
}

/* The caller frees `data`. */
static struct plain plain_decode(const char *raw, size_t size)
{
    struct plain plain = {.data = malloc(size + 1), .good = true};

    if (plain.data == NULL)
        abort();
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)raw[i];
        bool is_escape = byte == '%' && i + 2 < size && isxdigit((unsigned char)raw[i + 1]) != 0 &&
                         isxdigit((unsigned char)raw[i + 2]) != 0;
        if (byte < 0x21 || byte == 0x7f || byte == '#' || (byte == '%' && !is_escape)) {
            plain.good = false;
            plain.bad_at = i;
            break;
        }
        if (is_escape) {
            byte = (unsigned char)strtoul((char[]){raw[i + 1], raw[i + 2], '\0'}, NULL, 16);
            i += 2;
        }
        plain.data[plain.size++] = (char)byte;
    }
    return plain;
}

/* A refusal names the first byte that is wrong, in words. */
static void check_fault(const struct uri_fault *fault, size_t bad_at)
{
    char place[40];

    if (memchr(fault->text, '\0', sizeof fault->text) == NULL)
        broken("the fault has no end");
    snprintf(place, sizeof place, "byte %zu is ", bad_at);
    if (strstr(fault->text, place) == NULL)
        broken("the fault names another byte than the first that is wrong");
}

static void check_bytes(struct uri_bytes bytes, const char *raw, size_t size)
{
    struct plain plain = plain_decode(raw, size);

    if (!plain.good)
        broken("what is malformed was decoded");
    if (bytes.size > size)
        broken("what was decoded is longer than what came");
    if (bytes.size != plain.size || memcmp(bytes.data, plain.data, plain.size) != 0)
        broken("what was decoded is something else");
    free(plain.data);
}

/* Every byte as an escape, in either case, means the same bytes again. */
static void check_encoded(struct uri_bytes bytes)
{
    char *encoded = malloc(3 * bytes.size + 1);
    struct uri_fault fault;
    size_t size;

    if (encoded == NULL)
        abort();
    for (size_t i = 0; i < bytes.size; i++)
        snprintf(encoded + 3 * i, 4, i % 2 == 0 ? "%%%02x" : "%%%02X", (unsigned)(unsigned char)bytes.data[i]);
    if (!uri_decode(encoded, 3 * bytes.size, 0, &size, &fault))
        broken("encoded again it is refused");
    if (size != bytes.size || memcmp(encoded, bytes.data, size) != 0)
        broken("encoded and decoded again it is something else");
    free(encoded);
}

static void check_decode(const char *raw, size_t size)
{
    const size_t offset = 7;
    char *text = copy_exactly(raw, size);
    struct plain plain = plain_decode(raw, size);
    struct uri_bytes bytes = {.data = text};
    struct uri_fault fault;

    memset(&fault, '\xff', sizeof fault);
    if (uri_decode(text, size, offset, &bytes.size, &fault)) {
        check_bytes(bytes, raw, size);
        check_encoded(bytes);
    } else if (plain.good) {
        broken("what is well-formed is refused");
    } else {
        check_fault(&fault, offset + plain.bad_at);
    }
    free(plain.data);
    free(text);
}

/* A refusal of two parts, of which the second begins at `second_at`. */
static void check_refusal(const struct uri_fault *fault, const char *raw, size_t first_at, size_t first_size,
                          size_t second_at, size_t second_size)
{
    struct plain first = plain_decode(raw + first_at, first_size);
    struct plain second = plain_decode(raw + second_at, second_size);

    if (first.good && second.good)
        broken("two parts that are well-formed are refused");
    check_fault(fault, first.good ? second_at + second.bad_at : first_at + first.bad_at);
    free(first.data);
    free(second.data);
}

static void check_path(const char *raw)
{
    size_t size = strlen(raw);
    char *path = copy_exactly(raw, size + 1);
    bool has_cache = size > 1 && raw[0] == '/';
    const char *slash = has_cache ? strchr(raw + 1, '/') : NULL;
    size_t cache_size = has_cache ? strcspn(raw + 1, "/") : 0;
    size_t key_at = slash != NULL ? (size_t)(slash - raw) + 1 : size;
    struct uri_path parsed;
    struct uri_fault fault;

    memset(&fault, '\xff', sizeof fault);
    if (!uri_path_parse(path, &parsed, &fault)) {
        if (!has_cache)
            broken("a path without a cache is refused");
        check_refusal(&fault, raw, 1, cache_size, key_at, size - key_at);
    } else if (parsed.shape != (slash != NULL ? URI_PATH_KEY : has_cache ? URI_PATH_CACHE : URI_PATH_OTHER)) {
        broken("the path has another shape");
    } else {
        if (has_cache)
            check_bytes(parsed.cache, raw + 1, cache_size);
        if (slash != NULL)
            check_bytes(parsed.key, raw + key_at, size - key_at);
    }
    free(path);
}

static void check_query(const char *raw)
{
    char *query = copy_exactly(raw, strlen(raw) + 1);

    for (char *rest = query; rest != NULL;) {
        size_t at = (size_t)(rest - query);
        size_t size = strcspn(raw + at, "&");
        const char *equals = memchr(raw + at, '=', size);
        size_t name_size = equals != NULL ? (size_t)(equals - raw) - at : size;
        size_t value_at = at + name_size + (equals != NULL ? 1 : 0);
        struct uri_parameter parameter;
        struct uri_fault fault;

        memset(&fault, '\xff', sizeof fault);
        if (!uri_query_next(query, &rest, &parameter, &fault)) {
            check_refusal(&fault, raw, at, name_size, value_at, at + size - value_at);
        } else {
            check_bytes(parameter.name, raw + at, name_size);
            check_bytes(parameter.value, raw + value_at, at + size - value_at);
            if (parameter.has_value != (equals != NULL))
                broken("a parameter has a value without =, or none with it");
        }
        if (rest != (raw[at + size] == '&' ? query + at + size + 1 : NULL))
            broken("the next parameter begins somewhere else");
    }
    free(query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *target = malloc(size + 1);
    char *question;

    if (target == NULL)
        abort();
    memcpy(target, data, size);
    target[size] = '\0';
    check_decode(target, size);
    question = strchr(target, '?');
    check_query(question != NULL ? question + 1 : target);
    if (question != NULL)
        *question = '\0';
    check_path(target);
    free(target);
    return 0;
}
