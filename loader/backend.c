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

/* How many bytes of a token (RFC 9110, 5.6.2) `text` begins with. */
static size_t token_size(const char *text)
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

bool backend_content_type_is_fit(const char *text)
{
    size_t size = strnlen(text, CONTENT_TYPE_SIZE_MAX + 1);
    size_t type_size, subtype_size;

    if (size > CONTENT_TYPE_SIZE_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    type_size = token_size(text);
    if (type_size == 0 || text[type_size] != '/')
        return false;
    text += type_size + 1;
    subtype_size = token_size(text);
    text += subtype_size;
    text += strspn(text, " ");
    return subtype_size > 0 && (*text == '\0' || *text == ';');
}
