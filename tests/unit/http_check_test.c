/* SPDX-License-Identifier: MIT */
/*
 * http_check_test.c: which requests are refused for their headers, and as what. What the parser makes of bytes on the
 * wire before is seen in tests/server/request_errors_test.c.
 */
#include "http_check.h"

#include "test.h"

#include <string.h>

static const struct http_check_limits limits = {.header_size = 100, .header_size_max = 100, .body_size_max = 50};

/* Header lines "Name: value", up to NULL. */
static enum http_refusal check_lines(enum http_method method, const char *const *lines)
{
    struct http_check check = {{NULL}, HTTP_REFUSAL_NONE};

    for (; *lines; lines++) {
        const char *colon = strchr(*lines, ':');
        const char *value = colon + 2;
        if (!http_check_add(&check, *lines, (size_t)(colon - *lines), value, strlen(value)))
            break;
    }
    http_check_end(&check, method, "HTTP/1.1", &limits);
    return check.refusal;
}

#define CHECK(method, ...) check_lines(method, (const char *const[]){__VA_ARGS__, NULL})

static void names_are_known_in_any_case_and_only_whole(void **state)
{
    (void)state;
    assert_int_equal(HTTP_FIELD_HOST, http_check_field("Host", 4));
    assert_int_equal(HTTP_FIELD_IF_NONE_MATCH, http_check_field("iF-nOnE-mAtCh", 13));
    assert_int_equal(HTTP_FIELDS_COUNT, http_check_field("Hos", 3));
    assert_int_equal(HTTP_FIELDS_COUNT, http_check_field("Hosts", 5));
    assert_int_equal(HTTP_FIELDS_COUNT, http_check_field("", 0));
    assert_int_equal(HTTP_GET, http_check_method("GET"));
    assert_int_equal(HTTP_HEAD, http_check_method("HEAD"));
    assert_int_equal(HTTP_DELETE, http_check_method("DELETE"));
    assert_int_equal(HTTP_OTHER, http_check_method("get"));
    assert_int_equal(HTTP_OTHER, http_check_method("GETS"));
}

static void the_first_of_a_kind_is_remembered(void **state)
{
    struct http_check check = {{NULL}, HTTP_REFUSAL_NONE};

    (void)state;
    assert_true(http_check_add(&check, "Prefer", 6, "wait=1", 6));
    assert_true(http_check_add(&check, "prefer", 6, "wait=2", 6));
    assert_true(http_check_add(&check, "Accept", 6, NULL, 0));
    assert_true(http_check_add(&check, "Host", 4, NULL, 0));
    assert_string_equal("wait=1", check.fields[HTTP_FIELD_PREFER]);
    assert_string_equal("", check.fields[HTTP_FIELD_HOST]);
    assert_null(check.fields[HTTP_FIELD_ORIGIN]);
    assert_int_equal(0, http_check_body_size(&check));
    assert_true(http_check_add(&check, "Content-Length", 14, "37", 2));
    assert_int_equal(37, http_check_body_size(&check));
    assert_int_equal(HTTP_REFUSAL_NONE, check.refusal);
}

static void sound_requests_pass(void **state)
{
    (void)state;
    assert_int_equal(HTTP_REFUSAL_NONE, CHECK(HTTP_GET, "Host: h"));
    assert_int_equal(HTTP_REFUSAL_NONE, CHECK(HTTP_GET, "Host: [::1]:8080", "X-Odd!#$%&'*+-.^_`|~9: \t\x80 any"));
    assert_int_equal(HTTP_REFUSAL_NONE, CHECK(HTTP_HEAD, "Host: h", "Content-Length: 0"));
    assert_int_equal(HTTP_REFUSAL_NONE, CHECK(HTTP_OTHER, "Host: h", "Content-Length: 9", "Transfer-Encoding: x"));
}

static void header_syntax(void **state)
{
    (void)state;
    assert_int_equal(HTTP_REFUSAL_FIELD_SYNTAX, CHECK(HTTP_GET, "Host: h", "X Y: z"));
    assert_int_equal(HTTP_REFUSAL_FIELD_SYNTAX, CHECK(HTTP_GET, "Host: h", "X\t: z"));
    assert_int_equal(HTTP_REFUSAL_FIELD_SYNTAX, CHECK(HTTP_GET, "Host: h", "X(: z"));
    assert_int_equal(HTTP_REFUSAL_FIELD_SYNTAX, CHECK(HTTP_GET, "Host: h", "X\x80: z"));
    assert_int_equal(HTTP_REFUSAL_FIELD_SYNTAX, CHECK(HTTP_GET, "Host: h", "X: y\rz"));
    assert_int_equal(HTTP_REFUSAL_FIELD_SYNTAX, CHECK(HTTP_GET, "Content-Length37: 0"));   /* as of a folded one */
    assert_int_equal(HTTP_REFUSAL_FIELD_SYNTAX, CHECK(HTTP_GET, "transfer-encodingx: y")); /* likewise */
    struct http_check check = {{NULL}, HTTP_REFUSAL_NONE};
    assert_false(http_check_add(&check, "X\0", 2, "y", 1));
    assert_int_equal(HTTP_REFUSAL_FIELD_SYNTAX, check.refusal);
}

