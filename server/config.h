/* SPDX-License-Identifier: MIT */
/*
 * config.h: the configuration file as data. One option table (options.h) gives the parser, the defaults, the check, the
 * manual and conf/sluice.conf; this file is what comes out of it.
 *
 * May be used by: the server's files. Knows libconfuse only inside config.c.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum config_backend_kind { CONFIG_BACKEND_HTTP, CONFIG_BACKEND_SQLITE, CONFIG_BACKEND_FILE };

/* One backend section. Which fields mean something is told by `kind`; the others are zero or NULL. */
struct config_backend {
    enum config_backend_kind kind;
    size_t max_concurrent;      /* backend calls at once */
    size_t queue_max;           /* loads that may wait for one of these; more are refused */
    char *content_type;         /* sqlite, file: media type of the values; NULL: file goes by nothing, octet-stream */
    char *url;                  /* http: with {key} in it once */
    int64_t timeout_ms;         /* http: a whole transfer; sqlite: a query */
    int64_t connect_timeout_ms; /* http */
    bool respect_cache_control; /* http: the answer's Cache-Control bounds the time to live */
    char *database;             /* sqlite: path, opened read-only */
    char *query;                /* sqlite: one parameter, the key */
    char *directory;            /* file */
};

struct config_cache {
    char *name;              /* [A-Za-z0-9_-]{1,64}, none of the admin side's words */
    size_t maximum_entries;  /* at most one of these two is not 0 */
    uint64_t maximum_weight; /* the option maximum_size, bytes */
    int64_t expire_after_write_ms;
    int64_t not_found_ttl_ms;
    int64_t failure_backoff_ms;
    int64_t failure_backoff_max_ms;
    int64_t load_timeout_ms;
    int64_t wait_timeout_ms; /* deadline of a request that names none */
    size_t key_size_max;
    size_t value_size_max;
    size_t loads_max;
    size_t waiters_per_key_max;
    size_t waiters_max;
    struct config_backend backend;
};

struct config {
    char *listen;           /* "host:port", "[v6]:port" or "unix:/path" */
    char *admin_listen;     /* likewise */
    char *admin_token_file; /* or NULL */
    size_t workers;         /* 0: one a core */
    size_t connections_max;
    size_t header_size_max; /* bytes of request line and headers */
    int64_t idle_timeout_ms;
    int64_t drain_timeout_ms; /* after SIGTERM: how long requests may still take */
    int log_level;            /* enum log_level of log.h */
    bool failure_details;     /* whether the answer to a failed load says why */
    struct config_cache *caches;
    size_t caches_count; /* at least 1 */
};

/*
 * Reads and checks the whole file. One line a fault is written to `errors`, as "FILE:LINE: what is wrong", or "FILE:
 * what is wrong" of a file that can't be read. Returns NULL if there was any, else a configuration for
 * config_destroy(). Opens nothing but the file. One thread at a time: libconfuse's scanner is one for the process.
 */
struct config *config_load(const char *path, FILE *errors);

/* Likewise, of a text that was read already. `name` is what stands for FILE. Allocates in proportion to the text. */
struct config *config_parse(const char *text, size_t size, const char *name, FILE *errors);

/* NULL is allowed. */
void config_destroy(struct config *config);

#endif
