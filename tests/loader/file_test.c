/* SPDX-License-Identifier: MIT */
/* file_test.c: the file backend: which keys have a file, which have none, and what is no value. */
#include "file_fixture.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void a_file_is_the_value_of_its_name(void **state)
{
    static const char BYTES[] = "\0\xff\r\nbytes";
    struct file_fixture *fixture = *state;

    loader_write(&fixture->loader, "root/bytes", BYTES, sizeof BYTES);
    file_fixture_write(fixture, "empty", "");
    file_fixture_open(fixture);
    loader_expect_bytes(&fixture->loader, "bytes", 5, BYTES, sizeof BYTES);
    assert_null(sluice_value_content_type(fixture->loader.outcome.value));
    loader_expect(&fixture->loader, "empty", "");
    loader_expect_error(&fixture->loader, "none", SLUICE_NOT_FOUND, NULL);
}

static void a_key_with_slashes_is_a_file_in_a_directory_below(void **state)
{
    struct file_fixture *fixture = *state;

    loader_make_directory(&fixture->loader, "root/a");
    loader_make_directory(&fixture->loader, "root/a/b");
    file_fixture_write(fixture, "a/b/c", "deep");
    file_fixture_open(fixture);
    loader_expect(&fixture->loader, "a/b/c", "deep");
    loader_expect_error(&fixture->loader, "a/b/d", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "a/x/c", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "a/b/c/d", SLUICE_NOT_FOUND, NULL); /* below a file */
}

static void odd_names_are_names(void **state)
{
    static const char *const NAMES[] = {"...", ".hidden", "..x", "x..", " ",    "a b",      "%2e%2e",
                                        "~",   "\\..\\x", "-",   "*",   "a\nb", "\xc3\xa9", "\xff\xfe"};
    struct file_fixture *fixture = *state;

    file_fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        file_fixture_write(fixture, NAMES[i], NAMES[i]);
        loader_expect(&fixture->loader, NAMES[i], NAMES[i]);
    }
}

static void the_media_type_is_that_of_the_options(void **state)
{
    struct file_fixture *fixture = *state;

    file_fixture_write(fixture, "page.html", "x");
    fixture->options.content_type = "text/plain; charset=utf-8";
    file_fixture_open(fixture);
    loader_expect(&fixture->loader, "page.html", "x");
    assert_string_equal(sluice_value_content_type(fixture->loader.outcome.value), "text/plain; charset=utf-8");
}

static void a_changed_file_is_the_value_once_the_old_one_is_forgotten(void **state)
{
    struct file_fixture *fixture = *state;

    file_fixture_write(fixture, "k", "old");
    file_fixture_open(fixture);
    loader_expect(&fixture->loader, "k", "old");
    file_fixture_write(fixture, "k", "new");
    loader_expect(&fixture->loader, "k", "old");
    loader_forget(&fixture->loader, "k");
    loader_expect(&fixture->loader, "k", "new");
}

/* ---- keys that name no file -------------------------------------------------------------------------------------- */

static void no_key_leads_out_of_the_directory(void **state)
{
    struct file_fixture *fixture = *state;
    char absolute[LOADER_PATH_MAX];

    loader_write_text(&fixture->loader, "secret", "secret");
    loader_make_directory(&fixture->loader, "root/a");
    file_fixture_write(fixture, "k", "v");
    file_fixture_open(fixture);
    loader_path(&fixture->loader, "secret", absolute);
    loader_expect_error(&fixture->loader, absolute, SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, absolute + 1, SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "../secret", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "a/../../secret", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "../root/k", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "..", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "a/..", SLUICE_NOT_FOUND, NULL);
    loader_expect(&fixture->loader, "k", "v");
}

/* Else an invalidation of the one key would leave the other. */
static void every_file_has_one_key_and_no_more(void **state)
{
    static const char *const KEYS[] = {"/a/k",  "a/k/",  "a//k", "./a/k", "a/./k", "a/../a/k",
                                       "a/k/.", "//a/k", ".",    "/",     "//"};
    struct file_fixture *fixture = *state;

    loader_make_directory(&fixture->loader, "root/a");
    file_fixture_write(fixture, "a/k", "v");
    file_fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        loader_expect_error(&fixture->loader, KEYS[i], SLUICE_NOT_FOUND, NULL);
    loader_expect(&fixture->loader, "a/k", "v");
}

