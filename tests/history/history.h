/* SPDX-License-Identifier: MIT */
/*
 * history.h: a log of record.h, read back into its order and looked over: what is not whole is refused, so that those
 * who judge may rely on every reference.
 */
#ifndef TESTS_HISTORY_H
#define TESTS_HISTORY_H

#include "record.h"

#include <stdio.h>

#define HISTORY_FAULT_MAX 256

struct history {
    struct record_facts facts;
    struct record *records; /* record number n is at n - 1 */
    uint64_t count;
};

/*
 * Reads the file. False: `fault` says what is wrong and where, and there is nothing to be given back. What is checked:
 * the header; that the numbers are 1 to `count`, each once; that every field is one of its words; that what a record
 * goes on with is an earlier record of the right kind; that what is called has returned, once.
 */
bool history_read(struct history *history, const char *path, char fault[HISTORY_FAULT_MAX]);
void history_fini(struct history *history);

/* The record of this number, which is one of the history's. */
const struct record *history_at(const struct history *history, uint64_t order);

/* The number of the only key of a record. */
unsigned history_key(const struct record *record);

/* One line that tells the record. */
void history_print(const struct history *history, uint64_t order, FILE *out);

#endif
