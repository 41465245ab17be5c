/* SPDX-License-Identifier: MIT */
/* call_loader_test.c: a get may bring a loader of its own. It shares the one table of flights with all others (rule 1),
 * and what it brings is reloaded by the cache's own. */
#include "call.h"

static struct call *park_with(struct fixture *fixture, enum way way, struct gated_loader *own)
{
    uint64_t waiters = fixture_stats(fixture).waiters;
    size_t calls = gated_loader_calls_in_all(own);
    uint64_t loads = fixture_stats(fixture).loads;
    struct call *call = call_start_spec(
        fixture, &(struct call_spec){.way = way, .key = "key", .timeout_ms = SLUICE_WAIT_FOREVER, .loader = own});
    fixture_await_waiters(fixture, waiters + 1);
    if (fixture_stats(fixture).loads > loads)
        gated_loader_await_calls(own, calls + 1);
    return call;
}

static void rule_1_a_leader_loads_with_its_own_loader_and_all_share_what_it_brings(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);

    for (int way = 0; way < WAYS; way++) {
        struct gated_loader *own = gated_loader_create();
        struct call *leader = park_with(fixture, (enum way)way, own);
        struct call *follower = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
        assert_int_equal(gated_loader_calls_in_all(own), 1);
        gated_loader_end(own, 0, ENDING_VALUE, "own");
        call_expect(leader, SLUICE_OK, "own");
        call_expect(follower, SLUICE_OK, "own");
        fixture_expect_present(fixture, "key", SLUICE_OK, "own");
        gated_loader_destroy(own);
        fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    }
}

static void rule_1_a_follower_does_not_load_with_its_own_loader(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    struct gated_loader *own = gated_loader_create();

    struct call *leader = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    struct call *blocking = park_with(fixture, WAY_BLOCKING, own);
    struct call *async = park_with(fixture, WAY_ASYNC, own);
    assert_int_equal(gated_loader_calls_in_all(own), 0);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "the cache's");
    call_expect(leader, SLUICE_OK, "the cache's");
    call_expect(blocking, SLUICE_OK, "the cache's");
    call_expect(async, SLUICE_OK, "the cache's");
    gated_loader_destroy(own);
}

static void rule_11_what_a_loader_of_a_call_brought_is_reloaded_by_the_caches_own(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.refresh_after_write_ms = 100;
    fixture_open(fixture);
    struct gated_loader *own = gated_loader_create();

    struct call *leader = park_with(fixture, WAY_ASYNC, own);
    gated_loader_end(own, 0, ENDING_VALUE, "own");
    call_expect(leader, SLUICE_OK, "own");
    fixture_advance(fixture, 100);
    struct call *hit = call_start_spec(
        fixture, &(struct call_spec){.way = WAY_BLOCKING, .key = "key", .timeout_ms = 0, .loader = own});
    call_expect(hit, SLUICE_OK, "own");
    gated_loader_await_calls(fixture->loader, 1);
    assert_int_equal(gated_loader_calls_in_all(own), 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "the cache's");
    fixture_expect_present(fixture, "key", SLUICE_OK, "the cache's");
    gated_loader_destroy(own);
}

static void rule_9_the_loader_that_was_called_is_the_one_that_is_told(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    struct gated_loader *own = gated_loader_create();

    struct call *leader = park_with(fixture, WAY_ASYNC, own);
    fixture_put(fixture, "key", "put");
    call_expect(leader, SLUICE_OK, "put");
    assert_int_equal(gated_loader_unwanted(own), 1);
    assert_int_equal(gated_loader_unwanted(fixture->loader), 0);
    gated_loader_end(own, 0, ENDING_VALUE, "late");
    gated_loader_destroy(own);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_1_a_leader_loads_with_its_own_loader_and_all_share_what_it_brings),
        FIXTURE_TEST(rule_1_a_follower_does_not_load_with_its_own_loader),
        FIXTURE_TEST(rule_11_what_a_loader_of_a_call_brought_is_reloaded_by_the_caches_own),
        FIXTURE_TEST(rule_9_the_loader_that_was_called_is_the_one_that_is_told),
    };
    FIXTURE_MAIN(tests);
}
