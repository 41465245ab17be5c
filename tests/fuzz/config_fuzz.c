/* SPDX-License-Identifier: MIT */
/*
 * config_fuzz.c: any bytes as a configuration file (server/config.h). Either a configuration comes out that keeps every
 * bound of options.h, or faults do, each with its place; never both, never neither. A configuration that is written as
 * a file again is the same one when it is read.
 */
#include "address.h"
#include "broken.h"
#include "config.h"
#include "config_again.h"
#include "config_fault.h"
#include "config_value.h"
#include "fuzz.h"
#include "options.h"

#include <sluice/loader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char NAME[] = "a.conf";

/* ---- a configuration --------------------------------------------------------------------------------------------- */

/* Whether a number of that option may be. Of the two maximums 0 says that it is not set. */
static bool number_fits(const struct option *option, const void *field)
{
    enum options_index index = (enum options_index)(option - options_all);
    bool may_be_unset = index == OPTION_CACHE_maximum_entries || index == OPTION_CACHE_maximum_size;
    uint64_t number = 0;
    uint64_t minimum;
    uint64_t maximum;

    memcpy(&number, field, option->width); /* little-endian, as all that we build for */
    if (config_value_size(option->minimum, &minimum) != NULL || config_value_size(option->maximum, &maximum) != NULL)
        abort();
    return (number >= minimum && number <= maximum) || (number == 0 && may_be_unset);
}

static bool duration_fits(const struct option *option, const int64_t *field)
{
    int64_t minimum_ms;
    int64_t maximum_ms;

    if (config_value_duration(option->minimum, &minimum_ms) != NULL ||
        config_value_duration(option->maximum, &maximum_ms) != NULL)
        abort();
    if (*field == SLUICE_NEVER)
        return maximum_ms == SLUICE_NEVER;
    return *field >= minimum_ms && (maximum_ms == SLUICE_NEVER || *field <= maximum_ms);
}

/* Whether it is printable ASCII with no space, has {key} once, no fragment, and something between // and the path. */
static bool url_fits(const char *url)
{
    const char *key = strstr(url, "{key}");
    const char *host = strstr(url, "://");

    if (strncmp(url, "http://", strlen("http://")) != 0 && strncmp(url, "https://", strlen("https://")) != 0)
        return false;
    for (const char *at = url; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '#')
            return false;
    }
    return key != NULL && strstr(key + 1, "{key}") == NULL && strchr("/?", host[3]) == NULL &&
           strcspn(host + 3, "/?") < (size_t)(key - host) - 3;
}

static bool has_controls(const char *text, const char *but)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < ' ' || *text == 0x7f) && strchr(but, *text) == NULL)
            return true;
    }
    return false;
}

static bool string_fits(const struct option *option, const char *text)
{
    struct address address;

    if (text == NULL)
        return !option->required && option->preset == NULL;
    if (text[0] == '\0' || has_controls(text, option->type == OPTIONS_TYPE_TEXT ? "\n\t" : ""))
        return false;
    switch (option->type) {
    case OPTIONS_TYPE_ADDRESS:
        return address_parse(text, &address) == NULL;
    case OPTIONS_TYPE_URL:
        return url_fits(text);
    case OPTIONS_TYPE_MEDIA_TYPE:
        return strlen(text) < 256 && strchr(text, '/') != NULL && strchr(text, '/') != text;
    default:
        return true;
    }
}

static bool is_name(const char *name)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return name[0] != '\0' && strlen(name) <= 64 && strspn(name, LETTERS) == strlen(name);
}

static bool field_fits(const struct option *option, const void *field)
{
    if (options_type_is_string(option->type))
        return string_fits(option, *(char *const *)field);
    switch (option->type) {
    case OPTIONS_TYPE_COUNT:
    case OPTIONS_TYPE_SIZE:
        return number_fits(option, field);
    case OPTIONS_TYPE_DURATION:
        return duration_fits(option, field);
    default:
        return true; /* a bool, a level: sanitizers look at the one, the parser has a table of the other */
    }
}

static void check_section(enum options_section section, const void *base)
{
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        const struct option *option = &options_all[i];
        if (option->section == section && !field_fits(option, (const char *)base + option->offset))
            broken("out of bounds", option->name);
    }
}

