/* SPDX-License-Identifier: MIT */
/* load.c: what a loader calls, sluice/loader.h: the load handle is the flight. */
#include "core.h"
#include "flight.h"
#include "value.h"

const void *sluice_load_key(const struct sluice_load *load)
{
    return load->key;
}

size_t sluice_load_key_size(const struct sluice_load *load)
{
    return load->key_size;
}

bool sluice_load_wanted(struct sluice_load *load)
{
    bool wanted;

    lock_acquire(&load->shard->lock);
    wanted = load->locked.state != SLUICE_FLIGHT_OVER;
    lock_release(&load->shard->lock);
    return wanted;
}

void sluice_load_complete(struct sluice_load *load, const struct sluice_content *content)
{
    const struct sluice_options *options = &load->cache->options;
    struct answer answer = {.ttl_ms = content->ttl_ms};

    answer.error = value_create(content, options->value_size_max, options->make_etags, &answer.value);
    if (answer.error == SLUICE_INVALID) {
        answer.error = SLUICE_LOAD_FAILED;
        answer.value =
            value_from_text("the loader brought a content type, an etag or a time to live that is not valid");
    }
    flight_finish(load, &answer);
}

void sluice_load_not_found(struct sluice_load *load)
{
    struct answer answer = {.error = SLUICE_NOT_FOUND};

    flight_finish(load, &answer);
}

static void load_end(struct sluice_load *load, enum sluice_error error, const char *reason)
{
    struct answer answer = {.error = error, .value = value_from_text(reason)};

    flight_finish(load, &answer);
}

void sluice_load_fail(struct sluice_load *load, const char *reason)
{
    load_end(load, SLUICE_LOAD_FAILED, reason);
}

void sluice_load_refuse(struct sluice_load *load, const char *reason)
{
    load_end(load, SLUICE_LOAD_REFUSED, reason);
}

void sluice_load_time_out(struct sluice_load *load, const char *reason)
{
    load_end(load, SLUICE_LOAD_TIMED_OUT, reason);
}

void sluice_load_too_large(struct sluice_load *load, const char *reason)
{
    load_end(load, SLUICE_VALUE_TOO_LARGE, reason);
}
