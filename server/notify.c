/* SPDX-License-Identifier: MIT */
/* notify.c: sd_notify. The one file that includes systemd's header. */
#include "notify.h"

#ifdef SLUICE_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

static void notify(const char *state)
{
    (void)sd_notify(0, state); /* nobody listens unless systemd started us; then there is nobody to tell a failure to */
}
#else
static void notify(const char *state)
{
    (void)state;
}
#endif

void notify_ready(void)
{
    notify("READY=1");
}

void notify_stopping(void)
{
    notify("STOPPING=1");
}
