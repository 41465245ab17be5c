/* SPDX-License-Identifier: MIT */
/*
 * spec.c: reads options from a string. The options are those of option.h; other keys of Guava's and Caffeine's stand
 * here. All is read into a copy, so that a string that is wrong changes nothing.
 */
#include "option.h"
#include "spec_value.h"

#include <sluice/cache.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 40 /* bytes of a wrong word that are shown */

/* What there is to do for a key that is no option's own. */
static const struct foreign {
    const char *key;
    enum option_index index; /* which it sets instead; OPTION_TOTAL: none */
    const char *refusal;     /* why it can't be had, or NULL */
} foreign_all[] = {
    {"concurrencyLevel", OPTION_shards, NULL},
    {"refreshInterval", OPTION_refresh_after_write_ms, NULL},
    {"recordStats", OPTION_TOTAL, NULL},
    {"initialCapacity", OPTION_TOTAL, "has no meaning here, since tables grow by themselves: leave it out"},
    {"weakKeys", OPTION_TOTAL, "has no meaning in C, which has no weak references"},
    {"weakValues", OPTION_TOTAL, "has no meaning in C, which has no weak references"},
    {"softValues", OPTION_TOTAL,
     "has no meaning in C, which has no soft references: bound the memory by maximumWeight"},
};

#define FOREIGN_TOTAL (sizeof foreign_all / sizeof foreign_all[0])

/* How far it has been read. */
struct reading {
    const char *spec;
    struct sluice_fault *fault; /* or NULL */
    struct sluice_options options;
    const char *set_by[OPTION_TOTAL + 1]; /* the key that set the option, or NULL; the last is recordStats */
};

/* One place between commas. */
struct setting {
    struct piece key, value;
    const char *name; /* the key, known */
    enum option_index index;
};

/* Appends a word that may have anything in it, between quotes; nothing for nothing. */
static void append_word(char text[SLUICE_FAULT_TEXT_SIZE], struct piece word)
{
    char shown[4 * WORD_MAX + 1];
    size_t size = 0;
    size_t used = strlen(text);

    if (word.size == 0)
        return;
    for (size_t i = 0; i < word.size && i < WORD_MAX; i++) {
        unsigned char byte = (unsigned char)word.at[i];
        bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
        size += (size_t)snprintf(shown + size, sizeof shown - size, plain ? "%c" : "\\x%02X", byte);
    }
    shown[size] = '\0';
    snprintf(text + used, SLUICE_FAULT_TEXT_SIZE - used, ": \"%s%s\"", shown, word.size > WORD_MAX ? "..." : "");
}

/* Says what is wrong, and with which word of the string; returns false. */
__attribute__((format(printf, 3, 4))) static bool refuse(const struct reading *reading, struct piece word,
                                                         const char *format, ...)
{
    struct sluice_fault *fault = reading->fault;
    va_list arguments;

    if (fault == NULL)
        return false;
    fault->offset = (size_t)(word.at - reading->spec);
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    append_word(fault->text, word);
    return false;
}

static bool refuse_key(const struct reading *reading, struct piece key)
{
    for (size_t i = 0; i < OPTION_TOTAL + FOREIGN_TOTAL; i++) {
        const char *known = i < OPTION_TOTAL ? option_all[i].key : foreign_all[i - OPTION_TOTAL].key;
        if (strlen(known) == key.size && strncasecmp(known, key.at, key.size) == 0)
            return refuse(reading, key, "unknown key, while there is %s", known);
    }
    return refuse(reading, key, key.size > 0 ? "unknown key" : "a key is missing before the equals sign");
}

/* Finds what the key sets. */
static bool find(const struct reading *reading, struct setting *setting)
{
    for (size_t i = 0; i < OPTION_TOTAL; i++) {
        if (piece_is(setting->key, option_all[i].key)) {
            setting->name = option_all[i].key;
            setting->index = (enum option_index)i;
            return true;
        }
    }
    for (size_t i = 0; i < FOREIGN_TOTAL; i++) {
        if (!piece_is(setting->key, foreign_all[i].key))
            continue;
        if (foreign_all[i].refusal != NULL)
            return refuse(reading, setting->key, "the key %s", foreign_all[i].refusal);
        setting->name = foreign_all[i].key;
        setting->index = foreign_all[i].index;
        return true;
    }
    return refuse_key(reading, setting->key);
}

