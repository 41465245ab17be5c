/* SPDX-License-Identifier: MIT */
/* admin.c: the admin side's requests. See admin.h. Nothing here parks: every request is answered at once. */
#include "admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json_text.h"
#include "log.h"
#include "metrics.h"
#include "problem.h"
#include "uri.h"
#include "views.h"

/* ---- invalidation ------------------------------------------------------------------------------------------------ */

static void answer_gone(struct http_request *request, const struct caches_entry *entry, const char *what,
                        const struct sluice_invalidated *gone)
{
    char entries[24];
    char loads[24];
    snprintf(entries, sizeof entries, "%zu", gone->entries);
    snprintf(loads, sizeof loads, "%zu", gone->loads);
    /* Keys may be invalidated by the thousand; what goes further is worth a line. */
    log_event(strcmp(what, "key") == 0 ? LOG_DEBUG : LOG_INFO, "invalidated", "cache", entry->name, "what", what,
              "entries", entries, "loads", loads, NULL);
    json_answer_compact(
        request, 200, json_pack("{s:I, s:I}", "entries", (json_int_t)gone->entries, "loads", (json_int_t)gone->loads));
}

static bool refuse_nul(struct http_request *request, struct uri_bytes bytes)
{
    const char *nul = memchr(bytes.data, '\0', bytes.size);
    if (nul)
        problem_answer(request, PROBLEM_NUL_KEY, "byte %td, decoded, is NUL, which keys over HTTP can't hold",
                       nul - bytes.data);
    return nul != NULL;
}

static void delete_key(struct http_request *request, const struct caches_entry *entry, struct uri_bytes key)
{
    struct sluice_invalidated gone;
    if (request->query) {
        problem_answer(request, PROBLEM_UNKNOWN_PARAMETER,
                       "DELETE /%s/{key} takes no query; a ? in a key is written %%3F. Nothing was invalidated.",
                       entry->name);
    } else if (key.size == 0) {
        problem_answer(request, PROBLEM_EMPTY_KEY,
                       "DELETE /%s/{key} needs a key; DELETE /%s clears the cache. Nothing was invalidated.",
                       entry->name, entry->name);
    } else if (!refuse_nul(request, key)) {
        sluice_invalidate(entry->cache, key.data, key.size, &gone);
        answer_gone(request, entry, "key", &gone);
    }
}

static void delete_prefix(struct http_request *request, const struct caches_entry *entry)
{
    char *rest = request->query;
    struct uri_parameter parameter;
    struct uri_fault fault;
    if (!uri_query_next(request->query, &rest, &parameter, &fault)) {
        problem_answer(request, PROBLEM_BAD_TARGET, "in the query, %s. Nothing was invalidated.", fault.text);
        return;
    }
    if (!uri_bytes_equal(parameter.name, "prefix") || !parameter.has_value || rest) {
        problem_answer(request, PROBLEM_UNKNOWN_PARAMETER,
                       "the query of DELETE /%s is exactly one prefix=..., or there is none. Nothing was invalidated.",
                       entry->name);
        return;
    }
    if (parameter.value.size == 0) {
        problem_answer(request, PROBLEM_UNKNOWN_PARAMETER,
                       "the prefix is empty; DELETE /%s without a query clears the cache. Nothing was invalidated.",
                       entry->name);
        return;
    }
    if (refuse_nul(request, parameter.value))
        return;
    struct sluice_invalidated gone;
    sluice_invalidate_prefix(entry->cache, parameter.value.data, parameter.value.size, &gone);
    answer_gone(request, entry, "prefix", &gone);
}

static void delete_all(struct http_request *request, const struct caches_entry *entry)
{
    struct sluice_invalidated gone;
    sluice_invalidate_all(entry->cache, &gone);
    answer_gone(request, entry, "all", &gone);
}

/* ---- views ------------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show_inflight(struct admin *admin, struct http_request *request)
{
    json_answer(request, 200, views_inflight(admin->caches));
}

static void show_stats(struct admin *admin, struct http_request *request)
{
    json_answer(request, 200,
                views_stats(admin->caches, admin->data_side, admin->admin_side, now_ms() - admin->started_ms));
}

static void show_metrics(struct admin *admin, struct http_request *request)
{
    size_t size = 0;
    char *text = metrics_text(admin->caches, admin->data_side, admin->admin_side, &size);
    struct http_answer answer = {.status = 200, .body = text, .size = size, .release = free, .release_arg = text};
    if (text) {
        http_answer_add(&answer, "Content-Type", METRICS_CONTENT_TYPE);
        http_answer_add(&answer, "Cache-Control", "no-store");
    } else {
        problem_make(&answer, PROBLEM_NO_MEMORY, NULL);
    }
    http_request_answer(request, &answer);
}

static void show_word(struct http_request *request, unsigned status, const char *word)
{
    struct http_answer answer = {.status = status, .body = word, .size = strlen(word)};
    http_answer_add(&answer, "Content-Type", "text/plain; charset=utf-8");
    http_answer_add(&answer, "Cache-Control", "no-store");
    http_request_answer(request, &answer);
}

static void show_health(struct admin *admin, struct http_request *request)
{
    (void)admin;
    show_word(request, 200, "ok\n");
}

static void show_readiness(struct admin *admin, struct http_request *request)
{
    if (atomic_load(&admin->draining))
        show_word(request, 503, "draining\n");
    else
        show_word(request, 200, "ready\n");
}

struct view {
    const char *path;
    bool open; /* needs no token */
    void (*show)(struct admin *admin, struct http_request *request);
};

