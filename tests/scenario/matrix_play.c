/* SPDX-License-Identifier: MIT */
/* matrix_play.c: plays one cell and notes what is seen. It expects nothing but that all comes to an end. */
#include "matrix.h"

#include <stdlib.h>

struct sluice_content matrix_content(const char *text, int64_t ttl_ms)
{
    static const char *const tags[] = {MATRIX_TAG};
    struct sluice_content content = SLUICE_CONTENT_INIT;

    content.data = text;
    content.size = strlen(text);
    content.ttl_ms = ttl_ms;
    content.tags = tags;
    content.tags_count = COUNT_OF(tags);
    return content;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static bool is_key(const struct sluice_entry_view *entry, const char *key)
{
    return entry->key_size == strlen(key) && memcmp(entry->key, key, entry->key_size) == 0;
}

static enum matrix_answer answer_of(const struct sluice_entry_view *entry)
{
    static const enum matrix_answer answers[] = {ANSWER_OLD, ANSWER_FIRST, ANSWER_PUT, ANSWER_SECOND};

    if (entry->error == SLUICE_OK)
        for (size_t i = 0; i < COUNT_OF(answers); i++)
            if (strcmp(sluice_value_data(entry->value), matrix_text(answers[i])) == 0)
                return answers[i];
    return ANSWER_ABSENCE;
}

static bool look_at(void *arg, const struct sluice_entry_view *entry)
{
    struct matrix_peek *peek = arg;

    peek->bystander = peek->bystander || is_key(entry, MATRIX_BYSTANDER);
    peek->other = peek->other || is_key(entry, MATRIX_OTHER);
    if (is_key(entry, MATRIX_KEY)) {
        peek->stored.answer = answer_of(entry);
        peek->stored.stale = entry->ttl_ms == 0;
    }
    return true;
}

static struct matrix_peek look(struct sluice_cache *cache)
{
    struct matrix_peek peek = {.bystander = false};

    if (sluice_cache_for_each(cache, look_at, &peek) != SLUICE_OK)
        abort();
    return peek;
}

struct matrix_peek matrix_look(struct matrix_run *run)
{
    return look(run->fixture->cache);
}

/* In a callback: what is stored by now. */
static void look_inside(void *arg, const struct sluice_outcome *outcome)
{
    struct matrix_party *party = arg;

    (void)outcome;
    if (party->call == NULL || party->call->fixture->cache == NULL)
        return; /* answered at once; by the destruction, when nothing may be called any more */
    party->seen = look(party->call->fixture->cache);
    party->has_seen = true;
}

const struct sluice_outcome *matrix_outcome(const struct matrix_run *run, const struct matrix_party *party)
{
    return party->call != NULL ? &party->call->outcome : &run->bulk->outcomes[0];
}

static bool is_done(const struct matrix_run *run, const struct matrix_party *party)
{
    if (party->left && !run->cell.event->by_deadline)
        return true; /* cancelled */
    return party->call != NULL ? call_done(party->call) : bulk_done(run->bulk);
}

static size_t calls(const struct matrix_run *run)
{
    return gated_loader_calls(run->fixture->loader, MATRIX_KEY) + gated_loader_calls(run->own, MATRIX_KEY);
}

static bool all_are_called(struct matrix_run *run)
{
    return gated_loader_calls_in_all(run->fixture->loader) + gated_loader_calls_in_all(run->own) ==
           fixture_stats(run->fixture).loads;
}

void matrix_settle(struct matrix_run *run)
{
    if (run->fixture->cache == NULL)
        return;
    if (run->fixture->options.batch_window_ms > 0 && !all_are_called(run))
        fixture_advance(run->fixture, MATRIX_WINDOW_MS);
    AWAIT(all_are_called(run));
}

/* ---- gets -------------------------------------------------------------------------------------------------------- */

void matrix_get(struct matrix_run *run, struct matrix_party *party, const char *name, const struct call_spec *spec)
{
    struct call_spec looking = *spec;

    *party = (struct matrix_party){.name = name};
    if (spec->way == WAY_ASYNC)
        looking.inside = look_inside;
    looking.arg = party;
    run->gets++;
    party->call = call_start_spec(run->fixture, &looking);
}

static void follow(struct matrix_run *run, const char *name, enum way way, enum matrix_leaver leaver)
{
    bool leaves = run->cell.event->leaver == leaver && run->cell.event->by_deadline;
    const struct call_spec spec = {
        .way = way, .key = MATRIX_KEY, .timeout_ms = leaves ? MATRIX_WAIT_MS : SLUICE_WAIT_FOREVER};
    struct matrix_party *party = &run->parked[run->parked_count++];
    uint64_t waiters = fixture_stats(run->fixture).waiters;

    matrix_get(run, party, name, &spec);
    party->follows = true;
    fixture_await_waiters(run->fixture, waiters + 1);
}

static void park_followers(struct matrix_run *run)
{
    follow(run, "the first follower", WAY_ASYNC, LEAVER_FOLLOWER);
    follow(run, "the blocking follower", WAY_BLOCKING, LEAVER_BLOCKING_FOLLOWER);
    follow(run, "the last follower", WAY_ASYNC, LEAVER_NONE);
}

/* ---- ends of loads ----------------------------------------------------------------------------------------------- */

static void note_end(struct matrix_run *run, struct gated_loader *loader, size_t number, enum matrix_ending ending)
{
    bool wanted = gated_loader_wanted(loader, number);

    run->ended_unwanted += !wanted;
    run->ended_failing += wanted && ending == BRINGS_FAILURE;
    run->ended_nothing += wanted && ending == BRINGS_NOTHING;
}

static void end_first(struct matrix_run *run)
{
    struct gated_loader *loader = run->first_of;
    size_t number = run->first_number;
    bool transient = run->cell.ending == BRINGS_TRANSIENT;
    struct sluice_content content = matrix_content(matrix_text(ANSWER_FIRST), transient ? 0 : SLUICE_TTL_DEFAULT);

    run->wanted = gated_loader_wanted(loader, number);
    note_end(run, loader, number, run->cell.ending);
    run->first_ended = true;
    switch (run->cell.ending) {
    case BRINGS_VALUE:
    case BRINGS_TRANSIENT:
        gated_loader_end_with(loader, number, &content);
        break;
    case BRINGS_NOTHING:
        gated_loader_end(loader, number, ENDING_NOT_FOUND, NULL);
        break;
    case BRINGS_FAILURE:
        gated_loader_end(loader, number, ENDING_FAILURE, "why");
        break;
    case BRINGS_RENEWAL:
        gated_loader_renew(loader, number, SLUICE_TTL_DEFAULT, SLUICE_TTL_DEFAULT);
        break;
    }
}

/* What was loaded along with it. */
static void end_other(struct matrix_run *run)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;

