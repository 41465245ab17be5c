/* SPDX-License-Identifier: MIT */
/* clock.h: what time it is. Read once a public call and handed on, so that a call sees one instant. */
#ifndef CACHE_CLOCK_H
#define CACHE_CLOCK_H

#include <sluice/cache.h>

/* Stands for "never" where instants are compared. */
#define CLOCK_FAR INT64_MAX

/* Milliseconds from some fixed point: of the caller's clock, or of CLOCK_MONOTONIC if it has none. */
int64_t clock_now_ms(const struct sluice_clock *clock);

/* Milliseconds since 1970: of the caller's clock, or of CLOCK_REALTIME if it has none. */
int64_t clock_wall_ms(const struct sluice_clock *clock);

/* now + span, where a span of SLUICE_NEVER and an overflow are CLOCK_FAR. */
int64_t clock_after_ms(int64_t now_ms, int64_t span_ms);

/* What is left from now to an instant: at least 0, SLUICE_NEVER for CLOCK_FAR. */
int64_t clock_left_ms(int64_t now_ms, int64_t until_ms);

/* The age of what began at an instant: at least 0, since a call's instant may be from before another call's change. */
int64_t clock_age_ms(int64_t now_ms, int64_t since_ms);

#endif
