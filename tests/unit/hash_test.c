/* SPDX-License-Identifier: MIT */
/* hash_test.c: the seed is drawn once and matters; the etag follows the bytes in every process. */
#include "hash.h"

#include "test.h"

#include <string.h>

static void the_seed_is_one_for_the_process_and_not_zero(void **state)
{
    (void)state;
    assert_true(hash_seed() == hash_seed());
    assert_true(hash_seed() != 0); /* once in 2^64 runs this is bad luck */
}

static void the_seed_decides_where_a_key_goes(void **state)
{
    unsigned moved = 0;

    (void)state;
    for (uint32_t key = 0; key < 1000; key++) {
        assert_true(hash_key(1, &key, sizeof key) == hash_key(1, &key, sizeof key));
        moved += hash_key(1, &key, sizeof key) >> 60 != hash_key(2, &key, sizeof key) >> 60;
    }
    assert_in_range(moved, 850, 1000); /* 15 of 16 on average */
}

static void keys_spread_evenly_over_shards(void **state)
{
    unsigned counts[16] = {0};

    (void)state;
    for (uint32_t key = 0; key < 16000; key++)
        counts[hash_key(7, &key, sizeof key) >> 60]++;
    for (unsigned i = 0; i < 16; i++)
        assert_in_range(counts[i], 800, 1200);
}

static void an_etag_is_the_same_in_every_process(void **state)
{
    char etag[HASH_ETAG_SIZE];

    (void)state;
    hash_etag("sluice", 6, etag);
    /* Written down once: nodes behind one load balancer must agree on it. */
    assert_string_equal(etag, "\"adbab6796a85b84128d6b41d9413a19d\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_is_one_for_the_process_and_not_zero),
        cmocka_unit_test(the_seed_decides_where_a_key_goes),
        cmocka_unit_test(keys_spread_evenly_over_shards),
        cmocka_unit_test(an_etag_is_the_same_in_every_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
