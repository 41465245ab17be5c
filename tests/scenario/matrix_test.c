/* SPDX-License-Identifier: MIT */
/*
 * matrix_test.c: makes a test of each cell of the matrix (matrix.h), plays it, and has every rule judge it.
 *
 * With a word: runs the cells whose names match it, as in matrix_test 'a_put_during_*'.
 *
 * It was seen to fail with the cache broken by hand, a line at a time:
 *
 *     rule  break                                                       cells that fail
 *     1     the fourth get of a key has a load of its own               most with others parked
 *     2     where unwanted loads are cancelled, nothing is stored       252: of that option
 *     3     an invalidation of keys leaves a load in flight alone       642: of a key, of several, softly
 *     3     a load's end does not look for invalidated tags             108: by tag, with nothing stored
 *     4     a put stores beside the load in flight                      107, until a check in the cache ends it
 *     5     a failure is remembered without a back-off                  682: that fail with nothing stored
 *     6     a not-found is not remembered                               515: that find nothing
 *     7, 9  the last waiter to leave always takes the load along        63: of leaders that leave
 *     8     a load over its deadline gives back its slot                179: of that event
 *     9     the loader is not told of unwanted loads                    1,764
 *     11    a reload is not given the old value                         2,085: all that have one
 *     11    a failed reload replaces a value that is still given        101: of reloads that fail
 *     12    an old value in place of a failure is not marked            139: of expired values, that fail
 *     13    time to live 0 is the cache's own                           792: not to be stored
 *     14    load_many is called with one load at a time                 860: all bulk loads
 *     15    the same                                                    860: all batched loads
 *     16    an invalidation of all leaves a shard out                   4,857: the cache's end is one too
 *     18    the close forgets loads that somebody waits for             all closes and destructions during loads
 *     19    a get is not told that it is about to park                  5,358
 *     21    waiters are told last come, first served                    3,335: with two who can be put in order
 *     22    what has expired is told as evicted                         59: of expiries
 *     23    blocking gets that follow are not counted                   3,104: all with followers
 */
#include "matrix.h"

#include <stdlib.h>

/* So many cells there are. Another number means that cells were added, or lost: then say why, and how many. */
#define CELLS         5913
#define CELLS_MAX     8192
#define CELL_NAME_MAX 256
#define RULES_MAX     32
#define REASON_MAX    16

static struct matrix_cell cells[CELLS_MAX];
static char names[CELLS_MAX][CELL_NAME_MAX];
static struct CMUnitTest tests[CELLS_MAX + 2];
static size_t cells_count;

static struct {
    const char *reason;
    size_t cells;
} excluded[REASON_MAX];
static size_t excluded_count;

static size_t judged[RULES_MAX]; /* cells, by each rule */
static size_t played;

/* ---- one cell ---------------------------------------------------------------------------------------------------- */

void matrix_expect(struct matrix_run *run, unsigned rule, bool holds, const char *text, ...)
{
    char what[256];
    va_list arguments;

    if (holds)
        return;
    va_start(arguments, text);
    vsnprintf(what, sizeof what, text, arguments);
    va_end(arguments);
    print_error("rule %u: %s\n", rule, what);
    run->broken++;
}

static int setup(void **state)
{
    struct matrix_run *run = calloc(1, sizeof *run);
    void *fixture;

    if (run == NULL || fixture_setup(&fixture) != 0)
        return -1;
    run->cell = *(struct matrix_cell *)*state;
    run->facts = matrix_facts(&run->cell);
    run->fixture = fixture;
    run->removals = removals_create();
    run->own = gated_loader_create();
    *state = run;
    return 0;
}

static int teardown(void **state)
{
    struct matrix_run *run = *state;
    void *fixture = run->fixture;

    gated_loader_open(run->own);
    gated_loader_open(run->fixture->loader);
    if (run->bulk != NULL)
        bulk_free(run->bulk);
    if (fixture_teardown(&fixture) != 0)
        return -1;
    gated_loader_destroy(run->own);
    removals_destroy(run->removals);
    free(run);
    return 0;
}

static void judge(struct matrix_run *run, const struct matrix_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        judged[rules[i].number] += rules[i].judge(run);
}

static void cell_keeps_the_rules(void **state)
{
    struct matrix_run *run = *state;

    matrix_play(run);
    played++;
    judge(run, matrix_rules, matrix_rules_count);
    judge(run, matrix_rules_rest, matrix_rules_rest_count);
    judge(run, matrix_rules_sums, matrix_rules_sums_count);
    assert_int_equal(run->broken, 0);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static void note_excluded(const char *reason)
{
    size_t i = 0;

    while (i < excluded_count && strcmp(excluded[i].reason, reason) != 0)
        i++;
    if (i == REASON_MAX)
        abort();
    if (i == excluded_count)
        excluded[excluded_count++].reason = reason;
    excluded[i].cells++;
}

static void name_cell(char *name, const struct matrix_cell *cell)
{
    static const char *const whens[] = {"during", "with_others_parked_on", "after"};
    static const char *const endings[] = {"that_brings_a_value", "that_brings_a_value_not_to_be_stored",
                                          "that_finds_nothing", "that_fails", "that_renews_the_old_value"};
    int size = snprintf(name, CELL_NAME_MAX, "%s_%s_%s_%s%s", cell->event->name, whens[cell->when], cell->way->name,
                        endings[cell->ending], cell->late ? "_behind_its_successor" : "");
    if (size >= CELL_NAME_MAX)
        abort();
}

static void add_cell(const struct matrix_cell *cell)
{
    const char *reason = matrix_excluded(cell);
    struct CMUnitTest *test = &tests[cells_count];

    if (reason != NULL) {
        note_excluded(reason);
        return;
    }
    if (cells_count == CELLS_MAX)
        abort();
    cells[cells_count] = *cell;
    name_cell(names[cells_count], cell);
    *test = (struct CMUnitTest){names[cells_count], cell_keeps_the_rules, setup, teardown, &cells[cells_count]};
    cells_count++;
}

static void make_cells(void)
{
    struct matrix_cell cell;

    for (cell.event = matrix_events; cell.event < matrix_events + matrix_events_count; cell.event++)
        for (cell.way = matrix_ways; cell.way < matrix_ways + matrix_ways_count; cell.way++)
            for (int when = 0; when < MATRIX_WHENS; when++)
                for (int ending = 0; ending < MATRIX_ENDINGS; ending++)
                    for (int late = 0; late <= 1; late++) {
                        cell.when = (enum matrix_when)when;
                        cell.ending = (enum matrix_ending)ending;
                        cell.late = late == 1;
                        add_cell(&cell);
                    }
}

static void no_cell_is_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < excluded_count; i++)
        print_message("not played: %zu cells, since %s\n", excluded[i].cells, excluded[i].reason);
    assert_int_equal(cells_count, CELLS);
}

static void every_rule_has_cells_to_judge(void **state)
{
    static const unsigned rules[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19, 21, 22, 23};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        print_message("rule %u has judged %zu cells\n", rules[i], judged[rules[i]]);
        assert_true(judged[rules[i]] > 0);
    }
    assert_int_equal(played, CELLS);
}

int main(int argc, char **argv)
{
    make_cells();
    tests[cells_count] = (struct CMUnitTest)cmocka_unit_test(no_cell_is_lost);
    tests[cells_count + 1] = (struct CMUnitTest)cmocka_unit_test(every_rule_has_cells_to_judge);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("matrix", tests, cells_count + 2, NULL, NULL) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
