/* SPDX-License-Identifier: MIT */
/* fake_clock.c: see fake_clock.h. */
#include "fake_clock.h"

static int64_t fake_clock_now_ms(void *self)
{
    struct fake_clock *clock = self;
    return atomic_load(&clock->now_ms);
}

static int64_t fake_clock_wall_ms(void *self)
{
    struct fake_clock *clock = self;
    return atomic_load(&clock->wall_ms);
}

void fake_clock_init(struct fake_clock *clock)
{
    atomic_init(&clock->now_ms, 1000000);
    atomic_init(&clock->wall_ms, INT64_C(1700000000000));
}

struct sluice_clock fake_clock_option(struct fake_clock *clock)
{
    return (struct sluice_clock){.now_ms = fake_clock_now_ms, .self = clock, .wall_ms = fake_clock_wall_ms};
}

struct fake_clock *fake_clock_of(const struct sluice_clock *option)
{
    return option->now_ms == fake_clock_now_ms ? option->self : NULL;
}

void fake_clock_advance(struct fake_clock *clock, int64_t ms)
{
    atomic_fetch_add(&clock->now_ms, ms);
    atomic_fetch_add(&clock->wall_ms, ms);
}
