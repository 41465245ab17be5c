/* SPDX-License-Identifier: MIT */
/* nginx_fixture.c: see nginx_fixture.h. */
#include "nginx_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PORT_TRIES_MAX = 5,  /* a free port may be taken by somebody else before nginx takes it */
    FOREVER_MS = 60000,  /* far over what anything here takes */
    LOG_SIZE_MAX = 65536 /* of what is read from nginx */
};

/* The directory stands in for "DIR", the number of the configuration for "GEN". */
static const char CONFIGURATION[] =
    "daemon off;\n"
    "worker_processes 1;\n"
    "pid DIR/nginx.pid;\n"
    "events { worker_connections 256; }\n"
    "http {\n"
    "    log_format seen '$request_uri $status accept=$http_accept_encoding coding=$sent_http_content_encoding '\n"
    "                    'transfer=$sent_http_transfer_encoding';\n"
    "    access_log DIR/access.log seen;\n"
    "    client_body_temp_path DIR/temp;\n"
    "    proxy_temp_path DIR/temp;\n"
    "    fastcgi_temp_path DIR/temp;\n"
    "    uwsgi_temp_path DIR/temp;\n"
    "    scgi_temp_path DIR/temp;\n"
    "    types { text/plain txt; application/json json; }\n"
    "    default_type application/octet-stream;\n"
    "    gzip on;\n"
    "    gzip_min_length 1;\n"
    "    gzip_types *;\n"
    "    server {\n"
    "        listen 127.0.0.1:PORT;\n"
    "        location /files/ { root DIR; }\n"
    "        location /chunked/ { alias DIR/files/; ssi on; ssi_types *; }\n"
    "        location /count/ { return 200 \"$connection $connection_requests\"; }\n"
    "        location /three/ { keepalive_requests 3; return 200 \"$connection $connection_requests\"; }\n"
    "        location /close/ { keepalive_timeout 0; return 200 \"$connection $connection_requests\"; }\n"
    "        location /pid/ { return 200 $pid; }\n"
    "        location /generation/ { return 200 GEN; }\n"
    "        location /status/410 { return 410; }\n"
    "        location /status/500 { return 500; }\n"
    "        location /status/503 { return 503 \"later\"; }\n"
    "        location /status/301 { return 301 /files/target; }\n"
    "        location /status/302 { return 302 /files/target; }\n"
    "        location /status/307 { return 307 /files/target; }\n"
    "        location /status/308 { return 308 /files/target; }\n"
    "    }\n"
    "}\n";

/* What a file of the fixture holds, terminated; empty if there is none. The caller frees it. */
static char *read_file(struct nginx_fixture *fixture, const char *name)
{
    char path[LOADER_PATH_MAX], *text = calloc(1, LOG_SIZE_MAX);
    FILE *file;

    assert_non_null(text);
    loader_path(&fixture->loader, name, path);
    file = fopen(path, "re");
    if (file != NULL) {
        text[fread(text, 1, LOG_SIZE_MAX - 1, file)] = '\0';
        fclose(file);
    }
    return text;
}

/* ---- nginx ------------------------------------------------------------------------------------------------------- */

static void write_configuration(struct nginx_fixture *fixture)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    fixture->generation++;
    for (const char *at = CONFIGURATION; *at != '\0';) {
        if (strncmp(at, "DIR", 3) == 0)
            at += 3, fputs(fixture->loader.scratch.directory, out);
        else if (strncmp(at, "PORT", 4) == 0)
            at += 4, fprintf(out, "%u", fixture->port);
        else if (strncmp(at, "GEN", 3) == 0)
            at += 3, fprintf(out, "%u", fixture->generation);
        else
            fputc(*at++, out);
    }
    assert_int_equal(fclose(out), 0);
    loader_write(&fixture->loader, "nginx.conf", text, size);
    free(text);
}

static struct sockaddr_in address_of(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static unsigned free_port(void)
{
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(probe >= 0);
    assert_int_equal(bind(probe, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &size), 0);
    close(probe);
    return ntohs(address.sin_port);
}

/* In the child. nginx is where a path for administrators leads to; it does not outlive the test. */
static void become_nginx(const struct nginx_fixture *fixture, pid_t test)
{
    char configuration[LOADER_PATH_MAX + 16], errors[LOADER_PATH_MAX + 16], path[4096];

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != test)
        _exit(1);
    snprintf(configuration, sizeof configuration, "%s/nginx.conf", fixture->loader.scratch.directory);
    snprintf(errors, sizeof errors, "%s/error.log", fixture->loader.scratch.directory);
    snprintf(path, sizeof path, "%s:/usr/local/sbin:/usr/sbin:/sbin", getenv("PATH") != NULL ? getenv("PATH") : "/bin");
    setenv("PATH", path, 1);
    execlp("nginx", "nginx", "-p", fixture->loader.scratch.directory, "-e", errors, "-c", configuration, (char *)NULL);
    _exit(127);
}

