/* SPDX-License-Identifier: MIT */
/* matrix_events.c: what can happen to a key. A new row adds all its cells. */
#include "matrix.h"

static void nothing(struct matrix_run *run)
{
    (void)run;
}

/* ---- invalidations ----------------------------------------------------------------------------------------------- */

static void invalidate(struct matrix_run *run, enum sluice_selection select, bool soft, bool counted)
{
    static const struct sluice_key keys[] = {{"no such key", 11}, {MATRIX_KEY, sizeof MATRIX_KEY - 1}};
    struct sluice_invalidation what = {.select = select, .soft = soft};

    if (select == SLUICE_SELECT_KEYS) {
        what.keys = keys;
        what.count = COUNT_OF(keys);
    } else if (select == SLUICE_SELECT_PREFIX) {
        what.pattern = (struct sluice_key){"ke", 2};
    } else if (select == SLUICE_SELECT_TAG) {
        what.pattern = (struct sluice_key){MATRIX_TAG, sizeof MATRIX_TAG - 1};
    }
    run->counted = counted;
    sluice_invalidate_by(run->fixture->cache, &what, counted ? &run->gone : NULL);
}

static void invalidate_key(struct matrix_run *run)
{
    run->counted = true;
    run->gone = fixture_invalidate(run->fixture, INVALIDATION_KEY, MATRIX_KEY);
}

static void invalidate_keys(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_KEYS, false, true);
}

static void invalidate_prefix(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_PREFIX, false, true);
}

static void invalidate_prefix_later(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_PREFIX, false, false);
}

static void invalidate_tag(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_TAG, false, true);
}

static void invalidate_tag_later(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_TAG, false, false);
}

static void invalidate_all(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_ALL, false, true);
}

static bool is_the_key(void *arg, const struct sluice_entry_view *entry)
{
    (void)arg;
    return entry->key_size == sizeof MATRIX_KEY - 1 && memcmp(entry->key, MATRIX_KEY, entry->key_size) == 0;
}

static void invalidate_chosen(struct matrix_run *run)
{
    run->counted = true;
    run->error = sluice_invalidate_if(run->fixture->cache, is_the_key, NULL, &run->gone);
}

static void soften_key(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_KEYS, true, true);
}

static void soften_prefix(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_PREFIX, true, true);
}

static void soften_tag(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_TAG, true, true);
}

static void soften_all(struct matrix_run *run)
{
    invalidate(run, SLUICE_SELECT_ALL, true, true);
}

/* ---- puts -------------------------------------------------------------------------------------------------------- */

static void put(struct matrix_run *run)
{
    struct sluice_content content = matrix_content(matrix_text(ANSWER_PUT), SLUICE_TTL_DEFAULT);
    run->error = sluice_put(run->fixture->cache, MATRIX_KEY, sizeof MATRIX_KEY - 1, &content);
}

static void put_transient(struct matrix_run *run)
{
    struct sluice_content content = matrix_content(matrix_text(ANSWER_PUT), 0);
    run->error = sluice_put(run->fixture->cache, MATRIX_KEY, sizeof MATRIX_KEY - 1, &content);
}

static void put_if(struct matrix_run *run, enum sluice_condition condition)
{
    struct sluice_content content = matrix_content(matrix_text(ANSWER_PUT), SLUICE_TTL_DEFAULT);
    run->error = sluice_put_if(run->fixture->cache, MATRIX_KEY, sizeof MATRIX_KEY - 1, &content, condition, NULL, NULL);
}

static void put_if_absent(struct matrix_run *run)
{
    put_if(run, SLUICE_IF_ABSENT);
}

static void put_if_present(struct matrix_run *run)
{
    put_if(run, SLUICE_IF_PRESENT);
}

/* ---- time and room ----------------------------------------------------------------------------------------------- */

static void expire(struct matrix_run *run)
{
    fixture_advance(run->fixture, MATRIX_TTL_MS + MATRIX_STALE_MS);
}

