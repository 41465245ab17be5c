/* SPDX-License-Identifier: MIT */
/* config_faults_test.c: each wrong value, name or combination gets its own words, with the line they belong to. */
#include "config_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_BACKEND "file { directory = /d }"

static void numbers_name_option_value_and_what_was_expected(void **state)
{
    (void)state;
    assert_config_faults("workers = 1000\n" CONFIG_CACHE,
                         "1: workers = \"1000\": too large; expected a count from 0 to 256\n");
    assert_config_faults("\nconnections_max = 12k\n" CONFIG_CACHE,
                         "2: connections_max = \"12k\": not a whole number; expected a count from 1 to 1000000\n");
    assert_config_faults("connections_max = 0\n" CONFIG_CACHE,
                         "1: connections_max = \"0\": too small; expected a count from 1 to 1000000\n");
    assert_config_faults(
        "header_size_max = 1M\n" CONFIG_CACHE,
        "1: header_size_max = \"1M\": write MiB (1,048,576 bytes); expected a size from 1KiB to 1MiB\n");
    assert_config_faults("workers = \"\"\n" CONFIG_CACHE,
                         "1: workers = \"\": not a whole number; expected a count from 0 to 256\n");
}

static void durations_say_which_unit_is_missing(void **state)
{
    (void)state;
    assert_config_faults("idle_timeout = 75\n" CONFIG_CACHE,
                         "1: idle_timeout = \"75\": the unit is missing: ms, s, min, "
                         "h or d; expected a duration from 1s to 1d\n");
    assert_config_faults("idle_timeout = never\n" CONFIG_CACHE,
                         "1: idle_timeout = \"never\": it must end; expected a duration from 1s to 1d\n");
    assert_config_faults("drain_timeout = 2h\n" CONFIG_CACHE,
                         "1: drain_timeout = \"2h\": too long; expected a duration from 0 to 1h\n");
    assert_config_faults("cache c {\n load_timeout = 0\n " FILE_BACKEND " }",
                         "2: load_timeout = \"0\": too short; expected a duration of at least 1ms, or never\n");
    assert_config_faults("cache c {\n not_found_ttl = 99999999999999999999d\n " FILE_BACKEND " }",
                         "2: not_found_ttl = \"99999999999999999999d\": the number is too large; expected a duration, "
                         "or never\n");
}

static void words_say_which_ones_there_are(void **state)
{
    (void)state;
    assert_config_faults("log_level = loud\n" CONFIG_CACHE,
                         "1: log_level = \"loud\": no such level; expected error, warning, info, debug\n");
    assert_config_faults("cache c {\n http { url = 'http://a/{key}'\n respect_cache_control = maybe } }",
                         "3: respect_cache_control = \"maybe\": not true or false; expected true or false\n");
}

static void strings_say_what_is_wrong_with_them(void **state)
{
    (void)state;
    assert_config_faults("listen = 8080\n" CONFIG_CACHE,
                         "1: listen = \"8080\": a listening address is host:port, [IPv6]:port or unix:/path\n");
    assert_config_faults("listen = ''\n" CONFIG_CACHE,
                         "1: listen = \"\": empty; expected host:port, [IPv6]:port or unix:/path\n");
    assert_config_faults("admin_token_file = \"\"\n" CONFIG_CACHE,
                         "1: admin_token_file = \"\": empty; expected a path\n");
    assert_config_faults("cache c { http {\n url = 'http://a/b' } }",
                         "2: url = \"http://a/b\": {key} is missing: it says where the key goes\n");
    assert_config_faults("cache c { http {\n url = 'http://user:p@ssword@a/b' } }", /* and tells no secrets */
                         "2: url = \"http://***@a/b\": {key} is missing: it says where the key goes\n");
    assert_config_faults("cache c { file { directory = /d\n content_type = text } }",
                         "2: content_type = \"text\": a media type is type/subtype, as text/plain\n");
    assert_config_faults("cache c { sqlite { database = d\n query = '' } }",
                         "2: query = \"\": empty; expected a text\n");
}

static void values_are_shown_safe_for_a_terminal_and_shortened(void **state)
{
    char text[2000];
    char expected[2000];
    (void)state;
    assert_config_faults("admin_token_file = \"a\\033[31m\\nb\"\n" CONFIG_CACHE,
                         "1: admin_token_file = \"a\\x1b[31m\\nb\": it has a control character in it\n");
    snprintf(text, sizeof(text), "workers = %.*s\n" CONFIG_CACHE, 700, "");
    memset(text + 10, 'x', 700);
    strcpy(text + 710, "\n" CONFIG_CACHE);
    snprintf(expected, sizeof(expected),
             "1: workers = \"%.*s...\": not a whole number; expected a count from 0 to 256\n", 200, text + 10);
    assert_config_faults(text, expected);
}