static void what_hides_behind_a_nul_is_seen(void **state)
{
    const char lines[] = "a: b\0\0c: d\0\0\0\0";
    const char line[] = "GET\0/k\0HTTP/1.1";
    const char spaced[] = "GET\0 /k\0HTTP/1.1";
    const char hidden[] = "GET\0/k\0x\0HTTP/1.1";
    const char method[] = "GET\0x\0/k\0HTTP/1.1";

    (void)state;
    assert_true(http_check_adjoins(lines + 4, lines + 6, 1));
    assert_true(http_check_adjoins(lines + 4, lines + 5, 1));
    assert_false(http_check_adjoins(lines + 4, lines + 7, 1));
    assert_false(http_check_adjoins(lines + 4, lines + 4, 1));
    assert_false(http_check_adjoins(lines + 6, lines + 4, 1));
    assert_true(http_check_adjoins(lines + 10, lines + 14, 2));
    assert_true(http_check_adjoins(lines + 10, lines + 12, 2));
    assert_false(http_check_adjoins(lines + 10, lines + 15, 2));
    assert_false(http_check_adjoins(lines + 10, lines + 11, 2));
    assert_true(http_check_line(line, line + 4, 2, line + 7));
    assert_true(http_check_line(spaced, spaced + 5, 2, spaced + 8));
    assert_false(http_check_line(hidden, hidden + 4, 2, hidden + 9));
    assert_false(http_check_line(method, method + 6, 2, method + 9));
}

static void hosts_and_repeated_headers(void **state)
{
    struct http_check old = {{NULL}, HTTP_REFUSAL_NONE};

    (void)state;
    assert_int_equal(HTTP_REFUSAL_HOST_MISSING, CHECK(HTTP_GET, "Accept: x"));
    assert_int_equal(HTTP_REFUSAL_HOST_INVALID, CHECK(HTTP_GET, "Host: a b"));
    assert_int_equal(HTTP_REFUSAL_HOST_INVALID, CHECK(HTTP_GET, "Host: a/b"));
    assert_int_equal(HTTP_REFUSAL_FIELD_REPEATED, CHECK(HTTP_GET, "Host: h", "Host: h"));
    assert_int_equal(HTTP_REFUSAL_FIELD_REPEATED,
                     CHECK(HTTP_OTHER, "Host: h", "Content-Length: 1", "Content-Length: 1"));
    http_check_end(&old, HTTP_GET, "HTTP/1.0", &limits);
    assert_int_equal(HTTP_REFUSAL_NONE, old.refusal);
}

static void bodies_and_sizes(void **state)
{
    struct http_check_limits small = {.header_size = 101, .header_size_max = 100, .body_size_max = 50};
    struct http_check check = {{NULL}, HTTP_REFUSAL_NONE};

    (void)state;
    assert_int_equal(HTTP_REFUSAL_TRANSFER_ENCODING, CHECK(HTTP_GET, "Host: h", "Transfer-Encoding: chunked"));
    assert_int_equal(HTTP_REFUSAL_BODY, CHECK(HTTP_GET, "Host: h", "Content-Length: 50"));
    assert_int_equal(HTTP_REFUSAL_BODY, CHECK(HTTP_DELETE, "Host: h", "Content-Length: 1"));
    assert_int_equal(HTTP_REFUSAL_BODY_SIZE, CHECK(HTTP_GET, "Host: h", "Content-Length: 51"));
    assert_int_equal(HTTP_REFUSAL_BODY_SIZE, CHECK(HTTP_GET, "Host: h", "Content-Length: 99999999999999999999999"));
    assert_true(http_check_add(&check, "Host", 4, "h", 1));
    http_check_end(&check, HTTP_GET, "HTTP/1.1", &small);
    assert_int_equal(HTTP_REFUSAL_HEADER_SIZE, check.refusal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_known_in_any_case_and_only_whole),
        cmocka_unit_test(the_first_of_a_kind_is_remembered),
        cmocka_unit_test(sound_requests_pass),
        cmocka_unit_test(header_syntax),
        cmocka_unit_test(what_hides_behind_a_nul_is_seen),
        cmocka_unit_test(hosts_and_repeated_headers),
        cmocka_unit_test(bodies_and_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
