/* SPDX-License-Identifier: MIT */
/* recursion_test.c: a load that would wait for itself is refused at once (rule 17): directly, in a circle through other
 * loads, over threads and caches, blocking and not. A test that hangs has failed. */
#include "call.h"
#include "errand.h"

#include <stdlib.h>

#define STEPS_MAX 4

/* ---- loaders that get other keys --------------------------------------------------------------------------------- */

/* Loads key i of `keys` by a blocking get of key i + 1, and so on; the last one gets key `closes`. */
struct chain {
    struct sluice_cache *caches[STEPS_MAX];
    const char *keys[STEPS_MAX];
    size_t count;
    size_t closes;
    enum sluice_error last; /* what the get that closes the circle came to */
    atomic_uint loads;
};

static size_t chain_step(const struct chain *chain, struct sluice_load *load)
{
    for (size_t i = 0; i < chain->count; i++)
        if (sluice_load_key_size(load) == strlen(chain->keys[i]) &&
            memcmp(sluice_load_key(load), chain->keys[i], strlen(chain->keys[i])) == 0)
            return i;
    abort();
}

static void load_chained(void *self, struct sluice_load *load)
{
    struct chain *chain = self;
    size_t step = chain_step(chain, load);
    size_t next = step + 1 < chain->count ? step + 1 : chain->closes;
    struct sluice_value *value;

    atomic_fetch_add(&chain->loads, 1);
    enum sluice_error error =
        sluice_get(chain->caches[next], chain->keys[next], strlen(chain->keys[next]), SLUICE_WAIT_FOREVER, &value);
    if (step + 1 == chain->count)
        chain->last = error;
    if (error == SLUICE_OK) {
        sluice_value_unref(value);
        abort(); /* there is no end from which a value could come */
    }
    sluice_load_fail(load, sluice_strerror(error));
}

static void play_chain(struct fixture *fixture, size_t count, size_t closes)
{
    static const char *const keys[STEPS_MAX] = {"a", "b", "c", "d"};
    struct chain chain = {.count = count, .closes = closes};
    fixture->options.loader = (struct sluice_loader){.load = load_chained, .self = &chain};
    fixture_open(fixture);
    for (size_t i = 0; i < count; i++) {
        chain.keys[i] = keys[i];
        chain.caches[i] = fixture->cache;
    }

    struct call *call = call_start(fixture, WAY_BLOCKING, "a", SLUICE_WAIT_FOREVER);
    call_expect(call, SLUICE_LOAD_FAILED, count == 1 ? "the load would wait for itself" : "the load failed");
    assert_int_equal(chain.last, SLUICE_CIRCULAR);
    assert_int_equal(atomic_load(&chain.loads), count);
    assert_int_equal(fixture_stats(fixture).circular, 1);
    fixture_destroy_cache(fixture);
}

static void rule_17_a_loader_that_gets_its_own_key_is_refused(void **state)
{
    play_chain(*state, 1, 0);
}

static void rule_17_a_circle_through_other_keys_is_refused(void **state)
{
    play_chain(*state, 2, 0);
}

static void rule_17_a_long_circle_is_refused(void **state)
{
    play_chain(*state, 4, 0);
}

static void rule_17_a_circle_is_refused_that_does_not_lead_to_the_first_key(void **state)
{
    play_chain(*state, 4, 2);
}

static void rule_17_a_circle_through_two_caches_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_cache *other;
    struct chain chain = {.count = 2, .keys = {"a", "b"}};
    fixture->options.loader = (struct sluice_loader){.load = load_chained, .self = &chain};
    fixture_open(fixture);
    assert_int_equal(sluice_cache_create(&fixture->options, &other), SLUICE_OK);
    chain.caches[0] = fixture->cache;
    chain.caches[1] = other;

    call_expect(call_start(fixture, WAY_BLOCKING, "a", SLUICE_WAIT_FOREVER), SLUICE_LOAD_FAILED, "the load failed");
    assert_int_equal(chain.last, SLUICE_CIRCULAR);
    sluice_cache_destroy(other);
    fixture_destroy_cache(fixture);
}

/* A loader may get other keys, and the same ones twice, as long as there is no circle. */
static void load_sum(void *self, struct sluice_load *load)
{
    struct fixture *fixture = self;
    struct sluice_content content = SLUICE_CONTENT_INIT;
    content.data = "leaf";
    content.size = 4;
    if (sluice_load_key_size(load) > 1) {
        for (int i = 0; i < 2; i++)
            for (const char *key = "xyx"; *key != '\0'; key++) {
                struct sluice_value *value;
                if (sluice_get(fixture->cache, key, 1, SLUICE_WAIT_FOREVER, &value) != SLUICE_OK)
                    abort();
                sluice_value_unref(value);
            }
        content.data = "tree";
    }
    sluice_load_complete(load, &content);
}

