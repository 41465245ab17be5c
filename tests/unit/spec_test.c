/* SPDX-License-Identifier: MIT */
/*
 * spec_test.c: strings as options: what each says, and how each wrong one is refused, to the word and the byte. What
 * Guava 31.1 and Caffeine 2.6.2 and 3 make of the same strings was seen by running or reading them.
 */
#include "spec_property.h"

#include "option.h"
#include "random.h"
#include "test.h"

#include <sluice/cache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER            ((uint64_t)SLUICE_NEVER)
#define NOT_A_SPAN       "must be a duration like 10m (d, h, m, s or ms) or PT10M"

#define EXPIRE           OPTION_expire_after_write_ms
#define REFRESH          OPTION_refresh_after_write_ms

#define RANDOM_SPECS     200000
#define RANDOM_WORDS_MAX 8

/* ---- what is taken ----------------------------------------------------------------------------------------------- */

static const struct good {
    const char *spec;
    enum option_index index;
    uint64_t value; /* of that option; the others are as they were */
} goods[] = {
    {"maximumSize=10", OPTION_maximum_entries, 10},
    {" maximumSize\t= 10 ,", OPTION_maximum_entries, 10},
    {",, ,maximumSize=10", OPTION_maximum_entries, 10},
    {"maximumSize=007", OPTION_maximum_entries, 7},
    {"maximumSize=+1", OPTION_maximum_entries, 1},
    {"maximumSize=9223372036854775807", OPTION_maximum_entries, INT64_MAX},
    {"maximumWeight=1", OPTION_maximum_weight, 1},
    {"expireAfterWrite=10m", EXPIRE, 600000},
    {"expireAfterWrite=2d", EXPIRE, 172800000},
    {"expireAfterWrite=2D", EXPIRE, 172800000},
    {"expireAfterWrite=3h", EXPIRE, 10800000},
    {"expireAfterWrite=3H", EXPIRE, 10800000},
    {"expireAfterWrite=4M", EXPIRE, 240000},
    {"expireAfterWrite=5s", EXPIRE, 5000},
    {"expireAfterWrite=5S", EXPIRE, 5000},
    {"expireAfterWrite=+5s", EXPIRE, 5000},
    {"expireAfterWrite=5ms", EXPIRE, 5},
    {"expireAfterWrite=0s", EXPIRE, 0},
    {"expireAfterWrite=-0s", EXPIRE, 0},
    {"expireAfterWrite=106752d", EXPIRE, UINT64_C(9223372800000)},
    {"expireAfterWrite=2305843009213693951ms", EXPIRE, INT64_MAX / 4},
    {"expireAfterWrite=never", EXPIRE, NEVER},
    {"expireAfterWrite=PT10M", EXPIRE, 600000},
    {"expireAfterWrite=pt10m", EXPIRE, 600000},
    {"expireAfterWrite=P1D", EXPIRE, 86400000},
    {"expireAfterWrite=P1DT2H3M4.005S", EXPIRE, 93784005},
    {"expireAfterWrite=PT1.S", EXPIRE, 1000},
    {"expireAfterWrite=PT0.250000000S", EXPIRE, 250},
    {"expireAfterWrite=P-1DT25H", EXPIRE, 3600000},
    {"expireAfterWrite=-PT-1.5S", EXPIRE, 1500},
    {"expireAfterWrite=+PT+5S", EXPIRE, 5000},
    {"expireAfterWrite=PT0S", EXPIRE, 0},
    {"expireAfterAccess=1m", OPTION_expire_after_access_ms, 60000},
    {"expiryJitterPercent=50", OPTION_expiry_jitter_percent, 50},
    {"refreshEarlyPercent=100", OPTION_refresh_early_percent, 100},
    {"refreshAfterWrite=1m", REFRESH, 60000},
    {"refreshInterval=1m", REFRESH, 60000},
    {"concurrencyLevel=1", OPTION_shards, 1},
    {"concurrencyLevel=5", OPTION_shards, 8},
    {"concurrencyLevel=64", OPTION_shards, 64},
    {"concurrencyLevel=70000", OPTION_shards, 256},
    {"notFoundTtl=30s", OPTION_not_found_ttl_ms, 30000},
    {"failureBackoff=1s", OPTION_failure_backoff_ms, 1000},
    {"failureBackoffMax=1h", OPTION_failure_backoff_max_ms, 3600000},
    {"loadTimeout=250ms", OPTION_load_timeout_ms, 250},
    {"staleWhileRevalidate=never", OPTION_stale_while_revalidate_ms, NEVER},
    {"staleIfError=1h", OPTION_stale_if_error_ms, 3600000},
    {"staleAfterWait=50ms", OPTION_stale_after_wait_ms, 50},
    {"batchWindow=PT0.002S", OPTION_batch_window_ms, 2},
    {"batchSizeMax=100", OPTION_batch_size_max, 100},
    {"cancelUnwantedLoads", OPTION_cancel_unwanted_loads, 1},
    {"backgroundThreadsMax=64", OPTION_background_threads_max, 64},
    {"keySizeMax=65535", OPTION_key_size_max, 65535},
    {"valueSizeMax=1048576", OPTION_value_size_max, 1048576},
    {"loadsMax=16", OPTION_loads_max, 16},
    {"waitersPerKeyMax=10", OPTION_waiters_per_key_max, 10},
    {"waitersMax=1000", OPTION_waiters_max, 1000},
    {"shards=16", OPTION_shards, 16},
    {"makeEtags", OPTION_make_etags, 1},
};

