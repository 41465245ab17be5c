/* SPDX-License-Identifier: MIT */
/*
 * again_test.c: a flight that goes on with another load, since the tag that the first one brought was invalidated (rule
 * 3), and flights that somebody else has the loader called for than whoever began them: nothing is lost, called twice
 * or touched too late, whatever happens in between.
 */
#include "bulk_call.h"
#include "errand.h"

static const char *const red[] = {"red"};

static void end_red(struct fixture *fixture, size_t number, const char *text)
{
    const struct sluice_content content = fixture_content_tagged(text, red, 1);
    gated_loader_end_with(fixture->loader, number, &content);
}

static void invalidate_red(struct fixture *fixture)
{
    sluice_invalidate_tag(fixture->cache, "red", NULL);
}

/* A load that is held, to be a parent: by a loader of its own, so that the cache's is free. */
static struct sluice_load *hold_parent(struct fixture *fixture, struct gated_loader *loader)
{
    struct call_spec spec = {.way = WAY_ASYNC, .key = "parent", .timeout_ms = SLUICE_WAIT_FOREVER, .loader = loader};
    (void)call_start_spec(fixture, &spec);
    return gated_loader_load(loader, 0);
}

/* ---- in two chains ----------------------------------------------------------------------------------------------- */

static void rule_14_a_bulk_within_a_load_leaves_the_batch_whole_whose_key_it_needs(void **state)
{
    struct fixture *fixture = *state;
    struct gated_loader *parents = gated_loader_create();
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.batch_window_ms = 10;
    fixture_open(fixture);
    struct sluice_load *parent = hold_parent(fixture, parents);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);

    struct call *a = call_start(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    struct call *b = call_start(fixture, WAY_ASYNC, "b", SLUICE_WAIT_FOREVER);
    struct bulk_call *bulk = bulk_start_for(fixture, WAY_ASYNC, "a c", SLUICE_WAIT_FOREVER, parent);
    bulk_expect(bulk, 0, SLUICE_OK, "a#1");
    bulk_expect(bulk, 1, SLUICE_OK, "c#1");
    call_expect(a, SLUICE_OK, "a#1");
    fixture_advance(fixture, 10);
    call_expect(b, SLUICE_OK, "b#1");
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 3);
    bulk_free(bulk);
    gated_loader_open(parents);
    fixture_destroy_cache(fixture);
    gated_loader_destroy(parents);
}

static void a_flight_goes_on_while_the_chain_it_was_begun_in_is_queued(void **state)
{
    static const struct sluice_key keys[] = {{"a", 1}, {"b", 1}};
    struct fixture *fixture = *state;
    struct gated_loader *parents = gated_loader_create();
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.background_threads_max = 1;
    fixture_open(fixture);
    struct sluice_load *parent = hold_parent(fixture, parents);

    gated_loader_set_mode(fixture->loader, GATED_BLOCK);
    assert_int_equal(sluice_refresh(fixture->cache, "busy", 4), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    gated_loader_set_mode(fixture->loader, GATED_HOLD);
    assert_int_equal(sluice_refresh_many(fixture->cache, keys, 2), SLUICE_OK);
    struct call *early = call_start(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    invalidate_red(fixture);
    struct call *late = call_start(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    struct call_spec spec = {.way = WAY_ASYNC, .key = "a", .timeout_ms = SLUICE_WAIT_FOREVER, .parent = parent};
    struct call *child = call_start_spec(fixture, &spec);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);
    end_red(fixture, 1, "old");
    call_expect(early, SLUICE_OK, "old");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "busy");
    call_expect(late, SLUICE_OK, "a#2");
    call_expect(child, SLUICE_OK, "a#2");
    AWAIT(fixture_stats(fixture).loads_completed == 4);
    fixture_expect_present(fixture, "b", SLUICE_OK, "b#1");
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 4);
    gated_loader_open(parents);
    fixture_destroy_cache(fixture);
    gated_loader_destroy(parents);
}

/* ---- between an end and the next call ---------------------------------------------------------------------------- */

struct between {
    struct fixture *fixture;
    struct sluice_load *parent;
    void (*act)(struct between *between);
    atomic_uint told;
};

static void told(void *arg, const struct sluice_outcome *outcome)
{
    struct between *between = arg;
    assert_int_equal(outcome->error, SLUICE_OK);
    if (atomic_fetch_add(&between->told, 1) == 0)
        between->act(between);
}

/* Gets without a handle, so that the cache alone holds the flight. */
static void get_in_between(struct between *between, struct sluice_load *parent)
{
    struct sluice_async_get get = {.key = "key", .key_size = 3, .timeout_ms = SLUICE_WAIT_FOREVER, .parent = parent};
    struct sluice_outcome outcome;
    get.callback = told;
    get.arg = between;
    assert_int_equal(sluice_get_async(between->fixture->cache, &get, &outcome, NULL), SLUICE_PARKED);
}