static void rule_17_loads_that_wait_for_others_without_a_circle_are_served(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.loader = (struct sluice_loader){.load = load_sum, .self = fixture};
    fixture_open(fixture);
    call_expect(call_start(fixture, WAY_BLOCKING, "xyx", SLUICE_WAIT_FOREVER), SLUICE_OK, "tree");
    call_expect(call_start(fixture, WAY_ASYNC, "yxy", SLUICE_WAIT_FOREVER), SLUICE_OK, "tree");
    assert_int_equal(fixture_stats(fixture).circular, 0);
    assert_int_equal(fixture_stats(fixture).loads, 4);
    fixture_destroy_cache(fixture);
}

/* The load of "a" computes "b", which its own thread is to load next. */
struct sibling {
    struct sluice_cache *cache;
    enum sluice_error computed;
    unsigned loads;
};

static void compute_b(void *self, struct sluice_load *load)
{
    const struct sluice_content content = fixture_content("computed");
    (void)self;
    sluice_load_complete(load, &content);
}

static void load_sibling(void *self, struct sluice_load *load)
{
    struct sibling *sibling = self;
    const struct sluice_loader compute = {.load = compute_b};
    struct sluice_outcome outcome;

    sibling->loads++;
    if (*(const char *)sluice_load_key(load) == 'a') {
        sibling->computed = sluice_compute(sibling->cache, "b", 1, &compute, SLUICE_WAIT_FOREVER, &outcome);
        sluice_outcome_fini(&outcome);
    }
    sluice_load_not_found(load);
}

static void rule_17_a_computation_within_a_loader_does_not_wait_for_the_turn_of_a_load(void **state)
{
    static const struct sluice_key keys[] = {{"a", 1}, {"b", 1}};
    struct fixture *fixture = *state;
    struct sibling sibling = {.computed = SLUICE_CIRCULAR};
    struct sluice_outcome outcomes[COUNT_OF(keys)];
    fixture->options.loader = (struct sluice_loader){.load = load_sibling, .self = &sibling};
    fixture_open(fixture);
    sibling.cache = fixture->cache;

    assert_int_equal(sluice_get_many(fixture->cache, keys, COUNT_OF(keys), SLUICE_WAIT_FOREVER, outcomes), SLUICE_OK);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        fixture_expect_outcome(&outcomes[i], SLUICE_NOT_FOUND, NULL);
    assert_int_equal(sibling.computed, SLUICE_OK);
    assert_int_equal(sibling.loads, 2);
    fixture_expect_present(fixture, "b", SLUICE_OK, "computed");
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        sluice_outcome_fini(&outcomes[i]);
    fixture_destroy_cache(fixture);
}

/* ---- over threads ------------------------------------------------------------------------------------------------ */

/* A get of `key` on behalf of a load that the fixture's loader holds, on a thread of its own. */
struct child {
    struct fixture *fixture;
    const char *key;
    size_t parent; /* the number of the load's call */
    struct sluice_outcome outcome;
    struct errand *errand;
};

static void run_on_behalf(void *arg)
{
    struct child *one = arg;
    const struct sluice_request request = {
        .key = one->key,
        .key_size = strlen(one->key),
        .timeout_ms = SLUICE_WAIT_FOREVER,
        .parent = gated_loader_load(one->fixture->loader, one->parent),
    };
    if (sluice_get_request(one->fixture->cache, &request, &one->outcome) != one->outcome.error)
        abort();
}

/* Begins one that is sure to park. */
static void park_on_behalf(struct fixture *fixture, struct child *one, size_t parent, const char *key)
{
    uint64_t waiters = fixture_stats(fixture).waiters;
    *one = (struct child){.fixture = fixture, .key = key, .parent = parent};
    one->errand = errand_start(run_on_behalf, one);
    fixture_await_waiters(fixture, waiters + 1);
}

static void expect_on_behalf(struct child *one, enum sluice_error error, const char *text)
{
    assert_true(errand_ended(one->errand));
    errand_join(one->errand);
    fixture_expect_outcome(&one->outcome, error, text);
    sluice_outcome_fini(&one->outcome);
}

static void expect_circular(struct fixture *fixture, size_t parent, const char *key)
{
    struct child one = {.fixture = fixture, .key = key, .parent = parent};
    uint64_t waiters = fixture_stats(fixture).waiters;
    assert_true(errand_run_elsewhere(run_on_behalf, &one));
    assert_int_equal(one.outcome.error, SLUICE_CIRCULAR);
    assert_int_equal(fixture_stats(fixture).waiters, waiters);
}

static struct fixture *open_with_loads(void **state, const char *const keys[], size_t count)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    for (size_t i = 0; i < count; i++)
        (void)call_park(fixture, WAY_ASYNC, keys[i], SLUICE_WAIT_FOREVER);
    return fixture;
}

