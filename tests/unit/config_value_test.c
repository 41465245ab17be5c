/* SPDX-License-Identifier: MIT */
/* config_value_test.c: the words for values, and the addresses: what is taken, and what is refused with which words. */
#include "config_value.h"

#include "address.h"

#include <setjmp.h>
#include <sluice/loader.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void assert_fault(const char *fault, const char *expected)
{
    if (!expected) {
        assert_null(fault);
    } else {
        assert_non_null(fault);
        assert_string_equal(fault, expected);
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t expected_ms;
    } GOOD[] = {
        {"0", 0},
        {"0s", 0},
        {"1ms", 1},
        {"250ms", 250},
        {"2s", 2000},
        {"10min", 600000},
        {"10m", 600000},
        {"1h", 3600000},
        {"7d", 604800000},
        {"007d", 604800000},
        {"never", SLUICE_NEVER},
        {"36500d", INT64_C(36500) * 86400000},
    };
    static const struct {
        const char *text;
        const char *fault;
    } BAD[] = {
        {"75", "the unit is missing: ms, s, min, h or d"},
        {"", "not a whole number"},
        {"-1s", "not a whole number"},
        {"+1s", "not a whole number"},
        {" 1s", "not a whole number"},
        {"s", "not a whole number"},
        {"Never", "not a whole number"},
        {"1.5s", "the unit is not one of ms, s, min, h, d"},
        {"1 s", "the unit is not one of ms, s, min, h, d"},
        {"1S", "the unit is not one of ms, s, min, h, d"},
        {"1h30m", "the unit is not one of ms, s, min, h, d"},
        {"1sec", "the unit is not one of ms, s, min, h, d"},
        {"36501d", "the number is too large"},
        {"18446744073709551616s", "the number is too large"},
        {"213503982335d", "the number is too large"}, /* 2^64 ms and a bit */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        int64_t duration_ms = -7;
        assert_null(config_value_duration(GOOD[i].text, &duration_ms));
        assert_int_equal(duration_ms, GOOD[i].expected_ms);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        int64_t duration_ms = -7;
        assert_fault(config_value_duration(BAD[i].text, &duration_ms), BAD[i].fault);
        assert_int_equal(duration_ms, -7);
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t expected;
    } GOOD[] = {
        {"0", 0},
        {"512", 512},
        {"64KiB", 65536},
        {"64MiB", UINT64_C(64) << 20},
        {"1GiB", UINT64_C(1) << 30},
        {"16777215TiB", UINT64_C(16777215) << 40},
    };
    static const struct {
        const char *text;
        const char *fault;
    } BAD[] = {
        {"64M", "write MiB (1,048,576 bytes)"},
        {"64MB", "write MiB (1,048,576 bytes)"},
        {"64mib", "write MiB (1,048,576 bytes)"},
        {"64k", "write KiB (1,024 bytes)"},
        {"1Gb", "write GiB (1,073,741,824 bytes)"},
        {"1T", "write TiB (1,099,511,627,776 bytes)"},
        {"1 KiB", "the unit is not one of KiB, MiB, GiB, TiB"},
        {"1PiB", "the unit is not one of KiB, MiB, GiB, TiB"},
        {"1Mega", "the unit is not one of KiB, MiB, GiB, TiB"},
        {"", "not a whole number"},
        {"KiB", "not a whole number"},
        {"-1", "not a whole number"},
        {"16777216TiB", "the number is too large"},
        {"18446744073709551616", "the number is too large"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        uint64_t bytes = 7;
        assert_null(config_value_size(GOOD[i].text, &bytes));
        assert_true(bytes == GOOD[i].expected);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        uint64_t bytes = 7;
        assert_fault(config_value_size(BAD[i].text, &bytes), BAD[i].fault);
        assert_int_equal(bytes, 7);
    }
}

static void counts_and_bools(void **state)
{
    uint64_t count = 7;
    bool value = false;
    (void)state;
    assert_null(config_value_count("18446744073709551615", &count));
    assert_true(count == UINT64_MAX);
    assert_fault(config_value_count("18446744073709551616", &count), "the number is too large");
    assert_fault(config_value_count("1k", &count), "not a whole number");
    assert_fault(config_value_count("0x10", &count), "not a whole number");
    assert_true(count == UINT64_MAX);

    static const char *const TRUE_WORDS[] = {"true", "yes", "on"};
    static const char *const FALSE_WORDS[] = {"false", "no", "off"};
    for (size_t i = 0; i < COUNT_OF(TRUE_WORDS); i++) {
        assert_null(config_value_bool(TRUE_WORDS[i], &value));
        assert_true(value);
        assert_null(config_value_bool(FALSE_WORDS[i], &value));
        assert_false(value);
    }
    assert_fault(config_value_bool("1", &value), "not true or false");
}

static void media_types(void **state)
{
    char long_type[300];
    (void)state;
    assert_fault(config_value_check_media_type("text/plain"), NULL);
    assert_fault(config_value_check_media_type("application/vnd.a+json;v=1"), NULL);
    assert_fault(config_value_check_media_type("text/plain ; charset=\"utf-8\""), NULL);
    assert_fault(config_value_check_media_type(""), "empty");
    assert_fault(config_value_check_media_type("text"), "a media type is type/subtype, as text/plain");
    assert_fault(config_value_check_media_type("text/"), "a media type is type/subtype, as text/plain");
    assert_fault(config_value_check_media_type("/plain"), "a media type is type/subtype, as text/plain");
    assert_fault(config_value_check_media_type("a/b/c"), "a media type is type/subtype, as text/plain");
    assert_fault(config_value_check_media_type("a/b c=d"), "the parameters of a media type begin with a semicolon");
    assert_fault(config_value_check_media_type("a/b\r\nX: y"), "a media type has only printable ASCII characters");
    assert_fault(config_value_check_media_type("a/\xc3\xa4"), "a media type has only printable ASCII characters");
    memset(long_type, 'a', 256);
    long_type[1] = '/';
    long_type[256] = '\0';
    assert_fault(config_value_check_media_type(long_type), "a media type has at most 255 bytes");
    long_type[255] = '\0';
    assert_fault(config_value_check_media_type(long_type), NULL);
}

static void urls(void **state)
{
    (void)state;
    assert_fault(config_value_check_url("http://a/{key}"), NULL);
    assert_fault(config_value_check_url("https://a:1/x?y={key}&z"), NULL);
    assert_fault(config_value_check_url("http://a?{key}"), NULL);
    assert_fault(config_value_check_url(""), "empty");
    assert_fault(config_value_check_url("a/{key}"), "a URL begins with http:// or https://");
    assert_fault(config_value_check_url("file:///{key}"), "a URL begins with http:// or https://");
    assert_fault(config_value_check_url("http:a://{key}"), "a URL begins with http:// or https://");
    assert_fault(config_value_check_url("http:///{key}"), "the host is missing");
    assert_fault(config_value_check_url("http://a/"), "{key} is missing: it says where the key goes");
    assert_fault(config_value_check_url("http://a/{KEY}"), "{key} is missing: it says where the key goes");
    assert_fault(config_value_check_url("http://a/{key}{key}"), "{key} may stand there only once");
    assert_fault(config_value_check_url("http://{key}/"), "{key} may stand in the path or the query only");
    assert_fault(config_value_check_url("http://a/{key}#b"), "a fragment (#) is never sent to a backend");
    assert_fault(config_value_check_url("http://a/ {key}"), "a URL has only printable ASCII characters and no spaces");
    assert_fault(config_value_check_url("http://a/\n{key}"), "a URL has only printable ASCII characters and no spaces");
}

static void texts_and_names(void **state)
{
    static const char *const RESERVED[] = {"stats", "metrics", "inflight", "healthz", "readyz", "dashboard"};
    char name[70];
    (void)state;
    assert_fault(config_value_check_line("/a b\xff"), NULL);
    assert_fault(config_value_check_line("a\nb"), "it has a control character in it");
    assert_fault(config_value_check_line(""), "empty");
    assert_fault(config_value_check_text("a\n\tb"), NULL);
    assert_fault(config_value_check_text("a\rb"), "it has a control character in it");
    assert_fault(config_value_check_text("a\x7f"), "it has a control character in it");

    assert_fault(config_value_check_cache_name("Az_9-"), NULL);
    assert_fault(config_value_check_cache_name("a/b"), "the name of a cache is made of A-Z, a-z, 0-9, _ and -");
    assert_fault(config_value_check_cache_name("\xc3\xa4"), "the name of a cache is made of A-Z, a-z, 0-9, _ and -");
    memset(name, 'a', sizeof(name));
    name[65] = '\0';
    assert_fault(config_value_check_cache_name(name), "the name of a cache has at most 64 characters");
    name[64] = '\0';
    assert_fault(config_value_check_cache_name(name), NULL);
    for (size_t i = 0; i < COUNT_OF(RESERVED); i++)
        assert_fault(config_value_check_cache_name(RESERVED[i]), "the admin side uses this name");
}

static void addresses_are_split(void **state)
{
    struct address address;
    (void)state;
    assert_null(address_parse("0.0.0.0:8080", &address));
    assert_false(address.is_unix);
    assert_string_equal(address.host, "0.0.0.0");
    assert_int_equal(address.port, 8080);
    assert_null(address_parse("[::1]:0", &address));
    assert_string_equal(address.host, "::1");
    assert_int_equal(address.port, 0);
    assert_null(address_parse("my-host.example:65535", &address));
    assert_string_equal(address.host, "my-host.example");
    assert_null(address_parse("unix:/run/a b", &address));
    assert_true(address.is_unix);
    assert_string_equal(address.path, "/run/a b");
}

static void addresses_that_are_none(void **state)
{
    static const struct {
        const char *text;
        const char *fault;
    } BAD[] = {
        {"", "a listening address is host:port, [IPv6]:port or unix:/path"},
        {"8080", "a listening address is host:port, [IPv6]:port or unix:/path"},
        {"[::1]", "a listening address is host:port, [IPv6]:port or unix:/path"},
        {"[::1:80", "a listening address is host:port, [IPv6]:port or unix:/path"},
        {"[::1]x:80", "a listening address is host:port, [IPv6]:port or unix:/path"},
        {":8080", "the host is missing: 0.0.0.0 for every IPv4 address, [::] for every address"},
        {"::1:8080", "the host is missing: 0.0.0.0 for every IPv4 address, [::] for every address"},
        {"fe80::1:8080", "an IPv6 address stands in brackets: [::1]:8080"},
        {"[fe80]:80", "what stands in the brackets is not a valid IPv6 address"},
        {"127.0.0.256:80", "the host is not a valid IPv4 address"},
        {"a b:80", "the host is a name, an IPv4 address, or an IPv6 address in brackets"},
        {"*:80", "the host is a name, an IPv4 address, or an IPv6 address in brackets"},
        {"a:", "the port is a number from 0 to 65535"},
        {"a:65536", "the port is a number from 0 to 65535"},
        {"a:99999999999999999999", "the port is a number from 0 to 65535"},
        {"a:-1", "the port is a number from 0 to 65535"},
        {"a:http", "the port is a number from 0 to 65535"},
        {"unix:", "the path of a unix socket begins with /"},
        {"unix:run/a", "the path of a unix socket begins with /"},
    };
    struct address address = {.port = 7};
    char path[200] = "unix:/";
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_fault(address_parse(BAD[i].text, &address), BAD[i].fault);
    memset(path + 6, 'a', 107);
    assert_fault(address_parse(path, &address), "the path of a unix socket has at most 107 bytes");
    assert_int_equal(address.port, 7);
    path[5 + 107] = '\0';
    assert_fault(address_parse(path, &address), NULL);
}

static bool is_local(const char *text)
{
    struct address address;
    assert_null(address_parse(text, &address));
    return address_is_local(&address);
}

static bool collide(const char *a, const char *b)
{
    struct address first;
    struct address second;
    assert_null(address_parse(a, &first));
    assert_null(address_parse(b, &second));
    assert_int_equal(address_collides(&first, &second), address_collides(&second, &first));
    return address_collides(&first, &second);
}

static void addresses_know_who_can_reach_them(void **state)
{
    (void)state;
    assert_true(is_local("127.0.0.1:1"));
    assert_true(is_local("127.9.9.9:1"));
    assert_true(is_local("[::1]:1"));
    assert_true(is_local("[0:0:0:0:0:0:0:1]:1"));
    assert_true(is_local("LocalHost:1"));
    assert_true(is_local("unix:/a"));
    assert_false(is_local("0.0.0.0:1"));
    assert_false(is_local("[::]:1"));
    assert_false(is_local("10.0.0.1:1"));
    assert_false(is_local("128.0.0.1:1"));
    assert_false(is_local("localhost.example:1"));
}

static void addresses_collide_or_do_not(void **state)
{
    (void)state;
    assert_true(collide("127.0.0.1:1", "127.0.0.1:1"));
    assert_true(collide("0.0.0.0:1", "127.0.0.1:1"));
    assert_true(collide("[::]:1", "127.0.0.1:1"));
    assert_true(collide("Host:1", "host:1"));
    assert_true(collide("unix:/a", "unix:/a"));
    assert_false(collide("unix:/a", "unix:/b"));
    assert_false(collide("unix:/a", "127.0.0.1:1"));
    assert_false(collide("127.0.0.1:1", "127.0.0.1:2"));
    assert_false(collide("127.0.0.1:1", "127.0.0.2:1"));
    assert_false(collide("0.0.0.0:0", "0.0.0.0:0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(counts_and_bools),
        cmocka_unit_test(media_types),
        cmocka_unit_test(urls),
        cmocka_unit_test(texts_and_names),
        cmocka_unit_test(addresses_are_split),
        cmocka_unit_test(addresses_that_are_none),
        cmocka_unit_test(addresses_know_who_can_reach_them),
        cmocka_unit_test(addresses_collide_or_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
