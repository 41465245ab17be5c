/* SPDX-License-Identifier: MIT */
/*
 * owed_load_test.c: a call that has begun a load tells waiters and the listener before it has the loader called. What
 * these then get on its thread would wait for that thread, and is refused (rule 17). A test that hangs has failed.
 */
#include "bulk_call.h"
#include "errand.h"

#include <stdlib.h>

/* A get that is made while others are told, and what it came to. */
struct asking {
    struct fixture *fixture;
    const char *key;
    unsigned times;
    enum sluice_error error;
};

static void ask(struct asking *asking)
{
    struct sluice_value *value = NULL;
    asking->times++;
    asking->error = sluice_get(asking->fixture->cache, asking->key, strlen(asking->key), SLUICE_WAIT_FOREVER, &value);
    sluice_value_unref(value);
}

static void ask_inside(void *arg, const struct sluice_outcome *outcome)
{
    (void)outcome;
    ask(arg);
}

static void ask_of_expired(void *self, const struct sluice_removal *removal)
{
    if (removal->cause == SLUICE_REMOVED_EXPIRED)
        ask(self);
}

static void expect_asked(const struct asking *asking, enum sluice_error error)
{
    assert_int_equal(asking->times, 1);
    assert_int_equal(asking->error, error);
}

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

static void end_with_tag(void *arg)
{
    static const char *const tags[] = {"red"};
    const struct sluice_content content = fixture_content_tagged("old", tags, 1);
    gated_loader_end_with(((struct fixture *)arg)->loader, 0, &content);
}

static void rule_17_a_callback_that_waits_for_the_next_load_of_its_flight_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {.fixture = fixture, .key = "key"};
    const struct call_spec early = {
        .way = WAY_ASYNC, .key = "key", .timeout_ms = SLUICE_WAIT_FOREVER, .inside = ask_inside, .arg = &asking};
    fixture_open(fixture);

    (void)call_start_spec(fixture, &early);
    sluice_invalidate_tag(fixture->cache, "red", NULL);
    struct call *late = call_start(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    assert_true(errand_run_elsewhere(end_with_tag, fixture));
    expect_asked(&asking, SLUICE_CIRCULAR);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new");
    call_expect(late, SLUICE_OK, "new");
}

static void restart(void *arg)
{
    if (sluice_load_restart(((struct fixture *)arg)->cache, "key", 3) != SLUICE_OK)
        abort();
}

static void rule_17_a_callback_that_waits_for_the_load_of_a_restart_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {.fixture = fixture, .key = "key"};
    struct call_spec child = {
        .way = WAY_ASYNC, .key = "key", .timeout_ms = SLUICE_WAIT_FOREVER, .inside = ask_inside, .arg = &asking};
    fixture_open(fixture);

    struct call *parent = call_park(fixture, WAY_ASYNC, "parent", SLUICE_WAIT_FOREVER);
    struct call *plain = call_park(fixture, WAY_ASYNC, "key", SLUICE_WAIT_FOREVER);
    child.parent = gated_loader_load(fixture->loader, 0);
    (void)call_start_spec(fixture, &child);
    assert_true(errand_run_elsewhere(restart, fixture));
    expect_asked(&asking, SLUICE_CIRCULAR);
    gated_loader_end(fixture->loader, 2, ENDING_VALUE, "new");
    call_expect(plain, SLUICE_OK, "new");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "parent");
    call_expect(parent, SLUICE_OK, "parent");
}

/* ---- listeners --------------------------------------------------------------------------------------------------- */

static void refresh_both(void *arg)
{
    static const struct sluice_key keys[] = {{"a", 1}, {"b", 1}};
    if (sluice_refresh_many(((struct fixture *)arg)->cache, keys, COUNT_OF(keys)) != SLUICE_OK)
        abort();
}

