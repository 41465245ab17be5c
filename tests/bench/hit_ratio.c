/* SPDX-License-Identifier: MIT */
/*
 * hit_ratio.c: plays a trace on the library, one cache after the other, and tells what share of its requests each
 * answered without a load. Behind the script hit-ratio, which unpacks the trace.
 *
 * Each cache is as an embedding program would make it: default options but for the maximum, from empty, every request
 * counted, one thread, a loader that brings a small value for every key.
 */
#include "measure.h"

#include <limits.h>
#include <sluice/cache.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace {
    char *text; /* the keys, each ended by a newline */
    size_t size;
};

static void die(const char *what)
{
    fprintf(stderr, "hit_ratio: %s\n", what);
    exit(1);
}

static struct trace read_trace(FILE *file)
{
    struct trace trace = {NULL, 0};
    size_t room = 0, got;

    do {
        if (trace.size == room) {
            room = room == 0 ? (size_t)1 << 20 : 2 * room;
            trace.text = realloc(trace.text, room + 1);
            if (trace.text == NULL)
                die("no memory for the trace");
        }
        got = fread(trace.text + trace.size, 1, room - trace.size, file);
        trace.size += got;
    } while (got > 0);
    if (ferror(file))
        die("the trace can't be read");
    if (trace.size > 0 && trace.text[trace.size - 1] != '\n')
        trace.text[trace.size++] = '\n';
    return trace;
}

static void load_value(void *self, struct sluice_load *load)
{
    static const char bytes[8] = "value";
    struct sluice_content content = SLUICE_CONTENT_INIT;
    uint64_t *loads = self;

    (*loads)++;
    content.data = bytes;
    content.size = sizeof bytes;
    sluice_load_complete(load, &content);
}

static void play(const struct trace *trace, size_t maximum)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    const char *key = trace->text, *end = trace->text + trace->size;
    uint64_t loads = 0, requests = 0;
    struct sluice_cache *cache;

    options.maximum_entries = maximum;
    options.loader = (struct sluice_loader){.load = load_value, .self = &loads};
    if (sluice_cache_create(&options, &cache) != SLUICE_OK)
        die("no cache");
    while (key < end) {
        const char *newline = memchr(key, '\n', (size_t)(end - key));
        struct sluice_value *value;

        if (sluice_get(cache, key, (size_t)(newline - key), SLUICE_WAIT_FOREVER, &value) != SLUICE_OK)
            die("a get failed");
        sluice_value_unref(value);
        requests++;
        key = newline + 1;
    }
    sluice_cache_destroy(cache);
    printf("entries %zu requests %llu loads %llu hit ratio %% %.2f\n", maximum, (unsigned long long)requests,
           (unsigned long long)loads, 100.0 * (double)(requests - loads) / (double)(requests > 0 ? requests : 1));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct trace trace;

    if (argc < 2) {
        fprintf(stderr, "usage: hit_ratio SIZE... < TRACE\n");
        return 2;
    }
    for (int i = 1; i < argc; i++)
        (void)measure_option_number("SIZE", argv[i], 1, LONG_MAX);
    trace = read_trace(stdin);
    for (int i = 1; i < argc; i++)
        play(&trace, (size_t)measure_option_number("SIZE", argv[i], 1, LONG_MAX));
    free(trace.text);
    return 0;
}
