/* SPDX-License-Identifier: MIT */
/*
 * config.c: reads the file, has libconfuse parse it, and hands what it finds to the reader. The one file that includes
 * confuse.h.
 *
 * Every option is a string to libconfuse, since its own values have no units and end the parsing at the first fault.
 * CFGF_KEYSTRVAL makes it go on after an option that it does not know, which it reports first. Its callbacks carry no
 * pointer of ours, and its scanner is global anyway: hence the one static below.
 */
#include "config.h"

#include "config_fault.h"
#include "config_read.h"
#include "config_scan.h"
#include "options.h"

#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A configuration of a thousand caches is smaller. */
#define FILE_BYTES_MAX (1 << 20)

/* A name that libconfuse did not know. What follows it tells whether it is an option or a section. */
struct unknown {
    int line; /* 0: there is none */
    enum options_section section;
    char name[128];
};

struct parse {
    struct config_reader reader;
    struct config_scan scan;
    FILE *text;
    size_t ended[CONFIG_SCAN_DEPTHS]; /* sections of each depth that ended so far */
    struct unknown unknown;           /* the last one, if it is not told yet */
};

static struct parse *parse_current;

static const char STOPPED[] = "; nothing was read from here on";

/* The parser's tables for one section: its options, the sections inside, and the end mark. */
#define TABLE_SIZE (OPTIONS_TOTAL + OPTIONS_SECTIONS_TOTAL + 1)

struct tables {
    cfg_opt_t sections[OPTIONS_SECTIONS_TOTAL][TABLE_SIZE];
};

/* ---- libconfuse's callbacks -------------------------------------------------------------------------------------- */

static void unknown_hold(struct parse *parse, const cfg_t *section, const char *name)
{
    parse->unknown.line = section->line;
    parse->unknown.section = OPTIONS_IN_ROOT;
    options_section_find(section->name, &parse->unknown.section);
    snprintf(parse->unknown.name, sizeof(parse->unknown.name), "%s", name);
}

/* Reports the unknown name that is held, if there is one. `is_section`: it has a brace or a title behind it. */
static void unknown_report(struct parse *parse, bool is_section)
{
    struct unknown *unknown = &parse->unknown;
    char hint[256];
    if (!unknown->line)
        return;
    config_fault_add(parse->reader.faults, unknown->line, "unknown %s \"%s\"%s%s%s%s",
                     is_section ? "section" : "option", unknown->name,
                     unknown->section == OPTIONS_IN_ROOT ? "" : " in section ",
                     unknown->section == OPTIONS_IN_ROOT ? "" : options_section_name(unknown->section),
                     options_hint(unknown->section, unknown->name, hint, sizeof(hint)), is_section ? STOPPED : "");
    unknown->line = 0;
}

/* Where the parser is. At the end of the file it is a line too far. */
static int error_line(const struct parse *parse, const cfg_t *section)
{
    return section->line < parse->scan.last_line ? section->line : parse->scan.last_line;
}

/* Everything that libconfuse itself finds wrong. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *section, const char *format, va_list arguments)
{
    struct parse *parse = parse_current;
    char text[512];
    if (strcmp(format, "no such option '%s'") == 0) {
        unknown_report(parse, false);
        unknown_hold(parse, section, va_arg(arguments, const char *));
    } else if (parse->unknown.line && strncmp(format, "missing equal sign", strlen("missing equal sign")) == 0) {
        unknown_report(parse, true);
    } else if (strncmp(format, "missing title", strlen("missing title")) == 0) {
        unknown_report(parse, false);
        config_fault_add(parse->reader.faults, error_line(parse, section),
                         "a cache without a name: write cache \"name\" { ... }%s", STOPPED);
    } else {
        bool goes_on = strncmp(format, "no sub-section", strlen("no sub-section")) == 0;
        unknown_report(parse, false);
        vsnprintf(text, sizeof(text), format, arguments);
        config_fault_add(parse->reader.faults, error_line(parse, section), "%s%s", text, goes_on ? "" : STOPPED);
    }
    if (config_fault_enough(parse->reader.faults))
        fseek(parse->text, 0, SEEK_END);
}

/* The text, or NULL where a variable in it is not set: that was told, and what becomes of it without is no news. */
static const char *known_text(const struct parse *parse, const char *text)
{
    return parse->scan.unset && strchr(text, CONFIG_SCAN_UNSET) ? NULL : text;
}

