/* SPDX-License-Identifier: MIT */
/* call.c: see call.h. */
#include "call.h"

#include "errand.h"

#include <stdlib.h>

static void take_references(struct sluice_outcome *mine, const struct sluice_outcome *outcome)
{
    *mine = *outcome;
    if (mine->value != NULL)
        sluice_value_ref(mine->value);
    if (mine->reason != NULL)
        sluice_value_ref(mine->reason);
}

/* The outcome is there: in call->outcome if this is the first to come. */
static void arrived(struct call *call)
{
    call->thread = pthread_self();
    call->arrival = atomic_fetch_add(&call->fixture->arrivals, 1);
    if (call->spec.inside != NULL)
        call->spec.inside(call->spec.arg, &call->outcome);
    atomic_fetch_add(&call->outcomes, 1);
}

static void call_callback(void *arg, const struct sluice_outcome *outcome)
{
    struct call *call = arg;
    if (call_done(call)) { /* one too many: the teardown will say so */
        atomic_fetch_add(&call->outcomes, 1);
        return;
    }
    take_references(&call->outcome, outcome);
    arrived(call);
}

static void call_parking(void *arg)
{
    struct call *call = arg;
    atomic_store(&call->parking_ran, true);
}

/* The call's own loader, or NULL; `option` is the room for it. */
static const struct sluice_loader *own_loader(struct call *call, struct sluice_loader *option)
{
    if (call->spec.loader == NULL)
        return NULL;
    *option = gated_loader_option(call->spec.loader);
    return option;
}

static void get_async(void *arg)
{
    struct call *call = arg;
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct sluice_loader own;
    struct sluice_async_get get = {
        .key = call->spec.key,
        .key_size = call->spec.key_size,
        .timeout_ms = call->spec.timeout_ms,
        .loader = own_loader(call, &own),
        .parent = call->spec.parent,
        .callback = call_callback,
        .parking = call_parking,
        .arg = call,
    };
    enum sluice_error error = sluice_get_async(call->fixture->cache, &get, &outcome, &call->wait);
    if (error == SLUICE_PARKED)
        return;
    call->at_once = true;
    call->outcome = outcome;
    call->outcome.error = error;
    arrived(call);
}

static void get_blocking(void *arg)
{
    struct call *call = arg;
    struct sluice_loader own;
    const struct sluice_request request = {
        .key = call->spec.key,
        .key_size = call->spec.key_size,
        .timeout_ms = call->spec.timeout_ms,
        .loader = own_loader(call, &own),
        .parent = call->spec.parent,
    };
    enum sluice_error error = sluice_get_request(call->fixture->cache, &request, &call->outcome);
    call->outcome.error = error;
    arrived(call);
}

struct call *call_start_spec(struct fixture *fixture, const struct call_spec *spec)
{
    struct call *call = calloc(1, sizeof *call);
    assert_non_null(call);
    call->fixture = fixture;
    call->spec = *spec;
    if (call->spec.key_size == 0)
        call->spec.key_size = strlen(spec->key);
    call->outcome = (struct sluice_outcome)SLUICE_OUTCOME_INIT;
    call->next = fixture->calls;
    fixture->calls = call;
    if (spec->way == WAY_BLOCKING)
        call->errand = errand_start(get_blocking, call);
    else if (spec->elsewhere)
        call->errand = errand_start(get_async, call);
    else
        get_async(call);
    return call;
}

struct call *call_start(struct fixture *fixture, enum way way, const char *key, int64_t timeout_ms)
{
    return call_start_spec(fixture, &(struct call_spec){.way = way, .key = key, .timeout_ms = timeout_ms});
}

struct call *call_park(struct fixture *fixture, enum way way, const char *key, int64_t timeout_ms)
{
    struct sluice_stats before = fixture_stats(fixture);
    size_t called = gated_loader_calls_in_all(fixture->loader);
    struct call *call = call_start(fixture, way, key, timeout_ms);
    fixture_await_waiters(fixture, before.waiters + 1);
    if (fixture_stats(fixture).loads > before.loads) /* it leads, and was parked before its loader was called */
        gated_loader_await_calls(fixture->loader, called + 1);
    assert_false(call_done(call));
    return call;
}

bool call_done(struct call *call)
{
    return atomic_load(&call->outcomes) > 0;
}

void call_await(struct call *call)
{
    AWAIT(call_done(call));
}

void call_expect(struct call *call, enum sluice_error error, const char *text)
{
    call_await(call);
    fixture_expect_outcome(&call->outcome, error, text);
}

void call_expect_stale(struct call *call, const char *text, const char *reason)
{
    call_await(call);
    fixture_expect_stale_outcome(&call->outcome, text, reason);
}

bool call_cancel(struct call *call)
{
    bool cancelled = sluice_wait_cancel(call->wait);
    call->cancelled = cancelled;
    return cancelled;
}

bool call_finish(struct call *call)
{
    if (call->errand != NULL) {
        if (!errand_ended(call->errand))
            return false;
        errand_join(call->errand);
        call->errand = NULL;
    }
    int64_t start_ms = await_now_ms();
    while (!call_done(call) && !call->cancelled)
        if (!await_again(start_ms))
            return false;
    return true;
}

void call_free(struct call *call)
{
    sluice_wait_unref(call->wait);
    sluice_outcome_fini(&call->outcome);
    free(call);
}