static void a_key_with_a_nul_names_no_file(void **state)
{
    struct file_fixture *fixture = *state;

    file_fixture_write(fixture, "k", "v");
    file_fixture_open(fixture);
    assert_int_equal(loader_get(&fixture->loader, "k\0", 2), SLUICE_NOT_FOUND);
    assert_int_equal(loader_get(&fixture->loader, "k\0x", 3), SLUICE_NOT_FOUND);
    assert_int_equal(loader_get(&fixture->loader, "\0k", 2), SLUICE_NOT_FOUND);
    assert_int_equal(loader_get(&fixture->loader, "", 0), SLUICE_KEY_SIZE);
    loader_expect(&fixture->loader, "k", "v");
}

static void names_that_are_too_long_are_not_found(void **state)
{
    static const size_t SIZES[] = {NAME_MAX + 1, PATH_MAX - 1, PATH_MAX, PATH_MAX + 1, 65535};
    struct file_fixture *fixture = *state;
    char *key = malloc(65536);

    assert_non_null(key);
    fixture->loader.cache_options.key_size_max = 65535;
    file_fixture_open(fixture);
    memset(key, 'a', 65536);
    for (size_t i = 0; i < COUNT_OF(SIZES); i++)
        assert_int_equal(loader_get(&fixture->loader, key, SIZES[i]), SLUICE_NOT_FOUND);
    for (size_t i = 1; i < 65536; i += 2) /* parts that are short */
        key[i] = '/';
    for (size_t i = 0; i < COUNT_OF(SIZES); i++)
        assert_int_equal(loader_get(&fixture->loader, key, SIZES[i]), SLUICE_NOT_FOUND);
    free(key);

    /* The longest name there can be. */
    char name[NAME_MAX + 1];
    memset(name, 'a', NAME_MAX);
    name[NAME_MAX] = '\0';
    assert_int_equal(chdir(fixture->root), 0);
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chdir("/"), 0);
    loader_expect(&fixture->loader, name, "");
}

/* ---- what is there and is no value ------------------------------------------------------------------------------- */

static void link_to(struct file_fixture *fixture, const char *target, const char *name)
{
    char path[LOADER_PATH_MAX];

    loader_path(&fixture->loader, name, path);
    assert_int_equal(symlink(target, path), 0);
}

static void links_are_not_followed_wherever_they_lead(void **state)
{
    static const char *const KEYS[] = {"within", "out",       "absolute",    "dangling",
                                       "loop",   "directory", "directory/k", "up/secret"};
    struct file_fixture *fixture = *state;
    char secret[LOADER_PATH_MAX];

    loader_write_text(&fixture->loader, "secret", "secret");
    loader_path(&fixture->loader, "secret", secret);
    loader_make_directory(&fixture->loader, "root/a");
    file_fixture_write(fixture, "a/k", "v");
    link_to(fixture, "a/k", "root/within");
    link_to(fixture, "../secret", "root/out");
    link_to(fixture, secret, "root/absolute");
    link_to(fixture, "nowhere", "root/dangling");
    link_to(fixture, "loop", "root/loop");
    link_to(fixture, "a", "root/directory");
    link_to(fixture, "..", "root/up");
    file_fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        loader_expect_error(&fixture->loader, KEYS[i], SLUICE_NOT_FOUND, NULL);
    loader_expect(&fixture->loader, "a/k", "v");
}

static void the_links_of_proc_are_not_followed(void **state)
{
    struct file_fixture *fixture = *state;

    fixture->options.directory = "/proc";
    file_fixture_open(fixture);
    loader_expect_error(&fixture->loader, "self/cmdline", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "1/root/etc/passwd", SLUICE_NOT_FOUND, NULL);
    loader_expect_error(&fixture->loader, "1/exe", SLUICE_NOT_FOUND, NULL);
    /* Its size is told as 0; it is read to its end all the same. */
    assert_int_equal(loader_get(&fixture->loader, "version", 7), SLUICE_OK);
    assert_non_null(strstr(sluice_value_data(fixture->loader.outcome.value), "Linux"));
}

