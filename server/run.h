/* SPDX-License-Identifier: MIT */
/*
 * run.h: the server's life from a checked configuration to its last answer. May be used by: main.c.
 *
 * Signals: SIGTERM and SIGINT end it in good order, as run.c says step by step; a second one ends the process at once.
 * SIGHUP is logged and changes nothing.
 */
#ifndef SERVER_RUN_H
#define SERVER_RUN_H

#include "config.h"
#include "config_fault.h"

/* Serves until it is told to end. Returns the exit status: 0, or 1 if it could not start (a line in the log says why).
 */
int run(const struct config *config);

/*
 * Opens what run() would open, but listens nowhere: the token file, then each cache's backend. Each fault is added to
 * `faults`, without a line.
 */
void run_check(const struct config *config, struct config_faults *faults);

#endif
