/* SPDX-License-Identifier: MIT */
/* saved_file_test.c: the format of saved files: no file that is not as it was written is taken, and each is told why.
 */
#include "saved_file.h"

#include "fixture.h"
#include "saved.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_MAX 4096

/* ---- whole files, through a cache -------------------------------------------------------------------------------- */

/* Saves two values; returns the file. */
static size_t save_two(struct fixture *fixture, unsigned char *bytes)
{
    static const char *const tags[] = {"red", "green"};
    const struct sluice_content content = {.data = "value",
                                           .size = 5,
                                           .content_type = "text/plain",
                                           .etag = "\"v1\"",
                                           .ttl_ms = 60000,
                                           .tags = tags,
                                           .tags_count = 2,
                                           .refresh_ms = 30000};
    fixture->options.shards = 1;
    fixture_open(fixture);
    assert_int_equal(sluice_put(fixture->cache, "full", 4, &content), SLUICE_OK);
    fixture_put(fixture, "plain", "v");
    assert_int_equal(sluice_cache_save(fixture->cache, saved_path, NULL), SLUICE_OK);
    int fd = open(saved_path, O_RDONLY);
    ssize_t size = read(fd, bytes, FILE_SIZE_MAX);
    assert_true(size > 0);
    close(fd);
    fixture_reopen(fixture);
    fixture_put(fixture, "other", "entry");
    return (size_t)size;
}

/* Has the bytes loaded: they are refused, and the cache is as it was. Returns why. */
static enum sluice_saved_fault refusal(struct fixture *fixture, const void *bytes, size_t size)
{
    struct sluice_saved what;
    scratch_write(&saved_scratch, "saved", bytes, size);
    enum sluice_error error = sluice_cache_load(fixture->cache, saved_path, &what);
    if (error != SLUICE_FILE)
        fail_msg("%zu bytes are not refused: %s", size, sluice_strerror(error));
    assert_int_equal(fixture_stats(fixture).entries, 1);
    assert_int_equal(what.entries, 0);
    assert_true(what.words[0] != '\0');
    return what.fault;
}

