/* SPDX-License-Identifier: MIT */
/*
 * nested_call_test.c: a loader that is called from within another one, on its thread, must not wait for that one's
 * load: the outer loader goes on only when the inner one has returned (rule 17). A test that hangs has failed.
 */
#include "call.h"
#include "errand.h"

#include <stdlib.h>

/* How the load of `a` has that of `b` called on its own thread, without waiting for it. */
enum begin { BEGIN_ASYNC, BEGIN_BULK, BEGIN_REFRESH, BEGIN_REFRESH_MANY, BEGINS };

/* How the innermost load waits. */
enum wait { WAIT_GET, WAIT_BULK, WAIT_COMPUTE, WAITS };

/*
 * Each load begins that of the next letter, up to `last`; that one waits for `sought`, and all end with a value then.
 */
struct play {
    struct fixture *fixture;
    enum begin begin;
    enum wait wait;
    char last;
    const char *sought;
    struct sluice_load *_Atomic held; /* the load of "x", which is not ended: for a get on its behalf */
    struct sluice_load *outer;        /* with `holds`: the first one, which is not ended either */
    bool holds;
    bool on_behalf;          /* the last one waits on behalf of that */
    enum sluice_error error; /* what the wait came to */
};

/* ---- steps of a loader ------------------------------------------------------------------------------------------- */

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

static enum sluice_error begin_load(struct play *play, const char *key)
{
    struct sluice_cache *cache = play->fixture->cache;
    const struct sluice_key keys[] = {{key, 1}};
    const struct sluice_async_get get = {
        .key = key, .key_size = 1, .timeout_ms = SLUICE_WAIT_FOREVER, .callback = hear};
    const struct sluice_bulk_request bulk = {
        .keys = keys, .count = 1, .timeout_ms = SLUICE_WAIT_FOREVER, .callback = hear_many};
    struct sluice_outcome outcome;
    enum sluice_error error = SLUICE_OK;

    switch (play->begin) {
    case BEGIN_ASYNC:
        error = sluice_get_async(cache, &get, &outcome, NULL);
        break;
    case BEGIN_BULK:
        error = sluice_get_many_async(cache, &bulk, &outcome, NULL);
        break;
    case BEGIN_REFRESH:
        return sluice_refresh(cache, key, 1);
    case BEGIN_REFRESH_MANY:
        return sluice_refresh_many(cache, keys, 1);
    case BEGINS:
        abort();
    }
    if (error != SLUICE_PARKED)
        sluice_outcome_fini(&outcome);
    return error;
}

static void load_nothing(void *self, struct sluice_load *load)
{
    (void)self;
    sluice_load_not_found(load);
}

static enum sluice_error wait_for(struct play *play, const char *key)
{
    struct sluice_cache *cache = play->fixture->cache;
    const struct sluice_key keys[] = {{key, 1}};
    const struct sluice_loader compute = {.load = load_nothing};
    struct sluice_load *parent = play->on_behalf ? atomic_load(&play->held) : NULL;
    const struct sluice_request get = {.key = key, .key_size = 1, .timeout_ms = SLUICE_WAIT_FOREVER, .parent = parent};
    const struct sluice_bulk_request bulk = {
        .keys = keys, .count = 1, .timeout_ms = SLUICE_WAIT_FOREVER, .parent = parent};
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    enum sluice_error error = SLUICE_OK;

    switch (play->wait) {
    case WAIT_GET:
        error = sluice_get_request(cache, &get, &outcome);
        break;
    case WAIT_BULK:
        error = sluice_get_many_request(cache, &bulk, &outcome);
        if (error == SLUICE_OK)
            error = outcome.error;
        break;
    case WAIT_COMPUTE:
        error = sluice_compute(cache, key, 1, &compute, SLUICE_WAIT_FOREVER, &outcome);
        break;
    case WAITS:
        abort();
    }
    sluice_outcome_fini(&outcome);
    return error;
}

static void load_played(void *self, struct sluice_load *load)
{
    struct play *play = self;
    const char *key = sluice_load_key(load);
    const char next[] = {(char)(*key + 1), '\0'};
    struct sluice_content content = SLUICE_CONTENT_INIT;

    if (*key == 'x') {
        atomic_store(&play->held, load);
        return;
    }
    if (*key == play->last)
        play->error = wait_for(play, play->sought);
    else if (*key < play->last)
        (void)begin_load(play, next);
    if (play->holds) {
        play->outer = load;
        return;
    }
    content.data = key;
    content.size = 1;
    sluice_load_complete(load, &content);
}

static void run_at_once(void *self, void (*task)(void *arg), void *arg)
{
    (void)self;
    task(arg);
}

static void open_play(struct play *play, struct fixture *fixture)
{
    play->fixture = fixture;
    fixture->options.loader = (struct sluice_loader){.load = load_played, .self = play};
    fixture->options.executor = (struct sluice_executor){.run = run_at_once};
    fixture_open(fixture);
}

/* The load of `a` is begun, and comes to its end with all those within it. */
static void expect_refused(struct play *play)
{
    call_expect(call_start(play->fixture, WAY_BLOCKING, "a", SLUICE_WAIT_FOREVER), SLUICE_OK, "a");
    assert_int_equal(play->error, SLUICE_CIRCULAR);
    assert_int_equal(fixture_stats(play->fixture).circular, 1);
}

