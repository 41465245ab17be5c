/* SPDX-License-Identifier: MIT */
/* notify.h: tells systemd how far we are, where it wants to know and we were built with it. May be used by: run.c. */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);

#endif
