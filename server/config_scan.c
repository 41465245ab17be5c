/* SPDX-License-Identifier: MIT */
/*
 * config_scan.c: walks over the text with libconfuse's rules for what is a string and what a comment: "..." with
 * backslashes and ${VARIABLE}, '...' with backslashes, and comments from # or // to the end of the line or between
 * slash-stars.
 */
#include "config_scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct scanner {
    char *at; /* the text is terminated by NUL, and has no other when the scan runs */
    int line;
    bool word; /* what stands just before is a word without quotes */
    size_t depth;
    struct config_faults *faults;
    struct config_scan *scan;
};

static void scan_advance(struct scanner *scanner)
{
    if (*scanner->at == '\n')
        scanner->line++;
    scanner->at++;
}

/* Replaces the character by a blank, so that the parser does not see it but lines stay where they are. */
static void scan_blank(struct scanner *scanner)
{
    if (*scanner->at == '\n')
        scanner->line++;
    else
        *scanner->at = ' ';
    scanner->at++;
}

static bool scan_block_comment(struct scanner *scanner)
{
    int start = scanner->line;
    scan_blank(scanner);
    scan_blank(scanner);
    while (*scanner->at && strncmp(scanner->at, "*/", 2) != 0)
        scan_blank(scanner);
    if (!*scanner->at) {
        config_fault_add(scanner->faults, start, "the comment that begins here never ends: */ is missing");
        return false;
    }
    scan_blank(scanner);
    scan_blank(scanner);
    return true;
}

/* Reports a variable that is not set, and puts a word of marks in its place. `name` is terminated by NUL. */
static void scan_unset(struct scanner *scanner, char *name)
{
    size_t size = strlen(name);
    config_fault_add(scanner->faults, scanner->line,
                     "the environment variable %s is not set, and ${%s} has no default: ${%s:-default}", name, name,
                     name);
    memset(name - 2, CONFIG_SCAN_UNSET, size + 3);
    scanner->scan->unset = true;
}

/* A variable: it must be closed in its line, and be set or have a default. False if it is not closed. */
static bool scan_variable(struct scanner *scanner)
{
    char *name = scanner->at + 2;
    size_t size = strcspn(name, "}\"'\n");
    if (name[size] != '}') {
        config_fault_add(scanner->faults, scanner->line,
                         "${ without a }: it names an environment variable; in '...' it is plain text");
        return false;
    }
    scanner->at = name + size + 1;
    const char *colon = memchr(name, ':', size);
    if (!colon || colon[1] != '-') {
        name[size] = '\0';
        if (getenv(name))
            name[size] = '}';
        else
            scan_unset(scanner, name);
    }
    return true;
}

/* Whether a backslash begins an escape for NUL: libconfuse takes it, and what is behind it would be lost in silence. */
static bool is_nul_escape(const char *backslash)
{
    bool hex = backslash[1] == 'x';
    const char *digits = backslash + 1 + hex;
    size_t size = strspn(digits, hex ? "0123456789abcdefABCDEF" : "01234567");
    size_t taken = hex ? 2 : 3;
    if (size < taken)
        taken = size;
    return taken > 0 && strspn(digits, "0") >= taken;
}

/* A backslash between double quotes. Of an escape that libconfuse does not know it would drop the backslash in silence;
 * of digits it tells itself what is wrong with them. */
static void check_escape(struct scanner *scanner)
{
    char escaped = scanner->at[1];
    bool known =
        strchr("\"\\$\n0123456789abefnrtv", escaped) || (escaped == 'x' && isxdigit((unsigned char)scanner->at[2]));
    if (is_nul_escape(scanner->at))
        config_fault_add(scanner->faults, scanner->line, "an escape for NUL, which no value can hold");
    else if (!known)
        config_fault_add(scanner->faults, scanner->line,
                         "\\%c is no escape: write \\\\ for a backslash, or put the value in single quotes", escaped);
}

static bool scan_string(struct scanner *scanner)
{
    char quote = *scanner->at;
    int start = scanner->line;
    scan_advance(scanner);
    while (*scanner->at && *scanner->at != quote) {
        if (quote == '"' && strncmp(scanner->at, "${", 2) == 0) {
            if (!scan_variable(scanner))
                return false;
            continue;
        }
        if (quote == '"' && *scanner->at == '\\')
            check_escape(scanner);
        if (*scanner->at == '\\' && scanner->at[1])
            scan_advance(scanner);
        scan_advance(scanner);
    }
    if (!*scanner->at) {
        config_fault_add(scanner->faults, start, "the string that begins here never ends: %c is missing", quote);
        return false;
    }
    scan_advance(scanner);
    return true;
}

