/* SPDX-License-Identifier: MIT */
/*
 * startup_test.c: what sluiced needs to start with is not there, or is not as it must be: each gets an error in its log
 * that says what and where, and exit status 1. And what it may find and starts with all the same. Backends are in
 * startup_backends_test.c.
 */
#include "client.h"
#include "daemon.h"
#include "startup.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ROOT_CACHE "cache \"c\" { file { directory = \"/\" } }\n"
#define ANYWHERE   "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n"

/* ---- addresses --------------------------------------------------------------------------------------------------- */

/* A TCP socket that listens on a free port of 127.0.0.1. */
static int listen_somewhere(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_return_code(fd, errno);
    assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof address), errno);
    assert_return_code(listen(fd, 1), errno);
    assert_return_code(getsockname(fd, (struct sockaddr *)&address, &size), errno);
    *port = ntohs(address.sin_port);
    return fd;
}

static void a_port_in_use_is_named_by_its_address_and_option(void **state)
{
    struct startup *startup = *state;
    unsigned port;
    int taken = listen_somewhere(&port);

    startup_try(startup, PROCESS_SAME, "listen = \"127.0.0.1:%u\"\nadmin_listen = \"127.0.0.1:0\"\n" ROOT_CACHE, port);
    startup_expect_failure(startup, "cannot listen on 127.0.0.1:%u: Address already in use\" option=listen\n", port);
    startup_try(startup, PROCESS_SAME, "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:%u\"\n" ROOT_CACHE, port);
    startup_expect_failure(startup, "cannot listen on 127.0.0.1:%u: Address already in use\" option=admin_listen\n",
                           port);
    close(taken);
}

static void an_address_that_is_not_this_machine_s_is_named(void **state)
{
    struct startup *startup = *state;

    /* RFC 5737 keeps it for documents: nobody has it. */
    startup_try(startup, PROCESS_SAME, "listen = \"192.0.2.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n" ROOT_CACHE);
    startup_expect_failure(startup, "cannot listen on 192.0.2.1:0: Cannot assign requested address");
}

static void a_public_admin_side_starts_with_a_token(void **state)
{
    struct startup *startup = *state;
    struct answer answer = {0};
    char config[512];
    struct daemon *daemon;

    scratch_write_text(&startup->scratch, "token", "s3cret\n");
    snprintf(config, sizeof config,
             "listen = \"127.0.0.1:0\" admin_listen = \"0.0.0.0:0\" admin_token_file = \"%s/token\"\n" ROOT_CACHE,
             startup->scratch.directory);
    daemon = daemon_start_as_is(config);
    client_request(daemon->admin_port, "GET", "/stats", NULL, &answer);
    assert_int_equal(401, answer.status);
    client_request(daemon->admin_port, "GET", "/stats", "Authorization: Bearer s3cret\r\n", &answer);
    assert_int_equal(200, answer.status);
    answer_fini(&answer);
    assert_int_equal(0, daemon_stop(daemon));
}

/* ---- Unix sockets ------------------------------------------------------------------------------------------------ */

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    return address;
}

/* GET over a Unix socket; the status of the answer, and its body. */
static int unix_get(const char *path, const char *target, const char *host, char *body, size_t body_size)
{
    struct sockaddr_un address = unix_address(path);
    char bytes[4096];
    size_t size, taken = 0, used;
    ssize_t got;
    struct answer answer = {0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status;

    assert_return_code(fd, errno);
    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 60}, sizeof(struct timeval)),
                       errno);
    assert_return_code(connect(fd, (struct sockaddr *)&address, sizeof address), errno);
    size =
        (size_t)snprintf(bytes, sizeof bytes, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host);
    assert_int_equal(size, send(fd, bytes, size, MSG_NOSIGNAL));
    while ((got = recv(fd, bytes + taken, sizeof bytes - taken, 0)) > 0)
        taken += (size_t)got;
    assert_return_code(got, errno);
    close(fd);
    assert_true(answer_parse(bytes, taken, true, ANSWER_TO_GET, &answer, &used));
    status = answer.status;
    snprintf(body, body_size, "%s", answer.body);
    answer_fini(&answer);
    return status;
}

/* Starts on the two sockets "data" and "admin" of the scratch directory, with a cache on the directory itself. */
static struct daemon *start_on_unix(const struct startup *startup)
{
    const char *directory = startup->scratch.directory;
    char config[1024];

    snprintf(config, sizeof config,
             "listen = \"unix:%s/data\" admin_listen = \"unix:%s/admin\"\n"
             "cache \"c\" { file { directory = \"%s\" } }\n",
             directory, directory, directory);
    return daemon_start_as_is(config);
}

