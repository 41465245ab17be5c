/* SPDX-License-Identifier: MIT */
/*
 * bulk.c: gets of many keys at once (rule 14). Each key is an asynchronous get of its own, on the one table of flights;
 * a bulk counts the outcomes that are missing. Its start holds one of them, so that nobody completes it before all keys
 * have been looked at and the loader has been called for those that it leads. It takes one lock at a time and waits
 * only once it has done all that others may wait for: two of them can't deadlock.
 *
 *   STARTING   the start holds a missing outcome
 *   WAITING    for the outcomes of its flights; the last one completes it
 *   COMPLETE   told; or cancelled, and never told
 *
 * References: one of whoever completes it, one of the caller's handle, if any.
 */
#include "call.h"
#include "get.h"

#include <stdlib.h>
#include <string.h>

struct sluice_bulk {
    sluice_bulk_callback *callback; /* NULL: blocking */
    void *arg;
    struct park park; /* blocking: where the thread sleeps */
    _Atomic uint32_t refs;
    _Atomic size_t missing;
    atomic_bool cancelled;
    size_t count;
    struct sluice_outcome *outcomes; /* [count]; each written once, before it is no longer missing */
    struct bulk_slot {
        struct sluice_bulk *bulk;
        struct sluice_wait *wait;      /* a reference of one that has parked; the start's until it is over */
        struct sluice_load *overtaken; /* the start's: a flight that it has to call, of another call's chain; or NULL */
    } slots[];
};

/* ---- life -------------------------------------------------------------------------------------------------------- */

static struct sluice_bulk *bulk_create(const struct sluice_bulk_request *request, unsigned refs)
{
    size_t size = sizeof(struct sluice_bulk);
    struct sluice_bulk *bulk;

    if (request->count > (SIZE_MAX - size) / (sizeof(struct bulk_slot) + sizeof(struct sluice_outcome)))
        return NULL;
    size += request->count * (sizeof(struct bulk_slot) + sizeof(struct sluice_outcome));
    bulk = malloc(size);
    if (bulk == NULL)
        return NULL;
    memset(bulk, 0, size);
    bulk->callback = request->callback;
    bulk->arg = request->arg;
    bulk->count = request->count;
    bulk->outcomes = (struct sluice_outcome *)(void *)&bulk->slots[request->count];
    park_init(&bulk->park);
    atomic_init(&bulk->refs, refs);
    atomic_init(&bulk->missing, 1);
    atomic_init(&bulk->cancelled, false);
    return bulk;
}

static void bulk_free(struct sluice_bulk *bulk) FREE_OF_SHARD;
static void bulk_free(struct sluice_bulk *bulk)
{
    for (size_t i = 0; i < bulk->count; i++) {
        sluice_outcome_fini(&bulk->outcomes[i]);
        sluice_wait_unref(bulk->slots[i].wait);
    }
    free(bulk);
}

