/* SPDX-License-Identifier: MIT */
/* value_test.c: values: what goes in comes out, what can't stand in a header is refused, counts. */
#include "value.h"

#include "test.h"

#include <string.h>

static struct sluice_value *make(struct sluice_content content)
{
    struct sluice_value *value = NULL;

    assert_int_equal(value_create(&content, 1000, false, &value), SLUICE_OK);
    return value;
}

static enum sluice_error refusal(struct sluice_content content)
{
    struct sluice_value *value = NULL;
    enum sluice_error error = value_create(&content, 1000, false, &value);

    assert_null(value); /* untouched */
    return error;
}

static void bytes_media_type_and_etag_come_back(void **state)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct sluice_value *value;

    (void)state;
    content.data = "a\0b";
    content.size = 3;
    content.content_type = "text/plain";
    content.etag = "\"v1\"";
    value = make(content);
    assert_int_equal(sluice_value_size(value), 3);
    assert_memory_equal(sluice_value_data(value), "a\0b\0", 4); /* a NUL past the end */
    assert_string_equal(sluice_value_content_type(value), "text/plain");
    assert_string_equal(sluice_value_etag(value), "\"v1\"");
    sluice_value_unref(value);
}

static void an_empty_value_is_a_value(void **state)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct sluice_value *value = make(content);

    (void)state;
    assert_int_equal(sluice_value_size(value), 0);
    assert_non_null(sluice_value_data(value));
    assert_null(sluice_value_content_type(value));
    assert_null(sluice_value_etag(value));
    sluice_value_unref(value);
}

static void what_cannot_stand_in_a_header_is_refused(void **state)
{
    static const char *const etags[] = {"v1", "\"v1",     "v1\"",     "\"",
                                        "",   "\"a\"b\"", "W/\"v1\"", "\"a\r\nSet-Cookie: x\""};
    char long_type[300];
    struct sluice_content content = SLUICE_CONTENT_INIT;

    (void)state;
    content.content_type = "text/plain\r\nX-Injected: yes";
    assert_int_equal(refusal(content), SLUICE_INVALID);
    memset(long_type, 'x', sizeof long_type - 1);
    long_type[sizeof long_type - 1] = '\0';
    content.content_type = long_type;
    assert_int_equal(refusal(content), SLUICE_INVALID);
    content.content_type = NULL;
    for (size_t i = 0; i < sizeof etags / sizeof etags[0]; i++) {
        content.etag = etags[i];
        assert_int_equal(refusal(content), SLUICE_INVALID);
    }
}

static void nonsense_is_refused(void **state)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;

    (void)state;
    content.size = 5; /* of nothing */
    assert_int_equal(refusal(content), SLUICE_INVALID);
    content.size = 1001;
    assert_int_equal(refusal(content), SLUICE_VALUE_TOO_LARGE);
    content.size = 0;
    content.ttl_ms = -3;
    assert_int_equal(refusal(content), SLUICE_INVALID);
}

static void a_made_etag_follows_the_bytes(void **state)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct sluice_value *one, *same, *other, *own;

    (void)state;
    content.data = "hello";
    content.size = 5;
    assert_int_equal(value_create(&content, 10, true, &one), SLUICE_OK);
    assert_int_equal(value_create(&content, 10, true, &same), SLUICE_OK);
    content.data = "hellp";
    assert_int_equal(value_create(&content, 10, true, &other), SLUICE_OK);
    content.etag = "\"own\"";
    assert_int_equal(value_create(&content, 10, true, &own), SLUICE_OK);
    assert_string_equal(sluice_value_etag(one), sluice_value_etag(same));
    assert_string_not_equal(sluice_value_etag(one), sluice_value_etag(other));
    assert_string_equal(sluice_value_etag(own), "\"own\"");
    assert_int_equal(strlen(sluice_value_etag(one)), 34);
    sluice_value_unref(one);
    sluice_value_unref(same);
    sluice_value_unref(other);
    sluice_value_unref(own);
}

static void references_are_counted(void **state)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    struct sluice_value *value = make(content);

    (void)state;
    value_ref_many(value, 3);
    assert_ptr_equal(sluice_value_ref(value), value);
    assert_int_equal(atomic_load(&value->refs), 5);
    for (int i = 0; i < 5; i++) /* the address sanitizer sees a free too early or none */
        sluice_value_unref(value);
    sluice_value_unref(NULL);
}

static void a_reason_is_cut_and_may_be_missing(void **state)
{
    char text[2000];
    struct sluice_value *reason;

    (void)state;
    memset(text, 'r', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    reason = value_from_text(text);
    assert_int_equal(sluice_value_size(reason), 1024);
    assert_int_equal(strlen(sluice_value_data(reason)), 1024);
    sluice_value_unref(reason);
    assert_null(value_from_text(NULL));
}

static void an_outcome_gives_its_reason_in_words(void **state)
{
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;

    (void)state;
    outcome.error = SLUICE_LOAD_FAILED;
    assert_string_equal(sluice_outcome_reason(&outcome), sluice_strerror(SLUICE_LOAD_FAILED));
    outcome.reason = value_from_text("no route to host");
    assert_string_equal(sluice_outcome_reason(&outcome), "no route to host");
    sluice_outcome_fini(&outcome);
    assert_null(outcome.reason);
    assert_int_equal(outcome.error, SLUICE_OK);
    sluice_outcome_fini(&outcome); /* empty already */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_media_type_and_etag_come_back),
        cmocka_unit_test(an_empty_value_is_a_value),
        cmocka_unit_test(what_cannot_stand_in_a_header_is_refused),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_made_etag_follows_the_bytes),
        cmocka_unit_test(references_are_counted),
        cmocka_unit_test(a_reason_is_cut_and_may_be_missing),
        cmocka_unit_test(an_outcome_gives_its_reason_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