static const char *const three_keys[] = {"a", "b", "c"};

static void rule_17_over_threads_the_get_that_closes_the_circle_is_refused(void **state)
{
    struct fixture *fixture = open_with_loads(state, three_keys, 3);
    struct child a, b;

    expect_circular(fixture, 0, "a");
    park_on_behalf(fixture, &a, 0, "b");
    expect_circular(fixture, 1, "a");
    park_on_behalf(fixture, &b, 1, "c");
    expect_circular(fixture, 2, "a");
    expect_circular(fixture, 2, "b");
    /* The refused one may go on and end its load: then all the others come to their end. */
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "C");
    expect_on_behalf(&b, SLUICE_OK, "C");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    expect_on_behalf(&a, SLUICE_OK, "B");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "A");
    assert_int_equal(fixture_stats(fixture).circular, 4);
}

static void rule_17_an_edge_is_gone_once_its_get_has_an_end(void **state)
{
    struct fixture *fixture = open_with_loads(state, three_keys, 3);
    struct child one;

    /* by the end of the load, */
    park_on_behalf(fixture, &one, 0, "b");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    expect_on_behalf(&one, SLUICE_OK, "B");
    fixture_invalidate(fixture, INVALIDATION_KEY, "b");
    (void)call_park(fixture, WAY_ASYNC, "b", SLUICE_WAIT_FOREVER); /* call 3 */
    park_on_behalf(fixture, &one, 3, "a");
    expect_circular(fixture, 0, "b");

    /* by a put, */
    fixture_put(fixture, "a", "put");
    expect_on_behalf(&one, SLUICE_OK, "put");
    fixture_invalidate(fixture, INVALIDATION_KEY, "a");
    (void)call_park(fixture, WAY_ASYNC, "a", SLUICE_WAIT_FOREVER); /* call 4 */
    park_on_behalf(fixture, &one, 4, "b");

    /* or by the close. */
    sluice_cache_close(fixture->cache);
    expect_on_behalf(&one, SLUICE_CLOSED, NULL);
}

/* A detached load is not the one that a get of its key joins. */
static void rule_17_a_get_of_the_own_key_after_an_invalidation_is_no_circle(void **state)
{
    struct fixture *fixture = open_with_loads(state, three_keys, 1);
    struct child one;

    fixture_invalidate(fixture, INVALIDATION_KEY, "a");
    park_on_behalf(fixture, &one, 0, "a");
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    expect_on_behalf(&one, SLUICE_OK, "new");
    assert_int_equal(fixture_stats(fixture).circular, 0);
}

/* ---- asynchronous ------------------------------------------------------------------------------------------------ */

static struct call *start_on_behalf(struct fixture *fixture, size_t parent, const char *key, int64_t timeout_ms)
{
    return call_start_spec(fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                        .key = key,
                                                        .timeout_ms = timeout_ms,
                                                        .parent = gated_loader_load(fixture->loader, parent)});
}

static void rule_17_an_asynchronous_get_is_refused_at_once(void **state)
{
    struct fixture *fixture = open_with_loads(state, three_keys, 3);

    struct call *own = start_on_behalf(fixture, 0, "a", SLUICE_WAIT_FOREVER);
    assert_true(own->at_once);
    call_expect(own, SLUICE_CIRCULAR, NULL);

    struct call *to_b = start_on_behalf(fixture, 0, "b", SLUICE_WAIT_FOREVER);
    struct call *to_c = start_on_behalf(fixture, 0, "c", SLUICE_WAIT_FOREVER); /* a load may wait for many */
    assert_false(call_done(to_b));
    assert_false(call_done(to_c));
    call_expect(start_on_behalf(fixture, 1, "a", SLUICE_WAIT_FOREVER), SLUICE_CIRCULAR, NULL);
    call_expect(start_on_behalf(fixture, 2, "a", SLUICE_WAIT_FOREVER), SLUICE_CIRCULAR, NULL);
    struct call *across = start_on_behalf(fixture, 1, "c", SLUICE_WAIT_FOREVER);
    assert_false(call_done(across));
    call_expect(start_on_behalf(fixture, 2, "b", SLUICE_WAIT_FOREVER), SLUICE_CIRCULAR, NULL);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "C");
    call_expect(to_c, SLUICE_OK, "C");
    call_expect(across, SLUICE_OK, "C");
}

static void rule_17_who_leaves_takes_his_edge_along(void **state)
{
    struct fixture *fixture = open_with_loads(state, three_keys, 2);

    struct call *call = start_on_behalf(fixture, 0, "b", SLUICE_WAIT_FOREVER);
    call_expect(start_on_behalf(fixture, 1, "a", SLUICE_WAIT_FOREVER), SLUICE_CIRCULAR, NULL);
    assert_true(call_cancel(call));
    struct call *turned = start_on_behalf(fixture, 1, "a", 10);
    assert_false(call_done(turned));
    fixture_advance(fixture, 10);
    call_expect(turned, SLUICE_TIMED_OUT, NULL);
    assert_false(call_done(start_on_behalf(fixture, 0, "b", SLUICE_WAIT_FOREVER)));
}