static void unknown_options_are_all_told_with_what_was_meant(void **state)
{
    (void)state;
    assert_config_faults("lissten = 'a:1'\n"
                         "flubber = 1\n"
                         "LISTEN = 1\n"
                         "cache c {\n"
                         "  load-timeout = 1s\n"
                         "  timeout = 1s\n"
                         "  listen = 3\n" FILE_BACKEND "\n"
                         "}\n"
                         "url = x\n",
                         "1: unknown option \"lissten\": did you mean \"listen\"?\n"
                         "2: unknown option \"flubber\"\n"
                         "3: unknown option \"LISTEN\": did you mean \"listen\"?\n"
                         "5: unknown option \"load-timeout\" in section cache: did you mean \"load_timeout\"?\n"
                         "6: unknown option \"timeout\" in section cache: it belongs in section http or in section "
                         "sqlite\n"
                         "7: unknown option \"listen\" in section cache: it belongs outside of sections\n"
                         "10: unknown option \"url\": it belongs in section http\n");
}

static void unknown_sections_are_told_and_end_the_reading(void **state)
{
    (void)state;
    assert_config_faults("cache c {\n  redis { host = a }\n}\nworkers = 1000",
                         "2: unknown section \"redis\" in section cache; nothing was read from here on\n");
    assert_config_faults("cach c {\n}\n", "1: unknown section \"cach\": did you mean \"cache\"?; nothing was read from "
                                          "here on\n");
    assert_config_faults("http { url = a }\n",
                         "1: unknown section \"http\": a backend section stands inside of a cache "
                         "section; nothing was read from here on\n");
    assert_config_faults("cache a {\n cache b {\n } }\n",
                         "2: unknown section \"cache\" in section cache: cache sections stand side by side; is a } "
                         "missing above?; nothing was read from here on\n");
}

static void names_that_only_the_parser_would_take_are_refused(void **state)
{
    (void)state;
    assert_config_faults("\"\" = 3\n" CONFIG_CACHE, "1: an option without a name\n");
    assert_config_faults("cache c {\n " FILE_BACKEND "\n 'file|directory' = /e }",
                         "3: directory is set outside of its section\n");
}

static void nothing_is_set_twice(void **state)
{
    (void)state;
    assert_config_faults("workers = 1\n\nworkers = 2\nworkers = x\n" CONFIG_CACHE,
                         "3: workers is set twice: first on line 1\n"
                         "4: workers is set twice: first on line 1\n");
    assert_config_faults("cache c {\n loads_max = 1\n loads_max = 1\n" FILE_BACKEND "}\n"
                         "cache d {\n loads_max = 1\n" FILE_BACKEND "}\n",
                         "3: loads_max is set twice: first on line 2\n");
}

static void caches_have_names_of_their_own(void **state)
{
    (void)state;
    assert_config_faults("cache c { " FILE_BACKEND " }\ncache d { " FILE_BACKEND " }\ncache c { " FILE_BACKEND " }\n",
                         "3: cache \"c\" stands here twice: first on line 1\n");
    assert_config_faults("cache a { " FILE_BACKEND " } cache b { " FILE_BACKEND " } cache a { " FILE_BACKEND " }\n",
                         "1: cache \"a\" stands here twice: first on line 1\n");
    assert_config_faults("cache \"a b\" { " FILE_BACKEND " }\n",
                         "1: cache \"a b\": the name of a cache is made of A-Z, a-z, 0-9, _ and -\n");
    assert_config_faults("cache \"\" { " FILE_BACKEND " }\n", "1: cache \"\": empty\n");
    assert_config_faults("cache metrics { " FILE_BACKEND " }\n",
                         "1: cache \"metrics\": the admin side uses this name\n");
    assert_config_faults("cache { " FILE_BACKEND " }\n",
                         "1: a cache without a name: write cache \"name\" { ... }; nothing was read from here on\n");
}

static void a_cache_takes_exactly_one_backend(void **state)
{
    (void)state;
    assert_config_faults("\n\ncache c {\n\n}\n",
                         "3: cache \"c\" has no backend: it takes one section http, sqlite or file\n");
    assert_config_faults("cache c {\n " FILE_BACKEND "\n http { url = 'http://a/{key}' }\n" FILE_BACKEND "\n}\n",
                         "3: section http: this cache has a backend already; it takes exactly one\n"
                         "4: section file: this cache has a backend already; it takes exactly one\n");
}

static void required_options_are_asked_for(void **state)
{
    (void)state;
    assert_config_faults("cache a {\n http { }\n}\ncache b { sqlite {\n } }\ncache c { file { } }\n",
                         "2: section http: url is missing\n"
                         "4: section sqlite: database is missing\n"
                         "4: section sqlite: query is missing\n"
                         "6: section file: directory is missing\n");
}

