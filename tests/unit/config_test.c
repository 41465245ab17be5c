/* SPDX-License-Identifier: MIT */
/* config_test.c: what a right configuration comes to: every default, every option set, every bound. */
#include "config_support.h"

#include "fault.h"
#include "log.h"
#include "options.h"

#include <setjmp.h>
#include <sluice/loader.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void defaults_of_the_server_and_a_cache(void **state)
{
    (void)state;
    struct config *config = config_of_text("cache c { file { directory = /d } }");
    struct config_cache *cache = &config->caches[0];
    assert_string_equal(config->listen, "0.0.0.0:8080");
    assert_string_equal(config->admin_listen, "127.0.0.1:8081");
    assert_null(config->admin_token_file);
    assert_int_equal(config->workers, 0);
    assert_int_equal(config->connections_max, 10000);
    assert_int_equal(config->header_size_max, 8192);
    assert_int_equal(config->idle_timeout_ms, 75000);
    assert_int_equal(config->drain_timeout_ms, 30000);
    assert_int_equal(config->log_level, LOG_INFO);
    assert_true(config->failure_details);
    assert_int_equal(config->caches_count, 1);

    assert_string_equal(cache->name, "c");
    assert_int_equal(cache->maximum_entries, 0);
    assert_int_equal(cache->maximum_weight, 64 << 20);
    assert_int_equal(cache->expire_after_write_ms, SLUICE_NEVER);
    assert_int_equal(cache->not_found_ttl_ms, 0);
    assert_int_equal(cache->failure_backoff_ms, 0);
    assert_int_equal(cache->failure_backoff_max_ms, 60000);
    assert_int_equal(cache->load_timeout_ms, 30000);
    assert_int_equal(cache->wait_timeout_ms, 30000);
    assert_int_equal(cache->key_size_max, 1024);
    assert_int_equal(cache->value_size_max, 16 << 20);
    assert_int_equal(cache->loads_max, 1024);
    assert_int_equal(cache->waiters_per_key_max, 65536);
    assert_int_equal(cache->waiters_max, 262144);
    config_destroy(config);
}

static void defaults_of_the_backends(void **state)
{
    (void)state;
    struct config *config = config_of_text("cache f { file { directory = /d } }"
                                           "cache h { http { url = 'http://a/{key}' } }"
                                           "cache s { sqlite { database = d query = q } }");
    struct config_backend *file = &config->caches[0].backend;
    struct config_backend *http = &config->caches[1].backend;
    struct config_backend *sqlite = &config->caches[2].backend;
    assert_int_equal(file->kind, CONFIG_BACKEND_FILE);
    assert_string_equal(file->directory, "/d");
    assert_null(file->content_type);
    assert_int_equal(file->max_concurrent, 4);
    assert_int_equal(file->queue_max, 1024);
    assert_null(file->url);

    assert_int_equal(http->kind, CONFIG_BACKEND_HTTP);
    assert_string_equal(http->url, "http://a/{key}");
    assert_int_equal(http->max_concurrent, 64);
    assert_int_equal(http->queue_max, 1024);
    assert_int_equal(http->timeout_ms, 10000);
    assert_int_equal(http->connect_timeout_ms, 2000);
    assert_true(http->respect_cache_control);
    assert_null(http->directory);

    assert_int_equal(sqlite->kind, CONFIG_BACKEND_SQLITE);
    assert_string_equal(sqlite->database, "d");
    assert_string_equal(sqlite->query, "q");
    assert_null(sqlite->content_type);
    assert_int_equal(sqlite->max_concurrent, 4);
    assert_int_equal(sqlite->queue_max, 1024);
    assert_int_equal(sqlite->timeout_ms, 10000);
    config_destroy(config);
}