static int on_value(cfg_t *section, cfg_opt_t *setting)
{
    struct parse *parse = parse_current;
    enum options_section where;
    const struct option *option = NULL;
    const char *text = cfg_opt_getnstr(setting, 0);
    unknown_report(parse, false);
    if (options_section_find(section->name, &where))
        option = options_find(where, cfg_opt_name(setting));
    if (option)
        config_reader_value(&parse->reader, option, known_text(parse, text ? text : ""), section->line);
    else /* libconfuse takes "http|url" in a cache for the url of its http section */
        config_fault_add(parse->reader.faults, section->line, "%s is set outside of its section", setting->name);
    return 0;
}

/* libconfuse adds what it does not know to the section's options, and reports all of it but an empty name. */
static void check_nameless(struct parse *parse, const cfg_t *section, int line)
{
    for (const cfg_opt_t *setting = section->opts; setting->name; setting++) {
        if (!setting->name[0])
            config_fault_add(parse->reader.faults, line, "an option without a name");
    }
}

/* A flag of ours in a parsed section: its end was seen. */
#define SECTION_ENDED (1 << 30)

/* The section that just ended: mostly the last one, but one with a title that was there before takes the old one's
 * place. */
static cfg_t *find_ended(cfg_opt_t *setting)
{
    for (unsigned i = cfg_opt_size(setting); i > 0; i--) {
        cfg_t *section = cfg_opt_getnsec(setting, i - 1);
        if (!(section->flags & SECTION_ENDED)) {
            section->flags |= SECTION_ENDED;
            return section;
        }
    }
    abort(); /* it is called for one that ended */
}

static int on_section_end(cfg_t *around, cfg_opt_t *setting)
{
    struct parse *parse = parse_current;
    cfg_t *section = find_ended(setting);
    size_t depth = strcmp(around->name, "root") == 0 ? 0 : 1;
    int line = config_scan_line(&parse->scan, depth, parse->ended[depth]++);
    enum options_section where;
    unknown_report(parse, false);
    check_nameless(parse, section, line);
    if (!options_section_find(section->name, &where))
        abort(); /* they are made from the same table */
    if (where == OPTIONS_IN_CACHE)
        config_reader_end_cache(&parse->reader, known_text(parse, cfg_title(section)), line);
    else
        config_reader_end_backend(&parse->reader, where, line);
    return 0;
}

/* ---- the parser's tables ----------------------------------------------------------------------------------------- */

static void tables_add_options(cfg_opt_t *table, enum options_section section)
{
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        if (options_all[i].section == section) {
            *table = (cfg_opt_t)CFG_STR(options_all[i].name, NULL, CFGF_NODEFAULT);
            table->validcb = on_value;
            table++;
        }
    }
    *table = (cfg_opt_t)CFG_END();
}

static void tables_add_section(struct tables *tables, enum options_section around, enum options_section section)
{
    cfg_opt_t *table = tables->sections[around];
    cfg_flag_t flags = section == OPTIONS_IN_CACHE ? CFGF_MULTI | CFGF_TITLE : CFGF_MULTI;
    while (table->name)
        table++;
    table[0] = (cfg_opt_t)CFG_SEC(options_section_name(section), tables->sections[section], flags);
    table[0].validcb = on_section_end;
    table[1] = (cfg_opt_t)CFG_END();
}