static void rule_17_a_listener_does_not_wait_for_what_a_refresh_of_many_has_yet_to_call(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {.fixture = fixture, .key = "a"};
    fixture->options.listener = (struct sluice_listener){.removed = ask_of_expired, .self = &asking};
    fixture_open(fixture);

    fixture_put_ttl(fixture, "b", "old", 100);
    assert_int_equal(sluice_refresh(fixture->cache, "b", 1), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    gated_loader_set_mode(fixture->loader, GATED_ANSWER);
    fake_clock_advance(&fixture->clock, 100);
    assert_true(errand_run_elsewhere(refresh_both, fixture));
    expect_asked(&asking, SLUICE_CIRCULAR);
    call_expect(call_start(fixture, WAY_BLOCKING, "a", SLUICE_WAIT_FOREVER), SLUICE_OK, "a#1");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new");
}

static void rule_17_a_listener_does_not_wait_for_what_a_bulk_get_has_loaded_in_the_background(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {.fixture = fixture, .key = "a"};
    fixture->options.listener = (struct sluice_listener){.removed = ask_of_expired, .self = &asking};
    fixture->options.stale_if_error_ms = 1000;
    fixture->options.stale_after_wait_ms = 50;
    fixture_open(fixture);

    fixture_put_ttl(fixture, "b", "old", 10);
    assert_int_equal(sluice_refresh(fixture->cache, "b", 1), SLUICE_OK);
    gated_loader_await_calls(fixture->loader, 1);
    fake_clock_advance(&fixture->clock, 500);
    fixture_put_ttl(fixture, "a", "old", 10);
    fake_clock_advance(&fixture->clock, 600); /* now "a" is held for a failure, and "b" is gone */
    struct bulk_call *bulk = bulk_start(fixture, WAY_BLOCKING, "a b", SLUICE_WAIT_FOREVER);
    gated_loader_end(fixture->loader, 1, ENDING_VALUE, "new a");
    gated_loader_end(fixture->loader, 0, ENDING_VALUE, "new b");
    bulk_expect(bulk, 0, SLUICE_OK, "new a");
    bulk_expect(bulk, 1, SLUICE_OK, "new b");
    bulk_free(bulk);
    expect_asked(&asking, SLUICE_CIRCULAR);
}

/* Loads "a" by a get of "b". */
static void load_by_the_other(void *self, struct sluice_load *load)
{
    struct fixture *fixture = self;
    struct sluice_content content = {.data = "new", .size = 3, .ttl_ms = SLUICE_NEVER};
    struct sluice_value *value = NULL;
    bool leaf = memcmp(sluice_load_key(load), "b", 1) == 0;
    if (!leaf && sluice_get(fixture->cache, "b", 1, SLUICE_WAIT_FOREVER, &value) != SLUICE_OK)
        abort();
    sluice_value_unref(value);
    sluice_load_complete(load, &content);
}

static void get_a(void *arg)
{
    struct sluice_value *value;
    if (sluice_get(((struct fixture *)arg)->cache, "a", 1, SLUICE_WAIT_FOREVER, &value) != SLUICE_OK)
        abort();
    sluice_value_unref(value);
}

static void rule_17_a_listener_within_a_loader_waits_on_behalf_of_its_load(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {.fixture = fixture, .key = "a"};
    fixture->options.loader = (struct sluice_loader){.load = load_by_the_other, .self = fixture};
    fixture->options.listener = (struct sluice_listener){.removed = ask_of_expired, .self = &asking};
    fixture_open(fixture);

    fixture_put_ttl(fixture, "b", "old", 100);
    fake_clock_advance(&fixture->clock, 100);
    assert_true(errand_run_elsewhere(get_a, fixture));
    expect_asked(&asking, SLUICE_CIRCULAR);
    fixture_destroy_cache(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_17_a_callback_that_waits_for_the_next_load_of_its_flight_is_refused),
        FIXTURE_TEST(rule_17_a_callback_that_waits_for_the_load_of_a_restart_is_refused),
        FIXTURE_TEST(rule_17_a_listener_does_not_wait_for_what_a_refresh_of_many_has_yet_to_call),
        FIXTURE_TEST(rule_17_a_listener_does_not_wait_for_what_a_bulk_get_has_loaded_in_the_background),
        FIXTURE_TEST(rule_17_a_listener_within_a_loader_waits_on_behalf_of_its_load),
    };
    FIXTURE_MAIN(tests);
}
