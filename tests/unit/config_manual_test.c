/* SPDX-License-Identifier: MIT */
/*
 * config_manual_test.c: conf/sluice.conf and sluice.conf(5) say of every option what the program's own table says, and
 * know no other; where the manual lacks a block or has a wrong one, the failure shows the block that belongs there.
 * sluiced(8) has every problem. What the manual and README.md show as examples is taken by the program.
 */
#include "config_support.h"

#include "options.h"
#include "problem.h"
#include "test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 2048

static char *read_source(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", SLUICE_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("can't open %s", path);
    char *text = NULL;
    size_t room = 0;
    ssize_t size = getdelim(&text, &room, '\0', file); /* there is none: all of it */
    fclose(file);
    assert_true(size > 0);
    return text;
}

/* Whether the manuals say what the value may be, behind the doc. */
static bool is_explained(const struct option *option)
{
    return option->minimum || option->type == OPTIONS_TYPE_BOOL;
}

/* ---- sluice.conf(5) ---------------------------------------------------------------------------------------------- */

/* The option's block as the manual has to have it: each sentence on a line of its own. */
static void manual_block(const struct option *option, char block[TEXT_MAX])
{
    char words[256];
    int size = snprintf(block, TEXT_MAX, ".It Ic %s No = Ar %s\n%s\n", option->name, options_type_word(option->type),
                        option->doc);
    for (char *stop = block; (stop = strstr(stop, ". "));)
        stop[1] = '\n';
    if (is_explained(option)) {
        options_expected(option, words, sizeof words);
        size += snprintf(block + size, TEXT_MAX - (size_t)size, "%c%s.\n", toupper(words[0]), words + 1);
    }
    if (option->required)
        snprintf(block + size, TEXT_MAX - (size_t)size, "Required.\n");
    else if (option->preset)
        snprintf(block + size, TEXT_MAX - (size_t)size, "Default: %s.\n", option->preset);
}

/* Where a line ends does not matter. */
static char *join_lines(char *text)
{
    for (char *at = text; (at = strchr(at, '\n'));)
        *at = ' ';
    return text;
}

static void the_manual_tells_of_each_option_what_the_table_does(void **state)
{
    (void)state;
    char *manual = join_lines(read_source("docs/man/sluice.conf.5"));
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        char block[TEXT_MAX];
        char joined[TEXT_MAX];
        manual_block(&options_all[i], block);
        if (!strstr(manual, join_lines(strcpy(joined, block))))
            fail_msg("sluice.conf(5) lacks this in section %s:\n%s", options_section_name(options_all[i].section),
                     block);
    }
    free(manual);
}

/* In the order of the table, section by section, and none besides. */
static void the_manual_has_no_other_options(void **state)
{
    (void)state;
    char *manual = read_source("docs/man/sluice.conf.5");
    char *rest = manual;
    size_t found = 0;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char name[64], type[16];
        if (sscanf(line, ".It Ic %63s No = Ar %15s", name, type) != 2)
            continue;
        assert_in_range(found, 0, OPTIONS_TOTAL - 1);
        assert_string_equal(name, options_all[found].name);
        found++;
    }
    assert_int_equal(found, OPTIONS_TOTAL);
    free(manual);
}

/* ---- conf/sluice.conf -------------------------------------------------------------------------------------------- */

/* Where a walk through the lines of the file stands. */
struct walk {
    enum options_section section;
    char comment[TEXT_MAX]; /* just above, its lines joined */
    bool seen[OPTIONS_TOTAL];
};

static void the_manual_has_each_problem_with_its_status(void **state)
{
#define PROBLEM_LINE(id, status, word, title) ".It " word " Ta " #status "\n"
    static const char lines[] = PROBLEMS(PROBLEM_LINE) ".El\n";
#undef PROBLEM_LINE
    char *manual = read_source("docs/man/sluiced.8");
    (void)state;
    if (!strstr(manual, lines))
        fail_msg("sluiced(8) should say, and nothing else:\n%s", lines);
    free(manual);
}

/* What stands above the option: its doc, and in parentheses what it may be. */
static void conf_comment(const struct option *option, char comment[TEXT_MAX])
{
    char words[256];
    options_expected(option, words, sizeof words);
    if (is_explained(option))
        snprintf(comment, TEXT_MAX, "%s (%s)", option->doc, words);
    else
        snprintf(comment, TEXT_MAX, "%s", option->doc);
}

