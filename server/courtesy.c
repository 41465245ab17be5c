/* SPDX-License-Identifier: MIT */
/* courtesy.c: see courtesy.h. */
#include "courtesy.h"

static void earn(struct courtesy *courtesy, int64_t now_us)
{
    int64_t earned_us = (now_us - courtesy->earned_us) / COURTESY_SHARE;
    courtesy->earned_us += earned_us * COURTESY_SHARE; /* so that what is left over counts next time */
    courtesy->credit_us += earned_us;
    if (courtesy->credit_us > COURTESY_CREDIT_US_MAX)
        courtesy->credit_us = COURTESY_CREDIT_US_MAX;
}

static void pay(struct courtesy *courtesy, unsigned answered)
{
    unsigned worth = answered < COURTESY_WORTH_MAX ? answered : COURTESY_WORTH_MAX;
    int64_t price_us = courtesy->took_us - COURTESY_FREE_US - (int64_t)worth * COURTESY_WORTH_US;
    courtesy->took_us = 0;
    if (price_us <= 0)
        return;
    courtesy->credit_us -= price_us;
    courtesy->exhausted |= courtesy->credit_us <= 0;
}

bool courtesy_is_due(struct courtesy *courtesy, int64_t now_us, unsigned answered)
{
    earn(courtesy, now_us);
    pay(courtesy, answered);
    if (courtesy->exhausted)
        courtesy->exhausted = courtesy->credit_us < COURTESY_CREDIT_US_MAX / 2;
    return !courtesy->exhausted;
}

void courtesy_took(struct courtesy *courtesy, int64_t took_us)
{
    courtesy->took_us = took_us;
}
