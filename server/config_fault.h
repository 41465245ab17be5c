/* SPDX-License-Identifier: MIT */
/*
 * config_fault.h: the lines that say what is wrong with a configuration file: "FILE:LINE: what is wrong".
 *
 * May be used by: the config files, and main.c and run.c for --check-config. One thread.
 */
#ifndef SERVER_CONFIG_FAULT_H
#define SERVER_CONFIG_FAULT_H

#include <stdbool.h>
#include <stdio.h>

/* Faults that are shown; more are most likely a file that is something else. */
#define CONFIG_FAULTS_MAX 50

struct config_faults {
    const char *path; /* as the user wrote it */
    FILE *stream;     /* where the lines go */
    unsigned count;
};

/*
 * One line, composed as printf does; what is not fit for a terminal is escaped, what is over 1 KiB cut. A line of 0
 * says nothing of a line: it is the file as a whole. Past CONFIG_FAULTS_MAX one last line says that there are more.
 */
void config_fault_add(struct config_faults *faults, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether so many were found that looking for more is of no use. */
bool config_fault_enough(const struct config_faults *faults);

#endif
