/* SPDX-License-Identifier: MIT */
/*
 * sqlite_wait_test.c: the sqlite backend where a load takes time: threads and queue, long queries and how they are
 * broken off, locked databases, the end.
 */
#include "sqlite_fixture.h"

#include "fake_clock.h"

/* Short enough to wait for. */
enum { SHORT_TIMEOUT_MS = 100 };

/* ---- threads and queue ------------------------------------------------------------------------------------------- */

static void rule_10_queries_run_on_as_many_connections_as_set_then_queue_then_are_refused(void **state)
{
    static const char *const KEYS[] = {"a", "b", "c", "d", "e"};
    struct sqlite_fixture *fixture = *state;
    struct loader_call *calls[COUNT_OF(KEYS)];
    struct backend_stats stats;

    fixture->options.max_concurrent = 2;
    fixture->options.queue_max = 3;
    sqlite_fixture_open(fixture, "SELECT gate(?)");
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        calls[i] = loader_begin(&fixture->loader, KEYS[i]);
    AWAIT(sqlite_gate_waiting() == 2);
    stats = loader_stats(&fixture->loader);
    assert_int_equal(stats.running, 2);
    assert_int_equal(stats.running_max, 2);
    assert_int_equal(stats.queued, 3);
    assert_int_equal(stats.queued_max, 3);
    loader_expect_error(&fixture->loader, "f", SLUICE_LOAD_REFUSED,
                        "the sqlite backend is busy: 2 loads run and 3 wait");

    sqlite_gate_open();
    for (size_t i = 0; i < COUNT_OF(KEYS); i++)
        loader_await(calls[i], SLUICE_OK, KEYS[i]);
    assert_int_equal(sqlite_gate_waiting_max(), 2);
    AWAIT(loader_stats(&fixture->loader).running == 0);
    loader_expect(&fixture->loader, "f", "f");
}

static void rule_1_a_herd_on_one_key_is_one_query(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct loader_call *calls[LOADER_CALLS_MAX];

    sqlite_fixture_open(fixture, "SELECT mark() || gate(?)");
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        calls[i] = loader_begin(&fixture->loader, "k");
    AWAIT(sqlite_gate_waiting() == 1);
    sqlite_gate_open();
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        loader_await(calls[i], SLUICE_OK, "1k");
    assert_int_equal(sqlite_marks(), 1);
}

/* ---- long queries ------------------------------------------------------------------------------------------------ */

/* The one connection there is runs again. */
static void expect_connection_free(struct sqlite_fixture *fixture)
{
    AWAIT(loader_stats(&fixture->loader).running == 0);
    loader_expect(&fixture->loader, "next", "next");
}

static void a_query_over_its_timeout_is_broken_off(void **state)
{
    struct sqlite_fixture *fixture = *state;
    int64_t start_ms;

    fixture->options.max_concurrent = 1;
    fixture->options.timeout_ms = SHORT_TIMEOUT_MS;
    sqlite_fixture_open(fixture, ENDLESS_QUERY);
    start_ms = await_now_ms();
    loader_expect_error(&fixture->loader, "endless", SLUICE_LOAD_TIMED_OUT, "no answer within 100 ms; ");
    assert_true(await_now_ms() - start_ms >= SHORT_TIMEOUT_MS);
    assert_int_equal(sqlite_marks(), 1);
    expect_connection_free(fixture);
}

static void rule_4_a_query_that_a_put_overtook_is_broken_off(void **state)
{
    const struct sluice_content content = {.data = "put", .size = 3, .ttl_ms = SLUICE_TTL_DEFAULT};
    struct sqlite_fixture *fixture = *state;
    struct loader_call *call;

    fixture->options.max_concurrent = 1;
    sqlite_fixture_open(fixture, ENDLESS_QUERY);
    call = loader_begin(&fixture->loader, "endless");
    AWAIT(sqlite_marks() == 1);
    assert_int_equal(sluice_put(fixture->loader.cache, "endless", 7, &content), SLUICE_OK);
    loader_await(call, SLUICE_OK, "put");
    expect_connection_free(fixture);
    loader_expect(&fixture->loader, "endless", "put");
}

