/* SPDX-License-Identifier: MIT */
/*
 * config_syntax_test.c: the file as text: quotes, comments, variables, what never ends, and what is no configuration.
 */
#include "config_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The directory of the text's only cache, checked. */
static void assert_directory(const char *text, const char *directory)
{
    struct config *config = config_of_text(text);
    assert_string_equal(config->caches[0].backend.directory, directory);
    config_destroy(config);
}

static void values_can_be_quoted_in_three_ways(void **state)
{
    (void)state;
    assert_directory("cache c { file { directory = /a.b-c_d:e } }", "/a.b-c_d:e");
    assert_directory("cache c { file { directory = \"/a \\\"b\\\" \\\\ # {} // \\$\" } }", "/a \"b\" \\ # {} // $");
    assert_directory("cache c { file { directory = '/a \"b\" ${C} \\' /* x */' } }", "/a \"b\" ${C} ' /* x */");
    assert_directory("cache c { file { directory = / } }", "/");
    assert_directory("cache \"c\" { \"file\" { 'directory'='/a' } }", "/a");
}

static void comments_blanks_and_line_ends_change_nothing(void **state)
{
    (void)state;
    assert_directory("# one\n// two\n/* three\n four */cache c{file{directory=/a#five\n}}//six", "/a");
    assert_directory("cache c {\r\n\tfile {\r\n\tdirectory = /a\r\n}\r\n}\r\n", "/a");
    assert_directory("\xef\xbb\xbf"
                     "cache c { file { directory = /a } }",
                     "/a");
    assert_directory("cache\nc\n{\nfile\n{\ndirectory\n=\n/a\n}\n}\n", "/a");
}

static void lines_are_right_behind_comments_and_long_strings(void **state)
{
    (void)state;
    assert_config_faults("/* one */ /* two */\n"
                         "/* three\n"
                         "*/\n"
                         "cache c { sqlite { database = d query = 'select\n"
                         "  a /* not a comment */\n"
                         "  from t' } }\n"
                         "workers = x\n",
                         "7: workers = \"x\": not a whole number; expected a count from 0 to 256\n");
    assert_config_faults("listen = \"a\\\nb\"\nworkers = x\n" CONFIG_CACHE,
                         "2: listen = \"ab\": a listening address is host:port, [IPv6]:port or unix:/path\n"
                         "3: workers = \"x\": not a whole number; expected a count from 0 to 256\n");
}

#define NOT_SET(line)                                                                                                  \
    line ": the environment variable CONFIG_TEST_NONE is not set, and ${CONFIG_TEST_NONE} has no default: "            \
         "${CONFIG_TEST_NONE:-default}\n"

static void variables_of_the_environment_are_put_in(void **state)
{
    (void)state;
    setenv("CONFIG_TEST", "/from", 1);
    unsetenv("CONFIG_TEST_NONE");
    assert_directory("cache c { file { directory = \"${CONFIG_TEST}/a${CONFIG_TEST_NONE:-b}\" } }", "/from/ab");
    assert_directory("cache c { file { directory = ${CONFIG_TEST} } }", "/from");
    assert_directory("cache c { file { directory = ${CONFIG_TEST_NONE:-/x} } }", "/x");
    assert_config_faults("\ncache c { file { directory = \"${CONFIG_TEST_NONE}/a\" } }",
                         "2: the environment variable CONFIG_TEST_NONE is not set, and ${CONFIG_TEST_NONE} has no "
                         "default: ${CONFIG_TEST_NONE:-default}\n");
    assert_config_faults("cache c { file { directory = \"${CONFIG_TEST/a\" } }",
                         "1: ${ without a }: it names an environment variable; in '...' it is plain text\n");
    /* Nothing is told of a value or a name that is not known, but that; all else in the file is. */
    assert_config_faults(
        "listen = ${CONFIG_TEST_NONE}\nworkers = x\ncache \"${CONFIG_TEST_NONE}\" {\n"
        "file { directory = /d }"
        "}\n"
        "cache c { loads_max = 0${CONFIG_TEST_NONE}\n file { directory = \"${CONFIG_TEST_NONE}\" } }\n",
        NOT_SET("1") NOT_SET("3") NOT_SET("5")
            NOT_SET("6") "2: workers = \"x\": not a whole number; expected a count from 0 to 256\n");
    setenv("CONFIG_TEST", "", 1);
    assert_config_faults("cache c { file { directory = ${CONFIG_TEST} } }",
                         "1: directory = \"\": empty; expected a path\n");
    unsetenv("CONFIG_TEST");
}

