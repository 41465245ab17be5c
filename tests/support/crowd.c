/* SPDX-License-Identifier: MIT */
/* crowd.c: see crowd.h. */
#include "crowd.h"

void crowd_park(struct fixture *fixture, struct crowd *crowd, size_t count, const char *key, enum way first)
{
    assert_true(count <= CROWD_MAX);
    crowd->count = count;
    for (size_t i = 0; i < count; i++) {
        enum way way = (enum way)((first + i) % WAYS);
        crowd->calls[i] = call_park(fixture, way, key, SLUICE_WAIT_FOREVER);
    }
}

void crowd_expect(struct crowd *crowd, enum sluice_error error, const char *text)
{
    for (size_t i = 0; i < crowd->count; i++)
        call_expect(crowd->calls[i], error, text);
}

bool crowd_all_parked(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        if (call_done(crowd->calls[i]))
            return false;
    return true;
}
