/* SPDX-License-Identifier: MIT */
/* config_again.c: goes by the list of options, as the parser does, in the other direction. See config_again.h. */
#include "config_again.h"

#include "log.h"

#include <inttypes.h>
#include <sluice/loader.h>
#include <stdlib.h>
#include <string.h>

static const void *field_of(const struct option *option, const void *base)
{
    return (const char *)base + option->offset;
}

static const char *string_of(const struct option *option, const void *base)
{
    return *(char *const *)field_of(option, base);
}

/* Counts and sizes; little-endian, as all that we build for. */
static uint64_t number_of(const struct option *option, const void *base)
{
    uint64_t number = 0;

    memcpy(&number, field_of(option, base), option->width);
    return number;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void write_string(FILE *file, const char *name, const char *text)
{
    if (text == NULL)
        return;
    fprintf(file, "%s = \"", name);
    for (; *text != '\0'; text++)
        fprintf(file, strchr("\"\\$", *text) != NULL ? "\\%c" : "%c", *text);
    fprintf(file, "\"\n");
}

static void write_duration(FILE *file, const char *name, int64_t duration_ms)
{
    if (duration_ms == SLUICE_NEVER)
        fprintf(file, "%s = never\n", name);
    else
        fprintf(file, "%s = %" PRId64 "ms\n", name, duration_ms);
}

static void write_level(FILE *file, const char *name, int level)
{
    static const char *const WORDS[] = {"error", "warning", "info", "debug"};

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        enum log_level known;
        if (log_level_parse(WORDS[i], &known) == 0 && (int)known == level)
            fprintf(file, "%s = %s\n", name, WORDS[i]);
    }
}

static void write_option(FILE *file, const struct option *option, const void *base)
{
    switch (option->type) {
    case OPTIONS_TYPE_BOOL:
        fprintf(file, "%s = %s\n", option->name, *(const bool *)field_of(option, base) ? "yes" : "off");
        break;
    case OPTIONS_TYPE_LEVEL:
        write_level(file, option->name, *(const int *)field_of(option, base));
        break;
    case OPTIONS_TYPE_COUNT:
    case OPTIONS_TYPE_SIZE:
        /* One of the two maximums is 0: it is not set. */
        if (number_of(option, base) > 0 || strncmp(option->name, "maximum_", strlen("maximum_")) != 0)
            fprintf(file, "%s = %" PRIu64 "\n", option->name, number_of(option, base));
        break;
    case OPTIONS_TYPE_DURATION:
        write_duration(file, option->name, *(const int64_t *)field_of(option, base));
        break;
    default:
        write_string(file, option->name, string_of(option, base));
    }
}

static void write_options(FILE *file, enum options_section section, const void *base)
{
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        if (options_all[i].section == section)
            write_option(file, &options_all[i], base);
    }
}

enum options_section config_again_backend(const struct config_cache *cache)
{
    static const enum options_section SECTIONS[] = {[CONFIG_BACKEND_HTTP] = OPTIONS_IN_HTTP,
                                                    [CONFIG_BACKEND_SQLITE] = OPTIONS_IN_SQLITE,
                                                    [CONFIG_BACKEND_FILE] = OPTIONS_IN_FILE};

    return SECTIONS[cache->backend.kind];
}

char *config_again_write(const struct config *config)
{
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (file == NULL)
        abort();
    write_options(file, OPTIONS_IN_ROOT, config);
    for (size_t i = 0; i < config->caches_count; i++) {
        const struct config_cache *cache = &config->caches[i];
        enum options_section backend = config_again_backend(cache);
        fprintf(file, "cache \"%s\" {\n", cache->name);
        write_options(file, OPTIONS_IN_CACHE, cache);
        fprintf(file, "%s {\n", options_section_name(backend));
        write_options(file, backend, &cache->backend);
        fprintf(file, "} }\n");
    }
    if (fclose(file) != 0)
        abort();
    return text;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static bool same_string(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *section_difference(enum options_section section, const void *a, const void *b)
{
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        const struct option *option = &options_all[i];
        if (option->section != section)
            continue;
        if (options_type_is_string(option->type) ? !same_string(string_of(option, a), string_of(option, b))
                                                 : memcmp(field_of(option, a), field_of(option, b), option->width) != 0)
            return option->name;
    }
    return NULL;
}

const char *config_again_difference(const struct config *a, const struct config *b)
{
    const char *difference = section_difference(OPTIONS_IN_ROOT, a, b);

    if (a->caches_count != b->caches_count)
        return "cache";
    for (size_t i = 0; i < a->caches_count && difference == NULL; i++) {
        const struct config_cache *one = &a->caches[i];
        const struct config_cache *other = &b->caches[i];
        if (strcmp(one->name, other->name) != 0 || one->backend.kind != other->backend.kind)
            return one->name;
        difference = section_difference(OPTIONS_IN_CACHE, one, other);
        if (difference == NULL)
            difference = section_difference(config_again_backend(one), &one->backend, &other->backend);
    }
    return difference;
}