static void overtake(struct between *between)
{
    gated_loader_set_mode(between->fixture->loader, GATED_ANSWER);
    get_in_between(between, between->parent);
}

static void the_next_load_may_be_over_before_whoever_ended_the_first_has_it_called(void **state)
{
    struct fixture *fixture = *state;
    struct gated_loader *parents = gated_loader_create();
    struct between between = {.fixture = fixture, .act = overtake};
    fixture_open(fixture);
    between.parent = hold_parent(fixture, parents);

    get_in_between(&between, NULL);
    invalidate_red(fixture);
    struct call *late = call_park(fixture, WAY_BLOCKING, "key", SLUICE_WAIT_FOREVER);
    end_red(fixture, 0, "old");
    call_expect(late, SLUICE_OK, "key#2");
    assert_int_equal(atomic_load(&between.told), 2);
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 2);
    gated_loader_open(parents);
    fixture_destroy_cache(fixture);
    gated_loader_destroy(parents);
}

static void destroy(void *arg)
{
    struct between *between = arg;
    sluice_cache_destroy(between->fixture->cache);
    between->fixture->cache = NULL;
}

static void destroy_elsewhere(struct between *between)
{
    assert_true(errand_run_elsewhere(destroy, between));
}

static void count_run(void *self, void (*task)(void *arg), void *arg)
{
    atomic_fetch_add((atomic_uint *)self, 1);
    task(arg);
}

static void rule_18_the_cache_may_be_destroyed_before_the_next_load_is_called(void **state)
{
    struct fixture *fixture = *state;
    atomic_uint runs = 0;

    for (int how = 0; how < 3; how++) { /* on threads of the cache's own, on an executor, with a batch */
        struct between between = {.fixture = fixture, .act = destroy_elsewhere};
        size_t number = gated_loader_calls_in_all(fixture->loader);
        fixture->options.executor.run = how == 1 ? count_run : NULL;
        fixture->options.executor.self = &runs;
        fixture->options.batch_window_ms = how == 2 ? 10 : 0;
        fixture->options.loader = gated_loader_option_many(fixture->loader);
        fixture_open(fixture);
        get_in_between(&between, NULL);
        invalidate_red(fixture);
        struct call *late = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
        if (how == 2)
            fixture_advance(fixture, 10);
        end_red(fixture, number, "old");
        call_expect(late, SLUICE_CLOSED, NULL);
        assert_int_equal(gated_loader_calls_in_all(fixture->loader), number + 1);
    }
    assert_int_equal(atomic_load(&runs), 0);
}

/* An executor that holds the thread that calls it, and then drops what it was given through its task. */
struct held_executor {
    struct fixture *fixture;
    atomic_bool entered;
    atomic_bool open;
    atomic_bool returned;
    atomic_bool destroyed_late; /* only once `run` had returned */
};

static void run_held(void *self, void (*task)(void *arg), void *arg)
{
    struct held_executor *executor = self;
    atomic_store(&executor->entered, true);
    for (int64_t start_ms = await_now_ms(); !atomic_load(&executor->open) && await_again(start_ms);)
        ;
    task(arg);
    atomic_store(&executor->returned, true);
}

static void destroy_held(void *arg)
{
    struct held_executor *executor = arg;
    sluice_cache_destroy(executor->fixture->cache);
    atomic_store(&executor->destroyed_late, atomic_load(&executor->returned));
}

static void end_first_red(void *arg)
{
    end_red(arg, 0, "old");
}

static void rule_18_the_cache_is_not_gone_while_its_executor_is_called(void **state)
{
    struct fixture *fixture = *state;
    struct held_executor executor = {.fixture = fixture};
    fixture->options.executor = (struct sluice_executor){run_held, &executor};
    fixture_open(fixture);

    struct call *early = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    invalidate_red(fixture);
    struct call *late = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    struct errand *ending = errand_start(end_first_red, fixture);
    AWAIT(atomic_load(&executor.entered));
    struct errand *destroying = errand_start(destroy_held, &executor);
    call_expect(early, SLUICE_OK, "old");
    call_expect(late, SLUICE_CLOSED, NULL); /* from now on it is only the executor that is waited for */
    assert_true(errand_waits(destroying));
    atomic_store(&executor.open, true);
    assert_true(errand_ended(destroying));
    assert_true(errand_ended(ending));
    errand_join(destroying);
    errand_join(ending);
    fixture->cache = NULL;
    assert_true(atomic_load(&executor.destroyed_late));
    assert_int_equal(gated_loader_calls_in_all(fixture->loader), 1);
}

