/* SPDX-License-Identifier: MIT */
/* http_check.c: see http_check.h. Runs for every request, so nothing here copies or allocates. */
#include "http_check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct field_name {
    const char *text;
    size_t size;
};

#define FIELD_NAME(id, name) {name, sizeof(name) - 1},
static const struct field_name field_names[] = {HTTP_FIELDS(FIELD_NAME)};
#undef FIELD_NAME

enum http_field http_check_field(const char *name, size_t name_size)
{
    for (int field = 0; field < HTTP_FIELDS_COUNT; field++)
        if (field_names[field].size == name_size && strncasecmp(field_names[field].text, name, name_size) == 0)
            return (enum http_field)field;
    return HTTP_FIELDS_COUNT;
}

enum http_method http_check_method(const char *name)
{
    if (strcmp(name, "GET") == 0)
        return HTTP_GET;
    if (strcmp(name, "HEAD") == 0)
        return HTTP_HEAD;
    return strcmp(name, "DELETE") == 0 ? HTTP_DELETE : HTTP_OTHER;
}

static bool is_alphanumeric(unsigned char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 || (unsigned char)(c - '0') < 10;
}

/* Whether all bytes are letters, digits, or in `others`. */
static bool is_made_of(const char *text, size_t size, const char *others)
{
    for (size_t i = 0; i < size; i++)
        if (!is_alphanumeric((unsigned char)text[i]) && (!text[i] || !strchr(others, text[i])))
            return false;
    return true;
}

/* Whether the name is that of `field` with something after it. */
static bool is_extended(const char *name, size_t name_size, enum http_field field)
{
    return name_size > field_names[field].size &&
           strncasecmp(name, field_names[field].text, field_names[field].size) == 0;
}

/*
 * Whether a header is what it claims to be (RFC 9112, 5.1; RFC 9110, 5.5): its name is a token, its value has no bare
 * CR. A name that begins like one that tells where the request ends, and goes on, was folded.
 */
static bool field_is_sound(const char *name, size_t name_size, const char *value, size_t value_size)
{
    return name_size > 0 && is_made_of(name, name_size, "-_.!#$%&'*+^`|~") &&
           !(value_size > 0 && memchr(value, '\r', value_size)) &&
           !is_extended(name, name_size, HTTP_FIELD_CONTENT_LENGTH) &&
           !is_extended(name, name_size, HTTP_FIELD_TRANSFER_ENCODING);
}

/* Whether a Host header is host and port (RFC 9110, 7.2), as far as their bytes go. */
static bool host_is_sound(const char *host)
{
    return is_made_of(host, strlen(host), ".:-[]_~%!$&'()*+,;=");
}

bool http_check_add(struct http_check *check, const char *name, size_t name_size, const char *value, size_t value_size)
{
    if (!field_is_sound(name, name_size, value, value_size)) {
        check->refusal = HTTP_REFUSAL_FIELD_SYNTAX;
        return false;
    }
    enum http_field field = http_check_field(name, name_size);
    if (field == HTTP_FIELDS_COUNT)
        return true;
    if (!check->fields[field])
        check->fields[field] = value ? value : "";
    else if (field == HTTP_FIELD_HOST || field == HTTP_FIELD_CONTENT_LENGTH)
        check->refusal = HTTP_REFUSAL_FIELD_REPEATED;
    return true;
}

bool http_check_adjoins(const char *end, const char *next, size_t lines)
{
    uintptr_t gap = (uintptr_t)next - (uintptr_t)end; /* huge where next lies before end */
    return gap >= lines && gap <= 2 * lines;
}

bool http_check_line(const char *method, const char *target, size_t target_size, const char *version)
{
    const char *at = method + strlen(method) + 1;
    while (at < target && *at == ' ') /* several are let pass, as by others */
        at++;
    return at == target && target + target_size + 1 == version;
}

uint64_t http_check_body_size(const struct http_check *check)
{
    const char *length = check->fields[HTTP_FIELD_CONTENT_LENGTH];
    return length ? strtoull(length, NULL, 10) : 0;
}

static enum http_refusal refusal_of(const struct http_check *check, enum http_method method, const char *version,
                                    const struct http_check_limits *limits)
{
    if (method != HTTP_OTHER) {
        uint64_t body_size = http_check_body_size(check);
        if (check->fields[HTTP_FIELD_TRANSFER_ENCODING])
            return HTTP_REFUSAL_TRANSFER_ENCODING;
        if (body_size > 0)
            return body_size > limits->body_size_max ? HTTP_REFUSAL_BODY_SIZE : HTTP_REFUSAL_BODY;
    }
    const char *host = check->fields[HTTP_FIELD_HOST];
    if (!host && strcmp(version, "HTTP/1.0") != 0)
        return HTTP_REFUSAL_HOST_MISSING;
    if (host && !host_is_sound(host))
        return HTTP_REFUSAL_HOST_INVALID;
    return limits->header_size > limits->header_size_max ? HTTP_REFUSAL_HEADER_SIZE : HTTP_REFUSAL_NONE;
}

void http_check_end(struct http_check *check, enum http_method method, const char *version,
                    const struct http_check_limits *limits)
{
    if (check->refusal == HTTP_REFUSAL_NONE)
        check->refusal = refusal_of(check, method, version, limits);
}