static void each_good_string_sets_its_option_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(goods); i++) {
        struct sluice_options expected = SLUICE_OPTIONS_INIT;
        struct sluice_options options = SLUICE_OPTIONS_INIT;
        struct sluice_fault fault = {0, ""};
        option_set(&option_all[goods[i].index], &expected, goods[i].value);
        if (sluice_options_parse(&options, goods[i].spec, &fault) != SLUICE_OK)
            fail_msg("%s: %s", goods[i].spec, fault.text);
        for (size_t j = 0; j < OPTION_TOTAL; j++) {
            if (option_get(&option_all[j], &options) != option_get(&option_all[j], &expected))
                fail_msg("%s: %s is %lld", goods[i].spec, option_all[j].key,
                         (long long)option_get(&option_all[j], &options));
        }
    }
}

static void strings_that_ask_for_nothing_change_nothing(void **state)
{
    static const char *const specs[] = {"", " ", ",", " , ,\t", "recordStats", " recordStats ,"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(specs); i++) {
        struct sluice_options options = SLUICE_OPTIONS_INIT;
        struct sluice_options before;
        memcpy(&before, &options, sizeof before);
        assert_int_equal(sluice_options_parse(&options, specs[i], NULL), SLUICE_OK);
        assert_memory_equal(&options, &before, sizeof before);
    }
}

