/* SPDX-License-Identifier: MIT */
/*
 * story.h: histories made by hand, for tests of the judge: what happened, one line an event, in its order. Written to a
 * file through record.h and read back, as the real ones. For the thread that runs the tests.
 */
#ifndef TESTS_STORY_H
#define TESTS_STORY_H

#include "record.h"

#include <stdio.h>

#define STORY_HOLDS UINT32_MAX /* no rule is broken */
#define STORY_LONG  100000     /* a time to live that does not end within a story, in milliseconds */

struct story {
    struct record_log *log;
    struct record_facts facts;
    uint64_t last;
    int64_t now_ms;
};

/* Begins the story that `state` points to: loads have no deadline, nothing is evicted, no listener, no rule asked for.
 */
int story_setup(void **state);

/* A test whose story is `told`. */
#define STORY_TEST(test, told)                                                                                         \
    {                                                                                                                  \
#test, test, story_setup, NULL, &(told)                                                                        \
    }

/* Appends the event at the story's time; returns its number. */
uint64_t story_tell(struct story *story, struct record event);

uint64_t story_get(struct story *story, unsigned key); /* the begin */
uint64_t story_get_end(struct story *story, uint64_t get, enum record_source source, uint64_t value);
uint64_t story_get_fails(struct story *story, uint64_t get, enum record_error error);
uint64_t story_parked(struct story *story, uint64_t get);
uint64_t story_callback(struct story *story, uint64_t get, enum record_source source, uint64_t value);
uint64_t story_load(struct story *story, unsigned key, uint64_t since, uint64_t old);
uint64_t story_finish(struct story *story, uint64_t load, enum record_finish how, int32_t ttl_ms);
uint64_t story_finish_end(struct story *story, uint64_t finish);
uint64_t story_put(struct story *story, unsigned key, int32_t ttl_ms);
uint64_t story_put_end(struct story *story, uint64_t put);
uint64_t story_invalidate(struct story *story, unsigned key);
uint64_t story_invalidate_tag(struct story *story, unsigned key, uint8_t tags);
uint64_t story_invalidate_end(struct story *story, uint64_t invalidate);

/* A get of this kind begins: RECORD_BULK_ASYNC, RECORD_COMPUTE, RECORD_PEEK. */
uint64_t story_get_as(struct story *story, unsigned key, enum record_get how);
uint64_t story_get_stale(struct story *story, uint64_t get, uint64_t value); /* ends it with a stale value */
uint64_t story_put_if(struct story *story, unsigned key, enum record_put how, uint64_t expected);
uint64_t story_put_refused(struct story *story, uint64_t put); /* its condition did not hold */
uint64_t story_invalidate_as(struct story *story, unsigned key, enum record_scope scope, bool soft);
uint64_t story_abandon(struct story *story, unsigned key, enum record_abandon how);
uint64_t story_abandon_end(struct story *story, uint64_t abandon, enum record_error error);
void story_set_ttl(struct story *story, unsigned key, int32_t ttl_ms, enum record_error error); /* a whole call */
void story_cancel(struct story *story, uint64_t get);                                           /* likewise */
void story_counter(struct story *story, enum record_stat stat, uint64_t count);
uint64_t story_removed(struct story *story, unsigned key, uint64_t value, enum record_cause cause);
uint64_t story_evicting(struct story *story, unsigned key, uint64_t value, enum record_cause cause);
void story_destroy(struct story *story);

/* Whole calls, with nothing between their begin and their end. */
void story_hit(struct story *story, unsigned key, uint64_t value);
uint64_t story_whole_put(struct story *story, unsigned key, int32_t ttl_ms); /* the value */
void story_whole_invalidate(struct story *story, unsigned key);
void story_close(struct story *story);
void story_save(struct story *story);
void story_create(struct story *story); /* another cache */
void story_warm(struct story *story);

/* A get that leads, and its load up to the end's begin and return; the value. */
uint64_t story_whole_load(struct story *story, unsigned key, int32_t ttl_ms);

/* Ends the story: the judge must find this rule broken, or none. */
void story_expect(struct story *story, unsigned rule);

/* Ends the story: its log must be refused with words that begin so. */
void story_expect_refused(struct story *story, const char *words);

/* Ends the story: all holds, but this rule was asked for and never judged. */
void story_expect_missing(struct story *story, unsigned rule);

#endif
