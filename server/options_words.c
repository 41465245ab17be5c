/* SPDX-License-Identifier: MIT */
/* options_words.c: says what an option expects, and guesses what somebody meant who wrote one that does not exist. */
#include "log.h"
#include "options.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void words_append(char *words, size_t words_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void words_append(char *words, size_t words_size, const char *format, ...)
{
    size_t used = strlen(words);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words + used, words_size - used, format, arguments);
    va_end(arguments);
}

/* ---- what is expected -------------------------------------------------------------------------------------------- */

static void append_levels(char *words, size_t words_size)
{
#define APPEND_LEVEL(name, text) words_append(words, words_size, "%s%s", name == LOG_ERROR ? "" : ", ", text);
    LOG_LEVELS(APPEND_LEVEL)
#undef APPEND_LEVEL
}

static void append_range(const struct option *option, char *words, size_t words_size)
{
    const char *word = options_type_word(option->type);
    bool endless = strcmp(option->maximum, "never") == 0;
    if (!endless)
        words_append(words, words_size, "a %s from %s to %s", word, option->minimum, option->maximum);
    else if (strcmp(option->minimum, "0") == 0)
        words_append(words, words_size, "a %s, or never", word);
    else
        words_append(words, words_size, "a %s of at least %s, or never", word, option->minimum);
}

const char *options_expected(const struct option *option, char *words, size_t words_size)
{
    words[0] = '\0';
    switch (option->type) {
    case OPTIONS_TYPE_ADDRESS:
        words_append(words, words_size, "host:port, [IPv6]:port or unix:/path");
        break;
    case OPTIONS_TYPE_PATH:
        words_append(words, words_size, "a path");
        break;
    case OPTIONS_TYPE_TEXT:
        words_append(words, words_size, "a text");
        break;
    case OPTIONS_TYPE_URL:
        words_append(words, words_size, "a URL with {key} in it");
        break;
    case OPTIONS_TYPE_MEDIA_TYPE:
        words_append(words, words_size, "a media type, as text/plain");
        break;
    case OPTIONS_TYPE_BOOL:
        words_append(words, words_size, "true or false");
        break;
    case OPTIONS_TYPE_LEVEL:
        append_levels(words, words_size);
        break;
    case OPTIONS_TYPE_COUNT:
    case OPTIONS_TYPE_SIZE:
    case OPTIONS_TYPE_DURATION:
        append_range(option, words, words_size);
        break;
    }
    return words;
}

/* ---- what was meant ---------------------------------------------------------------------------------------------- */

#define NAME_BYTES_MAX 40 /* no option is as long; a longer name is like none of them */

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* How many letters must be put in, left out or changed to make one of the other (Levenshtein), whatever their case. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size > NAME_BYTES_MAX || b_size > NAME_BYTES_MAX)
        return NAME_BYTES_MAX;

    size_t row[NAME_BYTES_MAX + 1];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t above = row[j];
            size_t changed = tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + changed);
            diagonal = above;
        }
    }
    return row[b_size];
}

/* Whether `section` may stand inside of `around`. */
static bool section_belongs(enum options_section section, enum options_section around)
{
    if (section == OPTIONS_IN_ROOT)
        return false;
    return section == OPTIONS_IN_CACHE ? around == OPTIONS_IN_ROOT : around == OPTIONS_IN_CACHE;
}

/* The name that may stand in `section` and is most like `name`; NULL if none is like it. */
static const char *find_similar(enum options_section section, const char *name)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) / 3 + 1; /* at a third of the letters it is another word */
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        size_t distance = edit_distance(options_all[i].name, name);
        if (options_all[i].section == section && distance < best_distance) {
            best = options_all[i].name;
            best_distance = distance;
        }
    }
    for (size_t i = 0; i < OPTIONS_SECTIONS_TOTAL; i++) {
        const char *other = options_section_name((enum options_section)i);
        size_t distance = edit_distance(other, name);
        if (section_belongs((enum options_section)i, section) && distance < best_distance) {
            best = other;
            best_distance = distance;
        }
    }
    return best;
}

const char *options_hint(enum options_section section, const char *name, char *words, size_t words_size)
{
    enum options_section named;
    words[0] = '\0';
    if (options_section_find(name, &named) && named != OPTIONS_IN_ROOT) {
        if (named == OPTIONS_IN_CACHE)
            words_append(words, words_size, ": cache sections stand side by side; is a } missing above?");
        else
            words_append(words, words_size, ": a backend section stands inside of a cache section");
        return words;
    }

    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        if (strcmp(options_all[i].name, name) == 0) {
            bool in_root = options_all[i].section == OPTIONS_IN_ROOT;
            words_append(words, words_size, "%s%s", words[0] ? " or " : ": it belongs ",
                         in_root ? "outside of sections" : "in section ");
            if (!in_root)
                words_append(words, words_size, "%s", options_section_name(options_all[i].section));
        }
    }
    if (words[0])
        return words;
    const char *similar = find_similar(section, name);
    if (similar)
        words_append(words, words_size, ": did you mean \"%s\"?", similar);
    return words;
}
