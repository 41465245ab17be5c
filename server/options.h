/* SPDX-License-Identifier: MIT */
/*
 * options.h: every option of the configuration file, once. From this list come the parser's tables, the defaults and
 * the checks (config.c); tests hold conf/sluice.conf and sluice.conf(5) against it. To add an option: a line here, a
 * field in config.h, the block in the manual that the test prints, and the line in conf/sluice.conf.
 *
 * May be used by: the config files of the server, options.c, options_words.c, tests.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "config.h"

/* Where an option stands, and the section's name in the file. ROOT is the file outside of sections. */
#define OPTIONS_SECTIONS(X)                                                                                            \
    X(ROOT, "root")                                                                                                    \
    X(CACHE, "cache")                                                                                                  \
    X(HTTP, "http")                                                                                                    \
    X(SQLITE, "sqlite")                                                                                                \
    X(FILE, "file")

#define OPTIONS_SECTION_NAME(section, name) OPTIONS_IN_##section,
enum options_section { OPTIONS_SECTIONS(OPTIONS_SECTION_NAME) OPTIONS_SECTIONS_TOTAL };
#undef OPTIONS_SECTION_NAME

/* What a value may be, and the word for it in messages and in the manual. */
#define OPTIONS_TYPES(X)                                                                                               \
    X(ADDRESS, "address")                                                                                              \
    X(PATH, "path")                                                                                                    \
    X(TEXT, "text")                                                                                                    \
    X(URL, "URL")                                                                                                      \
    X(MEDIA_TYPE, "media type")                                                                                        \
    X(LEVEL, "level")                                                                                                  \
    X(BOOL, "bool")                                                                                                    \
    X(COUNT, "count")                                                                                                  \
    X(SIZE, "size")                                                                                                    \
    X(DURATION, "duration")

#define OPTIONS_TYPE_NAME(type, word) OPTIONS_TYPE_##type,
enum options_type { OPTIONS_TYPES(OPTIONS_TYPE_NAME) };
#undef OPTIONS_TYPE_NAME

/*
 * X(section, type, name, field, presence, default, minimum, maximum, doc)
 *
 * Default, minimum and maximum are written as in the file. A default of NULL leaves the field zero or NULL. A maximum
 * of "never" means that there is none and that "never" may be written. The doc is a sentence or two, and stands
 * in the manual and in conf/sluice.conf as it is here.
 */
