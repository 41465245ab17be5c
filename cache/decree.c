/* SPDX-License-Identifier: MIT */
/* decree.c: see decree.h. How decrees are carried out: sweep.c. */
#include "decree.h"

#include "must.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

struct decree *decree_copy(const struct decree *decree, unsigned refs)
{
    struct decree *copy = malloc(sizeof *copy + decree->size);

    if (copy == NULL)
        return NULL;
    *copy = *decree;
    copy->pattern = copy + 1;
    if (decree->size > 0)
        memcpy(copy + 1, decree->pattern, decree->size);
    atomic_init(&copy->refs, refs);
    atomic_init(&copy->entries, 0);
    return copy;
}

void decree_unref(struct decree *decree)
{
    if (decree != NULL && atomic_fetch_sub_explicit(&decree->refs, 1, memory_order_acq_rel) == 1)
        free(decree);
}

bool decree_concerns(const struct decree *decree, const struct entry *entry)
{
    if (!decree->is_tag)
        return entry_has_prefix(entry, decree->pattern, decree->size);
    return entry_has_value(entry) && value_has_tag(entry->value, decree->pattern, decree->size);
}

void decrees_init(struct decrees *decrees)
{
    memset(decrees, 0, sizeof *decrees);
}

void decrees_fini(struct decrees *decrees)
{
    while (decrees_pending(decrees) > 0)
        decree_unref(decrees_forget(decrees));
}

void decrees_add(struct decrees *decrees, struct decree *decree)
{
    must(decrees_pending(decrees) < DECREES_MAX);
    decrees->last++;
    decrees->pending[decrees->last % DECREES_MAX] = decree;
}

struct decree *decrees_forget(struct decrees *decrees)
{
    struct decree *oldest;

    must(decrees_pending(decrees) > 0);
    decrees->forgotten++;
    oldest = decrees->pending[decrees->forgotten % DECREES_MAX];
    decrees->pending[decrees->forgotten % DECREES_MAX] = NULL;
    return oldest;
}