static void check_option(struct walk *walk, const char *name, char *value, bool commented_out)
{
    const struct option *option = options_find(walk->section, name);
    char expected[TEXT_MAX];
    if (!option)
        fail_msg("conf/sluice.conf: no option %s in section %s", name, options_section_name(walk->section));
    conf_comment(option, expected);
    assert_string_equal(walk->comment, expected);
    if (option->preset) {
        const char *text = value + strspn(value, "\""); /* numbers stand without quotes, all else within */
        value[strlen(value) - (text > value)] = '\0';
        assert_string_equal(text, option->preset);
    } else {
        assert_true(commented_out || option->required);
    }
    walk->seen[option - options_all] = true;
}

static void walk_line(struct walk *walk, char *line)
{
    line += strspn(line, " ");
    if (strncmp(line, "# ", 2) == 0) {
        size_t size = strlen(walk->comment);
        snprintf(walk->comment + size, sizeof walk->comment - size, "%s%s", size ? " " : "", line + 2);
        return;
    }
    bool commented_out = line[0] == '#';
    char *name = line + commented_out;
    char *value = strstr(name, " = ");
    if (value) {
        *value = '\0';
        check_option(walk, name, value + 3, commented_out);
    } else if (strchr(name, '{')) {
        name[strcspn(name, " ")] = '\0';
        assert_true(options_section_find(name, &walk->section));
    } else if (name[0] == '}') {
        walk->section = walk->section == OPTIONS_IN_CACHE ? OPTIONS_IN_ROOT : OPTIONS_IN_CACHE;
    }
    walk->comment[0] = '\0';
}

static void the_file_has_each_option_with_its_default(void **state)
{
    (void)state;
    struct walk walk = {.section = OPTIONS_IN_ROOT};
    char *text = read_source("conf/sluice.conf");
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        walk_line(&walk, line);
    for (size_t i = 0; i < OPTIONS_TOTAL; i++)
        if (!walk.seen[i])
            fail_msg("conf/sluice.conf has no %s in section %s", options_all[i].name,
                     options_section_name(options_all[i].section));
    free(text);
}

static void the_file_is_right_as_it_is(void **state)
{
    (void)state;
    char *text = read_source("conf/sluice.conf");
    struct config *config = config_of_text(text);
    assert_int_equal(config->caches_count, 1);
    assert_string_equal(config->caches[0].name, "users");
    config_destroy(config);
    free(text);
}

/* ---- examples ---------------------------------------------------------------------------------------------------- */

/* The example that lies between the two marks, the first one behind `*at`; NULL if there is none. `*at` goes past it.
 */
static char *cut_example(char **at, const char *begin, const char *end)
{
    char *example = strstr(*at, begin);
    if (!example)
        return NULL;
    example += strlen(begin);
    *at = strstr(example, end);
    assert_non_null(*at);
    *(*at)++ = '\0';
    return example;
}

static void assert_taken(const char *example, size_t caches)
{
    struct config *config = config_of_text(example);
    assert_int_equal(config->caches_count, caches);
    config_destroy(config);
}

static void the_manuals_examples_are_taken(void **state)
{
    (void)state;
    char *manual = read_source("docs/man/sluice.conf.5");
    char *at = manual;
    size_t count = 0;
    for (char *example; (example = cut_example(&at, ".Bd -literal -offset indent\n", "\n.Ed")); count++)
        assert_taken(example, 1);
    assert_int_equal(count, 3);
    free(manual);
}

static void the_readmes_example_is_taken(void **state)
{
    (void)state;
    char *readme = read_source("README.md");
    char *at = readme;
    const char *example = cut_example(&at, "exactly one backend:\n", "\n`http`");
    assert_non_null(example);
    assert_taken(example, 1);
    free(readme);
}

static void what_quickstart_serves_is_taken_without_its_variables(void **state)
{
    (void)state;
    static const char *const VARIABLES[] = {"SLUICE_PORT", "SLUICE_ADMIN_PORT", "SLUICE_DATABASE", "SLUICE_SLOW_STEPS"};
    for (size_t i = 0; i < sizeof VARIABLES / sizeof VARIABLES[0]; i++)
        unsetenv(VARIABLES[i]);
    char *text = read_source("conf/quickstart.conf");
    assert_taken(text, 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_tells_of_each_option_what_the_table_does),
        cmocka_unit_test(the_manual_has_no_other_options),
        cmocka_unit_test(the_manual_has_each_problem_with_its_status),
        cmocka_unit_test(the_file_has_each_option_with_its_default),
        cmocka_unit_test(the_file_is_right_as_it_is),
        cmocka_unit_test(the_manuals_examples_are_taken),
        cmocka_unit_test(the_readmes_example_is_taken),
        cmocka_unit_test(what_quickstart_serves_is_taken_without_its_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
