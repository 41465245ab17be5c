/* SPDX-License-Identifier: MIT */
/* spec_property.h: what holds of every string that is read as options; for random strings and for the fuzzer. */
#ifndef TESTS_SPEC_PROPERTY_H
#define TESTS_SPEC_PROPERTY_H

/* NULL, or what does not hold of this string, in words. Static. */
const char *spec_property_broken(const char *spec);

#endif
