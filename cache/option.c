/* SPDX-License-Identifier: MIT */
/* option.c: see option.h. */
#include "option.h"

#include "must.h"

#include <stddef.h>
#include <string.h>

#define OPTION_ROW(kind, key, member, minimum, maximum, words)                                                         \
    {                                                                                                                  \
        kind,                                                                                                          \
        #key,                                                                                                          \
        offsetof(struct sluice_options, member),                                                                       \
        sizeof(((struct sluice_options *)NULL)->member),                                                               \
        minimum,                                                                                                       \
        maximum,                                                                                                       \
        #member " must be " words,                                                                                     \
        &(#member " must be " words)[sizeof #member],                                                                  \
    },
const struct option option_all[OPTION_TOTAL] = {OPTION_LIST(OPTION_ROW)};
#undef OPTION_ROW

uint64_t option_get(const struct option *option, const struct sluice_options *options)
{
    const void *member = (const char *)options + option->offset;
    uint64_t wide;
    uint32_t narrow;
    bool flag;

    switch (option->size) {
    case sizeof wide:
        memcpy(&wide, member, sizeof wide);
        return wide;
    case sizeof narrow:
        memcpy(&narrow, member, sizeof narrow);
        return narrow;
    default:
        must(option->size == sizeof flag);
        memcpy(&flag, member, sizeof flag);
        return flag;
    }
}

void option_set(const struct option *option, struct sluice_options *options, uint64_t value)
{
    void *member = (char *)options + option->offset;
    uint32_t narrow = (uint32_t)value;
    bool flag = value != 0;

    switch (option->size) {
    case sizeof value:
        memcpy(member, &value, sizeof value);
        return;
    case sizeof narrow:
        memcpy(member, &narrow, sizeof narrow);
        return;
    default:
        must(option->size == sizeof flag);
        memcpy(member, &flag, sizeof flag);
    }
}

bool option_valid(const struct option *option, uint64_t value)
{
    if (option->kind == OPTION_SPAN_OR_NEVER && value == (uint64_t)SLUICE_NEVER)
        return true;
    if (option->kind == OPTION_POWER && (value & (value - 1)) != 0)
        return false;
    return value >= option->minimum && value <= option->maximum;
}
