/* SPDX-License-Identifier: MIT */
/* http_headers_test.c: what the http backend reads out of the values of headers, whatever stands in them. */
#include "http_headers.h"
#include "test.h"

#include <sluice/loader.h>
#include <string.h>

/* The time to live after one or two Cache-Control headers. */
static int64_t ttl_ms(const char *first, const char *second, int64_t age_s, int64_t ttl_max_ms)
{
    struct http_cache_control control = {0};

    if (first)
        http_cache_control_add(&control, first);
    if (second)
        http_cache_control_add(&control, second);
    return http_cache_control_ttl_ms(&control, age_s, ttl_max_ms);
}

static void expect_ttl(const char *value, int64_t expected_ms)
{
    int64_t got_ms = ttl_ms(value, NULL, 0, SLUICE_NEVER);

    if (got_ms != expected_ms)
        fail_msg("%s: %lld, not %lld", value, (long long)got_ms, (long long)expected_ms);
}

static void max_age_is_read_in_any_dress(void **state)
{
    (void)state;
    expect_ttl("max-age=60", 60000);
    expect_ttl("Max-AGE=60", 60000);
    expect_ttl("  public ,\tmax-age = 60 , immutable", 60000);
    expect_ttl("max-age=\"60\"", 60000);
    expect_ttl("max-age=0", 0);
    expect_ttl("max-age=060", 60000);
    expect_ttl(",,,max-age=60,", 60000);
    expect_ttl("max-age=60, max-age=5", 60000);
}

static void s_maxage_goes_before_max_age(void **state)
{
    (void)state;
    expect_ttl("s-maxage=5, max-age=60", 5000);
    expect_ttl("max-age=60, s-maxage=5", 5000);
    expect_ttl("max-age=5, S-MAXAGE=60", 60000);
}

static void what_must_not_be_stored_has_no_time_to_live(void **state)
{
    (void)state;
    expect_ttl("no-store", 0);
    expect_ttl("max-age=60, No-Store", 0);
    expect_ttl("no-cache, max-age=60", 0);
    expect_ttl("private,max-age=60", 0);
    expect_ttl("private=\"Set-Cookie, X\", max-age=60", 0);
    expect_ttl("no-cache=\"Set-Cookie\", max-age=60", 0);
}

static void where_nothing_is_said_the_cache_decides(void **state)
{
    (void)state;
    expect_ttl("", SLUICE_TTL_DEFAULT);
    expect_ttl("public, must-revalidate", SLUICE_TTL_DEFAULT);
    expect_ttl("no-storeroom, xmax-age=5, max-agex=5", SLUICE_TTL_DEFAULT);
    expect_ttl("=60, =, ==, \"\"", SLUICE_TTL_DEFAULT);
    assert_int_equal(SLUICE_TTL_DEFAULT, ttl_ms(NULL, NULL, 1000, 5));
}

static void directives_within_quotes_are_none(void **state)
{
    (void)state;
    expect_ttl("ext=\"no-store, max-age=1\", max-age=60", 60000);
    expect_ttl("ext=\"a\\\", no-store\", max-age=60", 60000);
}

static void after_a_quote_without_an_end_nothing_is_stored(void **state)
{
    (void)state;
    expect_ttl("max-age=60, ext=\"no end", 0);
    expect_ttl("max-age=60, ext=\"\\", 0);
    expect_ttl("\"", 0);
}

static void a_time_that_cannot_be_read_counts_as_none_left(void **state)
{
    (void)state;
    expect_ttl("max-age", 0);
    expect_ttl("max-age=", 0);
    expect_ttl("max-age=\"\"", 0);
    expect_ttl("max-age=\"", 0);
    expect_ttl("max-age=-1", 0);
    expect_ttl("max-age=+1", 0);
    expect_ttl("max-age=1.5", 0);
    expect_ttl("max-age=60s", 0);
    expect_ttl("max-age=6 0", 0);
    expect_ttl("s-maxage=x, max-age=60", 0);
}

