/* SPDX-License-Identifier: MIT */
/* table_test.c: the shard's table: any bytes as a key, collisions, growth, walks, no memory, and a model of it all. */
#include "table.h"

#include "entry.h"
#include "fault.h"
#include "random.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#define MANY 20000

static struct table table;
static size_t held_before; /* blocks of memory */

static size_t blocks_held(void)
{
    struct fault_counts counts = fault_counts();

    return counts.allocations - counts.frees;
}

static int setup(void **state)
{
    (void)state;
    held_before = blocks_held();
    table_init(&table);
    return 0;
}

/* Whatever a test leaves in the table goes, and all memory with it. */
static int teardown(void **state)
{
    unsigned budget = UINT32_MAX;
    struct entry *entry;

    (void)state;
    while ((entry = table_drain(&table, &budget)) != NULL)
        entry_destroy(entry);
    assert_int_equal(table_count(&table), 0);
    table_fini(&table);
    assert_int_equal(blocks_held(), held_before);
    return 0;
}

static struct entry *add(const void *key, size_t size, uint64_t hash)
{
    struct entry *entry = entry_create(key, size);

    assert_non_null(entry);
    assert_true(table_insert(&table, entry, hash));
    return entry;
}

static struct entry *add_number(uint64_t number, uint64_t hash)
{
    return add(&number, sizeof number, hash);
}

static struct entry *find_number(uint64_t number, uint64_t hash)
{
    return table_find(&table, &number, sizeof number, hash);
}

static void drop(struct entry *entry)
{
    table_remove(&table, entry);
    entry_destroy(entry);
}

static uint64_t number_of(const struct entry *entry)
{
    uint64_t number;

    memcpy(&number, entry->key, sizeof number);
    return number;
}

/* Well mixed, as the hashes of keys are. */
static uint64_t mix(uint64_t number)
{
    struct random random;

    random_init(&random, number);
    return random_next(&random);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void an_empty_table_has_nothing_and_holds_no_memory(void **state)
{
    struct table_walk walk = TABLE_WALK_INIT;
    struct entry *entry = entry_create("a", 1);

    (void)state;
    assert_null(table_find(&table, "a", 1, 0));
    assert_false(table_has(&table, entry));
    assert_null(table_walk_next(&table, &walk));
    assert_true(table_walk_is_over(&table, &walk));
    assert_null(table_move_aside(&table));
    entry_destroy(entry);
    assert_int_equal(blocks_held(), held_before);
}

static void keys_are_bytes_and_differ_by_size_too(void **state)
{
    struct entry *one = add("a\0b", 3, 1), *two = add("a\0c", 3, 1), *three = add("a", 1, 1);

    (void)state;
    assert_ptr_equal(table_find(&table, "a\0b", 3, 1), one);
    assert_ptr_equal(table_find(&table, "a\0c", 3, 1), two);
    assert_ptr_equal(table_find(&table, "a", 1, 1), three);
    assert_null(table_find(&table, "a\0", 2, 1));
}

/* From the first, from the last, from the middle: a chain of buckets stays whole, and is given back with its entries.
 */
static void keys_with_one_hash_are_all_found_and_leave_in_any_order(void **state)
{
    enum { ALIKE = 500 };
    static struct entry *entries[ALIKE];

    (void)state;
    for (uint64_t step = 1; step < ALIKE; step += 166) {
        size_t held = blocks_held();

        for (uint64_t i = 0; i < ALIKE; i++)
            entries[i] = add_number(i, 42);
        assert_int_equal(table_count(&table), ALIKE);
        for (uint64_t i = 0, next = step - 1; i < ALIKE; i++, next = (next + step) % ALIKE) {
            assert_ptr_equal(find_number(next, 42), entries[next]);
            drop(entries[next]);
            assert_null(find_number(next, 42));
            if (i + 1 < ALIKE)
                assert_ptr_equal(find_number((next + step) % ALIKE, 42), entries[(next + step) % ALIKE]);
        }
        assert_int_equal(table_count(&table), 0);
        if (step > 1) /* the buckets that are no chain's stay */
            assert_int_equal(blocks_held(), held);
    }
}

static void equal_tags_in_one_bucket_are_told_apart_by_their_keys(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 8; i++)
        add_number(i, UINT64_C(7) << 32 | i << 40 << 16); /* they differ in what is neither tag nor bucket */
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(number_of(find_number(i, UINT64_C(7) << 32)), i);
    assert_null(find_number(8, UINT64_C(7) << 32));
}

