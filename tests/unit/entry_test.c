/* SPDX-License-Identifier: MIT */
/* entry_test.c: what an entry has behind its key, and in the flight in its place. */
#include "entry.h"

#include "clock.h"
#include "test.h"
#include "value.h"

static uint64_t weigh(void *self, const void *key, size_t key_size, const struct sluice_value *value)
{
    (void)self, (void)key, (void)key_size, (void)value;
    return 1;
}

/* A cache's options by what its entries have besides. */
static struct sluice_options options_for(bool dated, bool weighed)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;

    if (dated)
        options.expire_after_access_ms = 1000;
    if (weighed)
        options.weigher.weigh = weigh;
    return options;
}

static void numbers_behind_the_key_keep_whatever_its_size(void **state)
{
    static const unsigned char key[20] = "twenty bytes of key";

    (void)state;
    for (size_t size = 1; size <= sizeof key; size++) {
        for (unsigned kind = 0; kind < 4; kind++) {
            bool dated = kind % 2 == 1, weighed = kind / 2 == 1;
            const struct sluice_options options = options_for(dated, weighed);
            struct entry *entry = entry_create_for(&options, key, size);

            assert_non_null(entry);
            entry->stored_ms = 77;
            entry_set_accessed_ms(entry, INT64_MAX - 1);
            entry_set_weight(entry, SLUICE_WEIGHT_MAX);
            assert_true(entry_accessed_ms(entry) == (dated ? INT64_MAX - 1 : 77));
            assert_true(entry_weight(entry) == (weighed ? SLUICE_WEIGHT_MAX : value_weight(size, NULL)));
            assert_memory_equal(entry->key, key, size);
            assert_false(entry_is_pinned(entry));
            entry_set_weight(entry, 0);
            assert_int_equal(entry_is_pinned(entry), weighed);
            entry_destroy(entry);
        }
    }
}

static void without_a_weigher_it_weighs_its_bytes(void **state)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct entry *entry = entry_create("key", 3);

    (void)state;
    content.data = "value";
    content.size = 5;
    assert_int_equal(value_create(&content, 5, false, &entry->value), SLUICE_OK);
    assert_int_equal(entry_weight(entry), SLUICE_ENTRY_OVERHEAD + 3 + 5);
    entry_destroy(entry); /* and the value with it */
}

static void the_time_of_the_reload_survives_a_flight(void **state)
{
    struct entry *entry = entry_create("key", 3);
    struct entry_shelf shelf;

    (void)state;
    entry_set_reload_at_ms(entry, 5);
    assert_null(entry_flight(entry));
    entry_take_off(entry, &shelf);
    assert_ptr_equal(entry_flight(entry), &shelf);
    assert_int_equal(entry_reload_at_ms(entry), 5);
    entry_set_reload_at_ms(entry, CLOCK_FAR);
    assert_ptr_equal(entry_flight(entry), &shelf);
    entry_land(entry);
    assert_null(entry_flight(entry));
    assert_true(entry_reload_at_ms(entry) == CLOCK_FAR);
    entry_destroy(entry);
}

static void memory_that_is_held_stays_until_all_have_let_go(void **state)
{
    struct entry *entry = entry_create("key", 3);

    (void)state;
    entry_hold(entry);
    entry_hold(entry);
    entry_destroy(entry);
    entry_destroy(entry);
    assert_memory_equal(entry->key, "key", 3);
    entry_destroy(entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_behind_the_key_keep_whatever_its_size),
        cmocka_unit_test(without_a_weigher_it_weighs_its_bytes),
        cmocka_unit_test(the_time_of_the_reload_survives_a_flight),
        cmocka_unit_test(memory_that_is_held_stays_until_all_have_let_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
