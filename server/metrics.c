/* SPDX-License-Identifier: MIT */
/* metrics.c: Prometheus text, made from the lists of counters. See metrics.h. */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* All caches and sides as they are read once, so that a family's rows and the sums over them belong together. */
struct snapshot {
    const struct caches *caches;
    struct sluice_stats *cache_stats;
    struct backend_stats *backend_stats;
    struct http_stats sides[2];
};

static const char *const side_names[2] = {"data", "admin"};

/* A total's name ends in _total, as Prometheus wants it. */
struct family {
    const char *prefix;
    const char *name;
    const char *text;
    bool is_total;
};

static void write_family(FILE *out, const struct family *family)
{
    const char *end = family->is_total ? "_total" : "";
    fprintf(out, "# HELP %s%s%s %s.\n", family->prefix, family->name, end, family->text);
    fprintf(out, "# TYPE %s%s%s %s\n", family->prefix, family->name, end, family->is_total ? "counter" : "gauge");
}

static void write_name(FILE *out, const struct family *family)
{
    fprintf(out, "%s%s%s", family->prefix, family->name, family->is_total ? "_total" : "");
}

/* ---- caches ------------------------------------------------------------------------------------------------------ */

static void write_cache_row(FILE *out, const struct family *family, const struct caches_entry *entry, uint64_t value)
{
    write_name(out, family);
    fprintf(out, "{cache=\"%s\"} %" PRIu64 "\n", entry->name, value);
}

static void write_caches(FILE *out, const struct snapshot *snapshot)
{
#define WRITE_FAMILY(field, description, total)                                                                        \
    {                                                                                                                  \
        const struct family family = {"sluice_", #field, description, total};                                          \
        write_family(out, &family);                                                                                    \
        for (size_t i = 0; i < snapshot->caches->count; i++)                                                           \
            write_cache_row(out, &family, &snapshot->caches->entries[i], snapshot->cache_stats[i].field);              \
    }
#define WRITE_TOTAL(field, description) WRITE_FAMILY(field, description, true)
#define WRITE_LEVEL(field, description) WRITE_FAMILY(field, description, false)
    SLUICE_STATS(WRITE_TOTAL, WRITE_LEVEL)
#undef WRITE_LEVEL
#undef WRITE_TOTAL
#undef WRITE_FAMILY
}

/* ---- backends ---------------------------------------------------------------------------------------------------- */

#define BACKEND_LEVELS(LEVEL)                                                                                          \
    LEVEL(running, "Backend calls under way")                                                                          \
    LEVEL(running_max, "Backend calls that may be under way at once")                                                  \
    LEVEL(queued, "Loads that wait for a backend call to end")                                                         \
    LEVEL(queued_max, "Loads that may wait; more are refused")

static void write_backend_row(FILE *out, const struct family *family, const struct caches_entry *entry, size_t value)
{
    write_name(out, family);
    fprintf(out, "{cache=\"%s\",backend=\"%s\"} %zu\n", entry->name, entry->backend.kind, value);
}

static void write_backends(FILE *out, const struct snapshot *snapshot)
{
#define WRITE_LEVEL(field, description)                                                                                \
    {                                                                                                                  \
        const struct family family = {"sluice_backend_", #field, description, false};                                  \
        write_family(out, &family);                                                                                    \
        for (size_t i = 0; i < snapshot->caches->count; i++)                                                           \
            write_backend_row(out, &family, &snapshot->caches->entries[i], snapshot->backend_stats[i].field);          \
    }
    BACKEND_LEVELS(WRITE_LEVEL)
#undef WRITE_LEVEL
}

/* ---- HTTP -------------------------------------------------------------------------------------------------------- */

static void write_side_row(FILE *out, const struct family *family, const char *side, uint64_t value)
{
    write_name(out, family);
    fprintf(out, "{side=\"%s\"} %" PRIu64 "\n", side, value);
}

static void write_http(FILE *out, const struct snapshot *snapshot)
{
#define WRITE_FAMILY(field, description, total)                                                                        \
    {                                                                                                                  \
        const struct family family = {"sluice_http_", #field, description, total};                                     \
        write_family(out, &family);                                                                                    \
        for (size_t side = 0; side < 2; side++)                                                                        \
            write_side_row(out, &family, side_names[side], snapshot->sides[side].field);                               \
    }
#define WRITE_TOTAL(field, description) WRITE_FAMILY(field, description, true)
#define WRITE_LEVEL(field, description) WRITE_FAMILY(field, description, false)
    HTTP_STATS(WRITE_TOTAL, WRITE_LEVEL)
#undef WRITE_LEVEL
#undef WRITE_TOTAL
#undef WRITE_FAMILY
    const struct family answers = {"sluice_http_", "answers", "Requests answered, by the class of the status", true};
    write_family(out, &answers);
    for (size_t side = 0; side < 2; side++)
        for (int class = 2; class < HTTP_STATUS_CLASSES; class ++)
            fprintf(out, "sluice_http_answers_total{side=\"%s\",class=\"%dxx\"} %" PRIu64 "\n", side_names[side], class,
                    snapshot->sides[side].answers[class]);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static void write_all(FILE *out, const struct snapshot *snapshot)
{
    const struct family build = {"sluice_", "build_info", "Always 1; the label tells the version", false};
    write_family(out, &build);
    fprintf(out, "sluice_build_info{version=\"%s\"} 1\n", sluice_version());
    write_caches(out, snapshot);
    write_backends(out, snapshot);
    write_http(out, snapshot);
}

static bool snapshot_take(struct snapshot *snapshot, const struct caches *caches)
{
    snapshot->caches = caches;
    snapshot->cache_stats = calloc(caches->count, sizeof *snapshot->cache_stats);
    snapshot->backend_stats = calloc(caches->count, sizeof *snapshot->backend_stats);
    if (!snapshot->cache_stats || !snapshot->backend_stats)
        return false;
    for (size_t i = 0; i < caches->count; i++) {
        const struct caches_entry *entry = &caches->entries[i];
        sluice_cache_stats(entry->cache, &snapshot->cache_stats[i]);
        entry->backend.stats(entry->backend.self, &snapshot->backend_stats[i]);
    }
    return true;
}

char *metrics_text(const struct caches *caches, struct http_server *data, struct http_server *admin, size_t *size)
{
    char *text = NULL;
    struct snapshot snapshot = {.caches = NULL};
    if (!snapshot_take(&snapshot, caches))
        goto free_snapshot;
    http_server_stats(data, &snapshot.sides[0]);
    http_server_stats(admin, &snapshot.sides[1]);
    FILE *out = open_memstream(&text, size);
    if (!out)
        goto free_snapshot;
    write_all(out, &snapshot);
    bool whole = !ferror(out);
    if (fclose(out) != 0 || !whole) {
        free(text);
        text = NULL;
    }
free_snapshot:
    free(snapshot.cache_stats);
    free(snapshot.backend_stats);
    return text;
}
