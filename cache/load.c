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
    wanted = flight_is_wanted_locked(load);
    lock_release(&load->shard->lock);
    return wanted;
}

void sluice_load_complete(struct sluice_load *load, const struct sluice_content *content)
{
    const struct sluice_options *options = &load->cache->options;
    struct answer answer = {.ttl_ms = content->ttl_ms, .refresh_ms = content->refresh_ms};

    answer.error = value_create(content, options->value_size_max, options->make_etags, &answer.value);
    if (answer.error == SLUICE_INVALID) {
        answer.error = SLUICE_LOAD_FAILED;
        answer.value = value_from_text("the loader brought content that is not valid: see struct sluice_content for "
                                       "its content type, etag, tags and times");
    }
    flight_finish(load, &answer);
}

struct sluice_value *sluice_load_old_value(const struct sluice_load *load)
{
    return load->old;
}

void sluice_load_not_modified(struct sluice_load *load, int64_t ttl_ms, int64_t refresh_ms)
{
    struct answer answer = {.error = SLUICE_OK, .renews = true, .ttl_ms = ttl_ms, .refresh_ms = refresh_ms};
    const char *fault = NULL;

    if (load->old == NULL)
        fault = "the loader found the old value not modified, and was given none";
    else if (!value_times_valid(ttl_ms, refresh_ms))
        fault = "the loader brought a time to live or a refresh time that is not valid";
    if (fault == NULL) {
        answer.value = sluice_value_ref(load->old);
        answer.weight = load->old_weight;
    } else {
        answer.error = SLUICE_LOAD_FAILED;
        answer.value = value_from_text(fault);
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