static void a_file_is_laid_out_as_the_table_says(void **state)
{
    unsigned char bytes[FILE_SIZE_MAX];
    struct fixture *fixture = *state;
    size_t size = save_two(fixture, bytes);
    struct stat status;

    assert_int_equal(size, SAVED_HEADER_SIZE + SAVED_HEAD_SIZE + 4 + 5 + 11 + 5 + 10 + SAVED_HEAD_SIZE + 5 + 1 +
                               SAVED_HEAD_SIZE);
    assert_memory_equal(bytes, "\x89SLUICE\n\1\0\0\0\0\0\0\0\0\x68\xe5\xcf\x8b\1\0\0", 24); /* 1,700,000,000,000 */
    assert_memory_equal(bytes + 24, "\1\0\4\0\5\0\0\0\x0b\0\5\0\x0a\0", 14);
    assert_memory_equal(bytes + 40, "\0\0\0\0\0\0\0\0\x60\xea\0\0\0\0\0\0\x30\x75\0\0\0\0\0\0", 24);
    assert_memory_equal(bytes + 64, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_memory_equal(bytes + 80, "fullvaluetext/plain\0\"v1\"\0red\0green", 35);
    assert_memory_equal(bytes + 115, "\1\0\5\0\1\0\0\0\0\0\0\0\0\0", 14);
    assert_memory_equal(bytes + 139, "\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x7f", 16);
    assert_memory_equal(bytes + size - 56, "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 24);
    assert_int_equal(stat(saved_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void every_flipped_bit_is_found(void **state)
{
    unsigned char bytes[FILE_SIZE_MAX];
    struct fixture *fixture = *state;
    size_t size = save_two(fixture, bytes);

    for (size_t i = 0; i < size; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1 << bit);
            enum sluice_saved_fault fault = refusal(fixture, bytes, size);
            bytes[i] ^= (unsigned char)(1 << bit);
            if (i < 8)
                assert_int_equal(fault, SLUICE_SAVED_FOREIGN);
            else if (i < 12)
                assert_int_equal(fault, SLUICE_SAVED_VERSION);
            else
                assert_true(fault == SLUICE_SAVED_DAMAGED || fault == SLUICE_SAVED_TORN ||
                            (fault == SLUICE_SAVED_FUTURE && i < 24));
        }
}

static void every_byte_that_is_another_is_found(void **state)
{
    unsigned char bytes[FILE_SIZE_MAX];
    struct fixture *fixture = *state;
    size_t size = save_two(fixture, bytes);

    for (size_t i = 0; i < size; i++) {
        static const unsigned char others[] = {0x00, 0xff, 0x0a, 0x55};
        unsigned char right = bytes[i];
        for (size_t j = 0; j < COUNT_OF(others); j++) {
            bytes[i] = others[j];
            if (others[j] != right)
                refusal(fixture, bytes, size);
        }
        bytes[i] = right;
    }
}

static void every_file_that_is_cut_short_is_torn(void **state)
{
    unsigned char bytes[FILE_SIZE_MAX];
    struct fixture *fixture = *state;
    size_t size = save_two(fixture, bytes);

    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(refusal(fixture, bytes, cut), SLUICE_SAVED_TORN);
}

static void what_follows_the_end_is_found(void **state)
{
    unsigned char bytes[FILE_SIZE_MAX];
    struct fixture *fixture = *state;
    size_t size = save_two(fixture, bytes);

    bytes[size] = 0;
    assert_int_equal(refusal(fixture, bytes, size + 1), SLUICE_SAVED_DAMAGED);
    memcpy(bytes + size, bytes, size);
    assert_int_equal(refusal(fixture, bytes, 2 * size), SLUICE_SAVED_DAMAGED);
}

static void what_is_no_file_of_ours_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_saved what;
    fixture_open(fixture);
    fixture_put(fixture, "other", "entry");

    assert_int_equal(refusal(fixture, "SQLite format 3", 16), SLUICE_SAVED_FOREIGN);
    assert_int_equal(refusal(fixture, "x", 1), SLUICE_SAVED_FOREIGN);
    assert_int_equal(sluice_cache_load(fixture->cache, saved_scratch.directory, &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_FOREIGN);
    assert_string_equal(what.words, "not a regular file");
    assert_int_equal(sluice_cache_load(fixture->cache, "/dev/zero", &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_FOREIGN);

    unlink(saved_path);
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, &what), SLUICE_FILE);
    assert_int_equal(what.fault, SLUICE_SAVED_ABSENT);
    assert_string_equal(what.words, "the file can't be opened: No such file or directory");
    assert_int_equal(mkfifo(saved_path, 0600), 0); /* nobody writes to it */
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, &what), SLUICE_FILE);
    assert_string_equal(what.words, "not a regular file");
    unlink(saved_path);
}

static void each_fault_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(sluice_saved_fault_name(SLUICE_SAVED_TORN), "the file ends before its end");
    assert_string_equal(sluice_saved_fault_name(SLUICE_SAVED_FUTURE), "saved at a time that is still to come");
    assert_string_equal(sluice_saved_fault_name((enum sluice_saved_fault)99), "unknown fault");
}

/* ---- made by hand, with the right checksum ----------------------------------------------------------------------- */

struct made {
    unsigned char bytes[FILE_SIZE_MAX];
    size_t size;
};

static void put_le(unsigned char *to, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(number >> (8 * i));
}

static void seal(struct made *made, uint64_t records)
{
    struct hash_sum sum;
    unsigned char *end = made->bytes + made->size;
    memset(end, 0, SAVED_HEAD_SIZE);
    put_le(end, SAVED_END, 2);
    put_le(end + 16, records, 8);
    made->size += SAVED_HEAD_SIZE;
    hash_sum_init(&sum);
    hash_sum_add(&sum, made->bytes, made->size - 8);
    put_le(made->bytes + made->size - 8, hash_sum_get(&sum), 8);
}

