/* SPDX-License-Identifier: MIT */
/* pressure_source_test.c: the texts that the kernel is told, and what is made of those that it tells. */
#include "cgroup.h"
#include "pressure_source.h"
#include "test.h"

#include <string.h>

static void a_trigger_is_in_microseconds_and_ends_with_its_nul(void **state)
{
    char text[PRESSURE_TRIGGER_SIZE];
    (void)state;
    assert_int_equal(pressure_trigger(200, 2000, text), sizeof "some 200000 2000000");
    assert_string_equal(text, "some 200000 2000000");
    assert_int_equal(pressure_trigger(10000, 10000, text), sizeof "some 10000000 10000000");
    assert_string_equal(text, "some 10000000 10000000");
}

static void expect_high(const char *text, bool found, uint64_t expected)
{
    uint64_t high = 99;
    if (pressure_events_high(text, &high) != found || high != (found ? expected : 99))
        fail_msg("of '%s'", text);
}

static void the_count_high_is_found_wherever_its_line_is(void **state)
{
    (void)state;
    expect_high("low 0\nhigh 12\nmax 5\noom 0\noom_kill 0\noom_group_kill 0\n", true, 12);
    expect_high("high 0\n", true, 0);
    expect_high("low 1\nmax 2\nhigh 18446744073709551615\n", true, UINT64_MAX);
}

static void what_is_no_count_is_not_taken_for_one(void **state)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "high",
                                        "high \n",
                                        "high 1", /* cut off: there may be more digits */
                                        "high -1\n",
                                        "high +1\n",
                                        "high  1\n",
                                        "high x\n",
                                        "high 1x\n",
                                        "high 18446744073709551616\n",
                                        "low high 1\n",
                                        "xhigh 1\n",
                                        "highest 1\n",
                                        "low 0\nmax 0\n"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        expect_high(texts[i], false, 0);
}

/* ---- cgroup ------------------------------------------------------------------------------------------------------ */

static void the_own_cgroup_is_that_of_version_2(void **state)
{
    char unified[] = "0::/system.slice/a b.service\n", old[] = "4:memory:/process\n", bare[] = "0::/",
         named[] = "0:x:/\n";
    (void)state;
    assert_string_equal(cgroup_of_line(unified), "/system.slice/a b.service");
    assert_string_equal(cgroup_of_line(bare), "/");
    assert_null(cgroup_of_line(old));
    assert_null(cgroup_of_line(named));
}

/* NULL: it can't be seen there. */
static void expect_directory(const char *mount, const char *cgroup, const char *expected)
{
    char line[512], directory[CGROUP_PATH_SIZE] = "";
    strcpy(line, mount);
    if (cgroup_of_mount(line, cgroup, directory) != (expected != NULL) ||
        (expected != NULL && strcmp(directory, expected) != 0))
        fail_msg("'%s' in '%s' is '%s'", cgroup, mount, directory);
}

static void a_mount_shows_what_is_below_its_root(void **state)
{
    static const char whole[] = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    static const char part[] = "30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
    (void)state;
    expect_directory(whole, "/", "/sys/fs/cgroup");
    expect_directory(whole, "/a.slice/b", "/sys/fs/cgroup/a.slice/b");
    expect_directory(part, "/docker/abc", "/sys/fs/cgroup");
    expect_directory(part, "/docker/abc/inner", "/sys/fs/cgroup/inner");
    expect_directory(part, "/docker/abcdef", NULL);
    expect_directory(part, "/docker", NULL);
    expect_directory(part, "/", NULL);
    expect_directory(whole, "/../outside", NULL); /* of another namespace */
}

static void other_mounts_and_broken_lines_show_nothing(void **state)
{
    (void)state;
    expect_directory("30 24 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n", "/", NULL);
    expect_directory("30 24 0:26 / /sys/fs/cgroup rw - tmpfs cgroup2 rw\n", "/", NULL);
    expect_directory("30 24 0:26 / /sys/fs/cgroup rw\n", "/", NULL);
    expect_directory("30 24 - cgroup2 x y\n", "/", NULL);
    expect_directory(" - cgroup2 \n", "/", NULL);
    expect_directory("\n", "/", NULL);
}

static void a_directory_that_is_too_long_is_none(void **state)
{
    char cgroup[CGROUP_PATH_SIZE];
    (void)state;
    memset(cgroup, 'x', sizeof cgroup);
    cgroup[0] = '/';
    cgroup[sizeof cgroup - 1] = '\0';
    expect_directory("30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", cgroup, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trigger_is_in_microseconds_and_ends_with_its_nul),
        cmocka_unit_test(the_count_high_is_found_wherever_its_line_is),
        cmocka_unit_test(what_is_no_count_is_not_taken_for_one),
        cmocka_unit_test(the_own_cgroup_is_that_of_version_2),
        cmocka_unit_test(a_mount_shows_what_is_below_its_root),
        cmocka_unit_test(other_mounts_and_broken_lines_show_nothing),
        cmocka_unit_test(a_directory_that_is_too_long_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
