/* SPDX-License-Identifier: MIT */
/* http_url_test.c: the http backend's URL template: what is refused, what a key becomes, what may be shown. */
#include "http_url.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct http_url parse(const char *text)
{
    struct http_url url;
    struct backend_fault fault = {""};

    if (!http_url_init(&url, text, &fault))
        fail_msg("%s", fault.text);
    return url;
}

static void expect_url(const char *text, const void *key, size_t key_size, const char *expected)
{
    struct http_url url = parse(text);
    char *made = http_url_of_key(&url, key, key_size);

    assert_non_null(made);
    assert_string_equal(expected, made);
    free(made);
    http_url_fini(&url);
}

static void every_byte_but_the_unreserved_ones_is_percent_encoded(void **state)
{
    static const char UNRESERVED[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char expected[64];

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        if (byte != 0 && strchr(UNRESERVED, byte))
            snprintf(expected, sizeof expected, "http://h/%c", byte);
        else
            snprintf(expected, sizeof expected, "http://h/%%%02X", (unsigned)byte);
        expect_url("http://h/{key}", &(char){(char)byte}, 1, expected);
    }
}

static void a_key_goes_to_its_place_in_path_or_query(void **state)
{
    (void)state;
    expect_url("http://h/a/{key}/b?c=d", "x/y", 3, "http://h/a/x%2Fy/b?c=d");
    expect_url("https://h:1/?q={key}&r=s", "a&b", 3, "https://h:1/?q=a%26b&r=s");
    expect_url("HTTP://u:p@h?{key}", "k", 1, "HTTP://u:p@h?k");
    expect_url("http://h/{key}", "..", 2, "http://h/..");
    expect_url("http://h/{key}", "a\0b", 3, "http://h/a%00b");
}

static void expect_fit(const char *text, const char *key, bool expected)
{
    struct http_url url = parse(text);

    if (http_url_key_is_fit(&url, key, strlen(key)) != expected)
        fail_msg("%s is %s in %s", key, expected ? "refused" : "taken", text);
    http_url_fini(&url);
}

static void a_key_with_dots_for_a_part_of_the_path_is_not_fit(void **state)
{
    static const char *const WRONG[] = {".",   "..",  "a/..", "../a",      "a/../b", "../../x", "a/./b",
                                        "./a", "/..", "../",  "..\\..\\x", "a\\..",  "//.."};
    static const char *const FIT[] = {"...", "a..",     "..a",    ".a",     "a.",    "a/b",     "a//b",
                                      "/",   "..%2F..", "%2e%2e", "%2E./x", "..;/x", "a/.../b", "\xc0\xae\xc0\xae",
                                      "a.b"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        expect_fit("http://h/{key}", WRONG[i], false);
        expect_fit("http://h/a/{key}/b", WRONG[i], false);
        expect_fit("http://h/a/{key}?q", WRONG[i], false);
        expect_fit("http://h/find?q={key}", WRONG[i], true);
        expect_fit("http://h?{key}", WRONG[i], true);
    }
    for (size_t i = 0; i < COUNT_OF(FIT); i++) {
        expect_fit("http://h/{key}", FIT[i], true);
        expect_fit("http://h/a/{key}/b#f", FIT[i], true);
    }
}

static void the_templates_text_beside_the_key_is_of_the_same_part(void **state)
{
    (void)state;
    expect_fit("http://h/k{key}", "..", true);
    expect_fit("http://h/{key}.json", "..", true);
    expect_fit("http://h/k{key}", "/..", false);
    expect_fit("http://h/{key}.json", "../", false);
    expect_fit("http://h/{key}.json", "a/..", true);
    expect_fit("http://h/.{key}", ".", false);
    expect_fit("http://h/.{key}", "a", true);
    expect_fit("http://h/{key}./b", ".", false);
    expect_fit("http://h/%2E{key}", ".", false);
    expect_fit("http://h/{key}%2e?q", "x/.", false);
    expect_fit("http://h/a%2F{key}", "..", false);
    expect_fit("http://h/a%2f{key}%5Cb", "..", false);
    expect_fit("http://h/a\\{key}", "..", false);
    expect_fit("http://h/a%2G{key}", "..", true);
    expect_fit("http://h/../{key}", "a", true); /* the template's own is left alone */
    expect_fit("http://h/{key}/..", "a", true);
}