static void a_time_over_all_bounds_is_held_at_2_to_the_31(void **state)
{
    (void)state;
    expect_ttl("max-age=2147483648", INT64_C(2147483648000));
    expect_ttl("max-age=99999999999999999999999999999999", INT64_C(2147483648000));
    assert_int_equal(0, ttl_ms("max-age=99999999999999999999", NULL, INT64_C(1) << 31, SLUICE_NEVER));
}

static void several_headers_are_one_list(void **state)
{
    (void)state;
    assert_int_equal(0, ttl_ms("max-age=60", "no-store", 0, SLUICE_NEVER));
    assert_int_equal(5000, ttl_ms("max-age=60", "s-maxage=5", 0, SLUICE_NEVER));
    assert_int_equal(60000, ttl_ms("max-age=60", "max-age=5", 0, SLUICE_NEVER));
}

static void the_age_is_taken_off(void **state)
{
    (void)state;
    assert_int_equal(50000, ttl_ms("max-age=60", NULL, 10, SLUICE_NEVER));
    assert_int_equal(0, ttl_ms("max-age=60", NULL, 60, SLUICE_NEVER));
    assert_int_equal(0, ttl_ms("max-age=60", NULL, 61, SLUICE_NEVER));
}

static void the_caches_own_time_to_live_is_only_shortened(void **state)
{
    (void)state;
    assert_int_equal(30000, ttl_ms("max-age=60", NULL, 0, 30000));
    assert_int_equal(60000, ttl_ms("max-age=60", NULL, 0, 90000));
    assert_int_equal(0, ttl_ms("max-age=60", NULL, 0, 0));
}

static void an_age_that_is_no_number_is_none(void **state)
{
    (void)state;
    assert_int_equal(0, http_age_s(NULL));
    assert_int_equal(0, http_age_s(""));
    assert_int_equal(0, http_age_s("x"));
    assert_int_equal(0, http_age_s("-5"));
    assert_int_equal(0, http_age_s("\"5\""));
    assert_int_equal(5, http_age_s(" 5 "));
    assert_int_equal(5, http_age_s("5, 7"));
    assert_int_equal(INT64_C(1) << 31, http_age_s("99999999999999999999"));
}

/* The time to live with an Expires header besides a Cache-Control header. */
static int64_t expires_ttl_ms(int64_t expires_s, int64_t date_s, const char *directives, int64_t age_s)
{
    struct http_cache_control control = {0};

    http_cache_control_add(&control, directives);
    http_cache_control_set_expires(&control, expires_s, date_s);
    return http_cache_control_ttl_ms(&control, age_s, SLUICE_NEVER);
}

static void expires_counts_from_the_date_where_there_is_no_max_age(void **state)
{
    (void)state;
    assert_int_equal(60000, expires_ttl_ms(1060, 1000, "", 0));
    assert_int_equal(60000, expires_ttl_ms(1060, 1000, "public", 0));
    assert_int_equal(50000, expires_ttl_ms(1060, 1000, "", 10));
    assert_int_equal(0, expires_ttl_ms(1060, 1000, "", 60));
    assert_int_equal(5000, expires_ttl_ms(1060, 1000, "max-age=5", 0));
    assert_int_equal(5000, expires_ttl_ms(1060, 1000, "s-maxage=5", 0));
    assert_int_equal(0, expires_ttl_ms(1060, 1000, "no-store", 0));
    assert_int_equal(5000, expires_ttl_ms(HTTP_NO_TIME, 1000, "max-age=5", 0));
}

static void what_has_expired_has_no_time_left(void **state)
{
    (void)state;
    assert_int_equal(0, expires_ttl_ms(1000, 1000, "", 0));
    assert_int_equal(0, expires_ttl_ms(999, 1000, "", 0));
    assert_int_equal(0, expires_ttl_ms(HTTP_NO_TIME, 1000, "", 0));
    assert_int_equal(0, expires_ttl_ms(HTTP_NO_TIME, -1000, "", 0));
    assert_int_equal(INT64_C(2147483648000), expires_ttl_ms(INT64_C(1) << 40, 1000, "", 0));
    assert_int_equal(INT64_C(2147483648000), expires_ttl_ms(INT64_MAX, INT64_MIN, "", 0));
}

