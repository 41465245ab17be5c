/* SPDX-License-Identifier: MIT */
/* judge_floors.c: what invalidations that have returned rule out (rule 3), and what they leave as stale. */
#include "judge_internal.h"

static uint64_t later(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

static void raise_to(uint64_t *floor, uint64_t order)
{
    *floor = later(*floor, order);
}

/* Where no stale value is given, one that was made stale is gone. */
void floors_raise(struct judge *judge, struct floors *floors, const struct record *invalidation)
{
    bool soft = invalidation->stale != 0 && judge->history->facts.stale_ms != 0;

    if (invalidation->how == RECORD_CHOSEN) {
        raise_to(&floors->chosen, invalidation->order);
        return;
    }
    if (invalidation->how != RECORD_TAG) {
        raise_to(soft ? &floors->soft : &floors->invalidated, invalidation->order);
        return;
    }
    for (unsigned tag = 0; tag < RECORD_TAGS_MAX; tag++)
        if ((invalidation->tags >> tag & 1) != 0)
            raise_to(soft ? &floors->soft_tags[tag] : &floors->tags[tag], invalidation->order);
}

/* The latest of those that concern a value with these tags. */
static uint64_t floor_of(uint64_t floor, const uint64_t of_tags[RECORD_TAGS_MAX], uint8_t tags)
{
    for (unsigned tag = 0; tag < RECORD_TAGS_MAX; tag++)
        if ((tags >> tag & 1) != 0)
            floor = later(floor, of_tags[tag]);
    return floor;
}

uint64_t floors_rule_out(const struct floors *floors, const struct value_note *value)
{
    uint64_t floor = floor_of(floors->invalidated, floors->tags, value->tags);

    if (value->birth < floor)
        return floor;
    /* What is not seen since its time is over may be renewed. */
    if (value->ended != 0 && value->ended < floors->chosen && value->renewals == 0)
        return floors->chosen;
    return 0;
}

uint64_t floors_make_stale(const struct floors *floors, const struct value_note *value)
{
    uint64_t floor = floor_of(floors->soft, floors->soft_tags, value->tags);

    return later(value->birth, value->renewed) < floor ? floor : 0;
}

uint64_t floors_rule_out_nothing(const struct floors *floors, uint64_t birth)
{
    uint64_t floor = later(floors->invalidated, floors->soft);

    return birth < floor ? floor : 0;
}

bool floors_concern(const struct floors *floors, uint8_t tags)
{
    return later(floor_of(floors->invalidated, floors->tags, tags), floors->chosen) != 0 ||
           floor_of(floors->soft, floors->soft_tags, tags) != 0;
}

bool floors_end_flight(const struct key_state *key, uint64_t load, uint8_t tags)
{
    const struct floors *floors = &key->floors;

    return floor_of(floors->invalidated, floors->tags, tags) > load ||
           floor_of(floors->soft, floors->soft_tags, tags) > load || floors->put > load || key->floor_abandoned > load;
}