static void scan_open(struct scanner *scanner)
{
    if (scanner->depth < CONFIG_SCAN_DEPTHS)
        scanner->scan->lines[scanner->depth][scanner->scan->counts[scanner->depth]++] = scanner->line;
    scanner->depth++;
}

/* A sign that libconfuse would pass over in silence. */
static bool is_stray(const char *at)
{
    return *at == '*' || (*at == '+' && at[1] != '=');
}

/* One thing outside of strings and comments: a sign, a string, a comment, a letter. False if it does not end. */
static bool scan_next(struct scanner *scanner)
{
    const char *at = scanner->at;
    if (*at == '"' || *at == '\'')
        return scan_string(scanner);
    if (strncmp(at, "/*", 2) == 0)
        return scan_block_comment(scanner);
    if (strncmp(at, "//", 2) == 0 && scanner->word) {
        config_fault_add(scanner->faults, scanner->line,
                         "// behind a word begins a comment: a value with // in it, such as a URL, stands in quotes");
        return false;
    }
    if (*at == '#' || strncmp(at, "//", 2) == 0) {
        while (*scanner->at && *scanner->at != '\n')
            scan_blank(scanner);
        return true;
    }
    if (strncmp(at, "${", 2) == 0)
        return scan_variable(scanner);
    if (*at == '{')
        scan_open(scanner);
    else if (*at == '}' && scanner->depth > 0)
        scanner->depth--;
    else if (is_stray(at))
        config_fault_add(scanner->faults, scanner->line, "a stray %c", *at);
    scanner->word = !strchr(" \t\r\n={}", *at);
    scan_advance(scanner);
    return true;
}

/* Whether the bytes are text at all; reports the first that is not. */
static bool check_bytes(const char *text, size_t size, struct config_faults *faults)
{
    int line = 1;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n')
            line++;
        else if ((byte < ' ' && byte != '\t' && byte != '\r') || byte == 0x7f) {
            config_fault_add(faults, line, "a control character (byte 0x%02x): this is not a text file", byte);
            return false;
        }
    }
    return true;
}

static bool make_lines(const char *text, struct config_scan *scan)
{
    size_t braces = 1; /* so that there is something to allocate */
    for (; *text; text++)
        braces += *text == '{';
    for (size_t depth = 0; depth < CONFIG_SCAN_DEPTHS; depth++) {
        scan->lines[depth] = calloc(braces, sizeof(*scan->lines[depth]));
        if (!scan->lines[depth])
            return false;
    }
    return true;
}

/* The innermost section that is open at the end: the one that was opened last among those of its depth. */
static int open_line(const struct config_scan *scan, size_t depth)
{
    size_t level = depth <= CONFIG_SCAN_DEPTHS ? depth - 1 : CONFIG_SCAN_DEPTHS - 1;
    return scan->lines[level][scan->counts[level] - 1];
}

/* That of the last character, newlines aside. */
static int last_line(const char *text, size_t size)
{
    int line = 1;
    while (size > 0 && text[size - 1] == '\n')
        size--;
    for (size_t i = 0; i < size; i++)
        line += text[i] == '\n';
    return line;
}

bool config_scan_text(char *text, size_t size, struct config_faults *faults, struct config_scan *scan)
{
    static const char BOM[] = "\xef\xbb\xbf"; /* the mark that some editors put first */
    *scan = (struct config_scan){.counts = {0}};
    if (!check_bytes(text, size, faults))
        return false;
    if (!make_lines(text, scan)) {
        config_fault_add(faults, 0, "out of memory");
        return false;
    }

    struct scanner scanner = {.at = text, .line = 1, .faults = faults, .scan = scan};
    if (strncmp(text, BOM, strlen(BOM)) == 0)
        memset(text, ' ', strlen(BOM));
    scan->last_line = last_line(text, size);
    while (*scanner.at) {
        if (!scan_next(&scanner))
            return false;
    }
    if (scanner.depth > 0) {
        config_fault_add(faults, open_line(scan, scanner.depth),
                         "the section that opens here never ends: } is missing");
        return false;
    }
    return true;
}

int config_scan_line(const struct config_scan *scan, size_t depth, size_t index)
{
    return index < scan->counts[depth] ? scan->lines[depth][index] : 0;
}

void config_scan_fini(struct config_scan *scan)
{
    for (size_t depth = 0; depth < CONFIG_SCAN_DEPTHS; depth++) {
        free(scan->lines[depth]);
        scan->lines[depth] = NULL;
    }
}