/* Of two entries the one that is not being stored is evicted. */
static void evict(struct matrix_run *run)
{
    assert_int_equal(sluice_cache_set_maximum(run->fixture->cache, 1), SLUICE_OK);
    fixture_put(run->fixture, "filler", "filler");
    assert_int_equal(sluice_cache_set_maximum(run->fixture->cache, MATRIX_ENTRIES_MAX), SLUICE_OK);
}

/* ---- of those who wait ------------------------------------------------------------------------------------------- */

static struct matrix_party *leaver(struct matrix_run *run)
{
    bool led = run->cell.way->leader != LEADER_NONE;

    if (run->cell.event->leaver == LEAVER_LEADER)
        return &run->parked[0];
    return &run->parked[(led ? 1 : 0) + (run->cell.event->leaver == LEAVER_BLOCKING_FOLLOWER ? 1 : 0)];
}

static void cancel(struct matrix_run *run)
{
    struct matrix_party *party = leaver(run);

    run->said = party->call != NULL ? call_cancel(party->call) : sluice_bulk_cancel(run->bulk->handle);
    party->left = run->said;
}

static void wait_too_long(struct matrix_run *run)
{
    if (run->cell.when != WHEN_AFTER)
        leaver(run)->left = true;
    fixture_advance(run->fixture, MATRIX_WAIT_MS);
}

/* ---- of the load ------------------------------------------------------------------------------------------------- */

static void load_too_long(struct matrix_run *run)
{
    fixture_advance(run->fixture, MATRIX_LOAD_TIMEOUT_MS);
}

static void abandon(struct matrix_run *run)
{
    run->said = sluice_load_abandon(run->fixture->cache, MATRIX_KEY, sizeof MATRIX_KEY - 1);
}

static void restart(struct matrix_run *run)
{
    run->error = sluice_load_restart(run->fixture->cache, MATRIX_KEY, sizeof MATRIX_KEY - 1);
    run->said = run->error == SLUICE_OK;
}

/* ---- of the cache ------------------------------------------------------------------------------------------------ */

static void close_cache(struct matrix_run *run)
{
    sluice_cache_close(run->fixture->cache);
}

static void destroy_cache(struct matrix_run *run)
{
    fixture_destroy_cache(run->fixture);
    run->destroyed = true;
}

