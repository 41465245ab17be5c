/* SPDX-License-Identifier: MIT */
/* fake_clock.c: see fake_clock.h. */
#include "fake_clock.h"

static int64_t fake_clock_now_ms(void *self)
{
    struct fake_clock *clock = self;
    return atomic_load(&clock->now_ms);
}

void fake_clock_init(struct fake_clock *clock)
{
    atomic_init(&clock->now_ms, 1000000);
}

struct sluice_clock fake_clock_option(struct fake_clock *clock)
{
    return (struct sluice_clock){.now_ms = fake_clock_now_ms, .self = clock};
}

void fake_clock_advance(struct fake_clock *clock, int64_t ms)
{
    atomic_fetch_add(&clock->now_ms, ms);
}
