/* SPDX-License-Identifier: MIT */
/* clock.c: see clock.h. */
#include "clock.h"

#include "must.h"

#include <time.h>

int64_t clock_now_ms(const struct sluice_clock *clock)
{
    struct timespec now;

    if (clock->now_ms != NULL)
        return clock->now_ms(clock->self);
    must(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(const struct sluice_clock *clock)
{
    struct timespec now;

    if (clock->wall_ms != NULL)
        return clock->wall_ms(clock->self);
    must(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_after_ms(int64_t now_ms, int64_t span_ms)
{
    int64_t instant_ms;

    if (span_ms == SLUICE_NEVER || __builtin_add_overflow(now_ms, span_ms, &instant_ms))
        return CLOCK_FAR;
    return instant_ms;
}

/* From one instant to a later one; a caller's clock may show any, and two of them lie too far apart to be told. */
static int64_t clock_span_ms(int64_t from_ms, int64_t to_ms)
{
    int64_t span_ms;

    return __builtin_sub_overflow(to_ms, from_ms, &span_ms) ? INT64_MAX : span_ms;
}

int64_t clock_left_ms(int64_t now_ms, int64_t until_ms)
{
    if (until_ms == CLOCK_FAR)
        return SLUICE_NEVER;
    return until_ms > now_ms ? clock_span_ms(now_ms, until_ms) : 0;
}

int64_t clock_age_ms(int64_t now_ms, int64_t since_ms)
{
    return now_ms > since_ms ? clock_span_ms(since_ms, now_ms) : 0;
}
