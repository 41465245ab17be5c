/* SPDX-License-Identifier: MIT */
/*
 * embedder.c: the smallest program that embeds the library, in words that are C11 and C++17 at once: the headers and
 * their initialisers must compile in both. Prints the version of the library that it runs with.
 */
#include <sluice/cache.h>
#include <sluice/loader.h>

#include <stdio.h>
#include <string.h>

static void load_nothing(void *self, struct sluice_load *load)
{
    (void)self;
    sluice_load_not_found(load);
}

int main(void)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_cache *cache = NULL;
    enum sluice_error error;

    options.loader.load = load_nothing;
    error = sluice_cache_create(&options, &cache);
    if (error)
        return 1;
    content.data = "value";
    content.size = 5;
    error = sluice_put(cache, "key", 3, &content);
    if (error)
        return 2;
    error = sluice_get_outcome(cache, "key", 3, SLUICE_WAIT_FOREVER, &outcome);
    if (error || memcmp(sluice_value_data(outcome.value), "value", 5) != 0)
        return 3;
    sluice_outcome_fini(&outcome);
    error = sluice_get_outcome(cache, "other", 5, SLUICE_WAIT_FOREVER, &outcome);
    if (error != SLUICE_NOT_FOUND)
        return 4;
    sluice_outcome_fini(&outcome);
    sluice_cache_destroy(cache);
    if (strcmp(sluice_version(), SLUICE_VERSION) != 0)
        return 5;
    puts(sluice_version());
    return 0;
}
