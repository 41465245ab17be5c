/* SPDX-License-Identifier: MIT */
/* story.c: see story.h. */
#include "story.h"

#include "judge.h"
#include "scratch.h"
#include "test.h"

#include <string.h>

int story_setup(void **state)
{
    struct story *story = *state;

    *story = (struct story){.facts = {.load_timeout_ms = RECORD_NEVER}, .now_ms = 1000};
    return 0;
}

uint64_t story_tell(struct story *story, struct record event)
{
    if (story->log == NULL)
        story->log = record_log_create(&story->facts, 100);
    event.order = ++story->last;
    event.time_ms = story->now_ms;
    record_add_exact(story->log, &event);
    return event.order;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static uint16_t bit(unsigned key)
{
    return (uint16_t)(1u << key);
}

uint64_t story_get(struct story *story, unsigned key)
{
    return story_tell(story, (struct record){.kind = RECORD_GET_BEGIN, .keys = bit(key), .how = RECORD_ASYNC});
}

uint64_t story_get_end(struct story *story, uint64_t get, enum record_source source, uint64_t value)
{
    return story_tell(story,
                      (struct record){.kind = RECORD_GET_END, .begin = get, .source = (uint8_t)source, .value = value});
}

uint64_t story_get_fails(struct story *story, uint64_t get, enum record_error error)
{
    return story_tell(
        story,
        (struct record){.kind = RECORD_GET_END, .begin = get, .error = (uint8_t)error, .source = RECORD_NO_SOURCE});
}

uint64_t story_parked(struct story *story, uint64_t get)
{
    return story_tell(story, (struct record){.kind = RECORD_GET_PARKED, .begin = get});
}

uint64_t story_callback(struct story *story, uint64_t get, enum record_source source, uint64_t value)
{
    return story_tell(
        story, (struct record){.kind = RECORD_CALLBACK, .begin = get, .source = (uint8_t)source, .value = value});
}

uint64_t story_load(struct story *story, unsigned key, uint64_t since, uint64_t old)
{
    return story_tell(story,
                      (struct record){.kind = RECORD_LOAD_BEGIN, .keys = bit(key), .begin = since, .value = old});
}

uint64_t story_finish(struct story *story, uint64_t load, enum record_finish how, int32_t ttl_ms)
{
    return story_tell(
        story, (struct record){.kind = RECORD_FINISH_BEGIN, .begin = load, .how = (uint8_t)how, .ttl_ms = ttl_ms});
}

uint64_t story_finish_end(struct story *story, uint64_t finish)
{
    return story_tell(story, (struct record){.kind = RECORD_FINISH_END, .begin = finish});
}

uint64_t story_put(struct story *story, unsigned key, int32_t ttl_ms)
{
    return story_tell(story, (struct record){.kind = RECORD_PUT_BEGIN, .keys = bit(key), .ttl_ms = ttl_ms});
}

uint64_t story_put_end(struct story *story, uint64_t put)
{
    return story_tell(story, (struct record){.kind = RECORD_PUT_END, .begin = put});
}

uint64_t story_invalidate(struct story *story, unsigned key)
{
    return story_tell(story, (struct record){.kind = RECORD_INVALIDATE_BEGIN, .keys = bit(key)});
}

uint64_t story_invalidate_tag(struct story *story, unsigned key, uint8_t tags)
{
    return story_tell(
        story, (struct record){.kind = RECORD_INVALIDATE_BEGIN, .keys = bit(key), .how = RECORD_TAG, .tags = tags});
}

uint64_t story_invalidate_end(struct story *story, uint64_t invalidate)
{
    return story_tell(story, (struct record){.kind = RECORD_INVALIDATE_END, .begin = invalidate});
}

uint64_t story_get_as(struct story *story, unsigned key, enum record_get how)
{
    return story_tell(story, (struct record){.kind = RECORD_GET_BEGIN, .keys = bit(key), .how = (uint8_t)how});
}

uint64_t story_get_stale(struct story *story, uint64_t get, uint64_t value)
{
    return story_tell(
        story, (struct record){.kind = RECORD_GET_END, .begin = get, .source = RECORD_HIT, .stale = 1, .value = value});
}

uint64_t story_put_if(struct story *story, unsigned key, enum record_put how, uint64_t expected)
{
    return story_tell(
        story,
        (struct record){
            .kind = RECORD_PUT_BEGIN, .keys = bit(key), .how = (uint8_t)how, .ttl_ms = STORY_LONG, .value = expected});
}

uint64_t story_put_refused(struct story *story, uint64_t put)
{
    return story_tell(story, (struct record){.kind = RECORD_PUT_END, .begin = put, .error = RECORD_UNCHANGED});
}

uint64_t story_invalidate_as(struct story *story, unsigned key, enum record_scope scope, bool soft)
{
    return story_tell(
        story, (struct record){
                   .kind = RECORD_INVALIDATE_BEGIN, .keys = bit(key), .how = (uint8_t)scope, .stale = soft ? 1 : 0});
}

uint64_t story_abandon(struct story *story, unsigned key, enum record_abandon how)
{
    return story_tell(story, (struct record){.kind = RECORD_ABANDON_BEGIN, .keys = bit(key), .how = (uint8_t)how});
}

uint64_t story_abandon_end(struct story *story, uint64_t abandon, enum record_error error)
{
    return story_tell(story, (struct record){.kind = RECORD_ABANDON_END, .begin = abandon, .error = (uint8_t)error});
}

void story_set_ttl(struct story *story, unsigned key, int32_t ttl_ms, enum record_error error)
{
    uint64_t begin = story_tell(story, (struct record){.kind = RECORD_TTL_BEGIN, .keys = bit(key), .ttl_ms = ttl_ms});

    story_tell(story, (struct record){.kind = RECORD_TTL_END, .begin = begin, .error = (uint8_t)error});
}

void story_cancel(struct story *story, uint64_t get)
{
    uint64_t begin = story_tell(story, (struct record){.kind = RECORD_CANCEL_BEGIN, .begin = get});

    story_tell(story, (struct record){.kind = RECORD_CANCEL_END, .begin = begin});
}

void story_counter(struct story *story, enum record_stat stat, uint64_t count)
{
    story_tell(story, (struct record){.kind = RECORD_STATS, .how = (uint8_t)stat, .value = count});
}

uint64_t story_removed(struct story *story, unsigned key, uint64_t value, enum record_cause cause)
{
    return story_tell(story,
                      (struct record){.kind = RECORD_REMOVED, .keys = bit(key), .value = value, .how = (uint8_t)cause});
}

uint64_t story_evicting(struct story *story, unsigned key, uint64_t value, enum record_cause cause)
{
    return story_tell(
        story, (struct record){.kind = RECORD_EVICTING, .keys = bit(key), .value = value, .how = (uint8_t)cause});
}

/* A call with nothing but a begin and an end of these kinds. */
static void whole(struct story *story, enum record_kind begin_kind, enum record_kind end_kind)
{
    uint64_t begin = story_tell(story, (struct record){.kind = (uint8_t)begin_kind});

    story_tell(story, (struct record){.kind = (uint8_t)end_kind, .begin = begin});
}

void story_destroy(struct story *story)
{
    whole(story, RECORD_DESTROY_BEGIN, RECORD_DESTROY_END);
}

void story_close(struct story *story)
{
    whole(story, RECORD_CLOSE_BEGIN, RECORD_CLOSE_END);
}

void story_save(struct story *story)
{
    whole(story, RECORD_SAVE_BEGIN, RECORD_SAVE_END);
}

void story_warm(struct story *story)
{
    whole(story, RECORD_WARM_BEGIN, RECORD_WARM_END);
}

void story_create(struct story *story)
{
    story_tell(story, (struct record){.kind = RECORD_CREATE});
}

/* ---- whole calls ------------------------------------------------------------------------------------------------- */

void story_hit(struct story *story, unsigned key, uint64_t value)
{
    story_get_end(story, story_get(story, key), RECORD_HIT, value);
}

uint64_t story_whole_put(struct story *story, unsigned key, int32_t ttl_ms)
{
    uint64_t put = story_put(story, key, ttl_ms);

    story_put_end(story, put);
    return put;
}

void story_whole_invalidate(struct story *story, unsigned key)
{
    story_invalidate_end(story, story_invalidate(story, key));
}

uint64_t story_whole_load(struct story *story, unsigned key, int32_t ttl_ms)
{
    uint64_t get = story_get(story, key);
    uint64_t load = story_load(story, key, get, 0);

    story_finish_end(story, story_finish(story, load, RECORD_VALUE, ttl_ms));
    story_get_end(story, get, RECORD_LED, load);
    return load;
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

/* Writes the story down and reads it back. */
static bool story_read(struct story *story, struct history *history, char fault[HISTORY_FAULT_MAX])
{
    char path[SCRATCH_PATH_MAX];
    struct scratch scratch;
    bool whole;

    scratch_init(&scratch);
    scratch_path(&scratch, "story", path);
    assert_true(record_log_write(story->log, path));
    record_log_destroy(story->log);
    story->log = NULL;
    whole = history_read(history, path, fault);
    scratch_fini(&scratch);
    return whole;
}

static struct verdict story_judge(struct story *story, struct history *history)
{
    char fault[HISTORY_FAULT_MAX];
    struct verdict verdict;

    if (!story_read(story, history, fault))
        fail_msg("the story is not whole: %s", fault);
    assert_true(judge_history(history, &verdict));
    return verdict;
}

void story_expect(struct story *story, unsigned rule)
{
    struct history history;
    struct verdict verdict = story_judge(story, &history);
    char said[512] = "", wanted[64];
    FILE *out = fmemopen(said, sizeof said, "w");

    assert_non_null(out);
    judge_print(&history, &verdict, out);
    fclose(out);
    history_fini(&history);
    if (verdict.broken != (rule != STORY_HOLDS) || (verdict.broken && verdict.rule != rule))
        fail_msg("judged otherwise: %s", said);
    snprintf(wanted, sizeof wanted, "rule %u is broken", rule);
    assert_int_equal(strstr(said, wanted) != NULL, verdict.broken);
}

void story_expect_refused(struct story *story, const char *words)
{
    char fault[HISTORY_FAULT_MAX];
    struct history history;

    assert_false(story_read(story, &history, fault));
    if (strncmp(fault, words, strlen(words)) != 0)
        fail_msg("refused, but with: %s", fault);
}

void story_expect_missing(struct story *story, unsigned rule)
{
    struct history history;
    struct verdict verdict = story_judge(story, &history);

    assert_false(verdict.broken);
    assert_int_equal(judge_missing(&history, &verdict), rule);
    history_fini(&history);
}
