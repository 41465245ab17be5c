/* SPDX-License-Identifier: MIT */
/* bounds_report.c: see bounds.h. Words and figures; the order of the rounds is lost on the way. */
#include "bounds.h"

#include <stdio.h>
#include <stdlib.h>

struct spread {
    double median, least, most;
};

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

static struct spread spread_of(const struct bounds_results *results, int figure)
{
    double sorted[BOUNDS_ROUNDS_MAX];
    size_t count = results->rounds;

    for (size_t i = 0; i < count; i++) {
        sorted[i] = results->figures[figure][i];
    }
    qsort(sorted, count, sizeof(sorted[0]), compare);
    return (struct spread){(sorted[(count - 1) / 2] + sorted[count / 2]) / 2, sorted[0], sorted[count - 1]};
}

static void print_spread(const struct bounds_results *results, int figure, const char *words, int decimals,
                         const char *unit)
{
    struct spread spread = spread_of(results, figure);

    printf("    %-44s %9.*f (%.*f to %.*f)%s%s\n", words, decimals, spread.median, decimals, spread.least, decimals,
           spread.most, *unit ? " " : "", unit);
}

void bounds_print(const struct bounds_job *job, const struct bounds_results *results)
{
    bool calls = job->calls != BOUNDS_NO_CALLS;

    printf("%s: medians (least to most) of %zu rounds", job->name, results->rounds);
    if (job->calls > 1 && calls) {
        printf(" of %zu calls", job->calls);
    }
    printf("; entries concerned: %.0f\n", spread_of(results, BOUNDS_concerned).median);
    if (calls) {
        print_spread(results, BOUNDS_call_ms, "longest call", 3, "ms");
        print_spread(results, BOUNDS_call_cpu_ms, "most processor time of a call", 3, "ms");
    }
    if (job->keys > 0) {
        print_spread(results, BOUNDS_key_cpu_us, "processor time a key", 3, "us");
    }
    print_spread(results, BOUNDS_during_ms, "longest get of another thread meanwhile", 3, "ms");
    print_spread(results, BOUNDS_alone_ms, "  with nothing going on", 3, "ms");
    print_spread(results, BOUNDS_beside_ms, "  beside a busy thread", 3, "ms");
    print_spread(results, BOUNDS_ratio, "  ratio to beside a busy thread", 2, "");
    print_spread(results, BOUNDS_during_work_ms, "work that a get took or waited for", 3, "ms");
    print_spread(results, BOUNDS_alone_work_ms, "  with nothing going on", 3, "ms");
    print_spread(results, BOUNDS_beside_work_ms, "  beside a busy thread", 3, "ms");
    print_spread(results, BOUNDS_during_9999_us, "99.99 % of the gets meanwhile", 1, "us");
    print_spread(results, BOUNDS_alone_9999_us, "  with nothing going on", 1, "us");
    print_spread(results, BOUNDS_beside_9999_us, "  beside a busy thread", 1, "us");
    print_spread(results, BOUNDS_done_ms, "until all is done", 1, "ms");
    print_spread(results, BOUNDS_background_cpu_ms, "processor time of the cache's own threads", 1, "ms");
    putchar('\n');
}

/*
 * The worst of all rounds against a bound. Over it, the work is looked at, which is a call's own processor time, and
 * for a get what it took or waited for: if that keeps the bound, it is the machine that took the time; and if it
 * doesn't, whether gets that had nothing to wait for did as badly.
 */
static void judge(const char *job, const char *what, double most_ms, double work_ms, double base_ms, double bound_ms)
{
    const char *verdict = "DOES NOT HOLD";

    if (most_ms <= bound_ms) {
        verdict = "holds";
    } else if (work_ms <= bound_ms) {
        verdict = "holds by work";
    } else if (base_ms > bound_ms) {
        verdict = "can't be told";
    }
    printf("%-13s  %s: %s %.3f ms, its work %.3f ms; bound %.0f ms", verdict, job, what, most_ms, work_ms, bound_ms);
    if (base_ms > 0) {
        printf("; beside a busy thread %.3f ms", base_ms);
    }
    putchar('\n');
}

void bounds_judge(const struct bounds_job *job, const struct bounds_results *results)
{
    if (results->rounds == 0) {
        return;
    }
    double base_ms = spread_of(results, BOUNDS_beside_work_ms).most;

    if (job->bounded) {
        judge(job->name, "the longest call", spread_of(results, BOUNDS_call_ms).most,
              spread_of(results, BOUNDS_call_cpu_ms).most, 0, BOUNDS_CALL_MS);
    }
    judge(job->name, "the longest get meanwhile", spread_of(results, BOUNDS_during_ms).most,
          spread_of(results, BOUNDS_during_work_ms).most, base_ms, BOUNDS_PAUSE_MS);
}

void bounds_print_values(const struct bounds_job *job, const struct bounds_results *results)
{
    if (results->rounds == 0) {
        return;
    }
    printf("job=%s rounds=%zu", job->name, results->rounds);
#define PRINT_FIGURE(name, decimals)                                                                                   \
    printf(" " #name "=%.*f " #name "_most=%.*f", decimals, spread_of(results, BOUNDS_##name).median, decimals,        \
           spread_of(results, BOUNDS_##name).most);
    BOUNDS_FIGURES(PRINT_FIGURE)
#undef PRINT_FIGURE
    putchar('\n');
}