static const char EVERYTHING[] = "listen = unix:/run/s\n"
                                 "admin_listen = '[::]:99'\n"
                                 "admin_token_file = /t\n"
                                 "workers = 7\n"
                                 "connections_max = 8\n"
                                 "header_size_max = 9KiB\n"
                                 "idle_timeout = 10s\n"
                                 "drain_timeout = 11ms\n"
                                 "log_level = debug\n"
                                 "failure_details = false\n"
                                 "cache one {\n"
                                 "  maximum_entries = 12\n"
                                 "  expire_after_write = 13min\n"
                                 "  not_found_ttl = 14h\n"
                                 "  failure_backoff = 15s\n"
                                 "  failure_backoff_max = 16m\n"
                                 "  load_timeout = never\n"
                                 "  wait_timeout = 18s\n"
                                 "  key_size_max = 19\n"
                                 "  value_size_max = 20MiB\n"
                                 "  loads_max = 21\n"
                                 "  waiters_per_key_max = 22\n"
                                 "  waiters_max = 23\n"
                                 "  http {\n"
                                 "    url = 'https://h/?k={key}'\n"
                                 "    max_concurrent = 24\n"
                                 "    queue_max = 0\n"
                                 "    timeout = 26s\n"
                                 "    connect_timeout = 27ms\n"
                                 "    respect_cache_control = false\n"
                                 "  }\n"
                                 "}\n"
                                 "cache two {\n"
                                 "  maximum_size = 28GiB\n"
                                 "  sqlite {\n"
                                 "    database = d\n"
                                 "    query = \"select a\\nfrom t\"\n"
                                 "    content_type = 'text/plain; charset=utf-8'\n"
                                 "    max_concurrent = 29\n"
                                 "    queue_max = 30\n"
                                 "    timeout = never\n"
                                 "  }\n"
                                 "}\n"
                                 "cache three {\n"
                                 "  file {\n"
                                 "    directory = /d\n"
                                 "    content_type = a/b\n"
                                 "    max_concurrent = 31\n"
                                 "    queue_max = 32\n"
                                 "  }\n"
                                 "}\n";

static void assert_everything_of_the_server(const struct config *config)
{
    assert_string_equal(config->listen, "unix:/run/s");
    assert_string_equal(config->admin_listen, "[::]:99");
    assert_string_equal(config->admin_token_file, "/t");
    assert_int_equal(config->workers, 7);
    assert_int_equal(config->connections_max, 8);
    assert_int_equal(config->header_size_max, 9 * 1024);
    assert_int_equal(config->idle_timeout_ms, 10000);
    assert_int_equal(config->drain_timeout_ms, 11);
    assert_int_equal(config->log_level, LOG_DEBUG);
    assert_false(config->failure_details);
    assert_int_equal(config->caches_count, 3);
}

static void assert_everything_of_the_first_cache(const struct config_cache *cache)
{
    assert_string_equal(cache->name, "one");
    assert_int_equal(cache->maximum_entries, 12);
    assert_int_equal(cache->maximum_weight, 0);
    assert_int_equal(cache->expire_after_write_ms, 13 * 60000);
    assert_int_equal(cache->not_found_ttl_ms, 14 * 3600000);
    assert_int_equal(cache->failure_backoff_ms, 15000);
    assert_int_equal(cache->failure_backoff_max_ms, 16 * 60000);
    assert_int_equal(cache->load_timeout_ms, SLUICE_NEVER);
    assert_int_equal(cache->wait_timeout_ms, 18000);
    assert_int_equal(cache->key_size_max, 19);
    assert_int_equal(cache->value_size_max, 20 << 20);
    assert_int_equal(cache->loads_max, 21);
    assert_int_equal(cache->waiters_per_key_max, 22);
    assert_int_equal(cache->waiters_max, 23);
    assert_string_equal(cache->backend.url, "https://h/?k={key}");
    assert_int_equal(cache->backend.max_concurrent, 24);
    assert_int_equal(cache->backend.queue_max, 0);
    assert_int_equal(cache->backend.timeout_ms, 26000);
    assert_int_equal(cache->backend.connect_timeout_ms, 27);
    assert_false(cache->backend.respect_cache_control);
}

