/* SPDX-License-Identifier: MIT */
/*
 * config_read.c: stores values, and checks what one value alone cannot tell: required options, options that exclude or
 * bound each other, names that are taken.
 */
#include "config_read.h"

#include "address.h"
#include "config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_reader_init(struct config_reader *reader, struct config *config, struct config_faults *faults)
{
    *reader = (struct config_reader){.faults = faults, .config = config};
}

static void drop_backend(struct config_backend *backend)
{
    for (enum options_section section = OPTIONS_IN_HTTP; section < OPTIONS_SECTIONS_TOTAL; section++)
        options_free_strings(section, backend);
    *backend = (struct config_backend){.kind = CONFIG_BACKEND_HTTP};
}

static void drop_cache(struct config_cache *cache)
{
    drop_backend(&cache->backend);
    options_free_strings(OPTIONS_IN_CACHE, cache);
    free(cache->name);
    *cache = (struct config_cache){.name = NULL};
}

void config_reader_fini(struct config_reader *reader)
{
    drop_backend(&reader->backend);
    drop_cache(&reader->cache);
    free(reader->cache_lines);
}

static void *section_base(struct config_reader *reader, enum options_section section)
{
    switch (section) {
    case OPTIONS_IN_ROOT:
        return reader->config;
    case OPTIONS_IN_CACHE:
        return &reader->cache;
    default:
        return &reader->backend;
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Whether the words of a fault say already what is expected. */
static bool explains_itself(enum options_type type, const char *fault)
{
    return options_type_is_string(type) && strcmp(fault, "empty") != 0;
}

/* Copies a value as it may be shown: a URL without user and password. */
static void show_value(const struct option *option, const char *text, char *shown, size_t size)
{
    const char *authority = option->type == OPTIONS_TYPE_URL ? strstr(text, "://") : NULL;
    const char *secret = authority ? authority + 3 : NULL;
    const char *at = secret ? strrchr(secret, '@') : NULL;
    if (at)
        snprintf(shown, size, "%.*s***%s", (int)(secret - text), text, at);
    else
        snprintf(shown, size, "%s", text);
}

static void report_value(struct config_reader *reader, const struct option *option, const char *text, const char *fault,
                         int line)
{
    char expected[128];
    char shown[205];
    show_value(option, text, shown, sizeof shown);
    bool cut = strlen(shown) > 200;
    bool enough = explains_itself(option->type, fault);
    config_fault_add(reader->faults, line, "%s = \"%.200s%s\": %s%s%s", option->name, shown, cut ? "..." : "", fault,
                     enough ? "" : "; expected ", enough ? "" : options_expected(option, expected, sizeof(expected)));
}

void config_reader_value(struct config_reader *reader, const struct option *option, const char *text, int line)
{
    struct config_setting *setting = &reader->settings[option - options_all];
    if (setting->line) {
        config_fault_add(reader->faults, line, "%s is set twice: first on line %d", option->name, setting->line);
        return;
    }
    setting->line = line;
    setting->bad = !text;
    if (!text)
        return;
    const char *fault = options_store(option, text, section_base(reader, option->section));
    if (fault) {
        setting->bad = true;
        report_value(reader, option, text, fault, line);
    }
}

/* At the end of a section: what was not set gets its default; the next section of the kind begins anew. */
static void fill_defaults(struct config_reader *reader, enum options_section section, int line)
{
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        const struct option *option = &options_all[i];
        struct config_setting *setting = &reader->settings[i];
        if (option->section != section)
            continue;
        if (!setting->line && option->required)
            config_fault_add(reader->faults, line, "section %s: %s is missing", options_section_name(section),
                             option->name);
        const char *fault = NULL;
        if ((!setting->line || setting->bad) && option->preset)
            fault = options_store(option, option->preset, section_base(reader, section));
        if (fault)
            config_fault_add(reader->faults, line, "%s: %s", option->name, fault);
    }
}

static void forget_settings(struct config_reader *reader, enum options_section section)
{
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        if (options_all[i].section == section)
            reader->settings[i] = (struct config_setting){0, false};
    }
}

static bool is_set(const struct config_reader *reader, enum options_index index)
{
    return reader->settings[index].line > 0;
}

static bool is_bad(const struct config_reader *reader, enum options_index index)
{
    return reader->settings[index].bad;
}

/* The line of the later of two settings, where a fault between the two is shown. */
static int later_line(const struct config_reader *reader, enum options_index a, enum options_index b)
{
    int line_a = reader->settings[a].line;
    int line_b = reader->settings[b].line;
    return line_a > line_b ? line_a : line_b;
}

/* ---- backends ---------------------------------------------------------------------------------------------------- */

static bool is_built(enum options_section section)
{
    switch (section) {
    case OPTIONS_IN_HTTP:
#ifdef SLUICE_HAVE_HTTP
        return true;
#else
        return false;
#endif
    case OPTIONS_IN_SQLITE:
#ifdef SLUICE_HAVE_SQLITE
        return true;
#else
        return false;
#endif
    case OPTIONS_IN_FILE:
#ifdef SLUICE_HAVE_FILE
        return true;
#else
        return false;
#endif
    default:
        abort();
    }
}

static enum config_backend_kind backend_kind(enum options_section section)
{
    switch (section) {
    case OPTIONS_IN_HTTP:
        return CONFIG_BACKEND_HTTP;
    case OPTIONS_IN_SQLITE:
        return CONFIG_BACKEND_SQLITE;
    case OPTIONS_IN_FILE:
        return CONFIG_BACKEND_FILE;
    default:
        abort();
    }
}

