/* SPDX-License-Identifier: MIT */
/* views.c: loads in flight and statistics as JSON. See views.h. */
#include "views.h"

#include "json_text.h"

/* ---- loads in flight --------------------------------------------------------------------------------------------- */

struct inflight {
    const struct caches_entry *entry;
    json_t *rows;
    bool truncated;
    bool no_memory;
};

static bool on_flight(void *arg, const struct sluice_flight_view *flight)
{
    struct inflight *inflight = arg;
    if (json_array_size(inflight->rows) == VIEWS_INFLIGHT_MAX) {
        inflight->truncated = true;
        return false;
    }
    bool encoded;
    json_t *key = json_text(flight->key, flight->key_size, &encoded);
    json_t *row = json_pack("{s:s, s:o, s:s, s:I, s:I, s:s, s:s}", "cache", inflight->entry->name, "key", key,
                            "encoding", encoded ? "percent" : "utf-8", "age_ms", (json_int_t)flight->age_ms, "waiters",
                            (json_int_t)flight->waiters, "backend", inflight->entry->backend.kind, "state",
                            sluice_flight_state_name(flight->state));
    inflight->no_memory = !row || json_array_append_new(inflight->rows, row) != 0;
    return !inflight->no_memory;
}

json_t *views_inflight(const struct caches *caches)
{
    struct inflight inflight = {.rows = json_array()};
    inflight.no_memory = !inflight.rows;
    for (size_t i = 0; i < caches->count && !inflight.truncated && !inflight.no_memory; i++) {
        inflight.entry = &caches->entries[i];
        if (sluice_cache_for_each_flight(inflight.entry->cache, on_flight, &inflight) == SLUICE_NO_MEMORY)
            inflight.no_memory = true;
    }
    if (inflight.no_memory) {
        json_decref(inflight.rows);
        return NULL;
    }
    return json_pack("{s:o, s:b}", "loads", inflight.rows, "truncated", (int)inflight.truncated);
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */

static int set_number(json_t *object, const char *name, uint64_t value)
{
    return json_object_set_new(object, name, json_integer((json_int_t)value));
}

static json_t *backend_stats(const struct backend *backend)
{
    struct backend_stats stats;
    backend->stats(backend->self, &stats);
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "kind", backend->kind, "running", (json_int_t)stats.running,
                     "running_max", (json_int_t)stats.running_max, "queued", (json_int_t)stats.queued, "queued_max",
                     (json_int_t)stats.queued_max);
}

static json_t *cache_stats(const struct caches_entry *entry)
{
    struct sluice_stats stats;
    sluice_cache_stats(entry->cache, &stats);
    json_t *object = json_object();
    int failed = 0;
#define SET_NUMBER(name, text) failed |= set_number(object, #name, stats.name);
    SLUICE_STATS(SET_NUMBER, SET_NUMBER)
#undef SET_NUMBER
    failed |= json_object_set_new(object, "backend", backend_stats(&entry->backend));
    if (failed == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *http_stats(struct http_server *server)
{
    static const char *const classes[HTTP_STATUS_CLASSES] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    struct http_stats stats;
    http_server_stats(server, &stats);
    json_t *object = json_object();
    json_t *answers = json_object();
    int failed = 0;
#define SET_NUMBER(name, text) failed |= set_number(object, #name, stats.name);
    HTTP_STATS(SET_NUMBER, SET_NUMBER)
#undef SET_NUMBER
    for (int class = 0; class < HTTP_STATUS_CLASSES; class ++)
        failed |= set_number(answers, classes[class], stats.answers[class]);
    failed |= json_object_set_new(object, "answers", answers);
    if (failed == 0)
        return object;
    json_decref(object);
    return NULL;
}

json_t *views_stats(const struct caches *caches, struct http_server *data, struct http_server *admin, int64_t uptime_ms)
{
    json_t *by_name = json_object();
    int failed = 0;
    for (size_t i = 0; i < caches->count; i++)
        failed |= json_object_set_new(by_name, caches->entries[i].name, cache_stats(&caches->entries[i]));
    if (failed != 0) {
        json_decref(by_name);
        return NULL;
    }
    return json_pack("{s:s, s:I, s:o, s:{s:o, s:o}}", "version", sluice_version(), "uptime_ms", (json_int_t)uptime_ms,
                     "caches", by_name, "http", "data", http_stats(data), "admin", http_stats(admin));
}