static void expect_fault(const char *text, const char *words)
{
    struct http_url url;
    struct backend_fault fault = {""};

    if (http_url_init(&url, text, &fault))
        fail_msg("%s is taken", text);
    if (!strstr(fault.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, fault.text);
    if (strstr(fault.text, "secret"))
        fail_msg("a password in \"%s\"", fault.text);
}

static void a_wrong_template_is_refused_with_words_for_it(void **state)
{
    (void)state;
    expect_fault("", "does not begin with http:// or https://");
    expect_fault("ftp://me:secret@h/{key}", "url \"ftp://h/{key}\" does not begin with http:// or https://");
    expect_fault("me:secret@h/{key}", "does not begin with http:// or https://");
    expect_fault("/users/{key}", "does not begin with http:// or https://");
    expect_fault("http://me:secret@h/users", "url \"http://h/users\" has no {key} in it");
    expect_fault("http://h/{Key}", "has no {key} in it");
    expect_fault("http://h/{key}/{key}", "has {key} in it more than once");
    expect_fault("http://{key}/", "has {key} in its host");
    expect_fault("http://h.{key}", "has {key} in its host");
    expect_fault("http://me:{key}@h/", "has {key} in its host");
    expect_fault("http://h:{key}/", "has {key} in its host");
    expect_fault("http:///{key}", "names no host");
    expect_fault("http://me:secret@/{key}", "names no host");
    expect_fault("http://h/a#{key}", "after a '#'");
    expect_fault("http://h/%{key}", "has {key} within a percent-encoded byte");
    expect_fault("http://h/%2{key}", "has {key} within a percent-encoded byte");
}

static void expect_shown(const char *text, const char *key, const char *expected)
{
    struct http_url url = parse(text);
    char shown[64];

    http_url_show(&url, key, strlen(key), shown, sizeof shown);
    assert_string_equal(expected, shown);
    http_url_fini(&url);
}

static void neither_password_nor_query_is_shown(void **state)
{
    (void)state;
    expect_shown("http://h/a/{key}/b", "x y", "http://h/a/x%20y/b");
    expect_shown("http://me:secret@h:80/{key}", "k", "http://h:80/k");
    expect_shown("http://me:s@secret@h:80/{key}", "k", "http://h:80/k");
    expect_shown("http://h/{key}?token=secret", "k", "http://h/k");
    expect_shown("http://h/{key}#f", "k", "http://h/k");
    expect_shown("http://me@h/find?token=secret&q={key}", "k", "http://h/find");
    expect_shown("http://h?{key}", "k", "http://h");
}

static void what_is_shown_of_a_long_url_is_cut(void **state)
{
    struct http_url url = parse("http://h/{key}/b");
    char key[1000], shown[20];

    (void)state;
    memset(key, 'k', sizeof key);
    http_url_show(&url, key, sizeof key, shown, sizeof shown);
    assert_string_equal("http://h/kkkkkkk...", shown);
    http_url_show(&url, key, 8, shown, sizeof shown);
    assert_string_equal("http://h/kkkkkkkk/b", shown);
    http_url_fini(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_but_the_unreserved_ones_is_percent_encoded),
        cmocka_unit_test(a_key_goes_to_its_place_in_path_or_query),
        cmocka_unit_test(a_key_with_dots_for_a_part_of_the_path_is_not_fit),
        cmocka_unit_test(the_templates_text_beside_the_key_is_of_the_same_part),
        cmocka_unit_test(a_wrong_template_is_refused_with_words_for_it),
        cmocka_unit_test(neither_password_nor_query_is_shown),
        cmocka_unit_test(what_is_shown_of_a_long_url_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