/* clang-format off */
#define OPTIONS(X)                                                                                                     \
    X(ROOT, ADDRESS, listen, listen, OPTIONAL, "0.0.0.0:8080", NULL, NULL,                                             \
      "Where the data side listens.")                                                                                  \
    X(ROOT, ADDRESS, admin_listen, admin_listen, OPTIONAL, "127.0.0.1:8081", NULL, NULL,                               \
      "Where the admin side listens. Other than on the loopback or a unix socket it needs admin_token_file.")          \
    X(ROOT, PATH, admin_token_file, admin_token_file, OPTIONAL, NULL, NULL, NULL,                                      \
      "File with the bearer token that requests to the admin side must carry.")                                        \
    X(ROOT, COUNT, workers, workers, OPTIONAL, "0", "0", "256",                                                        \
      "Threads that serve connections. With 0 there is one for each processor.")                                       \
    X(ROOT, COUNT, connections_max, connections_max, OPTIONAL, "10000", "1", "1000000",                                \
      "Connections to the data side at once, parked requests included.")                                               \
    X(ROOT, SIZE, header_size_max, header_size_max, OPTIONAL, "8KiB", "1KiB", "1MiB",                                  \
      "Size of a request's first line and headers.")                                                                   \
    X(ROOT, DURATION, idle_timeout, idle_timeout_ms, OPTIONAL, "75s", "1s", "1d",                                      \
      "How long a connection may be silent before it is closed. A request that is not whole after three times that "   \
      "is cut off.")                                                                                                   \
    X(ROOT, DURATION, drain_timeout, drain_timeout_ms, OPTIONAL, "30s", "0", "1h",                                     \
      "How long accepted requests may still take after a signal to stop.")                                             \
    X(ROOT, LEVEL, log_level, log_level, OPTIONAL, "info", NULL, NULL,                                                 \
      "The lowest level that is logged: error, warning, info or debug.")                                               \
    X(ROOT, BOOL, failure_details, failure_details, OPTIONAL, "true", NULL, NULL,                                      \
      "Whether the answer to a failed load says why: with the backend's address or path. The log does always.")        \
                                                                                                                       \
    X(CACHE, SIZE, maximum_size, maximum_weight, OPTIONAL, "64MiB", "1KiB", "1024TiB",                                 \
      "Memory for keys, values and their overhead. Not together with maximum_entries.")                                \
    X(CACHE, COUNT, maximum_entries, maximum_entries, OPTIONAL, NULL, "1", "1000000000",                               \
      "Number of entries, as a bound instead of maximum_size.")                                                        \
    X(CACHE, DURATION, expire_after_write, expire_after_write_ms, OPTIONAL, "never", "0", "never",                     \
      "Time to live of a value. With 0 misses are coalesced and nothing is stored.")                                   \
    X(CACHE, DURATION, not_found_ttl, not_found_ttl_ms, OPTIONAL, "0", "0", "never",                                   \
      "How long it is remembered that the backend has no value for a key.")                                            \
    X(CACHE, DURATION, failure_backoff, failure_backoff_ms, OPTIONAL, "0", "0", "1d",                                  \
      "How long a first failure of a key is remembered. Each failure in a row doubles it.")                            \
    X(CACHE, DURATION, failure_backoff_max, failure_backoff_max_ms, OPTIONAL, "60s", "1ms", "1d",                      \
      "Where the growth of failure_backoff ends.")                                                                     \
    X(CACHE, DURATION, load_timeout, load_timeout_ms, OPTIONAL, "30s", "1ms", "never",                                 \
      "How long a load may take, waiting for a free backend call included.")                                           \
    X(CACHE, DURATION, wait_timeout, wait_timeout_ms, OPTIONAL, "30s", "1ms", "1d",                                    \
      "How long a request waits for a load. A request may ask for less with the header Prefer: wait=seconds.")         \
    X(CACHE, SIZE, key_size_max, key_size_max, OPTIONAL, "1KiB", "1", "65535",                                         \
      "Size of a key after percent-decoding.")                                                                         \
    X(CACHE, SIZE, value_size_max, value_size_max, OPTIONAL, "16MiB", "1", "2147483647",                               \
      "Size of a value. A larger one fails its load.")                                                                 \
    X(CACHE, COUNT, loads_max, loads_max, OPTIONAL, "1024", "1", "1000000",                                            \
      "Loads in flight at once, queued ones included.")                                                                \
    X(CACHE, COUNT, waiters_per_key_max, waiters_per_key_max, OPTIONAL, "65536", "1", "10000000",                      \
      "Requests parked on one key's load.")                                                                            \
    X(CACHE, COUNT, waiters_max, waiters_max, OPTIONAL, "262144", "1", "10000000",                                     \
      "Requests parked in this cache.")                                                                                \
                                                                                                                       \
    X(HTTP, URL, url, url, REQUIRED, NULL, NULL, NULL,                                                                 \
      "Where values are fetched. The key, percent-encoded, stands in for {key}, which is in the path or the query.")   \
    X(HTTP, COUNT, max_concurrent, max_concurrent, OPTIONAL, "64", "1", "10000",                                       \
      "Requests to the backend at once.")                                                                              \
    X(HTTP, COUNT, queue_max, queue_max, OPTIONAL, "1024", "0", "1000000",                                             \
      "Loads that wait for a free request. Over it they are refused.")                                                 \
    X(HTTP, DURATION, timeout, timeout_ms, OPTIONAL, "10s", "1ms", "1h",                                               \
      "How long a whole transfer may take.")                                                                           \
    X(HTTP, DURATION, connect_timeout, connect_timeout_ms, OPTIONAL, "2s", "1ms", "1h",                                \
      "How long of that the connection may take.")                                                                     \
    X(HTTP, BOOL, respect_cache_control, respect_cache_control, OPTIONAL, "true", NULL, NULL,                          \
      "Whether the answer's Cache-Control, Expires and Vary: * bound the time to live.")                               \
                                                                                                                       \
    X(SQLITE, PATH, database, database, REQUIRED, NULL, NULL, NULL,                                                    \
      "The database file, opened read-only.")                                                                          \
    X(SQLITE, TEXT, query, query, REQUIRED, NULL, NULL, NULL,                                                          \
      "A query with one parameter, the key. Its first row's first column is the value.")                               \
    X(SQLITE, MEDIA_TYPE, content_type, content_type, OPTIONAL, NULL, NULL, NULL,                                      \
      "Media type of the values, application/octet-stream if none is set. A second column of the query overrules it.") \
    X(SQLITE, COUNT, max_concurrent, max_concurrent, OPTIONAL, "4", "1", "256",                                        \
      "Threads that query, each with a connection of its own.")                                                        \
    X(SQLITE, COUNT, queue_max, queue_max, OPTIONAL, "1024", "0", "1000000",                                           \
      "Loads that wait for a free thread. Over it they are refused.")                                                  \
    X(SQLITE, DURATION, timeout, timeout_ms, OPTIONAL, "10s", "1ms", "never",                                          \
      "How long a query may take, waiting for a locked database included.")                                            \
                                                                                                                       \
    X(FILE, PATH, directory, directory, REQUIRED, NULL, NULL, NULL,                                                    \
      "The directory whose regular files are the values. The key is the path beneath it.")                             \
    X(FILE, MEDIA_TYPE, content_type, content_type, OPTIONAL, NULL, NULL, NULL,                                        \
      "Media type of the values, application/octet-stream if none is set.")                                            \
    X(FILE, COUNT, max_concurrent, max_concurrent, OPTIONAL, "4", "1", "256",                                          \
      "Threads that read files.")                                                                                      \
    X(FILE, COUNT, queue_max, queue_max, OPTIONAL, "1024", "0", "1000000",                                             \
      "Loads that wait for a free thread. Over it they are refused.")
