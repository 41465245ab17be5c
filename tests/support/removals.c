/* SPDX-License-Identifier: MIT */
/* removals.c: see removals.h. */
#include "removals.h"

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void removals_tell(void *self, const struct sluice_removal *removal)
{
    struct removals *removals = self;
    pthread_mutex_lock(&removals->lock);
    if (removals->count == REMOVALS_MAX) {
        fputs("removals: more than it was made for\n", stderr);
        abort();
    }
    struct removals_one *one = &removals->told[removals->count++];
    snprintf(one->key, sizeof one->key, "%.*s", (int)removal->key_size, (const char *)removal->key);
    snprintf(one->value, sizeof one->value, "%s", (const char *)sluice_value_data(removal->value));
    one->cause = removal->cause;
    pthread_mutex_unlock(&removals->lock);
}

struct removals *removals_create(void)
{
    struct removals *removals = malloc(sizeof *removals); /* told[] is written as far as count goes */
    if (removals == NULL)
        abort();
    removals->count = removals->expected = 0;
    pthread_mutex_init(&removals->lock, NULL);
    return removals;
}

void removals_destroy(struct removals *removals)
{
    pthread_mutex_destroy(&removals->lock);
    free(removals);
}

struct sluice_listener removals_option(struct removals *removals)
{
    return (struct sluice_listener){.removed = removals_tell, .self = removals};
}

void removals_expect(struct removals *removals, const char *key, const char *value, enum sluice_removal_cause cause)
{
    struct removals_one one = {"nothing more was told", "", SLUICE_REMOVED_EXPLICIT};
    pthread_mutex_lock(&removals->lock);
    bool told = removals->expected < removals->count;
    if (told)
        one = removals->told[removals->expected++];
    pthread_mutex_unlock(&removals->lock);
    assert_string_equal(one.key, key);
    assert_string_equal(one.value, value);
    assert_string_equal(sluice_removal_cause_name(one.cause), sluice_removal_cause_name(cause));
}

void removals_expect_among(struct removals *removals, size_t among, const char *key, const char *value,
                           enum sluice_removal_cause cause)
{
    pthread_mutex_lock(&removals->lock);
    struct removals_one *next = &removals->told[removals->expected];
    for (size_t i = 1; i < among && removals->expected + i < removals->count && strcmp(next->key, key) != 0; i++) {
        struct removals_one one = next[i];
        next[i] = next[0];
        next[0] = one;
    }
    pthread_mutex_unlock(&removals->lock);
    removals_expect(removals, key, value, cause);
}

void removals_expect_none(struct removals *removals)
{
    pthread_mutex_lock(&removals->lock);
    size_t left = removals->count - removals->expected;
    struct removals_one *next = &removals->told[removals->expected];
    if (left > 0)
        fprintf(stderr, "told besides: \"%s\" (\"%s\"), %s\n", next->key, next->value,
                sluice_removal_cause_name(next->cause));
    pthread_mutex_unlock(&removals->lock);
    assert_int_equal(left, 0);
}

struct removals *removals_told;

int removals_setup(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    struct fixture *fixture = *state;
    removals_told = removals_create();
    fixture->options.listener = removals_option(removals_told);
    return 0;
}

int removals_teardown(void **state)
{
    int whole = fixture_teardown(state);
    removals_destroy(removals_told);
    return whole;
}
