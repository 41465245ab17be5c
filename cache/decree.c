/* SPDX-License-Identifier: MIT */
/* decree.c: see decree.h. How decrees are carried out: sweep.c. */
#include "decree.h"

#include "hash.h"
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

void decrees_init(struct decrees *decrees, uint64_t seed)
{
    memset(decrees, 0, sizeof *decrees);
    decrees->seed = seed;
    decrees->slots = decrees->few_slots;
    decrees->newest = decrees->few_newest;
    decrees->room = DECREES_FEW;
}

void decrees_fini(struct decrees *decrees)
{
    while (decrees_pending(decrees) > 0)
        decree_unref(decrees_forget(decrees));
}

/* ---- their places ------------------------------------------------------------------------------------------------ */

static struct decree_slot *decrees_slot(const struct decrees *decrees, uint32_t number)
{
    return &decrees->slots[number % decrees->room];
}

/* Where the chain of a decree begins. */
static uint32_t *decrees_newest(struct decrees *decrees, bool is_tag, uint32_t hash)
{
    return is_tag ? &decrees->newest[hash % decrees->room] : &decrees->newest_prefix;
}

/* Gives a decree its place, as the last of its chain. */
static void decrees_place(struct decrees *decrees, uint32_t number, struct decree *decree, uint32_t hash)
{
    uint32_t *newest = decrees_newest(decrees, decree->is_tag, hash);

    *decrees_slot(decrees, number) = (struct decree_slot){decree, hash, *newest};
    *newest = number;
}

/* Twice the room. False: no memory, nothing changed. */
static bool decrees_grow(struct decrees *decrees)
{
    struct decrees old = *decrees;
    uint32_t room = 2 * old.room;
    struct decree_slot *slots = malloc(room * (sizeof *slots + sizeof *decrees->newest));

    if (slots == NULL)
        return false;
    decrees->slots = slots;
    decrees->newest = (uint32_t *)(slots + room);
    decrees->room = room;
    decrees->newest_prefix = old.forgotten;
    for (uint32_t i = 0; i < room; i++)
        decrees->newest[i] = old.forgotten;
    for (uint32_t number = old.forgotten + 1; number != old.last + 1; number++) {
        const struct decree_slot *slot = &old.slots[number % old.room];

        decrees_place(decrees, number, slot->decree, slot->hash);
    }
    if (old.room > DECREES_FEW)
        free(old.slots);
    return true;
}

/* None is pending: the memory is given back. */
static void decrees_shrink(struct decrees *decrees)
{
    if (decrees->room == DECREES_FEW)
        return;
    free(decrees->slots);
    decrees->slots = decrees->few_slots;
    decrees->newest = decrees->few_newest;
    decrees->room = DECREES_FEW;
}

bool decrees_full(struct decrees *decrees)
{
    if (decrees_pending(decrees) < decrees->room)
        return false;
    return decrees->room == DECREES_MAX || !decrees_grow(decrees);
}

void decrees_add(struct decrees *decrees, struct decree *decree)
{
    uint32_t hash = decree->is_tag ? (uint32_t)hash_key(decrees->seed, decree->pattern, decree->size) : 0;

    must(decrees_pending(decrees) < decrees->room);
    decrees->last++;
    decrees->prefixes += !decree->is_tag;
    decrees_place(decrees, decrees->last, decree, hash);
}

struct decree *decrees_forget(struct decrees *decrees)
{
    struct decree *oldest;

    must(decrees_pending(decrees) > 0);
    decrees->forgotten++;
    oldest = decrees_get(decrees, decrees->forgotten);
    decrees->prefixes -= !oldest->is_tag;
    if (decrees_pending(decrees) == 0)
        decrees_shrink(decrees);
    return oldest;
}

/* ---- which one concerns something -------------------------------------------------------------------------------- */

/* A walk along a chain, from the newest to the oldest. */
struct decree_walk {
    const struct decrees *decrees;
    const struct decree_question *question;
    uint32_t floor; /* it ends above this number */
    uint32_t found; /* the oldest so far that concerns what was asked for; one past the last: none */
};

/* The next decree of a chain that counts, from *number on, which is then moved past it; NULL: the walk is over. */
static const struct decree_slot *walk_on(const struct decree_walk *walk, uint32_t *number, uint32_t *below)
{
    while (decrees_after(*number, walk->floor) && decrees_after(*below, *number)) {
        const struct decree_slot *slot = decrees_slot(walk->decrees, *number);

        *below = *number;
        *number = slot->earlier;
        if (!walk->question->hard || !slot->decree->soft)
            return slot;
    }
    return NULL;
}

static void walk_found(struct decree_walk *walk, uint32_t number)
{
    if (decrees_after(walk->found, number))
        walk->found = number;
}

static void walk_tag(struct decree_walk *walk, const char *tag)
{
    size_t size = strlen(tag);
    uint32_t hash = (uint32_t)hash_key(walk->decrees->seed, tag, size);
    uint32_t number = walk->decrees->newest[hash % walk->decrees->room];
    uint32_t below = walk->decrees->last + 1;
    const struct decree_slot *slot;

    while ((slot = walk_on(walk, &number, &below)) != NULL) {
        const struct decree *decree = slot->decree;

        if (slot->hash == hash && decree->is_tag && decree->size == size && memcmp(decree->pattern, tag, size) == 0)
            walk_found(walk, below);
    }
}

static void walk_prefixes(struct decree_walk *walk)
{
    uint32_t number = walk->decrees->newest_prefix;
    uint32_t below = walk->decrees->last + 1;
    const struct decree_slot *slot;

    while ((slot = walk_on(walk, &number, &below)) != NULL) {
        const struct decree *decree = slot->decree;

        if (!decree->is_tag && entry_has_prefix(walk->question->entry, decree->pattern, decree->size))
            walk_found(walk, below);
    }
}

struct decree *decrees_find(const struct decrees *decrees, const struct decree_question *question, uint32_t *number)
{
    struct decree_walk walk = {.decrees = decrees, .question = question, .found = decrees->last + 1};

    walk.floor = decrees_after(decrees->forgotten, question->since) ? decrees->forgotten : question->since;
    if (question->entry != NULL && decrees->prefixes > 0)
        walk_prefixes(&walk);
    if (question->value != NULL && decrees->prefixes < decrees_pending(decrees)) {
        for (const char *tag = value_next_tag(question->value, NULL); tag != NULL;
             tag = value_next_tag(question->value, tag))
            walk_tag(&walk, tag);
    }
    if (walk.found == decrees->last + 1)
        return NULL;
    *number = walk.found;
    return decrees_get(decrees, walk.found);
}
