/* SPDX-License-Identifier: MIT */
/*
 * config_read.h: between the parser and the rules: gathers a file's settings section by section, stores the values,
 * fills in defaults, and reports what is wrong. Knows nothing of libconfuse.
 *
 * May be used by: config.c. Calls come in the order of the file: values of a section, then its end; a backend's end
 * comes before that of its cache, and the root's end last.
 */
#ifndef SERVER_CONFIG_READ_H
#define SERVER_CONFIG_READ_H

#include "config_fault.h"
#include "options.h"

/* What is known of one option in the section that is being read. */
struct config_setting {
    int line; /* where it was set; 0: it was not */
    bool bad; /* its value was refused */
};

struct config_reader {
    struct config_faults *faults;
    struct config *config;                         /* filled by and by; the root's fields and the caches that ended */
    struct config_cache cache;                     /* the one that is being read */
    struct config_backend backend;                 /* likewise */
    size_t backends;                               /* backend sections in this cache so far */
    int *cache_lines;                              /* of each of config->caches */
    struct config_setting settings[OPTIONS_TOTAL]; /* of the sections that are open */
};

/* `config` is zeroed, and is the caller's throughout. */
void config_reader_init(struct config_reader *reader, struct config *config, struct config_faults *faults);
void config_reader_fini(struct config_reader *reader);

/* An option of that section is set to `text` on that line. NULL: to what can't be known, which was told already. */
void config_reader_value(struct config_reader *reader, const struct option *option, const char *text, int line);

/* A section ended; `line` is the one on which it opened. A name of NULL can't be known, which was told already. */
void config_reader_end_backend(struct config_reader *reader, enum options_section section, int line);
void config_reader_end_cache(struct config_reader *reader, const char *name, int line);
void config_reader_end_root(struct config_reader *reader);

#endif
