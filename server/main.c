/* SPDX-License-Identifier: MIT */
/*
 * main.c: sluiced's command line. Exit status: 0 for a good end, 1 if the server could not start or the configuration
 * is wrong, 2 for a wrong command line.
 */
#include <getopt.h>
#include <sluice/cache.h>
#include <stdio.h>

#include "config.h"
#include "config_fault.h"
#include "run.h"

enum { EXIT_WRONG_USAGE = 2 };

static const char usage[] = "Usage: sluiced --config FILE\n"
                            "       sluiced --check-config FILE\n"
                            "       sluiced --version | --help\n";

static const char help[] =
    "\n"
    "Serves caches over HTTP. Concurrent misses of one key wait for a single load from the backend.\n"
    "\n"
    "  -c, --config FILE        serve, as FILE says\n"
    "  -t, --check-config FILE  say what is wrong with FILE and with what it names: opens the token\n"
    "                           file and every backend, but listens nowhere, tries no address and\n"
    "                           asks no HTTP service\n"
    "  -V, --version            print the version\n"
    "  -h, --help               print this\n"
    "\n"
    "SIGTERM and SIGINT end it in good order: what was accepted is answered. A second one ends it at once.\n"
    "SIGHUP changes nothing: FILE is read at start only.\n"
    "Exit status: 0 for a good end, 1 if it could not start or FILE is wrong, 2 for a wrong command line.\n"
    "See sluiced(8) and sluice.conf(5).\n";

static int wrong_usage(void)
{
    fputs(usage, stderr);
    fputs("Try 'sluiced --help'.\n", stderr);
    return EXIT_WRONG_USAGE;
}

/* What a start would find wrong is told with the file's path, as config_load() does. */
static int check(const char *path, const struct config *config)
{
    struct config_faults faults = {.path = path, .stream = stderr};
    run_check(config, &faults);
    if (faults.count > 0)
        return 1;
    return printf("%s: ok, %zu %s\n", path, config->caches_count, config->caches_count == 1 ? "cache" : "caches") < 0 ||
           fflush(stdout) == EOF;
}

static int serve_or_check(const char *path, bool check_only)
{
    struct config *config = config_load(path, stderr);
    if (!config)
        return 1;
    int status = check_only ? check(path, config) : run(config);
    config_destroy(config);
    return status;
}

/* What is printed must arrive: a full disk or a closed pipe is a failure. */
static int print(const char *first, const char *second)
{
    return fputs(first, stdout) == EOF || fputs(second, stdout) == EOF || fflush(stdout) == EOF;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", required_argument, NULL, 't'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *path = NULL;
    bool check_only = false;
    int option;
    while ((option = getopt_long(argc, argv, "c:t:Vh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
        case 't':
            if (path) {
                fputs("sluiced: one configuration file, please\n", stderr);
                return wrong_usage();
            }
            path = optarg;
            check_only = option == 't';
            break;
        case 'V':
            return print("sluiced ", SLUICE_VERSION "\n");
        case 'h':
            return print(usage, help);
        default:
            return wrong_usage(); /* getopt_long() has said what is wrong */
        }
    }
    if (optind < argc) {
        fprintf(stderr, "sluiced: unexpected argument \"%s\": only options are taken, and the file stands behind %s\n",
                argv[optind], path ? "its option" : "--config or --check-config");
        return wrong_usage();
    }
    if (!path) {
        fputs("sluiced: no configuration file is given\n", stderr);
        return wrong_usage();
    }
    return serve_or_check(path, check_only);
}