static void rule_17_a_leader_on_behalf_of_a_load_is_part_of_the_circle(void **state)
{
    struct fixture *fixture = open_with_loads(state, three_keys, 1);

    struct call *leads = start_on_behalf(fixture, 0, "b", SLUICE_WAIT_FOREVER); /* call 1 */
    assert_int_equal(gated_loader_calls(fixture->loader, "b"), 1);
    call_expect(start_on_behalf(fixture, 1, "a", SLUICE_WAIT_FOREVER), SLUICE_CIRCULAR, NULL);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "B");
    call_expect(leads, SLUICE_OK, "B");
}

static void end_parent(void *arg)
{
    gated_loader_end(((struct fixture *)arg)->loader, 0, ENDING_VALUE, "parent");
}

static void hear(void *arg, const struct sluice_outcome *outcome)
{
    (void)arg;
    (void)outcome;
}

static void hear_many(void *arg, const struct sluice_outcome *outcomes, size_t count)
{
    (void)arg;
    (void)outcomes;
    (void)count;
}

/* Nobody but the cache holds the parent: once it has ended it is there for the get alone. */
static void rule_17_the_load_that_a_get_is_made_for_may_end_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_async_get get = {
        .key = "parent", .key_size = 6, .timeout_ms = SLUICE_WAIT_FOREVER, .callback = hear, .arg = fixture};
    struct sluice_outcome outcome;
    fixture_open(fixture);

    assert_int_equal(sluice_get_async(fixture->cache, &get, &outcome, NULL), SLUICE_PARKED);
    get.key = "a";
    get.key_size = 1;
    get.parent = gated_loader_load(fixture->loader, 0);
    get.parking = end_parent;
    assert_int_equal(sluice_get_async(fixture->cache, &get, &outcome, NULL), SLUICE_PARKED);
}

static void rule_17_the_load_that_a_bulk_get_is_made_for_may_end_meanwhile(void **state)
{
    static const struct sluice_key keys[] = {{"a", 1}, {"b", 1}};
    struct fixture *fixture = *state;
    struct sluice_async_get get = {.key = "parent", .key_size = 6, .timeout_ms = SLUICE_WAIT_FOREVER, .callback = hear};
    struct sluice_bulk_request bulk = {.keys = keys,
                                       .count = COUNT_OF(keys),
                                       .timeout_ms = SLUICE_WAIT_FOREVER,
                                       .callback = hear_many,
                                       .parking = end_parent,
                                       .arg = fixture};
    struct sluice_outcome outcome, outcomes[COUNT_OF(keys)];
    fixture_open(fixture);

    assert_int_equal(sluice_get_async(fixture->cache, &get, &outcome, NULL), SLUICE_PARKED);
    bulk.parent = gated_loader_load(fixture->loader, 0);
    assert_int_equal(sluice_get_many_async(fixture->cache, &bulk, outcomes, NULL), SLUICE_PARKED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_17_a_loader_that_gets_its_own_key_is_refused),
        FIXTURE_TEST(rule_17_a_circle_through_other_keys_is_refused),
        FIXTURE_TEST(rule_17_a_long_circle_is_refused),
        FIXTURE_TEST(rule_17_a_circle_is_refused_that_does_not_lead_to_the_first_key),
        FIXTURE_TEST(rule_17_a_circle_through_two_caches_is_refused),
        FIXTURE_TEST(rule_17_loads_that_wait_for_others_without_a_circle_are_served),
        FIXTURE_TEST(rule_17_a_computation_within_a_loader_does_not_wait_for_the_turn_of_a_load),
        FIXTURE_TEST(rule_17_over_threads_the_get_that_closes_the_circle_is_refused),
        FIXTURE_TEST(rule_17_an_edge_is_gone_once_its_get_has_an_end),
        FIXTURE_TEST(rule_17_a_get_of_the_own_key_after_an_invalidation_is_no_circle),
        FIXTURE_TEST(rule_17_an_asynchronous_get_is_refused_at_once),
        FIXTURE_TEST(rule_17_who_leaves_takes_his_edge_along),
        FIXTURE_TEST(rule_17_a_leader_on_behalf_of_a_load_is_part_of_the_circle),
        FIXTURE_TEST(rule_17_the_load_that_a_get_is_made_for_may_end_meanwhile),
        FIXTURE_TEST(rule_17_the_load_that_a_bulk_get_is_made_for_may_end_meanwhile),
    };
    FIXTURE_MAIN(tests);
}