static const struct view views[] = {
    {"/healthz", true, show_health}, {"/readyz", true, show_readiness}, {"/inflight", false, show_inflight},
    {"/stats", false, show_stats},   {"/metrics", false, show_metrics},
};

static const struct view *view_find(const char *path)
{
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        if (strcmp(views[i].path, path) == 0)
            return &views[i];
    return NULL;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* 401, which says whether a token came at all; the challenge does so as RFC 6750, section 3, wants it. */
static void refuse_token(struct http_request *request, enum guard_token token)
{
    struct http_answer answer;
    if (token == GUARD_TOKEN_WRONG) {
        problem_make(&answer, PROBLEM_UNAUTHORIZED, "the token is not the one of admin_token_file");
        http_answer_add(&answer, "WWW-Authenticate", "Bearer realm=\"sluice admin\", error=\"invalid_token\"");
    } else {
        problem_make(&answer, PROBLEM_UNAUTHORIZED,
                     "there is no header Authorization: Bearer with the token of admin_token_file");
        http_answer_add(&answer, "WWW-Authenticate", "Bearer realm=\"sluice admin\"");
    }
    http_request_answer(request, &answer);
}

/* Whether the request may go on; else it was answered. */
static bool admit(const struct admin *admin, struct http_request *request)
{
    const struct guard *guard = &admin->guard;
    if (guard->token) {
        enum guard_token token = guard_token_check(guard, http_request_field(request, HTTP_FIELD_AUTHORIZATION));
        if (token != GUARD_TOKEN_RIGHT)
            refuse_token(request, token);
        return token == GUARD_TOKEN_RIGHT;
    }
    if (!guard->browsers || guard_is_own_origin(http_request_field(request, HTTP_FIELD_HOST),
                                                http_request_field(request, HTTP_FIELD_ORIGIN)))
        return true;
    problem_answer(request, PROBLEM_FORBIDDEN,
                   "without admin_token_file the admin side wants a Host that is an address or localhost, and no "
                   "foreign Origin");
    return false;
}

static void handle_cache(struct admin *admin, struct http_request *request)
{
    struct uri_path path;
    struct uri_fault fault;
    if (!uri_path_parse(request->path, &path, &fault)) {
        problem_answer(request, PROBLEM_BAD_TARGET, "%s", fault.text);
        return;
    }
    if (path.shape == URI_PATH_OTHER) {
        problem_answer(request, PROBLEM_UNKNOWN_RESOURCE,
                       "there are /{cache}, /inflight, /stats, /metrics, /healthz, "
                       "/readyz");
        return;
    }
    const struct caches_entry *entry = caches_find(admin->caches, path.cache.data, path.cache.size);
    if (!entry)
        problem_answer(request, PROBLEM_UNKNOWN_CACHE, "no cache is called \"%.*s\"",
                       (int)(path.cache.size < 64 ? path.cache.size : 64), path.cache.data);
    else if (request->method != HTTP_DELETE)
        problem_answer_method(request, "DELETE");
    else if (path.shape == URI_PATH_KEY)
        delete_key(request, entry, path.key);
    else if (request->query)
        delete_prefix(request, entry);
    else
        delete_all(request, entry);
}

static void admin_handle(void *self, struct http_request *request)
{
    struct admin *admin = self;
    const struct view *view = view_find(request->path);
    if (!(view && view->open) && !admit(admin, request))
        return;
    if (!view)
        handle_cache(admin, request);
    else if (request->method != HTTP_GET && request->method != HTTP_HEAD)
        problem_answer_method(request, "GET, HEAD");
    else if (request->query)
        problem_answer(request, PROBLEM_UNKNOWN_PARAMETER, "%s takes no query", view->path);
    else
        view->show(admin, request);
}

static void admin_resumed(void *self, struct http_request *request)
{
    (void)self;
    (void)request;
    abort(); /* cannot happen: nothing here parks */
}

struct http_handler admin_handler(struct admin *admin)
{
    return (struct http_handler){
        .handle = admin_handle, .resumed = admin_resumed, .refuse = problem_refuse, .self = admin};
}