static void options_that_exclude_or_bound_each_other(void **state)
{
    (void)state;
    assert_config_faults("cache c {\n maximum_size = 1MiB\n maximum_entries = 5\n " FILE_BACKEND " }",
                         "3: maximum_entries and maximum_size exclude each other: a cache is bounded by one of them\n");
    assert_config_faults("cache c {\n failure_backoff = 2min\n " FILE_BACKEND " }",
                         "2: failure_backoff (120000ms) is over failure_backoff_max (60000ms)\n");
    assert_config_faults("cache c {\n failure_backoff_max = 1s\n failure_backoff = 2s\n " FILE_BACKEND " }",
                         "3: failure_backoff (2000ms) is over failure_backoff_max (1000ms)\n");
    /* A value that is no value is told once, and not compared. */
    assert_config_faults(
        "cache c {\n failure_backoff_max = 100\n failure_backoff = 2min\n " FILE_BACKEND " }",
        "2: failure_backoff_max = \"100\": the unit is missing: ms, s, min, h or d; expected a duration "
        "from 1ms to 1d\n");
}

static void the_two_listeners_do_not_meet(void **state)
{
    (void)state;
    assert_config_faults(
        "listen = 127.0.0.1:8080\nadmin_listen = 127.0.0.1:8080\n" CONFIG_CACHE,
        "2: listen \"127.0.0.1:8080\" and admin_listen \"127.0.0.1:8080\" can't both be listened on\n");
    assert_config_faults("listen = 0.0.0.0:8081\n" CONFIG_CACHE,
                         "1: listen \"0.0.0.0:8081\" and admin_listen \"127.0.0.1:8081\" can't both be listened on\n");
    assert_config_faults("admin_listen = unix:/s\nlisten = unix:/s\n" CONFIG_CACHE,
                         "2: listen \"unix:/s\" and admin_listen \"unix:/s\" can't both be listened on\n");
    config_destroy(config_of_text("listen = localhost:0\nadmin_listen = localhost:0\n" CONFIG_CACHE));
}

static void an_admin_side_for_other_machines_needs_a_token(void **state)
{
    (void)state;
    assert_config_faults("admin_listen = 0.0.0.0:8081\n" CONFIG_CACHE,
                         "1: admin_listen \"0.0.0.0:8081\" can be reached from other machines: that needs an "
                         "admin_token_file\n");
    assert_config_faults("admin_listen = 0.0.0.0:8081\nlisten = nowhere\n" CONFIG_CACHE,
                         "2: listen = \"nowhere\": a listening address is host:port, [IPv6]:port or unix:/path\n"
                         "1: admin_listen \"0.0.0.0:8081\" can be reached from other machines: that needs an "
                         "admin_token_file\n");
    config_destroy(config_of_text("admin_listen = 0.0.0.0:8081\nadmin_token_file = /t\n" CONFIG_CACHE));
    config_destroy(config_of_text("admin_listen = '[::1]:8081'\n" CONFIG_CACHE));
    config_destroy(config_of_text("admin_listen = unix:/s\n" CONFIG_CACHE));
}

static void many_faults_come_at_once_and_in_order(void **state)
{
    (void)state;
    assert_config_faults("workers = x\nbananas = 3\ncache a {\n}\ncache b {\n http { url = ftp:a\n } loads_max = 0 }\n",
                         "1: workers = \"x\": not a whole number; expected a count from 0 to 256\n"
                         "2: unknown option \"bananas\"\n"
                         "3: cache \"a\" has no backend: it takes one section http, sqlite or file\n"
                         "6: url = \"ftp:a\": a URL begins with http:// or https://\n"
                         "7: loads_max = \"0\": too small; expected a count from 1 to 1000000\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_name_option_value_and_what_was_expected),
        cmocka_unit_test(durations_say_which_unit_is_missing),
        cmocka_unit_test(words_say_which_ones_there_are),
        cmocka_unit_test(strings_say_what_is_wrong_with_them),
        cmocka_unit_test(values_are_shown_safe_for_a_terminal_and_shortened),
        cmocka_unit_test(unknown_options_are_all_told_with_what_was_meant),
        cmocka_unit_test(unknown_sections_are_told_and_end_the_reading),
        cmocka_unit_test(names_that_only_the_parser_would_take_are_refused),
        cmocka_unit_test(nothing_is_set_twice),
        cmocka_unit_test(caches_have_names_of_their_own),
        cmocka_unit_test(a_cache_takes_exactly_one_backend),
        cmocka_unit_test(required_options_are_asked_for),
        cmocka_unit_test(options_that_exclude_or_bound_each_other),
        cmocka_unit_test(the_two_listeners_do_not_meet),
        cmocka_unit_test(an_admin_side_for_other_machines_needs_a_token),
        cmocka_unit_test(many_faults_come_at_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
