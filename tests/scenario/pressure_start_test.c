/* SPDX-License-Identifier: MIT */
/* pressure_start_test.c: what a watcher can watch, and in which words it says what it can't. */
#include "errand.h"
#include "pressure_site.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The start is refused, with this errno, and words that have this in them. Nothing is left open. */
static void expect_refused(const struct sluice_pressure_options *options, enum sluice_error expected, int system,
                           const char *words)
{
    struct sluice_pressure *pressure = NULL;
    struct sluice_pressure_fault fault = {77, "untouched"};
    size_t open_before = pressure_site_open_files();
    assert_int_equal(sluice_pressure_start(options, &pressure, NULL), expected);
    assert_int_equal(sluice_pressure_start(options, &pressure, &fault), expected);
    assert_null(pressure);
    if (fault.system != system || strstr(fault.words, words) == NULL)
        fail_msg("errno %d, not %d: '%s', not '%s'", fault.system, system, fault.words, words);
    assert_int_equal(pressure_site_open_files(), open_before);
}

static void an_option_that_is_wrong_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    pressure_site_init(&site, fixture);
    const struct sluice_pressure_options good = site.options;

#define EXPECT_WRONG(member, value, words)                                                                             \
    site.options = good;                                                                                               \
    site.options.member = value;                                                                                       \
    expect_refused(&site.options, SLUICE_INVALID, 0, words)
    EXPECT_WRONG(window_ms, 499, "window_ms must be 500 to 10000");
    EXPECT_WRONG(window_ms, 10001, "window_ms must be 500 to 10000");
    EXPECT_WRONG(stall_ms, 0, "stall_ms must be 1 to window_ms");
    EXPECT_WRONG(stall_ms, 2001, "stall_ms must be 1 to window_ms");
    EXPECT_WRONG(share_percent, 0, "share_percent must be 1 to 99");
    EXPECT_WRONG(share_percent, 100, "share_percent must be 1 to 99");
    EXPECT_WRONG(share_percent_min, 0, "share_percent_min must be 1 to share_percent");
    EXPECT_WRONG(share_percent_min, 51, "share_percent_min must be 1 to share_percent");
    EXPECT_WRONG(pace_ms, 0, "pace_ms must be 1 to 3600000");
    EXPECT_WRONG(pace_ms, 3600001, "pace_ms must be 1 to 3600000");
    EXPECT_WRONG(hold_ms, 0, "hold_ms must be 1 to 86400000");
    EXPECT_WRONG(hold_ms, 86400001, "hold_ms must be 1 to 86400000");
#undef EXPECT_WRONG
    site.options = good;
    site.options.stall_path = site.options.events_path = "";
    expect_refused(&site.options, SLUICE_INVALID, 0, "nothing would be watched");
    pressure_site_fini(&site);
}

static void a_named_file_that_cannot_be_watched_is_told_with_the_systems_words(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    char path[SCRATCH_PATH_MAX], words[2 * SCRATCH_PATH_MAX];
    pressure_site_init(&site, fixture);

    scratch_path(&site.scratch, "absent", path);
    snprintf(words, sizeof words, "%s: can't be opened for writing: No such file or directory", path);
    site.options.stall_path = path;
    expect_refused(&site.options, SLUICE_FILE, ENOENT, words);
    snprintf(words, sizeof words, "%s: can't be opened: No such file or directory", path);
    site.options.stall_path = site.fifo;
    site.options.events_path = path;
    expect_refused(&site.options, SLUICE_FILE, ENOENT, words);

    snprintf(words, sizeof words, "%s: can't be opened for writing: Is a directory", site.scratch.directory);
    site.options.stall_path = site.scratch.directory;
    site.options.events_path = site.events;
    expect_refused(&site.options, SLUICE_FILE, EISDIR, words);
    snprintf(words, sizeof words, "%s: can't be read: Is a directory", site.scratch.directory);
    site.options.stall_path = site.fifo;
    site.options.events_path = site.scratch.directory;
    expect_refused(&site.options, SLUICE_FILE, EISDIR, words);

    snprintf(words, sizeof words, "%s: has no line \"high NUMBER\"", site.events);
    scratch_write_text(&site.scratch, "memory.events", "low 1\nmax 2\n");
    site.options.events_path = site.events;
    expect_refused(&site.options, SLUICE_FILE, 0, words);
    pressure_site_fini(&site);
}

static void a_file_that_is_not_the_kernels_is_not_written_to(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    struct stat status;
    char path[SCRATCH_PATH_MAX];
    pressure_site_init(&site, fixture);

    scratch_write_text(&site.scratch, "precious", "");
    scratch_path(&site.scratch, "precious", path);
    site.options.stall_path = path;
    expect_refused(&site.options, SLUICE_FILE, 0, "is neither a file of pressure stall information nor a FIFO");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 0);
    pressure_site_fini(&site);
}

static void either_file_is_enough_and_the_other_need_not_be_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;

    for (int events = 0; events <= 1; events++) {
        pressure_site_init(&site, fixture);
        *(events ? &site.options.stall_path : &site.options.events_path) = "";
        pressure_site_start(&site);
        struct sluice_pressure_state seen = pressure_site_look(&site);
        assert_int_equal(seen.events_watched, events);
        assert_int_equal(seen.stall_watched, !events);
        assert_string_equal(events ? seen.stall_words : seen.events_words, "not asked for");
        assert_non_null(strstr(events ? seen.events_words : seen.stall_words, ": is watched"));
        pressure_site_stall(&site);
        pressure_site_count(&site, 8, 0);
        sluice_pressure_tick(site.pressure);
        assert_int_equal(pressure_site_look(&site).signs, 1);
        pressure_site_fini(&site);
    }
}

