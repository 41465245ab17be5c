/* SPDX-License-Identifier: MIT */
/* backend.c: what the backends share. See backend.h. */
#include "backend.h"

#include <stdarg.h>
#include <stdio.h>

bool backend_fault_set(struct backend_fault *fault, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return false;
}