static void many_keys_are_set_over_what_was_set_before(void **state)
{
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    (void)state;

    options.maximum_weight = 1000;
    options.not_found_ttl_ms = 5;
    assert_int_equal(sluice_options_parse(
                         &options, "maximumSize=10000, expireAfterWrite=10m, refreshAfterWrite=1m, recordStats", NULL),
                     SLUICE_OK);
    assert_int_equal(options.maximum_entries, 10000);
    assert_int_equal(options.maximum_weight, 0); /* the one maximum replaces the other */
    assert_int_equal(options.expire_after_write_ms, 600000);
    assert_int_equal(options.refresh_after_write_ms, 60000);
    assert_int_equal(options.not_found_ttl_ms, 5);
    assert_int_equal(sluice_options_parse(&options, "maximumWeight=7", NULL), SLUICE_OK);
    assert_int_equal(options.maximum_entries, 0);
    assert_int_equal(options.maximum_weight, 7);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static const struct bad {
    const char *spec;
    size_t offset;
    const char *text;
} bads[] = {
    {"foo=1", 0, "unknown key: \"foo\""},
    {"maximumSize=1, foo", 15, "unknown key: \"foo\""},
    {"maximumSize:10", 0, "unknown key: \"maximumSize:10\""},
    {"maximum Size=10", 0, "unknown key: \"maximum Size\""},
    {"MAXIMUMSIZE=1", 0, "unknown key, while there is maximumSize: \"MAXIMUMSIZE\""},
    {"weakkeys", 0, "unknown key, while there is weakKeys: \"weakkeys\""},
    {"\"a\\\n\xC3\xA9=1", 0, "unknown key: \"\\x22a\\x5C\\x0A\\xC3\\xA9\""},
    {"an-unknown-key-of-forty-bytes-and-a-few-more", 0, "unknown key: \"an-unknown-key-of-forty-bytes-and-a-few-...\""},
    {" =10", 1, "a key is missing before the equals sign"},
    {"=", 0, "a key is missing before the equals sign"},
    {"maximumSize", 11, "maximumSize needs a value"},
    {"maximumSize= ,recordStats", 12, "maximumSize needs a value"},
    {"maximumSize=10=20", 14, "a second equals sign: \"=20\""},
    {"maximumSize==10", 12, "a second equals sign: \"=10\""},
    {"maximumSize=10;expireAfterWrite=1s", 31, "a second equals sign: \"=1s\""},
    {"maximumSize=1,maximumSize=1", 14, "the key was already set: \"maximumSize\""},
    {"maximumSize=1,maximumWeight=1", 14, "the key can't stand beside maximumSize: \"maximumWeight\""},
    {"maximumWeight=1,maximumSize=1", 16, "the key can't stand beside maximumWeight: \"maximumSize\""},
    {"refreshAfterWrite=1s,refreshInterval=1s", 21,
     "the key can't stand beside refreshAfterWrite: \"refreshInterval\""},
    {"concurrencyLevel=4,shards=4", 19, "the key can't stand beside concurrencyLevel: \"shards\""},
    {"recordStats,recordStats", 12, "the key was already set: \"recordStats\""},
    {"makeEtags,makeEtags", 10, "the key was already set: \"makeEtags\""},
    {"recordStats=true", 12, "recordStats takes no value: \"true\""},
    {"recordStats=", 12, "recordStats takes no value"},
    {"makeEtags=false", 10, "makeEtags takes no value: \"false\""},
    {"initialCapacity=10", 0,
     "the key has no meaning here, since tables grow by themselves: leave it out: \"initialCapacity\""},
    {"weakKeys", 0, "the key has no meaning in C, which has no weak references: \"weakKeys\""},
    {"weakValues", 0, "the key has no meaning in C, which has no weak references: \"weakValues\""},
    {"softValues", 0,
     "the key has no meaning in C, which has no soft references: bound the memory by maximumWeight: \"softValues\""},
    {"maximumSize=0", 12, "maximumSize must be at least 1, while expireAfterWrite=0s is how to store nothing: \"0\""},
    {"maximumSize=-1", 12, "maximumSize must not be negative: \"-1\""},
    {"maximumSize=1.5", 12, "maximumSize must be a whole number: \"1.5\""},
    {"maximumSize=1k", 12, "maximumSize must be a whole number: \"1k\""},
    {"maximumSize=0x10", 12, "maximumSize must be a whole number: \"0x10\""},
    {"maximumSize=1 0", 12, "maximumSize must be a whole number: \"1 0\""},
    {"maximumSize=+", 12, "maximumSize must be a whole number: \"+\""},
    {"maximumSize=+-1", 12, "maximumSize must be a whole number: \"+-1\""},
    {"maximumSize=9223372036854775808", 12, "maximumSize is too large: \"9223372036854775808\""},
    {"maximumSize=-9223372036854775809", 12, "maximumSize must not be negative: \"-9223372036854775809\""},
    {"concurrencyLevel=0", 17, "concurrencyLevel must be at least 1: \"0\""},
    {"concurrencyLevel=2147483648", 17, "concurrencyLevel is too large: \"2147483648\""},
    {"shards=3", 7, "shards must be a power of two up to 256, or 0: \"3\""},
    {"shards=4294967297", 7, "shards must be a power of two up to 256, or 0: \"4294967297\""},
    {"maximumWeight=4503599627370497", 14, "maximumWeight must be at most 2^52: \"4503599627370497\""},
    {"expiryJitterPercent=51", 20, "expiryJitterPercent must be 0 to 50: \"51\""},
    {"expireAfterAccess=0s", 18, "expireAfterAccess must be more than 0: \"0s\""},
    {"keySizeMax=65536", 11, "keySizeMax must be 1 to 65535: \"65536\""},
    {"expireAfterWrite=", 17, "expireAfterWrite needs a value"},
    {"expireAfterWrite=10", 17, "expireAfterWrite " NOT_A_SPAN ": \"10\""},
    {"expireAfterWrite=m", 17, "expireAfterWrite " NOT_A_SPAN ": \"m\""},
    {"expireAfterWrite=1w", 17, "expireAfterWrite " NOT_A_SPAN ": \"1w\""},
    {"expireAfterWrite=1 s", 17, "expireAfterWrite " NOT_A_SPAN ": \"1 s\""},
    {"expireAfterWrite=1h30m", 17, "expireAfterWrite " NOT_A_SPAN ": \"1h30m\""},
    {"expireAfterWrite=1.5s", 17, "expireAfterWrite " NOT_A_SPAN ": \"1.5s\""},
    {"expireAfterWrite=1MS", 17, "expireAfterWrite " NOT_A_SPAN ": \"1MS\""},
    {"expireAfterWrite=-1s", 17, "expireAfterWrite must not be negative: \"-1s\""},
    {"expireAfterWrite=9223372036854775808s", 17, "expireAfterWrite is too long: \"9223372036854775808s\""},
    {"expireAfterWrite=9223372036854775807d", 17, "expireAfterWrite is too long: \"9223372036854775807d\""},
    {"expireAfterWrite=2305843009213693952ms", 17, "expireAfterWrite is too long: \"2305843009213693952ms\""},
    {"failureBackoff=never", 15, "failureBackoff " NOT_A_SPAN ": \"never\""},
    {"refreshAfterWrite=0s", 18, "refreshAfterWrite must be more than 0: \"0s\""},
    {"refreshAfterWrite=PT0S", 18, "refreshAfterWrite must be more than 0: \"PT0S\""},
    {"refreshAfterWrite=-1s", 18, "refreshAfterWrite must not be negative: \"-1s\""},
    {"refreshInterval=0s", 16, "refreshInterval must be more than 0: \"0s\""},
    {"loadTimeout=0ms", 12, "loadTimeout must be more than 0: \"0ms\""},
    {"loadTimeout=P", 12, "loadTimeout " NOT_A_SPAN ": \"P\""},
    {"loadTimeout=PT", 12, "loadTimeout " NOT_A_SPAN ": \"PT\""},
    {"loadTimeout=P1DT", 12, "loadTimeout " NOT_A_SPAN ": \"P1DT\""},
    {"loadTimeout=PTT1S", 12, "loadTimeout " NOT_A_SPAN ": \"PTT1S\""},
    {"loadTimeout=P1W", 12, "loadTimeout " NOT_A_SPAN ": \"P1W\""},
    {"loadTimeout=P1M", 12, "loadTimeout " NOT_A_SPAN ": \"P1M\""},
    {"loadTimeout=P1D1D", 12, "loadTimeout " NOT_A_SPAN ": \"P1D1D\""},
    {"loadTimeout=P1D2H", 12, "loadTimeout " NOT_A_SPAN ": \"P1D2H\""},
    {"loadTimeout=PT1D", 12, "loadTimeout " NOT_A_SPAN ": \"PT1D\""},
    {"loadTimeout=PT1H30", 12, "loadTimeout " NOT_A_SPAN ": \"PT1H30\""},
    {"loadTimeout=PT1M1H", 12, "loadTimeout " NOT_A_SPAN ": \"PT1M1H\""},
    {"loadTimeout=PT1S1.5S", 12, "loadTimeout " NOT_A_SPAN ": \"PT1S1.5S\""},
    {"loadTimeout=PT1.5M", 12, "loadTimeout " NOT_A_SPAN ": \"PT1.5M\""},
    {"loadTimeout=PT.5S", 12, "loadTimeout " NOT_A_SPAN ": \"PT.5S\""},
    {"loadTimeout=PT 5S", 12, "loadTimeout " NOT_A_SPAN ": \"PT 5S\""},
    {"loadTimeout=PT--5S", 12, "loadTimeout " NOT_A_SPAN ": \"PT--5S\""},
    {"loadTimeout=-PT5S", 12, "loadTimeout must not be negative: \"-PT5S\""},
    {"loadTimeout=PT-0.5S", 12, "loadTimeout must not be negative: \"PT-0.5S\""},
    {"loadTimeout=PT0.0000000001S", 12, "loadTimeout " NOT_A_SPAN ": \"PT0.0000000001S\""},
    {"loadTimeout=PT0.0005S", 12, "loadTimeout must be whole milliseconds: \"PT0.0005S\""},
    {"loadTimeout=P9223372036854775807D", 12, "loadTimeout is too long: \"P9223372036854775807D\""},
    {"loadTimeout=PT9223372036854775808S", 12, "loadTimeout is too long: \"PT9223372036854775808S\""},
    {"loadTimeout=-PT-9223372036854775.807S-0S", 12, "loadTimeout " NOT_A_SPAN ": \"-PT-9223372036854775.807S-0S\""},
    {"loadTimeout=-P-106751991167DT-7H-12M-55.808S", 12,
     "loadTimeout is too long: \"-P-106751991167DT-7H-12M-55.808S\""},
};

static void each_bad_string_is_refused_in_words_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bads); i++) {
        struct sluice_options options = SLUICE_OPTIONS_INIT;
        struct sluice_options before;
        struct sluice_fault fault = {SIZE_MAX, "taken"};
        memcpy(&before, &options, sizeof before);
        if (sluice_options_parse(&options, bads[i].spec, &fault) == SLUICE_OK)
            fail_msg("%s: taken", bads[i].spec);
        assert_string_equal(fault.text, bads[i].text);
        if (fault.offset != bads[i].offset)
            fail_msg("%s: at %zu, not %zu", bads[i].spec, fault.offset, bads[i].offset);
        assert_memory_equal(&options, &before, sizeof before);
        assert_int_equal(sluice_options_parse(&options, bads[i].spec, NULL), SLUICE_INVALID);
    }
}