/*
 * Whether the kernel of the machine has what is needed, and lets this program use it, is not known here: it is used, or
 * each of the two files is named with what is wrong with it.
 */
static void the_kernels_own_files_are_chosen_or_the_start_says_what_is_wrong_with_each(void **state)
{
    struct sluice_pressure *pressure = NULL;
    struct sluice_pressure_fault fault = {0, ""};
    struct sluice_pressure_state seen;
    enum sluice_error error = sluice_pressure_start(NULL, &pressure, &fault);
    (void)state;

    if (error != SLUICE_OK) {
        assert_int_equal(error, SLUICE_FILE);
        assert_null(pressure);
        assert_int_not_equal(fault.system, 0);
        assert_non_null(strstr(fault.words, "/proc/pressure/memory: "));
        assert_non_null(strstr(fault.words, "memory.high"));
        print_message("not to be had here: %s\n", fault.words);
        return;
    }
    assert_int_equal(sluice_pressure_tick(pressure), SLUICE_NEVER); /* its thread does that */
    sluice_pressure_look(pressure, &seen);
    assert_true(seen.stall_watched || seen.events_watched);
    assert_int_equal(seen.stall_watched, strstr(seen.stall_words, ": is watched") != NULL);
    assert_int_equal(seen.events_watched, strstr(seen.events_words, ": is watched") != NULL);
    if (!seen.events_watched)
        assert_non_null(strstr(seen.events_words, "memory.high"));
    print_message("%s\n%s\n", seen.stall_words, seen.events_words);
    sluice_pressure_stop(pressure);
}

/* The kernel is asked whether it would take the trigger; the watcher must come to the same. */
static void a_trigger_is_set_if_the_kernel_takes_one(void **state)
{
    static const char path[] = "/proc/pressure/memory", trigger[] = "some 200000 2000000";
    struct sluice_pressure_options options = SLUICE_PRESSURE_OPTIONS_INIT;
    struct sluice_pressure *pressure = NULL;
    struct sluice_pressure_fault fault = {0, ""};
    FILE *file = fopen(path, "r+");
    int refused = file == NULL ? errno : write(fileno(file), trigger, sizeof trigger) < 0 ? errno : 0;
    (void)state;

    if (file != NULL)
        fclose(file);
    options.stall_path = path;
    options.events_path = "";
    assert_int_equal(sluice_pressure_start(&options, &pressure, &fault), refused == 0 ? SLUICE_OK : SLUICE_FILE);
    assert_int_equal(fault.system, refused);
    if (refused != 0)
        assert_non_null(strstr(fault.words, path));
    sluice_pressure_stop(pressure);
}

/* ---- signs of the kernel's --------------------------------------------------------------------------------------- */

#define SPINNERS 2 /* on one processor: one of them always wants for it */

static struct spinners {
    cpu_set_t processor;
    atomic_bool stopped;
} spinners;

/* The first processor that this program may use, alone. */
static void choose_processor(cpu_set_t *one)
{
    cpu_set_t usable;
    int number = 0;
    assert_int_equal(sched_getaffinity(0, sizeof usable, &usable), 0);
    while (number < CPU_SETSIZE - 1 && !CPU_ISSET(number, &usable))
        number++;
    CPU_ZERO(one);
    CPU_SET(number, one);
}

static void spin(void *arg)
{
    struct spinners *own = arg;
    if (sched_setaffinity(0, sizeof own->processor, &own->processor) != 0)
        abort();
    while (!atomic_load(&own->stopped) && errand_goes_on())
        ;
}

/* Memory can't be made scarce in a test, but processors can, and the kernel tells of both in the same way. */
static void the_kernels_trigger_is_a_sign(void **state)
{
    struct sluice_pressure_options options = SLUICE_PRESSURE_OPTIONS_INIT;
    struct sluice_pressure *pressure = NULL;
    struct sluice_pressure_state seen;
    struct sluice_pressure_fault fault;
    struct errand *errands[SPINNERS];
    (void)state;

    options.stall_path = "/proc/pressure/cpu";
    options.events_path = "";
    options.stall_ms = 1;
    if (sluice_pressure_start(&options, &pressure, &fault) != SLUICE_OK) {
        assert_non_null(strstr(fault.words, options.stall_path)); /* rightly so: the test before this one has asked */
        return;
    }
    choose_processor(&spinners.processor);
    for (size_t i = 0; i < SPINNERS; i++)
        errands[i] = errand_start(spin, &spinners);
    AWAIT((sluice_pressure_look(pressure, &seen), seen.signs > 0));
    atomic_store(&spinners.stopped, true);
    for (size_t i = 0; i < SPINNERS; i++) {
        assert_true(errand_ended(errands[i]));
        errand_join(errands[i]);
    }
    assert_int_equal(seen.share_percent, 50);
    assert_true(seen.stall_watched);
    sluice_pressure_stop(pressure);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_option_that_is_wrong_is_named),
        FIXTURE_TEST(a_named_file_that_cannot_be_watched_is_told_with_the_systems_words),
        FIXTURE_TEST(a_file_that_is_not_the_kernels_is_not_written_to),
        FIXTURE_TEST(either_file_is_enough_and_the_other_need_not_be_asked_for),
        FIXTURE_TEST(the_kernels_own_files_are_chosen_or_the_start_says_what_is_wrong_with_each),
        FIXTURE_TEST(a_trigger_is_set_if_the_kernel_takes_one),
        FIXTURE_TEST(the_kernels_trigger_is_a_sign),
    };
    FIXTURE_MAIN(tests);
}
