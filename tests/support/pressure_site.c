/* SPDX-License-Identifier: MIT */
/* pressure_site.c: see pressure_site.h. */
#include "pressure_site.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

void pressure_site_count(struct pressure_site *site, uint64_t high, uint64_t max)
{
    char text[128];
    snprintf(text, sizeof text, "low 0\nhigh %" PRIu64 "\nmax %" PRIu64 "\noom 0\noom_kill 0\n", high, max);
    scratch_write_text(&site->scratch, "memory.events", text);
}

void pressure_site_init(struct pressure_site *site, struct fixture *fixture)
{
    site->options = (struct sluice_pressure_options)SLUICE_PRESSURE_OPTIONS_INIT;
    site->pressure = NULL;
    scratch_init(&site->scratch);
    scratch_path(&site->scratch, "stalls", site->fifo);
    scratch_path(&site->scratch, "memory.events", site->events);
    assert_int_equal(mkfifo(site->fifo, 0600), 0);
    site->writer = open(site->fifo, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    assert_true(site->writer >= 0);
    pressure_site_count(site, 7, 0);
    site->options.stall_path = site->fifo;
    site->options.events_path = site->events;
    site->options.clock = fake_clock_option(&fixture->clock);
}

void pressure_site_init_threaded(struct pressure_site *site, struct fixture *fixture)
{
    static const struct sluice_clock own = {NULL, NULL, NULL};
    pressure_site_init(site, fixture);
    site->options.clock = own;
    site->options.pace_ms = 1;
    site->options.hold_ms = 3600000;
}

void pressure_site_start(struct pressure_site *site)
{
    struct sluice_pressure_fault fault = {0, ""};
    enum sluice_error error = sluice_pressure_start(&site->options, &site->pressure, &fault);
    if (error != SLUICE_OK)
        fail_msg("%s: %s", sluice_strerror(error), fault.words);
}

void pressure_site_fini(struct pressure_site *site)
{
    sluice_pressure_stop(site->pressure);
    site->pressure = NULL;
    close(site->writer);
    scratch_fini(&site->scratch);
}

void pressure_site_stall(struct pressure_site *site)
{
    assert_int_equal(write(site->writer, "!", 1), 1);
}

struct sluice_pressure_state pressure_site_look(struct pressure_site *site)
{
    struct sluice_pressure_state state;
    sluice_pressure_look(site->pressure, &state);
    return state;
}

size_t pressure_site_open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

int64_t pressure_site_advance(struct pressure_site *site, struct fixture *fixture, int64_t ms)
{
    fake_clock_advance(&fixture->clock, ms);
    return sluice_pressure_tick(site->pressure);
}
