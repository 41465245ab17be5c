/* SPDX-License-Identifier: MIT */
/* decree_test.c: the decrees that are pending, against a model that goes through all of them. */
#include "decree.h"
#include "random.h"
#include "test.h"
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERNS 40 /* tags, and prefixes, so few that many decrees are alike */
#define TAGS_MAX 3

static struct decrees decrees;
static struct random chance;

static const char *pattern_name(unsigned i)
{
    static char names[PATTERNS][8];

    snprintf(names[i], sizeof names[i], "%u", i);
    return names[i];
}

static void add_random(void)
{
    const char *name = pattern_name(random_below(&chance, PATTERNS));
    const struct decree plan = {
        .is_tag = random_below(&chance, 3) > 0,
        .soft = random_below(&chance, 2) == 0,
        .pattern = name,
        .size = strlen(name),
    };
    struct decree *decree = decree_copy(&plan, 1);

    assert_non_null(decree);
    decrees_add(&decrees, decree);
}

static void forget_some(unsigned count)
{
    for (; count > 0 && decrees_pending(&decrees) > 0; count--)
        decree_unref(decrees_forget(&decrees));
}

/* What decrees_find() has to answer: looks at every decree. */
static struct decree *find_plainly(const struct decree_question *question, uint32_t *number)
{
    for (uint32_t i = 1; i <= decrees_pending(&decrees); i++) {
        uint32_t n = decrees.forgotten + i;
        struct decree *decree = decrees_get(&decrees, n);

        if (!decrees_after(n, question->since) || (question->hard && decree->soft))
            continue;
        if (decree->is_tag
                ? question->value != NULL && value_has_tag(question->value, decree->pattern, decree->size)
                : question->entry != NULL && entry_has_prefix(question->entry, decree->pattern, decree->size)) {
            *number = n;
            return decree;
        }
    }
    return NULL;
}

static struct sluice_value *random_value(void)
{
    const char *tags[TAGS_MAX];
    struct sluice_content content = {.data = "", .ttl_ms = SLUICE_NEVER, .tags = tags};
    struct sluice_value *value;

    content.tags_count = random_below(&chance, TAGS_MAX + 1);
    for (size_t i = 0; i < content.tags_count; i++)
        tags[i] = pattern_name(random_below(&chance, PATTERNS));
    assert_int_equal(value_create(&content, 1, false, &value), SLUICE_OK);
    return value;
}

/* Asks one question both ways. */
static void expect_alike(void)
{
    const char *key = pattern_name(random_below(&chance, PATTERNS));
    struct entry *entry = entry_create(key, strlen(key));
    struct sluice_value *value = random_value();
    struct decree_question question = {
        .since = decrees.last - random_below(&chance, 2 * decrees_pending(&decrees) + 2),
        .hard = random_below(&chance, 2) == 0,
        .entry = random_below(&chance, 4) > 0 ? entry : NULL,
        .value = random_below(&chance, 4) > 0 ? value : NULL,
    };
    uint32_t found_number = 0, plain_number = 0;

    assert_non_null(entry);
    assert_ptr_equal(decrees_find(&decrees, &question, &found_number), find_plainly(&question, &plain_number));
    assert_int_equal(found_number, plain_number);
    sluice_value_unref(value);
    entry_destroy(entry);
}

static void the_oldest_that_concerns_an_entry_is_found_among_any_number(void **state)
{
    (void)state;
    decrees_init(&decrees, random_next(&chance));
    /* As after many invalidations: the numbers wrap on the way. */
    decrees.last = decrees.forgotten = UINT32_MAX - 3000;
    for (unsigned round = 0; round < 12; round++) {
        unsigned target = round % 3 == 0 ? DECREES_FEW : round % 3 == 1 ? DECREES_MAX : 5;

        while (decrees_pending(&decrees) < target) {
            assert_false(decrees_full(&decrees));
            add_random();
            if (random_below(&chance, 8) == 0)
                forget_some(random_below(&chance, 8));
            expect_alike();
        }
        for (unsigned i = 0; i < 200; i++)
            expect_alike();
        forget_some(round % 2 == 0 ? DECREES_MAX : target / 2);
    }
    decrees_fini(&decrees);
    assert_int_equal(decrees_pending(&decrees), 0);
}

/* Old numbers stay behind in the chains: half the numbers later they would seem to be ahead. */
static void numbers_of_long_ago_lead_nowhere(void **state)
{
    (void)state;
    decrees_init(&decrees, random_next(&chance));
    for (unsigned quarter = 0; quarter < 9; quarter++) {
        for (unsigned i = 0; i < DECREES_FEW; i++) {
            add_random();
            expect_alike();
        }
        forget_some(DECREES_FEW);
        decrees.last = decrees.forgotten += UINT32_C(1) << 30;
    }
    decrees_fini(&decrees);
}

static void there_is_room_for_a_bounded_number(void **state)
{
    (void)state;
    decrees_init(&decrees, 1);
    for (unsigned i = 0; i < DECREES_MAX; i++) {
        assert_false(decrees_full(&decrees));
        add_random();
    }
    assert_true(decrees_full(&decrees));
    forget_some(1);
    assert_false(decrees_full(&decrees));
    forget_some(DECREES_MAX);
    assert_int_equal(decrees.room, DECREES_FEW); /* the memory is given back */
    assert_int_equal(decrees.prefixes, 0);
    decrees_fini(&decrees);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_that_concerns_an_entry_is_found_among_any_number),
        cmocka_unit_test(numbers_of_long_ago_lead_nowhere),
        cmocka_unit_test(there_is_room_for_a_bounded_number),
    };
    uint64_t seed = random_seed();

    printf("SLUICE_SEED=%llu\n", (unsigned long long)seed);
    random_init(&chance, seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
