/* SPDX-License-Identifier: MIT */
/* routes.c: from a request to a get, and from its outcome to reply.c. See routes.h. */
#include "routes.h"

#include <string.h>

#include "fields.h"
#include "problem.h"
#include "reply.h"
#include "uri.h"

/* What a request remembers while it is parked; in its context. */
struct parked {
    struct reply_asked asked;
    struct sluice_outcome outcome; /* written by the thread that ends the wait, before it resumes the request */
    bool is_parked;
};

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

/* Worker's thread, before on_outcome() can run elsewhere. */
static void on_parking(void *arg)
{
    struct http_request *request = arg;
    struct parked *parked = http_request_context(request);
    parked->is_parked = true;
    http_request_park(request);
}

/* Any thread, once. Takes references of its own, since the outcome is lent. */
static void on_outcome(void *arg, const struct sluice_outcome *outcome)
{
    struct http_request *request = arg;
    struct parked *parked = http_request_context(request);
    parked->outcome = *outcome;
    if (outcome->value)
        sluice_value_ref(outcome->value);
    if (outcome->reason)
        sluice_value_ref(outcome->reason);
    http_request_resume(request);
}

static void routes_resumed(void *self, struct http_request *request)
{
    struct parked *parked = http_request_context(request);
    (void)self;
    reply_outcome(request, &parked->asked, &parked->outcome);
}

static bool on_prefer(void *arg, const char *header)
{
    int64_t *wait_s = arg;
    *wait_s = fields_prefer_wait_s(header);
    return *wait_s < 0;
}

static bool on_cache_control(void *arg, const char *header)
{
    bool *only_if_cached = arg;
    *only_if_cached = fields_has_directive(header, "only-if-cached");
    return !*only_if_cached;
}

/* How long this request waits: as the cache says, or less if the client prefers so. */
static int64_t wait_timeout_ms(struct http_request *request, const struct caches_entry *entry, bool *preferred)
{
    int64_t wait_s = -1;
    http_request_each_field(request, HTTP_FIELD_PREFER, on_prefer, &wait_s);
    *preferred = wait_s >= 0;
    if (wait_s < 0 || (entry->wait_timeout_ms != SLUICE_NEVER && wait_s > entry->wait_timeout_ms / 1000))
        return entry->wait_timeout_ms;
    return wait_s * 1000;
}

static void get(const struct routes *routes, struct http_request *request, struct caches_entry *entry,
                struct uri_bytes key)
{
    struct parked *parked = http_request_context(request);
    parked->asked = (struct reply_asked){entry, key.data, key.size, false, routes->failure_details};
    bool only_if_cached = false;
    http_request_each_field(request, HTTP_FIELD_CACHE_CONTROL, on_cache_control, &only_if_cached);
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    enum sluice_error error;
    if (only_if_cached) {
        error = sluice_get_if_present(entry->cache, key.data, key.size, &outcome);
    } else {
        struct sluice_async_get get = {
            .key = key.data,
            .key_size = key.size,
            .timeout_ms = wait_timeout_ms(request, entry, &parked->asked.preferred),
            .callback = on_outcome,
            .parking = on_parking,
            .arg = request,
        };
        error = sluice_get_async(entry->cache, &get, &outcome, NULL);
    }
    if (error == SLUICE_PARKED)
        return;
    if (parked->is_parked) { /* the answer came between parking and waiting */
        parked->outcome = outcome;
        http_request_resume(request);
    } else {
        reply_outcome(request, &parked->asked, &outcome);
    }
}

/* ---- targets ----------------------------------------------------------------------------------------------------- */

/* The cache and the key of the target, or false: it was answered with what is wrong with it. */
static bool find(const struct routes *routes, struct http_request *request, struct caches_entry **entry,
                 struct uri_bytes *key)
{
    struct uri_path path;
    struct uri_fault fault;
    if (!uri_path_parse(request->path, &path, &fault)) {
        problem_answer(request, PROBLEM_BAD_TARGET, "%s", fault.text);
        return false;
    }
    if (path.shape == URI_PATH_OTHER) {
        problem_answer(request, PROBLEM_UNKNOWN_RESOURCE, "values are at /{cache}/{key}");
        return false;
    }
    *entry = caches_find(routes->caches, path.cache.data, path.cache.size);
    *key = path.key;
    if (!*entry) {
        problem_answer(request, PROBLEM_UNKNOWN_CACHE, "no cache is called \"%.*s\"",
                       (int)(path.cache.size < 64 ? path.cache.size : 64), path.cache.data);
        return false;
    }
    if (request->query) {
        problem_answer(request, PROBLEM_UNKNOWN_PARAMETER,
                       "a value is at /%s/{key} without a query; a ? in a key is written %%3F", (*entry)->name);
        return false;
    }
    if (key->size == 0) {
        problem_answer(request, PROBLEM_EMPTY_KEY, "values are at /%s/{key}", (*entry)->name);
        return false;
    }
    const char *nul = memchr(key->data, '\0', key->size);
    if (nul) {
        problem_answer(request, PROBLEM_NUL_KEY, "byte %td of the decoded key is NUL, which keys over HTTP can't hold",
                       nul - key->data);
        return false;
    }
    return true;
}

static void routes_handle(void *self, struct http_request *request)
{
    struct caches_entry *entry;
    struct uri_bytes key;
    if (request->method != HTTP_GET && request->method != HTTP_HEAD)
        problem_answer_method(request, "GET, HEAD");
    else if (find(self, request, &entry, &key))
        get(self, request, entry, key);
}

struct http_handler routes_handler(struct routes *routes)
{
    return (struct http_handler){
        .handle = routes_handle,
        .resumed = routes_resumed,
        .refuse = problem_refuse,
        .self = routes,
        .context_size = sizeof(struct parked),
    };
}