/* clang-format on */

/* Words that the admin side's paths begin with, so that no cache can be named like them. */
#define OPTIONS_RESERVED_NAMES                                                                                         \
    {                                                                                                                  \
        "stats", "metrics", "inflight", "healthz", "readyz", "dashboard"                                               \
    }

struct option {
    enum options_section section;
    enum options_type type;
    const char *name;
    size_t offset; /* of its field in the section's struct */
    size_t width;  /* bytes of that field */
    bool required;
    const char *preset; /* the default, or NULL */
    const char *minimum;
    const char *maximum;
    const char *doc;
};

/* One number for each option: its place in options_all. */
#define OPTIONS_INDEX(section, type, name, field, presence, preset, minimum, maximum, doc) OPTION_##section##_##name,
enum options_index { OPTIONS(OPTIONS_INDEX) OPTIONS_TOTAL };
#undef OPTIONS_INDEX

extern const struct option options_all[OPTIONS_TOTAL];

/* "cache", "http", ...; "root" for the file itself. */
const char *options_section_name(enum options_section section);

/* "duration", "count", ... */
const char *options_type_word(enum options_type type);

/* Whether its fields are strings. */
bool options_type_is_string(enum options_type type);

/* The section of that name into `section`; false if there is none. */
bool options_section_find(const char *name, enum options_section *section);

/* The option, or NULL. */
const struct option *options_find(enum options_section section, const char *name);

/*
 * Reads `text` into the option's field of the struct at `base`. Strings are copied; what was there before is freed.
 * Returns NULL, or what is wrong in words (static): the field is as before then.
 */
const char *options_store(const struct option *option, const char *text, void *base);

/* Frees the strings of a section's struct, as its options say. */
void options_free_strings(enum options_section section, void *base);

/* Words, in options_words.c. Both fill and return the caller's buffer. */

/* What the option expects: "a duration from 1s to 1d". */
const char *options_expected(const struct option *option, char *words, size_t words_size);

/* What somebody may have meant who wrote `name` in `section`, to be put behind a message, or "" for no idea. */
const char *options_hint(enum options_section section, const char *name, char *words, size_t words_size);

#endif
