/* SPDX-License-Identifier: MIT */
/*
 * history_check LOG: judges a history that history_storm wrote down. It knows the log alone and links nothing of the
 * cache. Prints how often each rule was judged, and the first that is broken with the events that show it.
 *
 * Status: 0 the rules hold; 1 one is broken, or one that the log asks for was never judged; 2 the log is not whole.
 */
#include "judge.h"

int main(int argc, char **argv)
{
    char fault[HISTORY_FAULT_MAX];
    struct history history;
    struct verdict verdict;
    unsigned missing;
    bool judged;

    if (argc != 2) {
        fputs("usage: history_check LOG\n", stderr);
        return 2;
    }
    if (!history_read(&history, argv[1], fault)) {
        fprintf(stderr, "history_check: %s: %s\n", argv[1], fault);
        return 2;
    }
    judged = judge_history(&history, &verdict);
    if (!judged) {
        fputs("history_check: out of memory\n", stderr);
        history_fini(&history);
        return 2;
    }
    judge_print(&history, &verdict, stdout);
    missing = verdict.broken ? 0 : judge_missing(&history, &verdict);
    if (missing != 0)
        printf("history: rule %u was never judged\n", missing);
    history_fini(&history);
    return verdict.broken || missing != 0 ? 1 : 0;
}
