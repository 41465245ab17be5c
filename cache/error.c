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

const char *sluice_strerror(enum sluice_error error)
{
    switch (error) {
#define ERROR_TEXT(name, text)                                                                                         \
    case name:                                                                                                         \
        return text;
        SLUICE_ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
    }
    return "unknown error";
}

const char *sluice_flight_state_name(enum sluice_flight_state state)
{
    switch (state) {
#define STATE_TEXT(name, text)                                                                                         \
    case name:                                                                                                         \
        return text;
        SLUICE_FLIGHT_STATES(STATE_TEXT)
#undef STATE_TEXT
    }
    return "unknown state";
}

const char *sluice_removal_cause_name(enum sluice_removal_cause cause)
{
    switch (cause) {
#define CAUSE_TEXT(name, text)                                                                                         \
    case name:                                                                                                         \
        return text;
        SLUICE_REMOVAL_CAUSES(CAUSE_TEXT)
#undef CAUSE_TEXT
    }
    return "unknown cause";
}

const char *sluice_saved_fault_name(enum sluice_saved_fault fault)
{
    switch (fault) {
#define FAULT_TEXT(name, text)                                                                                         \
    case name:                                                                                                         \
        return text;
        SLUICE_SAVED_FAULTS(FAULT_TEXT)
#undef FAULT_TEXT
    }
    return "unknown fault";
}

_Noreturn void must_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "sluice: %s:%d: must hold: %s\n", file, line, what);
    abort();
}
