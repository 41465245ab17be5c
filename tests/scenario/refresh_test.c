/* SPDX-License-Identifier: MIT */
/* refresh_test.c: past its refresh time a value is given at once and reloaded once in the background (rule 11). */
#include "crowd.h"
#include "removals.h"

#define REFRESH_MS 100
#define TTL_MS     1000

static struct fixture *open_with_refresh(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    fixture->options.expire_after_write_ms = TTL_MS;
    fixture->options.not_found_ttl_ms = TTL_MS;
    fixture_open(fixture);
    return fixture;
}

/* Puts "old", lets its refresh time pass and a get start the reload, which is held: call `number` of the loader. */
static void begin_refresh(struct fixture *fixture, size_t number)
{
    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, REFRESH_MS);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    gated_loader_await_calls(fixture->loader, number + 1);
    assert_string_equal(sluice_value_data(gated_loader_old_value(fixture->loader, number)), "old");
}

static void await_loads_ended(struct fixture *fixture)
{
    AWAIT(fixture_stats(fixture).loads_in_flight == 0);
}

static void rule_11_the_old_value_is_given_at_once_and_one_reload_runs(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, REFRESH_MS - 1);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    assert_int_equal(fixture_stats(fixture).loads, 0);
    fixture_advance(fixture, 1);
    for (int i = 0; i < 10; i++) {
        fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
        fixture_expect_present(fixture, "key", SLUICE_OK, "old");
        call_expect(call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER), SLUICE_OK, "old");
    }
    gated_loader_await_calls(fixture->loader, 1);
    assert_int_equal(fixture_stats(fixture).loads, 1);
    assert_int_equal(fixture_stats(fixture).refreshes, 1);
    assert_int_equal(fixture_stats(fixture).waiters, 0);

    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    fixture_expect_get(fixture, "key", SLUICE_OK, "new", SLUICE_SOURCE_HIT);
    fixture_advance(fixture, REFRESH_MS - 1);
    fixture_expect_get(fixture, "key", SLUICE_OK, "new", SLUICE_SOURCE_HIT);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
}

static void rule_11_a_blocking_loader_holds_no_get(void **state)
{
    struct fixture *fixture = open_with_refresh(state);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    begin_refresh(fixture, 0); /* returns though the loader blocks the thread it is called on */
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    fixture_expect_get(fixture, "key", SLUICE_OK, "new", SLUICE_SOURCE_HIT);
}

static void rule_11_a_failed_reload_keeps_the_old_value_and_backs_off(void **state)
{
    static const enum ending endings[] = {ENDING_FAILURE, ENDING_REFUSAL, ENDING_TIME_OUT, ENDING_TOO_LARGE};
    struct fixture *fixture = *state;
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    fixture_open(fixture);

    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        size_t number = 2 * i;
        begin_refresh(fixture, number);
        gated_loader_end(fixture->loader, number, endings[i], "why");
        fixture_advance(fixture, 749); /* no failure back-off is set: a second, less a quarter at most */
        fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
        assert_int_equal(fixture_stats(fixture).loads, number + 1);
        fixture_advance(fixture, 251);
        fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
        gated_loader_await_calls(fixture->loader, number + 2);
        gated_loader_end(fixture->loader, number + 1, ENDING_VALUE, "new");
        fixture_expect_get(fixture, "key", SLUICE_OK, "new", SLUICE_SOURCE_HIT);
    }
    assert_int_equal(fixture_stats(fixture).loads_failed, COUNT_OF(endings));
}

static void rule_11_the_back_off_of_reloads_grows(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    fixture->options.failure_backoff_ms = 200;
    fixture->options.failure_backoff_max_ms = 800;
    fixture_open(fixture);

    static const int64_t spans_ms[] = {200, 400, 800, 800};
    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, REFRESH_MS);
    for (size_t i = 0; i < COUNT_OF(spans_ms); i++) {
        fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
        gated_loader_await_calls(fixture->loader, i + 1);
        gated_loader_end(fixture->loader, i, ENDING_FAILURE, "why");
        fixture_advance(fixture, spans_ms[i] * 3 / 4 - 1);
        fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
        assert_int_equal(fixture_stats(fixture).loads, i + 1);
        fixture_advance(fixture, spans_ms[i] / 4 + 1);
    }
}

