/* SPDX-License-Identifier: MIT */
/*
 * callbacks_test.c: callbacks run exactly once, with no lock held, on the thread that the header names, and may call
 * the cache (rule 19). That each runs once is counted by the teardown of every test; here are the other three.
 */
#include "crowd.h"
#include "errand.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- the thread -------------------------------------------------------------------------------------------------- */

/* What ends a wait; each runs on a thread of its own, and says which. */
struct ender {
    struct fixture *fixture;
    pthread_t thread;
};

static void end_by_load(void *arg)
{
    struct ender *ender = arg;
    ender->thread = pthread_self();
    gated_loader_end(ender->fixture->loader, 0, ENDING_VALUE, "value");
}

static void end_by_failure(void *arg)
{
    struct ender *ender = arg;
    ender->thread = pthread_self();
    gated_loader_end(ender->fixture->loader, 0, ENDING_FAILURE, "why");
}

static void end_by_put(void *arg)
{
    struct ender *ender = arg;
    struct sluice_content content = {.data = "value", .size = 5, .ttl_ms = SLUICE_TTL_DEFAULT};
    ender->thread = pthread_self();
    if (sluice_put(ender->fixture->cache, "key", 3, &content) != SLUICE_OK)
        abort();
}

static void end_by_close(void *arg)
{
    struct ender *ender = arg;
    ender->thread = pthread_self();
    sluice_cache_close(ender->fixture->cache);
}

static void end_by_tick(void *arg)
{
    struct ender *ender = arg;
    ender->thread = pthread_self();
    fake_clock_advance(&ender->fixture->clock, 100);
    sluice_cache_tick(ender->fixture->cache);
}

static void (*const enders[])(void *arg) = {end_by_load, end_by_failure, end_by_put, end_by_close, end_by_tick};

/* Another cache and another loader, for the next ender. */
static void start_over(struct fixture *fixture)
{
    gated_loader_open(fixture->loader);
    fixture_destroy_cache(fixture);
    gated_loader_destroy(fixture->loader);
    fixture->loader = gated_loader_create();
    fixture->options.loader = gated_loader_option(fixture->loader);
}

static void rule_19_on_the_thread_that_ends_the_wait(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(enders); i++) {
        fixture_open(fixture);
        struct ender ender = {.fixture = fixture};
        struct call *leader = call_park(fixture, WAY_ASYNC, "key", 100);
        struct call *follower = call_park(fixture, WAY_ASYNC, "key", 100);
        assert_true(errand_run_elsewhere(enders[i], &ender));
        assert_true(call_done(leader) && call_done(follower)); /* before the ender returned */
        assert_true(pthread_equal(leader->thread, ender.thread));
        assert_true(pthread_equal(follower->thread, ender.thread));
        start_over(fixture);
    }
}

static void rule_19_a_deadline_on_the_timer_thread(void **state)
{
    struct fixture *fixture = *state;
    fixture_use_real_clock(fixture);
    fixture_open(fixture);
    struct call *first = call_start(fixture, WAY_ASYNC, "a", 1);
    struct call *second = call_start(fixture, WAY_ASYNC, "b", 1);
    call_expect(first, SLUICE_TIMED_OUT, NULL);
    call_expect(second, SLUICE_TIMED_OUT, NULL);
    assert_true(pthread_equal(first->thread, second->thread));
    assert_false(pthread_equal(first->thread, pthread_self()));
}

static void rule_19_before_the_get_returns_where_the_loader_answers_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);
    struct call *call = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_true(call_done(call));
    assert_false(call->at_once); /* it was parked, and told through its callback */
    assert_true(pthread_equal(call->thread, pthread_self()));
    call_expect(call, SLUICE_OK, "key#1");
}

static void rule_19_no_callback_for_what_is_answered_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "key", "value");
    struct call *hit = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_true(hit->at_once);
    assert_null(hit->wait);
    struct call *refused = call_start(fixture, WAY_ASYNC, "", SLUICE_WAIT_FOREVER);
    assert_true(refused->at_once);
    call_expect(refused, SLUICE_KEY_SIZE, NULL);
    assert_null(refused->wait);
}