static void it_knows_an_entry_from_another_of_the_same_key(void **state)
{
    struct entry *entry = add("key", 3, 5), *other = entry_create("key", 3);

    (void)state;
    other->hash = 5;
    assert_true(table_has(&table, entry));
    assert_false(table_has(&table, other));
    assert_int_equal(table_hash(entry), 5);
    table_remove(&table, entry);
    assert_false(table_has(&table, entry));
    entry_destroy(entry);
    entry_destroy(other);
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

/* ---- growth ------------------------------------------------------------------------------------------------------ */

static void it_grows_a_bucket_at_a_time_as_entries_come(void **state)
{
    uint32_t before = 0;

    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        add_number(i, mix(i));
        assert_true(table.buckets <= before + 1 || before == 0);
        assert_true(table.count <= (size_t)table.buckets * TABLE_FILL);
        before = table.buckets;
    }
    assert_true(table.count >= ((size_t)table.buckets - 1) * TABLE_FILL);
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_equal(number_of(find_number(i, mix(i))), i);
    assert_null(find_number(MANY, mix(MANY)));
}

/* What comes and goes for ever holds no more memory than what is there at once. */
static void churn_leaves_no_memory_behind(void **state)
{
    enum { ALIVE = 2000 };
    size_t held, most = 0;

    (void)state;
    for (uint64_t i = 0; i < ALIVE; i++)
        add_number(i, mix(i));
    held = blocks_held();
    for (uint64_t i = ALIVE; i < 50 * ALIVE; i++) {
        add_number(i, mix(i));
        drop(find_number(i - ALIVE, mix(i - ALIVE)));
        most = blocks_held() > most ? blocks_held() : most;
    }
    assert_in_range(most, held, held + ALIVE / TABLE_FILL / 5);
}

/* ---- no memory --------------------------------------------------------------------------------------------------- */

static bool insert_without_memory(struct entry *entry, uint64_t hash)
{
    bool inserted;

    fault_arm(1, FAULT_THIS_THREAD, true);
    inserted = table_insert(&table, entry, hash);
    held_before += fault_disarm(); /* those count as well */
    return inserted;
}

static void without_memory_for_a_bucket_nothing_is_changed(void **state)
{
    struct entry *entry = entry_create("key", 3);

    (void)state;
    assert_false(insert_without_memory(entry, 1)); /* its first */
    assert_int_equal(table_count(&table), 0);
    assert_true(table_insert(&table, entry, 1));
    for (uint64_t i = 0; i < 7; i++)
        add_number(i, 1);
    entry = entry_create("another", 7);
    assert_false(insert_without_memory(entry, 1)); /* behind a full one */
    assert_int_equal(table_count(&table), 8);
    assert_null(table_find(&table, "another", 7, 1));
    assert_false(table_has(&table, entry));
    assert_true(table_insert(&table, entry, 1));
    assert_ptr_equal(table_find(&table, "another", 7, 1), entry);
    assert_int_equal(number_of(find_number(6, 1)), 6);
}

/* Hashes that fill the eight first buckets one like the other, so that none needs a further one. */
static void without_memory_to_grow_it_becomes_fuller_and_makes_up_for_it(void **state)
{
    uint64_t count = 1;

    (void)state;
    add_number(0, 0);
    for (; count < 64; count++)
        assert_true(insert_without_memory(entry_create(&count, sizeof count), count));
    assert_int_equal(table.buckets, 8);
    for (; count < 400; count++)
        add_number(count, count);
    assert_true(table.count <= (size_t)table.buckets * TABLE_FILL);
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(number_of(find_number(i, i)), i);
}

