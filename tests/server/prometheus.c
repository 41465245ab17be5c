/* SPDX-License-Identifier: MIT */
/* prometheus.c: see prometheus.h. Lines are cut at their newlines, samples at the blank before their value. */
#include "prometheus.h"

#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FAMILIES_MAX = 128 };

/* What was read so far of the family that is being read, and of those before. */
struct reader {
    struct prometheus *metrics;
    const char *families[FAMILIES_MAX]; /* names, each terminated; the last one is being read */
    bool typed;                         /* its TYPE was read */
    bool is_counter;
    size_t family_samples;
};

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);

    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* How many bytes a name has that begins here; `others`: what it may hold but letters, digits and '_'. */
static size_t name_size(const char *text, const char *others)
{
    size_t size = 0;

    while ((text[size] >= 'a' && text[size] <= 'z') || (text[size] >= 'A' && text[size] <= 'Z') || text[size] == '_' ||
           (text[size] && strchr(others, text[size])) || (size > 0 && text[size] >= '0' && text[size] <= '9'))
        size++;
    if (size == 0)
        fail_msg("no name: %s", text);
    return size;
}

/* Cuts the name of a family off, and the blank behind it; returns what follows. */
static char *cut_name(char *text, const char **name)
{
    size_t size = name_size(text, ":");

    if (text[size] != ' ' || !text[size + 1])
        fail_msg("a name and a blank, and something behind it, were expected: %s", text);
    text[size] = '\0';
    *name = text;
    return text + size + 1;
}

/* A family has to be whole before the next one begins, or the text ends. */
static void end_family(const struct reader *reader)
{
    if (reader->metrics->families > 0 && (!reader->typed || reader->family_samples == 0))
        fail_msg("family %s is not whole", reader->families[reader->metrics->families - 1]);
}

static void read_help(struct reader *reader, char *line)
{
    const char *name;
    const char *help = cut_name(line, &name);

    end_family(reader);
    for (size_t i = 0; i < reader->metrics->families; i++)
        if (strcmp(reader->families[i], name) == 0)
            fail_msg("family %s comes twice", name);
    for (; *help; help++)
        if (*help == '\\' && *++help != '\\' && *help != 'n')
            fail_msg("a wrong escape in the help of %s", name);
    assert_true(reader->metrics->families < FAMILIES_MAX);
    reader->families[reader->metrics->families++] = name;
    reader->typed = false;
    reader->family_samples = 0;
}

static void read_type(struct reader *reader, char *line)
{
    const char *name;
    const char *type = cut_name(line, &name);

    if (reader->metrics->families == 0 || strcmp(reader->families[reader->metrics->families - 1], name) != 0 ||
        reader->typed)
        fail_msg("the type of %s does not follow its help", name);
    reader->typed = true;
    reader->is_counter = strcmp(type, "counter") == 0;
    if (!reader->is_counter && strcmp(type, "gauge") != 0)
        fail_msg("%s has the type %s", name, type);
    if (reader->is_counter != ends_with(name, "_total"))
        fail_msg("%s is called what it is not", name);
}

/* Goes over {name="value",...}; returns what follows. */
static char *skip_labels(char *at)
{
    if (*at != '{')
        return at;
    do {
        at++;
        at += name_size(at, "");
        if (at[0] != '=' || at[1] != '"')
            fail_msg("a label without a value: %s", at);
        for (at += 2; *at && *at != '"'; at++)
            if (*at == '\\' && *++at != '\\' && *at != '"' && *at != 'n')
                fail_msg("a wrong escape in a label: %s", at);
        if (*at++ != '"')
            fail_msg("a label's value does not end");
    } while (*at == ',');
    if (*at != '}')
        fail_msg("labels do not end: %s", at);
    return at + 1;
}

static void read_sample(struct reader *reader, char *line)
{
    struct prometheus *metrics = reader->metrics;
    const char *family = metrics->families > 0 ? reader->families[metrics->families - 1] : "";
    size_t size = name_size(line, ":");
    char *value = skip_labels(line + size);
    char *end;

    if (!reader->typed || size != strlen(family) || strncmp(line, family, size) != 0)
        fail_msg("a sample of another family than %s: %s", family, line);
    if (*value != ' ' || value[1] < '0' || value[1] > '9')
        fail_msg("a sample without a number: %s", line);
    *value++ = '\0';
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->samples[i].name, line) == 0)
            fail_msg("%s comes twice", line);
    errno = 0;
    assert_true(metrics->count < PROMETHEUS_SAMPLES_MAX);
    metrics->samples[metrics->count++] = (struct prometheus_sample){line, strtoull(value, &end, 10)};
    if (*end || errno != 0)
        fail_msg("%s is not a number: %s", line, value);
    reader->family_samples++;
}

void prometheus_parse(struct prometheus *metrics, const char *text)
{
    struct reader reader = {.metrics = metrics};

    prometheus_fini(metrics);
    metrics->text = strdup(text);
    assert_non_null(metrics->text);
    for (char *line = metrics->text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        if (!end || end == line)
            fail_msg("a line is empty or does not end: %s", line);
        *end = '\0';
        if (strncmp(line, "# HELP ", 7) == 0)
            read_help(&reader, line + 7);
        else if (strncmp(line, "# TYPE ", 7) == 0)
            read_type(&reader, line + 7);
        else
            read_sample(&reader, line);
    }
    end_family(&reader);
    assert_true(metrics->count > 0);
}

void prometheus_fini(struct prometheus *metrics)
{
    free(metrics->text);
    *metrics = (struct prometheus){0};
}

uint64_t prometheus_value(const struct prometheus *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->samples[i].name, name) == 0)
            return metrics->samples[i].value;
    fail_msg("there is no %s", name);
    return 0;
}