    if (!run->cell.way->many || run->other_ended)
        return;
    content.data = MATRIX_OTHER;
    content.size = sizeof MATRIX_OTHER - 1;
    note_end(run, run->fixture->loader, run->first_number + 1, BRINGS_VALUE);
    run->other_ended = true;
    gated_loader_end_with(run->fixture->loader, run->first_number + 1, &content);
}

/* Ends the load after the first ones, if there is one, with this value. */
static void end_next(struct matrix_run *run, const char *text)
{
    struct sluice_content content = matrix_content(text, SLUICE_TTL_DEFAULT);

    for (; run->next_number < gated_loader_calls_in_all(run->fixture->loader); run->next_number++) {
        note_end(run, run->fixture->loader, run->next_number, BRINGS_VALUE);
        gated_loader_end_with(run->fixture->loader, run->next_number, &content);
    }
}

/* ---- the play ---------------------------------------------------------------------------------------------------- */

static void configure(struct matrix_run *run)
{
    const struct matrix_event *event = run->cell.event;
    const struct matrix_way *way = run->cell.way;
    struct sluice_options *options = &run->fixture->options;
    bool stale = way->old == OLD_STALE || (event->change == CHANGE_SOFT && way->old != OLD_HELD);

    options->shards = 1;
    options->listener = removals_option(run->removals);
    options->expire_after_write_ms = MATRIX_TTL_MS;
    options->not_found_ttl_ms = MATRIX_TTL_MS;
    options->stale_while_revalidate_ms = stale ? MATRIX_STALE_MS : 0;
    options->stale_if_error_ms = way->old == OLD_HELD ? MATRIX_STALE_MS : 0;
    options->cancel_unwanted_loads = event->cancels_unwanted;
    if (event->effect == EFFECT_TIMES_OUT)
        options->load_timeout_ms = MATRIX_LOAD_TIMEOUT_MS;
    if (event->change == CHANGE_EVICTED)
        options->maximum_entries = MATRIX_ENTRIES_MAX;
    if (way->many)
        options->loader = gated_loader_option_many(run->fixture->loader);
    if (way->many && (way->leader == LEADER_BLOCKING || way->leader == LEADER_ASYNC))
        options->batch_window_ms = MATRIX_WINDOW_MS;
}

