/* SPDX-License-Identifier: MIT */
/* spec_property.c: see spec_property.h. */
#include "spec_property.h"

#include <sluice/cache.h>
#include <string.h>

static void load(void *self, struct sluice_load *load)
{
    (void)self;
    sluice_load_not_found(load);
}

static void load_many(void *self, struct sluice_load *const *loads, size_t count)
{
    (void)self;
    for (size_t i = 0; i < count; i++)
        sluice_load_not_found(loads[i]);
}

static const char *broken_refusal(const char *spec, const struct sluice_fault *fault)
{
    const void *end = memchr(fault->text, '\0', sizeof fault->text);

    if (end == NULL || end == fault->text)
        return "the text has no words, or no end";
    for (const char *at = fault->text; at < (const char *)end; at++) {
        if (*at < ' ' || *at > '~')
            return "the text is not printable";
    }
    return fault->offset <= strlen(spec) ? NULL : "the offset is outside the string";
}

/* Sets right what only shows in how options go with each other: each by itself has to be valid then. */
static const char *broken_options(struct sluice_options options)
{
    options.loader = (struct sluice_loader){.load = load, .load_many = load_many};
    if (options.maximum_entries > 0 && options.maximum_weight > 0)
        return "both maximums are set";
    if (options.failure_backoff_max_ms < options.failure_backoff_ms)
        options.failure_backoff_max_ms = options.failure_backoff_ms;
    if (options.stale_after_wait_ms != SLUICE_NEVER && options.stale_if_error_ms == 0)
        options.stale_if_error_ms = options.stale_after_wait_ms;
    if (options.stale_if_error_ms >= 0)
        options.stale_while_revalidate_ms = options.stale_if_error_ms;
    return sluice_options_fault(&options);
}

/* Byte by byte: they are copies, and what lies between the members was copied too. */
static bool same_bytes(const struct sluice_options *a, const struct sluice_options *b)
{
    return memcmp((const unsigned char *)a, (const unsigned char *)b, sizeof *a) == 0;
}

const char *spec_property_broken(const char *spec)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_options before;
    struct sluice_options again;
    struct sluice_fault fault;

    memset(&fault, '\xff', sizeof fault);
    memcpy(&before, &options, sizeof before);
    if (sluice_options_parse(&options, spec, &fault) != SLUICE_OK)
        return !same_bytes(&before, &options) ? "a refused string changes options" : broken_refusal(spec, &fault);
    memcpy(&again, &options, sizeof again);
    if (sluice_options_parse(&again, spec, NULL) != SLUICE_OK || !same_bytes(&again, &options))
        return "read for a second time the string means something else";
    return broken_options(options);
}