/* One record: the key "k", the value "v", a media type, an entity tag, a tag. Fields at `offset` of its head are set.
 */
static struct made make(size_t offset, uint64_t number, size_t size)
{
    static const char body[] = "kvt/t\0\"e\"\0tag"; /* with the tag's NUL */
    struct made made = {.size = SAVED_HEADER_SIZE};
    unsigned char *head = made.bytes + SAVED_HEADER_SIZE;
    memcpy(made.bytes, saved_magic, sizeof saved_magic);
    put_le(made.bytes + 8, SAVED_VERSION, 4);
    put_le(made.bytes + 16, UINT64_C(1700000000000), 8);
    put_le(head, SAVED_RECORD, 2);
    put_le(head + 2, 1, 2);
    put_le(head + 4, 1, 4);
    put_le(head + 8, 4, 2);
    put_le(head + 10, 4, 2);
    put_le(head + 12, 4, 2);
    put_le(head + 24, 1000, 8);
    put_le(head + 32, SAVED_FOR_EVER, 8);
    if (size > 0)
        put_le(head + offset, number, size);
    memcpy(head + SAVED_HEAD_SIZE, body, sizeof body);
    made.size += SAVED_HEAD_SIZE + sizeof body;
    seal(&made, 1);
    return made;
}

static void a_file_made_by_the_table_is_taken(void **state)
{
    struct fixture *fixture = *state;
    struct sluice_outcome outcome = SLUICE_OUTCOME_INIT;
    struct made made = make(0, 0, 0);
    fixture_open(fixture);

    scratch_write(&saved_scratch, "saved", made.bytes, made.size);
    assert_int_equal(sluice_cache_load(fixture->cache, saved_path, NULL), SLUICE_OK);
    assert_int_equal(sluice_get_if_present(fixture->cache, "k", 1, &outcome), SLUICE_OK);
    assert_string_equal(sluice_value_data(outcome.value), "v");
    assert_string_equal(sluice_value_content_type(outcome.value), "t/t");
    assert_string_equal(sluice_value_etag(outcome.value), "\"e\"");
    assert_string_equal(sluice_value_tag(outcome.value, 0), "tag");
    assert_int_equal(outcome.ttl_ms, 1000);
    sluice_outcome_fini(&outcome);
}

static void fields_out_of_bounds_are_found_whatever_the_checksum_says(void **state)
{
    static const struct {
        size_t offset, size;
        uint64_t number;
        enum sluice_saved_fault fault;
    } fields[] = {
        {0, 2, 0, SLUICE_SAVED_DAMAGED},
        {0, 2, 3, SLUICE_SAVED_DAMAGED},
        {2, 2, 0, SLUICE_SAVED_DAMAGED},
        {2, 2, 65535, SLUICE_SAVED_TORN},
        {4, 4, 0x7fffffff, SLUICE_SAVED_TORN},
        {4, 4, 0x80000000, SLUICE_SAVED_DAMAGED},
        {4, 4, 0xffffffff, SLUICE_SAVED_DAMAGED},
        {8, 2, 3, SLUICE_SAVED_DAMAGED}, /* and so without its NUL */
        {8, 2, 257, SLUICE_SAVED_DAMAGED},
        {10, 2, 257, SLUICE_SAVED_DAMAGED},
        {10, 2, 65535, SLUICE_SAVED_DAMAGED},
        {12, 2, 3, SLUICE_SAVED_DAMAGED},
        {12, 2, 65535, SLUICE_SAVED_TORN},
        {14, 2, 256, SLUICE_SAVED_DAMAGED},
        {16, 8, UINT64_MAX, SLUICE_SAVED_DAMAGED},
        {16, 8, INT64_MAX, SLUICE_SAVED_DAMAGED},
        {24, 8, INT64_MAX - 1, SLUICE_SAVED_DAMAGED},
        {24, 8, (uint64_t)INT64_MAX + 1, SLUICE_SAVED_DAMAGED},
        {32, 8, INT64_MAX - 1, SLUICE_SAVED_DAMAGED},
        {32, 8, (uint64_t)INT64_MAX + 1, SLUICE_SAVED_DAMAGED},
        {40, 8, UINT64_MAX, SLUICE_SAVED_DAMAGED},
        {40, 8, INT64_MAX, SLUICE_SAVED_DAMAGED},
        {52, 4, 1, SLUICE_SAVED_DAMAGED},
    };
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "other", "entry");

    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct made made = make(fields[i].offset, fields[i].number, fields[i].size);
        enum sluice_saved_fault fault = refusal(fixture, made.bytes, made.size);
        if (fault != fields[i].fault)
            fail_msg("field %zu: %s", i, sluice_saved_fault_name(fault));
    }
}

