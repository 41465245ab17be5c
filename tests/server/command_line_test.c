/* SPDX-License-Identifier: MIT */
/*
 * command_line_test.c: sluiced's options and its exit status: 0 for a good end, 1 where it could not start or the
 * configuration is wrong, 2 for a wrong command line. What is wrong with a configuration in every detail is told by
 * the unit tests of config; here it is seen that the program says it, where, and with which status.
 */
#include "process.h"
#include "scratch.h"
#include "test.h"

#include <sluice/cache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOOD_CACHE(name) "cache \"" name "\" {\n    file { directory = \"/\" }\n}\n"

struct fixture {
    struct scratch scratch;
    char config[SCRATCH_PATH_MAX]; /* path of the configuration */
    struct process_ended ended;    /* the latest run */
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    scratch_init(&fixture->scratch);
    scratch_path(&fixture->scratch, "sluice.conf", fixture->config);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    process_ended_fini(&fixture->ended);
    scratch_fini(&fixture->scratch);
    free(fixture);
    return 0;
}

static void run(struct fixture *fixture, const char *const *arguments)
{
    process_ended_fini(&fixture->ended);
    process_run(&fixture->ended, PROCESS_SAME, arguments);
}

#define RUN(fixture, ...) run(fixture, (const char *const[]){__VA_ARGS__, NULL})

/* The latest run ended so, and wrote this on stdout. */
static void expect(struct fixture *fixture, int status, const char *out)
{
    if (fixture->ended.status != status)
        fail_msg("exit status %d, not %d; stderr: %s", fixture->ended.status, status, fixture->ended.err);
    assert_string_equal(out, fixture->ended.out);
}

static void expect_error(struct fixture *fixture, const char *text)
{
    if (!strstr(fixture->ended.err, text))
        fail_msg("\"%s\" is not in what it said on stderr: %s", text, fixture->ended.err);
}

/* Checks the configuration: exit status 1, and on stderr exactly these faults, each behind the path and a ':'. */
static void expect_faults(struct fixture *fixture, const char *config, const char *const *faults, size_t count)
{
    const char *at;

    scratch_write_text(&fixture->scratch, "sluice.conf", config);
    RUN(fixture, "--check-config", fixture->config);
    expect(fixture, 1, "");
    at = fixture->ended.err;
    for (size_t i = 0; i < count; i++) {
        size_t path_size = strlen(fixture->config);

        if (strncmp(at, fixture->config, path_size) != 0 || at[path_size] != ':')
            fail_msg("a line does not begin with the path: %s", at);
        at += path_size + 1;
        if (strncmp(at, faults[i], strlen(faults[i])) != 0)
            fail_msg("\"%s\" where \"%s\" was expected", at, faults[i]);
        at += strcspn(at, "\n") + 1;
    }
    assert_string_equal("", at);
}

