/* SPDX-License-Identifier: MIT */
/* error.c: words for enums, and the end of the process for what cannot happen. */
#include "must.h"

#include <sluice/cache.h>
#include <stdio.h>
#include <stdlib.h>

const char *sluice_version(void)
{
    return SLUICE_VERSION;
}

/* Defines the function that has the words for an enum, both made from the same list. */
#define CASE(name, text)                                                                                               \
    case name:                                                                                                         \
        return text;
#define WORDS_FUNCTION(function, type, LIST, unknown)                                                                  \
    const char *function(enum type value)                                                                              \
    {                                                                                                                  \
        switch (value) {                                                                                               \
            LIST(CASE)                                                                                                 \
        }                                                                                                              \
        return unknown;                                                                                                \
    }

WORDS_FUNCTION(sluice_strerror, sluice_error, SLUICE_ERRORS, "unknown error")
WORDS_FUNCTION(sluice_flight_state_name, sluice_flight_state, SLUICE_FLIGHT_STATES, "unknown state")
WORDS_FUNCTION(sluice_removal_cause_name, sluice_removal_cause, SLUICE_REMOVAL_CAUSES, "unknown cause")
WORDS_FUNCTION(sluice_saved_fault_name, sluice_saved_fault, SLUICE_SAVED_FAULTS, "unknown fault")

_Noreturn void must_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "sluice: %s:%d: must hold: %s\n", file, line, what);
    abort();
}