/* ---- walks ------------------------------------------------------------------------------------------------------- */

static void each_entry_comes_up_once_in_a_walk(void **state)
{
    static unsigned char times[MANY];
    struct table_walk walk = TABLE_WALK_INIT;
    struct entry *entry;

    (void)state;
    memset(times, 0, sizeof times);
    for (uint64_t i = 0; i < MANY; i++)
        add_number(i, mix(i));
    while ((entry = table_walk_next(&table, &walk)) != NULL)
        times[number_of(entry)]++;
    assert_true(table_walk_is_over(&table, &walk));
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_equal(times[i], 1);
}

static void a_walk_survives_the_removal_of_the_current_entry(void **state)
{
    struct table_walk walk = TABLE_WALK_INIT;
    struct entry *entry;
    unsigned left = 0;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        add_number(i, mix(i) & ~UINT64_C(0xff)); /* in long chains */
    while ((entry = table_walk_next(&table, &walk)) != NULL) {
        if (number_of(entry) % 2 == 0)
            drop(entry);
    }
    for (uint64_t i = 0; i < 1000; i++) {
        bool there = find_number(i, mix(i) & ~UINT64_C(0xff)) != NULL;

        assert_int_equal(there, i % 2);
        left += there;
    }
    assert_int_equal(left, table_count(&table));
}

/* Those of even numbers stay; meanwhile others come, by which the table grows, and go. */
static void what_stays_comes_up_in_a_walk_whatever_comes_and_goes_meanwhile(void **state)
{
    enum { STAY = 300, PASS = 3000 };
    struct random random;

    (void)state;
    random_init(&random, 4711);
    for (unsigned round = 0; round < 30; round++) {
        static bool seen[STAY], there[PASS];
        uint64_t mask = round % 3 == 0 ? ~UINT64_C(0x3f) : round % 3 == 1 ? ~UINT64_C(0) : ~UINT64_C(7);
        struct table_walk walk = TABLE_WALK_INIT;
        struct entry *entry;

        memset(seen, 0, sizeof seen);
        memset(there, 0, sizeof there);
        for (uint64_t i = 0; i < STAY; i++)
            add_number(i, mix(i) & mask);
        while ((entry = table_walk_next(&table, &walk)) != NULL) {
            if (number_of(entry) < STAY)
                seen[number_of(entry)] = true;
            for (unsigned change = random_below(&random, 8); change > 0; change--) {
                unsigned i = random_below(&random, PASS);

                if (there[i])
                    drop(find_number(STAY + i, mix(STAY + i) & mask));
                else
                    add_number(STAY + i, mix(STAY + i) & mask);
                there[i] = !there[i];
            }
        }
        for (unsigned i = 0; i < STAY; i++)
            assert_true(seen[i]);
        teardown(NULL);
        table_init(&table);
    }
}