static void end_held(struct play *play)
{
    struct sluice_load *held = atomic_load(&play->held);

    assert_non_null(held);
    sluice_load_not_found(held);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void rule_17_a_call_within_another_is_refused_what_the_outer_one_loads(void **state)
{
    for (enum begin begin = 0; begin < BEGINS; begin++) {
        for (enum wait wait = 0; wait < WAITS; wait++) {
            struct play play = {.begin = begin, .wait = wait, .last = 'b', .sought = "a"};

            open_play(&play, *state);
            expect_refused(&play);
            fixture_destroy_cache(play.fixture);
        }
    }
}

static void rule_17_calls_within_each_other_are_a_chain(void **state)
{
    static const char *const sought[] = {"a", "b", "c"};

    for (size_t i = 0; i < COUNT_OF(sought); i++) {
        struct play play = {.last = 'd', .sought = sought[i]};

        open_play(&play, *state);
        expect_refused(&play);
        fixture_destroy_cache(play.fixture);
    }
}

static void rule_17_a_call_within_another_may_wait_for_other_keys(void **state)
{
    struct play play = {.last = 'b', .sought = "n"};

    open_play(&play, *state);
    call_expect(call_start(play.fixture, WAY_BLOCKING, "a", SLUICE_WAIT_FOREVER), SLUICE_OK, "a");
    assert_int_equal(play.error, SLUICE_OK);
    assert_int_equal(fixture_stats(play.fixture).circular, 0);
    fixture_destroy_cache(play.fixture);
}

static void rule_17_a_circle_that_leads_over_a_call_within_another_is_refused(void **state)
{
    struct play play = {.last = 'b', .sought = "x"};
    struct call *held, *outer;

    open_play(&play, *state);
    held = call_start(play.fixture, WAY_ASYNC, "x", SLUICE_WAIT_FOREVER);
    outer = call_start(play.fixture, WAY_BLOCKING, "a", SLUICE_WAIT_FOREVER);
    fixture_await_waiters(play.fixture, 4); /* for x, for a, for b, and that of b for x */
    call_expect(call_start_spec(play.fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                                  .key = "a",
                                                                  .timeout_ms = SLUICE_WAIT_FOREVER,
                                                                  .parent = atomic_load(&play.held)}),
                SLUICE_CIRCULAR, NULL);
    end_held(&play);
    call_expect(held, SLUICE_NOT_FOUND, NULL);
    call_expect(outer, SLUICE_OK, "a");
    assert_int_equal(play.error, SLUICE_NOT_FOUND);
    fixture_destroy_cache(play.fixture);
}

/* The thread waits, whosever get it is: it does not return to the load that it is in. */
static void rule_17_within_a_call_a_get_on_behalf_of_another_load_waits_for_that_call_too(void **state)
{
    for (enum wait wait = WAIT_GET; wait <= WAIT_BULK; wait++) {
        struct play play = {.wait = wait, .last = 'b', .sought = "a", .on_behalf = true};
        struct call *held;

        open_play(&play, *state);
        held = call_start(play.fixture, WAY_ASYNC, "x", SLUICE_WAIT_FOREVER);
        expect_refused(&play);
        end_held(&play);
        call_expect(held, SLUICE_NOT_FOUND, NULL);
        fixture_destroy_cache(play.fixture);
    }
}

/* The inner call has returned, its load goes on: nothing of the outer one waits for it. */
static void rule_17_the_outer_load_waits_for_the_inner_call_only_while_it_lasts(void **state)
{
    struct play play = {.last = 'x', .holds = true};
    struct call *held, *outer;

    open_play(&play, *state);
    outer = call_start(play.fixture, WAY_ASYNC, "w", SLUICE_WAIT_FOREVER);
    held = call_start_spec(play.fixture, &(struct call_spec){.way = WAY_ASYNC,
                                                             .key = "w",
                                                             .timeout_ms = SLUICE_WAIT_FOREVER,
                                                             .parent = atomic_load(&play.held)});
    assert_false(call_done(held));
    assert_non_null(play.outer);
    sluice_load_not_found(play.outer);
    call_expect(outer, SLUICE_NOT_FOUND, NULL);
    call_expect(held, SLUICE_NOT_FOUND, NULL);
    end_held(&play);
    fixture_destroy_cache(play.fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rule_17_a_call_within_another_is_refused_what_the_outer_one_loads),
        FIXTURE_TEST(rule_17_calls_within_each_other_are_a_chain),
        FIXTURE_TEST(rule_17_a_call_within_another_may_wait_for_other_keys),
        FIXTURE_TEST(rule_17_a_circle_that_leads_over_a_call_within_another_is_refused),
        FIXTURE_TEST(rule_17_within_a_call_a_get_on_behalf_of_another_load_waits_for_that_call_too),
        FIXTURE_TEST(rule_17_the_outer_load_waits_for_the_inner_call_only_while_it_lasts),
    };
    FIXTURE_MAIN(tests);
}
