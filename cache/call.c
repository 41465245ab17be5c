/* SPDX-License-Identifier: MIT */
/* call.c: see call.h. */
#include "call.h"

#include "flight.h"

/* Of the process, not of a cache: a loader may call other caches (rule 17). */
static _Thread_local struct sluice_load *call_running;

struct sluice_load *call_current(void)
{
    return call_running;
}

void call_load(struct sluice_load *flight)
{
    const struct sluice_loader loader = flight->loader; /* once the load is ended only the reference holds the flight */
    struct sluice_load *outer = call_running;
    struct answer none = {.error = SLUICE_CLOSED};
    bool wanted;

    lock_acquire(&flight->shard->lock);
    wanted = flight_is_wanted_locked(flight);
    flight->locked.called = wanted;
    lock_release(&flight->shard->lock);

    if (wanted) {
        call_running = flight;
        loader.load(loader.self, flight);
        call_running = outer;
    } else {
        flight_finish(flight, &none);
    }
    flight_unref(flight);
}
