/* SPDX-License-Identifier: MIT */
/* pressure_memory_test.c: what a cache gives under pressure the system has back. */
#include "pressure_site.h"

#include <stdlib.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OTHER_ALLOCATOR 1 /* malloc_trim() is not of the allocator that is used then */
#else
#define OTHER_ALLOCATOR 0
#endif

#define VALUES     16384
#define VALUE_SIZE 1000

static size_t resident_bytes(void)
{
    char text[256];
    FILE *file = fopen("/proc/self/statm", "r"); /* pages in all, pages resident, ... */
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_non_null(strchr(text, ' '));
    return strtoul(strchr(text, ' '), NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void put_values(struct sluice_cache *cache)
{
    static const char zeros[VALUE_SIZE];
    const struct sluice_content content = {.data = zeros, .size = sizeof zeros, .ttl_ms = SLUICE_TTL_DEFAULT};
    for (unsigned number = 0; number < VALUES; number++)
        assert_int_equal(sluice_put(cache, &number, sizeof number, &content), SLUICE_OK);
}

static void what_pressure_takes_is_given_back_to_the_system(void **state)
{
    struct fixture *fixture = *state;
    struct pressure_site site;
    pressure_site_init_threaded(&site, fixture);
    pressure_site_start(&site);
    fixture->options.maximum_entries = VALUES;
    fixture_open(fixture);
    put_values(fixture->cache);
    assert_int_equal(sluice_pressure_watch(site.pressure, fixture->cache), SLUICE_OK);

    size_t before = resident_bytes();
    pressure_site_stall(&site);
    AWAIT(pressure_site_look(&site).entries == VALUES / 2);
    sluice_pressure_stop(site.pressure); /* which joins the thread: it has given back */
    site.pressure = NULL;
    size_t after = resident_bytes();
    print_message("%zu KiB of values evicted, %zu KiB resident before, %zu KiB after\n",
                  (size_t)VALUES / 2 * VALUE_SIZE / 1024, before / 1024, after / 1024);
    if (!OTHER_ALLOCATOR)
        assert_in_range(after, 0, before - (size_t)VALUES / 2 * VALUE_SIZE * 3 / 4);
    assert_int_equal(fixture_stats(fixture).entries, VALUES / 2);
    pressure_site_fini(&site);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_pressure_takes_is_given_back_to_the_system),
    };
    FIXTURE_MAIN(tests);
}