/* An invalidated entry never reappears through a reload that was under way. */
static void rule_11_what_is_invalidated_does_not_reappear(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    for (int how = 0; how < INVALIDATIONS; how++)
        for (int ending = 0; ending < ENDINGS; ending++) {
            size_t number = gated_loader_calls_in_all(fixture->loader);
            begin_refresh(fixture, number);
            struct sluice_invalidated gone = fixture_invalidate(fixture, (enum invalidation)how, "key");
            assert_int_equal(gone.entries, 1);
            assert_int_equal(gone.loads, 1);
            assert_false(gated_loader_wanted(fixture->loader, number));
            fixture_expect_absent(fixture, "key");
            gated_loader_end(fixture->loader, number, (enum ending)ending, "reappeared");
            fixture_expect_absent(fixture, "key");
            assert_int_equal(fixture_stats(fixture).entries, 0);
        }
}

static void rule_11_what_is_replaced_does_not_reappear(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    for (int ending = 0; ending < ENDINGS; ending++) {
        size_t number = gated_loader_calls_in_all(fixture->loader);
        begin_refresh(fixture, number);
        fixture_put(fixture, "key", "put");
        fixture_expect_present(fixture, "key", SLUICE_OK, "put");
        assert_false(gated_loader_wanted(fixture->loader, number));
        gated_loader_end(fixture->loader, number, (enum ending)ending, "reappeared");
        fixture_expect_present(fixture, "key", SLUICE_OK, "put");
    }
    assert_int_equal(fixture_stats(fixture).loads_dropped, ENDINGS);
}

static void rule_11_a_renewal_that_was_overtaken_does_not_renew(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    begin_refresh(fixture, 0);
    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    fixture_expect_absent(fixture, "key");

    begin_refresh(fixture, 1);
    fixture_put(fixture, "key", "put");
    gated_loader_renew(fixture->loader, 1, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    fixture_expect_present(fixture, "key", SLUICE_OK, "put");
}

static void rule_11_a_reload_that_finds_nothing_takes_the_value_away(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    begin_refresh(fixture, 0);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    fixture_expect_present(fixture, "key", SLUICE_NOT_FOUND, NULL);
    fixture_advance(fixture, REFRESH_MS); /* not-founds are not refreshed */
    fixture_expect_present(fixture, "key", SLUICE_NOT_FOUND, NULL);
    assert_int_equal(fixture_stats(fixture).loads, 1);
}

static void rule_11_not_modified_renews_the_value(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    begin_refresh(fixture, 0);
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    assert_int_equal(fixture_stats(fixture).loads, 1); /* its refresh time begins anew */
    fixture_advance(fixture, REFRESH_MS);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    gated_loader_await_calls(fixture->loader, 2);
    gated_loader_renew(fixture->loader, 1, 50, SLUICE_NEVER);
    fixture_advance(fixture, 49);
    fixture_expect_present(fixture, "key", SLUICE_OK, "old");
    fixture_advance(fixture, 1); /* and so does its time to live */
    fixture_expect_absent(fixture, "key");
    assert_int_equal(fixture_stats(fixture).loads, 2);
    assert_int_equal(fixture_stats(fixture).loads_completed, 2);
}

static void rule_11_not_modified_without_an_old_value_is_a_failure(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_null(gated_loader_old_value(fixture->loader, 0));
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    call_expect(call, SLUICE_LOAD_FAILED, "the loader found the old value not modified, and was given none");

    begin_refresh(fixture, 1);
    gated_loader_renew(fixture->loader, 1, -3, SLUICE_TTL_DEFAULT);
    assert_int_equal(fixture_stats(fixture).loads_failed, 2);
    fixture_expect_present(fixture, "key", SLUICE_OK, "old");
}

static void rule_11_a_value_may_have_a_refresh_time_of_its_own(void **state)
{
    struct fixture *fixture = open_with_refresh(state);
    struct sluice_content content = fixture_content("value");
    content.refresh_ms = 10;

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end_with(fixture->loader, 0, &content);
    call_expect(call, SLUICE_OK, "value");
    fixture_advance(fixture, 9);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    assert_int_equal(fixture_stats(fixture).loads, 1);
    fixture_advance(fixture, 1);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    gated_loader_await_calls(fixture->loader, 2);
    content.refresh_ms = SLUICE_NEVER;
    gated_loader_end_with(fixture->loader, 1, &content);
    fixture_advance(fixture, TTL_MS - 1);
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
    assert_int_equal(fixture_stats(fixture).loads, 2);
    content.refresh_ms = -3;
    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_INVALID);
}

