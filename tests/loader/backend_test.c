/* SPDX-License-Identifier: MIT */
/* backend_test.c: what the backends share. */
#include "backend.h"
#include "test.h"

#include <string.h>

static void what_is_a_media_type_is_fit(void **state)
{
    static const char *const TYPES[] = {
        "text/html; charset=\"utf-8\"",
        "text/html;charset=utf-8",
        "text/plain ;a=b",
        "a/b",
        "image/svg+xml",
        "application/vnd.x-y.z+json; v=1",
        "text/x-42;",
        "!#$%&'*+-.^_`|~/0",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (!backend_content_type_is_fit(TYPES[i]))
            fail_msg("\"%s\" is not taken", TYPES[i]);
    }
}

static void what_is_no_media_type_is_not(void **state)
{
    static const char *const TYPES[] = {
        "",        "5",        "text",       "not a type", "/",          "/plain",        "text/",        "text/;a=b",
        "text//x", "a/b/c",    "te xt/html", "text /html", "text/ html", "a, b c;;;\"",   "a/b, c/d",     "a/b c",
        " a/b",    "(a)/b",    "a/b=c",      "text/\x01",  "text/\x7f",  "text/\xc3\xa9", "a/b;\xc3\xa9", "a/b;\tc",
        "a/b\r\n", "a/b;\n c",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (backend_content_type_is_fit(TYPES[i]))
            fail_msg("\"%s\" is taken", TYPES[i]);
    }
}

static void a_media_type_has_255_bytes_at_most(void **state)
{
    char type[257];

    (void)state;
    memset(type, 'a', sizeof type);
    type[1] = '/';
    type[255] = '\0';
    assert_true(backend_content_type_is_fit(type));
    type[255] = 'a';
    type[256] = '\0';
    assert_false(backend_content_type_is_fit(type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_media_type_is_fit),
        cmocka_unit_test(what_is_no_media_type_is_not),
        cmocka_unit_test(a_media_type_has_255_bytes_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
