/* SPDX-License-Identifier: MIT */
/* startup.c: see startup.h. */
#include "startup.h"

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int startup_setup(void **state)
{
    struct startup *startup = calloc(1, sizeof *startup);

    assert_non_null(startup);
    scratch_init(&startup->scratch);
    *state = startup;
    return 0;
}

int startup_teardown(void **state)
{
    struct startup *startup = *state;

    process_ended_fini(&startup->ended);
    scratch_fini(&startup->scratch);
    free(startup);
    return 0;
}

void startup_try(struct startup *startup, enum process_user user, const char *format, ...)
{
    char config[2048], path[SCRATCH_PATH_MAX];
    va_list values;
    int size;

    va_start(values, format);
    size = vsnprintf(config, sizeof config, format, values);
    va_end(values);
    assert_in_range(size, 0, sizeof config - 1);
    scratch_write_text(&startup->scratch, "sluice.conf", config);
    scratch_path(&startup->scratch, "sluice.conf", path);
    process_ended_fini(&startup->ended);
    process_run(&startup->ended, user, (const char *const[]){"--config", path, NULL});
}

/* Takes the escapes out of a value of the log: \" and \\ are all that these reasons have. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

void startup_expect_failure(struct startup *startup, const char *format, ...)
{
    char reason[1024];
    const char *line = strstr(startup->ended.err, " level=error event=start_failed reason=");
    va_list values;
    int size;

    va_start(values, format);
    size = vsnprintf(reason, sizeof reason, format, values);
    va_end(values);
    assert_in_range(size, 0, sizeof reason - 1);
    if (startup->ended.status != 1)
        fail_msg("exit status %d, not 1; stderr: %s", startup->ended.status, startup->ended.err);
    assert_string_equal("", startup->ended.out);
    if (!line || strstr(line + strlen(" level=error"), "level=error"))
        fail_msg("not exactly one error in: %s", startup->ended.err);
    assert_null(strstr(startup->ended.err, "event=listening"));
    unescape(startup->ended.err);
    if (!strstr(startup->ended.err, reason))
        fail_msg("\"%s\" is not the reason: %s", reason, startup->ended.err);
}

enum process_user startup_user_without_rights(struct startup *startup)
{
    struct process_ended ended;
    int status;

    assert_return_code(chmod(startup->scratch.directory, 0755), errno);
    if (!process_may_be_nobody())
        return PROCESS_SAME;
    process_run(&ended, PROCESS_NOBODY, (const char *const[]){"--version", NULL});
    status = ended.status;
    process_ended_fini(&ended);
    if (status != 0) {
        print_message("skipped: as root, and nobody else may run sluiced where it lies, or be asked for\n");
        skip();
    }
    return PROCESS_NOBODY;
}