static void check_cache(const struct config *config, const struct config_cache *cache)
{
    check_section(OPTIONS_IN_CACHE, cache);
    check_section(config_again_backend(cache), &cache->backend);
    if (!is_name(cache->name))
        broken("no name for a cache", cache->name);
    if ((cache->maximum_entries == 0) == (cache->maximum_weight == 0))
        broken("bounded by both or by nothing", cache->name);
    if (cache->failure_backoff_ms > cache->failure_backoff_max_ms)
        broken("the backoff is over its maximum", cache->name);
    for (const struct config_cache *other = config->caches; other < cache; other++) {
        if (strcmp(other->name, cache->name) == 0)
            broken("two caches of one name", cache->name);
    }
}

static void check_config(const struct config *config)
{
    struct address data;
    struct address admin;

    check_section(OPTIONS_IN_ROOT, config);
    if (address_parse(config->listen, &data) != NULL || address_parse(config->admin_listen, &admin) != NULL)
        broken("no address", config->listen);
    if (address_collides(&data, &admin))
        broken("both sides listen here", config->listen);
    if (!address_is_local(&admin) && config->admin_token_file == NULL)
        broken("the admin side is open to all", config->admin_listen);
    if (config->caches_count == 0)
        broken("there is no cache", config->listen);
    for (size_t i = 0; i < config->caches_count; i++)
        check_cache(config, &config->caches[i]);
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void check_printable(const char *line)
{
    for (const char *at = line; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            broken("a fault that is not fit for a terminal", line);
    }
}

/* "NAME:LINE: words". Where memory runs out there may be no line, but here none does. */
static void check_fault(const char *line, long lines)
{
    static const char NO_MEMORY[] = ": out of memory";
    const char *place = line + strlen(NAME);
    char *end;
    long number = strtol(place + 1, &end, 10);

    if (strcmp(place, NO_MEMORY) == 0 || strcmp(end, NO_MEMORY) == 0)
        broken("memory is said to have run out", line);
    if (number < 1 || number > lines || strncmp(end, ": ", 2) != 0 || end[2] == '\0')
        broken("a fault without a line of the file, or without words", line);
}

/* The last of too many says only that there are more. */
static void check_faults(char *faults, long lines)
{
    unsigned count = 0;

    if (faults[0] == '\0')
        broken("refused without a fault", NAME);
    for (char *line = strtok(faults, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (count > CONFIG_FAULTS_MAX)
            broken("more faults than are shown", line);
        if (strncmp(line, NAME, strlen(NAME)) != 0 || line[strlen(NAME)] != ':')
            broken("a fault without the file", line);
        check_printable(line);
        if (count++ < CONFIG_FAULTS_MAX)
            check_fault(line, lines);
    }
}

static long count_lines(const char *text, size_t size)
{
    long lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

/* What comes of the text; the caller frees both. */
static struct config *parse(const char *text, size_t size, char **faults)
{
    size_t faults_size;
    FILE *stream = open_memstream(faults, &faults_size);

    if (stream == NULL)
        abort();
    struct config *config = config_parse(text, size, NAME, stream);
    if (fclose(stream) != 0)
        abort();
    if (config != NULL && faults_size > 0)
        broken("a configuration and a fault", *faults);
    return config;
}

static void check_again(const struct config *config)
{
    char *text = config_again_write(config);
    char *faults;
    struct config *again = parse(text, strlen(text), &faults);

    if (again == NULL)
        broken("written again it is refused", faults);
    const char *difference = config_again_difference(config, again);
    if (difference != NULL)
        broken("written again it is another configuration", difference);
    config_destroy(again);
    free(faults);
    free(text);
}

/* One variable is set, which the corpus speaks of; of the others none, wherever this runs. */
static void set_environment(void)
{
    static bool is_set;

    if (!is_set && (clearenv() != 0 || setenv("SET", "7", 1) != 0))
        abort();
    is_set = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char *faults;

    set_environment();
    struct config *config = parse(text, size, &faults);
    if (config == NULL) {
        check_faults(faults, count_lines(text, size));
    } else {
        check_config(config);
        check_again(config);
    }
    config_destroy(config);
    free(faults);
    return 0;
}
