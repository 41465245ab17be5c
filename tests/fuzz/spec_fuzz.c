/* SPDX-License-Identifier: MIT */
/* spec_fuzz.c: any bytes as a string of options (sluice/spec.h). */
#include "fuzz.h"
#include "spec_property.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *spec = malloc(size + 1);
    const char *broken;

    if (spec == NULL)
        abort();
    memcpy(spec, data, size);
    spec[size] = '\0';
    broken = spec_property_broken(spec);
    if (broken != NULL) {
        fprintf(stderr, "\"%s\": %s\n", spec, broken);
        abort();
    }
    free(spec);
    return 0;
}
