/* SPDX-License-Identifier: MIT */
/*
 * prometheus.h: a strict reader of Prometheus' text format 0.0.4, as far as counters and gauges without timestamps go.
 * May be used by: the tests of the server. What is not well-formed fails the test, and so does what is merely bad form:
 * a family without HELP and TYPE in this order, or twice, or without a sample; a counter that does not end in _total; a
 * sample twice.
 */
#ifndef TESTS_SERVER_PROMETHEUS_H
#define TESTS_SERVER_PROMETHEUS_H

#include <stddef.h>
#include <stdint.h>

#define PROMETHEUS_SAMPLES_MAX 512

struct prometheus_sample {
    const char *name; /* with its labels, as it stands there */
    uint64_t value;
};

/* Zero is an empty one. */
struct prometheus {
    char *text; /* what the samples point into */
    size_t count;
    size_t families;
    struct prometheus_sample samples[PROMETHEUS_SAMPLES_MAX];
};

/* Takes the text apart; what was there before is freed. */
void prometheus_parse(struct prometheus *metrics, const char *text);
void prometheus_fini(struct prometheus *metrics);

/* The value of the sample of this name, labels included; there must be one. */
uint64_t prometheus_value(const struct prometheus *metrics, const char *name);

#endif
