/* SPDX-License-Identifier: MIT */
/*
 * http_kept_test.c: what is found among kept answers, how many there are at most, and when they are let go. A response
 * tells that it was let go by giving its body back.
 */
#include "http_kept.h"

#include "http_private.h"
#include "test.h"

#include <microhttpd.h>
#include <stdlib.h>

#define START_MS 5000

static char things[4096]; /* to have addresses */
static size_t released;

static void on_release(void *arg)
{
    (void)arg;
    released++;
}

static struct http_answer_key key_of(const void *what, int64_t age_s, int64_t left_s, unsigned form)
{
    return (struct http_answer_key){what, age_s, left_s, form};
}

static void keep(struct http_kept *kept, struct http_answer_key key, int64_t now_ms)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback_cls(sizeof things, things, on_release, NULL);
    assert_non_null(response);
    http_kept_put(kept, &key, 200, response, now_ms);
}

static bool is_kept(const struct http_kept *kept, struct http_answer_key key)
{
    return http_kept_find(kept, &key) != NULL;
}

static int reset(void **state)
{
    (void)state;
    released = 0;
    return 0;
}

static void only_an_equal_key_finds_the_answer(void **state)
{
    struct http_kept kept = {0};

    (void)state;
    assert_false(is_kept(&kept, key_of(things, 1, 2, 3)));
    keep(&kept, key_of(things, 1, 2, 3), START_MS);
    assert_true(is_kept(&kept, key_of(things, 1, 2, 3)));
    assert_false(is_kept(&kept, key_of(things, 0, 2, 3)));
    assert_false(is_kept(&kept, key_of(things, 1, 1, 3)));
    assert_false(is_kept(&kept, key_of(things, 1, 2, 2)));
    for (size_t i = 1; i < sizeof things; i++)
        assert_false(is_kept(&kept, key_of(things + i, 1, 2, 3)));
    http_kept_fini(&kept);
    assert_int_equal(1, released);
    assert_false(is_kept(&kept, key_of(things, 1, 2, 3)));
}

static void the_next_seconds_answer_takes_the_place(void **state)
{
    struct http_kept kept = {0};

    (void)state;
    for (int64_t age_s = 0; age_s < 10; age_s++) {
        keep(&kept, key_of(things, age_s, 9, 0), START_MS);
        assert_int_equal(age_s, released);
        assert_true(is_kept(&kept, key_of(things, age_s, 9, 0)));
    }
    http_kept_fini(&kept);
    assert_int_equal(10, released);
}

static void no_more_are_kept_than_there_are_places(void **state)
{
    struct http_kept kept = {0};
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < sizeof things; i += 16)
        keep(&kept, key_of(things + i, 0, 0, 0), START_MS);
    for (size_t i = 0; i < sizeof things; i += 16)
        found += is_kept(&kept, key_of(things + i, 0, 0, 0));
    assert_int_equal(sizeof things / 16 - found, released);
    assert_in_range(found, HTTP_KEPT_SLOTS / 2, HTTP_KEPT_SLOTS); /* values side by side do not share one place */
    assert_int_equal(found, kept.count);
    http_kept_fini(&kept);
    assert_int_equal(sizeof things / 16, released);
}

static void all_are_let_go_after_a_second(void **state)
{
    struct http_kept kept = {0};

    (void)state;
    assert_int_equal(-1, http_kept_let_go(&kept, START_MS));
    keep(&kept, key_of(things, 0, 0, 0), START_MS);
    keep(&kept, key_of(things, 0, 0, 0), START_MS + HTTP_KEPT_MS / 2); /* which does not lengthen it */
    assert_int_equal(1, released);
    assert_int_equal(HTTP_KEPT_MS, http_kept_let_go(&kept, START_MS));
    assert_int_equal(1, http_kept_let_go(&kept, START_MS + HTTP_KEPT_MS - 1));
    assert_int_equal(1, released);
    assert_int_equal(-1, http_kept_let_go(&kept, START_MS + HTTP_KEPT_MS));
    assert_int_equal(2, released);
    assert_int_equal(-1, http_kept_let_go(&kept, START_MS + HTTP_KEPT_MS));
    keep(&kept, key_of(things, 0, 0, 0), START_MS + 3 * HTTP_KEPT_MS);
    assert_int_equal(HTTP_KEPT_MS, http_kept_let_go(&kept, START_MS + 3 * HTTP_KEPT_MS));
    http_kept_fini(&kept);
    assert_int_equal(3, released);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_an_equal_key_finds_the_answer, reset),
        cmocka_unit_test_setup(the_next_seconds_answer_takes_the_place, reset),
        cmocka_unit_test_setup(no_more_are_kept_than_there_are_places, reset),
        cmocka_unit_test_setup(all_are_let_go_after_a_second, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