/* ---- what holds of all ------------------------------------------------------------------------------------------- */

/* Mostly words of the language, with a byte of chance between them. */
static void make_spec(struct random *random, char *spec, size_t room)
{
    static const char *const words[] = {",",
                                        ",",
                                        "=",
                                        "=",
                                        "-",
                                        "+",
                                        "0",
                                        "1",
                                        "9223372036854775807",
                                        "10m",
                                        "PT",
                                        "P",
                                        "T",
                                        "D",
                                        "H",
                                        "M",
                                        "S",
                                        ".5",
                                        "never",
                                        " ",
                                        "ms",
                                        "7",
                                        "s",
                                        "\xC3",
                                        "\"",
                                        "weakKeys",
                                        "recordStats",
                                        "concurrencyLevel"};
    size_t size = 0;
    unsigned count = random_below(random, RANDOM_WORDS_MAX);

    spec[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        unsigned which = random_below(random, 2 * OPTION_TOTAL + COUNT_OF(words) + 1);
        if (which < 2 * OPTION_TOTAL)
            size += (size_t)snprintf(spec + size, room - size, "%s%s", option_all[which / 2].key, which % 2 ? "=" : "");
        else if (which < 2 * OPTION_TOTAL + COUNT_OF(words))
            size += (size_t)snprintf(spec + size, room - size, "%s", words[which - 2 * OPTION_TOTAL]);
        else
            size += (size_t)snprintf(spec + size, room - size, "%c", (char)(1 + random_below(random, 255)));
    }
}