/* Notes that the option is set; not twice, and not both maximums. */
static bool note(struct reading *reading, const struct setting *setting)
{
    enum option_index other = setting->index;
    const char **by = &reading->set_by[setting->index];

    if (setting->index == OPTION_maximum_entries)
        other = OPTION_maximum_weight;
    if (setting->index == OPTION_maximum_weight)
        other = OPTION_maximum_entries;
    if (*by != NULL && strcmp(*by, setting->name) == 0)
        return refuse(reading, setting->key, "the key was already set");
    if (reading->set_by[other] != NULL)
        return refuse(reading, setting->key, "the key can't stand beside %s", reading->set_by[other]);
    *by = setting->name;
    if (other != setting->index)
        option_set(&option_all[other], &reading->options, 0); /* one of before */
    return true;
}

/* Brings the number into the bounds of Guava's concurrency level, and to what shards may be. */
static const char *level_shards(int64_t level, uint64_t *shards)
{
    if (level < 1)
        return "must be at least 1";
    if (level > INT32_MAX)
        return "is too large";
    *shards = 1;
    while (*shards < (uint64_t)level && *shards < OPTION_SHARDS_MAX)
        *shards *= 2;
    return NULL;
}

static const char *read_count(const struct setting *setting, const struct option *option, uint64_t *value)
{
    int64_t count;
    const char *fault = spec_value_count(setting->value, &count);

    if (fault != NULL)
        return fault;
    if (setting->name != option->key)
        return level_shards(count, value);
    if (option->kind == OPTION_MAXIMUM && count == 0)
        return "must be at least 1, while expireAfterWrite=0s is how to store nothing";
    *value = (uint64_t)count;
    return option_valid(option, *value) ? NULL : option->rule;
}

static const char *read_span(const struct setting *setting, const struct option *option, uint64_t *value)
{
    int64_t span_ms;
    const char *fault;

    if (option->kind == OPTION_SPAN_OR_NEVER && piece_is(setting->value, "never")) {
        *value = (uint64_t)SLUICE_NEVER;
        return NULL;
    }
    fault = spec_value_span(setting->value, &span_ms);
    if (fault != NULL)
        return fault;
    *value = (uint64_t)span_ms;
    return option_valid(option, *value) ? NULL : "must be more than 0";
}

/* Reads one place between commas. */
static bool read_setting(struct reading *reading, struct piece place)
{
    const char *equals = memchr(place.at, '=', place.size);
    const char *end = place.at + place.size;
    const char *again = equals != NULL ? memchr(equals + 1, '=', (size_t)(end - equals) - 1) : NULL;
    struct setting setting = {.key = place, .value = {end, 0}};
    const struct option *option;
    const char *fault;
    uint64_t value = 0;

    if (place.size == 0)
        return true;
    if (again != NULL)
        return refuse(reading, (struct piece){again, (size_t)(end - again)}, "a second equals sign");
    if (equals != NULL) {
        setting.key = piece_trim((struct piece){place.at, (size_t)(equals - place.at)});
        setting.value = piece_trim((struct piece){equals + 1, (size_t)(end - equals) - 1});
    }
    if (!find(reading, &setting) || !note(reading, &setting))
        return false;
    option = setting.index == OPTION_TOTAL ? NULL : &option_all[setting.index];
    if (option == NULL || option->kind == OPTION_FLAG) {
        if (equals != NULL)
            return refuse(reading, setting.value, "%s takes no value", setting.name);
        if (option != NULL)
            option_set(option, &reading->options, true);
        return true;
    }
    if (setting.value.size == 0)
        return refuse(reading, setting.value, "%s needs a value", setting.name);
    fault = option->kind == OPTION_SPAN || option->kind == OPTION_SPAN_OR_NEVER ? read_span(&setting, option, &value)
                                                                                : read_count(&setting, option, &value);
    if (fault != NULL)
        return refuse(reading, setting.value, "%s %s", setting.name, fault);
    option_set(option, &reading->options, value);
    return true;
}

enum sluice_error sluice_options_parse(struct sluice_options *options, const char *spec, struct sluice_fault *fault)
{
    struct reading reading = {.spec = spec, .fault = fault, .options = *options};

    for (const char *place = spec;; place++) {
        size_t size = strcspn(place, ",");
        if (!read_setting(&reading, piece_trim((struct piece){place, size})))
            return SLUICE_INVALID;
        place += size;
        if (*place == '\0')
            break;
    }
    *options = reading.options;
    return SLUICE_OK;
}
