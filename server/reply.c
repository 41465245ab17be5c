/* SPDX-License-Identifier: MIT */
/*
 * reply.c: outcome to answer. See reply.h. The hit path runs through here for every request, so headers are put
 * together by hand on the stack, and the body is the cached value itself, of which the answer holds a reference.
 */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fields.h"
#include "log.h"
#include "problem.h"

#define REPLY_LOG_INTERVAL_MS 1000
#define REPLY_LOG_KEY_MAX     256 /* bytes of a key in a log line */

/* ---- small texts ------------------------------------------------------------------------------------------------- */

/* A header value in the making. All that is ever put in one here is far shorter. */
struct text {
    char bytes[160];
    char *end;
};

static void text_add(struct text *text, const char *string)
{
    text->end = stpcpy(text->end, string);
}

static void text_add_number(struct text *text, int64_t number)
{
    char digits[24];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    uint64_t left = number < 0 ? 0 : (uint64_t)number;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    text_add(text, at);
}

static void text_begin(struct text *text, const char *string)
{
    text->end = text->bytes;
    text_add(text, string);
}

/* Whole seconds that are left of the time to live; -1: it has no end. */
static int64_t left_s(const struct sluice_outcome *outcome)
{
    if (!outcome->stored)
        return 0;
    return outcome->ttl_ms == SLUICE_NEVER ? -1 : outcome->ttl_ms / 1000;
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

struct reply_texts {
    struct text age;
    struct text cache_control;
    struct text cache_status;
};

/*
 * RFC 9211: a hit tells what is left; a miss whether it led the load and the answer is stored, or was collapsed onto a
 * load in flight; a request that was neither answered nor forwarded only tells why. `detail` may be NULL.
 */
static void add_cache_status(struct http_answer *answer, struct text *text, const struct sluice_outcome *outcome,
                             const char *detail)
{
    text_begin(text, "sluice");
    switch (outcome->source) {
    case SLUICE_SOURCE_HIT:
        text_add(text, "; hit");
        if (left_s(outcome) >= 0) {
            text_add(text, "; ttl=");
            text_add_number(text, left_s(outcome));
        }
        break;
    case SLUICE_SOURCE_LOAD:
        text_add(text, outcome->stored ? "; fwd=miss; stored" : "; fwd=miss");
        break;
    case SLUICE_SOURCE_COALESCED:
        text_add(text, "; fwd=miss; collapsed");
        break;
    case SLUICE_SOURCE_NONE:
        break;
    }
    if (detail) {
        text_add(text, "; detail=");
        text_add(text, detail);
    }
    http_answer_add(answer, "Cache-Status", text->bytes);
}

/*
 * What is left of the time to live, as max-age. What is not stored here (time to live 0, since the origin forbids it
 * for one, or invalidated while it was loaded) is not to be stored by others either. Without an end there is no age up
 * to which it holds, and an invalidation may come at any time: to be asked for again each time, which costs a 304 (RFC
 * 9111, 5.2.2.4).
 */
static void add_cache_control(struct http_answer *answer, struct text *text, const struct sluice_outcome *outcome)
{
    if (!outcome->stored) {
        text_begin(text, "no-store");
    } else if (outcome->ttl_ms == SLUICE_NEVER) {
        text_begin(text, "no-cache");
    } else {
        text_begin(text, "max-age=");
        text_add_number(text, left_s(outcome));
    }
    http_answer_add(answer, "Cache-Control", text->bytes);
}

/* A backend's media type, unless it could not stand in a header. */
static const char *content_type_of(const struct sluice_value *value)
{
    const char *type = sluice_value_content_type(value);
    if (!type || !*type)
        return "application/octet-stream";
    for (const char *at = type; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return "application/octet-stream";
    return type;
}

/* ---- a value ----------------------------------------------------------------------------------------------------- */

struct etag_search {
    const char *etag;
    bool found;
};

static bool on_if_none_match(void *arg, const char *header)
{
    struct etag_search *search = arg;
    search->found = fields_etag_matches(header, search->etag);
    return !search->found;
}

static bool is_not_modified(struct http_request *request, const char *etag)
{
    if (!etag || !http_request_field(request, HTTP_FIELD_IF_NONE_MATCH))
        return false;
    struct etag_search search = {etag, false};
    http_request_each_field(request, HTTP_FIELD_IF_NONE_MATCH, on_if_none_match, &search);
    return search.found;
}

static void release_value(void *value)
{
    sluice_value_unref(value);
}

/* What a reply with a value is made of: all that reply_value() looks at. */
static struct http_answer_key key_of(const struct sluice_outcome *outcome, bool not_modified, bool preferred)
{
    unsigned form = (unsigned)outcome->source << 3;
    form |= not_modified ? 1 : 0;
    form |= preferred ? 2 : 0;
    form |= outcome->stored ? 4 : 0;
    return (struct http_answer_key){outcome->value, outcome->age_ms / 1000, left_s(outcome), form};
}

/* Gives the value to the answer. A 304 has it too: as in an answer to HEAD, the library sends all but the body. */
static void add_body(struct http_answer *answer, struct sluice_outcome *outcome)
{
    answer->body = sluice_value_data(outcome->value);
    answer->size = sluice_value_size(outcome->value);
    answer->release = release_value;
    answer->release_arg = outcome->value;
    outcome->value = NULL;
}

static void reply_value(struct http_request *request, struct sluice_outcome *outcome, bool preferred)
{
    struct sluice_value *value = outcome->value;
    const char *etag = sluice_value_etag(value);
    bool not_modified = is_not_modified(request, etag);
    struct http_answer_key key = key_of(outcome, not_modified, preferred);
    if (http_request_answer_again(request, &key))
        return;
    struct reply_texts texts;
    struct http_answer answer = {.status = not_modified ? 304 : 200, .key = &key};
    if (!not_modified) {
        http_answer_add(&answer, "Content-Type", content_type_of(value));
        http_answer_add(&answer, "X-Content-Type-Options", "nosniff");
    }
    if (etag)
        http_answer_add(&answer, "ETag", etag);
    text_begin(&texts.age, "");
    text_add_number(&texts.age, outcome->age_ms / 1000);
    http_answer_add(&answer, "Age", texts.age.bytes);
    add_cache_control(&answer, &texts.cache_control, outcome);
    add_cache_status(&answer, &texts.cache_status, outcome, NULL);
    if (preferred)
        http_answer_add(&answer, "Preference-Applied", "wait");
    add_body(&answer, outcome);
    http_request_answer(request, &answer);
}

/* ---- a problem --------------------------------------------------------------------------------------------------- */

static enum problem problem_of(enum sluice_error error)
{
    switch (error) {
    case SLUICE_NOT_FOUND:
        return PROBLEM_NOT_FOUND;
    case SLUICE_NOT_CACHED:
        return PROBLEM_NOT_CACHED;
    case SLUICE_LOAD_FAILED:
        return PROBLEM_LOAD_FAILED;
    case SLUICE_LOAD_TIMED_OUT:
        return PROBLEM_LOAD_TIMED_OUT;
    case SLUICE_LOAD_REFUSED:
        return PROBLEM_LOAD_REFUSED;
    case SLUICE_TIMED_OUT:
        return PROBLEM_TIMED_OUT;
    case SLUICE_TOO_MANY_WAITERS:
        return PROBLEM_TOO_MANY_WAITERS;
    case SLUICE_TOO_MANY_LOADS:
        return PROBLEM_TOO_MANY_LOADS;
    case SLUICE_KEY_SIZE:
        return PROBLEM_KEY_SIZE;
    case SLUICE_VALUE_TOO_LARGE:
        return PROBLEM_VALUE_SIZE;
    case SLUICE_CLOSED:
        return PROBLEM_CLOSED;
    case SLUICE_NO_MEMORY:
        return PROBLEM_NO_MEMORY;
    case SLUICE_OK:
    case SLUICE_PARKED:
    case SLUICE_NO_THREAD:
    case SLUICE_CIRCULAR:
    case SLUICE_UNCHANGED:
    case SLUICE_INVALID:
    case SLUICE_FILE:
        break;
    }
    abort(); /* a get does not come to these */
}

/* One line a second and cache, with the number of those that are not logged; each failed request counts. */
static void log_failure(const struct reply_asked *asked, enum problem problem, const char *reason)
{
    struct timespec now;
    uint64_t held_back;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!pace_pass(&asked->entry->failure_pace, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
                   REPLY_LOG_INTERVAL_MS, &held_back))
        return;
    char key[REPLY_LOG_KEY_MAX + 1];
    char status[8];
    char unlogged[24];
    snprintf(key, sizeof key, "%.*s", (int)(asked->key_size < REPLY_LOG_KEY_MAX ? asked->key_size : REPLY_LOG_KEY_MAX),
             asked->key);
    snprintf(status, sizeof status, "%u", problem_status(problem));
    snprintf(unlogged, sizeof unlogged, "%llu", (unsigned long long)held_back);
    log_event(LOG_WARNING, "request_failed", "cache", asked->entry->name, "key", key, "status", status, "problem",
              problem_word(problem), "reason", reason, "unlogged", unlogged, NULL);
}

/* Where the outcome has no reason of its own: the limit that was exceeded, which the title only names. */
static const char *detail_of(const struct caches_entry *entry, enum problem problem,
                             const struct sluice_outcome *outcome, char *buffer, size_t size)
{
    if (!outcome->reason && problem == PROBLEM_KEY_SIZE)
        snprintf(buffer, size, "key_size_max of cache \"%s\" is %zu bytes", entry->name, entry->key_size_max);
    else if (!outcome->reason && problem == PROBLEM_VALUE_SIZE)
        snprintf(buffer, size, "value_size_max of cache \"%s\" is %zu bytes", entry->name, entry->value_size_max);
    else
        return sluice_outcome_reason(outcome);
    return buffer;
}

static void reply_problem(struct http_request *request, const struct reply_asked *asked,
                          const struct sluice_outcome *outcome)
{
    enum problem problem = problem_of(outcome->error);
    char limit[160];
    const char *detail = detail_of(asked->entry, problem, outcome, limit, sizeof limit);
    struct http_answer answer;
    struct text cache_status;
    problem_make(&answer, problem, outcome->reason && !asked->tells_why ? NULL : detail);
    add_cache_status(&answer, &cache_status, outcome, problem_word(problem));
    if (asked->preferred)
        http_answer_add(&answer, "Preference-Applied", "wait");
    if (problem_status(problem) >= 500 && problem != PROBLEM_NOT_CACHED && problem != PROBLEM_CLOSED)
        log_failure(asked, problem, detail);
    http_request_answer(request, &answer);
}

void reply_outcome(struct http_request *request, const struct reply_asked *asked, struct sluice_outcome *outcome)
{
    if (outcome->error == SLUICE_OK)
        reply_value(request, outcome, asked->preferred);
    else
        reply_problem(request, asked, outcome);
    sluice_outcome_fini(outcome);
}
