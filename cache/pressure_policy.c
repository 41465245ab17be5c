/* SPDX-License-Identifier: MIT */
/* pressure_policy.c: see pressure_policy.h. */
#include "pressure_policy.h"

#include "clock.h"

void pressure_policy_init(struct pressure_policy *policy, const struct sluice_pressure_options *options)
{
    policy->share_percent = options->share_percent;
    policy->share_percent_min = options->share_percent_min;
    policy->pace_ms = options->pace_ms;
    policy->hold_ms = options->hold_ms;
    policy->steps = 0;
    policy->ready_ms = INT64_MIN;
    policy->restore_ms = CLOCK_FAR;
}

/* At most 99 of them until nothing more is taken, since each takes one percent or more. */
unsigned pressure_policy_share(const struct pressure_policy *policy)
{
    unsigned share = 100;

    for (unsigned i = 0; i < policy->steps; i++)
        share = share * policy->share_percent / 100;
    return share > policy->share_percent_min ? share : policy->share_percent_min;
}

bool pressure_policy_sign(struct pressure_policy *policy, int64_t now_ms)
{
    if (now_ms >= policy->ready_ms) {
        if (pressure_policy_share(policy) > policy->share_percent_min)
            policy->steps++;
        policy->ready_ms = clock_after_ms(now_ms, policy->pace_ms);
        policy->restore_ms = clock_after_ms(now_ms, policy->hold_ms);
        return true;
    }
    if (policy->steps > 0)
        policy->restore_ms = clock_after_ms(now_ms, policy->hold_ms);
    return false;
}

bool pressure_policy_rest(struct pressure_policy *policy, int64_t now_ms)
{
    if (policy->steps == 0 || now_ms < policy->restore_ms)
        return false;
    policy->steps--;
    policy->restore_ms = policy->steps > 0 ? clock_after_ms(now_ms, policy->hold_ms) : CLOCK_FAR;
    return true;
}

int64_t pressure_policy_next_ms(const struct pressure_policy *policy)
{
    return policy->restore_ms;
}