static void rule_8_a_query_past_the_deadline_of_its_load_is_broken_off(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct fake_clock clock;
    struct loader_call *call;

    fake_clock_init(&clock);
    fixture->loader.cache_options.clock = fake_clock_option(&clock);
    fixture->loader.cache_options.load_timeout_ms = 1000;
    fixture->options.max_concurrent = 1;
    sqlite_fixture_open(fixture, ENDLESS_QUERY);
    call = loader_begin(&fixture->loader, "endless");
    AWAIT(sqlite_marks() == 1);
    fake_clock_advance(&clock, 999);
    sluice_cache_tick(fixture->loader.cache);
    assert_false(atomic_load(&call->done));
    fake_clock_advance(&clock, 1);
    sluice_cache_tick(fixture->loader.cache);
    loader_await(call, SLUICE_LOAD_TIMED_OUT, NULL);
    expect_connection_free(fixture);
    loader_fixture_close(&fixture->loader); /* before the clock goes */
}

static void rule_3_the_query_of_a_detached_load_goes_on_for_those_who_wait(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct loader_call *before, *after;

    sqlite_fixture_insert(fixture, "k", "old");
    sqlite_fixture_open(fixture, "SELECT gate(value) FROM data WHERE key = ?");
    before = loader_begin(&fixture->loader, "k");
    AWAIT(sqlite_gate_waiting() == 1);
    loader_forget(&fixture->loader, "k");
    after = loader_begin(&fixture->loader, "k");
    AWAIT(sqlite_gate_waiting() == 2);
    sqlite_gate_open();
    loader_await(before, SLUICE_OK, "old");
    loader_await(after, SLUICE_OK, "old");
}

/* ---- locked databases -------------------------------------------------------------------------------------------- */

static void a_locked_database_is_waited_for(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct loader_call *call;

    sqlite_fixture_insert(fixture, "k", "v");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    sqlite_fixture_run(fixture, "BEGIN EXCLUSIVE; UPDATE data SET value = 'new'");
    call = loader_begin(&fixture->loader, "k");
    AWAIT(loader_stats(&fixture->loader).running == 1);
    assert_false(atomic_load(&call->done));
    sqlite_fixture_run(fixture, "COMMIT");
    loader_await(call, SLUICE_OK, "new");
}

static void a_database_locked_for_too_long_times_the_load_out(void **state)
{
    struct sqlite_fixture *fixture = *state;
    int64_t start_ms;

    fixture->options.timeout_ms = SHORT_TIMEOUT_MS;
    sqlite_fixture_insert(fixture, "k", "v");
    sqlite_fixture_open(fixture, VALUE_QUERY);
    sqlite_fixture_run(fixture, "BEGIN EXCLUSIVE");
    start_ms = await_now_ms();
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_TIMED_OUT, "no answer within 100 ms; ");
    loader_expect_error(&fixture->loader, "k", SLUICE_LOAD_TIMED_OUT, "database is locked");
    assert_true(await_now_ms() - start_ms >= 2 * SHORT_TIMEOUT_MS);
    sqlite_fixture_run(fixture, "COMMIT");
    loader_expect(&fixture->loader, "k", "v");
}

static void a_database_locked_while_the_backend_is_made_is_a_fault_in_time(void **state)
{
    struct sqlite_fixture *fixture = *state;

    fixture->options.timeout_ms = SHORT_TIMEOUT_MS;
    sqlite_fixture_run(fixture, "BEGIN EXCLUSIVE");
    sqlite_fixture_expect_fault(fixture, "/database\": database is locked");
    sqlite_fixture_run(fixture, "COMMIT");
    sqlite_fixture_open(fixture, VALUE_QUERY);
}

struct writing {
    struct sqlite_fixture *fixture;
    int code; /* what the write came to */
    atomic_bool done;
};

/* Called by the backend's thread while it ends the load; the test's own thread does nothing meanwhile. */
static void write_from_callback(void *arg, const struct sluice_outcome *outcome)
{
    struct writing *writing = arg;

    (void)outcome;
    writing->code = sqlite3_exec(writing->fixture->writer, "UPDATE data SET value = 'new'", NULL, NULL, NULL);
    atomic_store(&writing->done, true);
}