/* Expired while it is reloaded: gets wait for that reload, the same flight (rule 1). */
static void rule_11_gets_join_a_reload_whose_value_has_expired(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    for (int ticked = 0; ticked <= 1; ticked++) {
        size_t number = (size_t)ticked;
        begin_refresh(fixture, number);
        fake_clock_advance(&fixture->clock, TTL_MS);
        if (ticked)
            sluice_cache_tick(fixture->cache);
        struct crowd crowd;
        crowd_park(fixture, &crowd, 4, "key", WAY_BLOCKING);
        assert_int_equal(fixture_stats(fixture).loads, number + 1);
        assert_string_equal(sluice_value_data(gated_loader_old_value(fixture->loader, number)), "old");
        gated_loader_end(fixture->loader, number, ENDING_VALUE, "new");
        crowd_expect(&crowd, SLUICE_OK, "new");
        fixture_expect_present(fixture, "key", SLUICE_OK, "new");
    }
    assert_int_equal(fixture_stats(fixture).expired, 2);
}

static void rule_11_a_reload_over_its_deadline_keeps_the_old_value(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.load_timeout_ms = 50;
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    fixture_open(fixture);

    begin_refresh(fixture, 0);
    fixture_advance(fixture, 50);
    assert_int_equal(fixture_stats(fixture).loads_timed_out, 1);
    fixture_expect_present(fixture, "key", SLUICE_OK, "old");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "late");
    fixture_expect_present(fixture, "key", SLUICE_OK, "old");
    assert_int_equal(fixture_stats(fixture).loads_dropped, 1);
}

static void rule_11_a_bound_puts_a_reload_off_and_refuses_no_get(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loads_max = 1;
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, REFRESH_MS);
    struct call *other = call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    assert_int_equal(fixture_stats(fixture).loads, 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(other, SLUICE_OK, "value");
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    gated_loader_await_calls(fixture->loader, 2);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    fixture_expect_get(fixture, "key", SLUICE_OK, "new", SLUICE_SOURCE_HIT);
}