/* The file is written once nginx listens. */
static bool nginx_listens(struct nginx_fixture *fixture)
{
    char *text = read_file(fixture, "nginx.pid");
    bool listens = strtol(text, NULL, 10) == fixture->pid;

    free(text);
    return listens;
}

void nginx_fixture_stop(struct nginx_fixture *fixture)
{
    int status;

    if (fixture->pid == 0)
        return;
    assert_int_equal(kill(fixture->pid, SIGTERM), 0);
    AWAIT(waitpid(fixture->pid, &status, WNOHANG) == fixture->pid);
    fixture->pid = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* False: it does not run. It ends by itself when the port is taken. */
static bool nginx_start(struct nginx_fixture *fixture)
{
    pid_t test = getpid();
    int status;

    fixture->port = free_port();
    fixture->generation = 0;
    write_configuration(fixture);
    fixture->pid = fork();
    assert_true(fixture->pid >= 0);
    if (fixture->pid == 0)
        become_nginx(fixture, test);
    for (int64_t start_ms = await_now_ms(); !nginx_listens(fixture);) {
        if (waitpid(fixture->pid, &status, WNOHANG) == fixture->pid) {
            fixture->pid = 0;
            return false;
        }
        if (!await_again(start_ms)) {
            nginx_fixture_stop(fixture);
            return false;
        }
    }
    return true;
}

void nginx_fixture_reload(struct nginx_fixture *fixture)
{
    write_configuration(fixture);
    assert_int_equal(kill(fixture->pid, SIGHUP), 0);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int nginx_fixture_setup(void **state)
{
    struct nginx_fixture *fixture = calloc(1, sizeof *fixture);
    int tries = 1;

    assert_non_null(fixture);
    loader_fixture_init(&fixture->loader);
    loader_make_directory(&fixture->loader, "files");
    fixture->options = (struct http_backend_options){
        .max_concurrent = 8,
        .queue_max = 64,
        .body_size_max = 16 << 20,
        .timeout_ms = FOREVER_MS,
        .connect_timeout_ms = FOREVER_MS,
        .ttl_max_ms = SLUICE_NEVER,
    };
    while (!nginx_start(fixture)) {
        if (tries++ == PORT_TRIES_MAX) {
            char *words = read_file(fixture, "error.log");

            loader_fixture_fini(&fixture->loader);
            fail_msg("nginx does not run%s%s", words[0] != '\0' ? ": " : "; is it installed? (Debian's nginx-light)",
                     words);
        }
    }
    *state = fixture;
    return 0;
}

int nginx_fixture_teardown(void **state)
{
    struct nginx_fixture *fixture = *state;

    loader_fixture_close(&fixture->loader);
    nginx_fixture_stop(fixture);
    loader_fixture_fini(&fixture->loader);
    free(fixture);
    return 0;
}

void nginx_fixture_open(struct nginx_fixture *fixture, const char *path)
{
    struct backend_fault fault;

    snprintf(fixture->url, sizeof fixture->url, "http://127.0.0.1:%u%s", fixture->port, path);
    fixture->options.url = fixture->url;
    if (!http_backend_create(&fixture->options, &fixture->loader.backend, &fault))
        fail_msg("%s", fault.text);
    loader_fixture_open(&fixture->loader);
}

/* ---- what nginx has and says ------------------------------------------------------------------------------------- */

char *nginx_fixture_bytes(size_t size)
{
    char *bytes = malloc(size + 1);

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i / 100 % 26);
    bytes[size] = '\0';
    return bytes;
}

void nginx_fixture_write(struct nginx_fixture *fixture, const char *name, size_t size)
{
    char path[LOADER_PATH_MAX], *bytes = nginx_fixture_bytes(size);

    snprintf(path, sizeof path, "files/%s", name);
    loader_write(&fixture->loader, path, bytes, size);
    free(bytes);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

char *nginx_fixture_log(struct nginx_fixture *fixture, size_t requests)
{
    char *text = read_file(fixture, "access.log");

    for (int64_t start_ms = await_now_ms(); count_lines(text) < requests; text = read_file(fixture, "access.log")) {
        free(text);
        if (!await_again(start_ms))
            fail_msg("nginx has not logged %zu requests", requests);
    }
    assert_int_equal(count_lines(text), requests);
    return text;
}

char *nginx_fixture_ask(struct nginx_fixture *fixture, const char *path, const char *header)
{
    struct sockaddr_in address = address_of(fixture->port);
    char request[512], *answer = calloc(1, LOG_SIZE_MAX);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t size = 0;
    ssize_t got;

    assert_non_null(answer);
    assert_true(client >= 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s\r\n\r\n", path, header);
    assert_int_equal(write(client, request, strlen(request)), strlen(request));
    while ((got = read(client, answer + size, LOG_SIZE_MAX - 1 - size)) > 0)
        size += (size_t)got;
    assert_int_equal(got, 0);
    close(client);
    return answer;
}
