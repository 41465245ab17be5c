/* SPDX-License-Identifier: MIT */
/* backend.c: what the backends share. See backend.h. */
#include "backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CONTENT_TYPE_SIZE_MAX 255 /* struct sluice_content */

bool backend_fault_set(struct backend_fault *fault, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return false;
}

bool backend_content_type_is_fit(const char *text)
{
    size_t size = strnlen(text, CONTENT_TYPE_SIZE_MAX + 1);

    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    return size > 0 && size <= CONTENT_TYPE_SIZE_MAX;
}
