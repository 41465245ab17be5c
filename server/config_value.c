/* SPDX-License-Identifier: MIT */
/* config_value.c: strict readers: one way to write a thing, overflow is an error, and the error says what is meant. */
#include "config_value.h"

#include "options.h"

#include <sluice/loader.h>
#include <string.h>

static const char DIGITS[] = "0123456789";
static const char NAME_LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

/* A hundred years: an instant plus that is still an instant. */
#define DURATION_MS_MAX (UINT64_C(36500) * 86400000)

static const char TOO_LARGE[] = "the number is too large";

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit SIZE_UNITS[] = {
    {"", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {NULL, 0},
};

static const struct unit DURATION_UNITS[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0},
};

static const struct unit *unit_find(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (strcmp(units->name, name) == 0)
            return units;
    }
    return NULL;
}

/* The digits at the start of `text`; `*rest` is what follows them. */
static const char *read_digits(const char *text, uint64_t *number, const char **rest)
{
    size_t length = strspn(text, DIGITS);
    if (length == 0)
        return "not a whole number";
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return TOO_LARGE;
    }
    *number = value;
    *rest = text + length;
    return NULL;
}

const char *config_value_count(const char *text, uint64_t *count)
{
    uint64_t number;
    const char *rest;
    const char *fault = read_digits(text, &number, &rest);
    if (!fault && *rest)
        fault = "not a whole number";
    if (!fault)
        *count = number;
    return fault;
}

/* What somebody meant who wrote K, MB, gib or the like. */
static const char *explain_size_unit(const char *unit)
{
    static const char *const MEANT[] = {"write KiB (1,024 bytes)", "write MiB (1,048,576 bytes)",
                                        "write GiB (1,073,741,824 bytes)", "write TiB (1,099,511,627,776 bytes)"};
    static const char LETTERS[] = "kKmMgGtT";
    const char *letter = strchr(LETTERS, unit[0]);
    const char *tail = unit + 1;
    if (letter && (!*tail || strcmp(tail, "B") == 0 || strcmp(tail, "b") == 0 || strcmp(tail, "ib") == 0 ||
                   strcmp(tail, "iB") == 0 || strcmp(tail, "i") == 0))
        return MEANT[(letter - LETTERS) / 2];
    return "the unit is not one of KiB, MiB, GiB, TiB";
}

const char *config_value_size(const char *text, uint64_t *bytes)
{
    uint64_t number;
    const char *rest;
    const char *fault = read_digits(text, &number, &rest);
    if (fault)
        return fault;
    const struct unit *unit = unit_find(SIZE_UNITS, rest);
    if (!unit)
        return explain_size_unit(rest);
    if (__builtin_mul_overflow(number, unit->factor, &number))
        return TOO_LARGE;
    *bytes = number;
    return NULL;
}

const char *config_value_duration(const char *text, int64_t *duration_ms)
{
    if (strcmp(text, "never") == 0) {
        *duration_ms = SLUICE_NEVER;
        return NULL;
    }
    uint64_t number;
    const char *rest;
    const char *fault = read_digits(text, &number, &rest);
    if (fault)
        return fault;
    if (!*rest && number != 0)
        return "the unit is missing: ms, s, min, h or d";
    const struct unit *unit = *rest ? unit_find(DURATION_UNITS, rest) : &DURATION_UNITS[0];
    if (!unit)
        return "the unit is not one of ms, s, min, h, d";
    if (__builtin_mul_overflow(number, unit->factor, &number) || number > DURATION_MS_MAX)
        return TOO_LARGE;
    *duration_ms = (int64_t)number;
    return NULL;
}

const char *config_value_bool(const char *text, bool *value)
{
    static const char *const WORDS[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (strcmp(text, WORDS[i]) == 0) {
            *value = i % 2 == 1;
            return NULL;
        }
    }
    return "not true or false";
}

static const char *check_controls(const char *text, const char *allowed)
{
    if (!*text)
        return "empty";
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if ((byte < ' ' || byte == 0x7f) && !strchr(allowed, *text))
            return "it has a control character in it";
    }
    return NULL;
}

const char *config_value_check_line(const char *text)
{
    return check_controls(text, "");
}

const char *config_value_check_text(const char *text)
{
    return check_controls(text, "\n\t");
}

const char *config_value_check_media_type(const char *text)
{
    static const char TOKEN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
    if (!*text)
        return "empty";
    if (strlen(text) > 255)
        return "a media type has at most 255 bytes";
    for (const char *at = text; *at; at++) {
        if (*at < ' ' || *at > '~')
            return "a media type has only printable ASCII characters";
    }
    size_t type = strspn(text, TOKEN);
    size_t subtype = text[type] == '/' ? strspn(text + type + 1, TOKEN) : 0;
    if (type == 0 || subtype == 0)
        return "a media type is type/subtype, as text/plain";
    const char *rest = text + type + 1 + subtype;
    if (*rest && *rest != ';' && *rest != ' ')
        return "a media type is type/subtype, as text/plain";
    if (*rest && rest[strspn(rest, " ")] != ';')
        return "the parameters of a media type begin with a semicolon";
    return NULL;
}

const char *config_value_check_url(const char *text)
{
    static const char KEY[] = "{key}";
    if (!*text)
        return "empty";
    if (strncmp(text, "http://", strlen("http://")) != 0 && strncmp(text, "https://", strlen("https://")) != 0)
        return "a URL begins with http:// or https://";
    for (const char *at = text; *at; at++) {
        if (*at <= ' ' || *at > '~')
            return "a URL has only printable ASCII characters and no spaces";
    }
    const char *host = strstr(text, "://") + strlen("://");
    const char *path = host + strcspn(host, "/?#");
    if (path == host)
        return "the host is missing";
    if (strchr(text, '#'))
        return "a fragment (#) is never sent to a backend";
    const char *key = strstr(text, KEY);
    if (!key)
        return "{key} is missing: it says where the key goes";
    if (strstr(key + 1, KEY))
        return "{key} may stand there only once";
    if (key < path)
        return "{key} may stand in the path or the query only";
    return NULL;
}

const char *config_value_check_cache_name(const char *text)
{
    static const char *const RESERVED[] = OPTIONS_RESERVED_NAMES;
    size_t length = strlen(text);
    if (length == 0)
        return "empty";
    if (length > 64)
        return "the name of a cache has at most 64 characters";
    if (strspn(text, NAME_LETTERS) != length)
        return "the name of a cache is made of A-Z, a-z, 0-9, _ and -";
    for (size_t i = 0; i < sizeof(RESERVED) / sizeof(RESERVED[0]); i++) {
        if (strcmp(text, RESERVED[i]) == 0)
            return "the admin side uses this name";
    }
    return NULL;
}
