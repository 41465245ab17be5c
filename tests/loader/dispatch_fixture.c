/* SPDX-License-Identifier: MIT */
/* dispatch_fixture.c: see dispatch_fixture.h. */
#include "dispatch_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool gate_init(void *self, void **state, struct backend_fault *fault)
{
    struct dispatch_fixture *fixture = self;

    fixture->inits++;
    if (fixture->inits == fixture->init_fails_at)
        return backend_fault_set(fault, "state %zu can't be made", fixture->inits);
    *state = fixture;
    return true;
}

static void gate_fini(void *state)
{
    struct dispatch_fixture *fixture = state;

    fixture->finis++;
}

static void gate_destroy(void *self)
{
    struct dispatch_fixture *fixture = self;

    fixture->destroys++;
}

static void gate_interrupt(void *state)
{
    struct dispatch_fixture *fixture = state;

    pthread_mutex_lock(&fixture->mutex);
    fixture->interrupts++;
    fixture->interrupted = true;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

/* The value is the key. */
static void gate_load(void *state, struct sluice_load *load)
{
    struct dispatch_fixture *fixture = state;
    struct sluice_content content = SLUICE_CONTENT_INIT;
    bool interrupted;

    pthread_mutex_lock(&fixture->mutex);
    if (fixture->begun_count < KEYS_MAX)
        memcpy(fixture->begun[fixture->begun_count], sluice_load_key(load), sluice_load_key_size(load));
    fixture->begun_count++;
    fixture->inside++;
    if (fixture->inside > fixture->inside_max)
        fixture->inside_max = fixture->inside;
    pthread_cond_broadcast(&fixture->changed);
    while (!fixture->open && fixture->passes == 0 && !fixture->interrupted)
        pthread_cond_wait(&fixture->changed, &fixture->mutex);
    interrupted = !fixture->open && fixture->passes == 0;
    if (!fixture->open && fixture->passes > 0)
        fixture->passes--;
    fixture->inside--;
    pthread_mutex_unlock(&fixture->mutex);

    content.data = sluice_load_key(load);
    content.size = sluice_load_key_size(load);
    if (interrupted)
        sluice_load_fail(load, "interrupted");
    else
        sluice_load_complete(load, &content);
}

int dispatch_fixture_setup(void **state)
{
    struct dispatch_fixture *fixture = calloc(1, sizeof *fixture);

    if (fixture == NULL)
        return -1;
    fake_clock_init(&fixture->clock);
    fixture->cache_options = (struct sluice_options)SLUICE_OPTIONS_INIT;
    fixture->cache_options.clock = fake_clock_option(&fixture->clock);
    fixture->options.kind = "gated";
    fixture->options.work = (struct dispatch_work){
        .init = gate_init,
        .fini = gate_fini,
        .load = gate_load,
        .interrupt = gate_interrupt,
        .destroy = gate_destroy,
        .self = fixture,
    };
    fixture->destroys_cache_first = true;
    pthread_mutex_init(&fixture->mutex, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    *state = fixture;
    return 0;
}

int dispatch_fixture_teardown(void **state)
{
    struct dispatch_fixture *fixture = *state;

    if (fixture->cache != NULL)
        dispatch_fixture_close(fixture);
    pthread_cond_destroy(&fixture->changed);
    pthread_mutex_destroy(&fixture->mutex);
    free(fixture);
    return 0;
}

void dispatch_fixture_open(struct dispatch_fixture *fixture, size_t threads, size_t queue_max)
{
    struct backend_fault fault;

    fixture->options.threads = threads;
    fixture->options.queue_max = queue_max;
    if (!dispatch_create(&fixture->options, &fixture->backend, &fault))
        fail_msg("%s", fault.text);
    fixture->cache_options.loader = fixture->backend.loader;
    assert_int_equal(sluice_cache_create(&fixture->cache_options, &fixture->cache), SLUICE_OK);
}

void dispatch_fixture_close(struct dispatch_fixture *fixture)
{
    struct sluice_stats stats;

    if (fixture->destroys_cache_first)
        sluice_cache_close(fixture->cache);
    fixture->backend.destroy(fixture->backend.self);
    sluice_cache_stats(fixture->cache, &stats);
    sluice_cache_destroy(fixture->cache);
    fixture->cache = NULL;

    assert_int_equal(stats.loads_in_flight, 0);
    assert_int_equal(stats.waiters, 0);
    assert_int_equal(fixture->inits, fixture->options.threads);
    assert_int_equal(fixture->finis, fixture->inits);
    assert_int_equal(fixture->interrupts, fixture->inits);
    assert_int_equal(fixture->destroys, 1);
    for (size_t i = 0; i < fixture->gets_count; i++)
        assert_true(fixture->gets[i].done);
}

static void get_keep(struct get *get, const struct sluice_outcome *outcome)
{
    get->error = outcome->error;
    snprintf(get->text, sizeof get->text, "%s",
             outcome->error == SLUICE_OK ? (const char *)sluice_value_data(outcome->value)
                                         : sluice_outcome_reason(outcome));
    get->thread = pthread_self();
    atomic_store(&get->done, true);
}

static void get_begin(struct get *get);

static void get_callback(void *arg, const struct sluice_outcome *outcome)
{
    struct get *get = arg;

    if (get->again != NULL) {
        struct get *next = &get->fixture->gets[get->fixture->gets_count++];

        snprintf(next->key, sizeof next->key, "%s", get->again);
        next->fixture = get->fixture;
        get_begin(next);
    }
    get_keep(get, outcome);
}

static void get_begin(struct get *get)
{
    struct sluice_async_get async = {
        .key = get->key,
        .key_size = strlen(get->key),
        .timeout_ms = SLUICE_WAIT_FOREVER,
        .callback = get_callback,
        .arg = get,
    };
    struct sluice_outcome outcome;

    if (sluice_get_async(get->fixture->cache, &async, &outcome, NULL) != SLUICE_PARKED) {
        get_keep(get, &outcome);
        sluice_outcome_fini(&outcome);
    }
}

struct get *get_start(struct dispatch_fixture *fixture, const char *key)
{
    struct get *get = &fixture->gets[fixture->gets_count++];

    assert_true(fixture->gets_count <= KEYS_MAX);
    assert_true(strlen(key) <= KEY_SIZE_MAX);
    get->fixture = fixture;
    strcpy(get->key, key);
    get_begin(get);
    return get;
}

void get_expect(struct get *get, enum sluice_error error)
{
    AWAIT(atomic_load(&get->done));
    if (get->error != error)
        fail_msg("key %s: expected \"%s\", got \"%s\" (%s)", get->key, sluice_strerror(error),
                 sluice_strerror(get->error), get->text);
    if (error == SLUICE_OK)
        assert_string_equal(get->text, get->key);
}

void gate_pass(struct dispatch_fixture *fixture, size_t count)
{
    pthread_mutex_lock(&fixture->mutex);
    fixture->passes += count;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

void gate_open(struct dispatch_fixture *fixture)
{
    pthread_mutex_lock(&fixture->mutex);
    fixture->open = true;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

size_t gate_begun(struct dispatch_fixture *fixture)
{
    size_t begun;

    pthread_mutex_lock(&fixture->mutex);
    begun = fixture->begun_count;
    pthread_mutex_unlock(&fixture->mutex);
    return begun;
}

void gate_await_begun(struct dispatch_fixture *fixture, size_t count)
{
    AWAIT(gate_begun(fixture) >= count);
    assert_int_equal(gate_begun(fixture), count);
}

struct backend_stats stats_of(struct dispatch_fixture *fixture)
{
    struct backend_stats stats;

    fixture->backend.stats(fixture->backend.self, &stats);
    return stats;
}