static void what_never_ends_is_told_where_it_begins(void **state)
{
    (void)state;
    assert_config_faults("\ncache c {\n file { directory = /a }\n\n",
                         "2: the section that opens here never ends: } is missing\n");
    assert_config_faults("cache c {\n file {\n directory = /a\n}\n",
                         "1: the section that opens here never ends: } is missing\n");
    assert_config_faults("workers = 1\nlisten = \"a:1\n" CONFIG_CACHE,
                         "2: the string that begins here never ends: \" is missing\n");
    assert_config_faults("listen = 'a:1\n" CONFIG_CACHE "\\'",
                         "1: the string that begins here never ends: ' is missing\n");
    assert_config_faults(CONFIG_CACHE "/* and so on\n * ",
                         "2: the comment that begins here never ends: */ is missing\n");
}

static void an_escape_for_nul_is_refused(void **state)
{
    (void)state;
    static const char *const NULS[] = {"\\0", "\\00x", "\\0008", "\\x0", "\\x00", "\\x00f"};
    for (size_t i = 0; i < sizeof(NULS) / sizeof(NULS[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "\ncache c { file { directory = \"/a%sz\" } }", NULS[i]);
        char *faults = config_faults_of_bytes(text, strlen(text));
        static const char EXPECTED[] = "2: an escape for NUL, which no value can hold\n";
        assert_int_equal(strncmp(faults, EXPECTED, strlen(EXPECTED)), 0);
        free(faults);
    }
    assert_directory("cache c { file { directory = \"/\\x30\\060\\\\0\\\\x00\" } }", "/00\\0\\x00");
    assert_directory("cache c { file { directory = '/\\0' } }", "/\\0");
}

static void an_unknown_escape_is_refused_where_it_stands(void **state)
{
    (void)state;
    assert_config_faults("\ncache c { file { directory = \"C:\\dir\" } }",
                         "2: \\d is no escape: write \\\\ for a backslash, or put the value in single quotes\n");
    assert_config_faults("cache c { file { directory = \"/a\\'\\xz\" } }",
                         "1: \\' is no escape: write \\\\ for a backslash, or put the value in single quotes\n"
                         "1: \\x is no escape: write \\\\ for a backslash, or put the value in single quotes\n");
    assert_config_faults("cache c { file { directory = \"/\\9\" } }",
                         "1: bad escape sequence '\\9'; nothing was read from here on\n");
    assert_directory("cache c { file { directory = 'C:\\dir' } }", "C:\\dir");
    assert_directory("cache c { file { directory = \"C:\\\\dir\\\"\\${A}\\x41\\102\" } }", "C:\\dir\"${A}AB");
}

static void errors_of_syntax_are_told_once_and_end_the_reading(void **state)
{
    (void)state;
    assert_config_faults("workers 3\nlisten = 4\n",
                         "1: missing equal sign after option 'workers'; nothing was read from here on\n");
    assert_config_faults("workers =\n= 3\n", "2: unexpected token '='; nothing was read from here on\n");
    assert_config_faults("workers += 3\n",
                         "1: attempt to append to non-list option 'workers'; nothing was read from here on\n");
    assert_config_faults("workers = {3}\n", "1: unexpected token '{'; nothing was read from here on\n");
    assert_config_faults(CONFIG_CACHE "}\n", "2: unexpected closing brace; nothing was read from here on\n");
    assert_config_faults("\ncache {\n "
                         "file { directory = /d }"
                         " }\n",
                         "2: a cache without a name: write cache \"name\" { ... }; nothing was read from here on\n");
    assert_config_faults("include(other.conf)\n", "1: unknown section \"include\"; nothing was read from here on\n");
    assert_config_faults("listen = \"\\777\"\n", "1: invalid octal number '\\777'; nothing was read from here on\n");
    assert_config_faults(CONFIG_CACHE "workers", "2: premature end of file; nothing was read from here on\n");
}

static void signs_that_the_parser_passes_over_are_refused(void **state)
{
    (void)state;
    assert_config_faults("workers = 2 *\n+ " CONFIG_CACHE, "1: a stray *\n2: a stray +\n");
    assert_config_faults(
        "cache c { http {\n url = http://a/{key}\n } }\n",
        "2: // behind a word begins a comment: a value with // in it, such as a URL, stands in quotes\n");
}

static void a_file_without_a_cache_is_refused(void **state)
{
    static const char NONE[] = "1: there is no cache: at least one section cache \"name\" { ... } is needed\n";
    (void)state;
    assert_config_faults("", NONE);
    assert_config_faults("# nothing\n\n", NONE);
    assert_config_faults("workers = 1", NONE);
}

static void a_file_that_is_no_text_is_refused(void **state)
{
    (void)state;
    char *faults = config_faults_of_bytes("workers = 1\n\0\n", 14);
    size_t size = 10000000;
    char *large = malloc(size);
    assert_non_null(large);
    assert_string_equal(faults, "2: a control character (byte 0x00): this is not a text file\n");
    free(faults);

    memset(large, 'a', size);
    faults = config_faults_of_bytes(large, size);
    assert_string_equal(faults, " over 1 MiB: this is not a configuration file\n");
    free(faults);
    free(large);
}

/* Bytes of every kind, the printable ones more often, from a generator of its own so that a failure comes again. */
static void garbage_never_does_harm(void **state)
{
    static const char SIGNS[] = "{}=\"'#/*+${}\\\n :-,()abc";
    uint32_t seed = 1;
    char bytes[600];
    (void)state;
    for (int round = 0; round < 3000; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525 + 1013904223;
            unsigned char byte = (unsigned char)(seed >> 24);
            bytes[i] = SIGNS[byte % (sizeof(SIGNS) - 1)];
            if (round % 3 == 0)
                memcpy(&bytes[i], &byte, 1);
        }
        char *faults = config_faults_of_bytes(bytes, sizeof(bytes) - (size_t)(round % 500));
        assert_true(strlen(faults) > 0);
        free(faults);
    }
}