/* ---- no lock ----------------------------------------------------------------------------------------------------- */

struct visitor {
    struct fixture *fixture;
    bool came_through;
};

static bool visit_entry(void *arg, const struct sluice_entry_view *entry)
{
    (void)arg;
    (void)entry;
    return true;
}

/* Every call there is, on the key whose callback is running and on every shard. */
static void call_everything(void *arg)
{
    struct visitor *visitor = arg;
    struct sluice_cache *cache = visitor->fixture->cache;
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_content content = {.data = "visitor", .size = 7, .ttl_ms = SLUICE_TTL_DEFAULT};
    struct sluice_stats stats;
    enum sluice_error error = sluice_get_if_present(cache, "key", 3, &outcome);
    sluice_outcome_fini(&outcome);
    if (error == SLUICE_CLOSED) { /* all that a closed cache takes */
        sluice_cache_stats(cache, &stats);
        return;
    }
    if (sluice_put(cache, "key", 3, &content) != SLUICE_OK ||
        sluice_cache_for_each(cache, visit_entry, NULL) != SLUICE_OK)
        abort();
    sluice_invalidate_prefix(cache, "k", 1, NULL);
    sluice_invalidate_all(cache, NULL);
    sluice_cache_tick(cache);
    sluice_cache_stats(cache, &stats);
}

static void send_visitor(void *arg, const struct sluice_outcome *outcome)
{
    struct visitor *visitor = arg;
    (void)outcome;
    visitor->came_through = errand_run_elsewhere(call_everything, visitor);
}

static void rule_19_with_no_lock_held(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shards = 1;
    for (size_t i = 0; i < COUNT_OF(enders); i++) {
        fixture_open(fixture);
        struct visitor visitor = {.fixture = fixture};
        struct ender ender = {.fixture = fixture};
        struct call *call = call_start_spec(
            fixture, &(struct call_spec){
                         .way = WAY_ASYNC, .key = "key", .timeout_ms = 100, .inside = send_visitor, .arg = &visitor});
        enders[i](&ender);
        call_await(call);
        assert_true(visitor.came_through);
        start_over(fixture);
    }
}

/* The loader is no callback, but the same is promised of it. */
static void load_with_visitor(void *self, struct sluice_load *load)
{
    struct visitor *visitor = self;
    visitor->came_through = errand_run_elsewhere(call_everything, visitor);
    sluice_load_not_found(load);
}

static void rule_19_the_loader_runs_with_no_lock_held(void **state)
{
    struct fixture *fixture = *state;
    struct visitor visitor = {.fixture = fixture};
    fixture->options.shards = 1;
    fixture->options.loader = (struct sluice_loader){.load = load_with_visitor, .self = &visitor};
    fixture_open(fixture);
    struct call *call = call_start(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    call_expect(call, SLUICE_OK, "visitor");
    assert_true(visitor.came_through);
    fixture_destroy_cache(fixture);
}

/* ---- calls from within ------------------------------------------------------------------------------------------- */

struct reentry {
    struct fixture *fixture;
    struct call *inner;
    bool cancelled;
    struct sluice_invalidated gone;
};

static void get_again(void *arg, const struct sluice_outcome *outcome)
{
    struct reentry *reentry = arg;
    (void)outcome;
    reentry->inner = call_start(reentry->fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
}

static void rule_19_a_get_of_the_same_key_from_within(void **state)
{
    struct fixture *fixture = *state;
    struct reentry reentry = {.fixture = fixture};
    struct call_spec spec = {
        .way = WAY_ASYNC, .key = "key", .timeout_ms = SLUICE_WAIT_FOREVER, .inside = get_again, .arg = &reentry};
    fixture_open(fixture);

    call_start_spec(fixture, &spec);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value"); /* the value is there already: rule 2 */
    assert_true(reentry.inner->at_once);
    call_expect(reentry.inner, SLUICE_OK, "value");

    fixture_invalidate(fixture, INVALIDATION_KEY, "key");
    call_start_spec(fixture, &spec);
    gated_loader_end(fixture->loader, 1, ENDING_FAILURE, "why"); /* the flight is unlinked: the get leads the next */
    assert_false(call_done(reentry.inner));
    assert_int_equal(gated_loader_calls(fixture->loader, "key"), 3);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "better");
    call_expect(reentry.inner, SLUICE_OK, "better");
}

static void put_again(void *arg, const struct sluice_outcome *outcome)
{
    struct reentry *reentry = arg;
    (void)outcome;
    fixture_put(reentry->fixture, "key", "from within");
}

static void rule_19_a_put_from_within_comes_after_the_load(void **state)
{
    struct fixture *fixture = *state;
    struct reentry reentry = {.fixture = fixture};
    fixture_open(fixture);
    struct call *call = call_start_spec(
        fixture,
        &(struct call_spec){
            .way = WAY_ASYNC, .key = "key", .timeout_ms = SLUICE_WAIT_FOREVER, .inside = put_again, .arg = &reentry});
    struct call *second = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "loaded");
    call_expect(call, SLUICE_OK, "loaded");
    call_expect(second, SLUICE_OK, "loaded"); /* told after the put, of the load that it had joined */
    fixture_expect_present(fixture, "key", SLUICE_OK, "from within");
}