static void expires_is_bounded_as_max_age_is(void **state)
{
    struct http_cache_control control = {0};

    (void)state;
    http_cache_control_set_expires(&control, 1060, 1000);
    assert_int_equal(30000, http_cache_control_ttl_ms(&control, 0, 30000));
    assert_int_equal(60000, http_cache_control_ttl_ms(&control, 0, 90000));
}

static void expect_vary(const char *value, int64_t expected_ms)
{
    struct http_cache_control control = {0};

    http_cache_control_add(&control, "max-age=60");
    http_cache_control_add_vary(&control, value);
    if (http_cache_control_ttl_ms(&control, 0, SLUICE_NEVER) != expected_ms)
        fail_msg("Vary: %s", value);
}

static void what_varies_with_everything_is_not_stored(void **state)
{
    (void)state;
    expect_vary("*", 0);
    expect_vary(" * ", 0);
    expect_vary("Accept, *", 0);
    expect_vary("*,Accept", 0);
    expect_vary("", 60000);
    expect_vary(",", 60000);
    expect_vary("Accept-Encoding, Origin", 60000);
    expect_vary("x*", 60000);
}

static void only_strong_tags_are_passed_on(void **state)
{
    char tag[300];

    (void)state;
    assert_true(http_etag_is_strong("\"\""));
    assert_true(http_etag_is_strong("\"abc-\xc3\xa9'\""));
    assert_false(http_etag_is_strong(""));
    assert_false(http_etag_is_strong("\""));
    assert_false(http_etag_is_strong("abc"));
    assert_false(http_etag_is_strong("W/\"abc\""));
    assert_false(http_etag_is_strong("\"abc"));
    assert_false(http_etag_is_strong("\"a\"b\""));
    assert_false(http_etag_is_strong("\"a b\""));
    assert_false(http_etag_is_strong("\"a\x7f\""));
    memset(tag, 'a', sizeof tag);
    tag[0] = '"';
    tag[254] = '"';
    tag[255] = '\0';
    assert_true(http_etag_is_strong(tag));
    tag[254] = 'a';
    tag[255] = '"';
    tag[256] = '\0';
    assert_false(http_etag_is_strong(tag));
}

static void a_coding_is_identity_or_not(void **state)
{
    (void)state;
    assert_true(http_coding_is_identity(""));
    assert_true(http_coding_is_identity(" Identity "));
    assert_true(http_coding_is_identity("identity,, IDENTITY"));
    assert_true(http_coding_is_identity("\r"));
    assert_false(http_coding_is_identity("gzip"));
    assert_false(http_coding_is_identity("identity gzip"));
    assert_false(http_coding_is_identity("identity, gzip"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_age_is_read_in_any_dress),
        cmocka_unit_test(s_maxage_goes_before_max_age),
        cmocka_unit_test(what_must_not_be_stored_has_no_time_to_live),
        cmocka_unit_test(where_nothing_is_said_the_cache_decides),
        cmocka_unit_test(directives_within_quotes_are_none),
        cmocka_unit_test(after_a_quote_without_an_end_nothing_is_stored),
        cmocka_unit_test(a_time_that_cannot_be_read_counts_as_none_left),
        cmocka_unit_test(a_time_over_all_bounds_is_held_at_2_to_the_31),
        cmocka_unit_test(several_headers_are_one_list),
        cmocka_unit_test(the_age_is_taken_off),
        cmocka_unit_test(the_caches_own_time_to_live_is_only_shortened),
        cmocka_unit_test(an_age_that_is_no_number_is_none),
        cmocka_unit_test(expires_counts_from_the_date_where_there_is_no_max_age),
        cmocka_unit_test(what_has_expired_has_no_time_left),
        cmocka_unit_test(expires_is_bounded_as_max_age_is),
        cmocka_unit_test(what_varies_with_everything_is_not_stored),
        cmocka_unit_test(only_strong_tags_are_passed_on),
        cmocka_unit_test(a_coding_is_identity_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