static void files_that_cannot_be_read_say_why(void **state)
{
    char text[200] = "";
    FILE *stream = fmemopen(text, sizeof(text), "w");
    (void)state;
    assert_null(config_load("/nonexistent/sluice.conf", stream));
    assert_null(config_load("/", stream));
    fclose(stream);
    assert_string_equal(text, "/nonexistent/sluice.conf: can't be opened: No such file or directory\n"
                              "/: can't be read: Is a directory\n");
}

static void too_many_faults_are_cut_short(void **state)
{
    (void)state;
    char *text = malloc(200 * 20);
    size_t size = 0;
    assert_non_null(text);
    for (int i = 0; i < 200; i++)
        size += (size_t)sprintf(text + size, "bananas%d = 1\n", i);
    char *faults = config_faults_of_bytes(text, size);
    int lines = 0;
    for (const char *at = faults; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 51);
    assert_non_null(strstr(faults, "\n too many faults; the others are not shown\n"));
    free(faults);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_can_be_quoted_in_three_ways),
        cmocka_unit_test(comments_blanks_and_line_ends_change_nothing),
        cmocka_unit_test(lines_are_right_behind_comments_and_long_strings),
        cmocka_unit_test(variables_of_the_environment_are_put_in),
        cmocka_unit_test(what_never_ends_is_told_where_it_begins),
        cmocka_unit_test(an_escape_for_nul_is_refused),
        cmocka_unit_test(an_unknown_escape_is_refused_where_it_stands),
        cmocka_unit_test(errors_of_syntax_are_told_once_and_end_the_reading),
        cmocka_unit_test(signs_that_the_parser_passes_over_are_refused),
        cmocka_unit_test(a_file_without_a_cache_is_refused),
        cmocka_unit_test(a_file_that_is_no_text_is_refused),
        cmocka_unit_test(garbage_never_does_harm),
        cmocka_unit_test(files_that_cannot_be_read_say_why),
        cmocka_unit_test(too_many_faults_are_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
