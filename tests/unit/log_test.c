/* SPDX-License-Identifier: MIT */
/*
 * log_test.c: a log line is one line, whole or cut with a mark, and nothing from outside can forge one. Standard error
 * is a pipe here, which the test reads.
 */
#include "log.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int stderr_before;
static int reader;

static int pipe_stderr(void **state)
{
    int ends[2];
    (void)state;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    stderr_before = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reader = ends[0];
    return 0;
}

static int restore_stderr(void **state)
{
    (void)state;
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    close(reader);
    log_set_level(LOG_INFO);
    return 0;
}

/* All that has been written, up to room - 1 bytes. */
static const char *logged(void)
{
    static char text[65536];
    size_t size = 0;
    for (ssize_t part; size < sizeof text - 1 && (part = read(reader, text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)part;
    text[size] = '\0';
    return text;
}

/* What was logged is one line: a time and then this. */
static void expect_line(const char *expected)
{
    static const char shape[] = "time=0000-00-00T00:00:00.000Z ";
    const char *line = logged();
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        if (shape[i] == '0')
            assert_in_range(line[i], '0', '9');
        else
            assert_int_equal(line[i], shape[i]);
    }
    const char *rest = strchr(line, ' ') + 1;
    size_t size = strlen(rest);
    assert_true(size > 0 && rest[size - 1] == '\n');
    assert_int_equal(size - 1, strlen(expected));
    assert_memory_equal(rest, expected, size - 1);
}

static void a_line_has_level_event_and_pairs(void **state)
{
    (void)state;
    log_event(LOG_INFO, "listening", "side", "data", "address", "127.0.0.1:8080", NULL);
    expect_line("level=info event=listening side=data address=127.0.0.1:8080");
    log_event(LOG_ERROR, "start_failed", NULL);
    expect_line("level=error event=start_failed");
}

static void only_levels_from_the_set_one_on_are_written(void **state)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    (void)state;
    for (size_t lowest = 0; lowest < COUNT_OF(names); lowest++) {
        enum log_level parsed;
        assert_int_equal(log_level_parse(names[lowest], &parsed), 0);
        log_set_level(parsed);
        for (size_t level = 0; level < COUNT_OF(names); level++) {
            log_event((enum log_level)level, "event", NULL);
            const char *line = logged();
            assert_int_equal(level <= lowest, *line != '\0');
            assert_true(!*line || strstr(line, names[level]));
        }
    }
    enum log_level untouched = LOG_DEBUG;
    assert_int_equal(log_level_parse("loud", &untouched), -1);
    assert_int_equal(untouched, LOG_DEBUG);
}

static void what_would_be_mistaken_is_quoted_and_escaped(void **state)
{
    static const char *const values[][2] = {
        {"plain", "plain"},
        {"", "\"\""},
        {NULL, "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"no\" \\", "\"say \\\"no\\\" \\\\\""},
        {"line\nlevel=error", "\"line\\nlevel=error\""},
        {"\r\t\x1b[31m\x7f", "\"\\r\\t\\x1b[31m\\x7f\""},
        {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
        {"\xff\xc3", "\"\\xff\\xc3\""},
        {"\xe2\x80\xae", "\"\\u202e\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char expected[128];
        snprintf(expected, sizeof expected, "level=info event=event value=%s", values[i][1]);
        log_event(LOG_INFO, "event", "value", values[i][0], NULL);
        expect_line(expected);
    }
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    char value[8192];
    (void)state;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int quoted = 0; quoted < 2; quoted++) {
        value[0] = quoted ? ' ' : 'v';
        log_event(LOG_INFO, "event", "value", value, "after", "never seen", NULL);
        const char *line = logged();
        const char *end = quoted ? "v\" cut=true\n" : "v cut=true\n";
        assert_in_range(strlen(line), 4080, 4096);
        assert_string_equal(line + strlen(line) - strlen(end), end);
        assert_null(strstr(line, "after"));
    }
}

static void errno_is_left_alone(void **state)
{
    (void)state;
    errno = EDOM;
    log_event(LOG_INFO, "event", NULL);
    assert_int_equal(errno, EDOM);
    logged();
    close(STDERR_FILENO);
    errno = EDOM;
    log_event(LOG_INFO, "event", NULL);
    assert_int_equal(errno, EDOM);
    dup2(stderr_before, STDERR_FILENO); /* so that restore_stderr() finds it */
}

static void lines_that_were_lost_are_counted(void **state)
{
    char value[4000];
    (void)state;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    log_event(LOG_INFO, "event", NULL);
    logged(); /* whatever an earlier test lost is told */
    size_t written = 0;
    for (; written < 1000; written++) {
        log_event(LOG_INFO, "event", "value", value, NULL);
    }
    size_t whole = 0;
    for (const char *line = logged(); *line; line = strchr(line, '\n') + 1)
        whole++;
    assert_in_range(whole, 1, 999);
    log_event(LOG_INFO, "event", NULL);
    char expected[64];
    snprintf(expected, sizeof expected, "level=info event=event lines_lost=%zu", written - whole);
    expect_line(expected);
    log_event(LOG_INFO, "event", NULL);
    expect_line("level=info event=event");
}

#define WRITERS 4
#define LINES   30 /* that a pipe holds them all */

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_event(LOG_INFO, "event", "writer", arg, "again", arg, NULL);
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    static char names[WRITERS][200];
    pthread_t threads[WRITERS];
    (void)state;
    for (size_t i = 0; i < WRITERS; i++) {
        memset(names[i], 'a' + (int)i, sizeof names[i] - 1);
        pthread_create(&threads[i], NULL, write_lines, names[i]);
    }
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    size_t lines = 0;
    for (const char *line = logged(); *line; line = strchr(line, '\n') + 1, lines++) {
        char one[201], other[201];
        const char *pair = strstr(line, " writer=");
        assert_non_null(pair);
        assert_int_equal(sscanf(pair, " writer=%200s again=%200s", one, other), 2);
        assert_string_equal(one, other);
        assert_int_equal(strlen(one), sizeof names[0] - 1);
    }
    assert_int_equal(lines, WRITERS * LINES);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, pipe_stderr, restore_stderr)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_line_has_level_event_and_pairs),
        LOG_TEST(only_levels_from_the_set_one_on_are_written),
        LOG_TEST(what_would_be_mistaken_is_quoted_and_escaped),
        LOG_TEST(a_long_line_is_cut_and_says_so),
        LOG_TEST(errno_is_left_alone),
        LOG_TEST(lines_that_were_lost_are_counted),
        LOG_TEST(lines_of_several_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
