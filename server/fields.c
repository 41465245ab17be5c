/* SPDX-License-Identifier: MIT */
/* fields.c: the syntax of lists in headers (RFC 9110, 5.6), as far as we need it. See fields.h. */
#include "fields.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " \t");
}

/* Past a quoted string that begins at `at`, with its escapes; NULL if it does not end. */
static const char *skip_quoted(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : NULL;
}

/* Past the list element that begins at `at`, and its comma; quoted strings may hold commas. */
static const char *skip_element(const char *at)
{
    while (*at && *at != ',') {
        const char *past = *at == '"' ? skip_quoted(at) : at + 1;
        if (!past)
            return at + strlen(at);
        at = past;
    }
    return *at ? at + 1 : at;
}

/* Whether `at` begins with that word and the word ends there; `*past` is what follows, spaces skipped. */
static bool match_word(const char *at, const char *word, const char **past)
{
    size_t size = strlen(word);
    if (strncasecmp(at, word, size) != 0)
        return false;
    *past = skip_spaces(at + size);
    return strchr(" \t,;=", at[size]) != NULL; /* also the end of the text */
}

bool fields_etag_matches(const char *if_none_match, const char *etag)
{
    const char *at = skip_spaces(if_none_match);
    if (*at == '*' && *skip_spaces(at + 1) == '\0')
        return true;
    if (strncmp(etag, "W/", 2) == 0)
        etag += 2;
    size_t size = strlen(etag);
    for (; *at; at = skip_spaces(at)) {
        if (*at == ',') { /* an empty element */
            at++;
            continue;
        }
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        const char *end = *at == '"' ? strchr(at + 1, '"') : NULL; /* a tag has no escapes */
        if (!end)
            return false;
        const char *past = skip_spaces(++end);
        if (*past && *past != ',')
            return false;
        if ((size_t)(end - at) == size && memcmp(at, etag, size) == 0)
            return true;
        at = past;
    }
    return false;
}

bool fields_has_directive(const char *cache_control, const char *directive)
{
    const char *past;
    for (const char *at = skip_spaces(cache_control); *at; at = skip_spaces(skip_element(at)))
        if (match_word(at, directive, &past))
            return true;
    return false;
}

/* The number of seconds, bare or quoted, that must be all of the preference's value; or -1. */
static int64_t parse_seconds(const char *at)
{
    bool quoted = *at == '"';
    at += quoted;
    int64_t seconds = 0;
    if (*at < '0' || *at > '9')
        return -1;
    for (; *at >= '0' && *at <= '9'; at++) {
        seconds = seconds * 10 + (*at - '0');
        if (seconds > INT32_MAX)
            seconds = INT32_MAX;
    }
    if (quoted && *at++ != '"')
        return -1;
    at = skip_spaces(at);
    return *at == '\0' || *at == ',' || *at == ';' ? seconds : -1;
}

int64_t fields_prefer_wait_s(const char *prefer)
{
    const char *past;
    for (const char *at = skip_spaces(prefer); *at; at = skip_spaces(skip_element(at)))
        if (match_word(at, "wait", &past))
            return *past == '=' ? parse_seconds(skip_spaces(past + 1)) : -1;
    return -1;
}
