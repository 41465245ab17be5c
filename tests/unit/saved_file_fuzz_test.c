/* SPDX-License-Identifier: MIT */
/* saved_file_fuzz_test.c: the fuzz target of saved files over a corpus that is made here, and random changes of it. */
#include "../fuzz/fuzz.h"

#include "fixture.h"
#include "random.h"
#include "scratch.h"

#include <fcntl.h>
#include <unistd.h>

#define CHANGED_FILES 4000
#define FILE_SIZE_MAX 4096

/* Saves so many values of all kinds; returns the size of the file. */
static size_t make(struct fixture *fixture, unsigned count, unsigned char *bytes)
{
    static const char *const tags[] = {"red", "green", "blue"};
    struct scratch scratch;
    char path[SCRATCH_PATH_MAX];

    fixture_open(fixture);
    for (unsigned i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        const struct sluice_content content = {.data = "a value",
                                               .size = i % 8,
                                               .content_type = i % 2 == 0 ? "text/plain" : NULL,
                                               .etag = i % 3 == 0 ? "\"etag\"" : NULL,
                                               .ttl_ms = i % 4 == 0 ? SLUICE_NEVER : 5000,
                                               .tags = tags,
                                               .tags_count = i % 4,
                                               .refresh_ms = i % 5 == 0 ? SLUICE_NEVER : 1000};
        assert_int_equal(sluice_put(fixture->cache, key, strlen(key), &content), SLUICE_OK);
    }
    scratch_init(&scratch);
    scratch_path(&scratch, "saved", path);
    assert_int_equal(sluice_cache_save(fixture->cache, path, NULL), SLUICE_OK);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, bytes, FILE_SIZE_MAX);
    close(fd);
    scratch_fini(&scratch);
    assert_true(size > 0 && size < FILE_SIZE_MAX);
    fixture_destroy_cache(fixture);
    return (size_t)size;
}

/* Sets some bytes to others, moves a piece, or cuts the file. */
static size_t change(struct random *random, unsigned char *bytes, size_t size)
{
    for (unsigned changes = 1 + random_below(random, 4); changes > 0; changes--) {
        size_t at = random_below(random, (unsigned)size), from = random_below(random, (unsigned)size);
        size_t most = size - (at > from ? at : from);
        switch (random_below(random, 8)) {
        case 0:
            memmove(bytes + at, bytes + from, random_below(random, (unsigned)most + 1));
            break;
        case 1:
            size -= random_below(random, (unsigned)(size / 8) + 1);
            break;
        case 2:
            bytes[at] = random_below(random, 2) == 0 ? 0xff : 0x7f;
            break;
        default:
            bytes[at] = (unsigned char)random_next(random);
        }
    }
    return size;
}

static void what_is_taken_is_what_would_be_written(void **state)
{
    static const unsigned counts[] = {0, 1, 13, 40};
    struct fixture *fixture = *state;
    uint64_t seed = random_seed();
    struct random random;

    print_message("SLUICE_SEED=%ju\n", (uintmax_t)seed);
    random_init(&random, seed);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        unsigned char bytes[FILE_SIZE_MAX], changed[FILE_SIZE_MAX];
        size_t size = make(fixture, counts[i], bytes);
        LLVMFuzzerTestOneInput(bytes, size);
        for (unsigned n = 0; n < CHANGED_FILES / COUNT_OF(counts); n++) {
            memcpy(changed, bytes, size);
            LLVMFuzzerTestOneInput(changed, change(&random, changed, size));
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_is_taken_is_what_would_be_written),
    };
    FIXTURE_MAIN(tests);
}
