/* SPDX-License-Identifier: MIT */
/* options.c: the list of options.h as a table, and what can be asked of it. */
#include "options.h"

#include "address.h"
#include "config_value.h"
#include "log.h"

#include <assert.h>
#include <sluice/loader.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONAL false
#define REQUIRED true

/* The fields' places, found in the struct that the section fills. */
#define STRUCT_ROOT   struct config
#define STRUCT_CACHE  struct config_cache
#define STRUCT_HTTP   struct config_backend
#define STRUCT_SQLITE struct config_backend
#define STRUCT_FILE   struct config_backend

const struct option options_all[OPTIONS_TOTAL] = {
#define OPTION_ROW(section, type, name, field, presence, preset, minimum, maximum, doc)                                \
    {OPTIONS_IN_##section,                                                                                             \
     OPTIONS_TYPE_##type,                                                                                              \
     #name,                                                                                                            \
     offsetof(STRUCT_##section, field),                                                                                \
     sizeof(((STRUCT_##section *)NULL)->field),                                                                        \
     presence,                                                                                                         \
     preset,                                                                                                           \
     minimum,                                                                                                          \
     maximum,                                                                                                          \
     doc},
    OPTIONS(OPTION_ROW)
#undef OPTION_ROW
};

/* The table's types and the fields' types agree. */
#define FIELD_ADDRESS    char * : 1
#define FIELD_PATH       char * : 1
#define FIELD_TEXT       char * : 1
#define FIELD_URL        char * : 1
#define FIELD_MEDIA_TYPE char * : 1
#define FIELD_LEVEL      int : 1
#define FIELD_BOOL       bool : 1
#define FIELD_COUNT                                                                                                    \
    uint32_t:                                                                                                          \
    1, uint64_t : 1
#define FIELD_SIZE                                                                                                     \
    uint32_t:                                                                                                          \
    1, uint64_t : 1
#define FIELD_DURATION                                                                                                 \
    int64_t:                                                                                                           \
    1
#define FIELD_CHECK(section, type, name, field, presence, preset, minimum, maximum, doc)                               \
    static_assert(_Generic(((STRUCT_##section *)NULL)->field, FIELD_##type, default : 0),                              \
                  #name " is not of the type that config.h gives it");
OPTIONS(FIELD_CHECK)

static const char *const SECTION_NAMES[] = {
#define SECTION_NAME(section, name) name,
    OPTIONS_SECTIONS(SECTION_NAME)
#undef SECTION_NAME
};

static const char *const TYPE_WORDS[] = {
#define TYPE_WORD(type, word) word,
    OPTIONS_TYPES(TYPE_WORD)
#undef TYPE_WORD
};

const char *options_section_name(enum options_section section)
{
    return SECTION_NAMES[section];
}

const char *options_type_word(enum options_type type)
{
    return TYPE_WORDS[type];
}

bool options_section_find(const char *name, enum options_section *section)
{
    for (size_t i = 0; i < OPTIONS_SECTIONS_TOTAL; i++) {
        if (strcmp(SECTION_NAMES[i], name) == 0) {
            *section = (enum options_section)i;
            return true;
        }
    }
    return false;
}

const struct option *options_find(enum options_section section, const char *name)
{
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        if (options_all[i].section == section && strcmp(options_all[i].name, name) == 0)
            return &options_all[i];
    }
    return NULL;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

bool options_type_is_string(enum options_type type)
{
    return type == OPTIONS_TYPE_ADDRESS || type == OPTIONS_TYPE_PATH || type == OPTIONS_TYPE_TEXT ||
           type == OPTIONS_TYPE_URL || type == OPTIONS_TYPE_MEDIA_TYPE;
}

static const char *check_string(enum options_type type, const char *text)
{
    struct address ignored;
    switch (type) {
    case OPTIONS_TYPE_ADDRESS:
        return *text ? address_parse(text, &ignored) : "empty";
    case OPTIONS_TYPE_PATH:
        return config_value_check_line(text);
    case OPTIONS_TYPE_TEXT:
        return config_value_check_text(text);
    case OPTIONS_TYPE_URL:
        return config_value_check_url(text);
    case OPTIONS_TYPE_MEDIA_TYPE:
        return config_value_check_media_type(text);
    default:
        abort();
    }
}

static const char *store_string(const struct option *option, const char *text, char **field)
{
    const char *fault = check_string(option->type, text);
    if (fault)
        return fault;
    char *copy = strdup(text);
    if (!copy)
        return "out of memory";
    free(*field);
    *field = copy;
    return NULL;
}

static const char *read_number(const struct option *option, const char *text, uint64_t *number)
{
    return option->type == OPTIONS_TYPE_SIZE ? config_value_size(text, number) : config_value_count(text, number);
}

/* Counts and sizes; fields are size_t or uint64_t. */
static const char *store_number(const struct option *option, const char *text, void *field)
{
    uint64_t number = 0;
    uint64_t minimum = 0;
    uint64_t maximum = 0;
    const char *fault = read_number(option, text, &number);
    if (fault)
        return fault;
    if (read_number(option, option->minimum, &minimum) || read_number(option, option->maximum, &maximum))
        abort(); /* the table is wrong */
    if (number < minimum)
        return "too small";
    if (number > maximum || (option->width == sizeof(uint32_t) && number > UINT32_MAX))
        return "too large";
    uint32_t narrow = (uint32_t)number;
    if (option->width == sizeof(number))
        memcpy(field, &number, sizeof(number));
    else
        memcpy(field, &narrow, sizeof(narrow));
    return NULL;
}

static const char *store_duration(const struct option *option, const char *text, int64_t *field)
{
    int64_t duration_ms = 0;
    int64_t minimum_ms = 0;
    int64_t maximum_ms = 0;
    const char *fault = config_value_duration(text, &duration_ms);
    if (fault)
        return fault;
    if (config_value_duration(option->minimum, &minimum_ms) || config_value_duration(option->maximum, &maximum_ms))
        abort(); /* the table is wrong */
    if (duration_ms == SLUICE_NEVER && maximum_ms != SLUICE_NEVER)
        return "it must end";
    if (duration_ms != SLUICE_NEVER && duration_ms < minimum_ms)
        return "too short";
    if (maximum_ms != SLUICE_NEVER && duration_ms > maximum_ms)
        return "too long";
    *field = duration_ms;
    return NULL;
}

static const char *store_level(const char *text, int *field)
{
    enum log_level level;
    if (log_level_parse(text, &level) != 0)
        return "no such level";
    *field = (int)level;
    return NULL;
}

const char *options_store(const struct option *option, const char *text, void *base)
{
    void *field = (char *)base + option->offset;
    switch (option->type) {
    case OPTIONS_TYPE_BOOL:
        return config_value_bool(text, field);
    case OPTIONS_TYPE_LEVEL:
        return store_level(text, field);
    case OPTIONS_TYPE_COUNT:
    case OPTIONS_TYPE_SIZE:
        return store_number(option, text, field);
    case OPTIONS_TYPE_DURATION:
        return store_duration(option, text, field);
    default:
        return store_string(option, text, field);
    }
}

void options_free_strings(enum options_section section, void *base)
{
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        if (options_all[i].section == section && options_type_is_string(options_all[i].type)) {
            char **field = (char **)((char *)base + options_all[i].offset);
            free(*field);
            *field = NULL;
        }
    }
}
