/* SPDX-License-Identifier: MIT */
/* config_fault.c: composes fault lines, and keeps them to one line and to a bound. */
#include "config_fault.h"

#include "escape.h"

#include <stdarg.h>

static void print_escaped(FILE *stream, const char *text)
{
    while (*text) {
        char bytes[ESCAPE_BYTES_MAX];
        size_t size = escape_next(&text, false, bytes);
        fwrite(bytes, 1, size, stream);
    }
}

bool config_fault_enough(const struct config_faults *faults)
{
    return faults->count > CONFIG_FAULTS_MAX;
}

void config_fault_add(struct config_faults *faults, int line, const char *format, ...)
{
    if (config_fault_enough(faults))
        return;
    faults->count++;
    print_escaped(faults->stream, faults->path);
    if (config_fault_enough(faults)) {
        fprintf(faults->stream, ": too many faults; the others are not shown\n");
        return;
    }
    if (line > 0)
        fprintf(faults->stream, ":%d", line);
    fputs(": ", faults->stream);

    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print_escaped(faults->stream, text);
    fputs(size >= (int)sizeof(text) ? "...\n" : "\n", faults->stream);
}
