/* SPDX-License-Identifier: MIT */
/*
 * fields_fuzz.c: any bytes as the value of a header that steers a get (server/fields.h). What is found is compared with
 * what regular expressions find in the list's elements.
 */
#include "broken.h"
#include "fields.h"
#include "fuzz.h"

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    const char *text;
    int flags;
    bool compiled;
    regex_t regex;
};

static struct pattern any = {.text = "^[ \t]*\\*[ \t]*$"};
static struct pattern next_etag = {.text = "^[ \t,]*(W/)?(\"[^\"]*\")[ \t]*(,|$)"};
static struct pattern no_cache = {.text = "^[ \t]*no-cache([ \t;=]|$)", .flags = REG_ICASE};
static struct pattern wait_word = {.text = "^[ \t]*wait([ \t;=]|$)", .flags = REG_ICASE};
static struct pattern wait_seconds = {.text = "^[ \t]*wait[ \t]*=[ \t]*\"?([0-9]+)(\"?)[ \t]*(;|$)",
                                      .flags = REG_ICASE};

#define GROUPS_MAX 4

static bool matches(struct pattern *pattern, const char *text, regmatch_t *groups)
{
    if (!pattern->compiled && regcomp(&pattern->regex, pattern->text, REG_EXTENDED | pattern->flags) != 0)
        abort();
    pattern->compiled = true;
    return regexec(&pattern->regex, text, GROUPS_MAX, groups, 0) == 0;
}

/* The list's next element, cut off at its comma, which no quoted string holds; NULL: there is none. */
static char *next_element(char **rest)
{
    char *element = *rest;
    bool quoted = false;

    *rest = NULL;
    for (char *at = element; at != NULL && *at != '\0'; at++) {
        if (*at == '"') {
            quoted = !quoted;
        } else if (quoted && *at == '\\' && at[1] != '\0') {
            at++;
        } else if (*at == ',' && !quoted) {
            *at = '\0';
            *rest = at + 1;
            break;
        }
    }
    return element;
}

/* ---- what it should be ------------------------------------------------------------------------------------------- */

static bool plain_etag_matches(const char *header, const char *etag)
{
    regmatch_t groups[GROUPS_MAX];

    if (matches(&any, header, groups))
        return true;
    for (; matches(&next_etag, header, groups); header += groups[0].rm_eo) {
        if (strlen(etag) == (size_t)(groups[2].rm_eo - groups[2].rm_so) &&
            strncmp(header + groups[2].rm_so, etag, strlen(etag)) == 0)
            return true;
    }
    return false;
}

static bool plain_has_no_cache(char *header)
{
    regmatch_t groups[GROUPS_MAX];

    for (char *element; (element = next_element(&header)) != NULL;) {
        if (matches(&no_cache, element, groups))
            return true;
    }
    return false;
}

static int64_t plain_wait_s(char *header)
{
    regmatch_t groups[GROUPS_MAX];

    for (char *element; (element = next_element(&header)) != NULL;) {
        if (!matches(&wait_word, element, groups))
            continue;
        if (!matches(&wait_seconds, element, groups))
            return -1;
        const char *digits = element + groups[1].rm_so;
        if ((digits[-1] == '"') != (groups[2].rm_so < groups[2].rm_eo))
            return -1; /* a quote at one end only */
        uintmax_t seconds = strtoumax(digits, NULL, 10);
        return seconds < INT32_MAX ? (int64_t)seconds : INT32_MAX;
    }
    return -1;
}

/* ------------------------------------------------------------------------------------------------------------------ */

/* The header with a NUL, in a block of exactly that size, to be written to. The caller frees it. */
static char *copy(const uint8_t *data, size_t size)
{
    char *header = malloc(size + 1);

    if (header == NULL)
        abort();
    memcpy(header, data, size);
    header[size] = '\0';
    return header;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = copy(data, size);
    char *cut = copy(data, size);
    bool matched = fields_etag_matches(header, "\"a\"");

    if (matched != plain_etag_matches(header, "\"a\""))
        broken(matched ? "a tag matches that is not there" : "a tag does not match that is there", header);
    if (matched != fields_etag_matches(header, "W/\"a\""))
        broken("a weak tag is compared otherwise than a strong one", header);
    if (fields_has_directive(header, "no-cache") != plain_has_no_cache(cut))
        broken("a directive is found that is not there, or not found though it is", header);
    memcpy(cut, header, size);
    if (fields_prefer_wait_s(header) != plain_wait_s(cut))
        broken("these are not the seconds to wait", header);
    free(header);
    free(cut);
    return 0;
}