static void rule_11_an_entry_evicted_during_its_reload_is_stored_anew(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.maximum_entries = 1;
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    fixture_open(fixture);

    begin_refresh(fixture, 0);
    fixture_put(fixture, "other", "value");
    removals_expect(removals_told, "key", "old", SLUICE_REMOVED_SIZE);
    fixture_expect_absent(fixture, "key");
    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_int_equal(fixture_stats(fixture).loads, 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    call_expect(call, SLUICE_OK, "new");
    fixture_expect_present(fixture, "key", SLUICE_OK, "new");
    removals_expect(removals_told, "other", "value", SLUICE_REMOVED_SIZE);
    removals_expect_none(removals_told);
}

/* ---- sluice_refresh() -------------------------------------------------------------------------------------------- */

static void refresh(struct fixture *fixture, const char *key)
{
    assert_int_equal(sluice_refresh(fixture->cache, key, strlen(key)), SLUICE_OK);
}

static void rule_11_a_refresh_that_is_asked_for_loads_whatever_is_stored(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    refresh(fixture, "nothing");
    refresh(fixture, "nothing");
    fixture_put(fixture, "value", "old");
    refresh(fixture, "value");
    struct call *call = call_park(fixture, WAY_ASYNC, "missing", SLUICE_WAIT_FOREVER);
    refresh(fixture, "missing");
    gated_loader_await_calls(fixture->loader, 3);
    assert_int_equal(gated_loader_calls(fixture->loader, "nothing"), 1);
    assert_int_equal(gated_loader_calls(fixture->loader, "missing"), 1);
    fixture_expect_present(fixture, "value", SLUICE_OK, "old");
    fixture_expect_absent(fixture, "nothing");
    struct call *joined = call_park(fixture, WAY_BLOCKING, "nothing", SLUICE_WAIT_FOREVER);
    gated_loader_open(fixture->loader); /* nothing is found, for any of them */
    call_expect(call, SLUICE_NOT_FOUND, NULL);
    call_expect(joined, SLUICE_NOT_FOUND, NULL);
    await_loads_ended(fixture);

    refresh(fixture, "missing");
    await_loads_ended(fixture);
    fixture_expect_present(fixture, "missing", SLUICE_OK, "missing#2");
    assert_int_equal(fixture_stats(fixture).refreshes, 3);
}

static void rule_11_a_refresh_over_a_not_found_leaves_it_there_meanwhile(void **state)
{
    struct fixture *fixture = open_with_refresh(state);

    struct call *call = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_NOT_FOUND, NULL);
    call_expect(call, SLUICE_NOT_FOUND, NULL);
    refresh(fixture, "key");
    gated_loader_await_calls(fixture->loader, 2);
    fixture_expect_present(fixture, "key", SLUICE_NOT_FOUND, NULL);
    assert_null(gated_loader_old_value(fixture->loader, 1));
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "value");
    fixture_expect_present(fixture, "key", SLUICE_OK, "value");
}

static void rule_11_a_refresh_is_refused_over_a_bound_and_after_the_close(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loads_max = 1;
    fixture->options.key_size_max = 8;
    fixture_open(fixture);

    refresh(fixture, "one");
    assert_int_equal(sluice_refresh(fixture->cache, "two", 3), SLUICE_TOO_MANY_LOADS);
    assert_int_equal(sluice_refresh(fixture->cache, "", 0), SLUICE_KEY_SIZE);
    assert_int_equal(sluice_refresh(fixture->cache, "123456789", 9), SLUICE_KEY_SIZE);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    sluice_cache_close(fixture->cache);
    assert_int_equal(sluice_refresh(fixture->cache, "two", 3), SLUICE_CLOSED);
}

/* ---- where the loader is called ---------------------------------------------------------------------------------- */

struct tasks {
    size_t count;
    void (*task[8])(void *arg);
    void *arg[8];
};

static void keep_task(void *self, void (*task)(void *arg), void *arg)
{
    struct tasks *tasks = self;
    assert_true(tasks->count < COUNT_OF(tasks->task));
    tasks->task[tasks->count] = task;
    tasks->arg[tasks->count++] = arg;
}

static void rule_11_an_executor_runs_the_reloads(void **state)
{
    struct fixture *fixture = *state;
    struct tasks tasks = {.count = 0};
    fixture->options.refresh_after_write_ms = REFRESH_MS;
    fixture->options.executor = (struct sluice_executor){keep_task, &tasks};
    fixture_open(fixture);

    fixture_put(fixture, "key", "old");
    fixture_advance(fixture, REFRESH_MS);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    fixture_expect_get(fixture, "key", SLUICE_OK, "old", SLUICE_SOURCE_HIT);
    assert_int_equal(tasks.count, 1);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 0);
    tasks.task[0](tasks.arg[0]);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
    fixture_expect_get(fixture, "key", SLUICE_OK, "new", SLUICE_SOURCE_HIT);
}

