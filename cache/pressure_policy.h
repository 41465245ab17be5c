/* SPDX-License-Identifier: MIT */
/*
 * pressure_policy.h: which share of their maximum caches keep to, by the signs of pressure that have come and the time
 * since. A sign makes a step down, but no sooner than a pace after the one before; a time without any takes the last
 * step back. Pure: it is told the time, and waits for nothing.
 */
#ifndef CACHE_PRESSURE_POLICY_H
#define CACHE_PRESSURE_POLICY_H

#include <sluice/pressure.h>

struct pressure_policy {
    unsigned share_percent; /* what a step leaves of what was left before */
    unsigned share_percent_min;
    int64_t pace_ms;
    int64_t hold_ms;

    unsigned steps;     /* that have not been taken back */
    int64_t ready_ms;   /* from then on a sign is acted on */
    int64_t restore_ms; /* when the last step is taken back; without one, nothing */
};

void pressure_policy_init(struct pressure_policy *policy, const struct sluice_pressure_options *options);

/* The share that is left: 100 without a step. */
unsigned pressure_policy_share(const struct pressure_policy *policy);

/* There is a sign of pressure. True: the caches are to be shrunk to the share that is left by now. */
bool pressure_policy_sign(struct pressure_policy *policy, int64_t now_ms);

/* There is none. True: a step has been taken back. */
bool pressure_policy_rest(struct pressure_policy *policy, int64_t now_ms);

/* When to come again if there is no sign before; CLOCK_FAR: never. */
int64_t pressure_policy_next_ms(const struct pressure_policy *policy);

#endif