static void invalidate_again(void *arg, const struct sluice_outcome *outcome)
{
    struct reentry *reentry = arg;
    (void)outcome;
    reentry->gone = fixture_invalidate(reentry->fixture, INVALIDATION_KEY, "key");
}

static void rule_19_an_invalidation_from_within_takes_what_was_just_stored(void **state)
{
    struct fixture *fixture = *state;
    struct reentry reentry = {.fixture = fixture};
    fixture_open(fixture);
    struct call *call = call_start_spec(fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                                     .key = "key",
                                                                     .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                     .inside = invalidate_again,
                                                                     .arg = &reentry});
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(call, SLUICE_OK, "value");
    assert_int_equal(reentry.gone.entries, 1);
    fixture_expect_absent(fixture, "key");
}

static void cancel_inner(void *arg, const struct sluice_outcome *outcome)
{
    struct reentry *reentry = arg;
    (void)outcome;
    if (reentry->inner != NULL) /* it was parked */
        reentry->cancelled = call_cancel(reentry->inner);
}

/* Of the same flight: cancel_test.c. */
static void rule_19_a_cancel_from_within_of_a_wait_on_another_flight(void **state)
{
    struct fixture *fixture = *state;
    struct reentry reentry = {.fixture = fixture};
    fixture->options.shards = 1;
    fixture_open(fixture);
    struct call *call = call_start_spec(fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                                     .key = "key",
                                                                     .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                     .inside = cancel_inner,
                                                                     .arg = &reentry});
    reentry.inner = call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(call, SLUICE_OK, "value");
    assert_true(reentry.cancelled);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "other");
    assert_false(call_done(reentry.inner));
    fixture_expect_present(fixture, "other", SLUICE_OK, "other");
}

static void close_from_within(void *arg, const struct sluice_outcome *outcome)
{
    struct reentry *reentry = arg;
    (void)outcome;
    sluice_cache_close(reentry->fixture->cache);
}

static void rule_19_a_close_from_within(void **state)
{
    struct fixture *fixture = *state;
    struct reentry reentry = {.fixture = fixture};
    fixture_open(fixture);
    struct call *first = call_start_spec(fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                                      .key = "key",
                                                                      .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                      .inside = close_from_within,
                                                                      .arg = &reentry});
    struct call *same = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    struct call *other = call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "value");
    call_expect(first, SLUICE_OK, "value");
    call_expect(same, SLUICE_OK, "value");
    call_expect(other, SLUICE_CLOSED, NULL);
}

/* ---- waits on the timer thread ----------------------------------------------------------------------------------- */

