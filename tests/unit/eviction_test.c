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

static void a_search_that_ran_out_of_looks_takes_what_the_hand_is_at(void **state)
{
    unsigned looks = 3;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        eviction_hit(entries[i]);
    assert_ptr_equal(eviction_victim(&eviction, &looks), entries[3]); /* marked, but for it others were looked at */
    assert_int_equal(looks, 0);
    eviction_removed(&eviction, entries[3]);
    assert_ptr_equal(eviction_victim(&eviction, &looks), entries[4]); /* with none at all */
    eviction_removed(&eviction, entries[4]);
    eviction_hit(entries[0]);
    looks = 1;
    assert_ptr_equal(eviction_victim(&eviction, &looks), entries[1]); /* the hand went round */
    assert_int_equal(looks, 0);
}

static void what_is_not_marked_costs_no_look(void **state)
{
    unsigned looks = 2;

    (void)state;
    eviction_hit(entries[1]);
    for (size_t i = 0; i < 5; i++) {
        struct entry *gone = eviction_victim(&eviction, &looks);

        eviction_removed(&eviction, gone);
        assert_int_equal(looks, i == 0 ? 2 : 1);
    }
    assert_null(eviction_victim(&eviction, &looks));
}

/* From each end, what the walk says now and what is evicted then are the same, wherever the hand and the marks are. */
static void a_walk_tells_the_order_in_which_entries_go(void **state)
{
    (void)state;
    for (unsigned draw = 0; draw < 32 * 5; draw++) {
        struct entry *coldest[6], *hottest[6];
        struct eviction_walk walk;

        eviction_init(&eviction);
        for (size_t i = 0; i < 5; i++) {
            eviction_stored(&eviction, entries[i]);
            if ((draw / 5 >> i & 1) != 0)
                eviction_hit(entries[i]);
        }
        eviction.hand = draw % 5 == 0 ? NULL : entries[draw % 5];
        eviction_walk_init(&walk, &eviction, EVICTION_COLDEST);
        for (size_t i = 0; i < 6; i++)
            coldest[i] = eviction_walk_next(&walk);
        eviction_walk_init(&walk, &eviction, EVICTION_HOTTEST);
        for (size_t i = 0; i < 6; i++)
            hottest[i] = eviction_walk_next(&walk);
        assert_null(coldest[5]);
        assert_null(hottest[5]);
        for (size_t i = 0; i < 5; i++) {
            assert_ptr_equal(victim(), coldest[i]);
            eviction_removed(&eviction, coldest[i]);
            assert_ptr_equal(hottest[4 - i], coldest[i]);
        }
        eviction_walk_init(&walk, &eviction, EVICTION_HOTTEST);
        assert_null(eviction_walk_next(&walk));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_hits_the_oldest_goes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hit_saves_an_entry_for_one_round, setup, teardown),
        cmocka_unit_test_setup_teardown(with_all_marked_the_oldest_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(removing_what_the_hand_is_at_moves_it_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_search_that_ran_out_of_looks_takes_what_the_hand_is_at, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_marked_costs_no_look, setup, teardown),
        cmocka_unit_test_setup_teardown(a_walk_tells_the_order_in_which_entries_go, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