const struct matrix_event matrix_events[] = {
    {.name = "nothing_at_all", .happen = nothing},
    {.name = "an_invalidation", .happen = invalidate_key, .effect = EFFECT_DETACHES, .change = CHANGE_GONE},
    {.name = "an_invalidation_of_several_keys",
     .happen = invalidate_keys,
     .effect = EFFECT_DETACHES,
     .change = CHANGE_GONE},
    {.name = "an_invalidation_by_prefix",
     .happen = invalidate_prefix,
     .effect = EFFECT_DETACHES,
     .change = CHANGE_GONE},
    {.name = "an_invalidation_by_prefix_that_is_carried_out_later",
     .happen = invalidate_prefix_later,
     .effect = EFFECT_DETACHES,
     .change = CHANGE_GONE},
    {.name = "an_invalidation_by_tag", .happen = invalidate_tag, .effect = EFFECT_BY_TAG, .change = CHANGE_GONE},
    {.name = "an_invalidation_by_tag_that_is_carried_out_later",
     .happen = invalidate_tag_later,
     .effect = EFFECT_BY_TAG,
     .change = CHANGE_GONE},
    {.name = "an_invalidation_of_all",
     .happen = invalidate_all,
     .effect = EFFECT_DETACHES,
     .change = CHANGE_GONE,
     .everything = true},
    {.name = "an_invalidation_of_what_is_chosen",
     .happen = invalidate_chosen,
     .effect = EFFECT_DETACHES,
     .change = CHANGE_GONE,
     .need = NEED_STORED},
    {.name = "a_soft_invalidation", .happen = soften_key, .effect = EFFECT_DETACHES, .change = CHANGE_SOFT},
    {.name = "a_soft_invalidation_by_prefix",
     .happen = soften_prefix,
     .effect = EFFECT_DETACHES,
     .change = CHANGE_SOFT},
    {.name = "a_soft_invalidation_by_tag", .happen = soften_tag, .effect = EFFECT_BY_TAG, .change = CHANGE_SOFT},
    {.name = "a_soft_invalidation_of_all",
     .happen = soften_all,
     .effect = EFFECT_DETACHES,
     .change = CHANGE_SOFT,
     .everything = true},
    {.name = "a_put", .happen = put, .effect = EFFECT_OVERTAKES, .change = CHANGE_PUT},
    {.name = "a_put_that_is_not_to_be_stored",
     .happen = put_transient,
     .effect = EFFECT_OVERTAKES,
     .change = CHANGE_PUT_TRANSIENT},
    {.name = "a_put_if_absent",
     .happen = put_if_absent,
     .effect = EFFECT_OVERTAKES,
     .change = CHANGE_PUT,
     .need = NEED_ABSENT},
    {.name = "a_put_if_present",
     .happen = put_if_present,
     .effect = EFFECT_OVERTAKES,
     .change = CHANGE_PUT,
     .need = NEED_PRESENT},
    {.name = "the_expiry_of_what_is_stored",
     .happen = expire,
     .effect = EFFECT_NOTHING,
     .change = CHANGE_EXPIRED,
     .need = NEED_STORED},
    {.name = "the_eviction_of_what_is_stored",
     .happen = evict,
     .effect = EFFECT_NOTHING,
     .change = CHANGE_EVICTED,
     .need = NEED_STORED},
    {.name = "the_cancel_of_the_leader", .happen = cancel, .leaver = LEAVER_LEADER, .need = NEED_IN_FLIGHT},
    {.name = "the_cancel_of_the_leader_of_a_load_that_somebody_must_want",
     .happen = cancel,
     .leaver = LEAVER_LEADER,
     .need = NEED_IN_FLIGHT,
     .cancels_unwanted = true},
    {.name = "the_cancel_of_a_follower", .happen = cancel, .leaver = LEAVER_FOLLOWER, .need = NEED_IN_FLIGHT},
    {.name = "the_deadline_of_the_leader",
     .happen = wait_too_long,
     .leaver = LEAVER_LEADER,
     .need = NEED_IN_FLIGHT,
     .by_deadline = true},
    {.name = "the_deadline_of_the_leader_of_a_load_that_somebody_must_want",
     .happen = wait_too_long,
     .leaver = LEAVER_LEADER,
     .need = NEED_IN_FLIGHT,
     .by_deadline = true,
     .cancels_unwanted = true},
    {.name = "the_deadline_of_a_follower",
     .happen = wait_too_long,
     .leaver = LEAVER_FOLLOWER,
     .need = NEED_IN_FLIGHT,
     .by_deadline = true},
    {.name = "the_deadline_of_a_blocking_follower",
     .happen = wait_too_long,
     .leaver = LEAVER_BLOCKING_FOLLOWER,
     .need = NEED_IN_FLIGHT,
     .by_deadline = true},
    {.name = "the_deadline_of_the_load",
     .happen = load_too_long,
     .effect = EFFECT_TIMES_OUT,
     .need = NEED_IN_FLIGHT,
     .everything = true},
    {.name = "the_abandonment_of_the_load", .happen = abandon, .effect = EFFECT_ABANDONS, .need = NEED_IN_FLIGHT},
    {.name = "the_restart_of_the_load", .happen = restart, .effect = EFFECT_RESTARTS, .need = NEED_IN_FLIGHT},
    {.name = "the_close_of_the_cache", .happen = close_cache, .effect = EFFECT_CLOSES, .everything = true},
    {.name = "the_destruction_of_the_cache",
     .happen = destroy_cache,
     .effect = EFFECT_CLOSES,
     .change = CHANGE_DESTROYED,
     .everything = true},
};

const size_t matrix_events_count = COUNT_OF(matrix_events);