/* The load of the key does not end: only the timer thread ends this wait, which is the thread that it holds. */
static void wait_in_time(void *arg, const struct sluice_outcome *outcome)
{
    struct fixture *fixture = arg;
    struct sluice_outcome inner;
    (void)outcome;
    if (sluice_get_outcome(fixture->cache, "key", 3, 2, &inner) != SLUICE_TIMED_OUT)
        abort();
    sluice_outcome_fini(&inner);
}

static void rule_7_a_wait_on_the_timer_thread_ends_in_time_and_holds_up_no_other(void **state)
{
    struct fixture *fixture = *state;
    const struct call_spec spec = {
        .way = WAY_ASYNC, .key = "key", .timeout_ms = 1, .inside = wait_in_time, .arg = fixture};
    fixture_use_real_clock(fixture);
    fixture_open(fixture);
    (void)call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    for (int i = 0; i < 5; i++) {
        struct call *waits = call_start_spec(fixture, &spec);
        call_expect(call_start(fixture, WAY_BLOCKING, "key", 1), SLUICE_TIMED_OUT, NULL);
        call_expect(waits, SLUICE_TIMED_OUT, NULL);
    }
}

#define DEPTH_MAX 16 /* as sluice/cache.h says */

struct nest {
    struct fixture *fixture;
    atomic_uint depth, refused;
};

/* Has itself called again on this thread, which is the timer thread, once this wait lets it. */
static void wait_deeper(void *arg, const struct sluice_outcome *outcome)
{
    struct nest *nest = arg;
    struct sluice_cache *cache = nest->fixture->cache;
    struct sluice_async_get next = {.key = "key", .key_size = 3, .timeout_ms = 1, .callback = wait_deeper, .arg = nest};
    struct sluice_outcome inner;
    (void)outcome;
    if (atomic_fetch_add(&nest->depth, 1) < DEPTH_MAX && sluice_get_async(cache, &next, &inner, NULL) != SLUICE_PARKED)
        abort();
    if (sluice_get_outcome(cache, "other", 5, SLUICE_WAIT_FOREVER, &inner) == SLUICE_TIMED_OUT)
        atomic_fetch_add(&nest->refused, 1);
    sluice_outcome_fini(&inner);
}

static void rule_10_waits_on_the_timer_thread_inside_each_other_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct nest nest = {.fixture = fixture};
    struct call_spec spec = {.way = WAY_ASYNC, .key = "key", .timeout_ms = 1, .inside = wait_deeper, .arg = &nest};
    fixture_use_real_clock(fixture);
    fixture_open(fixture);
    (void)call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    (void)call_park(fixture, WAY_ASYNC, "other", SLUICE_WAIT_FOREVER);
    struct call *call = call_start_spec(fixture, &spec);
    AWAIT(atomic_load(&nest.refused) == 1);
    assert_int_equal(atomic_load(&nest.depth), DEPTH_MAX + 1);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "value");
    call_expect(call, SLUICE_TIMED_OUT, NULL);
    assert_int_equal(atomic_load(&nest.refused), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_19_on_the_thread_that_ends_the_wait),
        FIXTURE_TEST(rule_19_a_deadline_on_the_timer_thread),
        FIXTURE_TEST(rule_19_before_the_get_returns_where_the_loader_answers_at_once),
        FIXTURE_TEST(rule_19_no_callback_for_what_is_answered_at_once),
        FIXTURE_TEST(rule_19_with_no_lock_held),
        FIXTURE_TEST(rule_19_the_loader_runs_with_no_lock_held),
        FIXTURE_TEST(rule_19_a_get_of_the_same_key_from_within),
        FIXTURE_TEST(rule_19_a_put_from_within_comes_after_the_load),
        FIXTURE_TEST(rule_19_an_invalidation_from_within_takes_what_was_just_stored),
        FIXTURE_TEST(rule_19_a_cancel_from_within_of_a_wait_on_another_flight),
        FIXTURE_TEST(rule_19_a_close_from_within),
        FIXTURE_TEST(rule_7_a_wait_on_the_timer_thread_ends_in_time_and_holds_up_no_other),
        FIXTURE_TEST(rule_10_waits_on_the_timer_thread_inside_each_other_are_bounded),
    };
    FIXTURE_MAIN(tests);
}
