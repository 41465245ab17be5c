/* SPDX-License-Identifier: MIT */
/* json_text.c: any bytes as JSON text; JSON as an answer. */
#include "json_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "problem.h"

static bool is_unreserved(unsigned char c)
{
    return (c < 0x80 && isalnum(c)) || c == '-' || c == '.' || c == '_' || c == '~';
}

static json_t *percent_encoded(const unsigned char *bytes, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    char *text = malloc(3 * size + 1);
    if (!text)
        return NULL;
    char *end = text;
    for (size_t i = 0; i < size; i++) {
        if (is_unreserved(bytes[i])) {
            *end++ = (char)bytes[i];
        } else {
            *end++ = '%';
            *end++ = digits[bytes[i] >> 4];
            *end++ = digits[bytes[i] & 15];
        }
    }
    json_t *string = json_stringn(text, (size_t)(end - text));
    free(text);
    return string;
}

json_t *json_text(const void *bytes, size_t size, bool *encoded)
{
    /* jansson checks the UTF-8; a NUL it would take, but many readers of JSON would not. */
    json_t *string = memchr(bytes, '\0', size) ? NULL : json_stringn(bytes, size);
    if (encoded)
        *encoded = !string;
    return string ? string : percent_encoded(bytes, size);
}

char *json_body(json_t *value, size_t flags)
{
    size_t size = value ? json_dumpb(value, NULL, 0, flags) : 0;
    char *body = size > 0 ? malloc(size + 2) : NULL;
    if (body && json_dumpb(value, body, size, flags) == size) {
        body[size] = '\n';
        body[size + 1] = '\0';
    } else {
        free(body);
        body = NULL;
    }
    json_decref(value);
    return body;
}

static void answer(struct http_request *request, unsigned status, json_t *value, size_t flags)
{
    char *body = json_body(value, flags);
    struct http_answer made = {.status = status, .body = body, .release = free, .release_arg = body};
    if (body) {
        made.size = strlen(body);
        http_answer_add(&made, "Content-Type", "application/json");
        http_answer_add(&made, "Cache-Control", "no-store");
    } else {
        problem_make(&made, PROBLEM_NO_MEMORY, NULL);
    }
    http_request_answer(request, &made);
}

void json_answer(struct http_request *request, unsigned status, json_t *value)
{
    answer(request, status, value, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
}

void json_answer_compact(struct http_request *request, unsigned status, json_t *value)
{
    answer(request, status, value, JSON_COMPACT | JSON_PRESERVE_ORDER);
}