/* What nobody can be given any more by the time that its turn comes is not asked of the backend. */
static void rule_11_the_loader_is_not_called_for_a_reload_that_was_overtaken(void **state)
{
    struct fixture *fixture = *state;
    struct tasks tasks = {.count = 0};
    fixture->options.executor = (struct sluice_executor){keep_task, &tasks};
    fixture_open(fixture);

    refresh(fixture, "invalidated");
    fixture_invalidate(fixture, INVALIDATION_KEY, "invalidated");
    refresh(fixture, "put");
    fixture_put(fixture, "put", "value");
    refresh(fixture, "joined");
    struct call *call = call_start(fixture, WAY_ASYNC, "joined", SLUICE_WAIT_FOREVER);
    fixture_invalidate(fixture, INVALIDATION_KEY, "joined"); /* its one waiter still wants it */
    refresh(fixture, "closed");
    for (size_t i = 0; i < 3; i++)
        tasks.task[i](tasks.arg[i]);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(call, SLUICE_OK, "value");
    fixture_expect_absent(fixture, "joined");
    assert_int_equal(fixture_stats(fixture).loads_dropped, 2);
    fixture_destroy_cache(fixture);
    tasks.task[3](tasks.arg[3]); /* also after the cache was destroyed */
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
}

static void rule_11_as_many_threads_load_as_are_allowed_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.background_threads_max = 2;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_BLOCK);

    refresh(fixture, "one");
    refresh(fixture, "two");
    refresh(fixture, "three");
    gated_loader_await_calls(fixture->loader, 2);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    gated_loader_await_calls(fixture->loader, 3);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "value");
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "value");
    await_loads_ended(fixture);
    assert_int_equal(fixture_stats(fixture).entries, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_11_the_old_value_is_given_at_once_and_one_reload_runs),
        FIXTURE_TEST(rule_11_a_blocking_loader_holds_no_get),
        FIXTURE_TEST(rule_11_a_failed_reload_keeps_the_old_value_and_backs_off),
        FIXTURE_TEST(rule_11_the_back_off_of_reloads_grows),
        FIXTURE_TEST(rule_11_what_is_invalidated_does_not_reappear),
        FIXTURE_TEST(rule_11_what_is_replaced_does_not_reappear),
        FIXTURE_TEST(rule_11_a_renewal_that_was_overtaken_does_not_renew),
        FIXTURE_TEST(rule_11_a_reload_that_finds_nothing_takes_the_value_away),
        FIXTURE_TEST(rule_11_not_modified_renews_the_value),
        FIXTURE_TEST(rule_11_not_modified_without_an_old_value_is_a_failure),
        FIXTURE_TEST(rule_11_a_value_may_have_a_refresh_time_of_its_own),
        FIXTURE_TEST(rule_11_gets_join_a_reload_whose_value_has_expired),
        FIXTURE_TEST(rule_11_a_reload_over_its_deadline_keeps_the_old_value),
        FIXTURE_TEST(rule_11_a_bound_puts_a_reload_off_and_refuses_no_get),
        REMOVALS_TEST(rule_11_an_entry_evicted_during_its_reload_is_stored_anew),
        FIXTURE_TEST(rule_11_a_refresh_that_is_asked_for_loads_whatever_is_stored),
        FIXTURE_TEST(rule_11_a_refresh_over_a_not_found_leaves_it_there_meanwhile),
        FIXTURE_TEST(rule_11_a_refresh_is_refused_over_a_bound_and_after_the_close),
        FIXTURE_TEST(rule_11_an_executor_runs_the_reloads),
        FIXTURE_TEST(rule_11_the_loader_is_not_called_for_a_reload_that_was_overtaken),
        FIXTURE_TEST(rule_11_as_many_threads_load_as_are_allowed_and_no_more),
    };
    FIXTURE_MAIN(tests);
}