static void a_walk_over_empty_buckets_stops_when_its_budget_is_used_up(void **state)
{
    struct table_walk walk = TABLE_WALK_INIT;
    unsigned budget = 100;

    (void)state;
    for (uint64_t i = 0; i < MANY; i++)
        add_number(i, mix(i));
    for (uint64_t i = 0; i < MANY; i++)
        drop(find_number(i, mix(i)));
    assert_null(table_walk_some(&table, &walk, &budget));
    assert_int_equal(budget, 0);
    assert_int_equal(walk.bucket, 100);
    assert_false(table_walk_is_over(&table, &walk));
    budget = MANY;
    assert_null(table_walk_some(&table, &walk, &budget));
    assert_int_equal(MANY - budget, table.buckets - 100);
    assert_true(table_walk_is_over(&table, &walk));
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void what_is_moved_aside_is_drained_a_step_at_a_time(void **state)
{
    static bool seen[MANY];
    struct table_aside *aside;
    size_t drained = 0, held, steps = 0;
    uint32_t buckets;

    (void)state;
    memset(seen, 0, sizeof seen);
    for (uint64_t i = 0; i < MANY; i++)
        add_number(i, mix(i));
    buckets = table.buckets;
    aside = table_move_aside(&table);
    assert_int_equal(table_count(&table), 0);
    assert_null(find_number(1, mix(1)));
    add_number(1, mix(1)); /* it is as good as new */
    held = blocks_held();
    for (bool more = true; more; steps++) {
        unsigned budget = 10;
        struct entry *entry;

        while ((entry = table_drain(&aside->table, &budget)) != NULL) {
            assert_false(seen[number_of(entry)]);
            seen[number_of(entry)] = true;
            entry_destroy(entry);
            drained++;
        }
        more = budget == 0;
        assert_true(blocks_held() < held); /* with each step some memory is given back */
        held = blocks_held();
    }
    assert_int_equal(steps, buckets / 10 + 1);
    assert_int_equal(drained, MANY);
    table_fini(&aside->table);
    assert_int_equal(number_of(find_number(1, mix(1))), 1);
}

/* ---- a model ----------------------------------------------------------------------------------------------------- */

/* An array by number says what is in the table; the hashes are of several kinds of badness. */
static void it_does_what_an_array_would(void **state)
{
    enum { KEYS = 3000, STEPS = 60000 };
    static const uint64_t masks[] = {~UINT64_C(0), ~UINT64_C(0xf), 0xffff00000003, UINT64_C(0xffffffff), 0x1ff};
    uint64_t seed = random_seed();
    struct random random;

    (void)state;
    print_message("SLUICE_SEED=%llu\n", (unsigned long long)seed);
    random_init(&random, seed);
    for (size_t i = 0; i < COUNT_OF(masks); i++) {
        static struct entry *model[KEYS];
        size_t count = 0;

        memset(model, 0, sizeof model);
        for (unsigned step = 0; step < STEPS; step++) {
            unsigned number = random_below(&random, KEYS);
            uint64_t hash = mix(number) & masks[i];

            assert_ptr_equal(find_number(number, hash), model[number]);
            if (model[number] == NULL) {
                model[number] = add_number(number, hash);
                count++;
            } else if (random_below(&random, 3) > 0) {
                drop(model[number]);
                model[number] = NULL;
                count--;
            }
            assert_int_equal(table_count(&table), count);
        }
        teardown(NULL);
        table_init(&table);
    }
}

int main(void)
{
#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TABLE_TEST(an_empty_table_has_nothing_and_holds_no_memory),
        TABLE_TEST(keys_are_bytes_and_differ_by_size_too),
        TABLE_TEST(keys_with_one_hash_are_all_found_and_leave_in_any_order),
        TABLE_TEST(equal_tags_in_one_bucket_are_told_apart_by_their_keys),
        TABLE_TEST(it_knows_an_entry_from_another_of_the_same_key),
        TABLE_TEST(a_prefix_is_compared_by_bytes),
        TABLE_TEST(it_grows_a_bucket_at_a_time_as_entries_come),
        TABLE_TEST(churn_leaves_no_memory_behind),
        TABLE_TEST(without_memory_for_a_bucket_nothing_is_changed),
        TABLE_TEST(without_memory_to_grow_it_becomes_fuller_and_makes_up_for_it),
        TABLE_TEST(each_entry_comes_up_once_in_a_walk),
        TABLE_TEST(a_walk_survives_the_removal_of_the_current_entry),
        TABLE_TEST(what_stays_comes_up_in_a_walk_whatever_comes_and_goes_meanwhile),
        TABLE_TEST(a_walk_over_empty_buckets_stops_when_its_budget_is_used_up),
        TABLE_TEST(what_is_moved_aside_is_drained_a_step_at_a_time),
        TABLE_TEST(it_does_what_an_array_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
