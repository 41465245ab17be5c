/* SPDX-License-Identifier: MIT */
/*
 * saved_file_fuzz.c: any bytes as a saved file: as they are, and with the checksum put right, so that what lies behind
 * it is reached. A file that is taken is the one that the writer makes of what was read, to the byte.
 */
#include "fuzz.h"
#include "saved_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what)
{
    perror(what);
    abort();
}

static int make_file(void)
{
    int fd = memfd_create("saved", MFD_CLOEXEC);

    if (fd < 0)
        give_up("memfd_create");
    return fd;
}

/* Reads the file and writes it anew. True: it was taken. */
static bool copy(struct saved_reader *reader, int to, struct sluice_saved *told)
{
    struct saved_writer writer;
    bool more = true;
    enum sluice_error error = saved_writer_init(&writer, to, reader->saved_ms, told);

    if (error != SLUICE_OK)
        give_up("saved_writer_init");
    while (error == SLUICE_OK && more) {
        struct sluice_content content;
        struct saved_record record;
        struct sluice_value *value;

        error = saved_reader_next(reader, &record, &content, &more);
        if (error != SLUICE_OK || !more)
            continue;
        error = value_create(&content, INT32_MAX, false, &value);
        if (error != SLUICE_OK)
            continue;
        error = saved_writer_add(&writer, &record, value);
        sluice_value_unref(value);
    }
    if (error == SLUICE_OK && saved_writer_end(&writer) != SLUICE_OK)
        give_up("saved_writer_end");
    saved_writer_fini(&writer);
    return error == SLUICE_OK;
}

static void compare(int fd, const uint8_t *data, size_t size)
{
    uint8_t *again = malloc(size + 1);

    if (again == NULL)
        give_up("malloc");
    if (pread(fd, again, size + 1, 0) != (ssize_t)size || memcmp(again, data, size) != 0) {
        fprintf(stderr, "the file was taken, and is another when it is written again\n");
        abort();
    }
    free(again);
}

static void read_file(const uint8_t *data, size_t size)
{
    struct sluice_saved what, told;
    struct saved_reader reader;
    int from = make_file(), to = make_file();

    memset(&what, 0, sizeof what);
    memset(&told, 0, sizeof told);
    if (write(from, data, size) != (ssize_t)size || lseek(from, 0, SEEK_SET) != 0)
        give_up("write");
    if (saved_reader_init(&reader, from, &what) == SLUICE_OK && copy(&reader, to, &told))
        compare(to, data, size);
    if (reader.body_room > size) {
        fprintf(stderr, "%zu bytes were asked for by a file of %zu\n", reader.body_room, size);
        abort();
    }
    saved_reader_fini(&reader);
    close(from);
    close(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hash_sum sum;
    uint64_t digest;
    uint8_t *sealed;

    read_file(data, size);
    if (size < SAVED_HEADER_SIZE + SAVED_HEAD_SIZE)
        return 0;
    sealed = malloc(size);
    if (sealed == NULL)
        give_up("malloc");
    memcpy(sealed, data, size);
    hash_sum_init(&sum);
    hash_sum_add(&sum, data, size - 8);
    digest = hash_sum_get(&sum);
    for (size_t i = 0; i < 8; i++)
        sealed[size - 8 + i] = (uint8_t)(digest >> (8 * i));
    read_file(sealed, size);
    free(sealed);
    return 0;
}
