/* SPDX-License-Identifier: MIT */
/*
 * backend.h: what every loader in this folder hands to the program that uses it.
 *
 * May be used by: the server, tests. Uses: sluice/loader.h only. Each backend has a header of its own with its options
 * and one function `<kind>_backend_create`, which makes a struct backend or says in words what is wrong.
 */
#ifndef LOADER_BACKEND_H
#define LOADER_BACKEND_H

#include <sluice/loader.h>

/* What went wrong when a backend was made: names the thing (path, query, URL) and the cause. */
struct backend_fault {
    char text[512];
};

/* Writes the fault as printf does; cut at the size of the text. Returns false, so that it can end a function. */
bool backend_fault_set(struct backend_fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Whether `text` can be passed on as a media type: type/subtype (RFC 9110, 8.3.1), then nothing or a semicolon and
 * whatever parameters; printable ASCII, up to 255 bytes.
 */
bool backend_content_type_is_fit(const char *text);

/* Levels and limits of the moment. */
struct backend_stats {
    size_t running;     /* backend calls under way */
    size_t running_max; /* the limit of that */
    size_t queued;      /* loads that wait for one to end */
    size_t queued_max;  /* the limit of that; over it a load is refused */
};

struct backend {
    const char *kind;            /* "http", "sqlite", "file", ...: static */
    struct sluice_loader loader; /* to be given to sluice_cache_create() */
    void (*stats)(void *self, struct backend_stats *stats);
    /*
     * Ends every load, queued or running (queued ones at once with sluice_load_fail(), running ones as soon as the
     * backend call can be ended), joins the threads and frees everything. No load may begin any more: the cache that
     * uses it is closed or destroyed before.
     */
    void (*destroy)(void *self);
    void *self; /* for both; the same object that loader.self is */
};

#endif