void config_reader_end_backend(struct config_reader *reader, enum options_section section, int line)
{
    const char *name = options_section_name(section);
    fill_defaults(reader, section, line);
    forget_settings(reader, section);
    if (!is_built(section))
        config_fault_add(reader->faults, line, "section %s: this sluiced was built without the %s backend", name, name);

    reader->backend.kind = backend_kind(section);
    if (reader->backends++ == 0) {
        reader->cache.backend = reader->backend;
        reader->backend = (struct config_backend){.kind = CONFIG_BACKEND_HTTP};
    } else {
        config_fault_add(reader->faults, line, "section %s: this cache has a backend already; it takes exactly one",
                         name);
        options_free_strings(section, &reader->backend);
    }
    reader->backend = (struct config_backend){.kind = CONFIG_BACKEND_HTTP};
}

/* ---- caches ------------------------------------------------------------------------------------------------------ */

static void check_size_bounds(struct config_reader *reader)
{
    if (!is_set(reader, OPTION_CACHE_maximum_entries))
        return;
    if (is_set(reader, OPTION_CACHE_maximum_size))
        config_fault_add(reader->faults, later_line(reader, OPTION_CACHE_maximum_entries, OPTION_CACHE_maximum_size),
                         "maximum_entries and maximum_size exclude each other: a cache is bounded by one of them");
    reader->cache.maximum_weight = 0;
}

static void check_backoff(struct config_reader *reader)
{
    if (is_bad(reader, OPTION_CACHE_failure_backoff) || is_bad(reader, OPTION_CACHE_failure_backoff_max))
        return;
    if (reader->cache.failure_backoff_ms > reader->cache.failure_backoff_max_ms)
        config_fault_add(reader->faults,
                         later_line(reader, OPTION_CACHE_failure_backoff, OPTION_CACHE_failure_backoff_max),
                         "failure_backoff (%lldms) is over failure_backoff_max (%lldms)",
                         (long long)reader->cache.failure_backoff_ms, (long long)reader->cache.failure_backoff_max_ms);
}

static void check_name(struct config_reader *reader, const char *name, int line)
{
    const char *fault = config_value_check_cache_name(name);
    if (fault)
        config_fault_add(reader->faults, line, "cache \"%.200s\": %s", name, fault);
    for (size_t i = 0; i < reader->config->caches_count; i++) {
        if (strcmp(reader->config->caches[i].name, name) == 0) {
            config_fault_add(reader->faults, line, "cache \"%.200s\" stands here twice: first on line %d", name,
                             reader->cache_lines[i]);
            return;
        }
    }
}

/* Moves the cache that was read to the configuration's list. False without the memory; it stays where it is then. */
static bool keep_cache(struct config_reader *reader, const char *name, int line)
{
    struct config *config = reader->config;
    size_t count = config->caches_count + 1; /* bounded by the size of the file */
    int *lines = realloc(reader->cache_lines, count * sizeof(*lines));
    if (!lines)
        return false;
    reader->cache_lines = lines;
    struct config_cache *caches = realloc(config->caches, count * sizeof(*caches));
    if (!caches)
        return false;
    config->caches = caches;
    reader->cache.name = strdup(name);
    if (!reader->cache.name)
        return false;

    reader->cache_lines[config->caches_count] = line;
    config->caches[config->caches_count++] = reader->cache;
    reader->cache = (struct config_cache){.name = NULL};
    return true;
}

void config_reader_end_cache(struct config_reader *reader, const char *name, int line)
{
    fill_defaults(reader, OPTIONS_IN_CACHE, line);
    if (name)
        check_name(reader, name, line);
    else
        name = "";
    check_size_bounds(reader);
    check_backoff(reader);
    if (reader->backends == 0)
        config_fault_add(reader->faults, line,
                         "cache \"%.200s\" has no backend: it takes one section http, sqlite or file", name);
    forget_settings(reader, OPTIONS_IN_CACHE);
    reader->backends = 0;
    if (!keep_cache(reader, name, line)) {
        config_fault_add(reader->faults, line, "out of memory");
        drop_cache(&reader->cache);
    }
}

/* ---- the file as a whole ----------------------------------------------------------------------------------------- */

/* The address of an option, if it is a good one. */
static bool read_address(const struct config_reader *reader, enum options_index option, const char *text,
                         struct address *address)
{
    return !is_bad(reader, option) && text && !address_parse(text, address);
}

static void check_listeners(struct config_reader *reader)
{
    struct config *config = reader->config;
    struct address data;
    struct address admin;
    bool has_data = read_address(reader, OPTION_ROOT_listen, config->listen, &data);
    if (!read_address(reader, OPTION_ROOT_admin_listen, config->admin_listen, &admin))
        return;

    if (has_data && address_collides(&data, &admin))
        config_fault_add(reader->faults, later_line(reader, OPTION_ROOT_listen, OPTION_ROOT_admin_listen),
                         "listen \"%s\" and admin_listen \"%s\" can't both be listened on", config->listen,
                         config->admin_listen);
    if (!address_is_local(&admin) && !is_set(reader, OPTION_ROOT_admin_token_file))
        config_fault_add(reader->faults, reader->settings[OPTION_ROOT_admin_listen].line,
                         "admin_listen \"%s\" can be reached from other machines: that needs an admin_token_file",
                         config->admin_listen);
}

void config_reader_end_root(struct config_reader *reader)
{
    fill_defaults(reader, OPTIONS_IN_ROOT, 1);
    check_listeners(reader);
    if (reader->config->caches_count == 0)
        config_fault_add(reader->faults, 1, "there is no cache: at least one section cache \"name\" { ... } is needed");
}