static void every_option_reaches_its_field(void **state)
{
    (void)state;
    struct config *config = config_of_text(EVERYTHING);
    struct config_cache *caches = config->caches;
    assert_everything_of_the_server(config);
    assert_everything_of_the_first_cache(&caches[0]);

    assert_int_equal(caches[1].maximum_entries, 0);
    assert_true(caches[1].maximum_weight == UINT64_C(28) << 30);
    assert_string_equal(caches[1].backend.database, "d");
    assert_string_equal(caches[1].backend.query, "select a\nfrom t");
    assert_string_equal(caches[1].backend.content_type, "text/plain; charset=utf-8");
    assert_int_equal(caches[1].backend.max_concurrent, 29);
    assert_int_equal(caches[1].backend.queue_max, 30);
    assert_int_equal(caches[1].backend.timeout_ms, SLUICE_NEVER);

    assert_string_equal(caches[2].backend.directory, "/d");
    assert_string_equal(caches[2].backend.content_type, "a/b");
    assert_int_equal(caches[2].backend.max_concurrent, 31);
    assert_int_equal(caches[2].backend.queue_max, 32);
    config_destroy(config);
}

/* So that an option that is added is added to the test above, too. */
static void the_test_of_every_option_has_every_option(void **state)
{
    size_t settings = 0;
    (void)state;
    for (const char *at = EVERYTHING; (at = strstr(at, " = ")); at++)
        settings++;
    assert_int_equal(settings, OPTIONS_TOTAL);
}

/* One step over the maximum, or under the minimum, of a number with a unit; "" where there is none. */
static void step(const char *bound, int by, char *text, size_t text_size)
{
    char *unit;
    long number = strtol(bound, &unit, 10);
    if (by < 0 && *unit && number == 1) /* below 1s there are 999ms, but below 0s there is nothing */
        snprintf(text, text_size, "%s", strcmp(unit, "KiB") == 0 ? "1023" : strcmp(unit, "s") == 0 ? "999ms" : "0");
    else if (strcmp(bound, "never") == 0 || number + by < 0)
        text[0] = '\0';
    else
        snprintf(text, text_size, "%ld%s", number + by, unit);
}

static void bounds_of_every_number_are_kept(void **state)
{
    union {
        struct config root;
        struct config_cache cache;
        struct config_backend backend;
    } base;
    char text[64];
    size_t numbers = 0;
    (void)state;
    memset(&base, 0, sizeof(base));
    for (size_t i = 0; i < OPTIONS_TOTAL; i++) {
        const struct option *option = &options_all[i];
        if (!option->minimum)
            continue;
        numbers++;
        assert_null(options_store(option, option->preset ? option->preset : "1", &base));
        assert_null(options_store(option, option->minimum, &base));
        assert_null(options_store(option, option->maximum, &base));
        step(option->minimum, -1, text, sizeof(text));
        if (text[0])
            assert_non_null(options_store(option, text, &base));
        step(option->maximum, 1, text, sizeof(text));
        if (text[0])
            assert_non_null(options_store(option, text, &base));
        assert_non_null(options_store(option, "-1", &base));
        assert_non_null(options_store(option, "18446744073709551616", &base));
    }
    assert_true(numbers >= 25);
}

/* Each allocation of ours in turn is refused: the file is then refused, too, with a line that says so. */
static void without_memory_it_says_so(void **state)
{
    (void)state;
    struct config *config = NULL;
    char said[4096];
    FILE *stream = fmemopen(said, sizeof(said), "w");
    char path[] = "/tmp/sluice-config-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(stream);
    assert_non_null(file);
    fputs(EVERYTHING, file);
    fclose(file);

    size_t nth = 1;
    for (; nth < 1000 && !config; nth++) {
        rewind(stream);
        memset(said, 0, sizeof(said));
        fault_arm(nth, FAULT_THIS_THREAD, false);
        config = config_load(path, stream);
        fault_disarm();
        fflush(stream);
        if (!config)
            assert_non_null(strstr(said, "out of memory"));
    }
    assert_true(nth > 18);
    assert_non_null(config);
    config_destroy(config);
    fclose(stream);
    remove(path);
}

static void destroying_nothing_is_allowed(void **state)
{
    (void)state;
    config_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_the_server_and_a_cache),
        cmocka_unit_test(defaults_of_the_backends),
        cmocka_unit_test(every_option_reaches_its_field),
        cmocka_unit_test(the_test_of_every_option_has_every_option),
        cmocka_unit_test(bounds_of_every_number_are_kept),
        cmocka_unit_test(without_memory_it_says_so),
        cmocka_unit_test(destroying_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
