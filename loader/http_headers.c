/* SPDX-License-Identifier: MIT */
/* http_headers.c: the values of an answer's headers. See http_headers.h. */
#include "http_headers.h"

#include <sluice/loader.h>
#include <string.h>
#include <strings.h>

/* "If a cache receives a delta-seconds value greater than the greatest integer it can represent": RFC 9111, 1.2.2. */
#define SECONDS_MAX (INT64_C(1) << 31)

/* What a value, its NUL included, may measure to be passed on. */
enum { PASSED_ON_MAX = 256 };

static const char BLANKS[] = " \t\r"; /* curl 7.88 gives "\r" for the value of an empty header */

/* A piece of a header's value. */
struct span {
    const char *data;
    size_t size;
};

static bool span_is(struct span span, const char *word)
{
    return span.size == strlen(word) && strncasecmp(span.data, word, span.size) == 0;
}

static struct span span_trim(struct span span)
{
    while (span.size > 0 && strchr(BLANKS, span.data[span.size - 1]))
        span.size--;
    while (span.size > 0 && strchr(BLANKS, span.data[0])) {
        span.data++;
        span.size--;
    }
    return span;
}

/* Digits only, at least one; held at SECONDS_MAX. */
static bool read_seconds(struct span text, int64_t *seconds)
{
    int64_t sum = 0;

    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        sum = sum * 10 + (text.data[i] - '0');
        if (sum > SECONDS_MAX)
            sum = SECONDS_MAX;
    }
    *seconds = sum;
    return true;
}

/* ---- Cache-Control ----------------------------------------------------------------------------------------------- */

/*
 * Cuts the next directive off `*rest`: up to a comma that is not within a quoted string. `*broken` is set where such a
 * string has no end, since nobody knows then what was meant to stand within it.
 */
static struct span next_directive(const char **rest, bool *broken)
{
    const char *begin = *rest;
    const char *at = begin;
    bool quoted = false;

    for (; *at && (quoted || *at != ','); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted && *at == '\\' && at[1])
            at++;
    }
    *rest = *at ? at + 1 : at;
    *broken |= quoted;
    return (struct span){begin, (size_t)(at - begin)};
}

static void add_age(struct http_cache_control *control, struct span argument, bool *has, int64_t *seconds)
{
    if (*has)
        return;
    if (argument.size >= 2 && argument.data[0] == '"' && argument.data[argument.size - 1] == '"')
        argument = (struct span){argument.data + 1, argument.size - 2};
    if (read_seconds(argument, seconds))
        *has = true;
    else
        control->forbidden = true;
}

void http_cache_control_add(struct http_cache_control *control, const char *value)
{
    while (*value) {
        struct span directive = next_directive(&value, &control->forbidden);
        const char *equals = memchr(directive.data, '=', directive.size);
        struct span name = directive;
        struct span argument = {"", 0};

        if (equals) {
            name.size = (size_t)(equals - directive.data);
            argument.data = equals + 1;
            argument.size = directive.size - name.size - 1;
        }
        name = span_trim(name);
        argument = span_trim(argument);
        /* The forms with field names, as in private="Set-Cookie", are taken as the ones without: the stricter way. */
        if (span_is(name, "no-store") || span_is(name, "no-cache") || span_is(name, "private"))
            control->forbidden = true;
        else if (span_is(name, "max-age"))
            add_age(control, argument, &control->has_max_age, &control->max_age_s);
        else if (span_is(name, "s-maxage"))
            add_age(control, argument, &control->has_s_maxage, &control->s_maxage_s);
    }
}

void http_cache_control_add_vary(struct http_cache_control *control, const char *value)
{
    while (*value) {
        size_t size = strcspn(value, ",");

        if (span_is(span_trim((struct span){value, size}), "*"))
            control->forbidden = true;
        value += size;
        value += *value == ',';
    }
}

void http_cache_control_set_expires(struct http_cache_control *control, int64_t expires_s, int64_t date_s)
{
    int64_t left_s;

    control->has_expires = true;
    if (expires_s == HTTP_NO_TIME || expires_s <= date_s)
        control->expires_in_s = 0;
    else if (__builtin_sub_overflow(expires_s, date_s, &left_s) || left_s > SECONDS_MAX)
        control->expires_in_s = SECONDS_MAX;
    else
        control->expires_in_s = left_s;
}

int64_t http_cache_control_ttl_ms(const struct http_cache_control *control, int64_t age_s, int64_t ttl_max_ms)
{
    int64_t lifetime_s, left_ms;

    if (control->forbidden)
        return 0;
    if (control->has_s_maxage)
        lifetime_s = control->s_maxage_s;
    else if (control->has_max_age)
        lifetime_s = control->max_age_s;
    else if (control->has_expires)
        lifetime_s = control->expires_in_s;
    else
        return SLUICE_TTL_DEFAULT;
    left_ms = lifetime_s > age_s ? (lifetime_s - age_s) * 1000 : 0;
    return ttl_max_ms != SLUICE_NEVER && ttl_max_ms < left_ms ? ttl_max_ms : left_ms;
}

/* ---- others ------------------------------------------------------------------------------------------------------ */

int64_t http_age_s(const char *value)
{
    int64_t seconds = 0;

    /* Of a list of them, which the origin should not send, the first one counts. */
    if (value && read_seconds(span_trim((struct span){value, strcspn(value, ",")}), &seconds))
        return seconds;
    return 0;
}

bool http_etag_is_strong(const char *value)
{
    size_t size = strlen(value);

    if (size < 2 || size >= PASSED_ON_MAX || value[0] != '"' || value[size - 1] != '"')
        return false;
    for (size_t i = 1; i < size - 1; i++) {
        unsigned char byte = (unsigned char)value[i];

        if (byte <= 0x20 || byte == '"' || byte == 0x7f)
            return false;
    }
    return true;
}

bool http_coding_is_identity(const char *value)
{
    while (*value) {
        size_t size = strcspn(value, ",");
        struct span coding = span_trim((struct span){value, size});

        if (coding.size > 0 && !span_is(coding, "identity"))
            return false;
        value += size;
        value += *value == ',';
    }
    return true;
}