/* ---- what the next load finds ------------------------------------------------------------------------------------ */

static void rule_3_the_next_load_is_not_given_the_invalidated_value_to_renew(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_content content = fixture_content_tagged("old", red, 1);
    content.ttl_ms = 10;
    fixture_open(fixture);

    assert_int_equal(sluice_put(fixture->cache, "key", 3, &content), SLUICE_OK);
    assert_int_equal(sluice_refresh(fixture->cache, "key", 3), SLUICE_OK);
    assert_non_null(gated_loader_old_value(fixture->loader, 0));
    fixture_advance(fixture, 10); /* from now on nothing is stored that could tell of the tag */
    struct call *early = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    invalidate_red(fixture);
    struct call *late = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_renew(fixture->loader, 0, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
    call_expect(early, SLUICE_OK, "old");
    assert_null(gated_loader_old_value(fixture->loader, 1));
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(late, SLUICE_OK, "new");
}

/* ---- batches that go on ------------------------------------------------------------------------------------------ */

static void batches_of_the_same_flights_in_another_order_leak_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture->options.batch_window_ms = 10;
    fixture_open(fixture);

    struct call *calls[6];
    for (size_t round = 0; round < 3; round++) {
        calls[2 * round] = call_start(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
        calls[2 * round + 1] = call_start(fixture, WAY_ASYNC, "b", SLUICE_WAIT_FOREVER);
        fixture_advance(fixture, 10);
        gated_loader_await_calls(fixture->loader, 2 * round + 2);
        if (round == 2)
            break;
        invalidate_red(fixture);
        struct call *late[2] = {call_start(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER),
                                call_start(fixture, WAY_ASYNC, "b", SLUICE_WAIT_FOREVER)};
        (void)late;
        end_red(fixture, 2 * round + 1, "second");
        end_red(fixture, 2 * round, "first");
    }
    gated_loader_end(fixture->loader, 4, ENDING_VALUE, "last");
    gated_loader_end(fixture->loader, 5, ENDING_VALUE, "last");
    for (size_t i = 0; i < 6; i++)
        call_await(calls[i]);
    assert_int_equal(gated_loader_batches(fixture->loader), 3);
}

static void rule_17_what_goes_on_alone_is_waited_for_by_those_it_was_called_with(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = gated_loader_option_many(fixture->loader);
    fixture_open(fixture);

    for (size_t goes_on = 0; goes_on < 2; goes_on++) {
        size_t base = gated_loader_calls_in_all(fixture->loader), other = 1 - goes_on;
        const char *keys[] = {"a", "b"};
        struct bulk_call *bulk = bulk_park(fixture, WAY_ASYNC, "a b", 2);
        invalidate_red(fixture);
        struct call *late = call_start(fixture, WAY_ASYNC, keys[goes_on], SLUICE_WAIT_FOREVER);
        end_red(fixture, base + goes_on, "old");
        struct call_spec spec = {.way = WAY_ASYNC, .key = keys[goes_on], .timeout_ms = SLUICE_WAIT_FOREVER};
        spec.parent = gated_loader_load(fixture->loader, base + other);
        struct call *child = call_start_spec(fixture, &spec);
        assert_false(call_done(child));
        spec.key = keys[other];
        spec.parent = gated_loader_load(fixture->loader, base + 2);
        call_expect(call_start_spec(fixture, &spec), SLUICE_CIRCULAR, NULL); /* that one waits for it already */
        gated_loader_end(fixture->loader, base + 2, ENDING_VALUE, "new");
        call_expect(child, SLUICE_OK, "new");
        call_expect(late, SLUICE_OK, "new");
        gated_loader_end(fixture->loader, base + other, ENDING_VALUE, "other");
        bulk_expect(bulk, goes_on, SLUICE_OK, "old");
        bulk_expect(bulk, other, SLUICE_OK, "other");
        bulk_free(bulk);
        sluice_invalidate_all(fixture->cache, NULL);
    }
}

/* Ends the first of two loads so that it goes on with another, and then waits for that one within the same call. */
struct lingering {
    struct fixture *fixture;
    enum sluice_error inside;  /* what that get came to */
    enum sluice_error closing; /* and that of the other key, by the next load */
    struct call *late;
};

static void complete(struct sluice_load *load, struct sluice_content content)
{
    sluice_load_complete(load, &content);
}

static void load_lingering(void *self, struct sluice_load *const *loads, size_t count)
{
    struct lingering *lingering = self;
    struct sluice_cache *cache = lingering->fixture->cache;
    struct sluice_value *value = NULL;

    if (count == 1) {
        lingering->closing = sluice_get(cache, "b", 1, SLUICE_WAIT_FOREVER, &value);
        sluice_value_unref(value);
        complete(loads[0], fixture_content("new"));
        return;
    }
    invalidate_red(lingering->fixture);
    lingering->late = call_start(lingering->fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER);
    complete(loads[0], fixture_content_tagged("old", red, 1));
    lingering->inside = sluice_get(cache, "a", 1, SLUICE_WAIT_FOREVER, &value);
    sluice_value_unref(value);
    complete(loads[1], fixture_content("other"));
}

static void rule_17_a_call_that_goes_on_alone_does_not_hide_what_the_first_one_waits_for(void **state)
{
    static const struct sluice_key keys[] = {{"a", 1}, {"b", 1}};
    struct fixture *fixture = *state;
    struct lingering lingering = {.fixture = fixture};
    struct sluice_outcome outcomes[2];
    fixture->options.loader = (struct sluice_loader){.load_many = load_lingering, .self = &lingering};
    fixture_open(fixture);

    assert_int_equal(sluice_get_many(fixture->cache, keys, 2, SLUICE_WAIT_FOREVER, outcomes), SLUICE_OK);
    fixture_expect_outcome(&outcomes[0], SLUICE_OK, "old");
    fixture_expect_outcome(&outcomes[1], SLUICE_OK, "other");
    call_expect(lingering.late, SLUICE_OK, "new");
    /* One of them closes the circle: the one that comes second. */
    assert_true((lingering.inside == SLUICE_OK && lingering.closing == SLUICE_CIRCULAR) ||
                (lingering.inside == SLUICE_CIRCULAR && lingering.closing == SLUICE_OK));
    sluice_outcome_fini(&outcomes[0]);
    sluice_outcome_fini(&outcomes[1]);
    fixture_destroy_cache(fixture);
}

/* ---- the background's threads ------------------------------------------------------------------------------------ */

static void load_nested(void *self, struct sluice_load *load)
{
    struct fixture *fixture = self;
    struct sluice_loader gated = gated_loader_option(fixture->loader);
    struct sluice_value *value;

    if (sluice_load_key_size(load) == 3) {
        gated.load(gated.self, load);
        return;
    }
    enum sluice_error error = sluice_get(fixture->cache, "key", 3, SLUICE_WAIT_FOREVER, &value);
    if (error != SLUICE_OK) {
        sluice_load_fail(load, sluice_strerror(error));
        return;
    }
    struct sluice_content content = SLUICE_CONTENT_INIT;
    content.data = sluice_value_data(value);
    content.size = sluice_value_size(value);
    sluice_load_complete(load, &content);
    sluice_value_unref(value);
}

static void rule_17_the_next_load_does_not_wait_for_the_threads_that_wait_for_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = (struct sluice_loader){.load = load_nested, .self = fixture};
    fixture->options.background_threads_max = 1;
    fixture_open(fixture);

    struct call *early = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    gated_loader_await_calls(fixture->loader, 1);
    invalidate_red(fixture);
    assert_int_equal(sluice_refresh(fixture->cache, "outer", 5), SLUICE_OK);
    fixture_await_waiters(fixture, 2);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);
    end_red(fixture, 0, "old");
    call_expect(early, SLUICE_OK, "old");
    AWAIT(fixture_stats(fixture).loads_in_flight == 0);
    fixture_expect_present(fixture, "outer", SLUICE_OK, "key#2");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_14_a_bulk_within_a_load_leaves_the_batch_whole_whose_key_it_needs),
        FIXTURE_TEST(a_flight_goes_on_while_the_chain_it_was_begun_in_is_queued),
        FIXTURE_TEST(the_next_load_may_be_over_before_whoever_ended_the_first_has_it_called),
        FIXTURE_TEST(rule_18_the_cache_may_be_destroyed_before_the_next_load_is_called),
        FIXTURE_TEST(rule_18_the_cache_is_not_gone_while_its_executor_is_called),
        FIXTURE_TEST(rule_3_the_next_load_is_not_given_the_invalidated_value_to_renew),
        FIXTURE_TEST(batches_of_the_same_flights_in_another_order_leak_nothing),
        FIXTURE_TEST(rule_17_what_goes_on_alone_is_waited_for_by_those_it_was_called_with),
        FIXTURE_TEST(rule_17_a_call_that_goes_on_alone_does_not_hide_what_the_first_one_waits_for),
        FIXTURE_TEST(rule_17_the_next_load_does_not_wait_for_the_threads_that_wait_for_it),
    };
    FIXTURE_MAIN(tests);
}