void sluice_bulk_unref(struct sluice_bulk *bulk)
{
    uint32_t before;

    if (bulk == NULL)
        return;
    before = atomic_fetch_sub_explicit(&bulk->refs, 1, memory_order_acq_rel);
    must(before > 0);
    if (before == 1)
        bulk_free(bulk);
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

/* The last outcome is there. */
static void bulk_complete(struct sluice_bulk *bulk) FREE_OF_SHARD;
static void bulk_complete(struct sluice_bulk *bulk)
{
    if (bulk->callback == NULL) {
        park_release(&bulk->park); /* and with it the bulk: it is the thread's that wakes */
        return;
    }
    if (!atomic_load(&bulk->cancelled))
        bulk->callback(bulk->arg, bulk->outcomes, bulk->count);
    sluice_bulk_unref(bulk);
}

/* So many outcomes are there, or will not come. True: they were the last. */
static bool bulk_lacks_no_more(struct sluice_bulk *bulk, size_t count)
{
    return atomic_fetch_sub_explicit(&bulk->missing, count, memory_order_acq_rel) == count;
}

/* A sluice_callback. */
static void bulk_arrived(void *arg, const struct sluice_outcome *outcome)
{
    struct bulk_slot *slot = arg;
    struct sluice_bulk *bulk = slot->bulk;
    struct sluice_outcome *mine = &bulk->outcomes[slot - bulk->slots];

    *mine = *outcome;
    if (mine->value != NULL)
        sluice_value_ref(mine->value);
    if (mine->reason != NULL)
        sluice_value_ref(mine->reason);
    if (bulk_lacks_no_more(bulk, 1))
        bulk_complete(bulk);
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

/* A bulk that is being started. */
struct bulk_start {
    struct sluice_bulk *bulk;
    struct sluice_cache *cache;
    const struct sluice_bulk_request *request;
    struct sluice_load *parent;
    void (*parking)(void *arg); /* NULL: none, or told already */
    struct call_chain led;
    struct call_chain later; /* in the background */
};

/*
 * As after_run(). A listener that gets a key whose flight this bulk leads must not wait for this thread: it is refused
 * for the flight of this key, and for an earlier one, whose loader has not been called yet, calls it.
 */
static void bulk_run_after(struct bulk_start *start, struct get *get) FREE_OF_SHARD;
static void bulk_run_after(struct bulk_start *start, struct get *get)
{
    if (get->after.led == NULL)
        get->after.led = start->led.first != NULL ? start->led.first : start->later.first;
    after_run(&get->after, get->cache);
}

/* Looks, and parks on a miss. A hit, or an error, is in *outcome. */
static enum sluice_error bulk_look(struct bulk_start *start, struct get *get, struct bulk_slot *slot,
                                   struct sluice_outcome *outcome) FREE_OF_SHARD;
static enum sluice_error bulk_look(struct bulk_start *start, struct get *get, struct bulk_slot *slot,
                                   struct sluice_outcome *outcome)
{
    bool timed = start->bulk->callback != NULL; /* a blocking one may have to load first */
    struct entry *entry;
    enum sluice_error error;
    bool hit;

    lock_acquire(&get->shard->lock);
    hit = get_look_locked(get, &entry, outcome);
    if (!hit && start->parking != NULL) {
        lock_release(&get->shard->lock);
        start->parking(start->request->arg);
        start->parking = NULL;
        lock_acquire(&get->shard->lock);
        hit = get_look_locked(get, &entry, outcome);
    }
    if (hit) {
        lock_release(&get->shard->lock);
        get_run_after_hit(get);
        if (get->refresh != NULL)
            call_chain_add(&start->later, get->refresh);
        return outcome->error;
    }
    error = get_park_async_locked(get, entry, bulk_arrived, slot, 2, timed, &slot->wait);
    lock_release(&get->shard->lock);
    bulk_run_after(start, get);
    return error == SLUICE_PARKED ? error : get_refuse(error, outcome);
}

/* Begins the get of one key. Its outcome is there, or missing. */
static void bulk_begin(struct bulk_start *start, size_t i) FREE_OF_SHARD;
static void bulk_begin(struct bulk_start *start, size_t i)
{
    struct sluice_bulk *bulk = start->bulk;
    struct bulk_slot *slot = &bulk->slots[i];
    struct sluice_outcome *outcome = &bulk->outcomes[i];
    const struct sluice_request request = {
        .key = start->request->keys[i].data,
        .key_size = start->request->keys[i].size,
        .timeout_ms = start->request->timeout_ms,
        .loader = start->request->loader,
        .parent = start->parent,
    };
    struct get get;
    enum sluice_error error = get_init(&get, start->cache, &request);

    slot->bulk = bulk;
    if (error != SLUICE_OK) {
        (void)get_reject(start->cache, error, outcome);
        return;
    }
    get.blocks = bulk->callback == NULL;
    atomic_fetch_add_explicit(&bulk->missing, 1, memory_order_relaxed); /* it may come before this call is over */
    error = bulk_look(start, &get, slot, outcome);
    if (error == SLUICE_PARKED && get.parent != NULL && get_is_circular(&get, slot->wait)) {
        sluice_wait_unref(slot->wait); /* the cache's */
        error = get_refuse(SLUICE_CIRCULAR, outcome);
    }
    if (error != SLUICE_PARKED)
        (void)bulk_lacks_no_more(bulk, 1); /* never the last: the start's own is missing */
    if (get.led != NULL && get.overtakes)
        slot->overtaken = get.led;
    else if (get.led != NULL) /* where an old value may be taken meanwhile, this thread is not held */
        call_chain_add(get.patient && get_calls_later(&get) ? &start->later : &start->led, get.led);
}

/* A slot's time runs from now; with none, it is over. */
static void bulk_time(struct bulk_start *start, struct bulk_slot *slot, int64_t due_ms) FREE_OF_SHARD;
static void bulk_time(struct bulk_start *start, struct bulk_slot *slot, int64_t due_ms)
{
    struct sluice_wait *wait = slot->wait;
    struct after after;

    if (start->request->timeout_ms == 0) {
        if (get_leave(slot->wait, SLUICE_TIMED_OUT)) {
            struct sluice_outcome *outcome = &start->bulk->outcomes[slot - start->bulk->slots];

            (void)get_refuse(SLUICE_TIMED_OUT, outcome);
            outcome->source = SLUICE_SOURCE_LOAD;
            (void)bulk_lacks_no_more(start->bulk, 1);
            sluice_wait_unref(slot->wait); /* the cache's */
        }
        return;
    }
    after_init(&after);
    lock_acquire(&wait->shard->lock);
    if (wait->locked.state == WAITER_PARKED)
        flight_set_deadline_locked(wait->flight, wait, due_ms, &after);
    lock_release(&wait->shard->lock);
    after_run(&after, start->cache);
}

/* Whether the times of the slots are still to be set once the loader has returned. */
static bool bulk_is_untimed(const struct bulk_start *start)
{
    return start->request->timeout_ms == 0 ||
           (start->bulk->callback == NULL && start->request->timeout_ms != SLUICE_WAIT_FOREVER);
}

/*
 * Does all that the bulk does before it waits. True: nothing is missing. The parent may end meanwhile; those that have
 * parked hold it themselves.
 */
static bool bulk_run(struct bulk_start *start) FREE_OF_SHARD;
static bool bulk_run(struct bulk_start *start)
{
    struct sluice_bulk *bulk = start->bulk;

    if (start->parent != NULL)
        flight_ref(start->parent);
    for (size_t i = 0; i < bulk->count; i++)
        bulk_begin(start, i);
    call_load_later(&start->later);
    call_load_chain(&start->led);
    for (size_t i = 0; i < bulk->count; i++) {
        if (bulk->slots[i].overtaken != NULL)
            call_overtake(bulk->slots[i].overtaken);
    }
    if (bulk_is_untimed(start)) {
        int64_t due_ms = clock_after_ms(clock_now_ms(&start->cache->options.clock), start->request->timeout_ms);

        for (size_t i = 0; i < bulk->count; i++) {
            if (bulk->slots[i].wait != NULL)
                bulk_time(start, &bulk->slots[i], due_ms);
        }
    }
    if (start->parent != NULL)
        flight_unref(start->parent);
    return bulk_lacks_no_more(bulk, 1);
}

static void bulk_start_init(struct bulk_start *start, struct sluice_cache *cache,
                            const struct sluice_bulk_request *request, struct sluice_bulk *bulk)
{
    start->bulk = bulk;
    start->cache = cache;
    start->request = request;
    start->parent = request->parent;
    start->parking = bulk->callback == NULL ? NULL : request->parking;
    call_chain_init(&start->led);
    call_chain_init(&start->later);
}

static enum sluice_error bulk_refuse(const struct sluice_bulk_request *request, struct sluice_outcome *outcomes)
{
    for (size_t i = 0; i < request->count; i++)
        (void)get_refuse(SLUICE_NO_MEMORY, &outcomes[i]);
    return SLUICE_NO_MEMORY;
}

/* Hands the outcomes to the caller. */
static void bulk_hand_over(struct sluice_bulk *bulk, struct sluice_outcome *outcomes)
{
    static const struct sluice_outcome empty = SLUICE_OUTCOME_INIT;

    for (size_t i = 0; i < bulk->count; i++) {
        outcomes[i] = bulk->outcomes[i];
        bulk->outcomes[i] = empty;
    }
}

/* ---- public ------------------------------------------------------------------------------------------------------ */

enum sluice_error sluice_get_many_request(struct sluice_cache *cache, const struct sluice_bulk_request *request,
                                          struct sluice_outcome *outcomes)
{
    struct sluice_bulk_request blocking = *request;
    struct bulk_start start;
    struct sluice_bulk *bulk;

    if (ticker_is_deep(&cache->ticker))
        blocking.timeout_ms = 0;
    blocking.callback = NULL;
    bulk = bulk_create(&blocking, 1);
    if (bulk == NULL)
        return bulk_refuse(request, outcomes);
    bulk_start_init(&start, cache, &blocking, bulk);
    if (start.parent == NULL)
        start.parent = call_current();
    if (!bulk_run(&start))
        ticker_park(&cache->ticker, &bulk->park); /* from here on the cache may be gone */
    bulk_hand_over(bulk, outcomes);
    bulk_free(bulk);
    return SLUICE_OK;
}

enum sluice_error sluice_get_many(struct sluice_cache *cache, const struct sluice_key *keys, size_t count,
                                  int64_t timeout_ms, struct sluice_outcome *outcomes)
{
    const struct sluice_bulk_request request = {.keys = keys, .count = count, .timeout_ms = timeout_ms};

    return sluice_get_many_request(cache, &request, outcomes);
}

void sluice_get_many_if_present(struct sluice_cache *cache, const struct sluice_key *keys, size_t count,
                                struct sluice_outcome *outcomes)
{
    for (size_t i = 0; i < count; i++)
        outcomes[i].error = sluice_get_if_present(cache, keys[i].data, keys[i].size, &outcomes[i]);
}

enum sluice_error sluice_get_many_async(struct sluice_cache *cache, const struct sluice_bulk_request *request,
                                        struct sluice_outcome *outcomes, struct sluice_bulk **handle)
{
    struct sluice_bulk *bulk = bulk_create(request, 2);
    struct bulk_start start;

    if (handle != NULL)
        *handle = NULL;
    if (bulk == NULL)
        return bulk_refuse(request, outcomes);
    bulk_start_init(&start, cache, request, bulk);
    /* Before the callback can run, so that it can already find it. */
    if (handle != NULL)
        *handle = bulk;
    if (!bulk_run(&start)) {
        if (handle == NULL)
            sluice_bulk_unref(bulk);
        return SLUICE_PARKED;
    }
    if (handle != NULL)
        *handle = NULL;
    bulk_hand_over(bulk, outcomes);
    bulk_free(bulk);
    return SLUICE_OK;
}

bool sluice_bulk_cancel(struct sluice_bulk *bulk)
{
    size_t left = 0;

    for (size_t i = 0; i < bulk->count; i++) {
        if (bulk->slots[i].wait != NULL && sluice_wait_cancel(bulk->slots[i].wait))
            left++;
    }
    if (left == 0)
        return false;
    /* What this call let leave is still missing, so that nobody can have completed it. */
    atomic_store(&bulk->cancelled, true);
    if (bulk_lacks_no_more(bulk, left))
        bulk_complete(bulk);
    return true;
}
