/* SPDX-License-Identifier: MIT */
/* numbers.c: see numbers.h. */
#include "numbers.h"

const char *numbers_key(unsigned number)
{
    static char key[16];
    snprintf(key, sizeof key, "%06u", number);
    return key;
}

void numbers_put(struct sluice_cache *cache, unsigned from, unsigned count)
{
    const struct sluice_content content = fixture_content("value");
    for (unsigned number = from; number < from + count; number++) {
        const char *key = numbers_key(number);
        assert_int_equal(sluice_put(cache, key, strlen(key), &content), SLUICE_OK);
    }
}

void numbers_put_themselves(struct sluice_cache *cache, unsigned from, unsigned count)
{
    for (unsigned number = from; number < from + count; number++) {
        char key[16];
        snprintf(key, sizeof key, "%u", number);
        const struct sluice_content content = fixture_content(key);
        assert_int_equal(sluice_put(cache, key, strlen(key), &content), SLUICE_OK);
    }
}

void numbers_open_full(struct fixture *fixture, unsigned entries, unsigned shards)
{
    fixture->options.maximum_entries = entries;
    fixture->options.shards = shards;
    fixture_open(fixture);
    numbers_put(fixture->cache, 0, entries);
    assert_int_equal(fixture_stats(fixture).entries, entries);
}
