/* SPDX-License-Identifier: MIT */
/* table_test.c: the shard's table: any bytes as a key, collisions, removal while iterating. */
#include "entry.h"
#include "table.h"

#include "test.h"

#include <stdio.h>

static struct entry *add(struct table *table, const void *key, size_t size, uint64_t hash)
{
    struct entry *entry = entry_create(key, size);

    assert_non_null(entry);
    assert_true(table_insert(table, entry, hash));
    return entry;
}

static void empty(struct table *table)
{
    struct entry *entry, *next;

    for (entry = table->entries; entry != NULL; entry = next) {
        next = table_next(entry);
        table_remove(table, entry);
        entry_destroy(entry);
    }
    assert_int_equal(table_count(table), 0);
}

static void keys_are_bytes_and_differ_by_size_too(void **state)
{
    struct table table = {NULL};
    struct entry *one = add(&table, "a\0b", 3, 1);
    struct entry *two = add(&table, "a\0c", 3, 1);
    struct entry *three = add(&table, "a", 1, 1);

    (void)state;
    assert_ptr_equal(table_find(&table, "a\0b", 3, 1), one);
    assert_ptr_equal(table_find(&table, "a\0c", 3, 1), two);
    assert_ptr_equal(table_find(&table, "a", 1, 1), three);
    assert_null(table_find(&table, "a\0", 2, 1));
    empty(&table);
}

static void keys_with_one_hash_are_all_found(void **state)
{
    struct table table = {NULL};
    char key[16];

    (void)state;
    for (int i = 0; i < 500; i++) {
        int size = snprintf(key, sizeof key, "key-%d", i);

        add(&table, key, (size_t)size, 42);
    }
    assert_int_equal(table_count(&table), 500);
    for (int i = 0; i < 500; i++) {
        int size = snprintf(key, sizeof key, "key-%d", i);
        struct entry *entry = table_find(&table, key, (size_t)size, 42);

        assert_non_null(entry);
        assert_memory_equal(entry->key, key, (size_t)size);
    }
    empty(&table);
}

static void iteration_survives_the_removal_of_the_current_entry(void **state)
{
    struct table table = {NULL};
    struct entry *entry, *next;
    unsigned left = 0;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        add(&table, &i, sizeof i, i);
    for (entry = table.entries; entry != NULL; entry = next) {
        next = table_next(entry);
        if (entry->key[0] % 2 == 0) {
            table_remove(&table, entry);
            entry_destroy(entry);
        }
    }
    for (uint64_t i = 0; i < 1000; i++) {
        bool there = table_find(&table, &i, sizeof i, i) != NULL;

        assert_int_equal(there, i % 2);
        left += there;
    }
    assert_int_equal(left, table_count(&table));
    empty(&table);
}

static void a_prefix_is_compared_by_bytes(void **state)
{
    struct entry *entry = entry_create("ab\0c", 4);

    (void)state;
    assert_true(entry_has_prefix(entry, "", 0));
    assert_true(entry_has_prefix(entry, "ab\0", 3));
    assert_true(entry_has_prefix(entry, "ab\0c", 4));
    assert_false(entry_has_prefix(entry, "ab\0d", 4));
    assert_false(entry_has_prefix(entry, "ab\0cd", 5));
    entry_destroy(entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_bytes_and_differ_by_size_too),
        cmocka_unit_test(keys_with_one_hash_are_all_found),
        cmocka_unit_test(iteration_survives_the_removal_of_the_current_entry),
        cmocka_unit_test(a_prefix_is_compared_by_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