static void random_strings_are_taken_whole_or_refused_in_words(void **state)
{
    struct random random;
    char spec[64 * RANDOM_WORDS_MAX];
    unsigned taken = 0;
    (void)state;

    random_init(&random, 3);
    for (unsigned i = 0; i < RANDOM_SPECS; i++) {
        struct sluice_options options = SLUICE_OPTIONS_INIT;
        make_spec(&random, spec, sizeof spec);
        const char *broken = spec_property_broken(spec);
        if (broken != NULL)
            fail_msg("\"%s\": %s", spec, broken);
        taken += sluice_options_parse(&options, spec, NULL) == SLUICE_OK && strchr(spec, '=') != NULL;
    }
    assert_true(taken > RANDOM_SPECS / 1000); /* else these strings show little */
}

/* ---- the table, and the headers that tell of it ------------------------------------------------------------------ */

static char *read_header(const char *name)
{
    char path[1024];
    char *text = NULL;
    size_t room = 0;

    snprintf(path, sizeof path, "%s/cache/include/sluice/%s", SLUICE_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("can't open %s", path);
    ssize_t size = getdelim(&text, &room, '\0', file); /* there is none: all of it */
    fclose(file);
    assert_true(size > 0);
    return text;
}

/* Each key stands in the header with its member, or the comment says what else it is. */
static void the_header_tells_of_each_key(void **state)
{
    char *header = read_header("spec.h");
    (void)state;

    for (size_t i = 0; i < OPTION_TOTAL; i++) {
        char line[128];
        snprintf(line, sizeof line, "\n *   %-24s%.*s", option_all[i].key, (int)strcspn(option_all[i].fault, " "),
                 option_all[i].fault);
        char *found = strstr(header, line);
        if (found == NULL)
            fail_msg("sluice/spec.h lacks:%s", line);
        const char *rest = found + strlen(line);
        const char *note = option_all[i].kind == OPTION_SPAN_OR_NEVER ? "; or never\n"
                           : option_all[i].kind == OPTION_FLAG        ? "; takes no value\n"
                           : option_all[i].kind == OPTION_MAXIMUM     ? "; at least 1\n"
                                                                      : "\n";
        if (strncmp(rest, note, strlen(note)) != 0)
            fail_msg("sluice/spec.h should say of %s: \"%s\"", option_all[i].key, note);
    }
    free(header);
}

static void the_header_tells_of_no_other_keys(void **state)
{
    char *header = read_header("spec.h");
    char *rest = header;
    size_t keys = 0;
    (void)state;

    for (char *line; (line = strsep(&rest, "\n"));) {
        char key[32];
        if (sscanf(line, " *   %31[a-zA-Z]", key) != 1 || strncmp(line, " *   ", 5) != 0)
            continue;
        struct sluice_options options = SLUICE_OPTIONS_INIT;
        struct sluice_fault fault = {0, ""};
        if (sluice_options_parse(&options, key, &fault) != SLUICE_OK && strncmp(fault.text, "unknown", 7) == 0)
            fail_msg("sluice/spec.h tells of %s, which is unknown", key);
        keys++;
    }
    assert_true(keys > OPTION_TOTAL);
    free(header);
}

static bool has_row(const char *member)
{
    for (size_t i = 0; i < OPTION_TOTAL; i++) {
        if (strncmp(option_all[i].fault, member, strlen(member)) == 0 && option_all[i].fault[strlen(member)] == ' ')
            return true;
    }
    return false;
}

/* Members that are no structs, in the text of the struct without its comments. */
static void each_option_that_a_string_can_say_has_a_row(void **state)
{
    char *header = read_header("options.h");
    char *rest = strstr(header, "\nstruct sluice_options {");
    size_t rows = 0;
    (void)state;

    assert_non_null(rest);
    rest = strchr(rest, '{') + 1;
    *strstr(rest, "\n};") = '\0';
    for (char *comment; (comment = strstr(rest, "/*"));)
        memset(comment, ' ', (size_t)(strstr(comment, "*/") + 2 - comment));
    for (char *declaration; (declaration = strsep(&rest, ";"));) {
        char type[32], name[64];
        if (sscanf(declaration, " %31s %63s", type, name) != 2 || strcmp(type, "struct") == 0)
            continue;
        if (!has_row(name))
            fail_msg("%s has no row in cache/option.h", name);
        rows++;
    }
    assert_int_equal(rows, OPTION_TOTAL);
    free(header);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_good_string_sets_its_option_and_no_other),
        cmocka_unit_test(strings_that_ask_for_nothing_change_nothing),
        cmocka_unit_test(many_keys_are_set_over_what_was_set_before),
        cmocka_unit_test(each_bad_string_is_refused_in_words_with_its_place),
        cmocka_unit_test(random_strings_are_taken_whole_or_refused_in_words),
        cmocka_unit_test(the_header_tells_of_each_key),
        cmocka_unit_test(the_header_tells_of_no_other_keys),
        cmocka_unit_test(each_option_that_a_string_can_say_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