static void tables_init(struct tables *tables)
{
    for (enum options_section section = 0; section < OPTIONS_SECTIONS_TOTAL; section++)
        tables_add_options(tables->sections[section], section);
    for (enum options_section section = OPTIONS_IN_HTTP; section < OPTIONS_SECTIONS_TOTAL; section++)
        tables_add_section(tables, OPTIONS_IN_CACHE, section);
    tables_add_section(tables, OPTIONS_IN_ROOT, OPTIONS_IN_CACHE);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* The whole file, or NULL after a fault. The caller frees it. */
static char *read_file(const char *path, size_t *size, struct config_faults *faults)
{
    char *text = NULL;
    FILE *file = fopen(path, "re");
    if (!file) {
        config_fault_add(faults, 0, "can't be opened: %s", strerror(errno));
        return NULL;
    }
    text = malloc(FILE_BYTES_MAX + 1);
    if (!text) {
        config_fault_add(faults, 0, "out of memory");
        goto close_file;
    }
    *size = fread(text, 1, FILE_BYTES_MAX + 1, file);
    if (ferror(file))
        config_fault_add(faults, 0, "can't be read: %s", strerror(errno));
    else if (*size > FILE_BYTES_MAX)
        config_fault_add(faults, 0, "over 1 MiB: this is not a configuration file");
    if (faults->count > 0) {
        free(text);
        text = NULL;
    }
close_file:
    fclose(file);
    return text;
}

static void parse_text(struct parse *parse, char *text, size_t size)
{
    struct config_faults *faults = parse->reader.faults;
    struct tables *tables = calloc(1, sizeof(*tables));
    cfg_t *root = NULL;

    parse->text = fmemopen(text, size, "r");
    if (!parse->text || !tables)
        goto out_of_memory;
    tables_init(tables);
    root = cfg_init(tables->sections[OPTIONS_IN_ROOT], CFGF_KEYSTRVAL);
    if (!root)
        goto out_of_memory;
    cfg_set_error_function(root, on_error);

    parse_current = parse;
    if (cfg_parse_fp(root, parse->text) == CFG_SUCCESS) {
        unknown_report(parse, false);
        check_nameless(parse, root, 1);
        config_reader_end_root(&parse->reader);
    } else if (faults->count == 0) {
        goto out_of_memory; /* all else it reports */
    }
    goto close_all;

out_of_memory:
    config_fault_add(faults, 0, "out of memory");
close_all:
    parse_current = NULL;
    if (root)
        cfg_free(root);
    free(tables);
    if (parse->text)
        fclose(parse->text);
}

struct config *config_parse(const char *text, size_t size, const char *name, FILE *errors)
{
    struct config_faults faults = {.path = name, .stream = errors, .count = 0};
    struct parse parse = {.text = NULL};
    struct config *config = calloc(1, sizeof(*config));
    char *lines = malloc(size + 2); /* with a newline and a NUL behind them */
    if (!config || !lines) {
        config_fault_add(&faults, 0, "out of memory");
        goto free_all;
    }
    memcpy(lines, text, size);
    if (size == 0 || lines[size - 1] != '\n')
        lines[size++] = '\n';
    lines[size] = '\0';

    config_reader_init(&parse.reader, config, &faults);
    if (config_scan_text(lines, size, &faults, &parse.scan))
        parse_text(&parse, lines, size);
    config_scan_fini(&parse.scan);
    config_reader_fini(&parse.reader);
free_all:
    free(lines);
    if (faults.count > 0) {
        config_destroy(config);
        return NULL;
    }
    return config;
}

struct config *config_load(const char *path, FILE *errors)
{
    struct config_faults faults = {.path = path, .stream = errors, .count = 0};
    size_t size = 0;
    char *text = read_file(path, &size, &faults);
    if (!text)
        return NULL;
    struct config *config = config_parse(text, size, path, errors);
    free(text);
    return config;
}

static enum options_section backend_section(enum config_backend_kind kind)
{
    switch (kind) {
    case CONFIG_BACKEND_HTTP:
        return OPTIONS_IN_HTTP;
    case CONFIG_BACKEND_SQLITE:
        return OPTIONS_IN_SQLITE;
    case CONFIG_BACKEND_FILE:
        return OPTIONS_IN_FILE;
    }
    abort();
}

void config_destroy(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->caches_count; i++) {
        struct config_cache *cache = &config->caches[i];
        options_free_strings(OPTIONS_IN_CACHE, cache);
        options_free_strings(backend_section(cache->backend.kind), &cache->backend);
        free(cache->name);
    }
    options_free_strings(OPTIONS_IN_ROOT, config);
    free(config->caches);
    free(config);
}
