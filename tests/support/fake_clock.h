/* SPDX-License-Identifier: MIT */
/* fake_clock.h: a clock that stands still until a test moves it. Any thread may read and move it. */
#ifndef TESTS_FAKE_CLOCK_H
#define TESTS_FAKE_CLOCK_H

#include <sluice/cache.h>

#include <stdatomic.h>

struct fake_clock {
    _Atomic int64_t now_ms;
    _Atomic int64_t wall_ms; /* since 1970 */
};

void fake_clock_init(struct fake_clock *clock);

/* As an option of a cache. Borrows `clock`. */
struct sluice_clock fake_clock_option(struct fake_clock *clock);

/* The one that an option was made of; NULL: it is another kind of clock. */
struct fake_clock *fake_clock_of(const struct sluice_clock *option);

/* Moves it, and what the wall shows with it; calls nothing. */
void fake_clock_advance(struct fake_clock *clock, int64_t ms);

#endif
