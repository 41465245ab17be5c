/* SPDX-License-Identifier: MIT */
/* bulk_call.c: see bulk_call.h. */
#include "bulk_call.h"

#include "errand.h"

#include <stdlib.h>

static void bulk_callback(void *arg, const struct sluice_outcome *outcomes, size_t count)
{
    struct bulk_call *bulk = arg;
    if (atomic_load(&bulk->ends) == 0)
        for (size_t i = 0; i < count; i++) {
            bulk->outcomes[i] = outcomes[i];
            if (outcomes[i].value != NULL)
                sluice_value_ref(outcomes[i].value);
            if (outcomes[i].reason != NULL)
                sluice_value_ref(outcomes[i].reason);
        }
    atomic_fetch_add(&bulk->ends, 1);
}

static void bulk_parking(void *arg)
{
    struct bulk_call *bulk = arg;
    bulk->parking_ran = true;
}

static struct sluice_bulk_request bulk_request(struct bulk_call *bulk)
{
    return (struct sluice_bulk_request){
        .keys = bulk->keys,
        .count = bulk->count,
        .timeout_ms = bulk->timeout_ms,
        .parent = bulk->parent,
        .callback = bulk_callback,
        .parking = bulk_parking,
        .arg = bulk,
    };
}

static void get_blocking(void *arg)
{
    struct bulk_call *bulk = arg;
    const struct sluice_bulk_request request = bulk_request(bulk);
    bulk->error = sluice_get_many_request(bulk->fixture->cache, &request, bulk->outcomes);
    atomic_fetch_add(&bulk->ends, 1);
}

static void get_async(struct bulk_call *bulk)
{
    const struct sluice_bulk_request request = bulk_request(bulk);
    struct sluice_outcome outcomes[BULK_KEYS_MAX];
    bulk->error = sluice_get_many_async(bulk->fixture->cache, &request, outcomes, &bulk->handle);
    if (bulk->error == SLUICE_PARKED)
        return;
    memcpy(bulk->outcomes, outcomes, bulk->count * sizeof outcomes[0]);
    atomic_fetch_add(&bulk->ends, 1);
}

struct bulk_call *bulk_start_for(struct fixture *fixture, enum way way, const char *keys, int64_t timeout_ms,
                                 struct sluice_load *parent)
{
    struct bulk_call *bulk = calloc(1, sizeof *bulk);
    assert_non_null(bulk);
    bulk->fixture = fixture;
    bulk->way = way;
    bulk->timeout_ms = timeout_ms;
    bulk->parent = parent;
    while (*keys != '\0') {
        size_t size = strcspn(keys, " ");
        assert_true(bulk->count < BULK_KEYS_MAX);
        bulk->keys[bulk->count++] = (struct sluice_key){keys, size};
        keys += size + (keys[size] == ' ');
    }
    if (way == WAY_BLOCKING)
        bulk->errand = errand_start(get_blocking, bulk);
    else
        get_async(bulk);
    return bulk;
}

struct bulk_call *bulk_start(struct fixture *fixture, enum way way, const char *keys, int64_t timeout_ms)
{
    return bulk_start_for(fixture, way, keys, timeout_ms, NULL);
}

struct bulk_call *bulk_park(struct fixture *fixture, enum way way, const char *keys, size_t waiters)
{
    uint64_t before = fixture_stats(fixture).waiters;
    struct bulk_call *bulk = bulk_start(fixture, way, keys, SLUICE_WAIT_FOREVER);
    fixture_await_waiters(fixture, before + waiters);
    assert_false(bulk_done(bulk));
    return bulk;
}

bool bulk_done(struct bulk_call *bulk)
{
    return atomic_load(&bulk->ends) > 0;
}

void bulk_expect(struct bulk_call *bulk, size_t i, enum sluice_error error, const char *text)
{
    AWAIT(bulk_done(bulk));
    fixture_expect_outcome(&bulk->outcomes[i], error, text);
}

void bulk_free(struct bulk_call *bulk)
{
    if (bulk->errand != NULL) {
        assert_true(errand_ended(bulk->errand));
        errand_join(bulk->errand);
    }
    assert_true(atomic_load(&bulk->ends) <= 1);
    if (bulk->error == SLUICE_PARKED)
        assert_true(bulk->parking_ran);
    for (size_t i = 0; i < bulk->count; i++)
        sluice_outcome_fini(&bulk->outcomes[i]);
    sluice_bulk_unref(bulk->handle);
    free(bulk);
}
