/* SPDX-License-Identifier: MIT */
/*
 * caches.c: makes a cache and its backend out of each cache section. See caches.h.
 *
 * Order at the end: caches are closed, so that no load begins any more; then the backends are destroyed, which ends
 * every load that is still running; then the caches.
 */
#include "caches.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef SLUICE_HAVE_FILE
#include "loader/file.h"
#endif
#ifdef SLUICE_HAVE_HTTP
#include "loader/http.h"
#endif
#ifdef SLUICE_HAVE_SQLITE
#include "loader/sqlite.h"
#endif

static bool make_http(const struct config_cache *section, struct backend *backend, struct backend_fault *fault)
{
#ifdef SLUICE_HAVE_HTTP
    const struct config_backend *from = &section->backend;
    struct http_backend_options options = {
        .url = from->url,
        .max_concurrent = from->max_concurrent,
        .queue_max = from->queue_max,
        .body_size_max = section->value_size_max,
        .timeout_ms = from->timeout_ms,
        .connect_timeout_ms = from->connect_timeout_ms,
        .ttl_max_ms = section->expire_after_write_ms,
        .respect_cache_control = from->respect_cache_control,
    };
    return http_backend_create(&options, backend, fault);
#else
    (void)section;
    (void)backend;
    return backend_fault_set(fault, "this sluiced was built without the http backend");
#endif
}

static bool make_sqlite(const struct config_cache *section, struct backend *backend, struct backend_fault *fault)
{
#ifdef SLUICE_HAVE_SQLITE
    const struct config_backend *from = &section->backend;
    struct sqlite_backend_options options = {
        .database = from->database,
        .query = from->query,
        .content_type = from->content_type,
        .value_size_max = section->value_size_max,
        .max_concurrent = from->max_concurrent,
        .queue_max = from->queue_max,
        .timeout_ms = from->timeout_ms,
    };
    return sqlite_backend_create(&options, backend, fault);
#else
    (void)section;
    (void)backend;
    return backend_fault_set(fault, "this sluiced was built without the sqlite backend");
#endif
}

static bool make_file(const struct config_cache *section, struct backend *backend, struct backend_fault *fault)
{
#ifdef SLUICE_HAVE_FILE
    const struct config_backend *from = &section->backend;
    struct file_backend_options options = {
        .directory = from->directory,
        .content_type = from->content_type,
        .file_size_max = section->value_size_max,
        .max_concurrent = from->max_concurrent,
        .queue_max = from->queue_max,
    };
    return file_backend_create(&options, backend, fault);
#else
    (void)section;
    (void)backend;
    return backend_fault_set(fault, "this sluiced was built without the file backend");
#endif
}

static bool make_backend(const struct config_cache *section, struct backend *backend, struct backend_fault *fault)
{
    switch (section->backend.kind) {
    case CONFIG_BACKEND_HTTP:
        return make_http(section, backend, fault);
    case CONFIG_BACKEND_SQLITE:
        return make_sqlite(section, backend, fault);
    case CONFIG_BACKEND_FILE:
        return make_file(section, backend, fault);
    }
    abort(); /* cannot happen: the configuration was checked */
}

static enum sluice_error make_cache(const struct config_cache *section, struct caches_entry *entry,
                                    const char **options_fault)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    options.loader = entry->backend.loader;
    options.maximum_entries = section->maximum_entries;
    options.maximum_weight = section->maximum_weight;
    options.expire_after_write_ms = section->expire_after_write_ms;
    options.not_found_ttl_ms = section->not_found_ttl_ms;
    options.failure_backoff_ms = section->failure_backoff_ms;
    options.failure_backoff_max_ms = section->failure_backoff_max_ms;
    options.load_timeout_ms = section->load_timeout_ms;
    options.key_size_max = section->key_size_max;
    options.value_size_max = section->value_size_max;
    options.loads_max = section->loads_max;
    options.waiters_per_key_max = section->waiters_per_key_max;
    options.waiters_max = section->waiters_max;
    options.make_etags = true;
    *options_fault = sluice_options_fault(&options);
    return sluice_cache_create(&options, &entry->cache);
}

__attribute__((format(printf, 2, 3))) static bool fault_set(struct caches_fault *fault, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(fault->text, sizeof fault->text, format, values);
    va_end(values);
    return false;
}

static bool make_entry(const struct config_cache *section, struct caches_entry *entry, struct caches_fault *fault)
{
    entry->name = section->name;
    entry->name_size = strlen(section->name);
    entry->wait_timeout_ms = section->wait_timeout_ms;
    entry->key_size_max = section->key_size_max;
    entry->value_size_max = section->value_size_max;
    struct backend_fault backend_fault = {""};
    if (!make_backend(section, &entry->backend, &backend_fault))
        return fault_set(fault, "cache \"%s\": %s", section->name, backend_fault.text);
    const char *options_fault;
    enum sluice_error error = make_cache(section, entry, &options_fault);
    if (error == SLUICE_OK)
        return true;
    entry->backend.destroy(entry->backend.self);
    return fault_set(fault, "cache \"%s\": %s", section->name, options_fault ? options_fault : sluice_strerror(error));
}

bool caches_create(const struct config *config, struct caches *caches, struct caches_fault *fault)
{
    caches->count = 0;
    caches->entries = calloc(config->caches_count, sizeof *caches->entries);
    if (!caches->entries)
        return fault_set(fault, "out of memory");
    for (; caches->count < config->caches_count; caches->count++) {
        if (!make_entry(&config->caches[caches->count], &caches->entries[caches->count], fault)) {
            caches_destroy(caches);
            return false;
        }
    }
    return true;
}

void caches_check(const struct config *config, void (*tell)(void *arg, const char *fault), void *arg)
{
    for (size_t i = 0; i < config->caches_count; i++) {
        struct caches_entry entry = {.name = NULL};
        struct caches_fault fault;
        if (!make_entry(&config->caches[i], &entry, &fault)) {
            tell(arg, fault.text);
            continue;
        }
        sluice_cache_close(entry.cache);
        entry.backend.destroy(entry.backend.self);
        sluice_cache_destroy(entry.cache);
    }
}

struct caches_entry *caches_find(const struct caches *caches, const void *name, size_t name_size)
{
    for (size_t i = 0; i < caches->count; i++)
        if (caches->entries[i].name_size == name_size && memcmp(caches->entries[i].name, name, name_size) == 0)
            return &caches->entries[i];
    return NULL;
}

void caches_close(struct caches *caches)
{
    for (size_t i = 0; i < caches->count; i++)
        sluice_cache_close(caches->entries[i].cache);
}

void caches_destroy(struct caches *caches)
{
    caches_close(caches);
    for (size_t i = 0; i < caches->count; i++)
        caches->entries[i].backend.destroy(caches->entries[i].backend.self);
    for (size_t i = 0; i < caches->count; i++)
        sluice_cache_destroy(caches->entries[i].cache);
    free(caches->entries);
    *caches = (struct caches){NULL, 0};
}
