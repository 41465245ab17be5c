/* SPDX-License-Identifier: MIT */
/* early.c: see early.h. */
#include "early.h"

#define BITS      32
#define LN_2      INT64_C(2977044472) /* ln 2 of EARLY_ONE */
#define DRAW_MOST 45                  /* over 64 ln 2, the largest -ln(u) */

/* ln((1 + s) / (1 - s)) for s from 0 to 1/3: 2 (s + s^3/3 + s^5/5 + ...), until what is left out is below 1e-6. */
static int64_t log_of_quotient(int64_t s)
{
    int64_t square = s * s >> BITS, sum = 0;

    for (int64_t odd = 11; odd > 0; odd -= 2)
        sum = (sum * square >> BITS) + EARLY_ONE / odd;
    return 2 * (s * (sum >> 1) >> (BITS - 1));
}

int64_t early_minus_log(uint64_t bits)
{
    unsigned zeros;
    int64_t fraction;

    if (bits == UINT64_MAX)
        return 0;
    bits++;
    /* u = (1 + fraction) / 2^(zeros + 1) */
    zeros = (unsigned)__builtin_clzll(bits);
    fraction = (int64_t)(bits << zeros << 1 >> BITS);
    /* (1 + s) / (1 - s) = 1 + fraction */
    return (int64_t)(zeros + 1) * LN_2 -
           log_of_quotient(
               (int64_t)(((uint64_t)fraction << (BITS - 1)) / ((2 * (uint64_t)EARLY_ONE + (uint64_t)fraction) >> 1)));
}

bool early_is_due(uint32_t cost_ms, unsigned percent, int64_t left_ms, struct chance *chance)
{
    uint64_t weight = (uint64_t)cost_ms * percent;
    uint64_t draw;

    /* Hits far from the expiry, most of them, end here. */
    if (left_ms > (int64_t)(weight * DRAW_MOST / 100))
        return false;
    if (weight == 0)
        return false;
    /* In parts of 2^12: with the largest weight, 2^32 * 10,000, the product has 63 bits. */
    draw = (uint64_t)early_minus_log(chance_next(chance)) >> (BITS - 12);
    return (int64_t)((weight * draw >> 12) / 100) >= left_ms;
}
