/* SPDX-License-Identifier: MIT */
/* eviction_test.c: SIEVE: marks save an entry once, the hand goes round, removal leaves the hand whole. */
#include "eviction.h"

#include "test.h"

static struct entry *entries[5];
static struct eviction eviction;

static int setup(void **state)
{
    (void)state;
    eviction_init(&eviction);
    for (size_t i = 0; i < 5; i++) {
        entries[i] = entry_create(&i, sizeof i);
        eviction_stored(&eviction, entries[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++)
        entry_destroy(entries[i]);
    return 0;
}

static struct entry *victim(void)
{
    unsigned looks = 100;

    return eviction_victim(&eviction, &looks);
}

static void evict(size_t expected)
{
    assert_ptr_equal(victim(), entries[expected]);
    eviction_removed(&eviction, entries[expected]);
}

static void without_hits_the_oldest_goes_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++)
        evict(i);
    assert_null(victim());
}

static void a_hit_saves_an_entry_for_one_round(void **state)
{
    (void)state;
    eviction_hit(entries[0]);
    eviction_hit(entries[2]);
    evict(1);
    evict(3);
    evict(4);
    evict(0); /* its mark was spent */
    evict(2);
}

static void with_all_marked_the_oldest_goes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++)
        eviction_hit(entries[i]);
    evict(0);
}

static void removing_what_the_hand_is_at_moves_it_on(void **state)
{
    (void)state;
    eviction_hit(entries[0]);
    assert_ptr_equal(victim(), entries[1]); /* the hand stays here */
    eviction_removed(&eviction, entries[1]);
    evict(2);
    eviction_removed(&eviction, entries[4]); /* the newest: the hand wraps */
    evict(3);
    evict(0);
}

static void a_search_that_ran_out_of_looks_goes_on_where_it_was(void **state)
{
    unsigned looks = 3;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        eviction_hit(entries[i]);
    assert_null(eviction_victim(&eviction, &looks));
    assert_int_equal(looks, 0);
    eviction_hit(entries[0]); /* behind the hand: its mark is looked at last */
    looks = 3;
    assert_null(eviction_victim(&eviction, &looks));
    looks = 1;
    assert_ptr_equal(eviction_victim(&eviction, &looks), entries[1]);
    assert_int_equal(looks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_hits_the_oldest_goes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hit_saves_an_entry_for_one_round, setup, teardown),
        cmocka_unit_test_setup_teardown(with_all_marked_the_oldest_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(removing_what_the_hand_is_at_moves_it_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_search_that_ran_out_of_looks_goes_on_where_it_was, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
