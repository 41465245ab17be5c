/* SPDX-License-Identifier: MIT */
/*
 * run.c: start, serve, drain, stop. See run.h.
 *
 * The end, step by step:
 *   1. /readyz says 503. The data side closes its listening socket; whoever is connected by then is served.
 *   2. Every answer closes its connection; idle connections get a short grace (HTTP_DRAIN_GRACE_MS) for a request that
 *      is on its way. Until nobody is connected, or drain_timeout is over.
 *   3. The caches are closed: whoever is still parked is answered with 503.
 *   4. A last moment for these answers to leave; then the sides are stopped and what is still connected is cut off.
 *   5. The backends end their loads, and everything is freed. Exit status 0.
 */
#include "run.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "admin.h"
#include "caches.h"
#include "guard.h"
#include "http.h"
#include "log.h"
#include "notify.h"
#include "routes.h"

#define ADMIN_CONNECTIONS_MAX 64

/* Descriptors for all but connections: listening, epoll, log, databases, timers. */
#define DESCRIPTORS_RESERVE 256

/* How long the last answers may take to leave once the caches are closed. */
#define LAST_ANSWERS_MS 2000

/* The admin side goes last, and answers at once: only what is just being sent is waited for. */
#define ADMIN_DRAIN_MS 200

struct server {
    const struct config *config;
    struct caches caches;
    struct routes routes;
    struct admin admin;
    struct http_server *data_side;
    struct http_server *admin_side;
};

static void log_number(enum log_level level, const char *event, const char *name, unsigned long long number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", number);
    log_event(level, event, name, text, NULL);
}

static bool start_failed(const char *reason)
{
    log_event(LOG_ERROR, "start_failed", "reason", reason, NULL);
    return false;
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

static size_t processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (size_t)count : 1;
}

/* Descriptors for every connection that the configuration allows, as far as the system allows them. */
static void raise_descriptors(const struct config *config)
{
    rlim_t wanted = config->connections_max + ADMIN_CONNECTIONS_MAX + DESCRIPTORS_RESERVE;
    for (size_t i = 0; i < config->caches_count; i++)
        wanted += config->caches[i].backend.max_concurrent;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    struct rlimit raised = {wanted, limit.rlim_max > wanted ? limit.rlim_max : wanted};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return;
    raised = (struct rlimit){limit.rlim_max < wanted ? limit.rlim_max : wanted, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0 && raised.rlim_cur >= wanted)
        return;
    char have[24];
    char want[24];
    snprintf(have, sizeof have, "%llu", (unsigned long long)raised.rlim_cur);
    snprintf(want, sizeof want, "%llu", (unsigned long long)wanted);
    log_event(LOG_WARNING, "few_descriptors", "limit", have, "wanted", want, "reason",
              "fewer connections than connections_max may be possible; raise RLIMIT_NOFILE", NULL);
}

static bool prepare_guard(struct server *server)
{
    bool exposed;
    struct guard_fault fault;
    const char *path = server->config->admin_token_file;
    if (!guard_init(&server->admin.guard, path, &exposed, &fault))
        return start_failed(fault.text);
    if (exposed)
        log_event(LOG_WARNING, "token_exposed", "file", path, "reason", "every user of this machine may read it", NULL);
    return true;
}

/* `option` is the one to change in the configuration. */
static bool listen_failed(const char *option, const char *reason)
{
    log_event(LOG_ERROR, "start_failed", "reason", reason, "option", option, NULL);
    return false;
}

static bool listen_data(struct server *server)
{
    const struct config *config = server->config;
    struct http_options options = {
        .side = "data",
        .listen = config->listen,
        .workers = config->workers > 0 ? config->workers : processors(),
        .connections_max = config->connections_max,
        .header_size_max = config->header_size_max,
        .idle_timeout_ms = config->idle_timeout_ms,
        .handler = routes_handler(&server->routes),
    };
    struct http_fault fault;
    return http_server_create(&options, &server->data_side, &fault) || listen_failed("listen", fault.text);
}

static bool listen_admin(struct server *server)
{
    const struct config *config = server->config;
    struct http_options options = {
        .side = "admin",
        .listen = config->admin_listen,
        .local_only = server->admin.guard.token == NULL,
        .workers = 1,
        .connections_max = ADMIN_CONNECTIONS_MAX,
        .header_size_max = config->header_size_max,
        .idle_timeout_ms = config->idle_timeout_ms,
        .handler = admin_handler(&server->admin),
    };
    struct http_fault fault;
    if (http_server_create(&options, &server->admin_side, &fault))
        return true;
    if (options.local_only && strstr(fault.text, "other machines"))
        log_event(LOG_ERROR, "start_failed", "reason", fault.text, "option", "admin_listen", "remedy",
                  "set admin_token_file", NULL);
    else
        listen_failed("admin_listen", fault.text);
    return false;
}