static void both_sides_serve_on_unix_sockets_and_remove_them(void **state)
{
    struct startup *startup = *state;
    char data[SCRATCH_PATH_MAX], admin[SCRATCH_PATH_MAX], text[SCRATCH_PATH_MAX + 64], body[2048];
    struct daemon *daemon;

    scratch_path(&startup->scratch, "data", data);
    scratch_path(&startup->scratch, "admin", admin);
    scratch_write_text(&startup->scratch, "motd", "hello");
    daemon = start_on_unix(startup);
    snprintf(text, sizeof text, "event=listening side=data address=unix:%s\n", data);
    assert_int_equal(1, daemon_log_count(daemon, text));
    assert_int_equal(200, unix_get(data, "/c/motd", "h", body, sizeof body));
    assert_string_equal("hello", body);
    /* No browser comes this way, so any Host will do. */
    assert_int_equal(200, unix_get(admin, "/stats", "somewhere.example", body, sizeof body));
    assert_int_equal(0, daemon_stop(daemon));
    assert_int_equal(-1, access(data, F_OK));
    assert_int_equal(-1, access(admin, F_OK));
}

static void a_socket_left_by_a_server_that_died_is_replaced(void **state)
{
    struct startup *startup = *state;
    char data[SCRATCH_PATH_MAX], body[2048];
    struct daemon *daemon = start_on_unix(startup);

    daemon_destroy(daemon); /* by SIGKILL */
    scratch_path(&startup->scratch, "data", data);
    assert_int_equal(0, access(data, F_OK));
    scratch_write_text(&startup->scratch, "motd", "hello");
    daemon = start_on_unix(startup);
    assert_int_equal(200, unix_get(data, "/c/motd", "h", body, sizeof body));
    assert_int_equal(0, daemon_stop(daemon));
}

static void a_socket_that_somebody_listens_on_is_left_alone(void **state)
{
    struct startup *startup = *state;
    char data[SCRATCH_PATH_MAX], body[2048];
    struct daemon *daemon = start_on_unix(startup);

    scratch_path(&startup->scratch, "data", data);
    scratch_write_text(&startup->scratch, "motd", "hello");
    startup_try(startup, PROCESS_SAME, "listen = \"unix:%s\"\nadmin_listen = \"127.0.0.1:0\"\n" ROOT_CACHE, data);
    startup_expect_failure(startup, "cannot listen on unix:%s: Address already in use", data);
    assert_int_equal(200, unix_get(data, "/c/motd", "h", body, sizeof body));
    assert_int_equal(0, daemon_stop(daemon));
}

static void a_file_in_the_place_of_a_socket_is_left_alone(void **state)
{
    struct startup *startup = *state;
    char path[SCRATCH_PATH_MAX];
    struct stat status;

    scratch_path(&startup->scratch, "data", path);
    scratch_write_text(&startup->scratch, "data", "dear");
    startup_try(startup, PROCESS_SAME, "listen = \"unix:%s\"\nadmin_listen = \"127.0.0.1:0\"\n" ROOT_CACHE, path);
    startup_expect_failure(startup, "cannot listen on unix:%s: Address already in use", path);
    assert_return_code(lstat(path, &status), errno);
    assert_true(S_ISREG(status.st_mode) && status.st_size == 4);
    startup_try(startup, PROCESS_SAME, "listen = \"unix:%s/no/data\"\nadmin_listen = \"127.0.0.1:0\"\n" ROOT_CACHE,
                startup->scratch.directory);
    startup_expect_failure(startup, "cannot listen on unix:%s/no/data: No such file or directory",
                           startup->scratch.directory);
}

/* A start that fails on its second side has taken its first side's socket away again. */
static void a_start_that_fails_leaves_no_socket(void **state)
{
    struct startup *startup = *state;
    const char *directory = startup->scratch.directory;
    char path[SCRATCH_PATH_MAX];

    scratch_path(&startup->scratch, "data", path);
    scratch_write_text(&startup->scratch, "token", "s3cret\n");
    startup_try(startup, PROCESS_SAME,
                "listen = \"unix:%s\"\nadmin_listen = \"192.0.2.1:0\"\nadmin_token_file = \"%s/token\"\n" ROOT_CACHE,
                path, directory);
    startup_expect_failure(startup, "cannot listen on 192.0.2.1:0: ");
    assert_int_equal(-1, access(path, F_OK));
    startup_try(startup, PROCESS_SAME,
                "listen = \"unix:%s\"\nadmin_listen = \"127.0.0.1:0\"\n"
                "cache \"c\" { file { directory = \"%s/nowhere\" } }\n",
                path, directory);
    startup_expect_failure(startup, "the directory \"%s/nowhere\" can't be opened", directory);
    assert_int_equal(-1, access(path, F_OK));
}

