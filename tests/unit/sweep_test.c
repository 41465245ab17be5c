/* SPDX-License-Identifier: MIT */
/* sweep_test.c: a shard's decrees have numbers that wrap, and a cache outlives that. */
#include "core.h"
#include "test.h"

#include <string.h>

static int64_t read_now(void *self)
{
    (void)self;
    return 1000;
}

static void complete_tagged(void *self, struct sluice_load *load)
{
    static const char *const tags[] = {"tag"};
    const struct sluice_content content = {
        .data = "value", .size = 5, .ttl_ms = SLUICE_NEVER, .tags = tags, .tags_count = 1};

    (void)self;
    sluice_load_complete(load, &content);
}

/* As after so many invalidations, each of which has been carried out: they differ in the numbers alone. */
static void let_decrees_pass(struct sluice_cache *cache, uint32_t count)
{
    struct decrees *decrees = &cache->shards[0].locked.decrees;

    decrees->last += count;
    decrees->forgotten = decrees->swept = decrees->target = decrees->last;
    for (unsigned i = 0; i < 2; i++) {
        sluice_invalidate_tag(cache, "another", NULL);
        sluice_cache_tick(cache);
    }
}

static void values_with_tags_are_stored_however_many_tags_were_invalidated(void **state)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_cache *cache;

    (void)state;
    options.loader.load = complete_tagged;
    options.clock.now_ms = read_now; /* no thread besides this one */
    options.shards = 1;
    assert_int_equal(sluice_cache_create(&options, &cache), SLUICE_OK);
    for (unsigned quarter = 0; quarter < 9; quarter++) {
        for (unsigned i = 0; i < 2; i++) {
            struct sluice_outcome outcome;

            assert_int_equal(sluice_get_outcome(cache, "key", 3, 0, &outcome), SLUICE_OK);
            assert_int_equal(outcome.source, i == 0 ? SLUICE_SOURCE_LOAD : SLUICE_SOURCE_HIT);
            sluice_outcome_fini(&outcome);
        }
        sluice_invalidate_tag(cache, "tag", NULL);
        assert_int_equal(sluice_cache_tick(cache), SLUICE_NEVER);
        let_decrees_pass(cache, UINT32_C(1) << 30);
    }
    sluice_cache_destroy(cache);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_with_tags_are_stored_however_many_tags_were_invalidated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