#define EXPECT_FAULTS(fixture, config, ...)                                                                            \
    expect_faults(fixture, config, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

/* ---- what it tells ----------------------------------------------------------------------------------------------- */

static void version_is_that_of_the_library(void **state)
{
    struct fixture *fixture = *state;

    RUN(fixture, "--version");
    expect(fixture, 0, "sluiced " SLUICE_VERSION "\n");
    assert_string_equal("", fixture->ended.err);
    RUN(fixture, "-V");
    expect(fixture, 0, "sluiced " SLUICE_VERSION "\n");
}

static void help_names_every_option_on_stdout(void **state)
{
    static const char *const options[] = {"-c, --config FILE", "-t, --check-config FILE", "-V, --version",
                                          "-h, --help"};
    struct fixture *fixture = *state;

    RUN(fixture, "--help");
    assert_int_equal(0, fixture->ended.status);
    assert_string_equal("", fixture->ended.err);
    assert_int_equal(0, strncmp(fixture->ended.out, "Usage: sluiced --config FILE\n", 29));
    for (size_t i = 0; i < COUNT_OF(options); i++)
        assert_non_null(strstr(fixture->ended.out, options[i]));
    RUN(fixture, "-h");
    assert_int_equal(0, fixture->ended.status);
}

/* ---- wrong command lines ----------------------------------------------------------------------------------------- */

static void expect_wrong_usage(struct fixture *fixture, const char *word)
{
    expect(fixture, 2, "");
    expect_error(fixture, word);
    expect_error(fixture, "Usage: sluiced --config FILE\n");
    expect_error(fixture, "Try 'sluiced --help'.\n");
}

static void a_wrong_command_line_is_told_with_how_to_use_it(void **state)
{
    struct fixture *fixture = *state;

    RUN(fixture, "--no-such-option");
    expect_wrong_usage(fixture, "sluiced: unrecognized option '--no-such-option'\n");
    RUN(fixture, "-x");
    expect_wrong_usage(fixture, "sluiced: invalid option -- 'x'\n");
    RUN(fixture, "--config");
    expect_wrong_usage(fixture, "sluiced: option '--config' requires an argument\n");
    RUN(fixture, "--version=2");
    expect_wrong_usage(fixture, "sluiced: option '--version' doesn't allow an argument\n");
    RUN(fixture, "--config", "a", "b");
    expect_wrong_usage(fixture,
                       "sluiced: unexpected argument \"b\": only options are taken, and the file stands behind its "
                       "option\n");
    RUN(fixture, "sluice.conf");
    expect_wrong_usage(fixture, "sluiced: unexpected argument \"sluice.conf\": only options are taken, and the file "
                                "stands behind --config or --check-config\n");
    RUN(fixture, "--config", "a", "--check-config", "a");
    expect_wrong_usage(fixture, "sluiced: one configuration file, please\n");
}

static void without_a_configuration_nothing_is_served(void **state)
{
    struct fixture *fixture = *state;

    run(fixture, (const char *const[]){NULL});
    expect_wrong_usage(fixture, "sluiced: no configuration file is given\n");
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void a_configuration_that_can_t_be_read_is_named(void **state)
{
    static const char *const options[] = {"--config", "--check-config"};
    struct fixture *fixture = *state;
    char expected[SCRATCH_PATH_MAX + 64];

    for (size_t i = 0; i < COUNT_OF(options); i++) {
        snprintf(expected, sizeof expected, "%s: can't be opened: No such file or directory\n", fixture->config);
        RUN(fixture, options[i], fixture->config);
        expect(fixture, 1, "");
        assert_string_equal(expected, fixture->ended.err);
        snprintf(expected, sizeof expected, "%s: can't be read: Is a directory\n", fixture->scratch.directory);
        RUN(fixture, options[i], fixture->scratch.directory);
        expect(fixture, 1, "");
        assert_string_equal(expected, fixture->ended.err);
    }
}

static void a_good_configuration_is_only_checked(void **state)
{
    struct fixture *fixture = *state;
    char expected[SCRATCH_PATH_MAX + 64];

    /* The address is not tried: it would fail. */
    scratch_write_text(&fixture->scratch, "sluice.conf",
                       "listen = \"192.0.2.1:80\"\ncache a { file { directory = / } }\n");
    snprintf(expected, sizeof expected, "%s: ok, 1 cache\n", fixture->config);
    RUN(fixture, "--check-config", fixture->config);
    expect(fixture, 0, expected);
    assert_string_equal("", fixture->ended.err);
    scratch_write_text(&fixture->scratch, "sluice.conf", GOOD_CACHE("a") GOOD_CACHE("b"));
    snprintf(expected, sizeof expected, "%s: ok, 2 caches\n", fixture->config);
    RUN(fixture, "-t", fixture->config);
    expect(fixture, 0, expected);
}

static void what_a_start_would_open_is_checked_too(void **state)
{
    struct fixture *fixture = *state;
    char config[2048], token[SCRATCH_PATH_MAX + 128], directory[SCRATCH_PATH_MAX + 128];
    char database[SCRATCH_PATH_MAX + 128];
    const char *at = fixture->scratch.directory;

    scratch_write_text(&fixture->scratch, "empty.db", "");
    snprintf(config, sizeof config,
             "admin_token_file = \"%s/token\"\ncache fine { file { directory = \"%s\" } }\n"
             "cache pages { file { directory = \"%s/pages\" } }\n"
             "cache names { sqlite { database = \"%s/names.db\" query = \"SELECT ?\" } }\n"
             "cache wrong { sqlite { database = \"%s/empty.db\" query = \"SELECT name FROM t WHERE id = ?\" } }\n"
             "cache users { http { url = \"http://127.0.0.1:9/users/{key}\" } }\n",
             at, at, at, at, at);
    snprintf(token, sizeof token, " cannot read the token file %s/token: No such file or directory\n", at);
    snprintf(directory, sizeof directory,
             " cache \"pages\": the directory \"%s/pages\" can't be opened: No such file or directory\n", at);
    snprintf(database, sizeof database,
             " cache \"names\": sqlite database \"%s/names.db\": No such file or directory\n", at);
    EXPECT_FAULTS(fixture, config, token, directory, database, " cache \"wrong\": sqlite database \"");
    expect_error(fixture, "the query \"SELECT name FROM t WHERE id = ?\" is wrong: no such table: t\n");
}

static void each_fault_is_one_line_with_file_and_line(void **state)
{
    struct fixture *fixture = *state;

    EXPECT_FAULTS(fixture, "connections_max = many\n" GOOD_CACHE("a"),
                  "1: connections_max = \"many\": not a whole number; expected a count from 1 to 1000000\n");
    EXPECT_FAULTS(fixture, GOOD_CACHE("a") "listne = \"127.0.0.1:1\"\n",
                  "4: unknown option \"listne\": did you mean \"listen\"?\n");
    EXPECT_FAULTS(fixture,
                  "idle_timeout = 5\nworkers = 1000\n\ncache \"a\" {\n    expire_after_write = \"10 minutes\"\n"
                  "    file { directory = \"/\" }\n}\n",
                  "1: idle_timeout = \"5\": the unit is missing: ms, s, min, h or d; expected a duration from 1s to "
                  "1d\n",
                  "2: workers = \"1000\": too large; expected a count from 0 to 256\n",
                  "5: expire_after_write = \"10 minutes\": ");
}

static void caches_need_a_name_of_their_own_and_a_backend(void **state)
{
    struct fixture *fixture = *state;

    EXPECT_FAULTS(fixture, GOOD_CACHE("a") GOOD_CACHE("b") GOOD_CACHE("a"),
                  "7: cache \"a\" stands here twice: first on line 1\n");
    EXPECT_FAULTS(fixture, GOOD_CACHE("stats"), "1: cache \"stats\": ");
    EXPECT_FAULTS(fixture, "cache \"a\" {\n}\n",
                  "1: cache \"a\" has no backend: it takes one section http, sqlite or file\n");
    EXPECT_FAULTS(fixture, "workers = 1\n",
                  "1: there is no cache: at least one section cache \"name\" { ... } is needed\n");
}

static void an_admin_side_for_everybody_needs_a_token(void **state)
{
    struct fixture *fixture = *state;

    EXPECT_FAULTS(fixture, "\nadmin_listen = \"0.0.0.0:0\"\n" GOOD_CACHE("a"),
                  "2: admin_listen \"0.0.0.0:0\" can be reached from other machines: that needs an "
                  "admin_token_file\n");
    EXPECT_FAULTS(fixture, "admin_listen = \"[::]:0\"\n" GOOD_CACHE("a"), "1: admin_listen \"[::]:0\" can be reached");
}

static void a_faulty_configuration_is_not_served(void **state)
{
    struct fixture *fixture = *state;

    scratch_write_text(&fixture->scratch, "sluice.conf",
                       "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nworkers = few\n" GOOD_CACHE("a"));
    RUN(fixture, "--config", fixture->config);
    expect(fixture, 1, "");
    expect_error(fixture, ":3: workers = \"few\": not a whole number");
    assert_null(strstr(fixture->ended.err, "event="));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(version_is_that_of_the_library),
        TEST(help_names_every_option_on_stdout),
        TEST(a_wrong_command_line_is_told_with_how_to_use_it),
        TEST(without_a_configuration_nothing_is_served),
        TEST(a_configuration_that_can_t_be_read_is_named),
        TEST(a_good_configuration_is_only_checked),
        TEST(what_a_start_would_open_is_checked_too),
        TEST(each_fault_is_one_line_with_file_and_line),
        TEST(caches_need_a_name_of_their_own_and_a_backend),
        TEST(an_admin_side_for_everybody_needs_a_token),
        TEST(a_faulty_configuration_is_not_served),
    };

    return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}