static void texts_that_are_none_are_found_whatever_the_checksum_says(void **state)
{
    /* What stands at which offset of the body "kvt/t\0\"e\"\0tag\0". */
    static const struct {
        size_t offset;
        char byte;
    } bytes[] = {{2, '\0'}, {2, '\n'}, {5, 't'}, {6, 'e'}, {8, 'e'}, {9, '"'}, {10, '\0'}, {13, 'g'}};
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "other", "entry");

    for (size_t i = 0; i < COUNT_OF(bytes); i++) {
        struct made made = make(0, 0, 0);
        made.size -= SAVED_HEAD_SIZE;
        made.bytes[SAVED_HEADER_SIZE + SAVED_HEAD_SIZE + bytes[i].offset] = (unsigned char)bytes[i].byte;
        seal(&made, 1);
        assert_int_equal(refusal(fixture, made.bytes, made.size), SLUICE_SAVED_DAMAGED);
    }
}

static void a_wrong_count_of_records_is_found(void **state)
{
    static const uint64_t counts[] = {0, 2, (uint64_t)1 << 32, UINT64_MAX};
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "other", "entry");

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct made made = make(0, 0, 0);
        made.size -= SAVED_HEAD_SIZE;
        seal(&made, counts[i]);
        assert_int_equal(refusal(fixture, made.bytes, made.size), SLUICE_SAVED_DAMAGED);
    }
}

static void more_tags_than_a_value_may_have_are_found(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_put(fixture, "other", "entry");

    struct made made = make(12, 4 + 2 * VALUE_TAGS_MAX, 2);
    made.size -= SAVED_HEAD_SIZE;
    for (int i = 0; i < VALUE_TAGS_MAX; i++) {
        made.bytes[made.size++] = 't';
        made.bytes[made.size++] = '\0';
    }
    seal(&made, 1);
    assert_int_equal(refusal(fixture, made.bytes, made.size), SLUICE_SAVED_DAMAGED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_file_is_laid_out_as_the_table_says),
        FIXTURE_TEST(every_flipped_bit_is_found),
        FIXTURE_TEST(every_byte_that_is_another_is_found),
        FIXTURE_TEST(every_file_that_is_cut_short_is_torn),
        FIXTURE_TEST(what_follows_the_end_is_found),
        FIXTURE_TEST(what_is_no_file_of_ours_is_told_so),
        cmocka_unit_test(each_fault_has_a_word),
        FIXTURE_TEST(a_file_made_by_the_table_is_taken),
        FIXTURE_TEST(fields_out_of_bounds_are_found_whatever_the_checksum_says),
        FIXTURE_TEST(texts_that_are_none_are_found_whatever_the_checksum_says),
        FIXTURE_TEST(a_wrong_count_of_records_is_found),
        FIXTURE_TEST(more_tags_than_a_value_may_have_are_found),
    };
    SAVED_MAIN(tests);
}