static bool start_sides(struct server *server)
{
    struct http_fault fault;
    server->admin.caches = &server->caches;
    server->admin.data_side = server->data_side;
    server->admin.admin_side = server->admin_side;
    server->admin.guard.browsers = !http_server_is_unix(server->admin_side);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    server->admin.started_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (!http_server_start(server->data_side, &fault))
        return start_failed(fault.text);
    if (!http_server_start(server->admin_side, &fault)) {
        http_server_stop(server->data_side);
        return start_failed(fault.text);
    }
    for (size_t i = 0; i < server->caches.count; i++)
        log_event(LOG_INFO, "cache", "name", server->caches.entries[i].name, "backend",
                  server->caches.entries[i].backend.kind, NULL);
    log_event(LOG_INFO, "listening", "side", "data", "address", http_server_address(server->data_side), NULL);
    log_event(LOG_INFO, "listening", "side", "admin", "address", http_server_address(server->admin_side), NULL);
    return true;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void drain(struct server *server)
{
    atomic_store(&server->admin.draining, true);
    http_server_stop_accepting(server->data_side);
    if (!http_server_drain(server->data_side, server->config->drain_timeout_ms))
        log_event(LOG_WARNING, "drain_timeout", "reason", "requests are still waiting; they are answered with 503 now",
                  NULL);
    caches_close(&server->caches);
    if (!http_server_drain(server->data_side, LAST_ANSWERS_MS)) {
        struct http_stats stats;
        http_server_stats(server->data_side, &stats);
        log_number(LOG_WARNING, "connections_cut", "connections", stats.connections);
    }
    http_server_stop(server->data_side);
    http_server_stop_accepting(server->admin_side);
    (void)http_server_drain(server->admin_side, ADMIN_DRAIN_MS);
    http_server_stop(server->admin_side);
}

static void log_stopped(struct server *server)
{
    struct http_stats stats;
    http_server_stats(server->data_side, &stats);
    uint64_t answers = 0;
    for (int class = 0; class < HTTP_STATUS_CLASSES; class ++)
        answers += stats.answers[class];
    log_number(LOG_INFO, "stopped", "answers", answers);
}

/* The signals that end the server, and SIGHUP, which does not: every thread leaves them to this one. */
static void block_signals(sigset_t *ending)
{
    sigset_t waited;
    sigemptyset(ending);
    sigaddset(ending, SIGTERM);
    sigaddset(ending, SIGINT);
    waited = *ending;
    sigaddset(&waited, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &waited, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* The signal to end on. SIGHUP asks other servers to read their configuration anew: here it is told that it does not.
 */
static int await_end(const sigset_t *ending)
{
    sigset_t waited = *ending;
    sigaddset(&waited, SIGHUP);
    for (;;) {
        int signal_number;
        if (sigwait(&waited, &signal_number) != 0)
            continue;
        if (signal_number != SIGHUP)
            return signal_number;
        log_event(LOG_WARNING, "signal_ignored", "signal", "SIGHUP", "reason",
                  "the configuration is read at start only; restart to apply a change", NULL);
    }
}

static void serve(struct server *server, const sigset_t *ending)
{
    notify_ready();
    int signal_number = await_end(ending);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, ending, NULL); /* the next one ends the process at once; SIGHUP stays blocked */
    notify_stopping();
    log_event(LOG_INFO, "stopping", "signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
    drain(server);
    log_stopped(server);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

int run(const struct config *config)
{
    struct server server = {.config = config,
                            .routes = {.caches = &server.caches, .failure_details = config->failure_details}};
    sigset_t ending;
    bool served = false;

    log_set_level((enum log_level)config->log_level);
    log_event(LOG_INFO, "starting", "version", sluice_version(), NULL);
    block_signals(&ending);
    raise_descriptors(config);
    if (!prepare_guard(&server))
        return 1;
    if (!listen_data(&server))
        goto fini_guard;
    if (!listen_admin(&server))
        goto destroy_data;
    struct caches_fault fault;
    if (!caches_create(config, &server.caches, &fault)) {
        start_failed(fault.text);
        goto destroy_admin;
    }
    served = start_sides(&server);
    if (served)
        serve(&server, &ending);
    caches_destroy(&server.caches);
destroy_admin:
    http_server_destroy(server.admin_side);
destroy_data:
    http_server_destroy(server.data_side);
fini_guard:
    guard_fini(&server.admin.guard);
    return served ? 0 : 1;
}

static void tell_fault(void *arg, const char *fault)
{
    config_fault_add(arg, 0, "%s", fault);
}

void run_check(const struct config *config, struct config_faults *faults)
{
    struct guard guard;
    struct guard_fault fault;
    bool exposed;
    if (guard_init(&guard, config->admin_token_file, &exposed, &fault))
        guard_fini(&guard);
    else
        tell_fault(faults, fault.text);
    caches_check(config, tell_fault, faults);
}