/* ---- the token file ---------------------------------------------------------------------------------------------- */

/* Tries to start with the token file "token" of the scratch directory. */
static void try_token(struct startup *startup, enum process_user user)
{
    startup_try(startup, user, ANYWHERE "admin_token_file = \"%s/token\"\n" ROOT_CACHE, startup->scratch.directory);
}

static void a_token_file_that_is_not_there_is_named(void **state)
{
    struct startup *startup = *state;

    try_token(startup, PROCESS_SAME);
    startup_expect_failure(startup, "cannot read the token file %s/token: No such file or directory",
                           startup->scratch.directory);
    scratch_make_directory(&startup->scratch, "token");
    try_token(startup, PROCESS_SAME);
    startup_expect_failure(startup, "cannot read the token file %s/token: Is a directory", startup->scratch.directory);
}

static void a_token_file_without_a_token_is_refused(void **state)
{
    static char large[1100];
    struct startup *startup = *state;
    const char *directory = startup->scratch.directory;

    scratch_write_text(&startup->scratch, "token", "");
    try_token(startup, PROCESS_SAME);
    startup_expect_failure(startup, "the token file %s/token is empty", directory);
    scratch_write_text(&startup->scratch, "token", " \n\t\n");
    try_token(startup, PROCESS_SAME);
    startup_expect_failure(startup, "the token file %s/token is empty", directory);
    scratch_write_text(&startup->scratch, "token", "two words\n");
    try_token(startup, PROCESS_SAME);
    startup_expect_failure(startup, "the token file %s/token: byte 3 is not a visible ASCII character", directory);
    memset(large, 'a', sizeof large - 1);
    scratch_write_text(&startup->scratch, "token", large);
    try_token(startup, PROCESS_SAME);
    startup_expect_failure(startup, "the token file %s/token is larger than 1024 bytes", directory);
}

static void a_token_file_that_may_not_be_read_is_named(void **state)
{
    struct startup *startup = *state;
    enum process_user user = startup_user_without_rights(startup);
    char path[SCRATCH_PATH_MAX];

    scratch_path(&startup->scratch, "token", path);
    scratch_write_text(&startup->scratch, "token", "s3cret\n");
    assert_return_code(chmod(path, 0), errno);
    try_token(startup, user);
    startup_expect_failure(startup, "cannot read the token file %s: Permission denied", path);
}

static void a_token_file_that_everybody_may_read_is_warned_of(void **state)
{
    static const struct {
        mode_t mode;
        size_t warnings;
    } cases[] = {{0644, 1}, {0640, 0}, {0600, 0}};
    struct startup *startup = *state;
    char path[SCRATCH_PATH_MAX], config[512];

    scratch_path(&startup->scratch, "token", path);
    scratch_write_text(&startup->scratch, "token", "s3cret\n");
    snprintf(config, sizeof config, "admin_token_file = \"%s\"\n" ROOT_CACHE, path);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct daemon *daemon;

        assert_return_code(chmod(path, cases[i].mode), errno);
        daemon = daemon_start(config);
        assert_int_equal(cases[i].warnings, daemon_log_count(daemon, "level=warning event=token_exposed file="));
        assert_int_equal(0, daemon_stop(daemon));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTUP_TEST(a_port_in_use_is_named_by_its_address_and_option),
        STARTUP_TEST(an_address_that_is_not_this_machine_s_is_named),
        STARTUP_TEST(a_public_admin_side_starts_with_a_token),
        STARTUP_TEST(both_sides_serve_on_unix_sockets_and_remove_them),
        STARTUP_TEST(a_socket_left_by_a_server_that_died_is_replaced),
        STARTUP_TEST(a_socket_that_somebody_listens_on_is_left_alone),
        STARTUP_TEST(a_file_in_the_place_of_a_socket_is_left_alone),
        STARTUP_TEST(a_start_that_fails_leaves_no_socket),
        STARTUP_TEST(a_token_file_that_is_not_there_is_named),
        STARTUP_TEST(a_token_file_without_a_token_is_refused),
        STARTUP_TEST(a_token_file_that_may_not_be_read_is_named),
        STARTUP_TEST(a_token_file_that_everybody_may_read_is_warned_of),
    };

    return cmocka_run_group_tests_name("startup", tests, NULL, NULL);
}