/* Sockets have short paths, and TMPDIR may be long: made by its name in the directory. */
static void make_socket(struct file_fixture *fixture, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(listener >= 0);
    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    assert_int_equal(chdir(fixture->root), 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(chdir("/"), 0);
    close(listener);
}

static void what_is_no_regular_file_is_not_found_at_once(void **state)
{
    static const char *const KEYS[] = {"directory", "pipe", "socket"};
    struct file_fixture *fixture = *state;
    char path[LOADER_PATH_MAX];

    loader_make_directory(&fixture->loader, "root/directory");
    loader_path(&fixture->loader, "root/pipe", path);
    assert_int_equal(mkfifo(path, 0644), 0);
    make_socket(fixture, "socket");
    file_fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        loader_expect_error(&fixture->loader, KEYS[i], SLUICE_NOT_FOUND, NULL);
}

static void devices_are_not_found_at_once(void **state)
{
    static const char *const KEYS[] = {"null", "zero", "tty", "full", "pts/0", "."};
    struct file_fixture *fixture = *state;

    fixture->options.directory = "/dev";
    file_fixture_open(fixture);
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        loader_expect_error(&fixture->loader, KEYS[i], SLUICE_NOT_FOUND, NULL);
}

/* ---- the directory ----------------------------------------------------------------------------------------------- */

static void a_directory_that_is_a_link_is_looked_up_for_each_load(void **state)
{
    struct file_fixture *fixture = *state;
    char path[LOADER_PATH_MAX], other[LOADER_PATH_MAX];

    loader_make_directory(&fixture->loader, "one");
    loader_make_directory(&fixture->loader, "two");
    loader_write_text(&fixture->loader, "one/k", "1");
    loader_write_text(&fixture->loader, "two/k", "2");
    link_to(fixture, "one", "current");
    link_to(fixture, "two", "next");
    loader_path(&fixture->loader, "current", path);
    loader_path(&fixture->loader, "next", other);
    fixture->options.directory = path;
    file_fixture_open(fixture);
    loader_expect(&fixture->loader, "k", "1");
    assert_int_equal(rename(other, path), 0);
    loader_forget(&fixture->loader, "k");
    loader_expect(&fixture->loader, "k", "2");
}

static void a_directory_that_goes_away_is_a_failure_until_it_is_back(void **state)
{
    struct file_fixture *fixture = *state;
    char away[LOADER_PATH_MAX];

    file_fixture_write(fixture, "k", "v");
    file_fixture_open(fixture);
    loader_path(&fixture->loader, "away", away);
    assert_int_equal(rename(fixture->root, away), 0);
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED,
                        "/root\" can't be opened: No such file or directory");
    loader_write_text(&fixture->loader, "root", "a file");
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_FAILED, "/root\" can't be opened: Not a directory");
    assert_int_equal(unlink(fixture->root), 0);
    assert_int_equal(rename(away, fixture->root), 0);
    loader_expect(&fixture->loader, "k", "v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_file_is_the_value_of_its_name),
        FILE_TEST(a_key_with_slashes_is_a_file_in_a_directory_below),
        FILE_TEST(odd_names_are_names),
        FILE_TEST(the_media_type_is_that_of_the_options),
        FILE_TEST(a_changed_file_is_the_value_once_the_old_one_is_forgotten),
        FILE_TEST(no_key_leads_out_of_the_directory),
        FILE_TEST(every_file_has_one_key_and_no_more),
        FILE_TEST(a_key_with_a_nul_names_no_file),
        FILE_TEST(names_that_are_too_long_are_not_found),
        FILE_TEST(links_are_not_followed_wherever_they_lead),
        FILE_TEST(the_links_of_proc_are_not_followed),
        FILE_TEST(what_is_no_regular_file_is_not_found_at_once),
        FILE_TEST(devices_are_not_found_at_once),
        FILE_TEST(a_directory_that_is_a_link_is_looked_up_for_each_load),
        FILE_TEST(a_directory_that_goes_away_is_a_failure_until_it_is_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