static void begin(struct matrix_run *run)
{
    const struct matrix_way *way = run->cell.way;
    struct sluice_content old = matrix_content(matrix_text(ANSWER_OLD), SLUICE_TTL_DEFAULT);

    configure(run);
    fixture_open(run->fixture);
    fixture_put_ttl(run->fixture, MATRIX_BYSTANDER, "bystander", SLUICE_NEVER);
    if (way->old != OLD_NONE)
        assert_int_equal(sluice_put(run->fixture->cache, MATRIX_KEY, sizeof MATRIX_KEY - 1, &old), SLUICE_OK);
    if (way->old == OLD_STALE || way->old == OLD_HELD)
        fixture_advance(run->fixture, MATRIX_TTL_MS);
    way->begin(run);
    matrix_settle(run);
    run->first_of = way->own_loader ? run->own : run->fixture->loader;
    run->first_number = 0;
    run->next_number = gated_loader_calls_in_all(run->fixture->loader);
    run->calls_begun = calls(run);
    run->batches = gated_loader_batches(run->fixture->loader);
    run->batch_size = gated_loader_batch_size(run->fixture->loader, 0);
    run->old_given = gated_loader_old_value(run->first_of, run->first_number) != NULL;
    if (run->facts.joined)
        park_followers(run);
    if (run->cell.when == WHEN_AFTER)
        end_first(run);
    if (run->cell.when != WHEN_ALONE)
        end_other(run);
    run->other_ended_before = run->other_ended;
}

/* Those who are parked, as the cache counts them, are those who have no outcome: then no thread is still on its way. */
static bool nobody_is_on_the_way(struct matrix_run *run)
{
    uint64_t waiters = fixture_stats(run->fixture).waiters, undone = 0, unsure = 0;

    for (size_t i = 0; i < run->parked_count; i++) {
        if (is_done(run, &run->parked[i]))
            continue;
        undone++;
        unsure += run->parked[i].call == NULL && !run->other_ended;
    }
    undone += run->other != NULL && !call_done(run->other);
    return waiters >= undone && waiters <= undone + unsure;
}

static bool all_are_done(const struct matrix_run *run)
{
    for (size_t i = 0; i < run->parked_count; i++)
        if (!is_done(run, &run->parked[i]))
            return false;
    return run->other == NULL || call_done(run->other);
}

static void event(struct matrix_run *run)
{
    run->cell.event->happen(run);
    matrix_settle(run);
    if (run->destroyed)
        AWAIT(all_are_done(run));
    else
        AWAIT(nobody_is_on_the_way(run));
    for (size_t i = 0; i < run->parked_count; i++)
        run->parked[i].done_at_event = is_done(run, &run->parked[i]);
    run->calls_event = calls(run);
    if (!run->first_ended)
        run->wanted_at_event = gated_loader_wanted(run->first_of, run->first_number);
    if (!run->destroyed)
        run->at_event = matrix_look(run);
}

static void get_again(struct matrix_run *run, struct matrix_party *party, const char *name, size_t *calls_seen)
{
    const struct call_spec spec = {.way = WAY_ASYNC, .key = MATRIX_KEY, .timeout_ms = SLUICE_WAIT_FOREVER};

    if (run->destroyed)
        return;
    matrix_get(run, party, name, &spec);
    matrix_settle(run);
    *calls_seen = calls(run);
}

static void end_loads(struct matrix_run *run)
{
    if (run->cell.late)
        end_next(run, matrix_text(ANSWER_SECOND));
    if (!run->first_ended)
        end_first(run);
    end_other(run);
    matrix_settle(run);
    if (!run->destroyed)
        run->at_first_end = matrix_look(run);
    if (!run->cell.late)
        end_next(run, matrix_text(ANSWER_SECOND));
    run->calls_ended = calls(run);
    if (!run->destroyed)
        run->at_end = matrix_look(run);
}

static void finish(struct matrix_run *run)
{
    AWAIT(all_are_done(run));
    if (run->newcomer.call != NULL)
        call_await(run->newcomer.call);
    if (run->destroyed)
        return;
    call_await(run->last.call);
    sluice_cache_tick(run->fixture->cache); /* what was taken by an invalidation of all is told of */
    run->stats = fixture_stats(run->fixture);
    fixture_destroy_cache(run->fixture);
}

void matrix_play(struct matrix_run *run)
{
    begin(run);
    event(run);
    get_again(run, &run->newcomer, "the newcomer", &run->calls_newcomer);
    if (!run->destroyed)
        run->in_flight_newcomer = fixture_stats(run->fixture).loads_in_flight;
    end_loads(run);
    get_again(run, &run->last, "the last get", &run->calls_last);
    end_next(run, "last");
    finish(run);
}