static void a_callback_finds_the_database_free(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct writing writing = {.fixture = fixture, .code = -1};
    struct sluice_async_get get = {
        .key = "k", .key_size = 1, .timeout_ms = SLUICE_WAIT_FOREVER, .callback = write_from_callback, .arg = &writing};
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;

    sqlite_fixture_insert(fixture, "k", "old");
    sqlite3_busy_timeout(fixture->writer, 0); /* so that whoever holds a lock at that moment is in its way */
    sqlite_fixture_open(fixture, "SELECT gate(value) FROM data WHERE key = ?");
    assert_int_equal(sluice_get_async(fixture->loader.cache, &get, &outcome, NULL), SLUICE_PARKED);
    sqlite_gate_open();
    AWAIT(atomic_load(&writing.done));
    assert_int_equal(writing.code, SQLITE_OK);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void destroy_breaks_off_the_running_query_and_ends_the_queued_loads(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct loader_call *running, *queued[2];

    fixture->options.max_concurrent = 1;
    sqlite_fixture_open(fixture, ENDLESS_QUERY);
    running = loader_begin(&fixture->loader, "endless");
    AWAIT(sqlite_marks() == 1);
    queued[0] = loader_begin(&fixture->loader, "a");
    queued[1] = loader_begin(&fixture->loader, "b");
    loader_fixture_close_backend_first(&fixture->loader);
    loader_await(running, SLUICE_LOAD_FAILED, "the query was broken off, the sqlite backend is being closed");
    loader_await(queued[0], SLUICE_LOAD_FAILED, "the sqlite backend is being closed");
    loader_await(queued[1], SLUICE_LOAD_FAILED, "the sqlite backend is being closed");
}

static void rule_18_a_closed_cache_leaves_queries_that_destroy_breaks_off(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct loader_call *running, *queued;

    fixture->options.max_concurrent = 1;
    sqlite_fixture_open(fixture, ENDLESS_QUERY);
    running = loader_begin(&fixture->loader, "endless");
    AWAIT(sqlite_marks() == 1);
    queued = loader_begin(&fixture->loader, "a");
    loader_fixture_close(&fixture->loader);
    loader_await(running, SLUICE_CLOSED, NULL);
    loader_await(queued, SLUICE_CLOSED, NULL);
}

static void destroy_does_not_wait_for_a_locked_database(void **state)
{
    struct sqlite_fixture *fixture = *state;
    struct loader_call *call;

    sqlite_fixture_open(fixture, VALUE_QUERY);
    sqlite_fixture_run(fixture, "BEGIN EXCLUSIVE");
    call = loader_begin(&fixture->loader, "k");
    AWAIT(loader_stats(&fixture->loader).running == 1);
    loader_fixture_close_backend_first(&fixture->loader);
    loader_await(call, SLUICE_LOAD_FAILED, "the sqlite backend is being closed");
    sqlite_fixture_run(fixture, "COMMIT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(rule_10_queries_run_on_as_many_connections_as_set_then_queue_then_are_refused),
        SQLITE_TEST(rule_1_a_herd_on_one_key_is_one_query),
        SQLITE_TEST(a_query_over_its_timeout_is_broken_off),
        SQLITE_TEST(rule_4_a_query_that_a_put_overtook_is_broken_off),
        SQLITE_TEST(rule_8_a_query_past_the_deadline_of_its_load_is_broken_off),
        SQLITE_TEST(rule_3_the_query_of_a_detached_load_goes_on_for_those_who_wait),
        SQLITE_TEST(a_locked_database_is_waited_for),
        SQLITE_TEST(a_database_locked_for_too_long_times_the_load_out),
        SQLITE_TEST(a_database_locked_while_the_backend_is_made_is_a_fault_in_time),
        SQLITE_TEST(a_callback_finds_the_database_free),
        SQLITE_TEST(destroy_breaks_off_the_running_query_and_ends_the_queued_loads),
        SQLITE_TEST(rule_18_a_closed_cache_leaves_queries_that_destroy_breaks_off),
        SQLITE_TEST(destroy_does_not_wait_for_a_locked_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
